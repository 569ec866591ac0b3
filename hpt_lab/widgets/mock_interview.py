"""A mock interview in a notebook: the same questions, follow-ups, records and report as `hpt-lab
interview`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from hpt_lab.interview.drills.runner import check_file
from hpt_lab.interview.mock import GRADES, LEVELS, PLANS, Interview, Step, next_seed, steps
from hpt_lab.interview.progress import default_path
from hpt_lab.widgets.card import Card


class MockInterview(Card):
    """Sit an interview of 20 or 45 minutes. `seed`: which questions; by default others every time.

    `progress`: the file that every grade is written into at once.
    """

    def __init__(
        self,
        *,
        minutes: int = 20,
        level: str = "screening",
        seed: int | None = None,
        progress: str | Path | None = None,
    ):
        self.path = default_path() if progress is None else Path(progress)
        self.room: Interview | None = None
        self._seed = seed
        self.minutes = widgets.Dropdown(
            options=list(PLANS),
            value=minutes,
            description="Minutes",
            layout={"width": "160px"},
            style={"description_width": "60px"},
        )
        self.level = widgets.Dropdown(
            options=list(LEVELS),
            value=level,
            description="Level",
            layout={"width": "200px"},
            style={"description_width": "50px"},
        )
        super().__init__(
            "Mock interview",
            "Answer aloud, as if someone sat there. The clock starts with Begin.",
            [widgets.HBox([self.minutes, self.level], layout={"flex_flow": "row wrap"})],
        )
        self._code = widgets.Textarea(
            layout={"width": "100%", "height": "190px"},
            description="Your code",
            style={"description_width": "75px"},
        )
        self._letter = widgets.Text(
            layout={"width": "180px"},
            description="Your letter",
            style={"description_width": "75px"},
        )
        self.show(
            "When you are ready: begin. You will be asked, shown what a weak, a good and a great "
            "answer contain, "
            "graded by yourself, and asked on.",
            [("Begin", self.begin)],
        )

    def begin(self) -> None:
        """Start the clock and ask the first question."""
        seed = next_seed(self.path) if self._seed is None else self._seed
        planned = steps(minutes=self.minutes.value, level=self.level.value, seed=seed)
        self.room = Interview(
            planned, self.path, minutes=self.minutes.value, level=self.level.value, seed=seed
        )
        self.minutes.disabled = True
        self.level.disabled = True
        self.ask()

    def ask(self) -> None:
        """Show what is asked now, or the report."""
        assert self.room is not None
        step = self.room.step
        if step is None:
            self.end()
            return
        buttons = [("Reveal", self.reveal), ("End here", self.end)]
        inputs: list[widgets.Widget] = []
        if step.part == "drill":
            self._code.value = step.prompt.split("```python\n")[1].removesuffix("```")
            inputs = [self._code]
            buttons = [("Check my code", self.check), *buttons]
        elif step.check is not None:
            self._letter.value = ""
            inputs = [self._letter]
        clock = (
            f"*Minute {self.room.elapsed:.0f} of {self.room.minutes} · lesson {step.lesson} · "
            f"{step.part}*"
        )
        self.show(
            f"{clock}\n\n{step.says}\n\n{step.prompt}", buttons, draw=step.draw, inputs=inputs
        )

    def check(self) -> None:
        """Grade the code in a process of its own, with a time and a memory limit."""
        step = self._step()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "answer.py"
            path.write_text(self._code.value, encoding="utf-8")
            verdict = check_file(step.id, path)
        self.add(
            f"```\n{verdict!r}\n```",
            [("Check my code", self.check), ("Reveal", self.reveal), ("End here", self.end)],
        )

    def reveal(self) -> None:
        """Show the answer and the rubric; only then can it be graded."""
        step = self._step()
        said = ""
        if step.check is not None and step.part != "drill" and self._letter.value.strip():
            said = f"**{'✓ Right' if step.check(self._letter.value) else '✗ Not the best move'}.** "
        rubric = "\n".join(
            f"**{name}**: {text}" for name, text in zip(GRADES.values(), step.rubric, strict=True)
        )
        self.add(
            f"{said}{step.reveal}\n\n{rubric}\n\nYour answer was?",
            [(f"{grade} {name}", self._grading(grade)) for grade, name in GRADES.items()],
        )

    def end(self) -> None:
        """Show strengths, weak spots, and what to read again."""
        assert self.room is not None
        self.minutes.disabled = False
        self.level.disabled = False
        self.show(self.room.report(), [("Begin another", self.begin)])

    def _step(self) -> Step:
        """Return the step on the card; if the time has run out meanwhile, it may still be
        finished."""
        assert self.room is not None
        step = self.room.current
        assert step is not None
        return step

    def _grading(self, grade: int) -> Callable[[], None]:
        def give() -> None:
            assert self.room is not None
            self.room.grade(grade)
            self.ask()

        return give

"""The endless diagnosis drill: recorded curves, four moves, and the table knows which one gains
most."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hpt_lab.interview import neighbours
from hpt_lab.interview.progress import default_path, note
from hpt_lab.widgets.card import Card


class Diagnose(Card):
    """Ask case after case of a `seed`, from number `first` on; `progress`: the file your answers
    are written into."""

    def __init__(self, *, seed: int = 0, first: int = 0, progress: str | Path | None = None):
        self.path = default_path() if progress is None else Path(progress)
        self.seed = seed
        self.number = first
        self.right = 0
        self.asked = 0
        super().__init__(
            "Diagnose", "Recorded trainings of small networks; every neighbour was trained too."
        )
        self.ask()

    def ask(self) -> None:
        """Show the curves of this case and the four moves."""
        self.case = neighbours.case(seed=self.seed, number=self.number)
        self.show(
            self.case.ask(),
            [(letter, self._answering(letter)) for letter in self.case.letters],
            draw=self.case.draw,
        )

    def _answering(self, letter: str) -> Callable[[], None]:
        def answer() -> None:
            verdict = self.case.grade(letter)
            note(
                self.path,
                "diagnosis",
                datetime.now(UTC),
                id=self.case.id,
                answer=letter,
                right=bool(verdict),
            )
            self.asked += 1
            self.right += bool(verdict)
            self.number += 1
            head = "✓ Right" if verdict else f"✗ Not {letter}, but {' or '.join(self.case.right)}"
            self.add(
                f"**{head}.** {verdict.text}\n\n*A sign to go by:* {self.case.signs()}.\n\n"
                f"{self.right} of {self.asked} right.",
                [("Next case", self.ask)],
            )

        return answer

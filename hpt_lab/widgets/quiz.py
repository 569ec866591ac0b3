"""The quiz: think, reveal, grade yourself; what you knew badly comes back soon (FSRS), from the
same progress file as `hpt-lab quiz`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import ipywidgets as widgets

from hpt_lab.interview import KINDS, LEVELS, load
from hpt_lab.interview.bank import Question
from hpt_lab.interview.progress import GRADES, Review, append, default_path, due, read
from hpt_lab.interview.quiz import answer_of, chosen, next_date, next_question
from hpt_lab.lessons import link
from hpt_lab.widgets.card import Card

ANY = "any"


class Quiz(Card):
    """Ask the bank's questions, the longest overdue first. `progress`: the file with your grades.

    lesson, topic, level, kind: what to ask about; the menus change it.
    """

    def __init__(
        self,
        *,
        lesson: str | None = None,
        topic: str | None = None,
        level: str | None = None,
        kind: str | None = None,
        progress: str | Path | None = None,
    ):
        self.path = default_path() if progress is None else Path(progress)
        self.question: Question | None = None
        self._skipped: set[str] = set()
        everything = load()
        wanted = {"lesson": lesson, "topic": topic, "level": level, "kind": kind}
        values = {
            "lesson": sorted({question.lesson for question in everything}),
            "topic": sorted({question.topic for question in everything}),
            "level": LEVELS,
            "kind": KINDS,
        }
        chosen(**wanted)  # a filter that nothing matches is refused before anything is shown
        self.filters = {
            name: widgets.Dropdown(
                options=[ANY, *values[name]],
                value=wanted[name] or ANY,
                description=name.capitalize(),
                layout={"width": "205px"},
                style={"description_width": "50px"},
            )
            for name in wanted
        }
        menus = widgets.HBox(list(self.filters.values()), layout={"flex_flow": "row wrap"})
        super().__init__(
            "Quiz",
            "Say your answer aloud, then reveal and grade yourself. Every grade is kept.",
            [menus],
        )
        for menu in self.filters.values():
            menu.observe(lambda _: self.guarded(self.next), "value")
        self.next()

    def next(self) -> None:
        """Show the question that is due, or new, or say when the next one is."""
        asked = {
            name: None if menu.value == ANY else menu.value for name, menu in self.filters.items()
        }
        try:
            questions = chosen(**asked)
        except ValueError as error:
            self.question = None
            self.show(str(error), [])
            return
        reviews = read(self.path)
        now = datetime.now(UTC)
        left = [question for question in questions if question.id not in self._skipped]
        self.question = next_question(left, reviews, now)
        if self.question is None:
            self.show(self._nothing(questions, reviews), [])
            return
        dates = due(reviews)
        waiting = sum(question.id in dates and dates[question.id] <= now for question in questions)
        new = sum(question.id not in dates for question in questions)
        where = (
            f"lesson {self.question.lesson} · {self.question.level} · {self.question.kind} · "
            f"{self.question.topic}"
        )
        self.show(
            f"*{where}; {waiting} due, {new} new*\n\n{self.question.question}",
            [("Reveal", self.reveal), ("Skip", self.skip)],
            draw=self.question.draw if self.question.picture else None,
        )

    def _nothing(self, questions: list[Question], reviews: list[Review]) -> str:
        if self._skipped & {question.id for question in questions}:
            return "Only what you skipped is left. Run the cell again to be asked it."
        date = next_date(questions, reviews).astimezone()
        return f"Nothing is due. The next question is due on {date:%Y-%m-%d at %H:%M}."

    def reveal(self) -> None:
        """Show the answer; only then can it be graded."""
        assert self.question is not None
        self.add(
            answer_of(self.question),
            [(f"{grade} {name}", self._grading(grade)) for grade, name in GRADES.items()],
        )

    def skip(self) -> None:
        """Ask something else; this one waits for another sitting."""
        assert self.question is not None
        self._skipped.add(self.question.id)
        self.next()

    def _grading(self, grade: int) -> Callable[[], None]:
        def give() -> None:
            assert self.question is not None
            append(self.path, Review(self.question.id, grade, datetime.now(UTC)))
            if grade > 2:
                self.next()
                return
            again = f"Read again: {link(self.question.lesson, self.question.cell)}"
            self.add(f"{answer_of(self.question)}\n\n**{again}**", [("Next", self.next)])

        return give

"""Which question comes next, and what is shown of it. The terminal and the widget ask in their own
ways.

A question that is due by FSRS comes first, the longest overdue before the others; then those never
asked, in the bank's order. One that is not due yet does not come.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hpt_lab.errors import InterviewError
from hpt_lab.interview.bank import Question, load
from hpt_lab.interview.progress import Review, due


def chosen(
    *,
    lesson: str | None = None,
    topic: str | None = None,
    level: str | None = None,
    kind: str | None = None,
) -> list[Question]:
    """Return the questions to practise. Raises InterviewError if none matches."""
    questions = load(lesson=lesson, topic=topic, level=level, kind=kind)
    if not questions:
        everything = load()
        lessons = sorted({question.lesson for question in everything})
        topics = sorted({question.topic for question in everything})
        raise InterviewError(
            f"no question matches lesson={lesson}, topic={topic}, level={level}, kind={kind}; "
            f"there are lessons {', '.join(lessons)} and topics {', '.join(topics)}"
        )
    return questions


def next_question(
    questions: Sequence[Question], reviews: Sequence[Review], now: datetime
) -> Question | None:
    """Return the question to ask now, or None if nothing is due and nothing is new."""
    dates = due(reviews)
    waiting = [
        question for question in questions if question.id in dates and dates[question.id] <= now
    ]
    if waiting:
        return min(waiting, key=lambda question: dates[question.id])
    new = [question for question in questions if question.id not in dates]
    return new[0] if new else None


def next_date(questions: Sequence[Question], reviews: Sequence[Review]) -> datetime:
    """Return when the first of these questions is due again; all of them were asked."""
    dates = due(reviews)
    return min(dates[question.id] for question in questions)


def answer_of(question: Question) -> str:
    """Return what is revealed: the answer, why, what comes next, and the trap."""
    return (
        f"{question.answer}\n\n*Why.* {question.explanation}\n\n"
        f"*They may go on.* {question.follow_up}\n{question.follow_up_answer}\n\n"
        f"*A wrong answer.* {question.wrong}\n{question.why_wrong}"
    )

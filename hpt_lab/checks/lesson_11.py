"""Check the exercises of lesson 11: a budget of hours, a colleague's Hyperband, and a reading list
from weak spots."""

from __future__ import annotations

from typing import Any

from hpt_lab.checks.core import Unanswered, Wrong, call, check, choice, number, show

BUDGETS = (
    (200, 4, 4, 3),
    (200, 4, 2, 5),
    (10, 1, 3, 3),
    (100, 7, 2, 3),
    (30, 2, 5, 3),
    (12, 4, 1, 3),
)
SUSPECTS = (
    "start-up costs more than the first rung",
    "the space is too narrow to tell configs apart",
    "eta should be larger",
    "random search got lucky",
    "early ranks say nothing about late ones",
)
WHY_NOT = {
    "the space is too narrow to tell configs "
    "apart": "the rates span four powers of ten, and the log has losses from 3 % to 90 %",
    "eta should be larger": "that cuts harder, at the same first rung: it starts as many trainings "
    "as before, or more",
    "random search got lucky": "it won twenty times in a row",
    "early ranks say nothing about late "
    "ones": "the log says 0.8 between epoch 9 and the end: look at what is paid for",
}


@check
def check_full_trainings(full_trainings: Any) -> str:
    """Return the verdict on `full_trainings(hours, each, finalists, seeds)`: trainings left for the
    search."""
    for hours, each, finalists, seeds in BUDGETS:
        right = (hours - each * seeds * (finalists + 1)) // each
        right = max(0, right)
        got = number(call(full_trainings, hours, each, finalists, seeds), "what it returns")
        if got != right:
            raise Wrong(
                f"full_trainings({hours}, {each}, {finalists}, {seeds}) should be {right}, got "
                f"{got:g}",
                hint=_budget_hint(hours, each, finalists, seeds, got),
            )
    return "200 hours, four each: 34 trainings are left to search with, once the ends are paid for."


def _budget_hint(hours: int, each: int, finalists: int, seeds: int, got: float) -> str:
    if got == hours // each:
        return "nothing is held back: who reruns the finalists, and with which hours?"
    if got == max(0, (hours - each * seeds * finalists) // each):
        return "the baseline needs its seeds too, or there is nothing to compare with"
    if got < 0:
        return "fewer than no training is none: say 0, and ask for hours or for fewer seeds"
    if got != int(got):
        return (
            "a training that is cut short by the end of the budget gives nothing: count whole ones"
        )
    return "hours, minus (finalists and the baseline) x seeds x hours each; then in whole trainings"


@check
def check_suspect(suspect: Any) -> str:
    """Return the verdict on why a colleague's Hyperband never beats random search."""
    if suspect is ... or suspect is None:
        raise Unanswered("Choose one of SUSPECTS.")
    given = choice(suspect, SUSPECTS, "the suspect")
    if given != SUSPECTS[0]:
        raise Wrong(f"{given!r} is not it", hint=WHY_NOT[given])
    return (
        "Every start costs 28 epochs' worth, and the first rung buys one: lengthen it, or keep "
        "workers warm."
    )


@check
def check_reading(reading: Any) -> str:
    """Return the verdict on `reading(grades)`: lessons to read again, the weakest first, then by
    number."""
    for grades in (
        {"04": 3, "06": 1, "03": 1},
        {"00": 3},
        {"05": 2, "01": 1},
        {"08": 2, "02": 2, "07": 3, "03": 1},
    ):
        right = sorted(
            (lesson for lesson in grades if grades[lesson] < 3),
            key=lambda lesson: (grades[lesson], lesson),
        )
        got = call(reading, dict(grades))
        if not isinstance(got, list | tuple) or list(got) != right:
            raise Wrong(
                f"reading({grades}) should be {right}, got {show(got)}",
                hint=_reading_hint(grades, got),
            )
    return "Weak before good, and great is left alone: an evening is short."


def _reading_hint(grades: dict[str, int], got: Any) -> str:
    if not isinstance(got, list | tuple):
        return "return a list of lessons"
    if any(lesson in grades and grades[lesson] == 3 for lesson in got):
        return "what you graded 3, great, needs no second reading"
    if list(got) == sorted(got):
        return "the weakest first: grade 1 before grade 2, whatever their numbers"
    return "every lesson below 3, ordered by grade, then by number"

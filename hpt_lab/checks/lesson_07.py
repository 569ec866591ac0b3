"""Check the exercises of lesson 07: ASHA's rule, the Gantt chart, which schedule for which
situation."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from hpt_lab.checks.core import Unanswered, Wrong, call, check, choice, number, show
from hpt_lab.history import History
from hpt_lab.strategies.asha import promotable
from hpt_lab.trial import Outcome, Trial

Rungs = list[dict[int, float]]  # the losses at each rung, by trial
Promoted = list[set[int]]  # who has left each rung
CHART = [
    (0, 4),
    (0, 4),
    (0, 4),
    (0, 16),
    (16, 24),
]  # start and end in minutes, of five runs on four workers
SITUATIONS = {
    "eight workers, each run takes 9 to 11 minutes, R is certain": "Hyperband",
    "four hundred workers, some runs take five times as long": "ASHA",
    "twenty workers, one long training, the rate should fall on the way": "PBT",
    "one worker, every training must run to its end, forty trials": "Bayesian optimization",
}
NAMES = ["Hyperband", "ASHA", "PBT", "Bayesian optimization"]


@check
def check_get_job(get_job: Any) -> str:
    """Return the verdict on `get_job(losses, promoted, eta)` -> (trial, its next rung), or (None,
    0) for a new one.

    Judged on worked cases, each with a hint of its own, and then on 300 random states against the
    package's rule.
    """
    for losses, promoted, eta, hint in CASES:
        _compare(get_job, losses, promoted, eta, hint)
    for losses, promoted, eta in _states():
        _compare(
            get_job,
            losses,
            promoted,
            eta,
            "compare the two by hand: sort the rung, count a third of it",
        )
    return (
        "Highest rung first, the best 1/eta of those that have reported, nobody twice, no "
        "failures: algorithm 2."
    )


CASES: list[tuple[Rungs, Promoted, int, str]] = [
    ([{0: 0.5, 1: 0.4}, {}], [set()], 3, "a third of two reports is nobody: len(rung) // eta"),
    (
        [{0: 0.5, 1: 0.4, 2: 0.3}, {}],
        [set()],
        3,
        "the smallest loss of the three goes on, to rung 1",
    ),
    (
        [{0: 0.5, 1: 0.4, 2: 0.3}, {}],
        [{2}],
        3,
        "the best one has left already: nobody is promoted twice",
    ),
    (
        [{0: 0.5, 1: 0.4, 2: 0.3, 3: 0.6, 4: 0.7, 5: 0.8}, {}],
        [{2}],
        3,
        "two of six may go on, and 2 went: now it is the turn of the second best",
    ),
    (
        [{0: 0.5, 1: 0.4, 2: 0.3, 3: 0.6}, {}],
        [{2}],
        3,
        "one of four may go on, and one has: who has left the rung still counts in it",
    ),
    (
        [{i: i / 10 for i in range(9)}, {0: 0.2, 1: 0.1, 2: 0.3}, {}],
        [{0, 1}, set()],
        3,
        "look at the highest rung first: it is closest to an answer",
    ),
    (
        [{i: i / 10 for i in range(3)}, {0: 0.2, 1: 0.1, 2: 0.3}],
        [{0, 1, 2}],
        3,
        "the last rung is the full budget: nobody leaves it",
    ),
    (
        [{0: math.inf, 1: math.inf, 2: math.inf}, {}],
        [set()],
        3,
        "a failed trial, whose loss is inf, counts as reported and never goes on",
    ),
    (
        [{0: math.inf, 1: 0.2, 2: math.inf}, {}],
        [set()],
        3,
        "failed trials count as reports: 3 // 3 is one, trial 1",
    ),
    ([{4: 0.1, 2: 0.1, 3: 0.1}, {}], [set()], 3, "ties go to the smaller id"),
    ([{}, {}], [set()], 3, "an empty rung promotes nobody: start a new trial"),
    ([{0: 0.1, 1: 0.2}, {}], [set()], 2, "use eta, not 3"),
]


def _compare(get_job: Any, losses: Rungs, promoted: Promoted, eta: int, hint: str) -> None:
    right = _oracle(losses, promoted, eta)
    answer = call(get_job, losses, promoted, eta)
    if isinstance(answer, str | dict) or np.ndim(answer) != 1 or len(answer) != 2:
        raise Wrong(
            f"it returns {show(answer)}",
            hint="return a pair: (trial, its next rung), or (None, 0) for a new trial",
        )
    if answer[0] is not None:
        number(answer[0], "the trial")
    if answer[0] != right[0] or answer[1] != right[1]:
        raise Wrong(
            f"losses {losses}, promoted {promoted}, eta {eta}: {right} is right, it gives "
            f"{show(tuple(answer))}",
            hint=hint,
        )


def _oracle(losses: Rungs, promoted: Promoted, eta: int) -> tuple[int | None, int]:
    """Ask the package: build the history that these rungs stand for."""
    history = History()
    for k, rung in enumerate(losses):
        for id, loss in rung.items():
            trial = Trial(id, {}, budget=eta**k, rung=k)
            history.ask(trial)
            history.tell(trial, Outcome(loss))
    for k, left in enumerate(promoted):
        for id in left - set(losses[k + 1]):  # on its way up
            history.ask(Trial(id, {}, budget=eta ** (k + 1), rung=k + 1))
    for k in range(len(losses) - 2, -1, -1):
        if ready := promotable(history, k, eta):
            return ready[0].id, k + 1
    return None, 0


def _states() -> Iterator[tuple[Rungs, Promoted, int]]:
    """Make random states that a search can be in: whoever is in a rung has left the one below."""
    rng = np.random.default_rng(7)
    for _ in range(300):
        eta, inside = int(rng.integers(2, 5)), list(range(int(rng.integers(0, 30))))
        losses: Rungs = []
        promoted: Promoted = []
        for _ in range(int(rng.integers(2, 5))):
            drawn = rng.integers(0, 12, size=len(inside)) / 10
            drawn[rng.random(len(inside)) < 0.1] = math.inf
            losses.append({id: float(loss) for id, loss in zip(inside, drawn, strict=True)})
            finite = [id for id, loss in losses[-1].items() if math.isfinite(loss)]
            went = rng.permutation(finite)[: len(inside) // eta].tolist()
            promoted.append(set(went))
            inside = [id for id in went if rng.random() < 0.8]
        yield losses, promoted[:-1], eta


@check
def check_idle(share: Any, remedy: Any) -> str:
    """Return the verdict on the idle share of CHART, and on the remedy: "more workers", "ASHA" or
    "a larger eta"."""
    given = number(share, "the share")
    busy = sum(end - start for start, end in CHART)
    idle = 1 - busy / (4 * 24)
    chosen = choice(remedy, ["more workers", "ASHA", "a larger eta"], "the remedy")
    if 1 < given <= 100:
        raise Wrong(f"{given:g} is more than everything", hint="give a fraction: 40 % is 0.4")
    if math.isclose(given, 1 - idle, abs_tol=0.01):
        raise Wrong(f"{given:g} is the busy share", hint="idle is what is missing to 1")
    if math.isclose(given, 1 - 28 / 64, abs_tol=0.01):
        raise Wrong(
            f"{given:g} is the share until the rung closes",
            hint="the last run counts too: 24 minutes in all",
        )
    if not math.isclose(given, idle, abs_tol=0.01):
        raise Wrong(
            f"{given:g} is not the idle share",
            hint="four workers for 24 minutes are 96; add up the runs",
        )
    if chosen == "more workers":
        raise Wrong(
            "more workers would wait too",
            hint="the rung ends when its slowest run ends, however many wait",
        )
    if chosen == "a larger eta":
        raise Wrong(
            "a larger eta does not shorten the slowest run",
            hint="who could work during the 12 minutes of waiting?",
        )
    return (
        f"{busy} of 96 worker-minutes are work, {idle:.0%} is waiting, and only not waiting helps."
    )


@check
def check_schedule(chosen: Any) -> str:
    """Return the verdict on the method chosen for each of SITUATIONS, a dict or a list in their
    order."""
    answers = list(chosen.values()) if isinstance(chosen, dict) else list(chosen)
    if any(answer is ... for answer in answers):
        raise Unanswered("Put a method in the place of every ... and run the cell again.")
    if len(answers) != len(SITUATIONS):
        raise Wrong(f"there are {len(SITUATIONS)} situations, got {len(answers)} answers")
    for answer, (situation, right) in zip(answers, SITUATIONS.items(), strict=True):
        given = choice(answer, NAMES, f"the method for “{situation}”")
        if given != right:
            raise Wrong(f"{given} is not the first choice for: {situation}", hint=HINTS[right])
    return (
        "Equal runs: wait. Unequal runs, many workers: promote at once. A value that must "
        "change: PBT."
    )


HINTS: dict[str, str] = {
    "Hyperband": "where all runs take as long, nobody waits for a straggler, and a whole rung "
    "makes no mistaken promotion",
    "ASHA": "who would wait for the slowest of four hundred?",
    "PBT": "only one of the four changes a setting while the weights stay",
    "Bayesian optimization": "nothing may be cut early, so only the choice of configs is left, and "
    "results come one by one",
}

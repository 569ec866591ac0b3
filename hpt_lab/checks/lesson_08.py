"""Check the exercises of lesson 08: the interval of an average rank, and what is wrong with two
comparisons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from hpt_lab.checks.core import Wrong, call, check, choice, number, show

FLAWS = ("one seed", "validation reported", "unequal spaces", "trials counted", "tuned tuner")
SPRINT_ASKS = ("more seeds", "test error at equal epochs", "a larger network")
DRIFT_ASKS = (
    "a smaller p-value",
    "more epochs for both",
    "same space, settings frozen elsewhere, 30 seeds",
)
NOT_IN_SPRINT = {
    "one seed": "the text gives a mean of 10 seeds",
    "unequal spaces": "both draw from one space, says the text",
    "tuned tuner": "all settings are as published, says the text",
}
NOT_IN_DRIFT = {
    "validation reported": "these are test errors",
    "trials counted": "both spent 3,000 epochs",
}
WHERE_TO_LOOK = {
    "one seed": "how many searches is each number made of?",
    "validation reported": "which rows do the headline's numbers come from?",
    "unequal spaces": "compare the ranges of the learning rate",
    "trials counted": "multiply out what each of them trained",
    "tuned tuner": "what happened before the comparison, and on which data?",
}


@check
def check_rank_interval(rank_interval: Any) -> str:
    """Return the verdict on `rank_interval(losses, rng)` -> (low, high), each (strategies,), of the
    average ranks."""
    rng = np.random.default_rng(8)
    tied = np.array([[0.1] * 12, [0.1] * 12, [0.3] * 12])
    low, _ = _interval(rank_interval, tied)
    if np.allclose(low, [3, 3, 1]) or np.allclose(low, [2.5, 2.5, 1]):
        raise Wrong(
            f"the largest loss gets rank {low[2]:g}",
            hint="everything minimises: rank 1 is the smallest loss",
        )
    if not np.allclose(low, [1.5, 1.5, 3]):
        raise Wrong(
            "two strategies tie for the best in every seed, and their ranks begin at "
            f"{show(low.tolist())}",
            hint="ties share their average, 1.5 and 1.5: scipy.stats.rankdata(losses, axis=0) "
            "ranks within a seed",
        )
    hard = rng.uniform(0.1, 0.9, size=30)  # some seeds are harder than others, for everybody
    low, high = _interval(rank_interval, np.array([hard, hard + 0.01, hard + 0.02]))
    if not (np.allclose(low, [1, 2, 3]) and np.allclose(high, [1, 2, 3])):
        raise Wrong(
            "one strategy is ahead of the next in every single seed, and yet their intervals have "
            "a width",
            hint="rank within each seed first, and draw whole seeds: all strategies keep the same "
            "ones",
        )
    for strategies, seeds in ((3, 25), (6, 60)):
        losses = rng.normal(size=(strategies, seeds)) + 0.3 * np.arange(strategies)[:, None]
        _compare(*_interval(rank_interval, losses), losses)
    return (
        "Ranked within seeds, whole seeds drawn: two strategies whose intervals overlap can't "
        "be told apart by rank."
    )


class _Rng(np.random.Generator):
    """A generator that a message can quote: its own repr has an address that changes from run to
    run."""

    def __repr__(self) -> str:
        return "rng"


def _interval(rank_interval: Any, losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    answer = call(rank_interval, losses, _Rng(np.random.PCG64(0)))
    ends = np.asarray(answer, dtype=float)
    n = len(losses)
    if ends.shape == (n, 2) and n != 2:
        ends = ends.T
    if ends.shape != (2, n):
        raise Wrong(
            f"for {n} strategies it returns {show(answer)}",
            hint=f"return two arrays, (low, high), of {n} numbers each: average over the seeds, "
            "axis=-1",
        )
    if not np.isfinite(ends).all() or (ends[0] > ends[1]).any():
        raise Wrong(
            f"the ends are {show(ends.tolist())}",
            hint="low first, then high: the 2.5 % and 97.5 % quantiles",
        )
    return ends[0], ends[1]


def _compare(low: np.ndarray, high: np.ndarray, losses: np.ndarray) -> None:
    """Raise Wrong with a hint unless the widths are those of many bootstrap means, give or take
    their own noise."""
    from scipy.stats import rankdata

    ranks = rankdata(losses, axis=0)
    right = 2 * 1.96 * ranks.std(axis=1) / np.sqrt(ranks.shape[1])
    middle = (low + high) / 2
    ratio = float(np.mean((high - low) / right))
    if np.allclose(high, low):
        raise Wrong(
            "the intervals have no width",
            hint="draw with replacement: a seed may come twice, another not at all",
        )
    if ratio > 2:
        raise Wrong(
            f"the intervals are {ratio:.1f} times as wide as they should be",
            hint="single seeds scatter more, and so do ranks of mean losses: draw seeds and "
            "average their ranks",
        )
    if np.abs(middle - ranks.mean(axis=1)).max() > 0.2 * right.max() + 0.05:
        raise Wrong(
            f"the intervals lie around {show(middle.round(2).tolist())}, "
            f"the average ranks are {show(ranks.mean(axis=1).round(2).tolist())}",
            hint="rank first, within each seed of the given losses; then draw seeds and average "
            "their ranks",
        )
    if ratio < 0.8:
        raise Wrong(
            f"the intervals have {ratio:.0%} of the width they should have",
            hint="draw as many seeds as there are, and take the quantiles 0.025 and 0.975 of at "
            "least 1,000 means",
        )
    if ratio > 1.2:
        raise Wrong(
            f"the intervals are {ratio:.1f} times as wide as they should be",
            hint="the quantiles 0.025 and 0.975, and as many drawn seeds as there are",
        )


@check
def check_sprint(flaws: Any, times: Any, ask: Any) -> str:
    """Return the verdict on what is wrong with the comparison of Sprint and Hyperband."""
    _flaws(flaws, {"validation reported", "trials counted"}, NOT_IN_SPRINT)
    factor = number(times, "how many times as much Sprint spent")
    right = 50 * 81 / 420
    if abs(factor * right - 1) < 0.05:
        raise Wrong(
            f"{factor:g} is Hyperband's share of Sprint's epochs", hint="the other way round"
        )
    if abs(factor - right) > 0.3:
        raise Wrong(
            f"{factor:g} times is not it",
            hint="50 configs in full are 50 x 81 epochs; Hyperband's are in the text",
        )
    if choice(ask, SPRINT_ASKS, "what to ask for") != "test error at equal epochs":
        raise Wrong(f"{show(ask)} would not mend it", hint="which request removes both flaws?")
    return (
        "Nearly ten times the epochs, and the test errors lie within one standard error of "
        "each other."
    )


@check
def check_drift(flaws: Any, ask: Any) -> str:
    """Return the verdict on what is wrong with the comparison of Drift and TPE."""
    _flaws(flaws, {"one seed", "unequal spaces", "tuned tuner"}, NOT_IN_DRIFT)
    if choice(ask, DRIFT_ASKS, "what to ask for") != DRIFT_ASKS[-1]:
        raise Wrong(f"{show(ask)} would not mend it", hint="which request removes all three flaws?")
    return (
        "The space is a hint that TPE did not get, 40 searches are a budget that nobody "
        "counted, and one run is one run."
    )


def _flaws(answer: Any, right: set[str], reasons: dict[str, str]) -> None:
    """Raise Wrong unless the answer names exactly the `right` flaws; `reasons`: why another is none
    here."""
    if isinstance(answer, str) or not isinstance(answer, Iterable):
        answer = [answer]
    named = {choice(flaw, FLAWS, "a flaw") for flaw in answer if flaw is not ...}
    if not named:
        raise Wrong("no flaw named", hint="there is at least one")
    for flaw in sorted(named - right):
        raise Wrong(f"{flaw!r} is not what is wrong here", hint=reasons[flaw])
    for flaw in FLAWS:
        if flaw in right - named:
            raise Wrong(f"{len(named)} found, and there is more", hint=WHERE_TO_LOOK[flaw])

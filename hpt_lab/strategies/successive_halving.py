"""Successive halving (Jamieson & Talwalkar, "Non-stochastic best arm identification", AISTATS 2016,
algorithm 1).

Train many configs briefly, keep the best 1/eta of them, train those eta times as long, and so on
until one rung trains for the full budget. `halve` is the algorithm; Hyperband is several of it.

This is the form it has as Hyperband's inner loop (Li et al., JMLR 2018, algorithm 1). The 2016
paper keeps half each time, and is given a total budget B instead: each of its ceil(log2(n)) rounds
spends an equal part of B, and the one that is left is not trained again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from hpt_lab.arguments import show
from hpt_lab.errors import StrategyError
from hpt_lab.space import Space
from hpt_lab.strategies.strategy import MOST_TRIALS, Batches, check_whole, draw, strategy
from hpt_lab.trial import Config, Trial


class Rung(NamedTuple):
    """How many trials train, and up to which budget in total."""

    n: int
    budget: int


def halve(trials: list[Trial], rungs: list[Rung]) -> Batches:
    """Train the trials rung by rung; after each rung only the best go on, resuming where they
    stopped."""
    for i, rung in enumerate(rungs):
        trials = [replace(trial, budget=rung.budget, rung=i) for trial in trials]
        losses = yield trials
        if i + 1 < len(rungs):
            trials = best(trials, losses, rungs[i + 1].n)


def best(trials: list[Trial], losses: list[float], n: int) -> list[Trial]:
    """Return the n trials with the smallest losses, ties to the smaller id; failures (+inf, NaN)
    never go on."""
    ranked = sorted(
        (loss, trial.id, trial)
        for trial, loss in zip(trials, losses, strict=True)
        if math.isfinite(loss)
    )
    return [trial for _, _, trial in ranked[:n]]


def rungs_of(n: int, max_budget: int, eta: int, halvings: int) -> list[Rung]:
    """List the rungs that n configs climb in this many halvings: n // eta**i of them, the last for
    exactly max_budget.

    A max_budget R that is no power of eta gives budgets R // eta**(halvings - i): R=100, eta=3 has
    1, 3, 11, 33, 100.

    >>> rungs_of(9, max_budget=81, eta=3, halvings=2)
    [Rung(n=9, budget=9), Rung(n=3, budget=27), Rung(n=1, budget=81)]
    """
    return [Rung(n // eta**i, max_budget // eta ** (halvings - i)) for i in range(halvings + 1)]


def most_halvings(max_budget: int, min_budget: int, eta: int) -> int:
    """Count how many times max_budget can be divided by eta before it falls below min_budget: the
    paper's s_max.

    Counted with integers, for math.log(243, 3) is 4.999... and its floor loses a bracket.

    >>> most_halvings(243, 1, 3)
    5
    """
    halvings = 0
    while min_budget * eta ** (halvings + 1) <= max_budget:
        halvings += 1
    return halvings


def check_budgets(max_budget: int, min_budget: int, eta: int) -> None:
    """Raise StrategyError for budgets and an eta that make no schedule."""
    check_whole("eta", eta, 2, hint=3)
    check_whole("min_budget", min_budget, 1, hint=1)
    check_whole("max_budget", max_budget, 1, hint=81)
    if max_budget < min_budget:
        raise StrategyError(
            f"max_budget must be at least min_budget, got {max_budget} < {min_budget}; swap them"
        )


def check_count(n: int, argument: str) -> None:
    """Raise StrategyError unless `n`, which follows from `argument`, is a number of trials that can
    be listed."""
    if type(n) is not int or not 1 <= n <= MOST_TRIALS:
        raise StrategyError(
            f"{argument} must make an integer >= 1 and <= {MOST_TRIALS:,} of first trials, got "
            f"{show(n)}; try configs=27, a larger min_budget or a larger eta"
        )


@strategy
def successive_halving(
    space: Space,
    *,
    max_budget: int,
    min_budget: int = 1,
    eta: int = 3,
    configs: int | None = None,
    seed: int = 0,
    first: Sequence[Config] = (),
) -> Batches:
    """Start `configs` trials at about min_budget, keep the best 1/eta each time, end at max_budget.

    `configs` defaults to eta**halvings, which leaves one at the top. With fewer, halving starts at
    a later rung (the largest first rung that still leaves at least one trial at max_budget).
    """
    check_budgets(max_budget, min_budget, eta)
    halvings = most_halvings(max_budget, min_budget, eta)
    n = eta**halvings if configs is None else configs
    check_count(n, "configs" if configs is not None else "max_budget")
    halvings = min(halvings, most_halvings(n, 1, eta))

    def search() -> Batches:
        trials = [Trial(id, draw(space, seed, id, first), bracket=halvings) for id in range(n)]
        yield from halve(trials, rungs_of(n, max_budget, eta, halvings))

    return search()

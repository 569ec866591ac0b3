"""Hyperband (Li, Jamieson, DeSalvo, Rostamizadeh & Talwalkar, JMLR 18(185), 2018, algorithm 1).

Successive halving must choose: many configs briefly, or few for long? Hyperband does not choose. It
runs one halving ("bracket") for every answer, each costing about the same. `brackets` is the whole
arithmetic.

Algorithm 1 ends by returning the config with the smallest loss seen at any rung, and so does
`History.best`. With noise that is often an unfinished training: look at
`history.at_budget(max_budget)` too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

from hpt_lab.arguments import check_among
from hpt_lab.errors import StrategyError
from hpt_lab.space import Space
from hpt_lab.strategies.strategy import Batches, check_whole, draw, strategy
from hpt_lab.strategies.successive_halving import (
    Rung,
    check_budgets,
    check_count,
    halve,
    most_halvings,
    rungs_of,
)
from hpt_lab.trial import Config, Trial

Rounding = Literal["algorithm", "table"]


def brackets(
    max_budget: int, *, min_budget: int = 1, eta: int = 3, rounding: Rounding = "algorithm"
) -> dict[int, list[Rung]]:
    """Return the rungs of every bracket s, from s_max (many briefly) down to 0 (few, in full).

    The paper prints two roundings of n. "algorithm" is its Algorithm 1, ceil((s_max+1) / (s+1) *
    eta**s); "table" is its Table 1, floor((s_max+1) / (s+1)) * eta**s, which needs fewer configs.

    >>> brackets(9)
    {2: [Rung(n=9, budget=1), Rung(n=3, budget=3), Rung(n=1, budget=9)],
     1: [Rung(n=5, budget=3), Rung(n=1, budget=9)],
     0: [Rung(n=3, budget=9)]}
    """
    check_budgets(max_budget, min_budget, eta)
    check_among("rounding", rounding, ("algorithm", "table"), error=StrategyError)
    s_max = most_halvings(max_budget, min_budget, eta)
    table = {}
    for s in range(s_max, -1, -1):
        if rounding == "algorithm":
            n = -(-(s_max + 1) * eta**s // (s + 1))  # a ceiling, in integers
        else:
            n = (s_max + 1) // (s + 1) * eta**s
        table[s] = rungs_of(n, max_budget, eta, s)
    return table


@strategy
def hyperband(
    space: Space,
    *,
    max_budget: int,
    min_budget: int = 1,
    eta: int = 3,
    rounding: Rounding = "algorithm",
    iterations: int = 1,
    seed: int = 0,
    first: Sequence[Config] = (),
) -> list[Batches]:
    """Run one successive halving per bracket, and all of them `iterations` times; `first` configs
    enter the first bracket.

    The brackets do not wait for each other: a single worker runs them in order, idle workers open
    the next one.
    """
    table = brackets(max_budget, min_budget=min_budget, eta=eta, rounding=rounding)
    check_whole("iterations", iterations, 1, hint=1, most=1000)
    check_count(max(rungs[0].n for rungs in table.values()), "max_budget")

    def bracket(s: int, first_id: int) -> Batches:
        ids = range(first_id, first_id + table[s][0].n)
        yield from halve(
            [Trial(id, draw(space, seed, id, first), bracket=s) for id in ids], table[s]
        )

    order = list(table) * iterations
    starts = accumulate((table[s][0].n for s in order), initial=0)
    return [bracket(s, start) for s, start in zip(order, starts, strict=False)]

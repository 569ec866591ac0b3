"""Random search (Bergstra & Bengio, "Random search for hyper-parameter optimization", JMLR 2012).

Each dimension gets as many different values as there are trials, however many dimensions there are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import chain, count
from typing import Any, Literal

from hpt_lab.arguments import MOST, check_among
from hpt_lab.errors import StrategyError
from hpt_lab.history import History
from hpt_lab.space import Space, sobol
from hpt_lab.strategies.strategy import MOST_TRIALS, Propose, check_whole, draw, strategy, untried
from hpt_lab.trial import Config, Trial


@strategy
def random_search(
    space: Space,
    *,
    trials: int,
    budget: int = 1,
    points: Literal["independent", "sobol"] = "independent",
    seed: int = 0,
    first: Sequence[Config] = (),
) -> Propose:
    """Try `trials` configs drawn independently, or spread evenly as a scrambled Sobol sequence.

    In a finite space no config is tried twice, and the search ends when all have been. `first`
    configs come first.
    """
    check_among("points", points, ("independent", "sobol"), error=StrategyError)
    check_whole("trials", trials, 1, hint=20, most=MOST_TRIALS if points == "sobol" else MOST)
    drawn: Iterator[Config] = (draw(space, seed, i, first) for i in count())
    if points == "sobol":
        drawn = chain(
            map(dict, first), map(space.from_unit, sobol(len(space), trials, seed)), drawn
        )
    if space.size < math.inf:
        drawn = _distinct(space, drawn)

    def propose(history: History) -> Trial | None:
        id = history.asked
        return Trial(id, next(drawn), budget) if id < min(trials, space.size) else None

    return propose


def _distinct(space: Space, configs: Iterator[Config]) -> Iterator[Config]:
    seen: set[tuple[Any, ...]] = set()
    while True:
        config = untried(space, seen, configs)
        seen.add(tuple(config.items()))
        yield config

"""Random search (Bergstra & Bengio, "Random search for hyper-parameter optimization", JMLR 2012).

Each dimension gets as many different values as there are trials, however many dimensions there are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, count, islice
from typing import Literal

from hpt_lab.errors import StrategyError
from hpt_lab.space import Space, sobol
from hpt_lab.strategies.strategy import Batches, check_whole, draw, strategy
from hpt_lab.trial import Config, Trial


@strategy
def random_search(space: Space, *, trials: int, budget: int = 1, points: Literal["independent", "sobol"] = "independent",
                  seed: int = 0, first: Sequence[Config] = ()) -> Batches:
    """Try `trials` configs drawn independently, or spread evenly as a scrambled Sobol sequence.

    In a finite space no config is tried twice, and the search ends when all have been. `first` configs come first.
    """
    check_whole("trials", trials, 1, hint=20)
    if points not in ("independent", "sobol"):
        raise StrategyError(f"points must be 'independent' or 'sobol', got {points!r}")

    def search() -> Batches:
        drawn: Iterable[Config] = (draw(space, seed, i, first) for i in count())
        if points == "sobol":
            cube = sobol(len(space), trials, seed)
            drawn = chain(map(dict, first), map(space.from_unit, cube), drawn)
        if space.size < math.inf:
            drawn = _distinct(drawn)
        configs = islice(drawn, int(min(trials, space.size)))
        yield [Trial(id, config, budget) for id, config in enumerate(configs)]

    return search()


def _distinct(configs: Iterable[Config]) -> Iterator[Config]:
    seen = set()
    for config in configs:
        key = tuple(config.items())
        if key not in seen:
            seen.add(key)
            yield config

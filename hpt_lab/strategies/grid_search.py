"""Grid search: every combination of a few values per dimension.

Its cost is a product, n**d, and that is the first thing to know about it (Bergstra & Bengio, JMLR
2012, section 1).
"""

from __future__ import annotations

from collections.abc import Mapping

from hpt_lab.space import Space
from hpt_lab.strategies.strategy import Batches, strategy
from hpt_lab.trial import Trial


@strategy
def grid_search(space: Space, *, n: int | Mapping[str, int] = 3, budget: int = 1) -> Batches:
    """Try the full factorial: `n` values per numeric dimension (or a number per name), all values
    of each Choice.

    >>> from hpt_lab.space import Float, Space
    >>> grid_search(Space(x=Float(0, 1), y=Float(0, 1)), n=3).name
    'grid_search'
    """
    configs = space.grid(n)

    def search() -> Batches:
        yield [Trial(id, config, budget) for id, config in enumerate(configs)]

    return search()

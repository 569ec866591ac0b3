"""Tree-structured Parzen estimator (Bergstra, Bardenet, Bengio & Kégl, NeurIPS 2011, section 4).

Split the trials so far into the good ones and the rest, fit a density to each, l and g, and try
next what is likely among the good and unlikely among the rest: expected improvement grows with l(x)
/ g(x). Read `rank` first.

Departures from 2011, after Watanabe (2023) and what its heirs (Optuna, BOHB) settled on: one
density over all dimensions together instead of one per dimension, the better of the good trials
weigh more, bandwidths have a floor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count

import numpy as np

from hpt_lab.arguments import is_number, show
from hpt_lab.errors import StrategyError
from hpt_lab.history import History
from hpt_lab.space import Space
from hpt_lab.strategies.strategy import MOST_TRIALS, Propose, check_whole, draw, strategy, untried
from hpt_lab.surrogates.parzen import ParzenEstimator
from hpt_lab.trial import Config, Trial


@dataclass(frozen=True)
class Densities:
    """What TPE saw when it chose: `good` and `bad` can be asked for their density anywhere."""

    good: ParzenEstimator  # l
    bad: ParzenEstimator  # g
    candidates: np.ndarray  # (m, d) in the unit cube, drawn from l, best first
    ratio: np.ndarray  # (m,) l / g at the candidates, falling
    threshold: float  # the loss that separates good from bad


def rank(
    space: Space,
    tried: Sequence[tuple[Config, float]],
    n_good: int,
    *,
    candidates: int = 24,
    rng: np.random.Generator,
) -> tuple[list[Config], Densities]:
    """Return candidate configs, the most promising first, and what they were judged by.

    tried: configs and losses, +inf for those that failed or still run: they belong to the bad.
    """
    points = np.array([space.to_unit(config) for config, _ in tried])  # (n, d)
    losses = np.array([loss for _, loss in tried])  # (n,)
    order = np.argsort(losses, kind="stable")
    good, bad = order[:n_good], order[n_good:]
    threshold = losses[bad[0]] if len(bad) and np.isfinite(losses[bad[0]]) else losses[good[-1]]

    gain = threshold - losses[good]  # improvement over the threshold: the better, the heavier
    weights = gain / gain.mean() if gain.any() else None
    l = ParzenEstimator(space, points[good], weights=weights)  # noqa: E741
    g = ParzenEstimator(space, points[bad])

    configs = [space.from_unit(u) for u in l.sample(rng, candidates)]
    x = np.array([space.to_unit(config) for config in configs])  # (m, d), snapped to values
    ratio = l.density(x) / g.density(x)
    best = np.argsort(-ratio, kind="stable")
    return [configs[i] for i in best], Densities(l, g, x[best], ratio[best], float(threshold))


@strategy
def tpe(
    space: Space,
    *,
    trials: int,
    budget: int = 1,
    startup: int = 8,
    gamma: float = 0.1,
    candidates: int = 24,
    seed: int = 0,
    first: Sequence[Config] = (),
) -> Propose:
    """Try `first` and random configs until `startup` results are in, then what TPE ranks best.

    gamma: the share of good trials. Failed and running trials count as bad, so that parallel
        proposals spread out.
    No config is tried twice; a finite space ends the search when all have been.
    """
    check_whole("trials", trials, 1, hint=50)
    check_whole("startup", startup, 1, hint=8)
    check_whole("candidates", candidates, 1, hint=24, most=MOST_TRIALS)
    if not is_number(gamma) or not 0 < gamma < 1:
        raise StrategyError(f"gamma must lie between 0 and 1, got {show(gamma)}; try 0.1")

    def propose(history: History) -> Trial | None:
        id = history.asked
        tried = [(record.config, record.outcome.rank_loss) for record in history.records]
        running = [(trial.config, math.inf) for trial in history.pending]
        seen = {tuple(config.items()) for config, _ in tried + running}
        if id >= trials or len(seen) >= space.size:
            return None

        ranked: list[Config] = []
        why = None
        finite = sum(math.isfinite(loss) for _, loss in tried)
        if id >= len(first) and len(tried) >= startup and finite:
            rng = np.random.default_rng((seed, id))
            ranked, why = rank(
                space, tried + running, math.ceil(gamma * finite), candidates=candidates, rng=rng
            )
        at_random = chain(
            [draw(space, seed, id, first)], (space.sample((seed, id, i)) for i in count())
        )
        return Trial(id, untried(space, seen, at_random, ranked), budget, why=why)

    return propose

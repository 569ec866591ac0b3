"""Bayesian optimization: model the loss with a Gaussian process, try the config whose result
promises most.

Sources: Jones, Schonlau & Welch, "Efficient global optimization of expensive black-box functions",
    1998 (the loop,
expected improvement); Snoek, Larochelle & Adams, NeurIPS 2012 (Matérn-5/2 for hyperparameters);
Ginsbourger, Le Riche & Carraro 2010 (trials in flight: the "kriging believer"); Wakabayashi et al.,
"Bayesian optimization with experimental failure for high-throughput materials growth", npj
Computational Materials 8:180, 2022, doi:10.1038/s41524-022-00859-8 (failures). Read `propose`
first; it is the whole algorithm.

Departures: the loss to beat is the smallest posterior *mean* at a config already tried, not the
    smallest loss seen, which
under noise would be luck; and losses far above the median of the first ones are cut off
(`winsorized`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy
from threadpoolctl import threadpool_limits

from hpt_lab.arguments import check_among
from hpt_lab.errors import StrategyError
from hpt_lab.history import History
from hpt_lab.space import Space, sobol
from hpt_lab.strategies.strategy import Propose, check_whole, strategy, untried
from hpt_lab.surrogates.acquisition import RULES, Acquisition, candidates, maximize
from hpt_lab.surrogates.embedding import Embedding
from hpt_lab.surrogates.gaussian_process import GaussianProcess, fit
from hpt_lab.trial import Config, Trial

SMALL = 1024  # a space with at most this many configs is searched exhaustively
MARGIN = 0.01  # by how much of the losses' deviation "pi" wants to improve
CUTOFF = 5  # losses end this many times as far above the early median as the best is below it
MOST_INITIAL = 2**16
NEAR_FAILURE = (
    0.1  # distance of features within which a config is expected to fail like the one that did
)


@dataclass(frozen=True)
class Decision:
    """What the strategy saw when it chose, for `Trial.why`. Draw it by calling `evaluate` on a grid
    of configs."""

    acquisition: str
    # the posterior from which it chose, trials in flight believed to meet its mean
    process: GaussianProcess
    weigh: Acquisition
    candidates: np.ndarray  # (m, d), the points of the unit cube it chose from
    values: np.ndarray  # (m,), the acquisition at these

    def evaluate(self, configs: Sequence[Config]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the posterior's mean and deviation, and the acquisition, at `configs`: (m,)
        each."""
        U = as_points(self.weigh.embedding.space, configs)
        return *self.process.posterior(self.weigh.embedding.features(U)), self.weigh(U)


@strategy
def bayesian_optimization(
    space: Space,
    *,
    trials: int,
    acquisition: Literal["ei", "pi", "ucb", "thompson"] = "ei",
    initial: int = 8,
    budget: int = 1,
    seed: int = 0,
    first: Sequence[Config] = (),
) -> Propose:
    """Try `first`, then Sobol points until `initial` configs are out, then what `acquisition`
    promises most from.

    No config is tried twice. A failed trial enters the model with the worst loss so far, and
    configs next to it come last.
    """
    check_whole("trials", trials, 1, hint=40)
    check_whole("initial", initial, 1, hint=8, most=MOST_INITIAL)
    check_among("acquisition", acquisition, RULES, error=StrategyError)
    embedding = Embedding(space)
    spread = sobol(len(space), initial, seed)
    design = distinct([*first, *map(space.from_unit, spread)])[: max(initial, len(first))]
    everything = as_points(space, space.grid(int(space.size))) if space.size <= SMALL else None

    @threadpool_limits.wrap(
        limits=1, user_api="blas"
    )  # waiting for a second thread costs more than it computes
    def propose(history: History) -> Trial | None:
        id, rng = history.asked, np.random.default_rng((seed, history.asked))
        done = [record for record in history.records if not record.outcome.failed]
        pending = [trial.config for trial in history.pending]
        tried = {
            tuple(config.items())
            for config in [*(record.config for record in history.records), *pending]
        }
        if id >= trials or len(tried) >= space.size:
            return None
        if id < len(design):
            return Trial(id, design[id], budget)
        if len(done) < 2:  # nothing to model yet
            return Trial(id, untried(space, tried, endless(space, rng)), budget)

        losses = np.array([record.loss for record in done])  # (n,)
        X = as_points(space, [record.config for record in done])  # (n, d)
        failed = embedding.features(
            as_points(space, [r.config for r in history.records if r.outcome.failed])
        )
        known = np.vstack([embedding.features(X), failed])
        process = fit(known, pessimistic(winsorized(losses), len(failed)), embedding.dims)
        if pending:
            P = embedding.features(as_points(space, pending))
            process = process.believing(P, process.posterior(P)[0])
        best = np.delete(process.posterior(process.X)[0], np.arange(len(X), len(known))).min()

        U = (
            candidates(X[np.argsort(losses, kind="stable")[:5]], rng)
            if everything is None
            else everything
        )  # (m, d)
        model, target = process, best
        if acquisition == "pi":  # without a margin it takes the smallest, surest step there is
            target = best - MARGIN * process.scale
        elif (
            acquisition == "thompson"
        ):  # one draw of the loss at some 256 points; the process that believes it joins them
            model = process.imagining(embedding.features(U[:: len(U) // 256 + 1]), rng)
        weigh = Acquisition(model, embedding, RULES[acquisition], target)
        U, values = maximize(weigh, U) if everything is None else (U, weigh(U))

        apart = scipy.spatial.distance.cdist(embedding.features(U), failed)
        doomed = apart.min(axis=1, initial=np.inf) < NEAR_FAILURE
        order = np.lexsort((-values, doomed))
        config = untried(space, tried, endless(space, rng), map(space.from_unit, U[order]))
        return Trial(id, config, budget, why=Decision(acquisition, process, weigh, U, values))

    return propose


def winsorized(losses: np.ndarray, early: int = 8) -> np.ndarray:
    """Cut diverged losses off, which would flatten all others: far above the median of the `early`
    ones, (n,).

    The early ones are spread over the space; later ones crowd at the best, and their median with
    them.
    """
    median = np.median(losses[:early])
    spread = median - losses.min()
    return np.minimum(losses, median + CUTOFF * spread) if spread > 0 else losses


def pessimistic(losses: np.ndarray, failures: int) -> np.ndarray:
    """Append the worst loss once for every failure (the "floor padding trick" of Wakabayashi et al.
    2022).

    Left out, their region would stay unknown, and the unknown attracts.
    """
    return np.append(losses, np.full(failures, losses.max()))


def as_points(space: Space, configs: Sequence[Config]) -> np.ndarray:
    """Return the configs as points of the unit cube, (n, d), the middle where a dimension is
    inactive."""
    return np.nan_to_num(
        np.array([space.to_unit(config) for config in configs]).reshape(-1, len(space)), nan=0.5
    )


def endless(space: Space, rng: np.random.Generator) -> Iterator[Config]:
    """Draw configs without end."""
    while True:
        yield space.sample(rng)


def distinct(configs: Iterable[Config]) -> list[Config]:
    """Drop repeated configs."""
    kept: list[Config] = []
    for config in configs:
        if config not in kept:
            kept.append(dict(config))
    return kept

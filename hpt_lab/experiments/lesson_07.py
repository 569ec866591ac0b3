"""The experiments of lesson 07 that take minutes: many workers, counting ones, replays of a PBT
schedule.

    python -m hpt_lab.experiments lesson_07.counting_ones --seeds 30

and the journal of one real Keras run of population-based training, beside them in `data/`:

    python -m hpt_lab.experiments.lesson_07
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from hpt_lab import curves
from hpt_lab.errors import DataError
from hpt_lab.experiments.recording import FOLDER
from hpt_lab.history import History, increments
from hpt_lab.space import Choice, Float, Space
from hpt_lab.strategies.asha import asha
from hpt_lab.strategies.bohb import bohb
from hpt_lab.strategies.hyperband import hyperband
from hpt_lab.strategies.population_based_training import population_based_training, schedule
from hpt_lab.strategies.random_search import random_search
from hpt_lab.strategies.strategy import Strategy
from hpt_lab.strategies.successive_halving import successive_halving
from hpt_lab.strategies.tpe import tpe
from hpt_lab.study.journal import read_header
from hpt_lab.study.plan import plan
from hpt_lab.study.simulation import simulate
from hpt_lab.study.study import resume, tune
from hpt_lab.trial import Config, Outcome, Trial

if TYPE_CHECKING:
    import keras

    from hpt_lab.training import KerasObjective

# Halving and ASHA with more and more workers.
WORKERS = (8, 32, 125, 500)
CONFIGS = 243

# Counting ones (Falkner, Klein & Hutter 2018, section 5.1): so many categorical and so many
# continuous dimensions.
HALF = 4
BUDGETS = (9, 243)
ROUNDS = 8
MARKS = (0.5, 1, 2, 4, 8)  # in rounds of Hyperband

# Population-based training.
COMMAND = "python -m hpt_lab.experiments.lesson_07"
JOURNAL = FOLDER / "lesson_07.population.jsonl"
POPULATION = {"max_budget": 40, "interval": 4, "population": 10, "seed": 0}
RATES = tuple(float(rate) for rate in np.logspace(-2.5, -1, 7).round(4))


def workers(seed: int, counts: Sequence[int] = WORKERS) -> list[list[list[float]]]:
    """Run halving and ASHA on 243 configs of digits with so many workers; return (counts,
    strategies, 3).

    The three: seconds until a first config is fully trained, until all are done, and the share of
    idle time.
    """
    return [
        [_timed(search, count, seed) for search in (successive_halving, asha)] for count in counts
    ]


def _timed(make: Callable[..., Strategy], workers: int, seed: int) -> list[float]:
    table = curves.load("digits-mlp")
    number = {"configs": CONFIGS} if make is successive_halving else {"trials": CONFIGS}
    search = make(table.space, max_budget=table.epochs, seed=seed, **number)
    ran = simulate(search, Stragglers(table.objective(seed=seed), seed), workers=workers)
    budgets = [record.budget for record in ran.history.records]
    return [ran.told[budgets.index(table.epochs)], ran.seconds, 1 - ran.utilisation]


class Stragglers:
    """An objective whose every run takes 1 + |z| times as long, z standard normal (as in ASHA's
    paper, appendix A.1)."""

    def __init__(self, objective: Any, seed: int):
        self.objective = objective
        self.seed = seed

    def run(self, trial: Trial) -> Outcome:
        """Run `trial`, and say that it took longer."""
        outcome: Outcome = self.objective.run(trial)
        z = np.random.default_rng((self.seed, trial.id, int(trial.budget))).standard_normal()
        return replace(outcome, seconds=outcome.seconds * (1 + abs(z)))


class CountingOnes:
    """Find the config of ones. A number x counts as the mean of `budget` coin flips that show a one
    with chance x.

    Losses are ones that are missing, of 2 * HALF; `missing` says how many are missing without the
    coins' noise.
    """

    space = Space(
        **{f"c{i}": Choice([0, 1]) for i in range(HALF)},
        **{f"x{i}": Float(0, 1) for i in range(HALF)},
    )

    def __init__(self, seed: int):
        self.seed = seed

    def run(self, trial: Trial) -> Outcome:
        """Flip the coins of `trial`, of (seed, trial, budget)."""
        chances = np.array(list(trial.config.values()), float)
        flips = np.random.default_rng((self.seed, trial.id, int(trial.budget)))
        shown = (
            flips.binomial(int(trial.budget), chances) / trial.budget
        )  # a chance of 0 or 1 is no chance
        return Outcome(float(2 * HALF - shown.sum()))

    @staticmethod
    def missing(config: Config) -> float:
        """Return how many ones are missing in expectation."""
        return 2 * HALF - float(sum(config.values()))


def counting_ones(seed: int, last: int = ROUNDS) -> list[list[float]]:
    """Return the ones still missing after MARKS, up to `last`: of BOHB, Hyperband, TPE and random
    search.

    MARKS are in budgets of one round of Hyperband's brackets. A shorter search is the beginning of
    a longer one.
    """
    space = CountingOnes.space
    least, most = BUDGETS
    rounds = hyperband(space, max_budget=most, min_budget=least, iterations=last, seed=seed)
    price = plan(rounds).epochs_resumed / last
    trials = math.ceil(last * price / most)
    field = [
        bohb(space, max_budget=most, min_budget=least, iterations=last, seed=seed),
        rounds,
        tpe(space, trials=trials, budget=most, seed=seed),
        random_search(space, trials=trials, budget=most, seed=seed),
    ]
    marks = [mark for mark in MARKS if mark <= last]
    return [_missing_at(search, CountingOnes(seed), price, marks) for search in field]


def _missing_at(
    strategy: Strategy, objective: CountingOnes, price: float, marks: list[float]
) -> list[float]:
    """Return what the incumbent, the best at the highest budget so far, misses at each mark; NaN
    before the first."""
    found = tune(objective, strategy, progress=False).history
    spent = np.cumsum(increments(record.trial for record in found.records)) / price
    ranks = [(-record.budget, record.loss) for record in found.records]
    curve = []
    for mark in marks:
        known = ranks[: int(np.searchsorted(spent, mark + 1e-9, side="right"))]
        best = min(range(len(known)), key=known.__getitem__, default=None)
        curve.append(math.nan if best is None else objective.missing(found.records[best].config))
    return curve


def network(config: Config) -> keras.Model:
    """Build two layers of 32 for the spirals, trained by SGD with momentum; compiled."""
    import keras
    from keras import layers

    hidden = [layers.Dense(32, activation="relu"), layers.Dense(32, activation="relu")]
    model = keras.Sequential([*hidden, layers.Dense(2, activation="softmax")])
    optimizer = keras.optimizers.SGD(config["learning_rate"], momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def spirals_objective(seed: int) -> KerasObjective:
    """Return the objective of the PBT run: spirals of 1,500 training rows, one label in ten wrong,
    log loss."""
    from hpt_lab import datasets
    from hpt_lab.training import KerasObjective

    data = datasets.spirals(n=2500, noise=0.06, turns=1.5, label_noise=0.1)
    return KerasObjective(network, data, metric="loss", batch_size=16, seed=seed)


def record_population() -> None:
    """Run population-based training on Keras once, and keep its journal, without the curves."""
    space = Space(learning_rate=Float(1e-3, 0.3, log=True))
    JOURNAL.unlink(missing_ok=True)
    tune(
        _WithoutCurves(spirals_objective(0)),
        population_based_training(space, **POPULATION),
        journal=JOURNAL,
    )


class _WithoutCurves:
    """The objective with outcomes that fit into a small journal."""

    def __init__(self, objective: KerasObjective):
        self.objective = objective
        self.settings = objective.settings

    def run(self, trial: Trial) -> Outcome:
        return replace(self.objective.run(trial), curves={})


def population() -> History:
    """Return the history of the recorded run: its strategy again, fed with the outcomes in the
    journal."""
    recorded = _Recorded(read_header(JOURNAL)["objective"])
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(JOURNAL, folder)
        return resume(copy, recorded, progress=False).history


class _Recorded:
    """Stands for the objective of a finished journal, which has nothing left to run."""

    def __init__(self, settings: dict[str, Any]):
        self.settings = settings

    def run(self, trial: Trial) -> Outcome:
        raise DataError(
            f"{JOURNAL.name} lacks trial {trial.id} at {trial.budget:g} epochs; record it again: "
            f"{COMMAND}"
        )


def replays(seed: int) -> list[list[float]]:
    """Train from new initial weights; return validation loss and test error of each way, (ways, 2).

    The ways: every fixed rate of RATES, the winner's schedule, and the winner's last rate from the
    first epoch on.
    """
    segments = schedule(population())
    last = int(segments[-1].end)
    ways = [[(rate, last)] for rate in RATES]
    ways.append([(segment.config["learning_rate"], int(segment.end)) for segment in segments])
    ways.append([(segments[-1].config["learning_rate"], last)])
    objective = spirals_objective(1000 + seed)
    return [_train(objective, way, 100 * i) for i, way in enumerate(ways)]


def _train(objective: KerasObjective, way: list[tuple[float, int]], first: int) -> list[float]:
    """Train with each rate up to its epoch, every part going on from the weights of the one
    before."""
    parent = None
    for id, (rate, until) in enumerate(way, start=first):
        trial = Trial(id, {"learning_rate": rate}, budget=until, parent=parent)
        outcome = objective.run(trial)
        if outcome.failed:
            return [math.nan, math.nan]
        parent = id
    return [outcome.loss, 1 - objective.test(trial)["accuracy"]]


if __name__ == "__main__":
    record_population()

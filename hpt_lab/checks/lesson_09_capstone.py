"""Lesson 09's capstone: find eights, one row in ten, with a CNN, 16 trainings and one look at the
test set.

`Capstone` counts trainings and keeps their scores; `judge` trains a chosen config three times anew
and scores it on the sealed test rows. Read `Capstone.train` first.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hpt_lab.errors import HptError
from hpt_lab.space import Choice, Float, Int, Space, sobol
from hpt_lab.trial import Config

if TYPE_CHECKING:
    from hpt_lab.datasets import Data

BUDGET = 16  # trainings
EPOCHS = 12
SPACE = Space(
    learning_rate=Float(1e-4, 1e-1, log=True),
    dropout=Float(0.0, 0.6),
    filters=Choice([4, 8, 16], ordered=True),
    copies=Int(1, 8, log=True),  # how often every rare row is in the training rows
)
DEFAULT: Config = {
    "learning_rate": 1e-3,
    "dropout": 0.0,
    "filters": 8,
    "copies": 1,
}  # Keras' own, where it has one


@functools.cache
def eights(seed: int = 0) -> Data:
    """Return noisy digits, class 1 where it is an eight, split and sealed by `seed`."""
    from sklearn.datasets import load_digits

    from hpt_lab.datasets import Data

    x, y = load_digits(return_X_y=True)
    noisy = x / 16 + 0.25 * np.random.default_rng(8).standard_normal(x.shape)
    return Data(noisy.astype(np.float32), y == 8, name="eights", scaler=None, seed=seed)


def build(config: Config) -> Any:
    """Build the CNN: two convolutions, dropout, one output."""
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            layers.Reshape((8, 8, 1)),
            layers.Conv2D(config["filters"], 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(2 * config["filters"], 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(config["dropout"]),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(config["learning_rate"]), "binary_crossentropy", metrics=["accuracy"]
    )
    return model


def predicted(configs: Sequence[Config], data: Data, seeds: Sequence[int], rows: Any) -> np.ndarray:
    """Train every config with its seed and return what it says of `rows` (x, y), (configs, n)."""
    from hpt_lab.training import train_together
    from hpt_lab.training.objective import build_model

    models = [
        build_model(build, config, seed=(9, seed), x=data.x_train)
        for config, seed in zip(configs, seeds, strict=True)
    ]
    done = train_together(
        models,
        [copied(data, config["copies"]) for config in configs],
        epochs=EPOCHS,
        batch_size=64,
        validation=rows,
        seeds=[(9, seed) for seed in seeds],
    )
    said = [one.predictions[:, 0] for one in done or [] if one.predictions is not None]
    return np.nan_to_num(np.array(said), nan=0.0)


def copied(data: Data, copies: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the training rows with each rare one `copies` times."""
    rare = np.flatnonzero(data.y_train == 1)
    rows = np.concatenate([np.arange(len(data.y_train)), np.tile(rare, copies - 1)])
    return data.x_train[rows], data.y_train[rows]


def average_precision(y: np.ndarray, scores: np.ndarray) -> float:
    """Return the average precision, as scikit-learn computes it."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(y, scores))


@dataclass(frozen=True)
class Run:
    """One training: its config, its seed and its average precision on the validation rows."""

    config: Config
    seed: int
    score: float


class Capstone:
    """A budget of 16 trainings on one split of the data; `runs` is the record of what was tried."""

    def __init__(self, *, seed: int = 0, budget: int = BUDGET):
        self.seed = seed
        self.data = eights(seed)
        self.budget = budget
        self.runs: list[Run] = []

    def train(self, configs: Sequence[Config], *, seed: int = 0) -> list[float]:
        """Train configs and return their average precisions on the validation rows; higher is
        better."""
        configs = [dict(config) for config in configs]
        for config in configs:
            if set(config) != set(SPACE.domains):
                raise HptError(f"a config needs exactly {', '.join(SPACE.domains)}; got {config!r}")
        left = self.budget - len(self.runs)
        if len(configs) > left:
            raise HptError(
                f"{left} of {self.budget} trainings are left, got {len(configs)} configs; "
                "choose, or begin anew with Capstone()"
            )
        rows = (self.data.x_validation, self.data.y_validation)
        said = predicted(configs, self.data, [seed] * len(configs), rows)
        scores = [average_precision(rows[1], one) for one in said]
        self.runs += [Run(*run) for run in zip(configs, [seed] * len(scores), scores, strict=True)]
        return scores

    def scores(self, config: Config) -> list[float]:
        """Return the scores of every training of `config`."""
        return [run.score for run in self.runs if run.config == config]


def judge(
    configs: Sequence[Config], data: Data, *, seeds: Sequence[int] = (101, 102, 103)
) -> tuple[np.ndarray, np.ndarray]:
    """Open the test rows; return their labels and what three new trainings of each say, (configs,
    3, n)."""
    x, y = data.reveal_test()
    all_configs = [config for config in configs for _ in seeds]
    said = predicted(all_configs, data, list(seeds) * len(configs), (x, y))
    return y, said.reshape(len(configs), len(seeds), -1)


def practice(task: Capstone, *, seed: int = 0) -> Config:
    """Spend the budget as the lesson says: default, explore, look closer, rerun the best,
    choose."""
    first = [DEFAULT, *[SPACE.from_unit(u) for u in sobol(len(SPACE), 7, seed)]]
    task.train(first)
    near = around([run.config for run in best(task, 2)], seed)
    task.train(near)
    finalists = [run.config for run in best(task, 2)]
    for again in (1, 2):
        task.train(finalists, seed=again)
    return max(finalists, key=lambda config: float(np.mean(task.scores(config))))


def best(task: Capstone, n: int) -> list[Run]:
    """Return the n best runs so far."""
    return sorted(task.runs, key=lambda run: -run.score)[:n]


def around(configs: Sequence[Config], seed: int) -> list[Config]:
    """Draw two configs near each of these: numbers move by a tenth of their range, names stay."""
    rng = np.random.default_rng((seed, 1))
    found = []
    for config in configs:
        for _ in range(2):
            unit = SPACE.to_unit(config)
            moved = np.clip(unit + rng.normal(0, 0.1, len(unit)), 0, 1)
            near = SPACE.from_unit(moved)
            found.append(near | {"filters": config["filters"]})
    return found


def interval(
    y: np.ndarray, mine: np.ndarray, other: np.ndarray, *, draws: int = 400
) -> tuple[float, float, float]:
    """Return by how much `mine` (3, n) beats `other`, and a 95 % interval: rows redrawn, both
    together.

    Average precision, mean of the trainings. Redraws without a positive are drawn again.
    """
    rng = np.random.default_rng(0)

    def mean(said: np.ndarray, rows: np.ndarray) -> float:
        return math.fsum(average_precision(y[rows], one[rows]) for one in said) / len(said)

    everyone = np.arange(len(y))
    apart: list[float] = []
    while len(apart) < draws:
        rows = rng.integers(0, len(y), len(y))
        if y[rows].any():
            apart.append(mean(mine, rows) - mean(other, rows))
    low, high = np.quantile(apart, [0.025, 0.975])
    return mean(mine, everyone) - mean(other, everyone), float(low), float(high)

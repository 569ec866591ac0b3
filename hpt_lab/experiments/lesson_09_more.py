"""Lesson 09's other experiments: fine-tuning, augmentation, and the capstone's reference and random
search.

Every function takes a seed and returns numbers in a fixed shape. Read `fine_tuning` first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from hpt_lab.trial import Config

Rows = tuple[np.ndarray, np.ndarray]
BASE_RATES = (1e-4, 1e-3, 1e-2, 1e-1)
HEAD_RATE = 1e-2
SHIFTS = (0, 1, 2, 3)


@cache
def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Return the digits' development rows, pixels from 0 to 1, (1437, 64), and their classes."""
    from hpt_lab.datasets import digits

    data = digits()
    return (data.x / 16).astype(np.float32), data.y


def split(seed: int, n: int, classes: range) -> tuple[Rows, Rows]:
    """Draw n rows of these classes to train on, as many of each; the others judge."""
    x, y = pictures()
    order = np.random.default_rng((seed, n)).permutation(len(y))
    kind = [order[y[order] == label] for label in classes]
    few = n // len(classes)
    train = np.concatenate([rows[:few] for rows in kind])
    others = np.concatenate([rows[few:] for rows in kind])
    return (x[train], y[train] - classes[0]), (x[others], y[others] - classes[0])


def network(base: Any, rate: float) -> Any:
    """Put a new output of five classes on `base` and compile both."""
    import keras
    from keras import layers

    model = keras.Sequential([base, layers.Dense(5, activation="softmax")])
    compiled(model, rate)
    return model


def compiled(model: Any, rate: float) -> None:
    """Compile: needed again whenever layers are frozen or released."""
    import keras

    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )


def new_base() -> Any:
    """Build two hidden layers without weights yet."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
        ]
    )


def pretrained(seed: int) -> Any:
    """Train a network on the digits 0 to 4 and return its hidden layers' weights."""
    import keras

    from hpt_lab.training import train_together

    keras.utils.set_random_seed(seed)
    rows, _ = split(seed, 600, range(5))
    model = network(new_base(), 3e-3)
    train_together([model], rows, epochs=30, batch_size=32, seeds=[seed], jit=False)
    return model.layers[0].get_weights()


WAYS = ("scratch", "released", "frozen", "frozen, then released")


def fine_tuning(seed: int) -> np.ndarray:
    """Return errors in % on the digits 5 to 9 from 50 rows, at every rate; (4 ways, 4 rates).

    Ways: from scratch; all of the pretrained network released at once; base frozen; frozen for the
    first half with the head at rate 0.01, then released at this rate. All train for 60 epochs.
    """
    weights = pretrained(seed)
    return np.array([tuned(way, weights, seed) for way in WAYS])


def tuned(way: str, weights: Sequence[np.ndarray], seed: int) -> list[float]:
    """Train in one way, at every rate; return errors on the rows that were not trained on, in %."""
    from hpt_lab.training import train_together

    rows, others = split(seed, 50, range(5, 10))
    two = way == "frozen, then released"
    models = [start(way, HEAD_RATE if two else rate, weights, seed) for rate in BASE_RATES]
    settings: dict[str, Any] = {"batch_size": 25, "seeds": [seed] * len(models), "jit": False}
    done = train_together(models, rows, epochs=30 if two else 60, validation=others, **settings)
    if two:
        for model, rate in zip(models, BASE_RATES, strict=True):
            model.layers[0].trainable = True
            compiled(model, rate)
        done = train_together(models, rows, start=30, epochs=60, validation=others, **settings)
    return [100 * (1 - one.curves["val_accuracy"][-1]) for one in done or []]


def start(way: str, rate: float, weights: Sequence[np.ndarray], seed: int) -> Any:
    """Return a network with a new head, as it is before its first epoch."""
    import keras

    keras.utils.set_random_seed(seed)
    base = new_base()
    if way != "scratch":
        base.set_weights(weights)
    base.trainable = way in ("scratch", "released")
    return network(base, rate)


def shifted(x: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """Move every picture by up to `most` pixels each way; what comes in is black. (n, 64)."""
    padded = np.pad(x.reshape(-1, 8, 8), ((0, 0), (most, most), (most, most)))
    moves = rng.integers(0, 2 * most + 1, (len(x), 2))
    rows = (moves[:, :1] + np.arange(8))[:, :, None]
    columns = (moves[:, 1:] + np.arange(8))[:, None, :]
    return padded[np.arange(len(x))[:, None, None], rows, columns].reshape(-1, 64)


def reader(config: Config) -> Any:
    """Build two hidden layers for ten digits."""
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    compiled(model, config["learning_rate"])
    return model


def augmentation(seed: int) -> list[list[float]]:
    """Return errors in % by most pixels moved in training: on digits as they are, and moved; (2,
    4).

    400 rows; the moved ones are the others, each moved by up to one pixel.
    """
    from hpt_lab.training import train_together
    from hpt_lab.training.objective import build_model

    (x, y), others = split(seed, 400, range(10))
    moved = shifted(others[0], 1, np.random.default_rng((seed, 30))), others[1]
    models = [build_model(reader, {"learning_rate": 3e-3}, seed=(0, seed), x=x) for _ in SHIFTS]
    done: Any = None
    for epoch in range(30):
        rows = [(shifted(x, most, np.random.default_rng((seed, epoch))), y) for most in SHIFTS]
        judges: Any = {"validation": others, "test": moved} if epoch == 29 else {}
        done = train_together(
            models,
            rows,
            start=epoch,
            epochs=epoch + 1,
            batch_size=32,
            seeds=[seed] * len(SHIFTS),
            jit=False,
            **judges,
        )
    return [
        [100 * (1 - one.curves[name][-1]) for one in done]
        for name in ("val_accuracy", "test_accuracy")
    ]


def capstone(seed: int) -> np.ndarray:
    """Return what the default, random search and the lesson's practice chose on one split; (3, 6).

    Columns: score on validation rows that it was chosen by, mean test score of three new trainings,
    and the config as a point of the unit cube.
    """
    from hpt_lab.checks import lesson_09_capstone as lab

    data = lab.eights(seed)
    by_luck = lab.Capstone(seed=seed)
    drawn = [lab.SPACE.sample((seed, i)) for i in range(lab.BUDGET)]
    by_luck.train(drawn)
    luckiest = lab.best(by_luck, 1)[0].config
    task = lab.Capstone(seed=seed)
    chosen = lab.practice(task, seed=seed)
    configs = [lab.DEFAULT, luckiest, chosen]
    promised = [
        float(np.mean(which.scores(config)))
        for which, config in zip((task, by_luck, task), configs, strict=True)
    ]
    y, said = lab.judge(configs, data)
    kept = [np.mean([lab.average_precision(y, one) for one in runs]) for runs in said]
    return np.array(
        [[p, k, *lab.SPACE.to_unit(c)] for p, k, c in zip(promised, kept, configs, strict=True)]
    )

"""Lesson 09's experiments: schedules, a pool of configs, batches, widths, fine-tuning,
augmentation.

Every function takes a seed and returns numbers in a fixed shape. Networks on spirals train on their
own draw of 300 rows and are judged on 3,000 others, so that one row more or less doesn't matter.
Whatever changes from epoch to epoch (a learning rate, shifted pictures) is set between two calls of
`train_together`, an epoch each: see `trained`. Read `schedules` first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from hpt_lab.space import Choice, Float, Space
from hpt_lab.trial import Config

Rows = tuple[np.ndarray, np.ndarray]
EPOCHS = 40
RATES = (0.01, 0.03, 0.1, 0.2, 0.4, 0.8)
POOL = Space(
    learning_rate=Float(0.01, 0.5, log=True),
    dropout=Float(0.0, 0.5),
    units=Choice([8, 16, 32, 64], ordered=True),
)
WIDTHS = (8, 32, 128, 512)
WIDTH_RATES = tuple(float(rate) for rate in 10.0 ** np.arange(-4, -0.9, 0.5))


@cache
def points() -> tuple[Rows, Rows]:
    """Return the spirals' rows to draw from, and 3,000 that judge."""
    from hpt_lab.datasets import spirals

    data = spirals(n=9000, noise=0.1, turns=1.0, label_noise=0.05, seed=0)
    x = np.concatenate([data.x_train, data.x_validation])
    y = np.concatenate([data.y_train, data.y_validation])
    return (x[:-3000], y[:-3000]), (x[-3000:], y[-3000:])


def drawn(seed: int, n: int = 300) -> Rows:
    """Draw n rows to train on."""
    x, y = points()[0]
    chosen = np.random.default_rng((seed, n)).permutation(len(x))[:n]
    return x[chosen], y[chosen]


def build(config: Config) -> Any:
    """Build two hidden layers for spirals, trained by SGD with momentum."""
    import keras
    from keras import layers

    model = keras.Sequential()
    for _ in range(2):
        model.add(layers.Dense(config.get("units", 32), activation="relu"))
        model.add(layers.Dropout(config.get("dropout", 0.0)))
    model.add(layers.Dense(1, activation="sigmoid"))
    optimizer = keras.optimizers.SGD(config["learning_rate"], momentum=0.9)
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    return model


def warm(t: float) -> float:
    """Return the share of the peak rate while it warms up, over the first tenth of training."""
    return min(1.0, 10 * t + 0.1)


def cosine(t: float) -> float:
    """Return half a wave, from 1 to 0."""
    return 0.5 * (1 + math.cos(math.pi * t))


def step(t: float) -> float:
    """Return 1, and a tenth and a hundredth in the last two quarters."""
    return 1.0 if t < 0.5 else 0.1 if t < 0.75 else 0.01


def one_cycle(t: float) -> float:
    """Return a rise over three tenths of training, then half a wave down."""
    return 0.1 + 3 * t if t < 0.3 else cosine((t - 0.3) / 0.7)


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda t: 1.0,
    "warm-up": warm,
    "step": step,
    "cosine": cosine,
    "warm-up + cosine": lambda t: warm(t) * cosine(t),
    "one-cycle": one_cycle,
}


def trained(
    configs: Sequence[Config],
    seed: int,
    *,
    epochs: int = EPOCHS,
    n: int = 300,
    batch_size: int = 20,
) -> np.ndarray:
    """Train configs for spirals together; return their errors in % on the judging rows.

    A config's "schedule" maps the share of training done to a share of its learning rate.
    """
    from hpt_lab.training import train_together
    from hpt_lab.training.objective import build_model

    rows = drawn(seed, n)
    models = [build_model(build, config, seed=(0, seed), x=rows[0]) for config in configs]
    scheduled = any("schedule" in config for config in configs)
    done: Any = None
    for epoch in range(epochs) if scheduled else (0,):
        for model, config in zip(models, configs, strict=True):
            share = config.get("schedule", SCHEDULES["constant"])(epoch / epochs)
            model.optimizer.learning_rate = config["learning_rate"] * share
        until = epoch + 1 if scheduled else epochs
        done = train_together(
            models,
            rows,
            start=epoch,
            epochs=until,
            batch_size=batch_size,
            seeds=[seed] * len(models),
            jit=False,
            validation=points()[1] if until == epochs else None,
        )
    return np.array([errors(one) for one in done])


def errors(one: Any) -> float:
    """Return the last validation error of what `train_together` returns, in %; 50 if it
    diverged."""
    accuracy = one.curves["val_accuracy"][-1]
    return 50.0 if math.isnan(accuracy) else 100 * (1 - accuracy)


def schedules(seed: int) -> np.ndarray:
    """Return the error of every schedule at every peak rate after 40 epochs, (6, 6)."""
    configs = [
        {"learning_rate": rate, "schedule": schedule}
        for schedule in SCHEDULES.values()
        for rate in RATES
    ]
    return trained(configs, seed).reshape(len(SCHEDULES), len(RATES))


def clipped(seed: int) -> list[float]:
    """Return the error of a constant rate with gradients clipped to norm 1, at every rate, (6,)."""
    from hpt_lab.training import train_together
    from hpt_lab.training.objective import build_model

    def clipping(config: Config) -> Any:
        model = build(config)
        model.optimizer.global_clipnorm = 1.0
        return model

    rows = drawn(seed)
    models = [
        build_model(clipping, {"learning_rate": rate}, seed=(0, seed), x=rows[0]) for rate in RATES
    ]
    done = train_together(
        models,
        rows,
        epochs=EPOCHS,
        batch_size=20,
        seeds=[seed] * len(models),
        validation=points()[1],
        jit=False,
    )
    return [errors(one) for one in done or []]


def pool_configs() -> list[Config]:
    """Return forty configs drawn at random."""
    return [POOL.sample(seed) for seed in range(40)]


def pool(seed: int) -> np.ndarray:
    """Return forty configs' errors on 300 validation rows and on the 2,700 other ones, (40, 2)."""
    from hpt_lab.training import train_together
    from hpt_lab.training.objective import build_model

    rows = drawn(0)
    models = [build_model(build, config, seed=(1, seed), x=rows[0]) for config in pool_configs()]
    x, y = points()[1]
    done = train_together(
        models,
        rows,
        epochs=EPOCHS,
        batch_size=20,
        seeds=[(1, seed)] * len(models),
        validation=(x, y),
        jit=False,
    )
    said = [one.predictions[:, 0] for one in done or [] if one.predictions is not None]
    wrong = np.array([(one > 0.5) != y for one in said])  # (40, 3000)
    return 100 * np.stack([wrong[:, :300].mean(axis=1), wrong[:, 300:].mean(axis=1)], axis=1)


def pairs(seed: int) -> np.ndarray:
    """Return the errors of 16 and 32 units, and of 16 with dropout or a lower rate, on one draw."""
    base = {"learning_rate": 0.1, "units": 16}
    return trained(
        [base, base | {"units": 32}, base | {"dropout": 0.1}, base | {"learning_rate": 0.03}], seed
    )


def batches(seed: int) -> np.ndarray:
    """Return errors by rate: batch 20, batch 160, and that for as many steps as batch 20; (3,
    6)."""
    configs = [{"learning_rate": rate} for rate in RATES]
    settings = ((20, EPOCHS), (160, EPOCHS), (160, 8 * EPOCHS))
    return np.array(
        [trained(configs, seed, n=320, batch_size=size, epochs=epochs) for size, epochs in settings]
    )


def wide(config: Config) -> Any:
    """Build two hidden layers for digits; with "base", in μP relative to that width (Adam).

    Dividing the inputs of the hidden and the output layer by m = width / base, and multiplying
    their first weights by as much as keeps their size, makes one rate of Adam act as a rate / m
    on them. Output weights start smaller by √m (Yang et al., 2022, tables 3 and 8).
    """
    import keras
    from keras import layers

    units = config["units"]
    m = units / config.get("base", units)

    def normal(gain: float, fan_in: int) -> Any:
        return keras.initializers.RandomNormal(stddev=gain * (2 / fan_in) ** 0.5)

    model = keras.Sequential(
        [
            layers.Dense(units, activation="relu", kernel_initializer=normal(1, 64)),
            layers.Rescaling(1 / m),
            layers.Dense(units, activation="relu", kernel_initializer=normal(m, units)),
            layers.Rescaling(1 / m),
            layers.Dense(10, activation="softmax", kernel_initializer=normal(m**0.5, units)),
        ]
    )
    model.compile(
        keras.optimizers.Adam(config["learning_rate"]),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def widths(seed: int) -> np.ndarray:
    """Return final training and validation losses by width and rate, standard and μP, (2, 4, 7,
    2)."""
    from hpt_lab.datasets import digits

    data = digits()
    found = [
        [narrow_to_wide(data, units, base, seed) for units in WIDTHS] for base in (None, WIDTHS[0])
    ]
    return np.array(found)


def narrow_to_wide(data: Any, units: int, base: int | None, seed: int) -> list[list[float]]:
    """Return final losses, training and validation, for every rate; (7, 2)."""
    from hpt_lab.training import train_together
    from hpt_lab.training.objective import build_model

    extra = {} if base is None else {"base": base}
    models = [
        build_model(
            wide, {"learning_rate": rate, "units": units} | extra, seed=(0, seed), x=data.x_train
        )
        for rate in WIDTH_RATES
    ]
    done = train_together(
        models,
        (data.x_train, data.y_train),
        epochs=5,
        batch_size=64,
        seeds=[seed] * len(models),
        validation=(data.x_validation, data.y_validation),
        jit=False,
    )
    ends = [[one.curves[name][-1] for name in ("loss", "val_loss")] for one in done or []]
    return [[min(20.0, value) if value == value else 20.0 for value in end] for end in ends]

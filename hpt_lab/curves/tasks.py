"""What the two tables are made of: data, model, and a finite space whose full factorial is
recorded.

`digits-mlp` is a problem with many good answers: handwritten digits, where learning rate and
optimizer decide nearly everything. `spirals-mlp` is one where training longer can be worse: two
spirals in the plane, a part of whose labels is wrong, so that large models learn the wrong ones by
heart after a while and their curves cross those of others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpt_lab import datasets
from hpt_lab.datasets import Data
from hpt_lab.errors import DataError
from hpt_lab.space import Choice, Space
from hpt_lab.trial import Config

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Task:
    """A table to be recorded. Models that differ only in `inside` have the same graph and are
    trained together."""

    name: str
    space: Space
    data: Callable[[], Data]
    build: Callable[[Config], keras.Model]
    inside: tuple[str, ...]
    batch_size: int = 32  # where the space has none
    epochs: int = 81
    seeds: int = 3


def digits_mlp(config: Config) -> keras.Model:
    """Build a compiled multilayer perceptron for digits: ReLU layers, dropout after each, SGD with
    momentum or Adam."""
    import keras
    from keras import layers

    model = keras.Sequential()
    for _ in range(config["layers"]):
        model.add(layers.Dense(config["units"], activation="relu"))
        model.add(layers.Dropout(config["dropout"]))
    model.add(layers.Dense(10, activation="softmax"))
    rate = config["learning_rate"]
    optimizer = (
        keras.optimizers.SGD(rate, momentum=0.9)
        if config["optimizer"] == "sgd"
        else keras.optimizers.Adam(rate)
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def spirals_mlp(config: Config) -> keras.Model:
    """Build a compiled multilayer perceptron for points of the plane, trained by Adam with
    decoupled weight decay."""
    import keras
    from keras import layers

    model = keras.Sequential()
    for _ in range(config["layers"]):
        model.add(layers.Dense(config["units"], activation=config["activation"]))
    model.add(layers.Dense(2, activation="softmax"))
    optimizer = keras.optimizers.AdamW(config["learning_rate"], weight_decay=config["weight_decay"])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def noisy_spirals() -> Data:
    """Make two spirals of 150 points to train on, 500 to validate on, 500 to test on; a fifth of
    all labels is wrong."""
    data = datasets.spirals(n=2500, noise=0.06, turns=1.0, label_noise=0.2)
    data.x_train, data.y_train = (
        data.x_train[:150],
        data.y_train[:150],
    )  # few enough to be learned by heart
    return data


def ordered(*values: float) -> Choice:
    return Choice(values, ordered=True)


TASKS = {
    task.name: task
    for task in (
        Task(
            "digits-mlp",
            Space(
                learning_rate=ordered(1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0),
                batch_size=ordered(32, 128, 512),
                units=ordered(16, 32, 64),
                layers=ordered(1, 2, 3),
                dropout=ordered(0.0, 0.2, 0.4, 0.6),
                optimizer=Choice(["sgd", "adam"]),
            ),
            datasets.digits,
            digits_mlp,
            inside=("learning_rate", "dropout"),
        ),
        Task(
            "spirals-mlp",
            Space(
                learning_rate=ordered(3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3),
                units=ordered(16, 32, 64, 128),
                layers=ordered(1, 2, 3),
                weight_decay=ordered(0.0, 0.03, 0.1, 0.3, 1.0),
                activation=Choice(["relu", "tanh"]),
            ),
            noisy_spirals,
            spirals_mlp,
            inside=("learning_rate", "weight_decay"),
            batch_size=8,
        ),
    )
}


def task(name: str) -> Task:
    """Return the definition of a table that comes with hpt_lab."""
    if name not in TASKS:
        raise DataError(f"table must be one of {', '.join(TASKS)}, got {name!r}")
    return TASKS[name]

"""The two models of the command line and the lessons, in plain Keras."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from keras import layers

from hpt_lab.datasets import Data
from hpt_lab.trial import Config

DEFAULTS: Config = {
    "learning_rate": 0.001,
    "units": 64,
    "layers": 2,
    "dropout": 0.0,
    "filters": 8,
}  # what a config may omit


def mlp(config: Config, *, n_classes: int) -> keras.Model:
    """Build a multilayer perceptron: `layers` hidden layers of `units` ReLUs, each followed by
    dropout."""
    config = {**DEFAULTS, **config}
    model = keras.Sequential()
    for _ in range(config["layers"]):
        model.add(layers.Dense(config["units"], activation="relu"))
        model.add(layers.Dropout(config["dropout"]))
    model.add(layers.Dense(n_classes, activation="softmax"))
    return _compiled(model, config)


def cnn(config: Config, *, n_classes: int) -> keras.Model:
    """Build a small convolutional network for 8x8 images that come as rows of 64 pixels."""
    config = {**DEFAULTS, **config}
    filters = config["filters"]
    model = keras.Sequential(
        [
            layers.Reshape((8, 8, 1)),
            layers.Conv2D(filters, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(2 * filters, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(config["units"], activation="relu"),
            layers.Dense(n_classes, activation="softmax"),
        ]
    )
    return _compiled(model, config)


def builder(name: str, data: Data) -> Callable[[Config], keras.Model]:
    """Return `build(config)` for model "mlp" or "cnn" on this data; it can be sent to another
    process."""
    assert data.n_classes is not None, "both models classify"
    return functools.partial({"mlp": mlp, "cnn": cnn}[name], n_classes=data.n_classes)


def _compiled(model: keras.Model, config: Config) -> keras.Model:
    model.compile(
        keras.optimizers.Adam(config["learning_rate"]),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model

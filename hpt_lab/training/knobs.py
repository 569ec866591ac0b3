"""The numbers that a traced graph reads from outside, so that models may differ in them and
training may change them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf


def knobs(model: keras.Model) -> list[tuple[Any, str]]:
    """List the (object, attribute) pairs whose numbers a graph reads from variables: dropout rates,
    L1, L2 factors.

    A dropout layer made with rate 0 has no seeds to draw a mask from, so it stays without dropout.
    """
    found: list[tuple[Any, str]] = []
    for layer in model._flatten_layers():
        if (
            type(layer) is keras.layers.Dropout
            and layer.noise_shape is None
            and hasattr(layer, "seed_generator")
        ):
            found.append((layer, "rate"))
        for name in ("kernel_regularizer", "bias_regularizer", "activity_regularizer"):
            regularizer = getattr(layer, name, None)
            if type(regularizer) in (keras.regularizers.L1, keras.regularizers.L2):
                found.append(
                    (regularizer, "l1" if type(regularizer) is keras.regularizers.L1 else "l2")
                )
    return found


def dropout_call(layer: keras.layers.Dropout, rate: tf.Variable) -> Any:
    """Make a dropout layer's `call` with a variable for its rate; Keras' own needs a number. The
    masks are the same."""

    def call(inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        uniform = keras.random.uniform(
            tf.shape(inputs), dtype=inputs.dtype, seed=layer.seed_generator
        )
        scaled = inputs * tf.cast(1 / (1 - rate), inputs.dtype)
        return tf.where(uniform >= tf.cast(rate, inputs.dtype), scaled, tf.zeros_like(inputs))

    return call


@contextmanager
def replaced(values: list[tuple[Any, str, Any]]) -> Iterator[None]:
    """Give attributes (object, name, value) other values for a while."""
    before = [vars(owner).get(name, replaced) for owner, name, _ in values]
    try:
        for owner, name, value in values:
            setattr(owner, name, value)
        yield
    finally:
        for (owner, name, _), value in zip(values, before, strict=True):
            if value is replaced:  # it was the class's
                delattr(owner, name)
            else:
                setattr(owner, name, value)

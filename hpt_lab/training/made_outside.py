"""Find what a model has that was there before `build` was called: a shared optimizer, layer, metric
or whole model.

Training changes such parts for every other trial that has them, or they don't work at all a second
time. TensorFlow numbers its variables in the order in which they are made, so a variable with a
smaller number than one made just before `build` is older than the model. Frozen layers and adapted
preprocessing are no harm: nothing changes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from hpt_lab.errors import BuildError
from hpt_lab.training.compiled import asked_metrics

PREPROCESSING = (
    keras.layers.Normalization,
    keras.layers.Discretization,
)  # which training never changes


def moment() -> int:
    """Return a number that every variable made later exceeds and no earlier one reaches."""
    return _number(tf.Variable(0.0, trainable=False))


def check_new(model: keras.Model, before: int) -> None:
    """Raise BuildError if `model` has a variable that is older than `before` and that training may
    change."""
    weights = model.trainable_variables
    if (
        weights
        and all(_number(v) < before for v in weights)
        and _number(model.optimizer.iterations) < before
    ):
        raise BuildError(
            "build(config) returned a model that was there before: every trial would train it "
            "further; "
            "make the model inside build(config), anew for every call"
        )
    for what, variables in _parts(model):
        if any(_number(v) < before for v in variables):
            raise BuildError(
                f"build(config) returned a model with {what}, which was made outside: trials would "
                "share it, and "
                "training would change it for all of them. Make it inside build (a trained layer "
                "or model: "
                "keras.models.clone_model there, then set_weights; or set trainable = False if it "
                "shall stay as it is)"
            )


def _parts(model: keras.Model) -> Iterator[tuple[str, list[Any]]]:
    """Yield every part of a model that has variables which training changes, and what to call
    it."""
    yield f"the optimizer {model.optimizer.name!r}", model.optimizer.variables
    for layer in model._flatten_layers():
        still = not layer.trainable or isinstance(layer, PREPROCESSING)
        weights = [] if still else [*layer._trainable_variables, *layer._non_trainable_variables]
        seeds = [generator.state for generator in layer._seed_generators]
        yield f"the layer {layer.name!r}", [*weights, *seeds]
    for thing in (*asked_metrics(model), *tf.nest.flatten(model.loss)):
        yield f"the {type(thing).__name__} {getattr(thing, 'name', '')!r}", list(_held(thing))


def _held(thing: Any) -> Iterator[Any]:
    """Yield the variables that a loss or a metric keeps, or that a function closes over."""
    waiting, seen = [thing], set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen or isinstance(value, keras.Layer):
            continue
        seen.add(id(value))
        if isinstance(value, keras.Variable | tf.Variable):
            yield value
        elif isinstance(value, list | tuple):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
        elif callable(value) and not isinstance(value, type):
            waiting += [
                cell.cell_contents
                for cell in getattr(value, "__closure__", None) or ()
                if cell != type(cell)()
            ]
            waiting += getattr(value, "__dict__", {}).values()


def _number(variable: Any) -> int:
    value = getattr(variable, "_value", variable)  # Keras' variable wraps TensorFlow's
    digits = str(getattr(value, "_unique_id", "")).rpartition("_")[2]
    return int(digits) if digits.isdigit() else 2**62

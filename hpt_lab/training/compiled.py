"""What a compiled model brings along: its state, its metrics, and why only `model.fit` could train
it.

Accuracy is counted by the graph itself (`Traced._hits`), which costs nothing. Every other metric
that a model was compiled with, that its layers keep, or that Keras keeps for each of several
outputs, is Keras' own object: its variables are updated inside the graph and read after the epoch,
so names and values are those of `model.fit`. Read `keeps_metrics` first, then `count`.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from hpt_lab.errors import BuildError
from hpt_lab.training.metrics import accuracy_kind, gives_logits

OWN_STEPS = ("train_step", "test_step", "make_train_function", "make_test_function")
OWN_RESULTS = ("compute_metrics", "get_metrics_result")


def check_compiled(model: Any) -> None:
    """Raise BuildError unless `model` is a compiled Keras model."""
    if not isinstance(model, keras.Model):
        hint = "; did build(config) forget `return model`?" if model is None else ""
        raise BuildError(
            f"build(config) must return a compiled Keras model, got {type(model).__name__}{hint}"
        )
    no_loss = (
        model.compiled
        and model.loss is None
        and type(model).compute_loss is keras.Model.compute_loss
    )
    if not model.compiled or model.optimizer is None or (no_loss and not fit_alone(model)):
        raise BuildError(
            "build(config) must return a compiled Keras model, got one without optimizer or loss; "
            "call model.compile(optimizer=..., loss=...) before returning it"
        )
    if getattr(
        model.optimizer, "use_ema", False
    ):  # `fit` ends by overwriting the weights, so nothing could resume
        raise BuildError(
            "the optimizer has use_ema=True, which replaces the weights when training ends; drop "
            "use_ema"
        )


def build_variables(model: keras.Model, x: Any) -> None:
    """Create every variable of the model and its optimizer now, not during tracing."""
    if not model.built:
        _predict(model, tf.nest.map_structure(lambda t: t[:1], x))
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


def variables(model: keras.Model) -> list[Any]:
    """List what training changes and a checkpoint keeps: weights, seed generators' states,
    optimizer variables."""
    return [*model.variables, *model.optimizer.variables]


def metric_variables(model: keras.Model) -> list[Any]:
    """List the variables of every metric that Keras keeps for the model, the mean of its loss
    included."""
    return list(model.metrics_variables)


def everything(model: keras.Model) -> list[Any]:
    """List every variable of a model: what a graph reaches through handles."""
    return [*variables(model), *metric_variables(model)]


def fit_alone(model: keras.Model) -> str | None:
    """Say why only `model.fit` can train this model as it wants to be trained; None if an epoch may
    be traced."""
    for names, what in ((OWN_STEPS, "train_step or test_step"), (OWN_RESULTS, "compute_metrics")):
        if any(_overrides(model, name) for name in names):
            return f"{type(model).__name__} has its own {what}"
    return "it was compiled with run_eagerly=True" if model.run_eagerly else None


def accuracy_name(model: keras.Model) -> str | None:
    """Return the name that the share of rows predicted right goes by; None where it has no
    meaning."""
    if accuracy_kind(model) is None:
        return None
    asked = asked_metrics(model)
    return asked[0] if len(asked) == 1 and asked[0] in ("accuracy", "acc") else "accuracy"


def keeps_metrics(model: keras.Model) -> bool:
    """Tell whether a model has metrics that Keras must count: any but the loss and a plain
    accuracy."""
    others = [m for m in model.metrics if m is not model._loss_tracker]
    if others and any(m is not model._compile_metrics for m in others):
        return True
    return bool(others) and not _only_accuracy(model)


def make_metrics(model: keras.Model, rows: tuple[Any, ...]) -> None:
    """Create the variables of metrics that make theirs when they first count, and leave no trace of
    that."""
    single = len(getattr(model, "outputs", None) or []) == 1  # not even known of a subclassed model
    if fit_alone(model) or (single and not keeps_metrics(model)) or _made(model):
        return
    x, y, weight = (*tf.nest.map_structure(lambda t: t[:1], rows), None)[:3]
    touched = [v for v in model.variables if not v.trainable]
    before = [np.array(v) for v in touched]
    predictions = _predict(model, x)
    if model._compile_loss is not None:
        model._compile_loss(y, predictions, weight)  # several outputs: a mean for each
    if model._compile_metrics is not None and keeps_metrics(model):
        model._compile_metrics.update_state(y, predictions, weight)
    for variable, value in zip(touched, before, strict=True):
        variable.assign(value)
    model.reset_metrics()


def count(model: keras.Model, batch: Any, predictions: Any) -> None:
    """Update the compiled metrics, as `keras.Model.compute_metrics` does."""
    if model._compile_metrics is not None:
        _, y, weight = (*batch, None)[:3]
        model._compile_metrics.update_state(y, predictions, weight)


def results(model: keras.Model) -> dict[str, Any]:
    """Read what the metrics have counted, by Keras' names; without Keras' mean of the loss, which
    the graph sums."""
    own = model._loss_tracker in model.metrics
    return {
        name: value
        for name, value in numbers(model.get_metrics_result()).items()
        if not (own and name == model._loss_tracker.name)
    }


def numbers(logs: dict[str, Any]) -> dict[str, Any]:
    """Turn tensors into floats, dicts of them into single entries, and leave vectors (a metric per
    class) arrays."""
    flat: dict[str, Any] = {}
    for name, value in logs.items():
        if isinstance(value, dict):
            flat |= numbers(value)
        else:
            array = np.asarray(value)
            flat[name] = float(array) if array.ndim == 0 else array
    return flat


def scalars(logs: dict[str, Any]) -> dict[str, float]:
    """Keep what a curve can hold."""
    return {name: value for name, value in logs.items() if isinstance(value, float)}


def own_metrics(model: keras.Model, validated: dict[str, Any]) -> dict[str, float]:
    """Choose what an outcome reports of a validation besides its scores: the loss, and metrics but
    plain accuracy."""
    kept = scalars(validated)
    if fit_alone(model) is None and not keeps_metrics(model):
        kept = {"val_loss": kept["val_loss"]}
    return kept


def loss_is_a_mean(model: keras.Model) -> bool:
    """Tell whether the compiled loss of many rows is the mean of the losses of each, however they
    are cut in batches."""
    losses = tf.nest.flatten(model.loss)
    names = [loss if isinstance(loss, str) else type(loss).__name__ for loss in losses]
    across = ("dice", "tversky", "circle")
    reductions = [getattr(loss, "reduction", "mean") for loss in losses]
    return not any(name.lower().startswith(across) for name in names) and all(
        reduction in ("sum_over_batch_size", "mean") for reduction in reductions
    )


def is_additive(model: keras.Model, foreign: bool) -> bool:
    """Tell whether validating in large batches gives what `model.evaluate` gives in batches of the
    training's size."""
    layers = model._flatten_layers()
    masks = any(
        getattr(layer, "mask_zero", False) or isinstance(layer, keras.layers.Masking)
        for layer in layers
    )
    penalised = any(getattr(layer, "activity_regularizer", None) is not None for layer in layers)
    several = (
        len(getattr(model, "outputs", None) or [None]) > 1
    )  # Keras averages their losses over batches, not rows
    return not (foreign or masks or penalised or several) and loss_is_a_mean(model)


def finite(value: float) -> float:
    """Make every value that is not finite NaN."""
    return value if math.isfinite(value) else math.nan


def _made(model: keras.Model) -> bool:
    parts = [model._compile_loss, model._compile_metrics if keeps_metrics(model) else None]
    return all(part is None or part.built for part in parts)


def _predict(model: keras.Model, x: Any) -> Any:
    return model(x, training=False) if model._call_has_training_arg else model(x)


def _overrides(model: keras.Model, name: str) -> bool:
    return name in vars(model) or getattr(type(model), name) is not getattr(keras.Model, name)


def asked_metrics(model: keras.Model) -> list[Any]:
    """List the metrics that a model was compiled with, as the user wrote them."""
    compiled = model._compile_metrics
    if compiled is None:
        return []
    return [
        m
        for part in (compiled._user_metrics, compiled._user_weighted_metrics)
        for m in tf.nest.flatten(part)
        if m is not None
    ]


def _only_accuracy(model: keras.Model) -> bool:
    """Tell whether the metrics are accuracy alone, and mean by it what the graph counts."""
    asked, kind, shape = (
        asked_metrics(model),
        accuracy_kind(model),
        getattr(model, "output_shape", None),
    )
    if not asked:
        return True
    if (
        asked not in (["accuracy"], ["acc"])
        or model._compile_metrics._user_weighted_metrics
        or (not isinstance(shape, tuple) or len(shape) != 2 or not isinstance(shape[-1], int))
    ):
        return False
    if kind == "binary":  # Keras' threshold is 0.5 for logits too
        return shape[-1] == 1 and not gives_logits(model)
    return kind == "categorical" and shape[-1] > 1

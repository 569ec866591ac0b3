"""Models of one architecture trained together: folds, seeds, or a rung's trials, in one graph.

A small model's batch is too little work to fill a processor. P models of the same shapes, stacked along a leading
axis, do the work of P batches in one operation: `tf.vectorized_map` turns the forward and backward pass of one member
into the pass of all. Everything else is elementwise, so that members may differ in weights, seeds, learning rate,
weight decay, dropout rate, L2 factor and rows. The mathematics is that of training each alone on the same batches.
A member with fewer rows is padded with rows of weight zero, and rests while longer members finish their epoch; one that
diverges spoils nobody else's numbers.

Read `train_together` first, which trains one by one what can't be stacked; then `stack_graph.py`, the graph itself.
"""

from __future__ import annotations

import functools
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from typing import Any

import keras
import tensorflow as tf
from keras.src.models import Functional

from hpt_lab.errors import DataError, HptError
from hpt_lab.training.epochs import Curves, Trainer, as_rows
from hpt_lab.training.graph_cache import architecture
from hpt_lab.training.graphs import build_variables, check_compiled
from hpt_lab.training.knobs import replaced
from hpt_lab.training.stack_graph import Plan, Rows, Stack, Trained
from hpt_lab.training.update_rules import has_rule

OnEpochs = Callable[[int, dict[int, dict[str, float]]], None]  # epochs trained so far, every member's values

LAYERS = {"InputLayer", "Dense", "Activation", "Dropout", "Flatten", "Reshape", "Rescaling", "ReLU", "LeakyReLU",
          "PReLU", "ELU", "Softmax", "LayerNormalization", "Add", "Multiply", "Concatenate"}  # no row sees another row
KEPT = 8  # traced stacks waiting to be used again


def train_together(models: Sequence[keras.Model], rows: Rows | Sequence[Rows], *, epochs: int, seeds: Sequence[Any],
                   batch_size: int = 32, validation: Rows | Sequence[Rows] | None = None,
                   test: Rows | Sequence[Rows] | None = None, start: int = 0, jit: bool = True,
                   on_epoch: OnEpochs | None = None, stop: Event | None = None) -> list[Trained] | None:
    """Train compiled models in place, those of one architecture in one graph; return what each gave, in their order.

    `rows`, `validation`, `test`: a tuple (x, y) that all models share, or a list with one for every model.
    `seeds`: a member's batch order is `epochs.batch_order` of its seed; dropout masks follow from the model's seeds.
    `epochs`: in total, of which `start` were done before. Curves hold a value for every epoch from `start` on: loss,
    val_loss, test_loss, and for classifiers accuracy, val_accuracy, test_accuracy; NaN from where a member diverged.
    `on_epoch`: called with the epochs done and {member's index: its values}, for the members trained together.
    When `stop` was set the answer is None, and the models not yet finished are in no defined state.
    """
    if not models or len(models) != len(seeds):
        raise HptError(f"seeds must have one for each model, at least one; got {len(seeds)} for {len(models)} models")
    if len({id(model) for model in models}) < len(models):
        raise HptError("models must be different objects; build one for every member")
    parts = {name: _per_member(part, len(models), name) for name, part in
             (("rows", rows), ("validation", validation), ("test", test)) if part is not None}
    groups: dict[Any, list[int]] = {}
    for i, model in enumerate(models):
        check_compiled(model)
        build_variables(model, parts["rows"][i][0])
        key = _key(model, parts["rows"][i])
        groups.setdefault(i if key is None else key, []).append(i)
    trained: dict[int, Trained] = {}
    for key, members in groups.items():
        chosen = {name: [part[i] for i in members] for name, part in parts.items()}
        report = None if on_epoch is None else functools.partial(_report, on_epoch, members)
        plan = Plan(range(start, epochs), batch_size, [seeds[i] for i in members], report, stop)
        if isinstance(key, int):
            result = _alone(models[key], chosen, plan)
        else:
            with _borrowed((key, jit), models[members[0]], jit) as stack:
                result = stack.train([models[i] for i in members], chosen, plan)
        if result is None:
            return None
        trained |= dict(zip(members, result, strict=True))
    return [trained[i] for i in range(len(models))]


def can_stack(model: keras.Model) -> bool:
    """Tell whether a compiled, built model fits a stack: stateless layers, dropout, optimizer with an update rule."""
    reduction = "sum_over_batch_size" if isinstance(model.loss, str) else getattr(model.loss, "reduction", None)
    return (type(model) in (keras.Sequential, Functional) and not model.run_eagerly
            and len(model.inputs) == len(model.outputs) == 1
            and reduction in ("sum_over_batch_size", "mean") and not model.non_trainable_weights
            and has_rule(model) and isinstance(model.optimizer._learning_rate, keras.Variable)
            and all(map(_is_rowwise, model._flatten_layers(include_self=False))))


def _alone(model: keras.Model, parts: dict[str, list[Rows]], plan: Plan) -> list[Trained] | None:
    """Train one model by itself, with the same result as in a stack."""
    trainer = Trainer(model, *parts["rows"][0], validation=parts.get("validation", [None])[0], jit=False,
                      batch_size=plan.batch_size, seed=plan.seeds[0])
    trainer.epochs_done = plan.epochs.start
    test = None
    if "test" in parts:
        test = Trainer(model, *parts["rows"][0], validation=parts["test"][0], graph=trainer.graph)
    curves: Curves = {}
    for epoch in plan.epochs:
        logs = trainer.epoch(stop=plan.stop) if not trainer.diverged else dict.fromkeys(curves, math.nan)
        if logs is None:
            return None
        if test is not None and not trainer.diverged:
            tested = test.evaluate(stop=plan.stop)
            if tested is None:
                return None
            logs |= {name.replace("val_", "test_"): value for name, value in zip(
                ("val_loss", "val_accuracy"), tested[:2], strict=True) if name in logs or name == "val_loss"}
        for key, value in logs.items():
            curves.setdefault(key, []).append(value)
        if plan.report is not None:
            plan.report(epoch + 1, [logs])
    scored = trainer.evaluate(stop=plan.stop) if "validation" in parts else (math.nan, math.nan, None)
    return None if scored is None else [Trained(curves, scored[2])]


def _per_member(part: Any, members: int, name: str) -> list[Rows]:
    if isinstance(part, tuple):
        return [as_rows(*part)] * members
    if len(part) != members:
        raise DataError(f"{name} must be a tuple (x, y) that all models share, or a list with one for each of the "
                        f"{members} models; got a list of {len(part)}")
    converted = {id(rows): as_rows(*rows) for rows in part}  # the same tuple given twice is stored once
    return [converted[id(rows)] for rows in part]


def _key(model: keras.Model, rows: Rows) -> Any:
    """Return what models must agree in to be stacked, or None for a model that can't be."""
    if not can_stack(model) or not all(tf.is_tensor(part) for part in rows):
        return None
    if model.optimizer.weight_decay is None:
        return architecture(model, rows, True)
    with replaced([(model.optimizer, "weight_decay", 0.5)]):  # any number will do: it's a member's own
        return architecture(model, rows, True)


def _is_rowwise(layer: Any) -> bool:
    constrained = any(getattr(layer, name, None) for name in ("kernel_constraint", "bias_constraint",
                                                              "activity_regularizer"))
    shared = len(layer._inbound_nodes) > 1 or getattr(layer, "noise_shape", None) is not None
    return type(layer).__name__ in LAYERS and type(layer).__module__.startswith("keras.") and not constrained and not (
        shared and isinstance(layer, keras.layers.Dropout)) and layer.compute_dtype == "float32"


def _report(on_epoch: OnEpochs, members: list[int], epoch: int, logs: list[dict[str, float]]) -> None:
    on_epoch(epoch, dict(zip(members, logs, strict=True)))


_STACKS: OrderedDict[Any, Stack] = OrderedDict()
_LOCK = threading.Lock()


@contextmanager
def _borrowed(key: Any, model: keras.Model, jit: bool) -> Iterator[Stack]:
    """Lend a traced stack; while it is lent no other thread sees it."""
    with _LOCK:
        stack = _STACKS.pop(key, None)
    stack = stack or Stack(model, jit=jit)
    yield stack
    with _LOCK:
        _STACKS[key] = stack
        while len(_STACKS) > KEPT:
            _STACKS.popitem(last=False)

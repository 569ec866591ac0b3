"""Models trained together: folds, seeds, or a rung's trials.

A small model's batch is too little work to fill a processor. P models of the same shapes, stacked
along a leading axis, do the work of P batches in one operation: `tf.vectorized_map` turns the
forward and backward pass of one member into the pass of all. Everything else is elementwise, so
that members may differ in weights, seeds, learning rate, weight decay, dropout rate, L2 factor and
rows. The mathematics is that of training each alone on the same batches. A member with fewer rows
is padded with rows of weight zero, and rests while longer members finish their epoch; one that
diverges spoils nobody else's numbers.

XLA makes a stack up to three times faster and takes a second or two to compile it. Without XLA a
stack pays only where epochs are short, because there Python is most of the work. All other models
share a traced graph instead and train side by side, one thread for each core, an epoch in turn; the
first of them while the last are still being built.

Read `train_together` first, then `stack_graph.py`, the graph of a stack.
"""

from __future__ import annotations

import math
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from typing import Any

import keras
import tensorflow as tf
from keras.src.models import Functional

from hpt_lab.errors import DataError, HptError
from hpt_lab.training.compiled import (
    accuracy_name,
    build_variables,
    check_compiled,
    fit_alone,
    keeps_metrics,
    loss_is_a_mean,
    make_metrics,
    scalars,
)
from hpt_lab.training.epochs import Curves, Trainer, as_rows
from hpt_lab.training.graph_cache import GRAPHS, architecture
from hpt_lab.training.graphs import Jit, use_xla
from hpt_lab.training.stack_graph import Plan, Rows, Stack, Trained
from hpt_lab.training.update_rules import has_rule

# Yields when the graph is there, without values, then after every epoch: epochs done, members'
# values.
Training = Generator[tuple[int, list[dict[str, float]]], None, list[Trained] | None]
Unit = tuple[list[int], Training]  # members that train in one graph
OnEpochs = Callable[
    [int, dict[int, dict[str, float]]], None
]  # epochs trained so far, every member's values

LAYERS = {
    getattr(keras.layers, name)
    for name in (  # no row sees another row
        "InputLayer",
        "Dense",
        "Activation",
        "Dropout",
        "Flatten",
        "Reshape",
        "Rescaling",
        "ReLU",
        "LeakyReLU",
        "PReLU",
        "ELU",
        "Softmax",
        "LayerNormalization",
        "Add",
        "Multiply",
        "Concatenate",
    )
}
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
EPOCH = 8  # what is done once an epoch takes as long as so many small batches
FEW = 16  # batches an epoch up to which a stack without XLA is faster than models side by side
KEPT = 8  # traced stacks waiting to be used again


def train_together(
    models: Iterable[keras.Model],
    rows: Rows | Sequence[Rows],
    *,
    epochs: int,
    seeds: Sequence[Any],
    batch_size: int = 32,
    validation: Rows | Sequence[Rows] | None = None,
    test: Rows | Sequence[Rows] | None = None,
    start: int = 0,
    jit: Jit = "auto",
    on_epoch: OnEpochs | None = None,
    stop: Event | None = None,
) -> list[Trained] | None:
    """Train compiled models in place; return what each gave, in their order.

    `models`: a list; or a generator that builds one after another, on the caller's thread, while
    others train already. `rows`, `validation`, `test`: a tuple (x, y) that all models share, or a
    list with one for every model.
    `seeds`: a member's batch order is `epochs.batch_order` of its seed; dropout masks follow from
    the model's seeds.
    `epochs`: in total, of which `start` were done before. Curves hold a value for every epoch from
    `start` on: loss, val_loss, test_loss, and for classifiers accuracy, val_accuracy,
    test_accuracy; NaN from where a member diverged.
    `jit`: stack models of one architecture and compile the stack with XLA; "auto" does so for those
    that `use_xla` would compile, counting the batches of all of them. Without XLA they are stacked
    if an epoch has few batches.
    `on_epoch`: called, by one thread at a time, with the epochs done and {member's index: its
    values} of some members. When `stop` was set the answer is None, and the models not yet finished
    are in no defined state.
    """
    if isinstance(models, Sequence) and (not models or len(models) != len(seeds)):
        raise HptError(
            f"seeds must have one for each model, at least one; got {len(seeds)} for {len(models)} "
            "models"
        )
    if isinstance(models, Sequence) and len({id(model) for model in models}) < len(models):
        raise HptError("models must be different objects; build one for every member")
    parts = {
        name: _per_member(part, len(seeds), name)
        for name, part in (("rows", rows), ("validation", validation), ("test", test))
        if part is not None
    }
    plan = Plan(range(start, epochs), batch_size, list(seeds), stop or Event())
    return _side_by_side(_units(models, parts, plan, jit), plan, on_epoch)


def _units(
    models: Iterable[keras.Model], parts: dict[str, list[Rows]], plan: Plan, jit: Jit
) -> Iterator[Unit]:
    """Make units: of a model that trains alone as soon as it is there, of stacks when all models
    are."""
    batches = [math.ceil(len(rows[0]) / plan.batch_size) for rows in parts["rows"]]
    groups: dict[
        Any, dict[int, keras.Model]
    ] = {}  # members that may be stacked, by what they agree in

    def unit(members: Sequence[int], train: Callable[..., Training], *arguments: Any) -> Unit:
        chosen = {name: [part[i] for i in members] for name, part in parts.items()}
        return list(members), train(
            *arguments, chosen, replace(plan, seeds=[plan.seeds[i] for i in members])
        )

    def use_xla_for(members: Iterable[int], model: keras.Model) -> bool:
        return use_xla(
            model, jit, steps=sum(batches[i] + EPOCH for i in members) * len(plan.epochs)
        )

    everyone = range(len(batches))
    for i, model in zip(everyone, models, strict=True):
        check_compiled(model)
        build_variables(model, parts["rows"][i][0])
        make_metrics(model, parts["rows"][i])
        key = _key(model, parts["rows"][i])
        if key is not None and (
            use_xla_for(everyone, model) or (len(everyone) > 1 and batches[i] <= FEW)
        ):
            groups.setdefault(key, {})[i] = model
        else:
            yield unit([i], _alone, model)
    for key, group in groups.items():
        xla = use_xla_for(group, next(iter(group.values())))
        if xla or (len(group) > 1 and max(batches[i] for i in group) <= FEW):
            yield unit(list(group), _stacked, (key, xla), list(group.values()))
        else:
            yield from (unit([i], _alone, model) for i, model in group.items())


def _side_by_side(
    units: Iterator[Unit], plan: Plan, on_epoch: OnEpochs | None
) -> list[Trained] | None:
    """Run every unit to its end, an epoch each in turn, as many at a time as there are cores."""
    started: list[Training] = []
    waiting: deque[Unit] = deque()
    trained: dict[int, Trained] = {}
    changed, all_made, failed = threading.Condition(), Event(), Event()

    def work() -> None:
        try:
            while not failed.is_set() and not plan.stopped:
                with changed:
                    changed.wait_for(lambda: waiting or all_made.is_set())
                    if not waiting:
                        return
                    members, training = waiting.popleft()
                try:
                    epoch, logs = next(training)
                except StopIteration as end:
                    trained.update(zip(members, end.value or [], strict=False))
                    continue
                with changed:
                    waiting.append((members, training))
                    if on_epoch is not None:
                        on_epoch(epoch, dict(zip(members, logs, strict=True)))
        except BaseException:
            failed.set()
            raise

    try:
        with ThreadPoolExecutor(CORES) as pool:
            others = [pool.submit(work) for _ in range(min(len(plan.seeds), CORES) - 1)]
            try:
                for members, training in units:  # builds a model while others train
                    if failed.is_set() or plan.stopped:
                        break
                    started.append(training)
                    next(training)  # traces the graph or finds it
                    with changed:
                        waiting.append((members, training))
                        changed.notify()
            except BaseException:
                failed.set()
                raise
            finally:
                all_made.set()
                with changed:
                    changed.notify_all()
            work()
        for other in others:
            other.result()
    finally:
        for training in started:
            training.close()  # those that were stopped give back what they borrowed
    return [trained[i] for i in range(len(plan.seeds))] if len(trained) == len(plan.seeds) else None


def can_stack(model: keras.Model) -> bool:
    """Tell whether a compiled, built model fits a stack: stateless layers, dropout, optimizer with
    an update rule."""
    reduction = (
        "sum_over_batch_size"
        if isinstance(model.loss, str)
        else getattr(model.loss, "reduction", None)
    )
    return (
        type(model) in (keras.Sequential, Functional)
        and not fit_alone(model)
        and not keeps_metrics(model)
        and accuracy_name(model) in (None, "accuracy")
        and loss_is_a_mean(model)
        and len(model.inputs) == len(model.outputs) == 1
        and reduction in ("sum_over_batch_size", "mean")
        and not model.non_trainable_weights
        and has_rule(model)
        and isinstance(model.optimizer._learning_rate, keras.Variable)
        and all(map(_is_rowwise, model._flatten_layers(include_self=False)))
    )


def _alone(model: keras.Model, parts: dict[str, list[Rows]], plan: Plan) -> Training:
    """Train one model by itself, with the same result as in a stack."""
    rows = parts["rows"][0]
    x = rows[0]
    y = rows[1]
    weight = rows[2] if len(rows) > 2 else None
    with GRAPHS.borrow(model, rows, batch_size=plan.batch_size, xla=False) as graph:
        given: dict[str, Any] = {
            "sample_weight": weight,
            "batch_size": plan.batch_size,
            "graph": graph,
        }
        trainer = Trainer(
            model, x, y, validation=parts.get("validation", [None])[0], seed=plan.seeds[0], **given
        )
        trainer.epochs_done = plan.epochs.start
        test = (
            Trainer(model, x, y, validation=parts["test"][0], **given) if "test" in parts else None
        )
        curves: Curves = {}
        yield plan.epochs.start, []
        for epoch in plan.epochs:
            logs = (
                dict.fromkeys(curves, math.nan)
                if trainer.diverged
                else trainer.epoch(stop=plan.stop)
            )
            if logs is None:
                return None
            if test is not None and not trainer.diverged:
                if test.evaluate(stop=plan.stop) is None:
                    return None
                logs |= {
                    name.replace("val_", "test_", 1): value
                    for name, value in scalars(test.validated).items()
                }
            for key, value in logs.items():
                curves.setdefault(key, []).append(value)
            yield epoch + 1, [logs]
        scored = (
            trainer.evaluate(stop=plan.stop)
            if "validation" in parts
            else (math.nan, math.nan, None)
        )
        return None if scored is None else [Trained(curves, scored[2])]


def _stacked(
    key: Any, models: list[keras.Model], parts: dict[str, list[Rows]], plan: Plan
) -> Training:
    """Train models of one architecture in one graph."""
    with _borrowed(key, models[0], jit=key[1]) as stack:
        yield plan.epochs.start, []
        return (yield from stack.train(models, parts, plan))


def _per_member(part: Any, members: int, name: str) -> list[Rows]:
    if isinstance(part, tuple):
        return [as_rows(*part)] * members
    if len(part) != members:
        raise DataError(
            f"{name} must be a tuple (x, y) that all models share, or a list with one for each of "
            "the "
            f"{members} models; got a list of {len(part)}"
        )
    converted = {
        id(rows): as_rows(*rows) for rows in part
    }  # the same tuple given twice is stored once
    return [converted[id(rows)] for rows in part]


def _key(model: keras.Model, rows: Rows) -> Any:
    """Return what models must agree in to be stacked, or None for a model that can't be."""
    if not can_stack(model) or not all(tf.is_tensor(part) for part in rows):
        return None
    decay = [] if model.optimizer.weight_decay is None else [(model.optimizer, "weight_decay")]
    return architecture(model, rows, True, free=decay)  # whose value is a member's own


def _is_rowwise(layer: Any) -> bool:
    constrained = any(
        getattr(layer, name, None)
        for name in ("kernel_constraint", "bias_constraint", "activity_regularizer")
    )
    shared = len(layer._inbound_nodes) > 1 or getattr(layer, "noise_shape", None) is not None
    return (
        type(layer) in LAYERS
        and not constrained
        and not (shared and isinstance(layer, keras.layers.Dropout))
        and layer.compute_dtype == "float32"
    )


_STACKS: OrderedDict[Any, Stack] = OrderedDict()
_LOCK = threading.Lock()


@contextmanager
def _borrowed(key: Any, model: keras.Model, *, jit: bool) -> Iterator[Stack]:
    """Lend a traced stack; while it is lent no other thread sees it."""
    with _LOCK:
        stack = _STACKS.pop(key, None)
    stack = stack or Stack(model, jit=jit)
    yield stack
    with _LOCK:
        _STACKS[key] = stack
        while len(_STACKS) > KEPT:
            _STACKS.popitem(last=False)

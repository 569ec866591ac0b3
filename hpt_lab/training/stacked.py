"""Models trained together: folds, seeds, or a rung's trials.

A small model's batch is too little work to fill a processor. P models of the same shapes, stacked along a leading
axis, do the work of P batches in one operation: `tf.vectorized_map` turns the forward and backward pass of one member
into the pass of all. Everything else is elementwise, so that members may differ in weights, seeds, learning rate,
weight decay, dropout rate, L2 factor and rows. The mathematics is that of training each alone on the same batches.
A member with fewer rows is padded with rows of weight zero, and rests while longer members finish their epoch; one that
diverges spoils nobody else's numbers.

XLA makes a stack up to three times faster and takes a second or two to compile it. Without XLA a stack pays only where
epochs are short, because there Python is most of the work. All other models share a traced graph instead and train
side by side, one thread for each core, an epoch in turn.

Read `train_together` first, then `stack_graph.py`, the graph of a stack.
"""

from __future__ import annotations

import math
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import keras
import tensorflow as tf
from keras.src.models import Functional

from hpt_lab.errors import DataError, HptError
from hpt_lab.training.epochs import Curves, Trainer, as_rows
from hpt_lab.training.graph_cache import GRAPHS, architecture
from hpt_lab.training.graphs import Jit, build_variables, check_compiled, use_xla
from hpt_lab.training.knobs import replaced
from hpt_lab.training.stack_graph import Plan, Rows, Stack, Trained
from hpt_lab.training.update_rules import has_rule

Training = Generator[tuple[int, list[dict[str, float]]], None, list[Trained] | None]  # yields epochs done, members' values
Unit = tuple[list[int], Training]  # members that train in one graph
OnEpochs = Callable[[int, dict[int, dict[str, float]]], None]  # epochs trained so far, every member's values

LAYERS = {"InputLayer", "Dense", "Activation", "Dropout", "Flatten", "Reshape", "Rescaling", "ReLU", "LeakyReLU",
          "PReLU", "ELU", "Softmax", "LayerNormalization", "Add", "Multiply", "Concatenate"}  # no row sees another row
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
EPOCH = 8  # what is done once an epoch takes as long as so many small batches
FEW = 16  # batches an epoch up to which a stack without XLA is faster than models side by side
KEPT = 8  # traced stacks waiting to be used again


def train_together(models: Sequence[keras.Model], rows: Rows | Sequence[Rows], *, epochs: int, seeds: Sequence[Any],
                   batch_size: int = 32, validation: Rows | Sequence[Rows] | None = None,
                   test: Rows | Sequence[Rows] | None = None, start: int = 0, jit: Jit = "auto",
                   on_epoch: OnEpochs | None = None, stop: Event | None = None) -> list[Trained] | None:
    """Train compiled models in place; return what each gave, in their order.

    `rows`, `validation`, `test`: a tuple (x, y) that all models share, or a list with one for every model.
    `seeds`: a member's batch order is `epochs.batch_order` of its seed; dropout masks follow from the model's seeds.
    `epochs`: in total, of which `start` were done before. Curves hold a value for every epoch from `start` on: loss,
    val_loss, test_loss, and for classifiers accuracy, val_accuracy, test_accuracy; NaN from where a member diverged.
    `jit`: stack models of one architecture and compile the stack with XLA; "auto" does so for those that `use_xla`
    would compile, counting the batches of all of them. Without XLA they are stacked if an epoch has few batches.
    `on_epoch`: called, by one thread at a time, with the epochs done and {member's index: its values} of some members.
    When `stop` was set the answer is None, and the models not yet finished are in no defined state.
    """
    if not models or len(models) != len(seeds):
        raise HptError(f"seeds must have one for each model, at least one; got {len(seeds)} for {len(models)} models")
    if len({id(model) for model in models}) < len(models):
        raise HptError("models must be different objects; build one for every member")
    parts = {name: _per_member(part, len(models), name) for name, part in
             (("rows", rows), ("validation", validation), ("test", test)) if part is not None}
    groups: dict[Any, list[int]] = {}  # by what stacked models agree in; those that can't be stacked by their number
    for i, model in enumerate(models):
        check_compiled(model)
        build_variables(model, parts["rows"][i][0])
        key = _key(model, parts["rows"][i])
        groups.setdefault(i if key is None else key, []).append(i)
    units: list[Unit] = []
    for key, members in groups.items():
        batches = [math.ceil(len(parts["rows"][i][0]) / batch_size) for i in members]
        xla = use_xla(models[members[0]], jit, steps=sum(n + EPOCH for n in batches) * (epochs - start))
        stacks = not isinstance(key, int) and (xla or (len(members) > 1 and max(batches) <= FEW))
        for unit in [members] if stacks else [[i] for i in members]:
            chosen = {name: [part[i] for i in unit] for name, part in parts.items()}
            plan = Plan(range(start, epochs), batch_size, [seeds[i] for i in unit], stop)
            units.append((unit, _stacked((key, xla), [models[i] for i in unit], chosen, plan, xla) if stacks
                          else _alone(models[unit[0]], chosen, plan)))
    return _side_by_side(units, len(models), on_epoch, stop or Event())


def _side_by_side(units: list[Unit], members: int, on_epoch: OnEpochs | None, stop: Event) -> list[Trained] | None:
    """Run every unit to its end, an epoch each in turn, as many at a time as there are cores."""
    waiting, trained, lock, failed = deque(units), dict[int, Trained](), threading.Lock(), Event()

    def work() -> None:
        try:
            while not failed.is_set() and not stop.is_set():
                with lock:
                    if not waiting:
                        return
                    unit, training = waiting.popleft()
                try:
                    epoch, logs = next(training)
                except StopIteration as end:
                    trained.update(zip(unit, end.value or [], strict=False))
                    continue
                with lock:
                    waiting.append((unit, training))
                    if on_epoch is not None:
                        on_epoch(epoch, dict(zip(unit, logs, strict=True)))
        except BaseException:
            failed.set()
            raise

    try:
        with ThreadPoolExecutor(CORES) as pool:
            others = [pool.submit(work) for _ in range(min(len(units), CORES) - 1)]
            work()
        for other in others:
            other.result()
    finally:
        for _, training in units:
            training.close()  # those that were stopped give back what they borrowed
    return [trained[i] for i in range(members)] if len(trained) == members else None


def can_stack(model: keras.Model) -> bool:
    """Tell whether a compiled, built model fits a stack: stateless layers, dropout, optimizer with an update rule."""
    reduction = "sum_over_batch_size" if isinstance(model.loss, str) else getattr(model.loss, "reduction", None)
    return (type(model) in (keras.Sequential, Functional) and not model.run_eagerly
            and len(model.inputs) == len(model.outputs) == 1
            and reduction in ("sum_over_batch_size", "mean") and not model.non_trainable_weights
            and has_rule(model) and isinstance(model.optimizer._learning_rate, keras.Variable)
            and all(map(_is_rowwise, model._flatten_layers(include_self=False))))


def _alone(model: keras.Model, parts: dict[str, list[Rows]], plan: Plan) -> Training:
    """Train one model by itself, with the same result as in a stack."""
    rows = parts["rows"][0]
    with GRAPHS.borrow(model, rows, batch_size=plan.batch_size, xla=False) as graph:
        trainer = Trainer(model, *rows, validation=parts.get("validation", [None])[0], batch_size=plan.batch_size,
                          seed=plan.seeds[0], graph=graph)
        trainer.epochs_done = plan.epochs.start
        test = Trainer(model, *rows, validation=parts["test"][0], graph=graph) if "test" in parts else None
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
            yield epoch + 1, [logs]
        scored = trainer.evaluate(stop=plan.stop) if "validation" in parts else (math.nan, math.nan, None)
        return None if scored is None else [Trained(curves, scored[2])]


def _stacked(key: Any, models: list[keras.Model], parts: dict[str, list[Rows]], plan: Plan, jit: bool) -> Training:
    """Train models of one architecture in one graph."""
    with _borrowed(key, models[0], jit) as stack:
        return (yield from stack.train(models, parts, plan))


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

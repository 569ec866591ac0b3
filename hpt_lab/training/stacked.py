"""Models of one architecture trained together: folds, seeds, or a rung's trials, in one graph.

A small model's batch is too little work to fill a processor. P models of the same shapes, stacked along a leading
axis, do the work of P batches in one operation: `tf.vectorized_map` turns the forward and backward pass of one member
into the pass of all. Everything else is elementwise, so that members may differ in weights, seeds, learning rate,
weight decay, dropout rate, L2 factor and rows. The mathematics is that of training each alone on the same batches.
A member with fewer rows is padded with rows of weight zero, and rests while longer members finish their epoch; one that
diverges spoils nobody else's numbers.

Read `Stack._step` first; `train_together` is the way in, and trains one by one what can't be stacked.
"""

from __future__ import annotations

import functools
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras.src.models import Functional

from hpt_lab.errors import DataError, HptError
from hpt_lab.training.epochs import Curves, Trainer, as_rows, batch_order
from hpt_lab.training.graph_cache import architecture
from hpt_lab.training.graphs import (
    CALL_SECONDS,
    FIRST_STEPS,
    accuracy_kind,
    build_variables,
    check_compiled,
    knobs,
    replaced,
)
from hpt_lab.training.metrics import gives_logits
from hpt_lab.training.philox import uniform
from hpt_lab.training.update_rules import has_rule, slot_variables, update

Rows = tuple[Any, Any]  # (x, y), rows first
OnEpochs = Callable[[int, dict[int, dict[str, float]]], None]  # epochs trained so far, every member's values

LAYERS = {"InputLayer", "Dense", "Activation", "Dropout", "Flatten", "Reshape", "Rescaling", "ReLU", "LeakyReLU",
          "PReLU", "ELU", "Softmax", "LayerNormalization", "Add", "Multiply", "Concatenate"}  # no row sees another row
ROWS_AT_ONCE = 1024  # rows per member and forward pass when validating
KEPT = 8  # traced stacks waiting to be used again


@dataclass(frozen=True)
class Trained:
    """What training gave one member: values per epoch of each quantity, and outputs (n, ...) on its validation rows."""

    curves: Curves
    predictions: np.ndarray | None


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
        plan = _Plan(range(start, epochs), batch_size, [seeds[i] for i in members], report, stop)
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
            and has_rule(model.optimizer) and all(map(_is_rowwise, model._flatten_layers(include_self=False))))


@dataclass(frozen=True)
class _Plan:
    """What is the same for stacked models and for one trained alone."""

    epochs: range
    batch_size: int
    seeds: list[Any]
    report: Callable[[int, list[dict[str, float]]], None] | None
    stop: Event | None

    @property
    def stopped(self) -> bool:
        return self.stop is not None and self.stop.is_set()


class _State(NamedTuple):
    """All that training changes, of P members with N weights each."""

    weights: Any  # (P, N): a member's trainable variables, flattened, one after the other
    slots: list[Any]  # the optimizer's, each (P, N)
    steps: Any  # (P,) gradient steps taken
    seeds: list[Any]  # for every dropout layer (P, 2): seed and number of masks drawn, as Keras counts


class _Settings(NamedTuple):
    """What may differ from member to member, each (P,)."""

    rate: Any
    decay: Any
    dials: list[Any]  # values of `graphs.knobs`: dropout rates, L1 and L2 factors


class Stack:
    """The traced training loop and forward pass of P models like `model`, for any P (each is compiled once)."""

    def __init__(self, model: keras.Model, *, jit: bool):
        self.model, self.kind, self.logits = model, accuracy_kind(model), gives_logits(model)
        self.shapes = [tuple(v.shape) for v in model.trainable_variables]
        self.decays = None  # (N,) 1.0 where weight decay applies
        if model.optimizer.weight_decay is not None:
            self.decays = np.concatenate([np.full(v.shape, model.optimizer._use_weight_decay(v), np.float32).ravel()
                                          for v in model.trainable_variables])
        self._train_call = tf.function(self._train, autograph=False, jit_compile=jit)
        self._evaluate_call = tf.function(self._evaluate, autograph=False, jit_compile=jit)

    # Traced functions. P members, B rows a batch; `table` holds everybody's rows, `order` says whose are where.

    def _train(self, state: _State, settings: _Settings, table: Any, order: Any, n: Any, sums: Any, start: Any,
               stop: Any, size: int) -> Any:
        """Take the steps start..stop-1. `order`: (P, steps * B); `n`: (P,) rows each; `sums`: losses, hits so far."""
        def body(i: Any, state: _State, sums: Any) -> Any:
            batch = tf.slice(order, [0, i * size], [order.shape[0], size])
            state, loss, hits = self._step(state, settings, table, batch, tf.clip_by_value(n - i * size, 0, size))
            return i + 1, state, (sums[0] + loss, sums[1] + hits)

        return tf.while_loop(lambda i, *_: i < stop, body, (start, state, sums), parallel_iterations=1)[1:]

    def _step(self, state: _State, settings: _Settings, table: Any, batch: Any, present: Any) -> Any:
        """Take one gradient step of every member. `batch`: (P, B) rows, of which the first `present` (P,) count."""
        x, y = (tf.gather(part, batch) for part in table)  # (P, B, ...)
        members = state.weights, settings.dials, state.seeds, x, y, _row_weights(present, batch.shape[1])
        loss, hits, gradient = tf.vectorized_map(self._gradient, members)
        weights, slots = update(
            self.model.optimizer, state.weights, gradient, state.slots, rate=settings.rate[:, None],
            step=tf.cast(state.steps + 1, tf.float32)[:, None],
            decay=None if self.decays is None else settings.decay[:, None] * self.decays)
        active = present > 0  # a member that is through its rows waits for the others
        weights, *slots = (tf.where(active[:, None], new, old) for new, old in
                           zip([weights, *slots], [state.weights, *state.slots], strict=True))
        taken = tf.cast(active, tf.int32)
        seeds = [seed + tf.cast(tf.stack([0 * taken, taken], axis=1), seed.dtype) for seed in state.seeds]
        return _State(weights, slots, state.steps + taken, seeds), loss * tf.cast(present, tf.float32), hits

    def _evaluate(self, weights: Any, dials: Any, table: Any, rows: Any, n: Any) -> Any:
        """Return mean losses (P,), hits (P,) and outputs (chunks, P, C, ...). `rows`: (chunks, P, C)."""
        size = rows.shape[2]

        def chunk(arguments: Any) -> Any:
            i, batch = arguments
            x, y = (tf.gather(part, batch) for part in table)
            present = tf.clip_by_value(n - i * size, 0, size)
            members = weights, dials, x, y, _row_weights(present, size)
            loss, hits, outputs = tf.vectorized_map(
                lambda m: self._forward(m[0], m[1], [], *m[2:], training=False), members)
            return loss * tf.cast(present, tf.float32), hits, outputs

        loss, hits, outputs = tf.map_fn(chunk, (tf.range(rows.shape[0]), rows), fn_output_signature=(
            tf.float32, tf.float32, tf.float32))
        return tf.reduce_sum(loss, 0) / tf.cast(n, tf.float32), tf.reduce_sum(hits, 0), outputs

    # One member's forward and backward pass, which `vectorized_map` turns into everybody's.

    def _gradient(self, member: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(member[0])
            loss, hits, _ = self._forward(*member, training=True)
        return loss, hits, tape.gradient(loss, member[0])

    def _forward(self, weights: Any, dials: Any, seeds: Any, x: Any, y: Any, row_weight: Any, *, training: bool) -> Any:
        model, masks = self.model, iter(seeds)
        parts = tf.split(weights, [math.prod(shape) for shape in self.shapes])
        weights = [tf.reshape(part, shape) for part, shape in zip(parts, self.shapes, strict=True)]
        dialled = []
        for (owner, name), dial in zip(knobs(model), dials, strict=True):
            dialled.append((owner, "call", _dropout(dial, next(masks, None))) if name == "rate"
                           else (owner, name, dial))
        unused = [tf.zeros(v.shape, v.dtype) for v in model.non_trainable_variables]  # seeds come from outside
        with replaced(dialled):
            outputs, _, extra = model.stateless_call(weights, unused, x, training=training, return_losses=True)
        loss = tf.add_n([model._compile_loss(y, outputs, row_weight), *extra])
        return loss, tf.reduce_sum(tf.where(row_weight > 0, self._right(y, outputs), 0.0)), outputs

    def _right(self, y: Any, outputs: Any) -> Any:
        """Tell for every row (B,) how right its prediction is: 1 or 0, and 0 for regressions."""
        flat = tf.reshape(outputs, [outputs.shape[0], -1])
        if self.kind is None:
            return tf.zeros(flat.shape[0])
        if self.kind == "binary":
            truth = tf.cast(tf.reshape(y, flat.shape), tf.float32) > 0.5
            return tf.reduce_mean(tf.cast((flat > (0.0 if self.logits else 0.5)) == truth, tf.float32), axis=1)
        truth = tf.argmax(y, -1) if y.shape == flat.shape else tf.cast(tf.reshape(y, [-1]), tf.int64)
        return tf.cast(tf.argmax(flat, -1) == truth, tf.float32)

    # Eager drivers.

    def train(self, models: list[keras.Model], parts: dict[str, list[Rows]], plan: _Plan) -> list[Trained] | None:
        """Train the models in place; None when stopped, and then they are as they were."""
        state, settings = _read(models)
        tables = {name: _Table(part) for name, part in parts.items()}
        rows, checked = tables.pop("rows"), {name: table.chunks() for name, table in tables.items()}
        curves: list[Curves] = [{} for _ in models]
        outputs, self._pace, self._calls = None, 0.0, 0
        for epoch in plan.epochs:
            trained = self._epoch(state, settings, rows, plan, epoch)
            if trained is None:
                return None
            state, loss, hits = trained
            values = self._named("", loss.numpy() / rows.n, hits.numpy() / rows.n)
            for name, table in tables.items():
                loss, hits, predicted = self._evaluate_call(state.weights, settings.dials, table.rows, *checked[name])
                values |= self._named("test_" if name == "test" else "val_", loss.numpy(), hits.numpy() / table.n)
                outputs = predicted if name == "validation" else outputs
            logs = [{key: float(value[i]) for key, value in values.items()} for i in range(len(models))]
            for curve, log in zip(curves, logs, strict=True):
                for key, value in log.items():
                    curve.setdefault(key, []).append(value)
            if plan.report is not None:
                plan.report(epoch + 1, logs)
        if outputs is None and "validation" in tables:  # there was no epoch left to train
            outputs = self._evaluate_call(state.weights, settings.dials, tables["validation"].rows,
                                          *checked["validation"])[2]
        _write(models, state)
        predictions = [None] * len(models) if outputs is None else tables["validation"].split(outputs.numpy())
        return [Trained(curve, p) for curve, p in zip(curves, predictions, strict=True)]

    def _epoch(self, state: _State, settings: _Settings, rows: _Table, plan: _Plan, epoch: int) -> Any:
        """Train one epoch, in graph calls short enough for `stop` to be seen; return state, summed losses and hits."""
        order, steps, done = rows.order(plan, epoch), rows.steps(plan.batch_size), 0
        n, sums = tf.constant(rows.n), (tf.zeros(len(rows.n)), tf.zeros(len(rows.n)))
        while done < steps:
            if plan.stopped:
                return None
            end = min(steps, done + (max(1, int(CALL_SECONDS / self._pace)) if self._pace else FIRST_STEPS))
            started = time.perf_counter()
            state, sums = self._train_call(state, settings, rows.rows, order, n, sums, tf.constant(done),
                                           tf.constant(end), plan.batch_size)
            sums[0].numpy()  # wait for it
            if self._calls:  # the first call compiles
                self._pace = max((time.perf_counter() - started) / (end - done), 1e-6)
            self._calls, done = self._calls + 1, end
        return state, *sums

    def _named(self, prefix: str, loss: np.ndarray, accuracy: np.ndarray) -> dict[str, np.ndarray]:
        fine = np.isfinite(loss)
        named = {f"{prefix}loss": np.where(fine, loss, math.nan)}
        return named if self.kind is None else named | {f"{prefix}accuracy": np.where(fine, accuracy, math.nan)}


class _Table:
    """Every member's rows in one tensor; members that share their rows share them here."""

    def __init__(self, parts: list[Rows]):
        first: dict[int, int] = {}
        different: list[Rows] = []
        total = 0
        for part in parts:
            if id(part) not in first:
                first[id(part)], total = total, total + len(part[0])
                different.append(part)
        self.rows = tuple(tf.concat(columns, 0) if len(columns) > 1 else columns[0] for columns in zip(*different,
                                                                                                      strict=True))
        self.first = np.array([first[id(part)] for part in parts], np.int32)  # (P,) where a member's rows begin
        self.n = np.array([len(part[0]) for part in parts], np.int32)  # (P,) how many there are

    def steps(self, batch_size: int) -> int:
        return math.ceil(int(self.n.max()) / batch_size)

    def order(self, plan: _Plan, epoch: int) -> tf.Tensor:
        """Lay out (P, steps * B) rows: every member's batch order, then padding with its first row."""
        order = np.zeros((len(self.n), self.steps(plan.batch_size) * plan.batch_size), np.int32)
        for row, n, seed in zip(order, self.n, plan.seeds, strict=True):
            row[:n] = batch_order(int(n), seed=seed, epoch=epoch)
        return tf.constant(order + self.first[:, None])

    def chunks(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Lay out the rows in order as (chunks, P, C), padded; and how many each member has, (P,)."""
        most = int(self.n.max())
        number = math.ceil(most / ROWS_AT_ONCE)
        size = math.ceil(most / number)
        place = np.arange(number * size)
        rows = np.where(place < self.n[:, None], place, 0) + self.first[:, None]
        return tf.constant(rows.reshape(-1, number, size).swapaxes(0, 1).astype(np.int32)), tf.constant(self.n)

    def split(self, outputs: np.ndarray) -> list[np.ndarray]:
        """Cut outputs (chunks, P, C, ...) into one array (n, ...) for every member."""
        joined = outputs.swapaxes(0, 1).reshape(len(self.n), -1, *outputs.shape[3:])
        return [rows[:n] for rows, n in zip(joined, self.n, strict=True)]


def _read(models: list[keras.Model]) -> tuple[_State, _Settings]:
    """Stack the models' variables and settings."""
    def flat(variables: Any) -> np.ndarray:
        return np.concatenate([v.numpy().ravel() for v in variables])

    def stack(values: Any) -> tf.Tensor:
        return tf.constant(np.stack(list(values)))

    weights = stack(flat(m.trainable_variables) for m in models)
    slots = [stack(map(flat, kind)) for kind in zip(*(slot_variables(m.optimizer) for m in models), strict=True)]
    steps = stack(np.int32(m.optimizer.iterations.numpy()) for m in models)
    seeds = [stack(v.numpy() for v in layer) for layer in zip(*map(_seed_states, models), strict=True)]
    rate = stack(m.optimizer.learning_rate.numpy() for m in models)
    decay = stack(np.float32(m.optimizer.weight_decay or 0.0) for m in models)
    dials = [stack(np.float32(getattr(*knob)) for knob in each) for each in zip(*map(knobs, models), strict=True)]
    return _State(weights, slots, steps, seeds), _Settings(rate, decay, dials)


def _write(models: list[keras.Model], state: _State) -> None:
    """Put every member's part of the state into its model."""
    weights, slots, steps, seeds = tf.nest.map_structure(lambda t: t.numpy(), state)
    for i, model in enumerate(models):
        for variables, values in zip([model.trainable_variables, *slot_variables(model.optimizer)], [weights, *slots],
                                     strict=True):
            ends = np.cumsum([math.prod(v.shape) for v in variables])
            for variable, part in zip(variables, np.split(values[i], ends[:-1]), strict=True):
                variable.assign(part.reshape(variable.shape))
        for variable, value in zip([model.optimizer.iterations, *_seed_states(model)], [steps, *seeds], strict=True):
            variable.assign(value[i])


def _alone(model: keras.Model, parts: dict[str, list[Rows]], plan: _Plan) -> list[Trained] | None:
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


def _seed_states(model: keras.Model) -> list[Any]:
    return [owner.seed_generator.state for owner, name in knobs(model) if name == "rate"]


def _dropout(rate: Any, seed: Any) -> Callable[..., Any]:
    """Make the `call` of a dropout layer for one member; the mask is the one Keras would draw."""
    def call(inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        kept = uniform(tf.math.floormod(seed, tf.int32.max - 1), tuple(inputs.shape)) >= rate
        return tf.where(kept, inputs / (1 - rate), 0.0)
    return call


def _row_weights(present: Any, size: int) -> tf.Tensor:
    """Weigh the rows of batches (P, size) of which the first `present` (P,) count, so that Keras' mean is theirs."""
    share = size / tf.maximum(tf.cast(present, tf.float32), 1.0)
    return tf.where(tf.range(size) < present[:, None], share[:, None], 0.0)


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

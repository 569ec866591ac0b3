"""The graph that trains P models of one architecture at once, stacked along a leading axis.

`tf.vectorized_map` turns one member's forward and backward pass into everybody's. The rest is
elementwise: every variable, optimizer slot and setting has one entry per member. Members are padded
    to the same number of rows; padding weighs
nothing, and a member that is through its rows rests while longer ones finish their epoch.

Read `Stack._step` first; `stacked.train_together` says which models come here.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from threading import Event
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from hpt_lab.training.epochs import Curves, batch_order
from hpt_lab.training.graphs import CALL_SECONDS, FIRST_STEPS, executor, is_small
from hpt_lab.training.knobs import knobs, replaced
from hpt_lab.training.metrics import accuracy_kind, gives_logits
from hpt_lab.training.philox import uniform
from hpt_lab.training.update_rules import slot_variables, update

Rows = tuple[Any, Any]  # (x, y), rows first
ROWS_AT_ONCE = 1024  # rows per member and forward pass when validating


def _is_no_retracing_note(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in record.getMessage()


# Every stack is traced once, which is its purpose. TensorFlow counts by the method's name and takes
# several for one.
tf.get_logger().addFilter(_is_no_retracing_note)


@dataclass(frozen=True)
class Trained:
    """What training gave one member: values per epoch of each quantity, and outputs (n, ...) on its
    validation rows."""

    curves: Curves
    predictions: np.ndarray | None


@dataclass(frozen=True)
class Plan:
    """What is the same for stacked models and for one trained alone."""

    epochs: range
    batch_size: int
    seeds: list[Any]
    stop: Event | None

    @property
    def stopped(self) -> bool:
        return self.stop is not None and self.stop.is_set()


class _State(NamedTuple):
    """All that training changes, of P members."""

    weights: list[Any]  # the trainable variables, each (P, ...)
    slots: list[list[Any]]  # the optimizer's, kind by kind, each a list like `weights`
    steps: Any  # (P,) gradient steps taken
    seeds: list[
        Any
    ]  # for every dropout layer (P, 2): seed and number of masks drawn, as Keras counts


class _Settings(NamedTuple):
    """What may differ from member to member, each (P,)."""

    rate: Any
    decay: Any
    dials: list[Any]  # values of `graphs.knobs`: dropout rates, L1 and L2 factors


class Stack:
    """The traced training loop and forward pass of P models like `model`, for any P (each is
    compiled once)."""

    def __init__(self, model: keras.Model, *, jit: bool):
        self.model, self.kind, self.logits = model, accuracy_kind(model), gives_logits(model)
        self.decays = [
            model.optimizer.weight_decay is not None and model.optimizer._use_weight_decay(v)
            for v in model.trainable_variables
        ]  # which variables weight decay applies to
        self.small = is_small(model)
        self._train_call = tf.function(self._train, autograph=False, jit_compile=jit)
        self._evaluate_call = tf.function(self._evaluate, autograph=False, jit_compile=jit)

    # Traced functions. P members, B rows a batch; `table` holds everybody's rows, `order` says
    # whose are where.

    def _train(
        self,
        state: _State,
        settings: _Settings,
        table: Any,
        order: Any,
        n: Any,
        sums: Any,
        start: Any,
        stop: Any,
        size: int,
        ragged: bool,
    ) -> Any:
        """Take the steps start..stop-1. `order`: (P, steps * B); `n`: (P,) rows each; `sums`:
        losses, hits so far.

        `ragged`: some members have fewer batches than others.
        """

        def body(i: Any, state: _State, sums: Any) -> Any:
            batch = tf.slice(order, [0, i * size], [order.shape[0], size])
            present = tf.clip_by_value(n - i * size, 0, size)
            state, loss, hits = self._step(state, settings, table, batch, present, ragged)
            return i + 1, state, (sums[0] + loss, sums[1] + hits)

        return tf.while_loop(
            lambda i, *_: i < stop, body, (start, state, sums), parallel_iterations=1
        )[1:]

    def _step(
        self, state: _State, settings: _Settings, table: Any, batch: Any, present: Any, ragged: bool
    ) -> Any:
        """Take one gradient step of every member. `batch`: (P, B) rows, of which the first
        `present` (P,) count."""
        x, y = (tf.gather(part, batch) for part in table)  # (P, B, ...)
        members = (
            state.weights,
            settings.dials,
            state.seeds,
            x,
            y,
            _row_weights(present, batch.shape[1]),
        )
        loss, hits, gradients = tf.vectorized_map(self._gradient, members)
        active = present > 0  # a member that is through its rows waits for the others
        weights, slots = self._update(state, settings, gradients, active if ragged else None)
        taken = tf.cast(active, tf.int32)
        seeds = [
            seed + tf.cast(tf.stack([0 * taken, taken], axis=1), seed.dtype) for seed in state.seeds
        ]
        return (
            _State(weights, slots, state.steps + taken, seeds),
            loss * tf.cast(present, tf.float32),
            hits,
        )

    def _update(self, state: _State, settings: _Settings, gradients: list[Any], active: Any) -> Any:
        """Return weights and slots after the optimizer's step; those who aren't `active` (None: all
        are) keep theirs."""
        step, weights, slots = tf.cast(state.steps + 1, tf.float32), [], []
        for i, (weight, gradient) in enumerate(zip(state.weights, gradients, strict=True)):

            def each(values: Any, rank: int = len(weight.shape)) -> Any:
                return tf.reshape(values, [-1] + [1] * (rank - 1))  # (P, 1, ...)

            mine = [kind[i] for kind in state.slots]
            changed = update(
                self.model.optimizer,
                weight,
                gradient,
                mine,
                rate=each(settings.rate),
                step=each(step),
                decay=each(settings.decay) if self.decays[i] else None,
            )
            new = [changed[0], *changed[1]]
            if active is not None:
                new = [
                    tf.where(each(active), after, before)
                    for after, before in zip(new, [weight, *mine], strict=True)
                ]
            weights.append(new[0])
            slots.append(new[1:])
        return weights, [list(kind) for kind in zip(*slots, strict=True)]

    def _evaluate(self, weights: Any, dials: Any, table: Any, rows: Any, n: Any) -> Any:
        """Return mean losses (P,), hits (P,) and outputs (chunks, P, C, ...). `rows`: (chunks, P,
        C)."""
        size = rows.shape[2]

        def chunk(arguments: Any) -> Any:
            i, batch = arguments
            x, y = (tf.gather(part, batch) for part in table)
            present = tf.clip_by_value(n - i * size, 0, size)
            members = weights, dials, x, y, _row_weights(present, size)
            loss, hits, outputs = tf.vectorized_map(
                lambda m: self._forward(m[0], m[1], [], *m[2:], training=False), members
            )
            return loss * tf.cast(present, tf.float32), hits, outputs

        loss, hits, outputs = tf.map_fn(
            chunk,
            (tf.range(rows.shape[0]), rows),
            fn_output_signature=(tf.float32, tf.float32, tf.float32),
        )
        return tf.reduce_sum(loss, 0) / tf.cast(n, tf.float32), tf.reduce_sum(hits, 0), outputs

    # One member's forward and backward pass, which `vectorized_map` turns into everybody's.

    def _gradient(self, member: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(member[0])
            loss, hits, _ = self._forward(*member, training=True)
        gradients = tape.gradient(
            loss, member[0], unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
        return loss, hits, gradients

    def _forward(
        self,
        weights: Any,
        dials: Any,
        seeds: Any,
        x: Any,
        y: Any,
        row_weight: Any,
        *,
        training: bool,
    ) -> Any:
        model, masks, dialled = self.model, iter(seeds), []
        for (owner, name), dial in zip(knobs(model), dials, strict=True):
            dialled.append(
                (owner, "call", _dropout(dial, next(masks, None)))
                if name == "rate"
                else (owner, name, dial)
            )
        unused = [
            tf.zeros(v.shape, v.dtype) for v in model.non_trainable_variables
        ]  # seeds come from outside
        with replaced(dialled):
            outputs, _, extra = model.stateless_call(
                weights, unused, x, training=training, return_losses=True
            )
        loss = tf.add_n([model._compile_loss(y, outputs, row_weight), *extra])
        return loss, tf.reduce_sum(tf.where(row_weight > 0, self._right(y, outputs), 0.0)), outputs

    def _right(self, y: Any, outputs: Any) -> Any:
        """Tell for every row (B,) how right its prediction is: 1 or 0, and 0 for regressions."""
        flat = tf.reshape(outputs, [outputs.shape[0], -1])
        if self.kind is None:
            return tf.zeros(flat.shape[0])
        if self.kind == "binary":
            truth = tf.cast(tf.reshape(y, flat.shape), tf.float32) > 0.5
            return tf.reduce_mean(
                tf.cast((flat > (0.0 if self.logits else 0.5)) == truth, tf.float32), axis=1
            )
        truth = (
            tf.argmax(y, -1) if y.shape == flat.shape else tf.cast(tf.reshape(y, [-1]), tf.int64)
        )
        return tf.cast(tf.argmax(flat, -1) == truth, tf.float32)

    # Eager drivers.

    def train(
        self, models: list[keras.Model], parts: dict[str, list[Rows]], plan: Plan
    ) -> Generator[tuple[int, list[dict[str, float]]], None, list[Trained] | None]:
        """Train the models in place, but only at the end; yield after every epoch; None when
        stopped."""
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
                with executor(self.small):
                    loss, hits, predicted = self._evaluate_call(
                        state.weights, settings.dials, table.rows, *checked[name]
                    )
                values |= self._named(
                    "test_" if name == "test" else "val_", loss.numpy(), hits.numpy() / table.n
                )
                outputs = predicted if name == "validation" else outputs
            logs = [
                {key: float(value[i]) for key, value in values.items()} for i in range(len(models))
            ]
            for curve, log in zip(curves, logs, strict=True):
                for key, value in log.items():
                    curve.setdefault(key, []).append(value)
            yield epoch + 1, logs
        if outputs is None and "validation" in tables:  # there was no epoch left to train
            with executor(self.small):
                outputs = self._evaluate_call(
                    state.weights, settings.dials, tables["validation"].rows, *checked["validation"]
                )[2]
        _write(models, state)
        predictions = (
            [None] * len(models) if outputs is None else tables["validation"].split(outputs.numpy())
        )
        return [Trained(curve, p) for curve, p in zip(curves, predictions, strict=True)]

    def _epoch(
        self, state: _State, settings: _Settings, rows: _Table, plan: Plan, epoch: int
    ) -> Any:
        """Train one epoch, in graph calls short enough for `stop` to be seen; return state, summed
        losses and hits."""
        order, steps, done = rows.order(plan, epoch), rows.steps(plan.batch_size), 0
        n, sums = tf.constant(rows.n), (tf.zeros(len(rows.n)), tf.zeros(len(rows.n)))
        while done < steps:
            if plan.stopped:
                return None
            end = min(
                steps,
                done + (max(1, int(CALL_SECONDS / self._pace)) if self._pace else FIRST_STEPS),
            )
            started = time.perf_counter()
            with executor(self.small):
                state, sums = self._train_call(
                    state,
                    settings,
                    rows.rows,
                    order,
                    n,
                    sums,
                    tf.constant(done),
                    tf.constant(end),
                    plan.batch_size,
                    rows.ragged(plan.batch_size),
                )
            sums[0].numpy()  # wait for it
            if self._calls:  # the first call compiles
                self._pace = max((time.perf_counter() - started) / (end - done), 1e-6)
            self._calls, done = self._calls + 1, end
        return state, *sums

    def _named(self, prefix: str, loss: np.ndarray, accuracy: np.ndarray) -> dict[str, np.ndarray]:
        fine = np.isfinite(loss)
        named = {f"{prefix}loss": np.where(fine, loss, math.nan)}
        return (
            named
            if self.kind is None
            else named | {f"{prefix}accuracy": np.where(fine, accuracy, math.nan)}
        )


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
        self.rows = tuple(
            tf.concat(columns, 0) if len(columns) > 1 else columns[0]
            for columns in zip(*different, strict=True)
        )
        self.first = np.array(
            [first[id(part)] for part in parts], np.int32
        )  # (P,) where a member's rows begin
        self.n = np.array([len(part[0]) for part in parts], np.int32)  # (P,) how many there are

    def steps(self, batch_size: int) -> int:
        return math.ceil(int(self.n.max()) / batch_size)

    def ragged(self, batch_size: int) -> bool:
        return len(set(np.ceil(self.n / batch_size))) > 1

    def order(self, plan: Plan, epoch: int) -> tf.Tensor:
        """Lay out (P, steps * B) rows: every member's batch order, then padding with its first
        row."""
        order = np.zeros((len(self.n), self.steps(plan.batch_size) * plan.batch_size), np.int32)
        for row, n, seed in zip(order, self.n, plan.seeds, strict=True):
            row[:n] = batch_order(int(n), seed=seed, epoch=epoch)
        return tf.constant(order + self.first[:, None])

    def chunks(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Lay out the rows in order as (chunks, P, C), padded; and how many each member has,
        (P,)."""
        most = int(self.n.max())
        number = math.ceil(most / ROWS_AT_ONCE)
        size = math.ceil(most / number)
        place = np.arange(number * size)
        rows = np.where(place < self.n[:, None], place, 0) + self.first[:, None]
        return tf.constant(
            rows.reshape(-1, number, size).swapaxes(0, 1).astype(np.int32)
        ), tf.constant(self.n)

    def split(self, outputs: np.ndarray) -> list[np.ndarray]:
        """Cut outputs (chunks, P, C, ...) into one array (n, ...) for every member."""
        joined = outputs.swapaxes(0, 1).reshape(len(self.n), -1, *outputs.shape[3:])
        return [rows[:n] for rows, n in zip(joined, self.n, strict=True)]


def _read(models: list[keras.Model]) -> tuple[_State, _Settings]:
    """Stack the models' variables and settings."""

    def stack(values: Any) -> tf.Tensor:
        return tf.constant(np.stack(list(values)))

    def each(variables: Any) -> list[tf.Tensor]:  # lists of variables, one from each model
        return [stack(v.numpy() for v in same) for same in zip(*variables, strict=True)]

    weights = each(m.trainable_variables for m in models)
    slots = [
        each(kind) for kind in zip(*(slot_variables(m.optimizer) for m in models), strict=True)
    ]
    steps = stack(np.int32(m.optimizer.iterations.numpy()) for m in models)
    seeds = each(map(_seed_states, models))
    rate = stack(m.optimizer.learning_rate.numpy() for m in models)
    decay = stack(np.float32(m.optimizer.weight_decay or 0.0) for m in models)
    dials = [
        stack(np.float32(getattr(*knob)) for knob in each)
        for each in zip(*map(knobs, models), strict=True)
    ]
    return _State(weights, slots, steps, seeds), _Settings(rate, decay, dials)


def _write(models: list[keras.Model], state: _State) -> None:
    """Put every member's part of the state into its model."""
    values = [tensor.numpy() for tensor in tf.nest.flatten(state)]
    for i, model in enumerate(models):
        slots = [v for kind in slot_variables(model.optimizer) for v in kind]
        mine = [
            *model.trainable_variables,
            *slots,
            model.optimizer.iterations,
            *_seed_states(model),
        ]
        for variable, value in zip(mine, values, strict=True):
            variable.assign(value[i])


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
    """Weigh the rows of batches (P, size) of which the first `present` (P,) count, so that Keras'
    mean is theirs."""
    share = size / tf.maximum(tf.cast(present, tf.float32), 1.0)
    return tf.where(tf.range(size) < present[:, None], share[:, None], 0.0)

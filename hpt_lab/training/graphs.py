"""One epoch as one graph call: the loop over the batches inside a `tf.function`.

For a small network `model.fit` spends over 95 % of its time between the batches. Here that loop is
inside a graph: gather a batch's rows by a permutation, `model.compute_loss`, the optimizer's step;
the mathematics is `model.fit`'s.

Tracing costs 0.2 to 0.4 s, so trials whose models differ only in weights, seeds and learning rate
share what was traced, which reaches variables through handles: an `EpochGraph` hands it its
model's. Dropout rates and L1 and L2 factors are variables too (`knobs.py`). `graph_cache.py` says
which models share a graph. Read `Traced._train` first.
"""

from __future__ import annotations

import functools
import math
import os
import time
import warnings
from contextlib import AbstractContextManager
from threading import Event
from typing import Any, Literal

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow loads

import keras
import numpy as np
import tensorflow as tf

from hpt_lab.errors import HptError
from hpt_lab.training.compiled import (
    accuracy_name,
    count,
    everything,
    fit_alone,
    is_additive,
    keeps_metrics,
    results,
    variables,
)
from hpt_lab.training.compiled import build_variables as build_variables
from hpt_lab.training.compiled import check_compiled as check_compiled
from hpt_lab.training.description import describe
from hpt_lab.training.knobs import dropout_call, knobs, replaced
from hpt_lab.training.metrics import accuracy_kind, gives_logits
from hpt_lab.training.update_rules import FlatUpdate, has_rule

Jit = bool | Literal["auto"]

CALL_SECONDS = 0.08  # a graph call is kept this short, so that `stop` is seen in well under 0.2 s
FIRST_STEPS = 4  # batches in a call whose pace isn't known yet
# validation rows per forward pass; fixed, since a matmul's rounding may depend on its row count
ROWS_AT_ONCE = 512
XLA_STEPS = 20_000  # XLA saves about 0.06 ms per small batch and costs 1.0 to 1.5 s to compile
# weights; above this the arithmetic dominates, and neither XLA nor a single thread is an advantage
SMALL = 100_000
XLA_LAYERS = {
    "InputLayer",
    "Dense",
    "Activation",
    "Dropout",
    "Flatten",
    "Reshape",
    "Rescaling",
    "BatchNormalization",
    "LayerNormalization",
    "ReLU",
    "LeakyReLU",
    "PReLU",
    "ELU",
    "Softmax",
    "Add",
    "Concatenate",
}


class Traced:
    """The training loop and forward pass of an architecture, as graphs that any thread may call for
    any model of it.

    Traced from `model`, whose state is `variables` and whose knobs are `dials`. `rows`: example
    tensors (x, y) or (x, y, sample_weight), each with rows first; calls may have another number of
    rows and another batch size. With `xla`, whose shapes are static, only `evaluate` may have other
    rows.
    """

    def __init__(
        self,
        model: keras.Model,
        dials: list[tf.Variable],
        rows: tuple[Any, ...],
        *,
        batch_size: int,
        xla: bool,
        any_width: bool,
    ):
        self.kind, self.logits, self.small = (
            accuracy_kind(model),
            gives_logits(model),
            is_small(model),
        )
        self.any_width, self.dials = any_width, dials
        self.accuracy = accuracy_name(model)
        self.counts = keeps_metrics(model)
        self.additive = is_additive(model, describe(model, everything(model)).foreign is not None)
        self.spare: list[
            list[tf.Variable]
        ] = []  # shapeless variables that a released model has left
        self.model: Any = model
        train, evaluate = self._trace(rows, batch_size, xla)
        if self.small and any(map(_needs_threads, (train, evaluate))):
            self.small = False
            train, evaluate = self._trace(rows, batch_size, xla)
        place = {id(handle): i for i, handle in enumerate(handles(model, dials))}
        self.calls = [
            (call, [(t, place.get(id(t))) for t in call.captured_inputs])
            for call in (train, evaluate)
        ]
        self.model, self.dials = None, []

    def _trace(self, rows: tuple[Any, ...], batch_size: int, xla: bool) -> tuple[Any, Any]:
        whole, real = tf.TensorSpec([], tf.int32), tf.TensorSpec([], tf.float32)
        rest = (whole, whole, whole, real, real)  # batch_size, start, stop, loss, hits
        data = tf.nest.map_structure(lambda t: tf.TensorSpec([None, *t.shape[1:]], t.dtype), rows)
        with executor(self.small):
            if xla:
                static = tf.nest.map_structure(lambda t: tf.TensorSpec(t.shape, t.dtype), rows)
                order = tf.TensorSpec([len(tf.nest.flatten(rows)[0])], tf.int32)
                steps = tf.function(
                    functools.partial(self._train_static, batch_size),
                    autograph=False,
                    jit_compile=True,
                )
                train = steps.get_concrete_function(static, order, *rest)
            else:
                order = tf.TensorSpec([None], tf.int32)
                train = tf.function(self._train, autograph=False).get_concrete_function(
                    data, order, *rest
                )
            return train, tf.function(self._evaluate, autograph=False).get_concrete_function(data)

    def destroy(self) -> None:
        """Free what was traced: a graph and the body of its loop hold on to each other where
        Python's collector can't see."""
        for call, _ in self.calls:
            bodies = [function._cached_graph for function in call.graph._functions.values()]
            for graph in [*filter(None, bodies), call.graph]:
                graph._functions.clear()
                graph._function_captures.clear()
                graph.Dismantle()
        self.calls = []

    # What is traced. `loss` and `hits` are sums over the rows so far, carried from call to call.

    def _train(
        self, data: Any, order: Any, batch_size: Any, start: Any, stop: Any, loss: Any, hits: Any
    ) -> Any:
        """Take the gradient steps start..stop-1; `order` (n,) says which rows make up which
        batch."""
        flat = FlatUpdate(self.model) if self.small and has_rule(self.model) else None

        def body(i: Any, loss: Any, hits: Any, slots: Any) -> Any:
            batch = gather(data, order[i * batch_size : (i + 1) * batch_size])
            batch_loss, batch_hits, slots = self._step(batch, flat, slots)
            return i + 1, loss + batch_loss, hits + batch_hits, slots

        slots = [] if flat is None else flat.read()
        _, loss, hits, slots = tf.while_loop(
            lambda i, *_: i < stop, body, (start, loss, hits, slots), parallel_iterations=1
        )
        if flat is not None:
            flat.write(slots)
        return loss, hits

    def _train_static(
        self,
        batch_size: int,
        data: Any,
        order: Any,
        _: Any,
        start: Any,
        stop: Any,
        loss: Any,
        hits: Any,
    ) -> Any:
        """Do the same for XLA, which needs static shapes: the last short batch gets a step of its
        own."""
        full, rest = divmod(order.shape[0], batch_size)

        def body(i: Any, loss: Any, hits: Any) -> Any:
            batch_loss, batch_hits, _ = self._step(
                gather(data, tf.slice(order, [i * batch_size], [batch_size]))
            )
            return i + 1, loss + batch_loss, hits + batch_hits

        def last() -> Any:
            batch_loss, batch_hits, _ = self._step(gather(data, order[full * batch_size :]))
            return loss + batch_loss, hits + batch_hits

        if full:
            end = tf.minimum(stop, full)
            loss, hits = tf.while_loop(
                lambda i, *_: i < end, body, (start, loss, hits), parallel_iterations=1
            )[1:]
        return tf.cond(stop > full, last, lambda: (loss, hits)) if rest else (loss, hits)

    def _step(self, batch: Any, flat: FlatUpdate | None = None, slots: Any = None) -> Any:
        """Take one gradient step, as `keras.Model.train_step` does; return the batch's summed loss
        and hits, and slots."""
        model, optimizer = self.model, self.model.optimizer
        with tf.GradientTape() as tape:
            predictions, loss = self._forward(batch, training=True)
            scaled = optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, model.trainable_weights)
        if flat is None:
            optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        else:
            slots = flat.apply(gradients, slots)
        if self.counts:
            count(model, batch, predictions)
        n = tf.cast(tf.shape(tf.nest.flatten(batch)[0])[0], tf.float32)
        return tf.cast(loss, tf.float32) * n, self._hits(batch[1], predictions), slots

    def _evaluate(self, data: Any) -> Any:
        predictions, loss = self._forward(data, training=False)
        if self.counts:
            count(self.model, data, predictions)
        return tf.cast(loss, tf.float32), self._hits(data[1], predictions), predictions

    def _forward(self, batch: Any, *, training: bool) -> Any:
        model, (x, y), weight = self.model, batch[:2], batch[2] if len(batch) > 2 else None
        dialled = [
            (owner, "call", dropout_call(owner, dial)) if name == "rate" else (owner, name, dial)
            for dial, (owner, name) in zip(self.dials, knobs(model), strict=True)
        ]
        with replaced(dialled):
            predictions = model(x, training=training) if model._call_has_training_arg else model(x)
            if (
                self.any_width
            ):  # a loss must know how wide outputs are: (n,) and (n, 1) would broadcast to (n, n)
                predictions.set_shape([None, *model.output_shape[1:]])
            loss = model._compute_loss(
                x=x, y=y, y_pred=predictions, sample_weight=weight, training=training
            )
        return predictions, loss

    def _hits(self, y: Any, predictions: Any) -> Any:
        """Count the rows predicted right, or 0.0 where accuracy has no meaning."""
        if self.kind is None or not tf.is_tensor(predictions) or predictions.shape.rank != 2:
            self.accuracy = None
            return tf.constant(0.0)
        logits = getattr(
            predictions, "_keras_logits", None
        )  # from which Keras takes the loss; then no softmax is needed
        if self.kind == "binary":
            guess = predictions > (0.0 if self.logits else 0.5) if logits is None else logits > 0.0
            truth = (
                tf.reshape(y, tf.shape(predictions)) > tf.cast(0.5, y.dtype)
                if y.dtype.is_floating
                else tf.reshape(y, tf.shape(predictions)) > 0
            )
            return tf.reduce_sum(tf.reduce_mean(tf.cast(guess == truth, tf.float32), axis=-1))
        one_hot = y.shape.rank == 2 and y.shape[-1] != 1
        truth = tf.argmax(y, -1) if one_hot else tf.cast(tf.reshape(y, [-1]), tf.int64)
        guess = tf.argmax(predictions if logits is None else logits, -1)
        return tf.reduce_sum(tf.cast(guess == truth, tf.float32))


class EpochGraph:
    """A model bound to the traced graphs of its architecture, until `release`: its own, or `traced`
    from another such model.

    `rows`, `batch_size`, `xla`: see `Traced`. `any_width`: the model lives in variables without
    fixed shapes while it is bound, so that models that differ in widths share their graphs too.
    """

    def __init__(
        self,
        model: keras.Model,
        rows: tuple[Any, ...],
        *,
        batch_size: int = 32,
        xla: bool = False,
        any_width: bool = False,
        traced: Traced | None = None,
    ):
        self.model: Any = model
        self.seconds_per_step: float | None = None
        self._first_call = True
        self._batch_size = batch_size
        self._knobs = knobs(model)
        self._dials = [
            tf.Variable(float(getattr(owner, name)), trainable=False) for owner, name in self._knobs
        ]
        self._settings = [dial.numpy() for dial in self._dials]
        self._own = [v._value for v in variables(model)] if any_width else []
        spare = (
            traced.spare.pop()
            if traced is not None and traced.spare
            else list(map(_shapeless, self._own))
        )
        for v, value, stored in zip(variables(model), self._own, spare, strict=False):
            stored.assign(value)
            stored._unique_id = value._unique_id  # by which an optimizer knows its variables
            v._value = stored
        try:
            self.traced = traced or Traced(
                model, self._dials, rows, batch_size=batch_size, xla=xla, any_width=any_width
            )
        except BaseException:
            self._give_back()
            raise
        mine = handles(model, self._dials)
        self._train, self._evaluate = [
            functools.partial(
                call._call_flat, captured_inputs=[t if i is None else mine[i] for t, i in captures]
            )
            for call, captures in self.traced.calls
        ]

    def release(self) -> None:
        """Give the model back, trained as far as it is, and hold on to nothing of it."""
        if stored := self._give_back():
            self.traced.spare.append(stored)
        self.model, self._own, self._dials, self._knobs = None, [], [], []
        del self._train, self._evaluate

    def _give_back(self) -> list[tf.Variable]:
        stored = [v._value for v, _ in zip(variables(self.model), self._own, strict=False)]
        for v, value in zip(variables(self.model), self._own, strict=False):
            value.assign(v._value)
            v._value = value
        return stored

    def train(
        self, data: Any, order: np.ndarray, batch_size: int, stop: Event | None
    ) -> tuple[float, float] | None:
        """Train one epoch; return the mean loss and accuracy over its rows, or None when `stop` was
        set."""
        self._begin()
        n, steps = len(order), math.ceil(len(order) / batch_size)
        rows = [*tf.nest.flatten(data), tf.constant(order), tf.constant(batch_size)]
        loss, hits, done = tf.constant(0.0), tf.constant(0.0), 0
        while done < steps:
            if stop is not None and stop.is_set():
                return None
            pace = self.seconds_per_step
            end = min(steps, done + (max(1, int(CALL_SECONDS / pace)) if pace else FIRST_STEPS))
            started = time.perf_counter()
            with executor(self.traced.small):
                loss, hits = self._train([*rows, tf.constant(done), tf.constant(end), loss, hits])
            if not math.isfinite(float(loss)):
                return math.nan, math.nan
            if not self._first_call:  # a first call is slow for other reasons
                self.seconds_per_step = max((time.perf_counter() - started) / (end - done), 1e-6)
            self._first_call, done = False, end
        return float(loss) / n, float(hits) / n

    def evaluate(self, data: Any, stop: Event | None = None) -> tuple[float, float, Any] | None:
        """Predict; return the mean loss, the accuracy and the predictions (n, ...), or None when
        `stop` was set."""
        self._begin()
        size = ROWS_AT_ONCE if self.traced.additive else self._batch_size  # as under `model.fit`
        n, loss, hits, parts = len(tf.nest.flatten(data)[0]), 0.0, 0.0, []
        for first in range(0, n, size):
            if stop is not None and stop.is_set():
                return None
            last = min(n, first + size)
            part = (
                tf.nest.flatten(data)
                if n <= size
                else [t[first:last] for t in tf.nest.flatten(data)]
            )
            with executor(self.traced.small):
                part_loss, part_hits, predictions = self._evaluate(part)
            loss, hits = loss + float(part_loss) * (last - first), hits + float(part_hits)
            parts.append(predictions)
        predictions = tf.nest.map_structure(
            lambda *p: np.concatenate([t.numpy() for t in p]), *parts
        )
        return loss / n, hits / n, predictions

    def metrics(self) -> dict[str, Any]:
        """Read what the last `train` or `evaluate` counted beyond loss and accuracy, by Keras'
        names."""
        return results(self.model) if self.traced.counts else {}

    def _begin(self) -> None:
        if self.traced.counts:
            self.model.reset_metrics()
        for i, (owner, name) in enumerate(self._knobs):
            value = float(getattr(owner, name))
            if value != self._settings[i]:
                self._dials[i].assign(value)
                self._settings[i] = value


def _needs_threads(call: Any) -> bool:
    """Tell whether a graph has what a single thread can't run: a loop traced earlier somewhere
    else, or a condition.

    A condition inside a condition, as in `LossScaleOptimizer`, makes a single thread wait for
    itself for ever.
    """
    graph = call.graph.as_graph_def()
    nodes = [
        *graph.node,
        *(node for function in graph.library.function for node in function.node_def),
    ]
    return any(
        node.op in ("If", "StatelessIf", "Case", "StatelessCase")
        or node.attr["_lower_using_switch_merge"].b
        for node in nodes
    )


def _shapeless(value: tf.Variable) -> tf.Variable:
    """Make a variable of unknown shape in place of another; TensorFlow compiles a call for the
    shapes it knows."""
    return tf.Variable(
        value, trainable=value.trainable, shape=tf.TensorShape([None] * len(value.shape))
    )


def handles(model: keras.Model, dials: list[tf.Variable]) -> list[Any]:
    """List what a graph captures of a bound model."""
    return [v.handle for v in (*(v.value for v in everything(model)), *dials)]


def trace(
    model: keras.Model,
    rows: tuple[Any, ...],
    *,
    batch_size: int,
    xla: bool = False,
    any_width: bool = False,
    traced: Traced | None = None,
) -> EpochGraph | None:
    """Trace a model's epoch unless it is `traced`, or warn and return None if only `model.fit` can
    train it."""
    reason = fit_alone(model)
    if reason is None:
        try:
            return EpochGraph(
                model, rows, batch_size=batch_size, xla=xla, any_width=any_width, traced=traced
            )
        except Exception as error:  # noqa: BLE001  whatever user code raises; `fit` will judge
            reason = (
                f"its epoch can't be traced ({type(error).__name__}: "
                f"{(str(error).splitlines() or [''])[0]})"
            )
    warnings.warn(
        f"training {model.name!r} with model.fit, which is slower: {reason}", stacklevel=3
    )
    return None


def use_xla(model: keras.Model, jit: Jit, *, steps: int) -> bool:
    """Decide whether to compile with XLA: as told, or for small dense models trained for at least
    20,000 batches."""
    if jit not in (True, False, "auto"):
        raise HptError(f"jit must be True, False or 'auto', got {jit!r}")
    layers = {type(layer).__name__ for layer in model._flatten_layers(include_self=False)}
    pays = steps >= XLA_STEPS and layers <= XLA_LAYERS and is_small(model)
    return pays if jit == "auto" else bool(jit)


def is_small(model: keras.Model) -> bool:
    """Tell whether a step of this model costs more in handing out its operations than in doing
    them."""
    return bool(model.count_params() <= SMALL)


def executor(small: bool) -> AbstractContextManager[None]:
    """Choose who runs the operations of a graph that is traced and called inside: for small models
    a single thread.

    That halves the time of a small step, which otherwise goes into waking threads.
    """
    return tf.experimental.function_executor_type("SINGLE_THREADED_EXECUTOR" if small else "")


def gather(data: Any, rows: Any) -> Any:
    """Cut rows out of every tensor of a structure."""
    return tf.nest.map_structure(lambda t: tf.gather(t, rows), data)

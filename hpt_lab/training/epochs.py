"""Train any compiled Keras model epoch by epoch, each epoch one graph call (`graphs.py`).

`Trainer` keeps what lasts longer than an epoch: batch orders, validation, curves, callbacks,
stopping. Read `Trainer.epoch` first; `fit` is the loop around it. A model that brings its own
`train_step`, runs eagerly, or can't be traced is trained by `model.fit` on the same batches, with a
warning.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from threading import Event
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from hpt_lab.arrays import check_finite
from hpt_lab.errors import BuildError, DataError, HptError
from hpt_lab.training.checkpoint import Checkpoint
from hpt_lab.training.compiled import (
    build_variables,
    check_compiled,
    finite,
    make_metrics,
    numbers,
    scalars,
)
from hpt_lab.training.graphs import ROWS_AT_ONCE, EpochGraph, Jit, gather, trace, use_xla

Curves = dict[str, list[float]]
OnEpoch = Callable[
    [int, dict[str, float]], None
]  # epochs trained so far (1 is the first), that epoch's values


class Trainer:
    """Train a compiled Keras model in place, one epoch per call of `epoch()`.

    `x`, `y`: arrays with rows first (or nested structures of them); `validation`: (x, y) or (x, y,
    sample_weight).
    `seed`: a whole number, or several, from which the batch order of every epoch follows
    (`batch_order`). Dropout masks come from the model's own seeds. A new
    `model.optimizer.learning_rate`, `rate` of a dropout layer, or `l1` or `l2` of a regularizer
    counts from the next epoch on; whatever else is changed needs `retrace()`.
    `jit`: compile with XLA; "auto" does so for dense models of up to 100,000 weights when `epochs`
    is given and amounts to at least 20,000 batches, and never for convolutions, which XLA slows
    down on a CPU.
    `callbacks`: Keras callbacks; their epoch and training hooks are called, their batch hooks are
    not.
    `graph`: the model's graph if it has been traced already, None to use `model.fit`.

    >>> trainer = Trainer(model, x, y, validation=(xv, yv))  # doctest: +SKIP
    >>> trainer.epoch()  # doctest: +SKIP
    {'loss': 2.1, 'accuracy': 0.3, 'val_loss': 1.8, 'val_accuracy': 0.5}
    """

    def __init__(
        self,
        model: keras.Model,
        x: Any,
        y: Any,
        *,
        validation: Sequence[Any] | None = None,
        sample_weight: Any = None,
        batch_size: int = 32,
        seed: int | Sequence[int] = 0,
        jit: Jit = "auto",
        epochs: int | None = None,
        callbacks: Iterable[Any] = (),
        graph: EpochGraph | Literal["trace"] | None = "trace",
    ):
        check_compiled(model)
        if not _is_count(batch_size):
            raise HptError(f"batch_size must be a whole number >= 1, got {batch_size!r}; try 32")
        self.model, self.batch_size, self.seed = model, int(batch_size), seed
        weighted = sample_weight is not None or (validation is not None and len(validation) > 2)
        self.data = _weigh(as_rows(x, y, sample_weight), weighted)
        self.validation: Any = None
        if (
            validation is not None
        ):  # one graph serves both, so both have weights or neither, and the types are the same
            self.validation = tf.nest.map_structure(
                lambda t, like: tf.cast(t, like.dtype),
                _weigh(as_rows(*validation), weighted),
                self.data,
            )
        self.epochs_done = 0
        self.curves: Curves = {}
        self.validated: dict[str, Any] = {}  # what the last `evaluate` measured
        self.ended: str | None = None  # why training ended early; None while it may go on
        self._jit, self._epochs = jit, epochs
        build_variables(model, self.data[0])
        make_metrics(model, self.data)
        self.graph: EpochGraph | None = None
        if graph == "trace":
            self.retrace()
        else:
            self.graph = graph
        self._callbacks = keras.callbacks.CallbackList(
            list(callbacks), add_history=False, model=model
        )
        self._began = False
        model.stop_training = False

    def retrace(self) -> None:
        """Trace the model anew: needed after a change of what the graph holds as a constant."""
        steps = (self._epochs or 0) * math.ceil(self.n / self.batch_size)
        xla = use_xla(self.model, self._jit, steps=steps)
        self.graph = trace(self.model, self.data, batch_size=self.batch_size, xla=xla)

    @property
    def diverged(self) -> bool:
        """True when the loss became NaN or infinite."""
        return self.ended is not None and self.ended.startswith("diverged")

    def checkpoint(self) -> Checkpoint:
        """Take the state after the last whole epoch."""
        return Checkpoint.of(self.model, epoch=self.epochs_done, curves=self.curves)

    def resume(self, checkpoint: Checkpoint, *, inherit: bool = False) -> None:
        """Go on from a checkpoint. `inherit`: it is another trial's, so keep this model's learning
        rate and seeds."""
        (checkpoint.inherit if inherit else checkpoint.restore)(self.model)
        self.epochs_done = checkpoint.epoch
        self.curves = {name: list(values) for name, values in checkpoint.curves.items()}

    @property
    def n(self) -> int:
        """Number of training rows."""
        return len(tf.nest.flatten(self.data)[0])

    def epoch(self, *, stop: Event | None = None) -> dict[str, float] | None:
        """Train one more epoch and validate; return its loss, accuracy (classifiers), val_loss,
        val_accuracy.

        What else the model was compiled with comes under Keras' names; a metric that is a vector
        only callbacks see. None means that `stop` was set on the way: the model is then somewhere
        inside an epoch. A loss of NaN or infinity sets `ended` and is reported as NaN.
        """
        if not self._began:
            self._callbacks.on_train_begin()
            self._began = True
        self._callbacks.on_epoch_begin(self.epochs_done)
        order = batch_order(self.n, seed=self.seed, epoch=self.epochs_done)
        logs = self._train(order, stop)
        if logs is None:
            return None
        if self.validation is not None:
            if not math.isfinite(logs["loss"]):
                self.validated = dict.fromkeys(_prefixed("val_", logs), math.nan)
            elif self.evaluate(stop=stop) is None:
                return None
            logs = logs | self.validated
        self.epochs_done += 1
        for name, value in scalars(logs).items():
            self.curves.setdefault(name, []).append(value)
        self._check_monitors(logs)
        self._callbacks.on_epoch_end(self.epochs_done - 1, dict(logs))
        self._look_for_an_end(logs)
        return scalars(logs)

    def _look_for_an_end(self, logs: dict[str, Any]) -> None:
        if not math.isfinite(logs["loss"] + logs.get("val_loss", 0.0)):
            self.ended = (
                f"diverged: the loss is no longer finite in epoch {self.epochs_done}; "
                "try a smaller learning rate"
            )
        elif self.model.stop_training:
            self.ended = f"a callback stopped training after epoch {self.epochs_done}"

    def run(
        self, epochs: int, *, on_epoch: OnEpoch | None = None, stop: Event | None = None
    ) -> bool:
        """Train until `epochs` have been done in total; return False when `stop` ended it before.

        Divergence or a callback may end it earlier: see `ended`.
        """
        while self.epochs_done < epochs and self.ended is None:
            logs = self.epoch(stop=stop)
            if logs is None:
                return False
            if on_epoch is not None:
                on_epoch(self.epochs_done, logs)
        if self._began:
            self._callbacks.on_train_end()
            self._began = False  # a later run begins anew, as another `fit` does
        return True

    def evaluate(self, *, stop: Event | None = None) -> tuple[float, float, Any] | None:
        """Return validation loss, accuracy and predictions (n, ...) of the model as it is.

        `validated` then holds loss, accuracy and what else the model was compiled with, as
        `val_...`.
        """
        if self.validation is None:
            raise DataError("this Trainer has no validation data; give it validation=(x, y)")
        if self.graph is not None:
            result = self.graph.evaluate(self.validation, stop)
            if result is None:
                return None
            self.validated = _prefixed("val_", self._named(*result[:2]))
            return result
        x, y, weight = (*self.validation, None)[:3]
        logs = self.model.evaluate(
            x, y, sample_weight=weight, batch_size=self.batch_size, verbose=0, return_dict=True
        )
        logs = self._with_loss(numbers(logs), "test_step")
        predictions = self.model.predict(x, batch_size=ROWS_AT_ONCE, verbose=0)
        self.validated = _prefixed("val_", logs)
        accuracy = logs.get("accuracy", logs.get("acc", math.nan))
        return logs["loss"], accuracy, predictions

    def _train(self, order: np.ndarray, stop: Event | None) -> dict[str, Any] | None:
        """Train on the batches that `order` names; return loss, accuracy and what else was
        measured."""
        if self.graph is not None:
            trained = self.graph.train(self.data, order, self.batch_size, stop)
            return None if trained is None else self._named(*trained)
        x, y, weight = (*gather(self.data, order), None)[:3]
        callbacks = [] if stop is None else [_StopWhen(stop)]
        history = self.model.fit(
            x,
            y,
            sample_weight=weight,
            batch_size=self.batch_size,
            shuffle=False,
            verbose=0,
            initial_epoch=self.epochs_done,
            epochs=self.epochs_done + 1,
            callbacks=callbacks,
        ).history
        if stop is not None and stop.is_set():
            return None
        logs = numbers({name: values[-1] for name, values in history.items()})
        return self._with_loss(logs, "train_step")

    def _named(self, loss: float, accuracy: float) -> dict[str, Any]:
        """Name what the graph has just measured."""
        assert self.graph is not None
        logs: dict[str, Any] = {"loss": finite(loss)}
        if self.graph.traced.accuracy is not None:
            logs[self.graph.traced.accuracy] = accuracy
        logs |= self.graph.metrics()
        return logs

    def _with_loss(self, logs: dict[str, Any], step: str) -> dict[str, Any]:
        if not isinstance(logs.get("loss"), float):
            raise BuildError(
                f"{type(self.model).__name__}.{step} must return a dictionary with a number "
                f"'loss', got {', '.join(logs) or 'nothing'}; add the loss to what it returns"
            )
        logs["loss"] = finite(logs["loss"])
        return logs

    def _check_monitors(self, logs: dict[str, Any]) -> None:
        """Refuse a callback that watches what nobody measures; Keras only warns and never lets it
        act."""
        for callback in self._callbacks.callbacks:
            monitor = getattr(callback, "monitor", None)
            if (
                isinstance(monitor, str)
                and monitor not in logs
                and getattr(callback, "save_best_only", True)
            ):
                raise HptError(
                    f"{type(callback).__name__} monitors {monitor!r}, which is not measured here; "
                    "measured: "
                    f"{', '.join(logs)}. Monitor one of these, or compile the model with that "
                    "metric"
                )


class _StopWhen(keras.callbacks.Callback):
    """End `model.fit` at the next batch once an event is set."""

    def __init__(self, event: Event):
        super().__init__()
        self.event = event

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.event.is_set():
            self.model.stop_training = True


def _prefixed(prefix: str, logs: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}{name}": value for name, value in logs.items()}


def fit(
    model: keras.Model,
    x: Any,
    y: Any,
    *,
    epochs: int,
    validation: Sequence[Any] | None = None,
    sample_weight: Any = None,
    batch_size: int = 32,
    seed: int | Sequence[int] = 0,
    jit: Jit = "auto",
    callbacks: Iterable[Any] = (),
    on_epoch: OnEpoch | None = None,
    stop: Event | None = None,
) -> Curves:
    """Train a compiled model in place for `epochs` epochs; return its curves, one value per epoch.

    The arguments are those of `Trainer`. Training ends early when `stop` is set, a callback says
    so, or it diverges.
    """
    if not _is_count(epochs):
        raise HptError(f"epochs must be a whole number >= 1, got {epochs!r}")
    trainer = Trainer(
        model,
        x,
        y,
        validation=validation,
        sample_weight=sample_weight,
        batch_size=batch_size,
        seed=seed,
        jit=jit,
        epochs=epochs,
        callbacks=callbacks,
    )
    trainer.run(int(epochs), on_epoch=on_epoch, stop=stop)
    return trainer.curves


def batch_order(n: int, *, seed: int | Sequence[int], epoch: int) -> np.ndarray:
    """Return the order (n,) in which epoch number `epoch` (0 is the first) visits the rows; batches
    are its slices."""
    seeds = [seed] if isinstance(seed, int | np.integer) else list(seed)
    rng = np.random.default_rng(np.random.SeedSequence(seeds, spawn_key=(epoch,)))
    return rng.permutation(n).astype(np.int32)


def as_rows(x: Any, y: Any, sample_weight: Any = None) -> tuple[Any, ...]:
    """Convert to tensors (x, y) or (x, y, sample_weight), float64 and bool to float32.

    Raises DataError unless all have the same number of rows, and where one has a NaN or an
    infinity.
    """
    parts = (
        {"x": x, "y": y}
        if sample_weight is None
        else {"x": x, "y": y, "sample_weight": sample_weight}
    )
    rows = tuple(
        tf.nest.map_structure(partial(_tensor, name), part) for name, part in parts.items()
    )
    sizes = {len(t) for t in tf.nest.flatten(rows)}
    if len(sizes) != 1 or 0 in sizes:
        raise DataError(
            "x, y and sample_weight must have the same number of rows, at least one, got "
            f"{sorted(sizes)}"
        )
    return rows


def _weigh(rows: tuple[Any, ...], weighted: bool) -> tuple[Any, ...]:
    return (*rows, tf.ones(len(tf.nest.flatten(rows)[0]))) if weighted and len(rows) == 2 else rows


def _tensor(name: str, values: Any) -> tf.Tensor:
    if tf.is_tensor(values):
        if hasattr(values, "numpy") and values.dtype.is_floating:
            check_finite(np.asarray(values), name)
        return values
    array = np.asarray(values)
    if array.dtype in (np.float64, np.bool_):
        with np.errstate(over="ignore"):
            array = array.astype(np.float32)
    check_finite(array, f"{name}, in float32,")
    return tf.constant(array)


def _is_count(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= 1

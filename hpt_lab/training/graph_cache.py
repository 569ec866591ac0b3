"""One traced graph per architecture, lent to trial after trial.

Tracing an epoch and preparing it to run costs 0.3 to 0.4 s, as much as 20 to 40 epochs of a small
network. Read
`architecture` first: models with equal answers share a graph. Models of plain dense layers are
traced with variables of unknown shape (`takes_any_width`), so that all widths share one.

Nothing a trial computes depends on whether its graph was waiting in the cache.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from hpt_lab.training.compiled import everything, make_metrics
from hpt_lab.training.description import describe
from hpt_lab.training.graphs import EpochGraph, Traced, is_small, trace
from hpt_lab.training.knobs import knobs

WIDTHLESS = (
    keras.layers.InputLayer,
    keras.layers.Dense,
    keras.layers.Dropout,
    keras.layers.Activation,
    keras.layers.BatchNormalization,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
)
OPTIMIZERS = (
    keras.optimizers.SGD,
    keras.optimizers.RMSprop,
    keras.optimizers.Adam,
    keras.optimizers.AdamW,
)


class GraphCache:
    """Traced graphs by architecture, the least recently used dropped first; threads may use one at
    the same time.

    At most `size` graphs are kept; nothing else outlives a trial.
    """

    def __init__(self, size: int):
        self.size = size
        self._traced: OrderedDict[Any, Traced] = OrderedDict()
        self._users: Counter[Traced] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def borrow(
        self, model: keras.Model, rows: tuple[Any, ...], *, batch_size: int, xla: bool
    ) -> Iterator[EpochGraph | None]:
        """Bind `model` to a graph of its architecture for a while; None: use `model.fit`."""
        make_metrics(model, rows)
        key = architecture(model, rows, xla)
        any_width = key is not None and not xla and takes_any_width(model)
        if key is not None and xla:
            key = (*key, len(tf.nest.flatten(rows)[0]), batch_size)
        with self._lock:  # held while tracing, so that nobody traces the same at the same time
            known = self._traced.pop(key, None)
            graph = trace(
                model, rows, batch_size=batch_size, xla=xla, any_width=any_width, traced=known
            )
            if graph is not None:
                self._users[graph.traced] += 1
                if key is not None:
                    self._traced[key] = graph.traced
                    self._shrink(self.size)
        try:
            yield graph
        finally:
            if graph is not None:
                graph.release()
                with self._lock:
                    self._users[graph.traced] -= 1
                    self._destroy_unused(graph.traced)

    def clear(self) -> None:
        """Drop every graph."""
        with self._lock:
            self._shrink(0)

    def _shrink(self, size: int) -> None:
        while len(self._traced) > size:
            self._destroy_unused(self._traced.popitem(last=False)[1])

    def _destroy_unused(self, traced: Traced) -> None:
        if not self._users[traced]:
            del self._users[traced]
            if traced not in self._traced.values():
                traced.destroy()


GRAPHS = GraphCache(
    64
)  # one per process, since an objective is pickled anew for every call in a process pool


def architecture(
    model: keras.Model, rows: tuple[Any, ...], xla: bool, *, free: Iterable[tuple[Any, str]] = ()
) -> tuple[Any, ...] | None:
    """Describe all that a traced epoch holds as constants; None where that can't be told, so
    nothing may be shared.

    Initial weights, seed states and a constant learning rate are variables, hence not part of it;
    nor are the numbers that a graph reads from dials (`knobs`), and `free` ones. Layer names are:
    `build_model` gives models that are built alike the same names. `description.describe` says what
    can't be told.
    """
    any_width = not xla and takes_any_width(model)
    described = describe(model, everything(model), free=[*knobs(model), *free], any_width=any_width)
    if described.foreign is not None:
        return None
    specs = tuple((tuple(t.shape[1:]), t.dtype.name) for t in tf.nest.flatten(rows))
    layers = tuple(type(layer) for layer in model._flatten_layers())
    width = model.output_shape if any_width else None
    return described.digest, layers, specs, width, len(rows), xla, is_small(model)


def takes_any_width(model: keras.Model) -> bool:
    """Tell whether a graph of this model can serve any number of units: plain dense layers, Keras'
    own loss."""
    layers = model._flatten_layers(include_self=False)
    own = model.loss if isinstance(model.loss, str) else type(model.loss).__module__
    return (
        type(model) is keras.Sequential
        and all(type(layer) in WIDTHLESS and layer.trainable for layer in layers)
        and type(model.optimizer) in OPTIMIZERS
        and (isinstance(model.loss, str) or own.startswith("keras."))
    )

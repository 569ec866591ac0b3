"""One traced graph per architecture, lent to trial after trial.

Tracing an epoch and preparing it to run costs 0.3 to 0.4 s, as much as 20 to 40 epochs of a small network. Read
`architecture` first: models with equal answers share a graph. Models of plain dense layers are traced with variables
of unknown shape (`takes_any_width`), so that all widths share one.

Nothing a trial computes depends on whether its graph was waiting in the cache.
"""

from __future__ import annotations

import json
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import tensorflow as tf

from hpt_lab.training.graphs import EpochGraph, Traced, is_small, trace
from hpt_lab.training.knobs import knobs, replaced

WIDTHLESS = (keras.layers.InputLayer, keras.layers.Dense, keras.layers.Dropout, keras.layers.Activation,
             keras.layers.BatchNormalization, keras.layers.ReLU, keras.layers.LeakyReLU)
OPTIMIZERS = (keras.optimizers.SGD, keras.optimizers.RMSprop, keras.optimizers.Adam, keras.optimizers.AdamW)


class GraphCache:
    """Traced graphs by architecture, the least recently used dropped first; threads may use one at the same time.

    At most `size` graphs are kept; nothing else outlives a trial.
    """

    def __init__(self, size: int):
        self.size = size
        self._traced: OrderedDict[Any, Traced] = OrderedDict()
        self._users: Counter[Traced] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def borrow(self, model: keras.Model, rows: tuple[Any, ...], *, batch_size: int,
               xla: bool) -> Iterator[EpochGraph | None]:
        """Bind `model` to a graph of its architecture for a while; None: use `model.fit`."""
        key, any_width = architecture(model, rows, xla), not xla and takes_any_width(model)
        if key is not None and xla:
            key = (*key, len(tf.nest.flatten(rows)[0]), batch_size)
        with self._lock:  # held while tracing, so that nobody traces the same at the same time
            known = self._traced.pop(key, None)
            graph = trace(model, rows, batch_size=batch_size, xla=xla, any_width=any_width, traced=known)
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


GRAPHS = GraphCache(64)  # one per process, since an objective is pickled anew for every call in a process pool


def architecture(model: keras.Model, rows: tuple[Any, ...], xla: bool) -> tuple[Any, ...] | None:
    """Describe all that a traced epoch holds as constants; None where that can't be told, so nothing may be shared.

    Initial weights, seed states and a constant learning rate are variables, hence not part of it. Layer names are:
    `build_model` gives models that are built alike the same names. Functions and foreign objects among the layers'
    settings (a lambda, an own regularizer) have no faithful description, and make the model unshareable.
    """
    layers, pairs = model._flatten_layers(), knobs(model)
    sharing = tuple([id(other) for other, _ in pairs].index(id(owner)) for owner, _ in pairs)  # one L2 for two layers
    try:
        compiled = {key: value for key, value in model.get_compile_config().items() if "metrics" not in key}
        optimizer = compiled["optimizer"]["config"]
        optimizer.pop("name", None)  # Keras counts: "adam", "adam_1"
        if not isinstance(optimizer.get("learning_rate"), dict):  # a dict is a schedule, a constant of the graph
            del optimizer["learning_rate"]
        with replaced([(owner, name, 0.5) for owner, name in pairs]):
            config = [model.get_config(), compiled]
        if not xla and takes_any_width(model):
            config = [_without(config, {"units", "build_config", "build_input_shape"}), model.output_shape]
        text = json.dumps(config, sort_keys=True)
    except Exception:  # noqa: BLE001  a layer without get_config, or one that gives what JSON can't hold
        return None
    types = tuple(type(layer) for layer in layers)
    if keras.layers.Normalization in types or _foreign(config, {kind.__name__ for kind in types}):
        return None  # Normalization: what it adapted to is a constant of the graph, but not of its config
    specs = tuple((tuple(t.shape[1:]), t.dtype.name) for t in tf.nest.flatten(rows))
    return text, types, type(model.optimizer), type(model.loss), specs, len(rows), sharing, xla, is_small(model)


def _without(config: Any, keys: set[str]) -> Any:
    if isinstance(config, dict):
        return {key: _without(value, keys) for key, value in config.items() if key not in keys}
    return [_without(value, keys) for value in config] if isinstance(config, list | tuple) else config


def _foreign(config: Any, layers: set[str]) -> bool:
    """Tell whether a serialised config holds an object that is neither Keras' own nor one of the model's layers."""
    if isinstance(config, dict):
        name, module = config.get("class_name"), str(config.get("module") or "")
        if name is not None and "config" in config and module.split(".")[0] != "keras" and name not in layers:
            return True
        return any(_foreign(value, layers) for value in config.values())
    return isinstance(config, list | tuple) and any(_foreign(value, layers) for value in config)


def takes_any_width(model: keras.Model) -> bool:
    """Tell whether a graph of this model can serve any number of units: plain dense layers, Keras' own loss."""
    layers = model._flatten_layers(include_self=False)
    own = model.loss if isinstance(model.loss, str) else type(model.loss).__module__
    return (isinstance(model, keras.Sequential) and all(type(layer) in WIDTHLESS for layer in layers)
            and type(model.optimizer) in OPTIMIZERS and (isinstance(model.loss, str) or own.startswith("keras.")))

"""Describe a model down to the last constant, so that two models with equal descriptions compute
the same.

A config is not enough: an attribute set after construction, a function, a frozen flag, a value that
`get_config` forgot are constants of a traced graph too. So the whole web of objects behind a
compiled model is walked, attribute by attribute. Only objects of Keras' own classes, with Keras'
own methods, can be described: whatever else is met (a user's class, whatever it is called or
registered as, a lambda, a variable that is not the model's) is `foreign`, because what its code
reads can't be told, and a model with a foreign part shares nothing.

Variables are described by their place in the model's list, so shared objects and shared weights are
told from equal ones. Read `describe` first, then `_Walk._open`.
"""

from __future__ import annotations

import functools
import hashlib
import re
import sys
import sysconfig
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras.src.models import Functional

HOME = str(Path(keras.__file__).parent)
LIBRARIES = (HOME, str(Path(tf.__file__).parent), sysconfig.get_path("stdlib"))
PLAIN = {type(None), bool, int, float, complex, str, bytes, type(Ellipsis)}
CONTAINERS = (dict, list, tuple, set, frozenset)
PLAIN_MODULES = {"builtins", "collections", "keras", "tensorflow"}
BOOKKEEPING = {  # attributes that no computation reads
    "_tracker",
    "_tracked",
    "_auto_config",
    "_compile_config",
    "_compiled_trainable_state",
    "_nodes",
    "_distribution_strategy",
    "_distribute_strategy",
    "train_function",
    "test_function",
    "predict_function",
    "_path",
    "_parent_path",
    "_lock",
    "_call_signature",
    "_losses",
    "_loss_ids",
    "stop_training",
    "_called",
    "_keras_history",
    "_inbound_nodes",
    "_outbound_nodes",  # see _nodes_by_depth
    "_exclude_from_weight_decay_cache",
    "_eval_epoch_iterator",
}
WRAPPED = {"build", "quantize"}  # which Keras wraps in every instance; they don't run in a graph
WIDTHS = {"units", "_build_shapes_dict", "_input_spec"}


class Described(NamedTuple):
    """A digest of all that the graph of a model holds as constants; what stood in its way, None if
    nothing did."""

    digest: str
    foreign: str | None
    variables: list[
        Any
    ]  # Keras' and TensorFlow's variables met anywhere, those of foreign objects included


def describe(
    model: keras.Model,
    variables: Iterable[Any],
    *,
    free: Iterable[tuple[Any, str]] = (),
    any_width: bool = False,
) -> Described:
    """Walk a built, compiled model. `variables`: its state, which a graph reaches through handles.

    `free`: (object, attribute) pairs whose values don't count. `any_width`: nor do widths of
    layers.
    """
    walk = _Walk(list(variables), {(id(owner), name) for owner, name in free}, any_width)
    walk.run(model)
    settings = keras.config.epsilon(), keras.config.floatx(), keras.config.image_data_format()
    walk.tokens.append(repr(settings))
    digest = hashlib.sha256("\n".join(walk.tokens).encode()).hexdigest()
    return Described(digest, walk.foreign, walk.met)


class _Walk:
    """A depth-first walk that writes a token for everything it meets; loops and sharing become back
    references."""

    def __init__(self, variables: list[Any], free: set[tuple[int, str]], any_width: bool):
        self.place = {id(v): i for i, v in enumerate(variables)}
        # an optimizer keeps tables of its variables by these names, which have a running number
        self.names = {getattr(v._value, "_unique_id", ""): f"v{i}" for i, v in enumerate(variables)}
        self.free, self.any_width = free, any_width
        self.tokens: list[str] = []
        self.seen: dict[int, int] = {}
        self.met: list[Any] = []
        self.foreign: str | None = None
        self._own: dict[type, bool] = {}

    def run(self, root: Any) -> None:
        """Visit everything that can be reached from `root`."""
        waiting = [root]
        while waiting:
            value = waiting.pop()
            if type(value) in PLAIN:
                known = self.names.get(value) if isinstance(value, str) else None
                self.tokens.append(known or repr(value))
            elif id(value) in self.seen:
                self.tokens.append(f"@{self.seen[id(value)]}")
            else:
                self.seen[id(value)] = len(self.seen)
                waiting.extend(reversed(self._open(value)))

    def _open(self, value: Any) -> list[Any]:
        """Write a value's own token; return what it refers to."""
        kind = type(value)
        if isinstance(value, CONTAINERS) and kind.__module__.partition(".")[0] not in PLAIN_MODULES:
            return self._object(value)
        if isinstance(value, dict):
            self.tokens.append(f"dict {len(value)}")
            return [part for item in list(value.items()) for part in item]
        if isinstance(value, list | tuple):
            self.tokens.append(f"list {len(value)}")
            return list(value)
        if isinstance(value, set | frozenset):
            self.tokens.append(f"set {len(value)}")
            return self._ordered(value)
        if isinstance(value, keras.Variable | tf.Variable):
            return self._variable(value)
        if isinstance(value, np.ndarray | np.generic | tf.Tensor):
            return self._array(value)
        if isinstance(value, types.FunctionType | types.MethodType | functools.partial):
            return self._function(value)
        if isinstance(value, tf.DType | tf.TensorShape | types.ModuleType | re.Pattern | slice):
            self.tokens.append(repr(value))
            return []
        if isinstance(value, keras.initializers.Initializer):
            self.tokens.append("initializer")  # whose work is done
            return []
        if isinstance(value, keras.random.SeedGenerator) and self._is_kerass(kind):
            self.tokens.append("seeds")
            return [value.state]
        if isinstance(value, type | types.BuiltinFunctionType):
            return self._named(value)
        return self._object(value)

    def _object(self, value: Any) -> list[Any]:
        kind = type(value)
        attributes = getattr(value, "__dict__", {})
        if not self._is_kerass(kind):
            self._stranger(f"{kind.__module__}.{kind.__qualname__}")
            library = kind.__module__.partition(".")[0] in ("tensorflow", "numpy", "builtins")
            return [] if library else list(attributes.values())
        self.tokens.append(f"{kind.__module__}.{kind.__qualname__}")
        skipped = BOOKKEEPING | (WIDTHS if self.any_width else set())
        if isinstance(value, keras.KerasTensor) and self.any_width:
            skipped = skipped | {"_shape"}
        if not isinstance(value, keras.Layer) or kind is Functional:
            skipped = skipped | {"name"}  # Keras counts: "adam", "adam_1"
        children: list[Any] = []
        for name in sorted(attributes):
            if name in skipped or name.startswith("_self_"):
                continue
            if name in WRAPPED and _is_library(attributes[name]):
                continue
            children += [name, "free" if (id(value), name) in self.free else attributes[name]]
        return children

    def _variable(self, variable: Any) -> list[Any]:
        self.met.append(variable)
        place = self.place.get(id(variable))
        if place is None:
            self._stranger(f"the variable {variable.name}, which is not the model's")
            return []
        shape = len(variable.shape) if self.any_width else tuple(variable.shape)
        self.tokens.append(f"v{place} {variable.dtype} {shape} {variable.trainable}")
        return [variable.constraint, variable.regularizer]

    def _array(self, value: Any) -> list[Any]:
        if isinstance(value, tf.Tensor) and not hasattr(value, "numpy"):
            self._stranger("a symbolic tensor")
            return []
        array = np.asarray(value)
        content = (
            array.tolist() if array.dtype == object else hashlib.sha256(array.tobytes()).hexdigest()
        )
        self.tokens.append(f"array {array.dtype} {array.shape} {content}")
        return []

    def _ordered(self, values: Any) -> list[Any]:
        if not all(type(value) in PLAIN for value in values):
            self._stranger("a set of objects")
            return list(values)
        return sorted((self.names.get(v, v) if isinstance(v, str) else v for v in values), key=repr)

    def _function(self, function: Any) -> list[Any]:
        if isinstance(function, functools.partial):
            self.tokens.append("partial")
            return [function.func, function.args, function.keywords]
        if isinstance(function, types.MethodType):
            self.tokens.append("method")
            return [function.__func__, function.__self__]
        if not function.__code__.co_filename.startswith(HOME):
            self._stranger(f"the function {function.__module__}.{function.__qualname__}")
        self.tokens.append(f"{function.__module__}.{function.__qualname__}")
        return [*_cells(function), function.__defaults__, function.__kwdefaults__]

    def _named(self, thing: Any) -> list[Any]:
        name = f"{thing.__module__}.{thing.__qualname__}"
        library = str(thing.__module__).partition(".")[0] in ("builtins", "tensorflow", "numpy")
        if not library and not (isinstance(thing, type) and self._is_kerass(thing)):
            self._stranger(name)
        self.tokens.append(name)
        return []

    def _stranger(self, what: str) -> None:
        self.foreign = self.foreign or what
        self.tokens.append("foreign")

    def _is_kerass(self, kind: type) -> bool:
        if kind not in self._own:
            self._own[kind] = is_kerass(kind)
        return self._own[kind]


def is_kerass(kind: type) -> bool:
    """Tell whether a class is Keras' own: defined in its files, found under its name, its methods
    not replaced."""
    methods = _methods(kind)
    return methods is not None and all(table.get(name) is method for table, name, method in methods)


@functools.lru_cache(maxsize=1024)
def _methods(kind: type) -> list[tuple[Any, str, Any]] | None:
    """List (a class's table, name, method) of all that Keras' class `kind` can do; None for
    another's class."""
    module: Any = sys.modules.get(kind.__module__)
    if module is None or not str(getattr(module, "__file__", "")).startswith(HOME):
        return None
    found: Any = module
    for part in kind.__qualname__.split("."):
        found = getattr(found, part, None)
    bases = [base for base in kind.__mro__ if base.__module__.startswith("keras.")]
    methods = [
        (vars(base), name, method)
        for base in bases
        for name, method in vars(base).items()
        if not name.startswith("_abc_") and _can_run(method)
    ]
    return methods if found is kind and all(_is_library(method) for *_, method in methods) else None


def _can_run(member: Any) -> bool:
    return callable(member) or isinstance(member, property | staticmethod | classmethod)


def _is_library(method: Any) -> bool:
    """Tell whether a member of a class is anything but a function that a user wrote."""
    if isinstance(method, property):
        method = method.fget
    method = getattr(method, "__func__", method)
    code = getattr(method, "__code__", None)
    return code is None or code.co_filename.startswith((*LIBRARIES, "<"))


def _cells(function: Any) -> list[Any]:
    return [cell.cell_contents for cell in function.__closure__ or () if cell != types.CellType()]

"""Tell whether two functions do the same, as far as that can be told: a fingerprint of code and
what it reads.

A journal or a checkpoint outlives the code that wrote it. The fingerprint covers a function's
compiled instructions, its defaults, the values it closes over, the arguments of a
`functools.partial`, the attributes of a callable object, and, of the user's own modules, the
constants, functions and classes that it names, recursively. Comments, blank lines, docstrings and
names of local variables are no instructions and change nothing.

What can't be told is left out rather than guessed: objects of libraries, files, what changes while
the function runs (a global that it assigns, a list that it appends to). Instructions differ between
versions of Python, so a fingerprint begins with the version's, and `differs` compares none of two
versions. Read `fingerprint` first, then `_Text._open`.
"""

from __future__ import annotations

import dis
import enum
import functools
import hashlib
import os
import pathlib
import site
import sys
import sysconfig
import types
from typing import Any

from hpt_lab.instructions import Reads, changed_attributes

UNKNOWN = "unknown"
PLAIN = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    type(Ellipsis),
    range,
    slice,
    pathlib.PurePath,
)
FILLED = (list, dict, set, bytearray)
LIBRARIES = tuple(
    path + os.sep
    for path in (
        *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")),
        *site.getsitepackages(),
        str(pathlib.Path(__file__).parent),
    )
)
DEEPEST = 60  # objects inside one another


def fingerprint(function: Any) -> str:
    """Return the version of Python and sixteen hex digits, such as "3.11-0123456789abcdef"; or
    "unknown".

    >>> fingerprint(lambda config: config["x"] ** 2) == fingerprint(lambda c: c["x"] ** 2)
    True
    >>> fingerprint(lambda config: config["x"] ** 2) == fingerprint(lambda config: config["x"] ** 3)
    False
    """
    text = _Text()
    try:
        text.add(function)
    except Exception:  # noqa: BLE001  attributes of users' objects may raise anything
        return UNKNOWN
    if not text.told:
        return UNKNOWN
    digest = hashlib.sha256("\n".join(text.parts).encode()).hexdigest()[:16]
    return f"{sys.version_info.major}.{sys.version_info.minor}-{digest}"


def differs(one: str | None, other: str | None) -> bool:
    """Tell whether two fingerprints are known, comparable, and not the same."""
    if not one or not other or UNKNOWN in (one, other) or one == other:
        return False
    versions = [text.rpartition("-")[0] for text in (one, other)]
    both_python = all(version.replace(".", "").isdigit() for version in versions)
    return not (both_python and versions[0] != versions[1])


class _Text:
    """Collects one line for everything that counts; nothing in a line depends on the process."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.told = False  # whether any code or value was met that says more than its type
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []  # so that no id is given twice
        self._depth = 0

    def add(self, value: Any) -> None:
        """Write down a value and what it refers to."""
        if isinstance(value, PLAIN):
            self.parts.append(f"{type(value).__name__} {value!r}")
            return
        if id(value) in self._seen:
            self.parts.append(f"@{self._seen[id(value)]}")
            return
        if self._depth >= DEEPEST:
            return
        self._seen[id(value)] = len(self._seen)
        self._kept.append(value)
        self._depth += 1
        self._open(value)
        self._depth -= 1

    def _open(self, value: Any) -> None:
        if isinstance(value, list | tuple):
            self.parts.append(f"{type(value).__name__} {len(value)}")
            for part in value:
                self.add(part)
        elif isinstance(value, dict):
            self.parts.append(f"dict {len(value)}")
            for key, part in value.items():
                self.add(key)
                self.add(part)
        elif isinstance(value, set | frozenset):
            self.parts.append(f"set {sorted(map(_alone, value))}")
        elif isinstance(value, types.CodeType):
            self._code(value)
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, types.MethodType):
            self.add(value.__func__)
            self.add(value.__self__)
        elif isinstance(value, functools.partial):
            self.parts.append("partial")
            for part in (value.func, value.args, value.keywords):
                self.add(part)
        elif isinstance(value, type):
            self._class(value)
        else:
            self._other(value)

    def _function(self, function: types.FunctionType) -> None:
        self.told = True
        if _is_library(function.__code__.co_filename):
            self.parts.append(f"{function.__module__}.{function.__qualname__}")
            self._cells(function, Reads(function.__code__))
            return
        reads = Reads(function.__code__)
        self._code(function.__code__)
        self.add(function.__defaults__)
        self.add(function.__kwdefaults__)
        self._cells(function, reads)
        if wrapped := getattr(function, "__wrapped__", None):
            self.add(wrapped)
        for name in sorted(reads.names):
            if name in function.__globals__:
                self._read(name, function.__globals__[name], reads)

    def _cells(self, function: types.FunctionType, reads: Reads) -> None:
        """Write down what a function closes over."""
        for name, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        ):
            if cell != types.CellType():  # an empty one: defined later
                self._read(name, cell.cell_contents, reads)

    def _read(self, name: str, value: Any, reads: Reads) -> None:
        """Write down a value that code reads under `name`, unless the code itself changes it."""
        if isinstance(value, types.ModuleType):
            if not _is_library(getattr(value, "__file__", None)) and id(value) not in self._seen:
                self._seen[id(value)] = len(self._seen)
                for inside in sorted(reads.names & vars(value).keys()):
                    self._read(inside, vars(value)[inside], reads)
        elif name not in reads.assigned and not (
            name in reads.filled and isinstance(value, FILLED)
        ):
            self.add(value)

    def _code(self, code: types.CodeType) -> None:
        shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        by_name = code.co_varnames[shape[0] : shape[0] + shape[2]]
        self.parts.append(f"code {shape} {by_name}")
        for step in dis.get_instructions(code):
            if step.opname in ("EXTENDED_ARG", "CACHE", "NOP", "RESUME"):
                continue
            if isinstance(step.argval, types.CodeType):
                self.parts.append(step.opname)
                self._code(step.argval)
            elif isinstance(step.argval, frozenset):
                self.parts.append(f"{step.opname} {sorted(map(_alone, step.argval))}")
            else:
                local = step.opname.endswith(("_FAST", "_DEREF", "_CELL", "_CLOSURE"))
                names = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
                argument = (
                    names.index(step.argval) if local and step.argval in names else step.argval
                )
                self.parts.append(f"{step.opname} {argument!r}")

    def _class(self, kind: type) -> None:
        if _is_library(_file_of(kind)):
            self.parts.append(f"{kind.__module__}.{kind.__qualname__}")
            return
        self.told = True
        self.parts.append("class")
        for base in kind.__bases__:
            self.add(base)
        for name, member in sorted(vars(kind).items()):
            member = getattr(member, "__func__", member)  # static and class methods
            if isinstance(member, property):
                member = member.fget
            dunder = name.startswith("__") and not isinstance(member, types.FunctionType)
            if (
                dunder
                or name in ("_abc_impl",)
                or not isinstance(member, (types.FunctionType, *PLAIN, list, tuple, dict))
            ):
                continue
            self.parts.append(name)
            self.add(member)

    def _other(self, value: Any) -> None:
        """Write down an object: its content if it has one, else its class and what its methods
        don't change."""
        kind, library = type(value), _is_library(_file_of(type(value)))
        if (content := _content(value)) is not None:
            self.told = True
            self.parts.append(content)
        elif isinstance(value, types.BuiltinFunctionType):
            self.told = True
            self.parts.append(f"{value.__module__}.{value.__qualname__}")
        elif function := _inside(value):
            self.add(function)
        elif isinstance(value, types.SimpleNamespace):
            self.add(vars(value))
        else:
            self.add(kind)
            if library and not kind.__module__.startswith("hpt_lab."):
                self._settings(value)
                return
            assigned, filled = changed_attributes(kind)
            for name, attribute in sorted(getattr(value, "__dict__", {}).items()):
                changes = name in assigned or (name in filled and isinstance(attribute, FILLED))
                if not changes and not (library and name.startswith("_")):
                    self.parts.append(name)
                    self.add(attribute)

    def _settings(self, value: Any) -> None:
        """Write down how a library's object was made, where it can tell."""
        if callable(getattr(value, "get_params", None)):  # scikit-learn
            self.add(value.get_params(deep=False))
        elif callable(getattr(value, "get_config", None)):  # Keras, whose names are counted
            self.add({name: part for name, part in value.get_config().items() if name != "name"})


def _inside(value: Any) -> Any:
    """Return the Python function inside a `tf.function` or a `functools.cache`; None if there is
    none."""
    for name in ("python_function", "__wrapped__"):
        if isinstance(getattr(value, name, None), types.FunctionType):
            return getattr(value, name)
    return None


def _content(value: Any) -> str | None:
    """Return the content of an array, a tensor, a table of pandas or a simple value of the standard
    library."""
    kind = type(value)
    package = kind.__module__.partition(".")[0]
    if isinstance(value, enum.Enum):
        return f"{kind.__qualname__} {value.name}"
    if package in ("datetime", "decimal", "fractions", "uuid", "re"):
        return repr(value)
    if package == "pandas" and hasattr(value, "to_numpy"):
        hashes = sys.modules["pandas"].util.hash_pandas_object(value).to_numpy()
        return (
            f"pandas {list(getattr(value, 'columns', ()))} "
            f"{hashlib.sha256(hashes.tobytes()).hexdigest()}"
        )
    if package == "tensorflow" and hasattr(value, "numpy") and not hasattr(value, "assign"):
        value = value.numpy()
    if not (callable(getattr(value, "tobytes", None)) and hasattr(value, "dtype")):
        return None
    raw = repr(value.tolist()).encode() if value.dtype == object else value.tobytes()
    return f"array {value.dtype} {value.shape} {hashlib.sha256(raw).hexdigest()}"


def _alone(value: Any) -> str:
    """Return a member of a set as text that is the same in every process."""
    text = _Text()
    text.add(value)
    return "\n".join(text.parts)


def _file_of(kind: type) -> str | None:
    module = sys.modules.get(kind.__module__)
    if module is None or kind.__module__ in ("__main__", "__mp_main__"):
        return None
    return getattr(module, "__file__", "<built in>")


def _is_library(path: str | None) -> bool:
    """Tell whether a file belongs to Python or an installed package; code typed in a notebook has
    none that exists."""
    if path is None:
        return False
    return path == "<built in>" or path.startswith("<frozen") or path.startswith(LIBRARIES)

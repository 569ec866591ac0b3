"""What a function reads and what it changes, as far as its compiled instructions show. Read `Reads`
first."""

from __future__ import annotations

import dis
import types
from collections.abc import Iterator

CHANGERS = {
    "append",
    "extend",
    "insert",
    "add",
    "update",
    "setdefault",
    "pop",
    "popitem",
    "clear",
    "remove",
    "discard",
    "appendleft",
    "popleft",
    "sort",
    "reverse",
}
STORES = {"STORE_GLOBAL", "DELETE_GLOBAL", "STORE_DEREF"}
CONSTRUCTORS = ("__init__", "__new__", "__post_init__", "__setstate__")


class Reads:
    """What a function and those defined inside it read and change, as far as their instructions
    show."""

    def __init__(self, code: types.CodeType):
        codes = list(codes_in(code))
        steps = [step for code in codes for step in dis.get_instructions(code)]
        self.names = {name for code in codes for name in code.co_names}
        self.assigned = {str(step.argval) for step in steps if step.opname in STORES}
        self.filled = set(_filled(steps))
        self.attributes = {
            str(step.argval) for step in steps if step.opname in ("STORE_ATTR", "DELETE_ATTR")
        }


def _filled(steps: list[dis.Instruction]) -> Iterator[str]:
    """Yield names of what seems to be filled: `name.append(...)`, `name[key] = ...`, `name[key] +=
    1`."""
    for i, step in enumerate(steps):
        if step.opname in ("LOAD_METHOD", "LOAD_ATTR") and step.argval in CHANGERS:
            yield str(steps[i - 1].argval)
        elif step.opname in ("STORE_SUBSCR", "DELETE_SUBSCR"):
            yield from (
                str(before.argval)
                for before in steps[max(0, i - 12) : i]
                if before.opname in ("LOAD_GLOBAL", "LOAD_DEREF", "LOAD_NAME", "LOAD_ATTR")
            )


def codes_in(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield a function's code and that of all functions defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes_in(constant)


def changed_attributes(kind: type) -> tuple[set[str], set[str]]:
    """Name the attributes that a class assigns outside its constructor, and those that it may fill:
    counters, logs."""
    assigned: set[str] = set()
    filled: set[str] = set()
    for base in kind.__mro__:
        for name, member in vars(base).items():
            function = getattr(member, "__func__", member)
            if name not in CONSTRUCTORS and isinstance(function, types.FunctionType):
                reads = Reads(function.__code__)
                assigned |= reads.attributes
                filled |= reads.filled
    return assigned, filled

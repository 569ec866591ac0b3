"""Check what users hand over: NumPy's numbers become Python's, and what can't be used is refused by
name.

Every check returns the value in plain Python types, which a journal can write, or raises one of the
package's own errors naming argument, value, constraint and remedy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hpt_lab.errors import HptError, StrategyError

MOST = 10**15  # counts end here: far above any use, and exact as floats
MOST_SEED = 2**128 - 1  # NumPy advises seeds of 128 bits
SHOWN = 100  # characters of a value that an error quotes


def show(value: Any) -> str:
    """Return `repr(value)`, cut to a readable length; never raises, whatever the value is."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 -- an error message must not be lost to a broken __repr__
        return f"<{type(value).__name__}>"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def plain(value: Any) -> Any:
    """Return NumPy scalars, 0-d arrays and subclasses of Python's numbers and strings as Python's
    own; others as is.

    >>> [plain(value) for value in (np.int64(3), np.float32(0.5), np.True_, np.array("a"), None)]
    [3, 0.5, True, 'a', None]
    """
    kind = type(value)
    if kind in (int, float, str, bool):
        return value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value)
    return str.__str__(value) if isinstance(value, str) else value


def plain_all(value: Any) -> Any:
    """Return `plain` of a value, and of all that lists, tuples and dicts hold."""
    if isinstance(value, dict):
        return {plain(key): plain_all(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain_all(inner) for inner in value]
    return plain(value)


def is_number(value: Any) -> bool:
    """Say whether `value` is a real number, of Python's or of NumPy's; a truth value is none."""
    kind = type(value)
    return (
        kind is float
        or kind is int
        or (isinstance(value, int | float | np.integer | np.floating) and kind is not bool)
    )


def is_listing(value: Any) -> bool:
    """Say whether `value` lists others: anything to iterate over but text, mappings and arrays
    without a dimension."""
    return (
        isinstance(value, Iterable)
        and not isinstance(value, str | bytes | Mapping)
        and getattr(value, "shape", (0,)) != ()
    )


def check_whole(
    name: str,
    value: Any,
    least: int,
    hint: int,
    *,
    most: int = MOST,
    error: type[HptError] = StrategyError,
) -> int:
    """Return `value` as an int. Raises `error` unless it is a whole number from `least` to
    `most`."""
    value = plain(value)
    if type(value) is not int or value < least:
        raise error(f"{name} must be an integer >= {least}, got {show(value)}; try {hint}")
    if value > most:
        raise error(f"{name} must be at most {most:,}, got {show(value)}; try {hint}")
    return value


def check_number(
    name: str,
    value: Any,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    most: float = math.inf,
    hint: Any = 1,
    error: type[HptError] = HptError,
) -> float:
    """Return `value`, a number in [least, most] and larger than `above`. Raises `error` for any
    other, or for NaN."""
    value = plain(value)
    if (
        not is_number(value)
        or not (value > above and least <= value <= most)
        or math.isinf(as_float(value))
    ):
        limits = (
            [f"above {above:g}"] * (above > -math.inf)
            + [f"at least {least:g}"] * (least > -math.inf)
            + [f"at most {most:g}"] * (most < math.inf)
        )
        wanted = " ".join(["a finite number", *[" and ".join(limits)] * bool(limits)])
        raise error(f"{name} must be {wanted}, got {show(value)}; try {hint}")
    return value


def check_seed(
    value: Any, *, name: str = "seed", most: int = MOST_SEED, error: type[HptError] = StrategyError
) -> int:
    """Return `value` as an int >= 0. Raises `error` for anything else: a search that can't be
    repeated is no result."""
    value = plain(value)
    if type(value) is not int or not 0 <= value <= most:
        limit = "" if most == MOST_SEED else f" and at most {most}"
        raise error(
            f"{name} must be a whole number >= 0{limit}, got {show(value)}; 0 is as good as any, "
            "and another "
            "number gives other random choices"
        )
    return value


def check_among(name: str, value: Any, known: Any, *, error: type[HptError] = HptError) -> Any:
    """Return `value`. Raises `error` unless it is one of the strings `known`."""
    known = list(known)
    value = plain(value)
    if not isinstance(value, str) or value not in known:
        listed = ", ".join(map(repr, known))
        raise error(f"{name} must be one of {listed}, got {show(value)}; try {known[0]!r}")
    return value


def check_flag(name: str, value: Any, *, error: type[HptError] = HptError) -> bool:
    """Return `value` as a bool. Raises `error` unless it is True or False."""
    value = plain(value)
    if type(value) is not bool:
        raise error(f"{name} must be True or False, got {show(value)}")
    return value


def as_float(value: Any) -> float:
    """Return float(value), infinite for an integer beyond the range of floats."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf

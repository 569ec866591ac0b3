"""Domains: the values that one hyperparameter can take, and how the unit interval maps onto them.

`from_unit` takes u in [0, 1] to a value, `to_unit` goes back, exactly. What a double can't tell
apart is refused when the domain is made: a Float narrower than its own rounding, an Int beyond
10**15. Read `Float.from_unit` first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from hpt_lab.arguments import as_float, check_flag, check_whole, is_number, plain, show
from hpt_lab.errors import SpaceError

DIGITS = (
    12  # significant digits kept of a Float: prints short, and maps to the cube and back exactly
)
FINEST = 15  # digits that a double has for sure
NARROWEST = 1e-12  # a Float must span at least so much of its larger end
NARROWEST_LOG = 1e-9  # and so much of its logarithm
LARGEST_INT = 10**15  # every whole number up to here has a slice of the unit interval of its own
LARGEST_LOG_INT = 10**12
MOST_VALUES = 100_000  # of a Choice, and of one dimension of a grid

When = Mapping[str, Any]  # {"optimizer": "sgd"} or {"layers": (2, 3)}


@dataclass(frozen=True)
class Float:
    """A real number in [low, high], uniform, or uniform in its logarithm.

    >>> Float(1e-4, 1e-1, log=True).from_unit(1 / 3)
    0.001
    """

    low: float
    high: float
    log: bool = False
    when: When | None = None
    kind: ClassVar[str] = "float"
    size: ClassVar[float] = math.inf
    _start: float = field(init=False, repr=False, compare=False)
    _span: float = field(init=False, repr=False, compare=False)
    _places: int = field(
        init=False, repr=False, compare=False
    )  # digits after the point, or before the exponent

    def __post_init__(self) -> None:
        _check_range(self)
        low, high = float(self.low), float(self.high)
        start = math.log(low) if self.log else low
        span = (math.log(high) if self.log else high) - start
        largest = max(abs(low), abs(high))
        if self.log:
            narrow = span < NARROWEST_LOG
            places = (
                DIGITS - 1 - (max(abs(start), abs(start + span)) > 300)
            )  # the logarithm's own rounding
        else:
            narrow = span < NARROWEST * largest
            magnitude = math.ceil(math.log10(largest))
            finer = 9 - math.ceil(math.log10(min(span, largest)))  # a narrow range far from zero
            places = min(max(DIGITS - magnitude, finer), FINEST - magnitude)
        if narrow:
            raise SpaceError(
                f"Float low={low!r} and high={high!r} are too close: nearly no number lies between "
                "them; "
                "search a difference or a factor, and apply it in build(config)"
            )
        _remember(self, _start=start, _span=span, _places=places)

    def from_unit(self, u: float) -> float:
        if type(u) is not float or not 0.0 < u < 1.0:
            u = _unit(u)
            if u in (0.0, 1.0):
                return float(self.high if u else self.low)
        if self.log:
            value = float(f"{math.exp(self._start + u * self._span):.{self._places}e}")
        elif math.isinf(self._span):  # high - low overflows, a weighted mean does not
            value = round((1 - u) * self.low + u * self.high, self._places)
        else:
            value = round(self._start + u * self._span, self._places)
        return min(max(value, float(self.low)), float(self.high))

    def to_unit(self, value: float) -> float:
        _check_member(self, value)
        return self.place_of(value)

    def place_of(self, value: float) -> float:
        """Return `to_unit(value)` of a value that is known to belong here."""
        value = plain(value)
        if self.log:
            return (math.log(value) - self._start) / self._span
        if math.isinf(self._span):
            return (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return (float(value) - self._start) / self._span

    def clean(self, value: Any) -> float:
        """Return a value of this domain as a plain float."""
        return float(value)

    def __contains__(self, value: Any) -> bool:
        value = plain(value)
        return type(value) in (float, int) and self.low <= value <= self.high

    def grid(self, n: int) -> list[float]:
        """List n values, evenly spaced on this domain's scale, both ends included (n=1: the
        middle)."""
        n = check_whole("n", n, 1, 3, most=MOST_VALUES, error=SpaceError)
        return [self.from_unit(float(u)) for u in (np.linspace(0, 1, n) if n > 1 else [0.5])]


@dataclass(frozen=True)
class Int:
    """A whole number from low to high, both included, uniform or log-uniform.

    Each value owns an equal slice of [low - 1/2, high + 1/2] (of its logarithm with `log=True`).

    >>> Int(16, 256, log=True).grid(5)
    [16, 32, 64, 128, 256]
    """

    low: int
    high: int
    log: bool = False
    when: When | None = None
    kind: ClassVar[str] = "int"
    _start: float = field(init=False, repr=False, compare=False)
    _span: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            value = plain(getattr(self, name))
            if type(value) is not int:
                raise SpaceError(
                    f"Int {name} must be a whole number, got {show(value)}; use Float for reals"
                )
        _check_range(self, allow_single=True)
        most = LARGEST_LOG_INT if self.log else LARGEST_INT
        if max(abs(self.low), abs(self.high)) > most:
            raise SpaceError(
                f"Int {'with log=True ' if self.log else ''}must stay within {most:,}, got "
                f"low={show(self.low)}, high={show(self.high)}: the unit interval can't tell so "
                "many "
                "values apart; use Float(..., log=True) and round in build(config)"
            )
        low, high = self.low - 0.5, self.high + 0.5
        start = math.log(low) if self.log else low
        _remember(self, _start=start, _span=(math.log(high) if self.log else high) - start)

    @property
    def size(self) -> int:
        return self.high - self.low + 1

    def from_unit(self, u: float) -> int:
        if type(u) is not float or not 0.0 <= u <= 1.0:
            u = _unit(u)
        if self.log:
            value = math.floor(math.exp(self._start + u * self._span) + 0.5)
            return min(max(value, self.low), self.high)
        return min(self.low + int(u * self._span), self.high)

    def to_unit(self, value: float) -> float:
        _check_member(self, value)
        return self.place_of(value)

    def slice_of(self, value: int) -> tuple[float, float]:
        """Return both ends of the slice of the unit interval that `value` owns."""
        return self.place_of(value - 0.5), self.place_of(value + 0.5)

    def place_of(self, value: float) -> float:
        """Return `to_unit(value)` of a value that is known to belong here, or lies half-way between
        two that do."""
        return ((math.log(value) if self.log else value) - self._start) / self._span

    def clean(self, value: Any) -> int:
        """Return a value of this domain as a plain int."""
        return int(value)

    def __contains__(self, value: Any) -> bool:
        value = plain(value)
        return (
            type(value) in (float, int) and self.low <= value <= self.high and int(value) == value
        )

    def grid(self, n: int) -> list[int]:
        """List at most n distinct values, evenly spaced on this domain's scale, both ends
        included."""
        n = min(check_whole("n", n, 1, 3, error=SpaceError), self.size)
        check_whole("n", n, 1, 3, most=MOST_VALUES, error=SpaceError)
        if n == self.size:
            return list(range(self.low, self.high + 1))
        if n == 1:
            return [self.from_unit(0.5)]
        spaced = (
            np.geomspace(self.low, self.high, n)
            if self.log
            else np.linspace(self.low, self.high, n)
        )
        return sorted({int(v) for v in np.floor(spaced + 0.5)})


@dataclass(frozen=True)
class Choice:
    """One of a few values: in no order (a grid takes all of them, whatever its n), or `ordered`.

    Ordered values keep their order in the unit cube, neighbours equally far apart: list learning
    rates by powers of ten, say. Models of the objective may then expect neighbours to be alike, and
    a grid takes n of the values.

    >>> Choice(["adam", "sgd"]).from_unit(0.9)
    'sgd'
    >>> Choice([16, 32, 64, 128, 256], ordered=True).grid(3)
    [16, 64, 256]
    """

    values: tuple[Any, ...]
    when: When | None = None
    ordered: bool = False
    kind: ClassVar[str] = "choice"
    _places: dict[Any, int] = field(init=False, repr=False, compare=False)

    def __init__(self, values: Iterable[Any], when: When | None = None, *, ordered: bool = False):
        listed = _listed(values, when)
        if not listed:
            raise SpaceError("Choice values must not be empty; give at least one value")
        places: dict[Any, int] = {}
        for i, value in enumerate(listed):
            _check_choice(value)
            if value in places:
                first, where = show(listed[places[value]]), show(listed)
                same = (
                    f"{show(value)} twice"
                    if first == show(value)
                    else f"{first} and {show(value)}, which are equal,"
                )
                raise SpaceError(
                    f"Choice values must differ, got {same} in {where}; drop one of them"
                )
            places[value] = i
        _remember(
            self,
            values=tuple(listed),
            when=_when(when),
            ordered=check_flag("Choice ordered", ordered, error=SpaceError),
            _places=places,
        )

    @property
    def size(self) -> int:
        return len(self.values)

    def from_unit(self, u: float) -> Any:
        if type(u) is not float or not 0.0 <= u <= 1.0:
            u = _unit(u)
        return self.values[min(int(u * len(self.values)), len(self.values) - 1)]

    def to_unit(self, value: Any) -> float:
        _check_member(self, value)
        return self.place_of(value)

    def place_of(self, value: Any) -> float:
        """Return `to_unit(value)` of a value that is known to belong here."""
        return (self._places[plain(value)] + 0.5) / len(self.values)

    def clean(self, value: Any) -> Any:
        """Return the listed value that equals `value`."""
        return self.values[self._places[plain(value)]]

    def __contains__(self, value: Any) -> bool:
        try:
            return plain(value) in self._places
        except TypeError:  # unhashable: a list, say
            return False

    def grid(self, n: int) -> list[Any]:
        """List all values; of ordered ones at most n, evenly spaced, both ends included (n=1: the
        middle)."""
        n = check_whole("n", n, 1, 3, error=SpaceError)
        if not self.ordered or n >= self.size:
            return list(self.values)
        return [self.values[i] for i in Int(0, self.size - 1).grid(n)]


Domain = Float | Int | Choice


def as_tuple(wanted: Any) -> tuple[Any, ...]:
    """Return the values that a condition names, one or several."""
    return wanted if isinstance(wanted, tuple) else (wanted,)


def short(domain: Domain) -> str:
    """Return a domain as one would write it."""
    when = f", when={dict(domain.when)}" if domain.when else ""
    if isinstance(domain, Choice):
        return (
            f"Choice({show(list(domain.values))}{when}{', ordered=True' if domain.ordered else ''})"
        )
    return (
        f"{type(domain).__name__}({domain.low}, "
        f"{domain.high}{', log=True' if domain.log else ''}{when})"
    )


def _remember(domain: Any, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(domain, name, value)


def _check_range(domain: Float | Int, allow_single: bool = False) -> None:
    kind = type(domain).__name__
    low, high, log = plain(domain.low), plain(domain.high), plain(domain.log)
    if type(log) is not bool:
        values = (
            "Choice(range(low, high + 1, step), ordered=True)"
            if kind == "Int"
            else "Choice([...], ordered=True)"
        )
        raise SpaceError(
            f"{kind} takes low and high, then log=True or False, got {show(log)}; for a log scale "
            "say "
            f"log=True, for steps use {values}"
        )
    if not all(is_number(end) and math.isfinite(as_float(end)) for end in (low, high)):
        raise SpaceError(
            f"{kind} low and high must be finite numbers, got {show(low)} and {show(high)}"
        )
    if low > high or (low == high and not allow_single):
        raise SpaceError(
            f"{kind} low must be below high, got low={show(low)}, high={show(high)}; "
            "swap them, or fix the value in build(config)"
        )
    if log and low <= 0:
        raise SpaceError(
            f"{kind} with log=True needs low > 0, got low={show(low)}; a log scale never reaches "
            "zero"
        )
    if kind == "Float":  # a bound that is no double would lie outside of what from_unit can give
        low, high = (end if as_float(end) == end else as_float(end) for end in (low, high))
    _remember(domain, low=low, high=high, log=log, when=_when(domain.when))


def _when(when: Any) -> When | None:
    """Return a condition with plain values, several of them as a tuple in an order that all
    processes share."""
    if when is None:
        return None
    if not isinstance(when, Mapping):
        raise SpaceError(
            f"when must be a dict of a dimension and its value or values, got {show(when)}; "
            "try when={'optimizer': 'sgd'}"
        )
    found: dict[str, Any] = {}
    for parent, wanted in when.items():
        if not isinstance(parent, str):
            raise SpaceError(f"when must name dimensions by strings, got {show(parent)}")
        if isinstance(wanted, AbstractSet):
            wanted = sorted(wanted, key=repr)
        if isinstance(wanted, list | tuple | range) or (
            isinstance(wanted, np.ndarray) and wanted.ndim == 1
        ):
            wanted = tuple(plain(value) for value in wanted)
            if not wanted:
                raise SpaceError(
                    f"when names no value of {parent!r}, so the dimension could never be; list one"
                )
        found[str(parent)] = plain(wanted)
    return found or None


def _listed(values: Any, when: Any) -> list[Any]:
    """Return a Choice's values as a list of plain ones."""
    if isinstance(values, str | bytes | bytearray | memoryview) or not isinstance(values, Iterable):
        more = [values, when] if when is not None and not isinstance(when, Mapping) else [values]
        raise SpaceError(
            f"Choice takes one list of values, got {', '.join(map(show, more))}; try "
            f"Choice({show(more)})"
        )
    if isinstance(values, set | frozenset):
        raise SpaceError(
            f"Choice values must be in an order, got the set {show(values)}, whose order differs "
            "from "
            "process to process; try Choice(sorted(...)) or a list"
        )
    if isinstance(values, Mapping):
        raise SpaceError(
            f"Choice takes a list of values, got the mapping {show(values)}; try "
            "Choice(list(mapping)) "
            "and look the name up in build(config)"
        )
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise SpaceError(
            f"Choice takes a list of values, got an array of shape {values.shape}; try "
            "array.ravel()"
        )
    listed = [plain(value) for value in islice(values, MOST_VALUES + 1)]
    if len(listed) > MOST_VALUES:
        raise SpaceError(
            f"Choice takes at most {MOST_VALUES:,} values, got more in {show(values)}; use Int or "
            "Float"
        )
    return listed


def _check_choice(value: Any) -> None:
    if not isinstance(value, (str, int, float, bool, type(None))):
        raise SpaceError(
            f"Choice values must be strings, numbers, booleans or None, got {show(value)}; "
            "name it by a string and look it up in build(config)"
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise SpaceError(
            f"Choice values must be finite, got {value}: a journal can't write it; use None or a "
            "string"
        )
    if isinstance(value, int) and value.bit_length() > 64:
        raise SpaceError(
            f"Choice values must be integers of at most 64 bits, got {show(value)}; use a string"
        )


def _check_member(domain: Domain, value: Any) -> None:
    if value not in domain:
        raise SpaceError(f"a value must be in {short(domain)}, got {show(value)}")


def _unit(u: Any) -> float:
    u = plain(u)
    if not is_number(u) or not 0 <= u <= 1:
        raise SpaceError(
            f"a coordinate of the unit cube must lie in [0, 1], got {show(u)}; clip it"
        )
    return float(u)

"""The search space: named domains that configs are drawn from.

Every domain maps the unit interval onto its values, so a space of d dimensions is the unit cube [0, 1]^d
in other clothes: random search draws uniform points there, Sobol draws evenly spread ones, and a Gaussian
process measures distances there. Read `Space.from_unit` first.

A dimension with `when=` exists only if an earlier one has a given value. Where it is inactive it is absent
from the config, and NaN in the unit cube.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy  # its parts load when first used: scipy.stats alone takes half a second

from hpt_lab.errors import SpaceError
from hpt_lab.trial import Config

DIGITS = 12  # significant digits kept of a Float: prints short, and maps to the cube and back exactly

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

    def __post_init__(self) -> None:
        _check_range(self)

    def from_unit(self, u: float) -> float:
        if self.log:
            value = math.exp(math.log(self.low) + u * (math.log(self.high) - math.log(self.low)))
            value = float(f"{value:.{DIGITS - 1}e}")
        else:
            value = self.low + u * (self.high - self.low)
            value = round(value, DIGITS - math.ceil(math.log10(max(abs(self.low), abs(self.high)))))
        return min(max(value, float(self.low)), float(self.high))

    def to_unit(self, value: float) -> float:
        low, high, value = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return (value - low) / (high - low)

    def __contains__(self, value: Any) -> bool:
        return _is_number(value) and self.low <= value <= self.high

    def grid(self, n: int) -> list[float]:
        """List n values, evenly spaced on this domain's scale, both ends included (n=1: the middle)."""
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

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            if not isinstance(getattr(self, name), (int, np.integer)) or isinstance(getattr(self, name), bool):
                raise SpaceError(f"Int {name} must be a whole number, got {getattr(self, name)!r}; use Float for reals")
        _check_range(self, allow_single=True)

    @property
    def size(self) -> int:
        return self.high - self.low + 1

    def _edges(self) -> tuple[float, float]:
        low, high = self.low - 0.5, self.high + 0.5
        return (math.log(low), math.log(high)) if self.log else (low, high)

    def from_unit(self, u: float) -> int:
        low, high = self._edges()
        value = low + u * (high - low)
        value = math.exp(value) if self.log else value
        return int(min(max(math.floor(value + 0.5), self.low), self.high))

    def to_unit(self, value: float) -> float:
        low, high = self._edges()
        return ((math.log(value) if self.log else value) - low) / (high - low)

    def __contains__(self, value: Any) -> bool:
        return _is_number(value) and int(value) == value and self.low <= value <= self.high

    def grid(self, n: int) -> list[int]:
        """List at most n distinct values, evenly spaced on this domain's scale, both ends included."""
        if n >= self.size:
            return list(range(self.low, self.high + 1))
        if n == 1:
            return [self.from_unit(0.5)]
        spaced = np.geomspace(self.low, self.high, n) if self.log else np.linspace(self.low, self.high, n)
        return sorted({int(v) for v in np.floor(spaced + 0.5)})


@dataclass(frozen=True)
class Choice:
    """One of a few values: in no order (a grid takes all of them, whatever its n), or `ordered`.

    Ordered values keep their order in the unit cube, neighbours equally far apart: list learning rates by powers of
    ten, say. Models of the objective may then expect neighbours to be alike, and a grid takes n of the values.

    >>> Choice(["adam", "sgd"]).from_unit(0.9)
    'sgd'
    >>> Choice([16, 32, 64, 128, 256], ordered=True).grid(3)
    [16, 64, 256]
    """

    values: tuple[Any, ...]
    when: When | None = None
    ordered: bool = False
    kind: ClassVar[str] = "choice"

    def __init__(self, values: Iterable[Any], when: When | None = None, *, ordered: bool = False):
        object.__setattr__(self, "values", tuple(values))
        object.__setattr__(self, "when", when)
        object.__setattr__(self, "ordered", ordered)
        if not self.values:
            raise SpaceError("Choice values must not be empty; give at least one value")
        for i, value in enumerate(self.values):
            if not isinstance(value, (str, int, float, bool, type(None))):
                raise SpaceError(f"Choice values must be strings, numbers, booleans or None, got {value!r}; "
                                 "name it by a string and look it up in build(config)")
            if value in self.values[:i]:
                raise SpaceError(f"Choice values must differ, got {value!r} twice in {list(self.values)}")

    @property
    def size(self) -> int:
        return len(self.values)

    def from_unit(self, u: float) -> Any:
        return self.values[min(int(u * len(self.values)), len(self.values) - 1)]

    def to_unit(self, value: Any) -> float:
        return (self.values.index(value) + 0.5) / len(self.values)

    def __contains__(self, value: Any) -> bool:
        return value in self.values

    def grid(self, n: int) -> list[Any]:
        """List all values; of ordered ones at most n, evenly spaced, both ends included (n=1: the middle)."""
        if not self.ordered or n >= self.size:
            return list(self.values)
        return [self.values[i] for i in Int(0, self.size - 1).grid(n)]


Domain = Float | Int | Choice


class Space:
    """Named domains, in a fixed order.

    >>> space = Space(learning_rate=Float(1e-4, 1e-1, log=True), units=Int(16, 256, log=True))
    >>> space.sample(seed=0)
    {'learning_rate': 0.00814488697308, 'units': 33}
    >>> space.from_unit([1.0, 0.0])
    {'learning_rate': 0.1, 'units': 16}
    """

    def __init__(self, **domains: Domain):
        if not domains:
            raise SpaceError("a Space must have at least one dimension; try Space(learning_rate=Float(1e-4, 1e-1, log=True))")
        earlier: dict[str, Domain] = {}
        for name, domain in domains.items():
            if not isinstance(domain, (Float, Int, Choice)):
                raise SpaceError(f"{name} must be a Float, Int or Choice, got {domain!r}")
            for parent, wanted in (domain.when or {}).items():
                if parent not in earlier:
                    raise SpaceError(f"{name} depends on {parent!r}, which must be a dimension declared before it; "
                                     f"declared so far: {list(earlier)}")
                for value in _as_tuple(wanted):
                    if value not in earlier[parent]:
                        raise SpaceError(f"{name} waits for {parent}={value!r}, which {parent} can never be")
            earlier[name] = domain
        self.domains: dict[str, Domain] = dict(domains)

    def __len__(self) -> int:
        return len(self.domains)

    def __iter__(self) -> Iterator[str]:
        return iter(self.domains)

    def __getitem__(self, name: str) -> Domain:
        return self.domains[name]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and self.spec() == other.spec()

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={_short(domain)}" for name, domain in self.domains.items())
        return f"Space({inside})"

    @property
    def size(self) -> float:
        """How many different configs there are: `math.inf` as soon as one dimension is a Float."""
        if any(math.isinf(domain.size) for domain in self.domains.values()):
            return math.inf
        parents = {parent for domain in self.domains.values() for parent in domain.when or {}}
        cases: list[Config] = [{}]  # one per assignment of the dimensions that others depend on
        for name in self.domains:
            if name in parents:
                values = self.domains[name].grid(int(self.domains[name].size))
                cases = [{**case, **more} for case in cases for more in
                         ([{name: value} for value in values] if self.is_active(name, case) else [{}])]
        return sum(math.prod(int(domain.size) for name, domain in self.domains.items()
                             if name not in parents and self.is_active(name, case)) for case in cases)

    def is_active(self, name: str, config: Config) -> bool:
        """Say whether dimension `name` exists, given the dimensions before it in `config`."""
        when = self.domains[name].when
        return not when or all(parent in config and config[parent] in _as_tuple(wanted) for parent, wanted in when.items())

    def from_unit(self, u: Iterable[float]) -> Config:
        """Map a point of the unit cube, (d,), to a config. Coordinates of inactive dimensions are ignored."""
        config: Config = {}
        for (name, domain), x in zip(self.domains.items(), u, strict=True):
            if self.is_active(name, config):
                config[name] = domain.from_unit(float(x))
        return config

    def to_unit(self, config: Config) -> np.ndarray:
        """Map a config to its point of the unit cube, (d,), NaN where a dimension is inactive."""
        self.check(config)
        return np.array([domain.to_unit(config[name]) if name in config else math.nan
                         for name, domain in self.domains.items()])

    def sample(self, seed: Any) -> Config:
        """Draw one config, uniformly in the unit cube. `seed`: an int, a sequence of ints, or a numpy Generator."""
        return self.from_unit(np.random.default_rng(seed).random(len(self)))

    def grid(self, n: int | Mapping[str, int]) -> list[Config]:
        """List the full factorial: n values per numeric dimension (or n per name), all values of each unordered Choice."""
        configs: list[Config] = [{}]
        for name, domain in self.domains.items():
            count = n[name] if isinstance(n, Mapping) and name in n else n
            if isinstance(count, Mapping):
                if not isinstance(domain, Choice):
                    raise SpaceError(f"grid needs a number of values for {name}; got only {dict(count)}")
                count = domain.size
            if count < 1:
                raise SpaceError(f"grid needs at least one value per dimension, got {count} for {name}")
            values = domain.grid(int(count))
            configs = list(itertools.chain.from_iterable(
                [{**config, name: value} for value in values] if self.is_active(name, config) else [config]
                for config in configs))
        return configs

    def check(self, config: Config) -> None:
        """Raise SpaceError unless `config` is one this space could have drawn."""
        for name in config:
            if name not in self.domains:
                raise SpaceError(f"config has {name!r}, which is no dimension of this space: {list(self.domains)}")
        for name, domain in self.domains.items():
            if not self.is_active(name, config):
                if name in config:
                    raise SpaceError(f"config has {name}={config[name]!r}, which exists only when {dict(domain.when or {})}")
            elif name not in config:
                raise SpaceError(f"config lacks {name!r}; give it a value from {_short(domain)}")
            elif config[name] not in domain:
                raise SpaceError(f"{name} must be in {_short(domain)}, got {config[name]!r}")

    def spec(self) -> dict[str, dict[str, Any]]:
        """Describe this space in plain JSON types; `Space.from_spec` is the way back."""
        spec: dict[str, dict[str, Any]] = {}
        for name, domain in self.domains.items():
            entry: dict[str, Any] = {"kind": domain.kind}
            if isinstance(domain, Choice):
                entry["values"] = list(domain.values)
                if domain.ordered:
                    entry["ordered"] = True
            else:
                entry |= {"low": domain.low, "high": domain.high, "log": domain.log}
            if domain.when:
                entry["when"] = {parent: list(_as_tuple(wanted)) for parent, wanted in domain.when.items()}
            spec[name] = entry
        return spec

    @classmethod
    def from_spec(cls, spec: Mapping[str, Mapping[str, Any]]) -> Space:
        """Rebuild a space from its `spec()`. The spec is data: unknown kinds or keys are refused."""
        kinds = {"float": Float, "int": Int, "choice": Choice}
        domains = {}
        for name, entry in spec.items():
            arguments = dict(entry)
            kind = arguments.pop("kind", None)
            try:
                domains[name] = kinds[kind](**arguments)
            except (KeyError, TypeError) as error:
                raise SpaceError(f"can't read dimension {name!r} from {dict(entry)}: {error}") from None
        return cls(**domains)


def sobol(d: int, n: int, seed: Any) -> np.ndarray:
    """Return n points of the unit cube, (n, d), evenly spread: a scrambled Sobol sequence."""
    return scipy.stats.qmc.Sobol(d, rng=seed).random_base2((n - 1).bit_length())[:n]


def _check_range(domain: Float | Int, allow_single: bool = False) -> None:
    kind, low, high = type(domain).__name__, domain.low, domain.high
    if not (_is_number(low) and _is_number(high) and math.isfinite(low) and math.isfinite(high)):
        raise SpaceError(f"{kind} low and high must be finite numbers, got {low!r} and {high!r}")
    if low > high or (low == high and not allow_single):
        raise SpaceError(f"{kind} low must be below high, got low={low!r}, high={high!r}; "
                         "swap them, or fix the value in build(config)")
    if domain.log and low <= 0:
        raise SpaceError(f"{kind} with log=True needs low > 0, got low={low!r}; a log scale never reaches zero")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _as_tuple(wanted: Any) -> tuple[Any, ...]:
    return tuple(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else (wanted,)


def _short(domain: Domain) -> str:
    when = f", when={dict(domain.when)}" if domain.when else ""
    if isinstance(domain, Choice):
        return f"Choice({list(domain.values)}{when}{', ordered=True' if domain.ordered else ''})"
    return f"{type(domain).__name__}({domain.low}, {domain.high}{', log=True' if domain.log else ''}{when})"

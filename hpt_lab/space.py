"""The search space: named domains that configs are drawn from.

Every domain maps the unit interval onto its values, so a space of d dimensions is the unit cube [0,
1]^d in other clothes: random search draws uniform points there, Sobol draws evenly spread ones, and
a Gaussian process measures distances there. Read `Space.from_unit` first; the domains themselves
are in `domains.py`.

A dimension with `when=` exists only if an earlier one has a given value. Where it is inactive it is
absent from the config, and NaN in the unit cube.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import scipy  # its parts load when first used: scipy.stats alone takes half a second

from hpt_lab.arguments import check_whole, is_number, plain, show
from hpt_lab.counting import count_configs
from hpt_lab.domains import DIGITS, Choice, Domain, Float, Int, When, as_tuple, short
from hpt_lab.errors import SpaceError
from hpt_lab.trial import Config

__all__ = ["DIGITS", "Choice", "Domain", "Float", "Int", "Space", "When", "sobol"]

MOST_CONFIGS = 10**6  # of a grid that is listed


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
            raise SpaceError(
                "a Space must have at least one dimension; try "
                "Space(learning_rate=Float(1e-4, 1e-1, log=True))"
            )
        earlier: dict[str, Domain] = {}
        for name, domain in domains.items():
            if not isinstance(domain, (Float, Int, Choice)):
                raise SpaceError(f"{name} must be a Float, Int or Choice, got {show(domain)}")
            for parent, wanted in (domain.when or {}).items():
                _check_condition(name, parent, wanted, earlier)
            earlier[name] = domain
        self.domains: dict[str, Domain] = dict(domains)

    def __len__(self) -> int:
        return len(self.domains)

    def __iter__(self) -> Iterator[str]:
        return iter(self.domains)

    def __getitem__(self, name: str) -> Domain:
        if not isinstance(name, str) or name not in self.domains:
            raise SpaceError(
                f"{show(name)} is no dimension of this space; it has {list(self.domains)}"
            )
        return self.domains[name]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and self.spec() == other.spec()

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={short(domain)}" for name, domain in self.domains.items())
        return f"Space({inside})"

    @cached_property
    def size(self) -> float:
        """How many different configs there are: `math.inf` as soon as one dimension is a Float."""
        if any(math.isinf(domain.size) for domain in self.domains.values()):
            return math.inf
        return count_configs(
            {name: int(domain.size) for name, domain in self.domains.items()}, self._wants()
        )

    def is_active(self, name: str, config: Config) -> bool:
        """Say whether dimension `name` exists, given the dimensions before it in `config`."""
        if not isinstance(config, Mapping):
            raise SpaceError(f"config must be a dict of hyperparameters, got {show(config)}")
        return self._is_active(self[name], config)

    def _is_active(self, domain: Domain, config: Mapping[str, Any]) -> bool:
        return not domain.when or all(
            parent in config and plain(config[parent]) in as_tuple(wanted)
            for parent, wanted in domain.when.items()
        )

    def from_unit(self, u: Sequence[float] | np.ndarray) -> Config:
        """Map a point of the unit cube, (d,), to a config. Coordinates of inactive dimensions are
        ignored."""
        point = (
            u.tolist()
            if isinstance(u, np.ndarray)
            else list(u)
            if isinstance(u, list | tuple)
            else u
        )
        if not isinstance(point, list) or len(point) != len(self):
            raise SpaceError(
                f"a point must have {len(self)} coordinates, one for each of {list(self.domains)}, "
                f"got {show(u)}"
            )
        return self._at(point)

    def _at(self, point: list[float]) -> Config:
        config: Config = {}
        for (name, domain), x in zip(self.domains.items(), point, strict=True):
            if not domain.when or self._is_active(domain, config):
                config[name] = domain.from_unit(x)
        return config

    def to_unit(self, config: Config) -> np.ndarray:
        """Map a config to its point of the unit cube, (d,), NaN where a dimension is inactive."""
        self.check(config)
        return np.array(
            [
                domain.place_of(config[name]) if name in config else math.nan
                for name, domain in self.domains.items()
            ]
        )

    def sample(self, seed: Any) -> Config:
        """Draw one config, uniformly in the unit cube. `seed`: an int, a sequence of ints, or a
        numpy Generator."""
        if not (
            type(seed) is tuple and {*map(type, seed)} == {int} and min(seed) >= 0
        ):  # a search's own need no check
            seed = _checked_seed(seed)
        return self._at(np.random.default_rng(seed).random(len(self.domains)).tolist())

    def grid(self, n: int | Mapping[str, int]) -> list[Config]:
        """List the full factorial: n values per numeric dimension (or n per name), all values of
        each unordered Choice.

        Raises SpaceError, before anything is listed, for more than a million configs.
        """
        values = self._grid_values(n)
        count = count_configs({name: len(its) for name, its in values.items()}, self._wants(values))
        if count > MOST_CONFIGS:
            raise SpaceError(
                f"this grid has {count:,} configs, more than {MOST_CONFIGS:,}: a grid's size is a "
                "product "
                "over the dimensions; take fewer values or dimensions, or random_search(space, "
                "trials=...)"
            )
        return list(self.walk(values))

    def walk(self, values: Mapping[str, Sequence[Any]] | None = None) -> Iterator[Config]:
        """Yield every config once, the last dimension changing fastest: of all values, or of those
        in `values` by name.

        Nothing is listed beforehand, so that the first ones of 10**9 cost no more than the first
        ones of ten.
        """
        if values is None:
            values = {name: _all_values(name, domain) for name, domain in self.domains.items()}
        yield from self._walk(list(self.domains.items()), values, {})

    def _walk(
        self, left: list[tuple[str, Domain]], values: Mapping[str, Sequence[Any]], config: Config
    ) -> Iterator[Config]:
        while left and not self._is_active(left[0][1], config):
            left = left[1:]
        if not left:
            yield config
            return
        name = left[0][0]
        for value in values[name]:
            yield from self._walk(left[1:], values, {**config, name: value})

    def _grid_values(self, n: int | Mapping[str, int]) -> dict[str, list[Any]]:
        counts = dict(n) if isinstance(n, Mapping) else {}
        for name in counts:
            self[
                name
                # one that is no dimension is refused: a slip of the pen would change
                # nothing, silently
            ]
        values = {}
        for name, domain in self.domains.items():
            count = (
                counts.get(name, domain.size if isinstance(domain, Choice) else None)
                if isinstance(n, Mapping)
                else n
            )
            if isinstance(n, Mapping) and count is None:
                raise SpaceError(f"grid needs a number of values for {name}; got only {counts}")
            if is_number(plain(count)) and plain(count) == 0:
                raise SpaceError(
                    f"grid needs at least one value per dimension, got {count} for {name}"
                )
            values[name] = domain.grid(
                check_whole(f"grid's n for {name}", count, 1, 3, error=SpaceError)
            )
        return values

    def _wants(
        self, values: Mapping[str, Sequence[Any]] | None = None
    ) -> dict[str, dict[str, tuple[Any, ...]]]:
        """Return every condition's values: those that its parent can have, or has among
        `values`."""
        return {
            name: {
                parent: tuple(
                    value for value in as_tuple(wanted) if values is None or value in values[parent]
                )
                for parent, wanted in domain.when.items()
            }
            for name, domain in self.domains.items()
            if domain.when
        }

    def check(self, config: Config) -> None:
        """Raise SpaceError unless `config` is one this space could have drawn."""
        if not isinstance(config, Mapping):
            raise SpaceError(f"config must be a dict of hyperparameters, got {show(config)}")
        for name in config:
            if name not in self.domains:
                raise SpaceError(
                    f"config has {show(name)}, which is no dimension of this space: "
                    f"{list(self.domains)}"
                )
        for name, domain in self.domains.items():
            if not self._is_active(domain, config):
                if name in config:
                    raise SpaceError(
                        f"config has {name}={show(config[name])}, which exists only when "
                        f"{dict(domain.when or {})}"
                    )
            elif name not in config:
                raise SpaceError(f"config lacks {name!r}; give it a value from {short(domain)}")
            elif config[name] not in domain:
                raise SpaceError(f"{name} must be in {short(domain)}, got {show(config[name])}")

    def clean(self, config: Mapping[str, Any]) -> Config:
        """Return `config` with plain Python values, in the order of the dimensions. Raises
        SpaceError as `check` does."""
        self.check(config)  # type: ignore[arg-type]
        return {
            name: domain.clean(config[name])
            for name, domain in self.domains.items()
            if name in config
        }

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
                entry["when"] = {
                    parent: list(as_tuple(wanted)) for parent, wanted in domain.when.items()
                }
            spec[name] = entry
        return spec

    @classmethod
    def from_spec(cls, spec: Mapping[str, Mapping[str, Any]]) -> Space:
        """Rebuild a space from its `spec()`. The spec is data: unknown kinds or keys are
        refused."""
        if not isinstance(spec, Mapping):
            raise SpaceError(
                f"a spec must be a dict of dimensions, as Space.spec() gives it, got {show(spec)}"
            )
        kinds = {"float": Float, "int": Int, "choice": Choice}
        domains = {}
        for name, entry in spec.items():
            if not isinstance(name, str) or not isinstance(entry, Mapping):
                raise SpaceError(
                    f"can't read dimension {show(name)} from {show(entry)}; give its kind and "
                    "arguments"
                )
            arguments = dict(entry)
            kind = arguments.pop("kind", None)
            try:
                domains[name] = kinds[kind](**arguments)
            except (KeyError, TypeError) as error:
                raise SpaceError(
                    f"can't read dimension {name!r} from {show(dict(entry))}: {show(error)}"
                ) from None
        return cls(**domains)


def sobol(d: int, n: int, seed: Any) -> np.ndarray:
    """Return n points of the unit cube, (n, d), evenly spread: a scrambled Sobol sequence."""
    return scipy.stats.qmc.Sobol(d, rng=seed).random_base2((n - 1).bit_length())[:n]


def _check_condition(name: str, parent: str, wanted: Any, earlier: Mapping[str, Domain]) -> None:
    if parent not in earlier:
        raise SpaceError(
            f"{name} depends on {parent!r}, which must be a dimension declared before it; "
            f"declared so far: {list(earlier)}"
        )
    for value in as_tuple(wanted):
        if value not in earlier[parent]:
            raise SpaceError(
                f"{name} waits for {parent}={show(value)}, which {parent} can never be"
            )
    if isinstance(earlier[parent], Float):
        raise SpaceError(
            f"{name} waits for {parent}={show(wanted)}, and a Float has any one value with "
            "probability "
            f"zero; make {parent} a Choice or an Int"
        )


def _all_values(name: str, domain: Domain) -> Sequence[Any]:
    if isinstance(domain, Float):
        raise SpaceError(
            f"{name} is a Float, which has no end of values; walk a grid's values instead"
        )
    return domain.values if isinstance(domain, Choice) else range(domain.low, domain.high + 1)


def _checked_seed(seed: Any) -> Any:
    """Return `seed` in plain numbers, or raise SpaceError if it is none that a draw can be repeated
    by."""
    parts = seed if isinstance(seed, list | tuple) and seed else [seed]
    generators = np.random.Generator | np.random.BitGenerator | np.random.SeedSequence
    if not isinstance(seed, generators) and not all(
        type(plain(part)) is int and part >= 0 for part in parts
    ):
        raise SpaceError(
            f"seed must be a whole number >= 0, several, or a numpy Generator, got {show(seed)}; "
            "0 is as good as any"
        )
    return plain(seed)

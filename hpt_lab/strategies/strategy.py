"""What a strategy is, in two forms, and the decorator that makes either restartable.

A strategy that waits for a batch of results is a **generator**; it reads like the loop in its
paper:

    losses = yield rung          # rung: a list of trials; losses: a list of floats, same order,
                                 +inf for a failure

A strategy that looks at all that is known and names one more trial is a **function of the
history**:

    trial = propose(history)     # None: nothing to run now; with nothing pending either, the search
                                 is over

A function decorated with `@strategy` checks its arguments and returns a generator, a list of
generators that don't wait for each other (Hyperband's brackets), or a `propose` function. Calling
it gives a `Strategy`: the name and the arguments, which a journal can store, and `start()`, which
begins the search from scratch every time.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Container, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from hpt_lab.arguments import (
    MOST,
    check_number,
    check_seed,
    check_whole,
    is_listing,
    plain_all,
    show,
)
from hpt_lab.errors import StrategyError
from hpt_lab.history import History
from hpt_lab.space import Space
from hpt_lab.trial import Config, Trial

__all__ = [
    "STRATEGIES",
    "Batches",
    "Propose",
    "Strategy",
    "check_strategy",
    "check_whole",
    "draw",
    "strategy",
    "untried",
]

Batches = Generator[list[Trial], list[float], None]
Propose = Callable[[History], Trial | None]

MOST_TRIALS = 10**6  # of one batch, which is a list
# draws that turn out to have been tried, before a search looks for an untried config in order
PATIENCE = 500

STRATEGIES: dict[str, Callable[..., Strategy]] = {}  # by name, so that a journal can be resumed


@dataclass(frozen=True)
class Strategy:
    """A search, ready to start: its name, its arguments, and `start`, which begins it anew each
    time."""

    name: str
    settings: dict[str, Any]
    start: Callable[[], Batches | list[Batches] | Propose]

    @property
    def space(self) -> Space:
        return self.settings["space"]

    def describe(self) -> dict[str, Any]:
        """Return name and settings in plain JSON types, for a journal's header."""
        return {"strategy": self.name, "settings": {**self.settings, "space": self.space.spec()}}

    def __repr__(self) -> str:
        return (
            f"{self.name}({', '.join(f'{key}={value!r}' for key, value in self.settings.items())})"
        )


def strategy(function: Callable[..., Batches | list[Batches] | Propose]) -> Callable[..., Strategy]:
    """Turn a function of (space, *, settings) into one that returns a restartable `Strategy`."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def make(*args: Any, **kwargs: Any) -> Strategy:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        settings = dict(bound.arguments)
        space = settings["space"]
        if not isinstance(space, Space):
            raise StrategyError(
                f"space must be a Space, got {show(space)}; try Space(x=Float(0, 1))"
            )
        settings |= {
            name: plain_all(value)
            for name, value in settings.items()
            if name not in ("space", "first")
        }
        if "seed" in settings:
            check_seed(settings["seed"])
        if "budget" in settings:
            check_number("budget", settings["budget"], above=0, most=MOST, error=StrategyError)
        if "first" in settings:
            settings["first"] = _checked(settings["first"], space)
        start = functools.partial(_begin, make, settings)
        start()  # check the arguments now, not when the search begins
        return Strategy(function.__name__, settings, start)

    STRATEGIES[function.__name__] = make
    return make


def _begin(make: Any, settings: dict[str, Any]) -> Batches | list[Batches] | Propose:
    """Begin the search of the function that `@strategy` wrapped as `make`.

    Pickle stores a function by its name, and by that name it finds `make`, never the function
    inside.
    """
    return make.__wrapped__(**settings)


def draw(space: Space, seed: int, trial: int, first: Sequence[Config] = ()) -> Config:
    """Draw the config of trial number `trial`: from `first` while that lasts, else at random by
    (seed, trial)."""
    return dict(first[trial]) if trial < len(first) else space.sample((seed, trial))


def untried(
    space: Space,
    seen: Container[tuple[Any, ...]],
    drawn: Iterator[Config],
    ranked: Iterable[Config] = (),
) -> Config:
    """Return the first config, of those `ranked` and then of those `drawn`, whose items, as a
    tuple, are not in `seen`.

    A config may be so unlikely that drawing never meets it: after PATIENCE draws the first untried
    one in the order of the space is taken; where Floats have no such order, a repeat.
    """
    config: Config = {}
    for config in chain(ranked, islice(drawn, PATIENCE)):
        if tuple(config.items()) not in seen:
            return config
    if space.size == math.inf:
        return config
    return next((config for config in space.walk() if tuple(config.items()) not in seen), config)


def check_strategy(value: Any) -> Strategy:
    """Return `value`, a Strategy. Raises StrategyError, with how to make one, for anything else."""
    if isinstance(value, Strategy):
        return value
    name = value if isinstance(value, str) else getattr(value, "__name__", None)
    if isinstance(name, str) and name.lower().replace("-", "_").replace(" ", "_") in STRATEGIES:
        name = name.lower().replace("-", "_").replace(" ", "_")
        most = (
            "trials=20"
            if "trials" in inspect.signature(STRATEGIES[name]).parameters
            else "max_budget=27"
        )
        most = "n=3" if name == "grid_search" else most
        raise StrategyError(
            f"strategy must be made for a space, got {show(value)} alone; try hpt.{name}(space, "
            f"{most}, "
            "seed=0)".replace("n=3, seed=0", "n=3")
        )
    what = (
        "objective and strategy may be swapped: "
        if callable(value) or hasattr(value, "run")
        else ""
    )
    raise StrategyError(
        f"strategy must be a Strategy, got {show(value)}; {what}try "
        "tune(objective, hpt.random_search(space, trials=20))"
    )


def _checked(first: Any, space: Space) -> list[Config]:
    if not is_listing(first):
        raise StrategyError(
            f"first must be a list of configs, got {show(first)}; try first=[config]"
        )
    return [space.clean(config) for config in first]

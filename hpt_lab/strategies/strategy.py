"""What a strategy is, in two forms, and the decorator that makes either restartable.

A strategy that waits for a batch of results is a **generator**; it reads like the loop in its paper:

    losses = yield rung          # rung: a list of trials; losses: a list of floats, same order, +inf for a failure

A strategy that looks at all that is known and names one more trial is a **function of the history**:

    trial = propose(history)     # None: nothing to run now; with nothing pending either, the search is over

A function decorated with `@strategy` checks its arguments and returns a generator, a list of generators that
don't wait for each other (Hyperband's brackets), or a `propose` function. Calling it gives a `Strategy`: the name
and the arguments, which a journal can store, and `start()`, which begins the search from scratch every time.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from hpt_lab.errors import StrategyError
from hpt_lab.history import History
from hpt_lab.space import Space
from hpt_lab.trial import Config, Trial

Batches = Generator[list[Trial], list[float], None]
Propose = Callable[[History], Trial | None]

STRATEGIES: dict[str, Callable[..., Strategy]] = {}  # by name, so that a journal can be resumed


@dataclass(frozen=True)
class Strategy:
    """A search, ready to start: its name, its arguments, and `start`, which begins it anew each time."""

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
        return f"{self.name}({', '.join(f'{key}={value!r}' for key, value in self.settings.items())})"


def strategy(function: Callable[..., Batches | list[Batches] | Propose]) -> Callable[..., Strategy]:
    """Turn a function of (space, *, settings) into one that returns a restartable `Strategy`."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def make(*args: Any, **kwargs: Any) -> Strategy:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        settings = dict(bound.arguments)
        if not isinstance(settings["space"], Space):
            raise StrategyError(f"space must be a Space, got {settings['space']!r}; try Space(x=Float(0, 1))")
        if "first" in settings:
            settings["first"] = list(settings["first"])
            for config in settings["first"]:
                settings["space"].check(config)
        start = functools.partial(_begin, make, settings)
        start()  # check the arguments now, not when the search begins
        return Strategy(function.__name__, settings, start)

    STRATEGIES[function.__name__] = make
    return make


def _begin(make: Any, settings: dict[str, Any]) -> Batches | list[Batches] | Propose:
    """Begin the search of the function that `@strategy` wrapped as `make`.

    Pickle stores a function by its name, and by that name it finds `make`, never the function inside.
    """
    return make.__wrapped__(**settings)


def draw(space: Space, seed: int, trial: int, first: Sequence[Config] = ()) -> Config:
    """Draw the config of trial number `trial`: from `first` while that lasts, else at random by (seed, trial)."""
    return dict(first[trial]) if trial < len(first) else space.sample((seed, trial))


def check_whole(name: str, value: Any, least: int, hint: int) -> None:
    """Raise StrategyError unless `value` is a whole number >= least."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise StrategyError(f"{name} must be an integer >= {least}, got {value!r}; try {hint}")

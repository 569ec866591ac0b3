"""A trial is one config with an id; an outcome is what came of training it.

Strategies make trials, objectives answer with outcomes, and neither knows the other. An Outcome
holds plain Python numbers and strings only, whatever it was made from: a journal can write every
one there is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from hpt_lab.arguments import MOST, is_number, plain, show
from hpt_lab.errors import HptError

Config = dict[str, Any]  # {"learning_rate": 0.01, "units": 64}: hyperparameter values, nothing else


@dataclass(frozen=True)
class Trial:
    """One config to be trained until it has had `budget` in total.

    The same `id` asked again with a larger budget means *resume*: 3 then 9 is six more epochs.

    >>> Trial(0, {"learning_rate": 0.01}, budget=3)
    Trial(id=0, config={'learning_rate': 0.01}, budget=3, bracket=None, rung=None, parent=None)
    """

    id: int
    config: Config
    budget: float = 1  # cumulative; epochs, unless the objective says otherwise
    bracket: int | None = None  # Hyperband's s; which halving this trial takes part in
    rung: int | None = None  # 0 is the first, cheapest rung
    parent: int | None = (
        None  # trial whose weights this one starts from (population-based training)
    )
    origin: Trial | None = field(
        default=None, compare=False, repr=False
    )  # the parent as it was then; by `AskTell`
    why: Any = field(
        default=None, compare=False, repr=False
    )  # what the strategy saw; never journalled

    def __post_init__(self) -> None:
        if type(self.id) is not int:
            object.__setattr__(self, "id", _id(self.id))
        if not isinstance(self.config, dict):
            raise HptError(
                f"a trial's config must be a dict of hyperparameters, got {show(self.config)}"
            )
        if type(self.budget) is not int or self.budget > MOST:
            budget = plain(self.budget)
            if not is_number(budget) or not abs(budget) <= MOST:
                raise HptError(
                    f"a trial's budget must be a number within {MOST:,}, got {show(budget)}; try 1"
                )
            object.__setattr__(self, "budget", budget)


@dataclass(frozen=True)
class Outcome:
    """What training a trial gave: a loss to minimise, or the error that ended it.

    `curves` holds one list per quantity with one value per epoch *since training began*
    (not since the last resume), for instance {"loss": [...], "val_loss": [...]}.

    Raises HptError for anything else: a loss that is no number, metrics of text.

    >>> Outcome(0.5, {"accuracy": 1})
    Outcome(loss=0.5, metrics={'accuracy': 1.0}, seconds=0.0, error=None, curves={})
    """

    loss: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0  # wall time of this call alone, not of the calls it resumed
    error: str | None = None
    curves: Mapping[str, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (
            type(self.loss) is float
            and type(self.seconds) is float
            and (self.error is None or type(self.error) is str)
            and type(self.metrics) is dict
            and not self.metrics
            and type(self.curves) is dict
            and not self.curves
        ):
            object.__setattr__(
                self, "metrics", {}
            )  # the usual outcome of a function: only the caller's dicts are let go
            object.__setattr__(self, "curves", {})
            return
        error = plain(self.error)
        if error is not None and not isinstance(error, str):
            raise HptError(
                f"an Outcome's error must be None or a string, got {show(error)}; try str(error)"
            )
        loss = (
            math.nan
            if self.loss is None and error is not None
            else number("an Outcome's loss", self.loss)
        )
        seconds = number("an Outcome's seconds", self.seconds)
        metrics = {
            name: _measure(f"the metric {name!r}", value)
            for name, value in _named("metrics", self.metrics, "number").items()
        }
        curves = {
            name: _curve(name, values)
            for name, values in _named("curves", self.curves, "list").items()
        }
        for name, value in (
            ("loss", loss),
            ("seconds", seconds),
            ("error", error),
            ("metrics", metrics),
            ("curves", curves),
        ):
            object.__setattr__(self, name, value)

    @property
    def failed(self) -> bool:
        """True when there is no finite loss: the trial raised, or diverged to NaN or infinity."""
        return self.error is not None or not math.isfinite(self.loss)

    @property
    def rank_loss(self) -> float:
        """The loss to rank by: +inf for anything that failed, so that it never wins."""
        return math.inf if self.failed else self.loss


def failure(error: str, seconds: float = 0.0) -> Outcome:
    """Make the outcome of a trial that raised."""
    return Outcome(math.nan, error=error, seconds=seconds)


def number(what: str, value: Any) -> float:
    """Return `value`, one real number of whatever library, as a float. Raises HptError for anything
    else.

    Text, truth values, complex numbers and arrays, of one element too, are no numbers here: each is
    somebody's slip.
    """
    if type(value) is float:
        return value
    value = plain(value)
    if not is_number(value):
        shape = getattr(value, "shape", ())
        if (
            isinstance(value, bool | complex)
            or not hasattr(type(value), "__float__")
            or tuple(shape) != ()
        ):
            hint = (
                f", of shape {tuple(shape)}; take its one number with .item()"
                if shape
                else "; return a float"
            )
            raise HptError(f"{what} must be a number, got {show(value)}{hint}")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise HptError(f"{what} must be a number, got {show(value)}: {error}") from None


def _measure(what: str, value: Any) -> float:
    value = plain(value)
    if value is None:
        raise HptError(f"{what} must be a number, got None; leave it out where there is none")
    return float(value) if isinstance(value, bool) else number(what, value)


def _named(what: str, mapping: Any, of: str) -> dict[str, Any]:
    if not isinstance(mapping, Mapping) or not all(isinstance(name, str) for name in mapping):
        raise HptError(
            f"an Outcome's {what} must be a dict of names and a {of} each, got {show(mapping)}; "
            f"leave them out if there are none"
        )
    return {plain(name): value for name, value in mapping.items()}


def _curve(name: str, values: Any) -> list[float]:
    if type(values) is list and all(type(value) is float for value in values):
        return list(values)
    if (
        isinstance(values, str | bytes | Mapping | AbstractSet)
        or not isinstance(values, Iterable)
        or getattr(values, "shape", (0,)) == ()
    ):
        raise HptError(
            f"the curve {name!r} must be a list of one number per epoch, got {show(values)}"
        )
    return [number(f"every value of the curve {name!r}", value) for value in values]


def _id(value: Any) -> int:
    value = plain(value)
    if type(value) is not int:
        raise HptError(f"a trial's id must be a whole number, got {show(value)}")
    return value

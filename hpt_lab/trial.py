"""A trial is one config with an id; an outcome is what came of training it.

Strategies make trials, objectives answer with outcomes, and neither knows the other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
    parent: int | None = None  # trial whose weights this one starts from (population-based training)
    origin: Trial | None = field(default=None, compare=False, repr=False)  # the parent as it was then; by `AskTell`
    why: Any = field(default=None, compare=False, repr=False)  # what the strategy saw; never journalled


@dataclass(frozen=True)
class Outcome:
    """What training a trial gave: a loss to minimise, or the error that ended it.

    `curves` holds one list per quantity with one value per epoch *since training began*
    (not since the last resume), for instance {"loss": [...], "val_loss": [...]}.
    """

    loss: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0  # wall time of this call alone, not of the calls it resumed
    error: str | None = None
    curves: Mapping[str, list[float]] = field(default_factory=dict)

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

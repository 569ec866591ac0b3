"""One dimension as an axis: its scale, its round values or names, its place for what is absent.

Shared by the pictures that draw losses against hyperparameters. Read `drawn` for which loss of a
trial they show, and `dress` for the axis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from hpt_lab.arguments import show
from hpt_lab.domains import Choice, Domain, Int
from hpt_lab.errors import HptError
from hpt_lab.evidence import space_of
from hpt_lab.history import History, Record
from hpt_lab.plots.figure import finished
from hpt_lab.space import Space

LONGEST = 18  # characters of a name on an axis


@dataclass(frozen=True)
class Drawn:
    """What a picture shows: one record per trial, its last, apart from those that failed."""

    history: History
    space: Space
    good: list[Record]  # best first
    failed: list[Record]

    @property
    def trials(self) -> int:
        return len(self.good) + len(self.failed)


def drawn(study: Any, space: Space | None) -> Drawn:
    """Return every trial's last record; the study's best record stands for its trial."""
    past = finished(study)
    space = space_of(study, space)
    for record in past.records:
        space.check(record.config)
    ranked = sorted(last_of(past), key=lambda record: (record.outcome.rank_loss, record.trial.id))
    return Drawn(
        past,
        space,
        [record for record in ranked if not record.outcome.failed],
        [record for record in ranked if record.outcome.failed],
    )


def last_of(history: History) -> list[Record]:
    """Return every trial's last record, the best trial's best, in the order of the trials."""
    last = {record.trial.id: record for record in history.records}
    if history.best:
        last[history.best.trial.id] = history.best
    return [last[trial] for trial in sorted(last)]


def active(records: Sequence[Record], *names: str) -> list[Record]:
    """List the records whose config has all these dimensions."""
    return [record for record in records if all(name in record.config for name in names)]


def check_dimension(name: Any, space: Space, argument: str = "name") -> str:
    """Return `name`. Raises HptError unless it is a dimension of the space."""
    if not isinstance(name, str) or name not in space.domains:
        raise HptError(
            f"{argument} must be a dimension of the space, one of {list(space)}, got {show(name)}"
        )
    return name


def place(domain: Domain, value: Any) -> float:
    """Return where a value lies on its axis: a Choice's values at 0, 1, 2, any other at itself."""
    if isinstance(domain, Choice):
        return float(domain.values.index(domain.clean(value)))
    return float(value)


def spread(domain: Domain, record: Record, name: str) -> float:
    """Return where a record's dot lies: of a Choice a little beside its value, by its id."""
    at = place(domain, record.config[name])
    if isinstance(domain, Choice):
        return at + 0.3 * ((record.trial.id * 0.618) % 1 - 0.5)
    return at


def dress(ax: Axes, domain: Domain, along: str = "x") -> None:
    """Give an axis the domain's scale, its whole range with a margin, and readable ticks."""
    axis: Axis = ax.xaxis if along == "x" else ax.yaxis
    limits = ax.set_xlim if along == "x" else ax.set_ylim
    if isinstance(domain, Choice):
        limits(-0.5, len(domain.values) - 0.5)
        names = [short_name(value) for value in domain.values]
        axis.set_ticks(range(len(names)), names)
        for label in axis.get_ticklabels():
            label.set_parse_math(False)
        if along == "x" and sum(map(len, names)) > 60:
            ax.tick_params(axis="x", rotation=30)
        return
    low, high = float(domain.low), float(domain.high)
    if domain.log:
        (ax.set_xscale if along == "x" else ax.set_yscale)("log")
        axis.set_major_locator(LogLocator(subs=(1,) if high > 100 * low else (1, 2, 5)))
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
        margin = 0.03 * math.log(high / low) or 0.1
        limits(low * math.exp(-margin), high * math.exp(margin))
        return
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=isinstance(domain, Int)))
    margin = 0.03 * (high - low) or 0.5
    limits(low - margin, high + margin)


def short_name(value: Any) -> str:
    """Write a value for an axis, cut to a readable length."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def axis_label(name: str, domain: Domain) -> str:
    """Return a dimension's name with its scale."""
    return f"{name} (log)" if getattr(domain, "log", False) else name

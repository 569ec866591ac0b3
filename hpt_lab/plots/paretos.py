"""Two goals at once: the trials that no other beats in both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes

from hpt_lab.arguments import is_listing, show
from hpt_lab.errors import HptError
from hpt_lab.history import History, Record
from hpt_lab.plots.dimensions import last_of
from hpt_lab.plots.figure import FAINT, INK, VERMILLION, axes, count, finish, finished


def pareto(
    study: Any,
    x: str = "seconds",
    y: str = "loss",
    *,
    larger: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """Draw two goals of every trial, and the front of those that none beats in both.

    x, y: "loss", "seconds" (of all runs of a trial), "budget", or a metric. Smaller is better,
    unless the name stands in `larger`, as in larger=["accuracy"]. A trial that failed, or lacks one
    of the two, is left out and counted.

    Caveat: the front is made of the luckiest trials: measured again, some fall behind it. A search
    for one goal hardly looked elsewhere, so a gap in the front is not a bound. Trials of different
    budgets stand side by side.
    """
    past = finished(study)
    if not is_listing(larger) or any(name not in (x, y) for name in larger):
        raise HptError(f"larger must list x or y or both, got {show(larger)}; try larger=[{x!r}]")
    points = {}
    last = last_of(past)
    for record in last:
        pair = (_measure(past, record, x), _measure(past, record, y))
        if not record.outcome.failed and all(map(math.isfinite, pair)):
            points[record.trial.id] = pair
    if not points:
        names = sorted({name for record in past.records for name in record.metrics})
        raise HptError(
            f"no trial has both {show(x)} and {show(y)}; there are loss, seconds, budget, {names}"
        )
    signs = (-1 if x in larger else 1, -1 if y in larger else 1)
    front = _front(points, signs)
    ax = axes(ax)
    rest = [pair for trial, pair in points.items() if trial not in front]
    ax.scatter(
        [a for a, _ in rest], [b for _, b in rest], s=30, color=FAINT, label="beaten in both"
    )
    ends = [points[trial] for trial in front]
    ax.plot(
        [a for a, _ in ends],
        [b for _, b in ends],
        color=VERMILLION,
        marker="D",
        markersize=7,
        markeredgecolor=INK,
        linestyle=":",
        drawstyle="steps-post",
        label=f"front ({len(front)})",
    )
    _scale(ax, points)
    return finish(
        ax,
        title=f"None beats {len(front)} of {count(len(points), 'trial')} in both {x} and {y}",
        xlabel=_label(x, larger),
        ylabel=_label(y, larger),
        description=f"The front: trials {', '.join(map(str, front))}. "
        f"{len(last) - len(points)} left out.",
    )


def _measure(past: History, record: Record, name: str) -> float:
    """Return one goal of a trial, NaN if it has none of that name."""
    if name == "seconds":
        mine = [other for other in past.records if other.trial.id == record.trial.id]
        return sum(other.outcome.seconds for other in mine)
    if name in ("loss", "budget"):
        return float(getattr(record, name))
    return float(record.metrics.get(name, math.nan))


def _front(points: dict[int, tuple[float, float]], signs: tuple[int, int]) -> list[int]:
    """List the trials that none beats: none is as good in both and better in one."""
    ranked = sorted(
        points, key=lambda trial: (signs[0] * points[trial][0], signs[1] * points[trial][1])
    )
    front: list[int] = []
    for trial in ranked:
        better = not front or signs[1] * points[trial][1] < signs[1] * points[front[-1]][1]
        if better or points[trial] == points[front[-1]]:
            front.append(trial)
    return front


def _scale(ax: Axes, points: dict[int, tuple[float, float]]) -> None:
    for side, scale in ((0, ax.set_xscale), (1, ax.set_yscale)):
        values = [pair[side] for pair in points.values()]
        if 0 < 10 * min(values) <= max(values):
            scale("log")


def _label(name: str, larger: Sequence[str]) -> str:
    return f"{name} ({'larger' if name in larger else 'smaller'} is better)"

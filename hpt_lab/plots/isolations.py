"""The isolation plot: what a hyperparameter can do with the others tuned for each of its values.

From the Deep Learning Tuning Playbook (Godbole et al., 2023,
https://github.com/google-research/tuning_playbook): to compare the values of a scientific
hyperparameter, take for each the best trial over the nuisance hyperparameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from hpt_lab.arguments import check_whole
from hpt_lab.domains import Choice, Domain, Int
from hpt_lab.errors import HptError
from hpt_lab.evidence import comparable, say
from hpt_lab.history import Record
from hpt_lab.plots.dimensions import active, check_dimension, drawn
from hpt_lab.plots.figure import BEST, BLUE, FAINT, INK, axes, count, failures, finish, loss_scale
from hpt_lab.space import Space

MOST = 12  # values that stand for themselves


def isolation(
    study: Any,
    name: str,
    *,
    buckets: int = 5,
    space: Space | None = None,
    log: bool | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the best trial of each value of dimension `name`, or bucket of them; return the axes.

    Trials are those of one budget (`evidence.comparable`). A Choice, and an Int of at most twelve
    values, has one bucket per value; any other range is cut into `buckets` of equal width on its
    own scale. Below each stands how many trials it had; failed trials, of whatever budget, are
    crosses at the top. `space` is needed with a bare History.

    Caveat: the best of many is lower than the best of few, by luck alone, so compare buckets with
    like numbers of trials. It says what a value can do with the others tuned as far as this search
    tuned them, not what it does on average, and the best trial of a bucket was trained once.
    """
    shown = drawn(study, space)
    domain = shown.space[check_dimension(name, shown.space)]
    check_whole("buckets", buckets, 2, 5, most=50, error=HptError)
    parts = _buckets(domain, buckets)
    records = active(comparable(shown.history), name)
    groups = [
        [record for record in records if _inside(domain, record, name, part)] for _, part in parts
    ]
    broken = [record for record in active(shown.failed, name)]
    best = [
        min((r for r in group if not r.outcome.failed), key=lambda r: r.loss, default=None)
        for group in groups
    ]
    ax = axes(ax)
    for x, group in enumerate(groups):
        losses = [record.loss for record in group if not record.outcome.failed]
        ax.scatter(
            x + np.linspace(-0.15, 0.15, len(losses)),
            losses,
            s=24,
            color=FAINT,
            linewidths=0,
            zorder=2,
            label="a trial" if x == 0 else None,
        )
    reached = [(x, record) for x, record in enumerate(best) if record is not None]
    ax.plot(
        [x for x, _ in reached],
        [record.loss for _, record in reached],
        color=BLUE,
        marker="o",
        markersize=9,
        markeredgecolor=INK,
        linestyle="-" if _ordered(domain) else "none",
        zorder=4,
        label="best of its bucket",
    )
    loss_scale(ax, [record.loss for record in records if not record.outcome.failed], log)
    failures(
        ax,
        [
            x
            for x, (_, part) in enumerate(parts)
            for record in broken
            if _inside(domain, record, name, part)
        ],
    )
    title = _finding(ax, name, parts, reached)
    budget = f"budget {records[0].budget:g}" if records else "no trials"
    finish(
        ax,
        title=title,
        xlabel=name,
        ylabel=f"loss (lower is better, {budget})",
        below=64,
        description=(
            "Best loss by bucket: "
            + ", ".join(f"{parts[x][0]} {record.loss:.3g}" for x, record in reached)
            + f". {count(len(broken), 'trial')} failed."
        ),
    )
    ax.set_xlim(-0.5, len(parts) - 0.5)
    ax.set_xticks(
        range(len(parts)),
        [f"{words}\nn={len(group)}" for (words, _), group in zip(parts, groups, strict=True)],
    )
    for label in ax.get_xticklabels():
        label.set_parse_math(False)
    return ax


def _ordered(domain: Domain) -> bool:
    return not isinstance(domain, Choice) or domain.ordered


def _buckets(domain: Domain, buckets: int) -> list[tuple[str, tuple[float, float]]]:
    """List the buckets: their words, and their part of the unit interval."""
    values: Sequence[Any] = ()
    if isinstance(domain, Choice):
        values = domain.values
    elif isinstance(domain, Int) and domain.size <= MOST:
        values = range(domain.low, domain.high + 1)
    parts = []
    for value in values:
        place = domain.place_of(value)
        parts.append((say(value), (place - 1e-9, place + 1e-9)))
    if parts:
        return parts
    for low, high in pairwise(np.linspace(0, 1, buckets + 1).tolist()):
        words = f"{say(domain.from_unit(low))} to {say(domain.from_unit(high))}"
        parts.append((words, (low, high)))
    return parts


def _inside(domain: Domain, record: Record, name: str, part: tuple[float, float]) -> bool:
    """Say whether a record lies in a bucket; its upper end belongs to the next one."""
    place = domain.place_of(record.config[name])
    return part[0] <= place < part[1] or place == part[1] == 1.0


def _finding(
    ax: Axes, name: str, parts: list[tuple[str, Any]], reached: list[tuple[int, Record]]
) -> str:
    """Mark the winner and say by how much it beats the next bucket."""
    if not reached:
        return f"No bucket of {name} has a loss"
    ranked = sorted(reached, key=lambda pair: pair[1].loss)
    x, winner = ranked[0]
    ax.plot(
        x, winner.loss, linestyle="none", zorder=5, label=f"best: trial {winner.trial.id}", **BEST
    )
    title = f"Best {name}, the others tuned: {parts[x][0]}"
    if len(ranked) < 2:
        return title
    ahead = ranked[1][1].loss - winner.loss
    return (
        f"{title}, {f'{ahead:.2g} ahead' if ahead > 0 else 'level with ' + parts[ranked[1][0]][0]}"
    )

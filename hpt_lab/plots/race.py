"""Pictures of a race: who is ahead when, and by how much chance allows.

`over_time` draws the incumbents' mean loss with a band of what other seeds would have given;
`ranks` the average ranks with their intervals; `selection_gap` what was promised on the validation
part against what the test part says.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from hpt_lab.errors import HptError
from hpt_lab.plots.figure import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    VERMILLION,
    Style,
    axes,
    finish,
    loss_scale,
)

COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, "#CC79A7", "#56B4E9", "#882255", "#999933")
MARKERS = "osv^DPX*"
LINE_STYLE: Style = {"color": INK, "linestyle": "--", "marker": "", "linewidth": 2.2}


def over_time(race: Any, *, log: bool | None = None, ax: Axes | None = None) -> Axes:
    """Draw every strategy's incumbent loss against what was spent: means over the seeds, bands of
    two standard errors.

    A strategy begins where each of its runs has a result: a mean over the quick ones would rise as
    the others join. The dashed line spent twice as much.
    """
    ax = axes(ax, 9.5, 5.5)
    spent, losses = race.over_time()
    styles = styles_of(losses)
    drawn: list[float] = []
    for name, values in losses.items():
        known = np.isfinite(values).all(axis=0)
        values = values[:, known]  # (seeds, points)
        mean, error = values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))
        ax.fill_between(
            spent[known],
            np.maximum(mean - 2 * error, values.min(axis=0)),
            mean + 2 * error,
            color=styles[name]["color"],
            alpha=0.13,
            linewidth=0,
        )
        ax.plot(spent[known], mean, label=name, markevery=8, **styles[name])
        drawn += [*mean]
    loss_scale(ax, drawn, log)
    ax.set_xscale("log")
    summary = race.summary()
    first = summary.index[0]
    title = (
        f"After {race.budget:,.0f} {race.unit} {first} has the best average rank, "
        f"{summary['rank'].iloc[0]:.1f}"
    )
    return finish(
        ax,
        title=title,
        xlabel=f"{race.unit} spent{' (simulated)' if race.unit == 'seconds' else ''}",
        ylabel=f"loss of the incumbent, mean of {len(race.seeds)} seeds",
        description="Mean losses at the end: "
        + "; ".join(f"{name} {loss:.4f}" for name, loss in summary["loss"].items())
        + ".",
        below=44,
    )


def ranks(race: Any, *, ax: Axes | None = None) -> Axes:
    """Draw every strategy's average rank at the end, 1 the best, with its 95 % bootstrap
    interval."""
    summary = race.summary()
    ax = axes(ax, 9.0, 0.5 * len(summary) + 1.4)
    styles = styles_of(summary.index)
    for y, (name, row) in enumerate(summary.iterrows()):
        point = _point(styles[str(name)])
        ax.plot([row["rank_low"], row["rank_high"]], [y, y], color=point["color"], linewidth=2.5)
        ax.plot(row["rank"], y, **point)
    ax.set_yticks(range(len(summary)), [str(name) for name in summary.index])
    ax.invert_yaxis()
    ax.axvspan(
        summary["rank_low"].iloc[0],
        summary["rank_high"].iloc[0],
        color=FAINT,
        alpha=0.35,
        linewidth=0,
    )
    beside = int((summary["rank_low"] <= summary["rank_high"].iloc[0]).sum())
    title = (
        f"{summary.index[0]} has the best rank, and no interval reaches it"
        if beside == 1
        else f"The best {beside} strategies can't be told apart by rank"
    )
    return finish(
        ax,
        title=title,
        xlabel=f"average rank among {len(summary)}, {len(race.seeds)} seeds (1 is best)",
        ylabel="",
        description="; ".join(
            f"{name}: {row['rank']:.2f} ({row['rank_low']:.2f} to {row['rank_high']:.2f})"
            for name, row in summary.iterrows()
        )
        + ".",
    )


def selection_gap(race: Any, *, ax: Axes | None = None) -> Axes:
    """Draw every strategy's mean validation error against the mean test error of the same
    incumbents.

    On the diagonal, what was promised would be kept. Only for a race by accuracy.
    """
    if race.metric != "accuracy":
        raise HptError(
            f"selection_gap compares errors, and this race minimised {race.metric!r}; race with "
            "metric='accuracy'"
        )
    summary = race.summary()
    ax = axes(ax, 9.5, 5.5)
    styles = styles_of(summary.index)
    for name, row in summary.iterrows():
        ax.plot(row["loss"], row["test_error"], label=str(name), **_point(styles[str(name)]))
    both = summary[["loss", "test_error"]].to_numpy()
    ax.plot([both.min(), both.max()], [both.min(), both.max()], color=FAINT, linewidth=1.5)
    gap = summary["gap"].mean()
    title = (
        f"On average the test error is {abs(gap):.4f} {'above' if gap > 0 else 'below'} the "
        "validation error"
    )
    return finish(
        ax,
        title=title,
        xlabel="validation error of the incumbent, mean",
        ylabel="its test error, mean",
        description="; ".join(
            f"{name}: {row['loss']:.4f} validation, {row['test_error']:.4f} test"
            for name, row in summary.iterrows()
        )
        + ".",
    )


def _point(style: Style) -> Style:
    return {**style, "linestyle": "none", "marker": style["marker"] or "D", "markersize": 9}


def styles_of(names: Any) -> dict[str, Style]:
    """Give every strategy a colour and a marker; the line to beat is dashed."""
    styles: dict[str, Style] = {}
    for name in sorted(map(str, names), key=str):
        if "twice the budget" in name:
            styles[name] = LINE_STYLE
        else:
            i = len([n for n in styles if "twice the budget" not in n])
            styles[name] = {
                "color": COLOURS[i % len(COLOURS)],
                "marker": MARKERS[i % len(MARKERS)],
                "markersize": 5,
                "linewidth": 1.6,
            }
    return styles

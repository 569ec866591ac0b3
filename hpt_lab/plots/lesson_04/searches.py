"""Grid against random search: the bill, the knobs, the projections, the luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from hpt_lab.plots.figure import BLUE, FAINT, INK, axes, finish, guess
from hpt_lab.plots.lesson_04.parts import STYLES, row, whole

RATES = ((0, "1e-4"), (0.25, "1e-3"), (0.5, "0.01"), (0.75, "0.1"), (1, "1"))


def bill(knobs: Sequence[int], values: Sequence[int]) -> Axes:
    """Draw how many trainings a grid takes, by the number of knobs, for so many values of each."""
    ax = axes(None, height=4.0)
    for (colour, marker, line), k in zip(STYLES, values, strict=False):
        ax.plot(
            knobs,
            [float(k) ** d for d in knobs],
            line,
            color=colour,
            marker=marker,
            label=f"{k} values each",
        )
    for hours, name in ((24 * 7, "a week"), (24 * 365, "a year")):
        ax.axhline(hours, color=FAINT, linewidth=1)
        ax.annotate(
            f"{name}, at an hour each",
            (knobs[0], hours),
            xytext=(0, 3),
            textcoords="offset points",
            color=INK,
            fontsize=9,
        )
    ax.set(yscale="log", xticks=list(knobs))
    days = values[1] ** 6 / 24
    return finish(
        ax,
        title=f"{values[1]} values of 6 knobs: {values[1] ** 6} trainings, {days:.0f} days",
        xlabel="knobs",
        ylabel="trainings",
        below=46,
        description="Straight lines on a log axis: every knob multiplies the trainings.",
    )


def importance(
    shares: Mapping[tuple[str, ...], float],
    explained: Sequence[float],
    *,
    name: str,
    guess_: Any = None,
) -> np.ndarray:
    """Draw what every knob explains, alone and with partners; and what the best m knobs explain."""
    knobs = sorted(
        {knob for part in shares for knob in part}, key=lambda knob: _in_all(shares, knob)
    )
    alone = [100 * shares[(knob,)] for knob in knobs]
    all_in = [100 * _in_all(shares, knob) for knob in knobs]
    left, right = row(2, height=3.9, sharey=False)
    left.barh(
        knobs, all_in, color=FAINT, hatch="//", edgecolor="white", label="alone or with others"
    )
    left.barh(knobs, alone, color=BLUE, height=0.45, label="alone")
    for place, value in enumerate(all_in):
        left.annotate(
            f"{value:.0f}", (value, place), xytext=(4, -4), textcoords="offset points", color=INK
        )
    left.set_xlim(0, 100)
    finish(
        left,
        title=f"{name}: {knobs[-1].replace('_', ' ')} has a part in {all_in[-1]:.0f} %",
        below=46,
        xlabel="share of the variance, %",
        ylabel="",
        description="; ".join(
            f"{k} {a:.0f} % alone, {b:.0f} % in all"
            for k, a, b in zip(knobs, alone, all_in, strict=True)
        )
        + ".",
    )
    _rise(right, explained, guess_)
    return np.array([left, right])


def _rise(ax: Axes, explained: Sequence[float], guess_: Any) -> None:
    counts = range(1, len(explained) + 1)
    ax.plot(
        counts, 100 * np.array(explained), color=BLUE, marker="o", label="the best so many knobs"
    )
    ax.axhline(90, color=INK, linewidth=1, linestyle=":", label="90 %")
    guess(ax, guess_, axis="x")
    ax.set(ylim=(0, 104), xticks=list(counts))
    needed = next(m for m, share in zip(counts, explained, strict=True) if share >= 0.9)
    finish(
        ax,
        title=f"90 % takes {needed} of the {len(explained)} knobs",
        below=46,
        xlabel="knobs",
        ylabel="share explained, %",
        description="It rises: " + ", ".join(f"{s:.0%}" for s in explained) + ".",
    )


def _in_all(shares: Mapping[tuple[str, ...], float], knob: str) -> float:
    return sum(share for part, share in shares.items() if knob in part)


def projections(
    errors: np.ndarray, points: Mapping[str, np.ndarray], best: Mapping[str, float]
) -> np.ndarray:
    """Draw searches on the map `errors` (a, b); marks above: the learning rates tried."""
    both = row(len(points), height=4.3)
    for ax, (name, tried), (colour, marker, _) in zip(
        both, points.items(), STYLES[1::-1], strict=False
    ):
        side = [np.linspace(0, 1, n) for n in errors.shape]
        ax.contourf(*side, np.log(errors.T), levels=14, cmap="Greys_r", alpha=0.55)
        ax.plot(
            *tried.T,
            linestyle="none",
            marker=marker,
            color=colour,
            markeredgecolor="white",
            markersize=8,
        )
        ax.vlines(tried[:, 0], 1.02, 1.09, color=colour, linewidth=2, clip_on=False)
        ax.set(
            xlim=(0, 1),
            ylim=(0, 1),
            xticks=[x for x, _ in RATES],
            xticklabels=[text for _, text in RATES],
            yticks=[0, 0.5, 1],
            yticklabels=["1e-6", "1e-4", "0.01"],
        )
        rates = len(np.unique(tried[:, 0].round(9)))
        finish(
            ax,
            title=f"{name}: {rates} learning rates, best error {best[name]:.1f} %",
            pad=30,
            xlabel="learning rate",
            ylabel="L2 factor" if ax is both[0] else "",
            description=f"{len(tried)} points on a map with a dark valley; "
            f"marks above it show {rates} different learning rates.",
        )
        ax.title.set_fontsize(12)
    return both


def luck(grid: np.ndarray, chance: np.ndarray) -> Axes:
    """Draw how well grids and random searches of equal budget end: (searches,) errors each."""
    ax = axes(None, height=3.9)
    for (colour, _, line), (name, found) in zip(
        STYLES[1::-1], (("grid", grid), ("random", chance)), strict=False
    ):
        ranked = np.sort(found)
        ax.plot(
            ranked,
            100 * np.arange(1, len(ranked) + 1) / len(ranked),
            line,
            color=colour,
            linewidth=2,
            label=f"{name}: mean {found.mean():.2f} %, "
            f"one in ten above {np.quantile(found, 0.9):.2f} %",
        )
    wins, losses = (chance < grid).mean(), (chance > grid).mean()
    ax.set_xscale("log")
    ticks = [2.5, 3, 4, 5, 7, 10]
    ax.set(xticks=ticks, xticklabels=[f"{x:g}" for x in ticks], xlim=(2.4, 12))
    ax.minorticks_off()
    return finish(
        ax,
        title=f"Random search ends lower in {100 * wins:.0f} of 100, "
        f"the grid in {100 * losses:.0f}",
        xlabel="best of 64 trials: validation error, %",
        ylabel="searches that end there or lower, %",
        below=46,
        description="Two rising curves; the grid's has a long tail of bad ends to the right.",
    )


def knobs(
    counts: Sequence[int],
    found: Mapping[str, np.ndarray],
    few: Sequence[int],
    one: Mapping[str, np.ndarray],
) -> np.ndarray:
    """Draw mean errors: by the number of knobs at one budget, and by the trials on one knob."""
    left, right = row(2, sharey=False)
    styles = dict(zip(found, (STYLES[3], STYLES[1], STYLES[0]), strict=True))
    for ax, places, lines in ((left, counts, found), (right, few, one)):
        for name, mean in lines.items():
            colour, marker, line = styles[name]
            ax.plot(places, mean, line, color=colour, marker=marker, label=name)
    for ax, ticks in ((left, [6, 8, 12, 20]), (right, [6, 7, 8, 9, 10])):
        ax.set(yscale="log", yticks=ticks, yticklabels=[f"{y:g}" for y in ticks])
        ax.minorticks_off()
    left.set_xticks(list(counts), [f"{d}\n({round(64 ** (1 / d))} rates)" for d in counts])
    whole(right, few)
    means = list(found.values())
    finish(
        left,
        title=f"6 knobs: grids {means[0][-1]:.0f} and {means[1][-1]:.1f} %, "
        f"random {means[2][-1]:.1f} %",
        xlabel="knobs (learning rates that the grid tries)",
        ylabel="best of 64 trials: error, %",
        below=60,
        description="; ".join(f"{n}: {m[0]:.1f} to {m[-1]:.1f} %" for n, m in found.items()) + ".",
    )
    grid, chance = list(one.values())
    finish(
        right,
        title=f"One knob, {few[1]} trials: the grid leads by {chance[1] - grid[1]:.1f} points",
        below=60,
        xlabel="trials",
        ylabel="best error, %",
        description="The grid lies below; both fall to the same floor.",
    )
    return np.array([left, right])

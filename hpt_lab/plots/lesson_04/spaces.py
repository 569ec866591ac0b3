"""Spaces and budgets: scales, edges, even points, the top 5 %, and when the curve is flat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from hpt_lab.plots.figure import BLUE, FAINT, GREEN, INK, ORANGE, VERMILLION, axes, finish, guess
from hpt_lab.plots.lesson_04.parts import STYLES, dots, row, whole


def scales(best: Mapping[str, np.ndarray], *, guess_: Any = None) -> np.ndarray:
    """Draw the best error of every seed, by the axes, and how often the first axes win."""
    left, right = row(2, sharey=False)
    names = list(best)
    for place, ((colour, marker, _), name) in enumerate(zip(STYLES, names, strict=False)):
        found = np.sort(best[name])
        dots(left, place, found, (colour, marker))
        left.plot([place - 0.35, place + 0.35], [found.mean()] * 2, color=INK, linewidth=2)
    left.set(
        yscale="log", yticks=[5, 7, 10, 20, 40, 90], yticklabels=["5", "7", "10", "20", "40", "90"]
    )
    left.set_xticks(range(len(names)), names)
    left.minorticks_off()
    means = [best[name].mean() for name in names]
    finish(
        left,
        title=f"Same budget: {means[0]:.1f} % on log axes, {means[-1]:.0f} % on linear ones",
        xlabel="",
        ylabel="best of 10 trials: error, %",
        description="Dots for all seeds, sorted; means "
        + ", ".join(f"{n} {m:.1f} %" for n, m in zip(names, means, strict=True))
        + ".",
    )
    _wins(right, best, guess_)
    return np.array([left, right])


def _wins(ax: Axes, best: Mapping[str, np.ndarray], guess_: Any) -> None:
    names = list(best)
    wins = [int((best[names[0]] < best[name]).sum()) for name in names[1:]]
    ax.bar(names[1:], wins, width=0.5, color=[STYLES[1][0], STYLES[2][0]])
    for place, won in enumerate(wins):
        ax.annotate(
            str(won),
            (place, won),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color=INK,
        )
    guess(ax, guess_)
    ax.set(ylim=(0, 108))
    finish(
        ax,
        title=f"Log axes win in {wins[-1]} of 100 seeds",
        xlabel="against",
        ylabel="seeds",
        below=46,
        description=", ".join(f"{w} against {n}" for n, w in zip(names[1:], wins, strict=True))
        + ".",
    )


def edge(searches: Mapping[float, tuple[np.ndarray, np.ndarray]], low: float) -> np.ndarray:
    """Draw the (rates, errors) of a search for each upper end of the space."""
    both = row(len(searches), height=3.9)
    for ax, (high, (rates, errors)) in zip(both, searches.items(), strict=True):
        best = np.argsort(errors)[:5]
        fifth = high * (low / high) ** 0.2
        ax.axvspan(fifth, high, color=ORANGE, alpha=0.25, linewidth=0, label="last fifth")
        ax.plot(rates, errors, linestyle="none", marker="o", color=BLUE, label="trials")
        ax.plot(
            rates[best],
            errors[best],
            linestyle="none",
            marker="s",
            markersize=8,
            color=VERMILLION,
            label="best five",
        )
        ax.set(
            xscale="log",
            yscale="log",
            yticks=[5, 10, 20, 40, 90],
            yticklabels=["5", "10", "20", "40", "90"],
        )
        ax.yaxis.minorticks_off()
        there = int((rates[best] > fifth).sum())
        finish(
            ax,
            title=f"Up to {high:g}: {there} of the best 5 at the edge, best {errors.min():.1f} %",
            below=46,
            xlabel="learning rate",
            ylabel="error, %" if ax is both[0] else "",
            description="Errors fall towards the right edge."
            if there
            else "Errors fall and rise again.",
        )
        ax.title.set_fontsize(12)
    return both


def spread(points: Mapping[str, np.ndarray]) -> np.ndarray:
    """Draw (n, 2) points of the unit square; count which of 16 equal cells are empty."""
    panels = row(len(points), height=3.7)
    for ax, (name, tried), (colour, marker, _) in zip(panels, points.items(), STYLES, strict=False):
        cells = np.histogram2d(tried[:, 0], tried[:, 1], bins=4, range=[(0, 1), (0, 1)])[0]
        ax.plot(*tried.T, linestyle="none", marker=marker, color=colour)
        ax.set(
            xlim=(0, 1),
            ylim=(0, 1),
            xticks=np.arange(5) / 4,
            yticks=np.arange(5) / 4,
            aspect="equal",
        )
        ax.grid(color=FAINT, linewidth=0.8)
        empty = int((cells == 0).sum())
        finish(
            ax,
            title=f"{name}: {empty} of 16 cells empty",
            xlabel="first knob",
            ylabel="second knob" if ax is panels[0] else "",
            description=f"{len(tried)} points; the fullest cell has {cells.max():.0f}.",
        )
        ax.title.set_fontsize(12)
    return panels


def gain(dimensions: Sequence[int], ratios: Mapping[str, np.ndarray]) -> Axes:
    """Draw distances left, as a share of independent draws': (dimensions, 2), mean and error."""
    ax = axes(None, height=3.8)
    ax.axhline(1, color=INK, linewidth=1, linestyle=":")
    for (colour, marker, line), (name, ratio) in zip(STYLES[1:], ratios.items(), strict=False):
        ax.errorbar(
            range(len(dimensions)),
            ratio[:, 0],
            2 * ratio[:, 1],
            color=colour,
            marker=marker,
            linestyle=line,
            capsize=3,
            label=name,
        )
    ax.set_xticks(range(len(dimensions)), [str(d) for d in dimensions])
    first = [ratio[0, 0] for ratio in ratios.values()]
    last = [ratio[-1, 0] for ratio in ratios.values()]
    return finish(
        ax,
        title=f"Even points leave {np.mean(first):.0%} of the distance with 1 knob, "
        f"{np.mean(last):.0%} with {dimensions[-1]}",
        xlabel="knobs that matter",
        ylabel="distance to the best, / independent",
        below=46,
        description="Both lines rise towards one; bars are two standard errors.",
    )


def effects(estimates: Mapping[str, np.ndarray], truth: float) -> Axes:
    """Draw estimates of an effect, (seeds,) for every way to choose the trials, and the truth."""
    ax = axes(None, height=4.0)
    names = list(estimates)
    off = {name: float(np.sqrt(np.mean((found - truth) ** 2))) for name, found in estimates.items()}
    ax.axhline(truth, color=INK, linewidth=1.5, label="the truth")
    for place, ((colour, marker, _), name) in enumerate(zip(STYLES, names, strict=False)):
        found = np.sort(estimates[name])
        dots(ax, place, found, (colour, marker))
    ax.set_xticks(range(len(names)), [f"{name}\noff by {off[name]:.1f}" for name in names])
    return finish(
        ax,
        title=f"The same 32 trainings: off by {off[names[1]]:.1f} points or by {off[names[0]]:.1f}",
        xlabel="",
        ylabel="what a strong penalty seems to cost, points",
        below=52,
        description="Estimates of 200 seeds; typical errors "
        + ", ".join(f"{name} {value:.1f}" for name, value in off.items())
        + " points.",
    )


def promise(shares: Mapping[str, float], *, guess_: Any = None) -> Axes:
    """Draw the shares of searches, in %, whose winner is in the top 5 %."""
    ax = axes(None, height=3.8)
    ax.bar(
        list(shares),
        list(shares.values()),
        width=0.5,
        color=[BLUE, VERMILLION, VERMILLION],
        hatch=["", "", "//"],
        edgecolor="white",
    )
    for place, share in enumerate(shares.values()):
        ax.annotate(
            f"{share:.0f}",
            (place, share),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color=INK,
        )
    ax.axhline(95, color=INK, linewidth=1, linestyle=":", label="95 %, as promised")
    guess(ax, guess_)
    ax.set_ylim(0, 110)
    values = list(shares.values())
    return finish(
        ax,
        title=f"Noise breaks the promise: {values[0]:.0f} % become {values[1]:.0f}, "
        f"then {values[2]:.0f} %",
        xlabel="",
        ylabel="winners in the top 5 %, %",
        below=46,
        description=", ".join(f"{name}: {share:.0f} %" for name, share in shares.items()) + ".",
    )


def flat(
    trials: Sequence[int],
    promised: np.ndarray,
    kept: np.ndarray,
    one_study: np.ndarray,
    noise: float,
) -> Axes:
    """Draw the expected best of n trials: promised, kept, and foreseen by one study."""
    ax = axes(None, height=4.2)
    ax.plot(trials, promised, color=BLUE, marker="o", label="promised: validation error")
    ax.plot(trials, kept, "--", color=VERMILLION, marker="s", label="kept: test error")
    ax.plot(
        trials[: len(one_study)],
        one_study,
        ":",
        color=GREEN,
        marker="^",
        label="promised, from one study",
    )
    whole(ax, trials)
    worth = dict(zip(trials, kept, strict=True))
    start = next(n for n in trials if 2 * n in worth and worth[n] - worth[2 * n] < noise)
    ax.axvline(start, color=FAINT)
    return finish(
        ax,
        title=f"From {start} trials on, twice as many gain less than {noise:.1f} points "
        "of test error",
        xlabel="trials",
        ylabel="best so far, expected error, %",
        below=46,
        description="Falling lines that flatten: "
        + "; ".join(
            f"{n} trials {p:.1f} and {k:.1f} %"
            for n, p, k in zip(trials, promised, kept, strict=True)
        )
        + ".",
    )

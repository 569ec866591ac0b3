"""The pictures of lesson 04, grid and random search: each takes what the lesson has computed and returns its axes.

Errors are in percent. Titles are computed from what is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from hpt_lab.plots.figure import BLUE, FAINT, GREEN, INK, ORANGE, VERMILLION, axes, finish, guess

STYLES = ((BLUE, "o", "-"), (VERMILLION, "s", "--"), (GREEN, "^", "-."), (ORANGE, "D", ":"))
RATES = ((0, "1e-4"), (0.25, "1e-3"), (0.5, "0.01"), (0.75, "0.1"), (1, "1"))


def row(n: int, width: float = 10.4, height: float = 4.2, *, sharey: bool = True) -> np.ndarray:
    """Return n axes side by side in a new figure."""
    return plt.subplots(1, n, figsize=(width, height), dpi=100, layout="constrained", sharey=sharey)[1]


def bill(knobs: Sequence[int], values: Sequence[int]) -> Axes:
    """Draw how many trainings a grid takes, by the number of knobs, for so many values of each."""
    ax = axes(None, height=4.0)
    for (colour, marker, line), k in zip(STYLES, values, strict=False):
        ax.plot(knobs, [float(k) ** d for d in knobs], line, color=colour, marker=marker, label=f"{k} values each")
    for hours, name in ((24 * 7, "a week"), (24 * 365, "a year")):
        ax.axhline(hours, color=FAINT, linewidth=1)
        ax.annotate(f"{name}, at an hour each", (knobs[0], hours), xytext=(0, 3), textcoords="offset points",
                    color=INK, fontsize=9)
    ax.set(yscale="log", xticks=list(knobs))
    days = values[1] ** 6 / 24
    return finish(ax, title=f"{values[1]} values of 6 knobs: {values[1] ** 6} trainings, {days:.0f} days at an hour each",
                  xlabel="knobs", ylabel="trainings", below=46,
                  description="Straight lines on a log axis: every knob multiplies the trainings by its values.")


def importance(shares: Mapping[tuple[str, ...], float], explained: Sequence[float], *, name: str,
               guess_: Any = None) -> np.ndarray:
    """Draw what every knob explains, alone and with partners; and what the best m knobs explain."""
    knobs = sorted({knob for part in shares for knob in part}, key=lambda knob: shares[(knob,)])
    alone = [100 * shares[(knob,)] for knob in knobs]
    all_in = [100 * sum(share for part, share in shares.items() if knob in part) for knob in knobs]
    left, right = row(2, height=3.9, sharey=False)
    left.barh(knobs, all_in, color=FAINT, hatch="//", edgecolor="white", label="alone or with others")
    left.barh(knobs, alone, color=BLUE, height=0.45, label="alone")
    for place, value in enumerate(all_in):
        left.annotate(f"{value:.0f}", (value, place), xytext=(4, -4), textcoords="offset points", color=INK)
    left.set_xlim(0, 100)
    finish(left, title=f"{name}: {knobs[-1].replace('_', ' ')} has a part in {all_in[-1]:.0f} %", below=46,
           xlabel="share of the variance, %", ylabel="",
           description="; ".join(f"{k} {a:.0f} % alone, {b:.0f} % in all" for k, a, b in
                                 zip(knobs, alone, all_in, strict=True)) + ".")
    counts = range(1, len(explained) + 1)
    right.plot(counts, 100 * np.array(explained), color=BLUE, marker="o", label="the best so many knobs")
    right.axhline(90, color=INK, linewidth=1, linestyle=":", label="90 %")
    guess(right, guess_, axis="x")
    right.set(ylim=(0, 104), xticks=list(counts))
    needed = next(m for m, share in zip(counts, explained, strict=True) if share >= 0.9)
    finish(right, title=f"90 % takes {needed} of the {len(knobs)} knobs", below=46, xlabel="knobs",
           ylabel="share explained, %", description="It rises: " + ", ".join(f"{s:.0%}" for s in explained) + ".")
    return np.array([left, right])


def projections(errors: np.ndarray, points: Mapping[str, np.ndarray], best: Mapping[str, float]) -> np.ndarray:
    """Draw searches on the map `errors` (a, b) of the window, ticks at the edges: the values each has tried."""
    both = row(len(points), height=4.3)
    for ax, (name, tried), (colour, marker, _) in zip(both, points.items(), STYLES[1::-1], strict=False):
        side = [np.linspace(0, 1, n) for n in errors.shape]
        ax.contourf(*side, np.log(errors.T), levels=14, cmap="Greys", alpha=0.6)
        ax.plot(*tried.T, linestyle="none", marker=marker, color=colour, markeredgecolor="white", markersize=8)
        ax.vlines(tried[:, 0], 1.02, 1.1, color=colour, linewidth=2, clip_on=False)
        ax.hlines(tried[:, 1], 1.01, 1.05, color=colour, linewidth=2, clip_on=False)
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[x for x, _ in RATES], xticklabels=[text for _, text in RATES],
               yticks=[0, 0.5, 1], yticklabels=["1e-6", "1e-4", "0.01"])
        rates = len(np.unique(tried[:, 0].round(9)))
        finish(ax, title=f"{name}: {rates} learning rates, best error {best[name]:.1f} %", pad=24,
               xlabel="learning rate", ylabel="L2 factor" if ax is both[0] else "",
               description=f"{len(tried)} points on a map whose pale valley runs upwards; marks above it show "
                           f"{rates} different learning rates.")
        ax.title.set_fontsize(12)
    return both


def luck(grid: np.ndarray, chance: np.ndarray) -> Axes:
    """Draw how well grids and random searches of equal budget end: (searches,) errors each."""
    ax = axes(None, height=3.9)
    for (colour, _, line), (name, found) in zip(STYLES[1::-1], (("grid", grid), ("random", chance)), strict=False):
        ranked = np.sort(found)
        ax.plot(ranked, 100 * np.arange(1, len(ranked) + 1) / len(ranked), line, color=colour, linewidth=2,
                label=f"{name}: {found.mean():.2f} % on average, one in ten above {np.quantile(found, 0.9):.2f} %")
    wins, losses = (chance < grid).mean(), (chance > grid).mean()
    ax.set_xscale("log")
    ticks = [2.5, 3, 4, 5, 7, 10]
    ax.set(xticks=ticks, xticklabels=[f"{x:g}" for x in ticks], xlim=(2.4, 12))
    ax.minorticks_off()
    return finish(ax, title=f"Random search ends lower in {100 * wins:.0f} of 100, the grid in {100 * losses:.0f}",
                  xlabel="best of 64 trials: validation error, %", ylabel="searches that end there or lower, %",
                  below=46, description="Two rising curves; the grid's has a long tail of bad ends to the right.")


def knobs(counts: Sequence[int], found: Mapping[str, np.ndarray], few: Sequence[int],
          one: Mapping[str, np.ndarray]) -> np.ndarray:
    """Draw mean errors, (counts,) by the number of knobs for one budget, and (few,) by the trials on a single knob."""
    left, right = row(2, sharey=False)
    for (colour, marker, line), (name, mean) in zip(STYLES, found.items(), strict=False):
        left.plot(counts, mean, line, color=colour, marker=marker, label=name)
    for (colour, marker, line), (name, mean) in zip(STYLES, one.items(), strict=False):
        right.plot(few, mean, line, color=colour, marker=marker, label=name)
    for ax, ticks in ((left, [6, 8, 12, 20]), (right, [6, 7, 8, 9, 10])):
        ax.set(yscale="log", yticks=ticks, yticklabels=[f"{y:g}" for y in ticks])
        ax.minorticks_off()
    left.set_xticks(list(counts), [f"{d}\n({round(64 ** (1 / d))} rates)" for d in counts])
    right.set(xscale="log")
    right.set_xticks(list(few), [str(n) for n in few])
    right.minorticks_off()
    mean = list(found.values())
    finish(left, title=f"Idle knobs cost the grid {mean[1][-1] - mean[1][0]:.1f} points, random search nothing",
           xlabel="knobs (learning rates that the grid tries)", ylabel="best of 64 trials: error, %", below=60,
           description="; ".join(f"{n}: {m[0]:.1f} to {m[-1]:.1f} %" for n, m in found.items()) + ".")
    grid, chance = one.values()
    finish(right, title=f"One knob, {few[1]} trials: the grid leads by {chance[1] - grid[1]:.1f} points", below=60,
           xlabel="trials", ylabel="best error, %", description="The grid lies below; both fall to the same floor.")
    for ax in (left, right):
        ax.title.set_fontsize(11)
    return np.array([left, right])


def scales(best: Mapping[str, np.ndarray], *, guess_: Any = None) -> np.ndarray:
    """Draw the best error of every seed, (seeds,) for each way to draw; and in how many the first way wins."""
    left, right = row(2, sharey=False)
    names = list(best)
    for place, ((colour, marker, _), name) in enumerate(zip(STYLES, names, strict=False)):
        found = np.sort(best[name])
        left.plot(place + np.linspace(-0.3, 0.3, len(found)), found, linestyle="none", marker=marker, color=colour,
                  markersize=3.5)
        left.plot([place - 0.35, place + 0.35], [found.mean()] * 2, color=INK, linewidth=2)
    left.set(yscale="log", yticks=[5, 7, 10, 20, 40, 90], yticklabels=["5", "7", "10", "20", "40", "90"])
    left.set_xticks(range(len(names)), names)
    left.minorticks_off()
    means = [best[name].mean() for name in names]
    finish(left, title=f"Same budget: {means[0]:.1f} % on log axes, {means[-1]:.0f} % on linear ones", xlabel="",
           ylabel="best of 10 trials: error, %", description="Dots for all seeds, sorted; means "
           + ", ".join(f"{n} {m:.1f} %" for n, m in zip(names, means, strict=True)) + ".")
    wins = [int((best[names[0]] < best[name]).sum()) for name in names[1:]]
    right.bar(names[1:], wins, width=0.5, color=[STYLES[1][0], STYLES[2][0]])
    for place, won in enumerate(wins):
        right.annotate(str(won), (place, won), xytext=(0, 3), textcoords="offset points", ha="center", color=INK)
    guess(right, guess_)
    right.set(ylim=(0, 108))
    finish(right, title=f"Log axes win in {wins[-1]} of 100 seeds", xlabel="against", ylabel="seeds", below=46,
           description=", ".join(f"{w} against {n}" for n, w in zip(names[1:], wins, strict=True)) + ".")
    return np.array([left, right])


def edge(searches: Mapping[float, tuple[np.ndarray, np.ndarray]], low: float) -> np.ndarray:
    """Draw the trials of a search, learning rate and error, for each upper end of the space; the best five marked."""
    both = row(len(searches), height=3.9)
    for ax, (high, (rates, errors)) in zip(both, searches.items(), strict=True):
        best = np.argsort(errors)[:5]
        fifth = high * (low / high) ** 0.2
        ax.axvspan(fifth, high, color=ORANGE, alpha=0.25, linewidth=0, label="last fifth")
        ax.plot(rates, errors, linestyle="none", marker="o", color=BLUE, label="trials")
        ax.plot(rates[best], errors[best], linestyle="none", marker="s", markersize=8, color=VERMILLION,
                label="best five")
        ax.set(xscale="log", yscale="log", yticks=[5, 10, 20, 40, 90], yticklabels=["5", "10", "20", "40", "90"])
        ax.yaxis.minorticks_off()
        there = int((rates[best] > fifth).sum())
        finish(ax, title=f"Up to {high:g}: {there} of the best 5 at the edge, best {errors.min():.1f} %", below=46,
               xlabel="learning rate", ylabel="error, %" if ax is both[0] else "",
               description="Errors fall towards the right edge." if there else "Errors fall and rise again.")
        ax.title.set_fontsize(12)
    return both


def spread(points: Mapping[str, np.ndarray]) -> np.ndarray:
    """Draw (n, 2) points of the unit square, and how many of 16 equal cells each way leaves empty."""
    panels = row(len(points), height=3.7)
    for ax, (name, tried), (colour, marker, _) in zip(panels, points.items(), STYLES, strict=False):
        cells = np.histogram2d(*tried.T, bins=4, range=[[0, 1], [0, 1]])[0]
        ax.plot(*tried.T, linestyle="none", marker=marker, color=colour)
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=np.arange(5) / 4, yticks=np.arange(5) / 4, aspect="equal")
        ax.grid(color=FAINT, linewidth=0.8)
        empty = int((cells == 0).sum())
        finish(ax, title=f"{name}: {empty} of 16 cells empty", xlabel="first knob",
               ylabel="second knob" if ax is panels[0] else "",
               description=f"{len(tried)} points; the fullest cell has {cells.max():.0f}.")
        ax.title.set_fontsize(12)
    return panels


def gain(dimensions: Sequence[int], ratios: Mapping[str, np.ndarray]) -> Axes:
    """Draw the distance left by even points over that left by independent ones, (dimensions, 2): mean, error."""
    ax = axes(None, height=3.8)
    ax.axhline(1, color=INK, linewidth=1, linestyle=":")
    for (colour, marker, line), (name, ratio) in zip(STYLES[1:], ratios.items(), strict=False):
        ax.errorbar(range(len(dimensions)), ratio[:, 0], 2 * ratio[:, 1], color=colour, marker=marker, linestyle=line,
                    capsize=3, label=name)
    ax.set_xticks(range(len(dimensions)), [str(d) for d in dimensions])
    first = [ratio[0, 0] for ratio in ratios.values()]
    last = [ratio[-1, 0] for ratio in ratios.values()]
    return finish(ax, title=f"Even points leave {np.mean(first):.0%} of the distance with 1 knob, "
                            f"{np.mean(last):.0%} with {dimensions[-1]}",
                  xlabel="knobs that matter", ylabel="distance to the best, / independent", below=46,
                  description="Both lines rise to one, reached at about four knobs; bars are two standard errors.")


def effects(estimates: Mapping[str, np.ndarray], truth: float) -> Axes:
    """Draw estimates of an effect, (seeds,) for every way to choose the trials, and the truth."""
    ax = axes(None, height=4.0)
    names = list(estimates)
    off = {name: float(np.sqrt(np.mean((found - truth) ** 2))) for name, found in estimates.items()}
    ax.axhline(truth, color=INK, linewidth=1.5, label="the truth")
    for place, ((colour, marker, _), name) in enumerate(zip(STYLES, names, strict=False)):
        found = np.sort(estimates[name])
        ax.plot(place + np.linspace(-0.3, 0.3, len(found)), found, linestyle="none", marker=marker, color=colour,
                markersize=3.5)
    ax.set_xticks(range(len(names)), [f"{name}\noff by {off[name]:.1f}" for name in names])
    return finish(ax, title=f"The same 32 trainings: off by {off[names[1]]:.1f} points or by {off[names[0]]:.1f}",
                  xlabel="", ylabel="what a strong penalty seems to cost, points", below=52,
                  description="Estimates of 200 seeds; typical errors "
                              + ", ".join(f"{name} {value:.1f}" for name, value in off.items()) + " points.")


def promise(shares: Mapping[str, float], *, guess_: Any = None) -> Axes:
    """Draw the share of searches, in %, whose winner is in the top 5 %, by how it was scored and is judged."""
    ax = axes(None, height=3.8)
    ax.bar(list(shares), list(shares.values()), width=0.5, color=[BLUE, VERMILLION, VERMILLION],
           hatch=["", "", "//"], edgecolor="white")
    for place, share in enumerate(shares.values()):
        ax.annotate(f"{share:.0f}", (place, share), xytext=(0, 3), textcoords="offset points", ha="center", color=INK)
    ax.axhline(95, color=INK, linewidth=1, linestyle=":", label="95 %, as promised")
    guess(ax, guess_)
    ax.set_ylim(0, 110)
    values = list(shares.values())
    return finish(ax, title=f"Noise breaks the promise: {values[0]:.0f} % become {values[1]:.0f}, then {values[2]:.0f} %",
                  xlabel="", ylabel="winners in the top 5 %, %", below=46,
                  description=", ".join(f"{name}: {share:.0f} %" for name, share in shares.items()) + ".")


def flat(trials: Sequence[int], promised: np.ndarray, kept: np.ndarray, one_study: np.ndarray, noise: float) -> Axes:
    """Draw the expected best of n trials: what all records promise and keep, and what one study alone foresees."""
    ax = axes(None, height=4.2)
    ax.plot(trials, promised, color=BLUE, marker="o", label="promised: validation error")
    ax.plot(trials, kept, "--", color=VERMILLION, marker="s", label="kept: test error")
    ax.plot(trials[:len(one_study)], one_study, ":", color=GREEN, marker="^", label="promised, from one study")
    ax.set(xscale="log")
    ax.set_xticks(list(trials), [str(n) for n in trials])
    ax.minorticks_off()
    halves = {n: float(kept[list(trials).index(n // 2)] - kept[i]) for i, n in enumerate(trials) if n // 2 in trials}
    start = next(n for n, fall in halves.items() if fall < noise)
    ax.axvline(start // 2, color=FAINT)
    return finish(ax, title=f"From {start // 2} trials on, twice as many gain less than {noise:.1f} points of test error",
                  xlabel="trials", ylabel="best so far, expected error, %", below=46,
                  description="Falling lines that flatten: " + "; ".join(
                      f"{n} trials {p:.1f} and {k:.1f} %" for n, p, k in zip(trials, promised, kept, strict=True)) + ".")

"""The figures of lesson 07: who waits, who was promoted by mistake, a lineage, a Pareto front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpt_lab.plots.figure import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    VERMILLION,
    axes,
    count,
    finish,
    guess,
)
from hpt_lab.plots.lineage import lineage, replayed, toy

__all__ = [
    "front",
    "gantt",
    "lengths",
    "lineage",
    "many_workers",
    "missing_ones",
    "mistakes",
    "replayed",
    "toy",
]

SHADES = (
    "#9ecae1",
    "#0072B2",
    "#E69F00",
    "#D55E00",
    "#009E73",
)  # rung by rung, or bracket by bracket
HATCHES = ("", "//", "..", "xx", "\\\\")
MARKERS = ("o", "s", "D", "^")


def gantt(
    simulation: Any, *, by: str = "rung", my_guess: Any = None, ax: Axes | None = None
) -> Axes:
    """Draw who ran what and when, a row per worker; white is idle. by: colours are "rung" or
    "bracket"."""
    ax = axes(ax, 9.6, 4.0)
    groups = sorted({getattr(span.trial, by) for span in simulation.spans}, reverse=by == "bracket")
    for i, group in enumerate(groups):
        spans = [span for span in simulation.spans if getattr(span.trial, by) == group]
        lengths = [span.end - span.start for span in spans]
        ax.barh(
            [span.worker for span in spans],
            lengths,
            left=[span.start for span in spans],
            height=0.8,
            color=SHADES[i],
            hatch=HATCHES[i],
            edgecolor="white",
            linewidth=0.4,
            label=f"{by} {group}",
        )
    idle = 1 - simulation.utilisation
    ax.set(xlim=(0, simulation.seconds * 1.01), ylim=(simulation.workers - 0.4, -0.6))
    guess(ax, my_guess, axis="x")
    title = f"{simulation.workers} workers stand idle {idle:.0%} of the time"
    return finish(
        ax,
        title=title,
        xlabel="seconds (simulated)",
        ylabel="worker",
        below=44,
        description=f"A bar per run, coloured by {by}; white gaps are waiting. "
        f"It ends after {simulation.seconds:.1f} seconds.",
    )


def many_workers(rows: np.ndarray, workers: Sequence[int], *, my_guess: Any = None) -> Figure:
    """Draw waiting time and idle share over the number of workers. rows: (seeds, workers, [halving,
    ASHA], 3)."""
    first = axes(None, 10, 4.0)
    figure: Any = first.figure
    figure.clf()
    left, right = figure.subplots(1, 2)
    for ax, part, scale in ((left, 0, 1), (right, 2, 100)):
        for i, (name, color) in enumerate((("halving", VERMILLION), ("ASHA", BLUE))):
            found = scale * rows[:, :, i, part]
            error = 2 * found.std(axis=0, ddof=1) / len(found) ** 0.5
            ax.errorbar(
                workers,
                found.mean(axis=0),
                error,
                color=color,
                marker=MARKERS[i],
                capsize=3,
                linestyle="-" if i else "--",
                label=name,
            )
        ax.set(xscale="log", xticks=list(workers), xticklabels=[str(n) for n in workers])
        ax.minorticks_off()
    left.set(yscale="log", yticks=[1, 2, 5, 10], yticklabels=["1", "2", "5", "10"])
    left.minorticks_off()
    ratio = rows[:, :, 0, 0].mean(axis=0) / rows[:, :, 1, 0].mean(axis=0)
    guess(left, my_guess)
    finish(
        left,
        title=f"The first answer comes {ratio.min():.1f} to {ratio.max():.1f} times sooner",
        xlabel="workers",
        ylabel="seconds to a fully trained config",
        below=44,
        description=f"Two falling lines over {len(rows)} seeds, with bars of two standard errors.",
    )
    idle = rows[:, -1, :, 2].mean(axis=0)
    finish(
        right,
        title=f"243 configs can't feed {workers[-1]} workers",
        xlabel="workers",
        ylabel="idle time, %",
        below=44,
        description=f"Idle shares rise to {idle[0]:.0%} (halving) and {idle[1]:.0%} (ASHA).",
    )
    for ax in (left, right):
        ax.title.set_fontsize(12)
    return figure


def mistakes(
    sizes: Sequence[int], counts: np.ndarray, *, my_guess: Any = None, ax: Axes | None = None
) -> Axes:
    """Draw mistaken promotions over rung sizes, log-log, with a square-root line. counts: (sizes,
    seeds)."""
    ax = axes(ax, 8.6, 4.2)
    mean = counts.mean(axis=1)
    error = 2 * counts.std(axis=1, ddof=1) / counts.shape[1] ** 0.5
    slope = np.polyfit(np.log(sizes), np.log(mean), 1)[0]
    right = np.array(sizes) / 3
    ax.plot(sizes, right, color=FAINT, marker="s", label="the third that should go")
    ax.errorbar(
        sizes,
        mean,
        error,
        color=VERMILLION,
        marker="v",
        capsize=3,
        linestyle="none",
        label="mistaken promotions",
    )
    ax.plot(
        sizes,
        mean[0] * (np.array(sizes) / sizes[0]) ** 0.5,
        color=INK,
        linestyle=":",
        label="growing as √n",
    )
    ax.set(xscale="log", yscale="log", xticks=list(sizes), xticklabels=[f"{n:,}" for n in sizes])
    ax.set(yticks=[1, 3, 10, 30, 100, 300], yticklabels=["1", "3", "10", "30", "100", "300"])
    ax.minorticks_off()
    guess(ax, my_guess)
    return finish(
        ax,
        title=f"Mistakes grow as n to the power {slope:.2f}, so their share shrinks",
        xlabel="trials in the rung, n",
        ylabel="promotions",
        below=44,
        description="; ".join(f"of {n}: {m:.1f}" for n, m in zip(sizes, mean, strict=True)) + ".",
    )


def lengths(schedules: Mapping[str, np.ndarray], best: int, *, my_guess: Any = None) -> Figure:
    """Draw how many epochs every trial got, a panel per schedule; `best` is the trial that is best
    at the end."""
    figure: Any = axes(None, 11, 3.9).figure
    figure.clf()
    panels = figure.subplots(1, len(schedules), sharey=True)
    for ax, (name, epochs) in zip(panels, schedules.items(), strict=True):
        colors = [ORANGE if i == best else BLUE for i in range(len(epochs))]
        ax.bar(range(len(epochs)), epochs, color=colors)
        ax.plot(
            best,
            epochs[best],
            color=ORANGE,
            marker="*",
            markersize=15,
            markeredgecolor=INK,
            linestyle="none",
            label="best at the end",
        )
        ax.set(yticks=[1, 3, 9, 27], ylim=(0, 31))
        fate = "keeps" if epochs[best] == epochs.max() else "drops"
        finish(
            ax,
            title=f"{name}: {epochs.sum()} epochs, {fate} it",
            xlabel="trial, in order of its start",
            ylabel="epochs trained" if ax is panels[0] else "",
            below=44,
            description=f"The best trial trains for {epochs[best]} epochs.",
        )
        ax.title.set_fontsize(10)
    if my_guess not in (None, ...):
        figure.suptitle(
            f"your guess for stopping: {count(my_guess, 'epoch')}", color=ORANGE, fontsize=11
        )
    return figure


def missing_ones(
    rows: np.ndarray,
    marks: Sequence[float],
    names: Sequence[str],
    *,
    my_guess: Any = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many ones are missing over the budget, in rounds of Hyperband. rows: (seeds, names,
    marks)."""
    ax = axes(ax, 8.6, 4.2)
    mean = rows.mean(axis=0)
    error = 2 * rows.std(axis=0, ddof=1) / len(rows) ** 0.5
    for i, (name, color) in enumerate(zip(names, (BLUE, VERMILLION, GREEN, INK), strict=True)):
        ax.errorbar(
            marks,
            mean[i],
            error[i],
            color=color,
            marker=MARKERS[i],
            capsize=3,
            label=name,
            linestyle=("-", "--", "-.", ":")[i],
        )
    ax.set(xscale="log", xticks=list(marks), xticklabels=[f"{mark:g}" for mark in marks])
    ax.minorticks_off()
    guess(ax, my_guess)
    return finish(
        ax,
        title=f"BOHB begins as Hyperband ({mean[0, 0]:.1f} and {mean[1, 0]:.1f}) "
        f"and ends far ahead ({mean[0, -1]:.1f} and {mean[1, -1]:.1f})",
        xlabel="budget, in rounds of Hyperband",
        ylabel="ones still missing, of 8",
        below=44,
        description="Four falling lines with bars of two standard errors; at the end "
        + ", ".join(f"{n} {m:.2f}" for n, m in zip(names, mean[:, -1], strict=True))
        + ".",
    )


def front(
    cost: np.ndarray,
    error: np.ndarray,
    on_front: np.ndarray,
    by_weights: np.ndarray,
    *,
    my_guess: Any = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw error against cost, the Pareto front, and those of it that some weighted sum finds
    (indices)."""
    ax = axes(ax, 8.8, 4.6)
    ax.plot(cost, error, color=FAINT, marker=".", markersize=3, linestyle="none", label="configs")
    order = on_front[np.argsort(cost[on_front])]
    ax.step(cost[order], error[order], where="post", color=BLUE, linewidth=1)
    ax.plot(
        cost[order],
        error[order],
        color=BLUE,
        marker="o",
        linestyle="none",
        label=f"Pareto front ({len(order)})",
    )
    ax.plot(
        cost[by_weights],
        error[by_weights],
        color=ORANGE,
        marker="*",
        markersize=15,
        markeredgecolor=INK,
        linestyle="none",
        label=f"found by a weighted sum ({len(by_weights)})",
    )
    ax.set(xscale="log", ylim=(error.min() - 0.3, 3 * np.median(error[on_front])))
    missed = len(order) - len(by_weights)
    if my_guess not in (None, ...):
        found = f"found: {len(by_weights) / len(order):.0%}, your guess: {my_guess:g} %"
        ax.text(
            0.98,
            0.95,
            found,
            color=INK,
            transform=ax.transAxes,
            ha="right",
            va="top",
            bbox={"color": "white"},
        )
    return finish(
        ax,
        title=f"{missed} of the {len(order)} best trade-offs are invisible to every weighted sum",
        xlabel="seconds of training (recorded)",
        ylabel="validation error, %",
        below=44,
        description="A falling staircase; the stars lie on its convex hull.",
    )

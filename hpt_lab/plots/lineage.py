"""What population-based training did: the toy's score, the winner's lineage, and what its schedule
is worth anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from hpt_lab.history import History
from hpt_lab.plots.figure import BLUE, FAINT, GREEN, VERMILLION, axes, finish, guess


def toy(
    fixed: Sequence[np.ndarray],
    populations: np.ndarray,
    *,
    my_guess: Any = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the true score over steps: two members that keep their h, and populations of two,
    (seeds, steps)."""
    ax = axes(ax, 8.6, 4.0)
    steps = np.arange(1, populations.shape[1] + 1)
    for i, scores in enumerate(fixed):
        ax.plot(
            steps,
            scores,
            color=VERMILLION,
            linestyle=("--", ":")[i],
            linewidth=3 - i,
            label=f"fixed, member {i}",
        )
    low, high = np.quantile(populations, [0.1, 0.9], axis=0)
    ax.fill_between(steps, low, high, color=BLUE, alpha=0.2, linewidth=0, label="80 % of the seeds")
    ax.plot(steps, np.median(populations, axis=0), color=BLUE, label="PBT, median")
    ax.axhline(1.2, color=FAINT, linewidth=1)
    guess(ax, my_guess)
    return finish(
        ax,
        title=f"Fixed members stop at {max(s[-1] for s in fixed):.2f}; a population of two "
        f"reaches {np.median(populations[:, -1]):.2f}",
        xlabel="step",
        ylabel="true score (best: 1.2)",
        below=44,
        description="PBT's line rises to the top, the fixed ones stay flat.",
    )


def lineage(
    history: History, segments: Sequence[Any], *, name: str, ax: Axes | None = None
) -> Axes:
    """Draw the value of hyperparameter `name` that every member trained with, and the winner's
    lineage in bold."""
    ax = axes(ax, 9.4, 4.4)
    born = {}
    for record in history.records:
        trial = record.trial
        budgets = sorted(r.budget for r in history.records if r.trial.id == trial.id)
        step = (
            budgets[1] - budgets[0] if len(budgets) > 1 else min(r.budget for r in history.records)
        )
        born[trial.id] = (trial, budgets[0] - step, budgets[-1])
    for trial, start, end in born.values():
        value = trial.config[name]
        ax.plot([start, end], [value, value], color=FAINT, linewidth=1.2)
        if trial.parent is not None:
            ax.plot(
                [start, start],
                [born[trial.parent][0].config[name], value],
                color=FAINT,
                linewidth=0.6,
                linestyle=":",
            )
    for before, after in zip([None, *segments[:-1]], segments, strict=True):
        value = after.config[name]
        ax.plot(
            [after.start, after.end], [value, value], color=BLUE, linewidth=3, solid_capstyle="butt"
        )
        if before is not None:
            ax.annotate(
                "",
                (after.start, value),
                (after.start, before.config[name]),
                arrowprops={"arrowstyle": "->", "color": VERMILLION, "linewidth": 1.8},
            )
    ax.plot([], [], color=BLUE, linewidth=3, label="the winner's lineage")
    ax.plot([], [], color=VERMILLION, marker=">", label="copied, then changed")
    ax.plot([], [], color=FAINT, label="the other members")
    ax.set_yscale("log")
    values = [segment.config[name] for segment in segments]
    return finish(
        ax,
        title=f"The winner's {name.replace('_', ' ')} went from {values[0]:.3g} to "
        f"{values[-1]:.2g}, "
        f"in {len(segments)} pieces",
        xlabel="epochs",
        ylabel=name.replace("_", " "),
        below=44,
        description="; ".join(f"{s.start:g} to {s.end:g}: {s.config[name]:.3g}" for s in segments)
        + ".",
    )


def replayed(
    rates: Sequence[float], rows: np.ndarray, last: float, *, ax: Axes | None = None
) -> Axes:
    """Draw the loss of fixed rates, of the schedule and of its last rate. rows: (seeds, rates + 2),
    the last two those."""
    ax = axes(ax, 8.6, 4.2)
    mean = rows.mean(axis=0)
    error = 2 * rows.std(axis=0, ddof=1) / len(rows) ** 0.5
    n = len(rates)
    ax.errorbar(
        rates,
        mean[:n],
        error[:n],
        color=BLUE,
        marker="o",
        capsize=3,
        label="one rate for all epochs",
    )
    ax.axhspan(mean[n] - error[n], mean[n] + error[n], color=GREEN, alpha=0.3, linewidth=0)
    ax.axhline(mean[n], color=GREEN, linestyle="--", label="the winner's schedule")
    ax.errorbar(
        [last],
        mean[n + 1 :],
        error[n + 1 :],
        color=VERMILLION,
        marker="X",
        markersize=10,
        capsize=3,
        linestyle="none",
        label="its last rate alone",
    )
    gap = mean[:n].min() - mean[n]
    ax.set_xscale("log")
    word = "below" if gap > 0 else "above"
    return finish(
        ax,
        title=f"On new seeds the schedule ends {abs(gap):.3f} {word} the best fixed rate",
        xlabel="learning rate",
        ylabel="validation loss at epoch 40",
        below=44,
        description=f"Schedule {mean[n]:.3f}, best fixed {mean[:n].min():.3f}, last rate alone "
        f"{mean[n + 1]:.3f}.",
    )

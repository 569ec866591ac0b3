"""Pictures of lesson 10: who runs the paper's schedule, what a crash leaves, and what the endings
are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpt_lab.plots.figure import BLUE, FAINT, GREEN, INK, VERMILLION, alt, axes, finish, said


def schedules(
    counts: Mapping[str, np.ndarray], paper: np.ndarray, budgets: Sequence[int], my_guess: Any = ...
) -> Figure:
    """Draw how many configs each system trained to each rung, and in red where the paper's table
    says another number.

    `counts`: by system, (brackets, budgets); `paper`: the same of the paper's algorithm.
    """
    fig, row = plt.subplots(1, len(counts), figsize=(9.6, 3.0), dpi=100, layout="constrained")
    fig.set_facecolor("white")
    same = [name for name, found in counts.items() if np.array_equal(found, paper)]
    for ax, (name, found) in zip(row, counts.items(), strict=True):
        ax.imshow(
            np.where(found == paper, 0.25, 0.75) * (paper + found > 0), cmap="Greys", vmin=0, vmax=4
        )
        for (bracket, rung), n in np.ndenumerate(found):
            wanted = paper[bracket, rung]
            if n == wanted:
                text = f"{n}" if n else ""
                ax.text(rung, bracket, text, ha="center", va="center", color=INK, fontsize=11)
            else:
                ax.text(
                    rung,
                    bracket,
                    f"{n}\nnot {wanted}",
                    ha="center",
                    va="center",
                    color=VERMILLION,
                    fontsize=9,
                    fontweight="bold",
                )
        off = int((found != paper).sum())
        ax.set_title(
            f"{name}: " + (f"{off} rungs differ" if off else "the paper's"), fontsize=11, color=INK
        )
        ax.set_xticks(range(len(budgets)), [str(budget) for budget in budgets])
        ax.set_yticks(range(len(paper)), [f"s = {len(paper) - 1 - b}" for b in range(len(paper))])
        ax.set_xlabel("epochs", color=INK)
        ax.tick_params(colors=INK, length=0)
        ax.spines[:].set_color(FAINT)
    title = f"{len(same)} of {len(counts)} systems run the paper's schedule"
    fig.suptitle(title, x=0.01, ha="left", color=INK, fontsize=13)
    said(row[-1], my_guess)
    told = "; ".join(f"{name}: {found.tolist()}" for name, found in counts.items())
    alt(
        fig,
        f"{title}. Configs trained, by bracket and epochs. {told}. The paper: {paper.tolist()}.",
    )
    return fig


def left(
    places: Sequence[str], finished: Sequence[float], found: Sequence[float], my_guess: Any = ...
) -> Axes:
    """Draw how many finished trials a new process finds after `kill -9`."""
    ax = axes(None, 9.0, 2.9)
    ax.barh(places, finished, color=FAINT, label="finished before the kill")
    ax.barh(places, found, color=GREEN, height=0.45, label="found afterwards")
    ax.invert_yaxis()
    lost = [place for place, n in zip(places, found, strict=True) if n == 0]
    said(ax, my_guess)
    told = "; ".join(
        f"{place}: {n:g} of {of:g}" for place, n, of in zip(places, found, finished, strict=True)
    )
    return finish(
        ax,
        title=f"In {len(lost)} of {len(places)} cases everything is lost",
        xlabel="trials",
        ylabel="",
        description=told + ".",
    )


def endings(
    names: Sequence[str], gains: np.ndarray, low: np.ndarray, high: np.ndarray, my_guess: Any = ...
) -> Axes:
    """Draw what each ending gains in test accuracy over the first one, in points, with its
    interval."""
    ax = axes(None, 9.0, 2.8)
    ax.axvline(0, color=INK, linestyle=":")
    for height, (gain, start, end) in enumerate(zip(gains, low, high, strict=True)):
        colour = GREEN if start > 0 else VERMILLION if end < 0 else BLUE
        ax.plot([start, end], [height, height], color=colour, linewidth=3)
        ax.plot(gain, height, "o" if start <= 0 <= end else "D", color=colour, markersize=8)
    ax.set(yticks=range(len(names)), yticklabels=names, ylim=(-0.6, len(names) - 0.4))
    ax.invert_yaxis()
    said(ax, my_guess)
    best = int(np.argmax(gains))
    told = "; ".join(
        f"{name}: {gain:+.2f} ({start:+.2f} to {end:+.2f})"
        for name, gain, start, end in zip(names, gains, low, high, strict=True)
    )
    return finish(
        ax,
        title=f"{names[best].capitalize()} gains most: {gains[best]:+.2f} points",
        xlabel="test accuracy, points above the last epoch's (95 % interval)",
        ylabel="",
        description=told + ".",
    )

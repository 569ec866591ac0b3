"""Pictures of lesson 00: what a search costs, which rates won, and what is left of the gain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpt_lab.plots.figure import (
    BEST,
    BLUE,
    FAINT,
    GREEN,
    INK,
    VERMILLION,
    alt,
    axes,
    finish,
    guess,
    said,
)

__all__ = ["one_of_each", "price", "rates", "repeats", "said"]


def one_of_each(x: np.ndarray, y: np.ndarray) -> Figure:
    """Draw the first row of every class as a picture. `x`: (n, 64) grey values; `y`: (n,) classes 0
    to 9."""
    fig, row = plt.subplots(1, 10, figsize=(9, 1.2), dpi=100, layout="constrained")
    for digit, ax in enumerate(row):
        ax.imshow(x[y == digit][0].reshape(8, 8), cmap="gray_r")
        ax.set(title=digit, xticks=[], yticks=[])
    alt(fig, "One example of each digit from 0 to 9, eight by eight grey pixels.")
    return fig


def price(in_full: float, planned: float, my_guess: Any = ...) -> Axes:
    """Draw what the configs cost one by one and by the plan, in epochs, and the reader's guess."""
    ax = axes(None, 9.0, 2.2)
    ax.barh(["every config in full", "Hyperband's plan"], [in_full, planned], color=[FAINT, BLUE])
    for height, epochs in enumerate((in_full, planned)):
        ax.annotate(f" {epochs:,.0f}", (epochs, height), va="center", color=INK)
    guess(ax, my_guess, axis="x")
    ax.invert_yaxis()
    return finish(
        ax,
        title=f"The plan costs {planned / in_full:.0%} of the epochs",
        xlabel="epochs",
        ylabel="",
        description=f"Two bars: {in_full:,.0f} epochs in full, {planned:,.0f} planned.",
    )


def rates(board: Any, everyone: Any, default: float, shortest: tuple[float, float]) -> Axes:
    """Draw accuracy against learning rate: all that had all epochs, the best five, and who is
    missing.

    `board`, `everyone`: frames with learning_rate and accuracy; `shortest`: rate and accuracy in
    full of the best config that was cut.
    """
    ax = axes(None, 9.0, 3.6)
    ax.axvspan(board["learning_rate"].min(), board["learning_rate"].max(), color=GREEN, alpha=0.12)
    ax.plot(
        everyone["learning_rate"],
        100 * everyone["accuracy"],
        "o",
        color=FAINT,
        label="trained in full",
    )
    ax.plot(board["learning_rate"], 100 * board["accuracy"], "s", color=GREEN, label="best five")
    ax.plot(
        shortest[0],
        100 * shortest[1],
        "v",
        color=VERMILLION,
        markersize=9,
        label="best of those cut, trained on",
    )
    ax.axvline(default, color=INK, linestyle=":", label="default rate")
    ax.set(xscale="log", xlim=(1e-4, 1e-1))
    factor = board["learning_rate"].max() / board["learning_rate"].min()
    return finish(
        ax,
        title=f"The five best rates lie within a factor of {factor:.1f}",
        xlabel="learning rate",
        ylabel="validation accuracy, %",
        description=f"The best that was cut has rate {shortest[0]:.4f}, below all five, "
        f"and reaches {shortest[1]:.1%} when it is trained on.",
    )


def repeats(
    once: Mapping[str, float], again: Mapping[str, Sequence[float]], my_guess: Any = ...
) -> Axes:
    """Draw each config's first score as a star and its scores with new seeds as dots, in per cent.

    The reader's guess is a gain in points: it is drawn that far above the last config's mean.
    """
    ax = axes(None, 9.0, 2.8)
    for height, (name, scores) in enumerate(again.items()):
        points = 100 * np.asarray(scores)
        ax.plot(points, np.full(len(points), height), "o", color=BLUE, alpha=0.5)
        ax.plot(points.mean(), height, "|", color=INK, markersize=26, markeredgewidth=2)
        ax.plot(100 * once[name], height, linestyle="none", **BEST)
    means = [100 * float(np.mean(scores)) for scores in again.values()]
    ax.plot([], [], "o", color=BLUE, label="ten new seeds")
    ax.plot([], [], "|", color=INK, markersize=14, label="their mean")
    ax.plot([], [], linestyle="none", label="the first score", **{**BEST, "markersize": 11})
    if my_guess is not ... and my_guess is not None:
        guess(ax, means[-1] + float(my_guess), axis="x")
    ax.set(yticks=range(len(again)), yticklabels=list(again), ylim=(-0.6, len(again) - 0.4))
    ax.invert_yaxis()
    return finish(
        ax,
        title=f"With ten new seeds the winner is {means[0] - means[-1]:+.1f} points ahead",
        xlabel="validation accuracy, %",
        ylabel="",
        description="; ".join(
            f"{name}: first {once[name]:.1%}, mean of ten {mean:.1f} %"
            for name, mean in zip(again, means, strict=True)
        )
        + ".",
    )

"""Lesson 11's pictures: what a move gained where the validation loss had turned, and a promise that
production broke."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from hpt_lab.plots.figure import BLUE, FAINT, INK, ORANGE, VERMILLION, axes, finish, guess


def moves(helped: Mapping[str, tuple[float, float]], *, cases: int, my_guess: Any = ...) -> Axes:
    """Draw, a bar a move, in how many of 100 cases it helped and in how many it hurt: name ->
    (helped, hurt), in per cent.

    `my_guess`: in how many of 100 the first move helped.
    """
    ax = axes(None, 9.6, 4.4)
    for place, (up, down) in enumerate(helped.values()):
        ax.barh(
            place - 0.19,
            up,
            height=0.34,
            color=BLUE,
            label=None if place else "test error falls, by half a point or more",
        )
        ax.barh(
            place + 0.19,
            down,
            height=0.34,
            color=VERMILLION,
            hatch="//",
            edgecolor="white",
            label=None if place else "rises, by half a point or more",
        )
        ax.text(up + 1, place - 0.19, f"{up:.0f}", va="center", color=INK, fontsize=9)
        ax.text(down + 1, place + 0.19, f"{down:.0f}", va="center", color=INK, fontsize=9)
    guess(ax, my_guess, axis="x")
    ax.set_yticks(range(len(helped)), list(helped))
    ax.set(xlim=(0, 100), ylim=(len(helped) - 0.5, -0.5))
    first, (up, down) = next(iter(helped.items()))
    said = "; ".join(
        f"{name}: helps in {a:.0f}, hurts in {b:.0f} of 100" for name, (a, b) in helped.items()
    )
    return finish(
        ax,
        title=f"Where the validation loss had turned, “{first}” helped in {up:.0f} of 100, hurt in "
        f"{down:.0f}",
        xlabel=f"of 100 moves ({cases:,} configs on digits, means over three seeds)",
        ylabel="",
        description=f"{said}.",
    )


def promise(before: np.ndarray, promised: np.ndarray, kept: np.ndarray) -> Axes:
    """Draw what the best of equal models promised on the rows that chose it, and what it kept on
    new ones; in points."""
    ax = axes(None, 9.6, 3.6)
    bins = np.linspace(-3, 5, 65).tolist()
    ax.hist(
        promised - before,
        bins=bins,
        color=BLUE,
        alpha=0.75,
        label="on the validation rows that chose it",
    )
    ax.hist(
        kept - before,
        bins=bins,
        color=ORANGE,
        alpha=0.6,
        hatch="..",
        edgecolor="white",
        label="in production",
    )
    ax.axvline(0, color=FAINT, linewidth=1)
    gain = float((promised - before).mean())
    real = f"{abs(float((kept - before).mean())):.1f}"
    return finish(
        ax,
        title=f"“Improved by {gain:.1f} points”: production saw {real}",
        xlabel="accuracy above the old model's, points",
        ylabel="searches",
        description=f"The mean promise is {gain:.2f} points, the mean kept {real}.",
    )

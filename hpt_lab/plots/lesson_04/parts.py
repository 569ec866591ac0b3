"""What the pictures of lesson 04 share: panels, styles, dots and an axis of whole numbers."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from hpt_lab.plots.figure import BLUE, GREEN, ORANGE, VERMILLION

STYLES = ((BLUE, "o", "-"), (VERMILLION, "s", "--"), (GREEN, "^", "-."), (ORANGE, "D", ":"))


def row(n: int, width: float = 10.4, height: float = 4.2, *, sharey: bool = True) -> np.ndarray:
    """Return n axes side by side in a new figure."""
    return plt.subplots(
        1, n, figsize=(width, height), dpi=100, layout="constrained", sharey=sharey
    )[1]


def dots(ax: Axes, place: float, values: np.ndarray, style: tuple[str, str]) -> None:
    """Draw sorted `values` as dots around `place`; style: colour, marker."""
    across = place + np.linspace(-0.3, 0.3, len(values))
    ax.plot(across, values, linestyle="none", color=style[0], marker=style[1], markersize=3.5)


def whole(ax: Axes, numbers: Sequence[int]) -> None:
    """Give `ax` a horizontal log axis with ticks at these whole numbers."""
    ax.set(xscale="log")
    ax.set_xticks(list(numbers), [str(n) for n in numbers])
    ax.xaxis.minorticks_off()

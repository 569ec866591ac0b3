"""A picture as bytes, with its words beside it: for pages that hold everything themselves."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from hpt_lab.plots.figure import describe

SIZE = (7.4, 4.4)  # inches: narrow, so that its text is still readable on a small screen


@dataclass(frozen=True)
class Picture:
    """A PNG, the title that the picture states, and its alt text."""

    png: bytes
    title: str
    alt: str


def embedded(draw: Callable[..., Axes], *arguments: Any) -> Picture:
    """Draw with one of this package's functions; the title goes beside the picture."""
    figure, ax = plt.subplots(figsize=SIZE, dpi=100, layout="constrained")
    try:
        draw(*arguments, ax=ax)
        title = ax.get_title("left")
        alt = describe(ax)
        ax.set_title("", loc="left")
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=130)
        return Picture(file.getvalue(), title, alt)
    finally:
        plt.close(figure)

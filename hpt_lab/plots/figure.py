"""What all pictures share: axes, the palette, an opaque white ground, failed trials at the top
edge, alt text.

Colours are Okabe & Ito's ("Color universal design", 2008), which colour-blind readers can tell
apart; every meaning also has its own marker. All text gets its colour here, so that a dark theme
can't make it vanish.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib.transforms import offset_copy

from hpt_lab.arguments import check_flag, show
from hpt_lab.errors import HptError
from hpt_lab.history import History

INK, FAINT = "#222222", "#b8b8b8"
BLUE, GREEN, VERMILLION, ORANGE = "#0072B2", "#009E73", "#D55E00", "#E69F00"
Style = dict[str, Any]
WENT_ON: Style = {"color": BLUE, "marker": "o", "markersize": 5}
NOT_CUT: Style = {"color": GREEN, "marker": "s", "markersize": 6}
CUT: Style = {"color": VERMILLION, "marker": "v", "markersize": 6}
FAILED: Style = {"color": INK, "marker": "X", "markersize": 7}
BEST: Style = {
    "color": ORANGE,
    "marker": "*",
    "markersize": 16,
    "markeredgecolor": INK,
    "markeredgewidth": 1.0,
}
TOP, FREE = (
    0.94,
    0.9,
)  # heights, as fractions of the axes: failed runs sit at TOP, no loss is drawn above FREE


def axes(ax: Axes | None, width: float = 9.0, height: float = 5.0) -> Axes:
    """Return `ax`, or the axes of a new pyplot figure of this size in inches, which a notebook then
    shows."""
    if ax is not None and not isinstance(ax, Axes):
        raise HptError(
            f"ax must be Matplotlib axes, got {show(ax)}; try plt.subplots()[1], or leave it out"
        )
    return (
        ax
        if ax is not None
        else plt.subplots(figsize=(width, height), dpi=100, layout="constrained")[1]
    )


def check_log(log: bool | None) -> None:
    """Raise HptError unless `log` is None, True or False."""
    if log is not None:
        check_flag("log", log)


def check_file(path: str | Path) -> None:
    """Raise HptError unless a picture can be written to `path`: asked before the work whose result
    it shows."""
    path = Path(path)
    kinds = FigureCanvasBase.get_supported_filetypes()
    if path.suffix and path.suffix[1:].lower() not in kinds:
        raise HptError(
            f"can't draw into {path}: pictures end with one of {', '.join(sorted(kinds))}; try "
            f"{path.stem}.png"
        )
    if not path.parent.is_dir():
        raise HptError(
            f"can't draw into {path}: there is no folder {path.parent}; make it, or choose another"
        )
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise HptError(
            f"can't draw into {path}: it is a folder or can't be written to; choose another file"
        )


def finished(study: Any) -> History:
    """Return the history of a Study (or a History itself). Raises HptError while no trial has
    finished."""
    history = getattr(study, "history", study)
    if not isinstance(history, History):
        raise HptError(
            f"study must be a Study or a History, got {type(study).__name__}; plot what tune() "
            "returns"
        )
    if not history.records:
        raise HptError(
            "study has no finished trial, so there is nothing to draw; run tune(...) first"
        )
    return history


def loss_scale(ax: Axes, values: Sequence[float], log: bool | None) -> None:
    """Fit the vertical axis to the finite `values`, leaving the top free for failures. log=None:
    log if they span 10x."""
    check_log(log)
    low, high = min(values, default=1.0), max(values, default=1.0)
    if log and low <= 0:
        raise HptError(f"log=True needs values above 0, got {low:g}; use log=False")
    if log or (log is None and 0 < 10 * low <= high):
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
    to_axis = ax.yaxis.get_transform()
    start, end = (float(value) for value in to_axis.transform([low, high]))
    span = end - start or 0.1 * abs(end) or 1.0
    start -= 0.06 * span
    ax.set_ylim(*to_axis.inverted().transform([start, start + (1.06 * span) / FREE]))
    if not values:
        ax.set_yticks([])


def failures(ax: Axes, xs: Sequence[float]) -> None:
    """Mark failed runs by crosses along the top edge, above every loss; several in one place get
    their number."""
    if xs:
        ax.plot(
            xs,
            [TOP] * len(xs),
            linestyle="none",
            transform=ax.get_xaxis_transform(),
            zorder=6,
            label=f"failed ({len(xs)})",
            **FAILED,
        )
    for x, n in Counter(xs).items():
        if n > 1:
            ax.annotate(
                f"{n}",
                (x, TOP),
                xycoords=ax.get_xaxis_transform(),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                va="bottom",
                color=INK,
                fontsize=9,
            )


def finish(
    ax: Axes,
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    description: str,
    below: float = 42,
    pad: float = 10,
) -> Axes:
    """Give `ax` its words, a white ground, a legend `below` it (in points), and title and
    description as alt text."""
    ax.figure.set_facecolor("white")
    ax.set_facecolor("white")
    ax.set_title(title, color=INK, fontsize=13, loc="left", pad=pad, parse_math=False)
    ax.set_xlabel(xlabel, color=INK, fontsize=11)
    ax.set_ylabel(ylabel, color=INK, fontsize=11)
    ax.tick_params(which="both", colors=INK, labelsize=10)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(INK)
    if ax.get_legend_handles_labels()[0]:  # outside, so that it hides no data
        anchor = offset_copy(ax.transAxes, ax.figure.figure, y=-below, units="points")
        ax.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            bbox_transform=anchor,
            borderaxespad=0,
            ncols=5,
            frameon=False,
            fontsize=10,
            labelcolor=INK,
            handletextpad=0.5,
            columnspacing=1.5,
        )
    alt(ax, f"{title}. {description}")
    return ax


def alt(drawn: Axes | Figure, text: str) -> None:
    """Set the alt text of axes, or of a figure; without one of its own a figure has that of all its
    axes.

    When the figure is displayed, IPython asks it for `_repr_mimebundle_`: ours adds the text to the
    output as `metadata["image/png"]["alt"]`, where notebook tools look for it, and as its
    text/plain.
    """
    if not isinstance(drawn, Axes | Figure) or not isinstance(text, str):
        raise HptError(f"alt needs axes or a figure and a text, got {show(drawn)} and {show(text)}")
    drawn.set_label(text)
    figure: Any = drawn if isinstance(drawn, Figure) else drawn.figure.figure
    figure._repr_mimebundle_ = partial(_bundle, figure)


def describe(drawn: Axes | Figure) -> str:
    """Return the alt text: what the picture shows, in words computed from the data. Empty if it has
    none."""
    if not isinstance(drawn, Axes | Figure | Artist):
        raise HptError(f"describe needs axes or a figure, got {show(drawn)}")
    own = str(drawn.get_label())
    own = (
        "" if own.startswith(("_", "<")) else own
    )  # Matplotlib's own labels, of colour bars for instance
    return own or (
        " ".join(filter(None, map(describe, drawn.axes))) if isinstance(drawn, Figure) else ""
    )


def _bundle(
    figure: Figure, include: Any = None, exclude: Any = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    text = describe(figure)
    return {"text/plain": text}, {"image/png": {"alt": text}}


def guess(ax: Axes, value: Any, *, axis: str = "y") -> None:
    """Draw the reader's guess as a dashed line across `ax`, in the unit of `axis`; nothing while it
    is `...`."""
    if value is None or value is ...:
        return
    line = ax.axhline if axis == "y" else ax.axvline
    line(float(value), color=ORANGE, linestyle="--", linewidth=2, label="your guess", zorder=5)


def said(ax: Axes, value: Any) -> None:
    """Write the reader's guess of the title's number into the picture; nothing while it is
    `...`."""
    if value is None or value is ...:
        return
    ax.annotate(
        f"you said {value:g}",
        (1, 1),
        xycoords="axes fraction",
        ha="right",
        va="bottom",
        color=VERMILLION,
        fontsize=11,
        fontweight="bold",
    )


def count(n: float, word: str) -> str:
    """Say how many: "1 epoch", "1,581 epochs".

    >>> count(1581, "epoch")
    '1,581 epochs'
    """
    return f"{n:,g} {word}{'' if n == 1 else 's'}"

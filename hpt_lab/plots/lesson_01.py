"""Pictures of lesson 01: the valley of learning rates, what shifts it, and which scale suits which
knob."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
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
    finish,
    guess,
    said,
)

__all__ = [
    "batches",
    "curves",
    "depths",
    "families",
    "gains",
    "guess",
    "heat",
    "progress",
    "range_test",
    "said",
    "scales",
    "sweep",
]
MARKS = ((BLUE, "o"), (GREEN, "^"), (VERMILLION, "s"))


def _dots(
    ax: Axes, xs: np.ndarray, errors: np.ndarray, color: str, marker: str, label: str
) -> None:
    ax.plot(xs, 100 * np.median(errors, axis=1), color=color, marker=marker, label=label)
    ax.plot(
        np.repeat(xs, errors.shape[1]),
        100 * errors.ravel(),
        marker,
        color=color,
        markersize=4,
        alpha=0.3,
    )


def _error_axis(ax: Axes) -> None:
    ax.set(xscale="log", yscale="log")
    ax.set_yticks([3, 5, 10, 20, 50, 100])
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()


def sweep(rates: np.ndarray, errors: np.ndarray, default: float, my_rate: Any = ...) -> Axes:
    """Draw errors at each learning rate, a dot a seed, with the default and the reader's guess.
    (rates, seeds)."""
    ax = axes(None, 9, 4.2)
    medians = np.median(errors, axis=1)
    good = rates[medians < medians.min() + 0.02]
    _dots(ax, rates, errors, BLUE, "o", f"median of {errors.shape[1]} seeds")
    ax.axvline(default, color=INK, linestyle=":", label=f"Keras' default, {default:g}")
    guess(ax, my_rate, axis="x")
    _error_axis(ax)
    return finish(
        ax,
        title=f"A slope, a valley from {good.min():.2g} to {good.max():.2g}, a cliff",
        xlabel="learning rate (log scale)",
        ylabel="validation error, % (log scale)",
        description=f"The error falls from {medians[0]:.0%} at {rates[0]:g} to "
        f"{medians.min():.0%}, then "
        f"jumps to {medians[-1]:.0%}. The default lies on the slope.",
    )


def curves(shown: Mapping[str, np.ndarray]) -> Axes:
    """Draw error curves, five thin ones and their median for each label. `shown`: {label: (seeds,
    epochs)}."""
    ax = axes(None, 9, 3.8)
    styles = zip((INK, FAINT, BLUE, ORANGE, VERMILLION), "<vosX", strict=True)
    for (label, runs), (color, marker) in zip(shown.items(), styles, strict=False):
        epochs = range(1, runs.shape[1] + 1)
        ax.plot(epochs, 100 * runs.T, color=color, alpha=0.35, linewidth=1)
        ax.plot(
            epochs,
            100 * np.median(runs, axis=0),
            color=color,
            marker=marker,
            linewidth=2,
            label=label,
        )
    ax.set_xticks([1, 5, 10, 15, 20])
    return finish(
        ax,
        title="A curve tells its learning rate: creeping, falling, bent and low, jumping, flat",
        xlabel="epochs trained",
        ylabel="validation error, %",
        description="Five thin curves and a thick median for each of five learning rates.",
    )


def scales(linear: np.ndarray, log: np.ndarray, good: tuple[float, float]) -> Axes:
    """Draw learning rates drawn on a linear and on a log scale, and the valley."""
    ax = axes(None, 9, 2.4)
    rng = np.random.default_rng(0)
    inside = []
    for height, (drawn, (color, marker)) in enumerate(zip((log, linear), MARKS[:2], strict=True)):
        ax.plot(drawn, height + rng.uniform(-0.2, 0.2, len(drawn)), marker, color=color, alpha=0.5)
        inside.append(int(((drawn >= good[0]) & (drawn <= good[1])).sum()))
    ax.axvspan(*good, color=GREEN, alpha=0.15)
    ax.set_xscale("log")
    ax.set_yticks([0, 1], ["log", "linear"])
    ax.set_ylim(-0.6, 1.6)
    below = [float((drawn < 0.1).mean()) for drawn in (log, linear)]
    return finish(
        ax,
        title=f"Of {len(log)} draws, {below[0]:.0%} lie below 0.1 on a log scale, "
        f"{below[1]:.0%} on a linear one",
        xlabel="learning rate drawn (green: the valley)",
        ylabel="",
        description=f"In the valley: {inside[0]} draws on a log scale, {inside[1]} on a linear "
        "one.",
    )


def range_test(tests: Sequence[Any], good: tuple[float, float], my_turn: Any = ...) -> Axes:
    """Draw range tests: the smoothed loss against the rising rate, with each suggestion and the
    sweep's valley."""
    ax = axes(None, 9, 3.6)
    ax.axvspan(*good, color=GREEN, alpha=0.15, label="the sweep's valley")
    for i, test in enumerate(tests):
        ax.plot(
            test.rates,
            test.smoothed,
            color=BLUE,
            alpha=0.7,
            label=None if i else "loss, a line per seed",
        )
        ax.axvline(
            test.suggestion,
            color=VERMILLION,
            linestyle="--",
            alpha=0.7,
            label=None if i else "a tenth of where it is lowest",
        )
    guess(ax, my_turn, axis="x")
    ax.set(xscale="log", ylim=(0, 4))
    return finish(
        ax,
        title="A hundred batches point into the valley that took the sweep 1,100 epochs",
        xlabel="learning rate (log scale)",
        ylabel="training loss",
        description="Curves fall slowly, turn near 1, and explode; the suggestions lie in the "
        "valley.",
    )


def heat(
    grid: np.ndarray,
    batch_sizes: Sequence[int],
    rates: np.ndarray,
    useful: float,
    my_rise: Any = ...,
) -> Axes:
    """Draw median errors by batch size and learning rate, the `useful` ones framed. `grid`: (batch
    sizes, rates)."""
    ax = axes(None, 9, 3.4)
    ax.imshow(np.log(grid), cmap="cividis", aspect="auto")
    for row, column in np.ndindex(grid.shape):
        color = "white" if grid[row, column] < 0.3 else INK
        ax.text(column, row, f"{grid[row, column]:.0%}", ha="center", va="center", color=color)
    lowest = []
    for row, errors in enumerate(grid):
        framed = np.flatnonzero(errors < useful)
        lowest.append(rates[framed[0]])
        box = plt.Rectangle(
            (framed[0] - 0.46, row - 0.44),
            np.ptp(framed) + 0.92,
            0.88,
            fill=False,
            edgecolor="white",
            linewidth=2.5,
        )
        ax.add_patch(box)
    ax.set_xticks(range(len(rates)), [f"{rate:.2g}" for rate in rates])
    ax.set_yticks(range(len(batch_sizes)), [str(size) for size in batch_sizes])
    said(ax, my_rise)
    return finish(
        ax,
        title=f"From batch {batch_sizes[0]} to {batch_sizes[-1]}, the lowest useful rate rises "
        f"{lowest[-1] / lowest[0]:.0f} times",
        xlabel=f"learning rate (framed: an error under {useful:.0%})",
        ylabel="batch size",
        description="Table of median errors; the framed band moves right as batches grow, from "
        f"{lowest[0]:.2g} to {lowest[-1]:.2g} at its left end.",
    )


def batches(sizes: Sequence[int], errors: np.ndarray, epoch_ms: Sequence[float]) -> Figure:
    """Draw each batch size at its own best rate: error, a dot a seed, and milliseconds an epoch."""
    fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), dpi=100, layout="constrained")
    _dots(left, np.array(sizes), errors, BLUE, "o", "median")
    right.plot(sizes, epoch_ms, color=VERMILLION, marker="s")
    for ax in (left, right):
        ax.set_xscale("log")
        ax.set_xticks(sizes, [str(size) for size in sizes])
        ax.minorticks_off()
        ax.set_ylim(0, None)
    medians = ", ".join(f"{value:.1%}" for value in np.median(errors, axis=1))
    finish(
        left,
        title="Retuned, all sizes err alike …",
        xlabel="batch size",
        ylabel="validation error, %",
        description=f"Medians {medians}.",
    )
    finish(
        right,
        title="… and large ones are quicker",
        xlabel="batch size",
        ylabel="ms an epoch",
        description="Milliseconds an epoch fall as batches grow.",
    )
    return fig


def progress(rates: np.ndarray, medians: np.ndarray) -> Figure:
    """Draw median error curves by epoch, and by rate times epochs. `medians`: (rates, epochs)."""
    fig, (left, right) = plt.subplots(
        1, 2, figsize=(9, 3.9), dpi=100, layout="constrained", sharey=True
    )
    epochs = np.arange(1, medians.shape[1] + 1)
    colors = plt.get_cmap("cividis")(np.linspace(0, 0.9, len(rates)))
    for rate, curve, marker, color in zip(rates, 100 * medians, "ov^sDP", colors, strict=True):
        left.plot(epochs, curve, marker=marker, markersize=4, color=color)
        right.plot(rate * epochs, curve, marker=marker, markersize=4, color=color)
    right.set_xscale("log")
    left.set_xticks([1, 5, 10, 15, 20])
    finish(
        left,
        title="By epoch, six rates differ …",
        xlabel="epochs",
        ylabel="validation error, %",
        description="Six median error curves by epoch, far apart.",
    )
    finish(
        right,
        title="… by rate × epochs they are one curve",
        ylabel="",
        xlabel="learning rate × epochs",
        description="Over learning rate times epochs the same curves coincide.",
    )
    fig.legend(
        left.lines,
        [f"{rate:.2g}" for rate in rates],
        title="learning rate",
        ncols=6,
        loc="outside lower center",
        frameon=False,
    )
    return fig


def depths(
    by_width: Mapping[int, np.ndarray],
    widths: Sequence[int],
    by_rate: Mapping[int, np.ndarray],
    rates: Sequence[float],
) -> Figure:
    """Draw errors of one and of four layers, by width at one rate, and by rate at one width. (…,
    seeds)."""
    fig, (left, right) = plt.subplots(
        1, 2, figsize=(9.5, 3.9), dpi=100, layout="constrained", sharey=True
    )
    for ax, groups, xs in ((left, by_width, widths), (right, by_rate, rates)):
        for (depth, errors), (color, marker) in zip(
            groups.items(), (MARKS[0], MARKS[2]), strict=True
        ):
            name = "one hidden layer" if depth == 1 else f"{depth} layers"
            _dots(ax, np.array(xs[: len(errors)]), errors, color, marker, name)
        ax.set(xscale="log", ylim=(0, 54))
        ax.set_xticks(xs, [f"{x:g}" for x in xs])
        ax.minorticks_off()
    finish(
        left,
        title="At one rate: depth needs width",
        xlabel="units per layer, at rate 0.01",
        below=48,
        ylabel="validation error, %",
        description="Four layers err more than one with two units, less with eight or 32.",
    )
    finish(
        right,
        title="Each at its best rate: another picture",
        ylabel="",
        below=48,
        xlabel="learning rate (Adam), 32 units per layer",
        description="One layer errs most at the lowest rate; four least or nearly so.",
    )
    return fig


def families(
    rates: np.ndarray,
    found: Mapping[str, np.ndarray],
    defaults: Mapping[str, float],
    my_rate: Any = ...,
) -> Axes:
    """Draw each optimizer's errors over the learning rate, a star at its default. `found`: {name:
    (rates, seeds)}."""
    ax = axes(None, 9, 4.2)
    begins = []
    for (name, errors), (color, marker) in zip(found.items(), MARKS, strict=True):
        xs = rates[: len(errors)]
        _dots(ax, xs, errors, color, marker, name)
        medians = np.median(errors, axis=1)
        ax.plot(
            defaults[name],
            100 * medians[np.abs(np.log(xs / defaults[name])).argmin()],
            marker="*",
            markersize=17,
            color=color,
            markeredgecolor=INK,
            linestyle="none",
            zorder=5,
        )
        begins.append(f"{xs[medians < 0.06][0]:.2g} for {name}")
    guess(ax, my_rate, axis="x")
    _error_axis(ax)
    return finish(
        ax,
        title="Same depth, shifted by powers of ten (stars: Keras' defaults)",
        xlabel="learning rate (log scale)",
        ylabel="validation error, % (log scale)",
        description=f"Three U-shaped curves. Their valleys begin at {', '.join(begins)}.",
    )


def gains(found: Mapping[str, np.ndarray], my_gain: Any = ...) -> Axes:
    """Draw points gained by tuning the rate, a dot a seed, the mean with two standard errors.
    {name: (seeds,)}."""
    ax = axes(None, 9, 2.4)
    words = []
    for height, (name, points) in enumerate(found.items()):
        error = 2 * points.std(ddof=1) / len(points) ** 0.5
        ax.plot(points, np.full(len(points), height), "o", color=BLUE, alpha=0.4)
        ax.errorbar(points.mean(), height, xerr=error, color=INK, marker="D", capsize=4)
        words.append(f"{name} {points.mean():.1f} ± {error / 2:.1f}")
    ax.axvline(0, color=FAINT)
    guess(ax, my_gain, axis="x")
    ax.set_yticks(range(len(found)), list(found))
    ax.set_ylim(-0.5, len(found) - 0.5)
    means = [points.mean() for points in found.values()]
    return finish(
        ax,
        title=f"Tuning one knob gains {means[0]:.1f} points for sgd, {means[1]:.1f} for adam",
        xlabel="points of validation error gained over the default (mean, two standard errors)",
        ylabel="",
        description="; ".join(words) + " points.",
    )

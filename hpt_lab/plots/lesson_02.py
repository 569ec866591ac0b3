"""Pictures of lesson 02: fits, gaps between training and validation rows, and what closes them."""

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
    alt,
    axes,
    count,
    finish,
    guess,
    said,
)

Curves = Mapping[str, np.ndarray]
PARTS = ((BLUE, "o", "-", "training"), (VERMILLION, "s", "--", "validation"))


def _row(n: int, height: float, **options: Any) -> tuple[Figure, Any]:
    return plt.subplots(1, n, figsize=(9, height), dpi=100, layout="constrained", **options)


def _points(ax: Axes, x: np.ndarray, y: np.ndarray, size: float, flipped: int = 0) -> None:
    for label, colour, marker in ((0, BLUE, "o"), (1, VERMILLION, "^")):
        here = x[y == label]
        ax.scatter(
            here[:, 0], here[:, 1], s=size, color=colour, marker=marker, label=f"class {label}"
        )
    if flipped:
        ax.scatter(
            x[:flipped, 0],
            x[:flipped, 1],
            s=5 * size,
            facecolor="none",
            edgecolor=INK,
            label="flipped",
        )
    ax.set(xticks=[], yticks=[])


def _band(ax: Axes, xs: Sequence[int], runs: np.ndarray, part: int) -> np.ndarray:
    """Draw the means of runs (len(xs), seeds) with one standard error on either side; return the
    means."""
    colour, marker, _, label = PARTS[part]
    mean = np.mean(runs, axis=1)
    error = np.std(runs, axis=1, ddof=1) / np.shape(runs)[1] ** 0.5
    ax.plot(xs, mean, color=colour, marker=marker, label=label)
    ax.fill_between(xs, mean - error, mean + error, color=colour, alpha=0.2, linewidth=0)
    return mean


def _accuracy(ax: Axes, xs: Sequence[int]) -> None:
    ax.axhline(0.8, color=INK, linestyle=":", linewidth=1, label="ceiling for new rows")
    ax.set_xscale("log", base=2)
    ax.set(xticks=xs, xticklabels=xs)
    ax.yaxis.set_major_formatter("{x:.0%}")
    ax.minorticks_off()


def rows(
    truth: tuple[np.ndarray, np.ndarray], few: tuple[np.ndarray, np.ndarray], flipped: int
) -> Figure:
    """Draw the true arms beside what a network gets: few rows, the first `flipped` of them
    wrong."""
    figure, (left, right) = _row(2, 4.2)
    _points(left, *truth, 7)
    _points(right, *few, 20, flipped)
    words: dict[str, Any] = {"xlabel": "first input", "ylabel": "second input"}
    finish(
        left,
        title="The truth: two arms",
        below=24,
        **words,
        description=f"{len(truth[1])} points; the two classes form two interleaved spirals.",
    )
    finish(
        right,
        title=f"What a network gets: {len(few[1])} rows, {flipped} flipped",
        below=24,
        **words,
        description=f"{len(few[1])} such points; {flipped} of them, ringed, have the other arm's "
        "class.",
    )
    return figure


def capacity(
    widths: Sequence[int], train: np.ndarray, valid: np.ndarray, my_width: Any = ...
) -> Axes:
    """Draw accuracy on training and validation rows against width. Both (widths, seeds)."""
    ax = axes(None, 9, 4.2)
    low = _band(ax, widths, train, 0)
    new = _band(ax, widths, valid, 1)
    _accuracy(ax, widths)
    guess(ax, my_width, axis="x")
    best = widths[int(new.argmax())]
    return finish(
        ax,
        title=f"Training accuracy climbs; validation accuracy turns back after {best} units",
        xlabel="units per hidden layer",
        ylabel="accuracy after 200 epochs",
        description=f"Training accuracy rises from {low[0]:.0%} to {low[-1]:.0%}; validation "
        "accuracy "
        f"from {new[0]:.0%} to {new.max():.0%}, and back to {new[-1]:.0%}.",
    )


def beliefs(
    maps: Mapping[int, np.ndarray],
    side: np.ndarray,
    few: tuple[np.ndarray, np.ndarray],
    flipped: int,
    agrees: Mapping[int, float],
    errs: Mapping[int, float],
) -> Figure:
    """Draw what networks of some widths believe, over their rows. `maps`: {units: (side, side)}."""
    figure, panels = _row(len(maps), 3.9, sharey=True)
    texts = []
    for ax, (units, belief) in zip(panels, maps.items(), strict=True):
        shades = ax.contourf(
            side, side, belief, levels=np.linspace(0, 1, 11), cmap="RdBu_r", alpha=0.6
        )
        _points(ax, *few, 10, flipped)
        text = (
            f"{count(units, 'unit')}: agrees with {agrees[units]:.0%} of flips,\nwrong on "
            f"{errs[units]:.0%} of new rows"
        )
        ax.set_title(text, fontsize=10, loc="left")
        ax.set(xlabel="first input", ylabel="second input" if ax is panels[0] else "")
        texts.append(text.replace("\n", " ") + ".")
    figure.colorbar(shades, ax=panels, label="probability of class 1", format="{x:.2g}", shrink=0.9)
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
    )
    alt(figure, "The same 100 points over the beliefs of three networks. " + " ".join(texts))
    return figure


def bias_variance(widths: Sequence[int], bias2: np.ndarray, variance: np.ndarray) -> Axes:
    """Draw bias squared and variance, stacked, for each width."""
    ax = axes(None, 9, 3.6)
    names = [str(units) for units in widths]
    ax.bar(names, bias2, 0.6, color=BLUE, label="bias²")
    ax.bar(
        names,
        variance,
        0.6,
        bottom=bias2,
        color=VERMILLION,
        hatch="//",
        edgecolor="white",
        label="variance",
    )
    parts = zip(names, bias2, variance, strict=True)
    return finish(
        ax,
        title="Bias falls with the width, variance grows; their sum has the valley",
        xlabel="units per hidden layer",
        ylabel="squared distance from the truth",
        description="Bias² and variance: "
        + "; ".join(f"{name} units {b:.3f} and {v:.3f}" for name, b, v in parts)
        + ".",
    )


def losses(shown: Mapping[int, Curves], perfect: float, my_ratio: Any = ...) -> Figure:
    """Draw ten training and ten validation loss curves and their means for each width; mark the
    best epoch."""
    figure, panels = _row(len(shown), 4, sharey=True)
    for ax, (units, curves) in zip(panels, shown.items(), strict=True):
        epochs = np.arange(1, curves["loss"].shape[1] + 1)
        for name, (colour, _, style, label) in zip(("loss", "val_loss"), PARTS, strict=True):
            ax.plot(epochs, curves[name].T, color=colour, linewidth=0.6, alpha=0.4)
            ax.plot(
                epochs, curves[name].mean(axis=0), style, color=colour, linewidth=2, label=label
            )
        mean = curves["val_loss"].mean(axis=0)
        best = int(mean.argmin()) + 1
        ax.plot(
            best,
            mean.min(),
            marker="*",
            color=ORANGE,
            markeredgecolor=INK,
            markersize=15,
            linestyle="none",
            label="best",
        )
        ax.axhline(perfect, color=INK, linestyle=":", linewidth=1, label="truth")
        ax.set_ylim(0, 1.6)
        finish(
            ax,
            title=f"{units} units: validation ends at {mean[-1] / mean.min():.2f} × its best",
            xlabel="epoch",
            ylabel="log loss" if ax is panels[0] else "",
            description="Ten training and ten validation curves; mean validation loss "
            f"{mean.min():.2f} in "
            f"epoch {best}, {mean[-1]:.2f} in the last.",
        )
    said(panels[-1], my_ratio)
    return figure


def cures(scores: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Axes:
    """Draw training and validation accuracy under each treatment. `scores`: {name: (training,
    validation)} over seeds."""
    ax = axes(None, 9, 4.4)
    for row, pair in enumerate(scores.values()):
        ax.plot([pair[0].mean(), pair[1].mean()], [row, row], color=FAINT, linewidth=3, zorder=1)
        for runs, (colour, marker, _, label) in zip(pair, PARTS, strict=True):
            ax.errorbar(
                runs.mean(),
                row,
                xerr=runs.std(ddof=1) / len(runs) ** 0.5,
                fmt=marker,
                color=colour,
                capsize=3,
                label=label if row == 0 else None,
            )
    ax.axvline(0.8, color=INK, linestyle=":", linewidth=1, label="ceiling for new rows")
    ax.set(yticks=range(len(scores)), yticklabels=scores)
    ax.invert_yaxis()
    ax.xaxis.set_major_formatter("{x:.0%}")
    told = (
        f"{name}: training {pair[0].mean():.0%}, validation {pair[1].mean():.0%}."
        for name, pair in scores.items()
    )
    return finish(
        ax,
        title="Three cures, one gain; far too much of a cure underfits",
        xlabel="accuracy",
        ylabel="",
        description=" ".join(told),
    )


def by_rows(sizes: Sequence[int], found: Mapping[int, np.ndarray], my_gain: Any = ...) -> Figure:
    """Draw accuracy against the number of training rows. `found`: {units: (training/validation,
    sizes, seeds)}."""
    figure, panels = _row(len(found), 4.1, sharey=True)
    for ax, (units, runs) in zip(panels, found.items(), strict=True):
        train = _band(ax, sizes, runs[0], 0)
        valid = _band(ax, sizes, runs[1], 1)
        _accuracy(ax, sizes)
        finish(
            ax,
            title=f"{count(units, 'unit')}: {100 * (valid[-1] - valid[0]):+.0f} points of "
            "validation accuracy",
            xlabel="training rows",
            ylabel="accuracy after 800 steps" if ax is panels[0] else "",
            description=f"From {sizes[0]} to {sizes[-1]} rows, training accuracy goes from "
            f"{train[0]:.0%} to "
            f"{train[-1]:.0%}, validation accuracy from {valid[0]:.0%} to {valid[-1]:.0%}.",
        )
        ax.title.set_fontsize(11)
    said(panels[-1], my_gain)
    return figure


def treatments(outcomes: Mapping[str, np.ndarray]) -> Axes:
    """Draw the validation accuracy of each treatment, a dot a seed and their mean."""
    ax = axes(None, 9, 3.2)
    means = {name: runs.mean() for name, runs in outcomes.items()}
    for row, (name, runs) in enumerate(outcomes.items()):
        ax.plot(
            runs,
            [row] * len(runs),
            "o",
            color=BLUE,
            alpha=0.5,
            label="a seed" if row == 0 else None,
        )
        ax.plot(means[name], row, "D", color=VERMILLION, label="mean" if row == 0 else None)
    ax.set(yticks=range(len(outcomes)), yticklabels=outcomes)
    ax.invert_yaxis()
    ax.xaxis.set_major_formatter("{x:.0%}")
    best = max(means, key=lambda name: means[name])
    told = (f"{name} {mean:.1%}" for name, mean in means.items())
    return finish(
        ax,
        title=f"The strongest treatment: {best}",
        xlabel="validation accuracy of the network kept",
        ylabel="",
        description="Means: " + "; ".join(told) + ".",
    )


def descent(
    units: Sequence[int], errors: Mapping[str, np.ndarray], n: int, my_error: Any = ...
) -> Axes:
    """Draw validation error against the width of a hidden layer of random units. `errors`:
    {setting: (widths,)}."""
    ax = axes(None, 9, 4.5)
    looks = ((BLUE, "o", "-"), (VERMILLION, "s", "-"), (GREEN, "v", "--"), (INK, "^", "--"))
    for (name, row), (colour, marker, style) in zip(errors.items(), looks, strict=True):
        ax.plot(units, row, color=colour, marker=marker, linestyle=style, label=name)
    ax.axvline(n, color=INK, linestyle=":", linewidth=1)
    ax.annotate(
        "as many units as rows: without decay,\ntraining error is 0 from here on",
        (1.08 * n, 0.9),
        va="top",
        color=INK,
        fontsize=9,
    )
    guess(ax, my_error)
    ticks = [10, 40, 100, 200, 500, 2000]
    ax.set(xscale="log", xticks=ticks, xticklabels=[f"{tick:,}" for tick in ticks], ylim=(0, 0.92))
    ax.yaxis.set_major_formatter("{x:.0%}")
    ax.minorticks_off()
    shown = [list(units).index(width) for width in (40, n, 2000)]
    told = (
        f"{name}: {row[shown[0]]:.0%} at 40 units, {row[shown[1]]:.0%} at {n}, {row[shown[2]]:.0%} "
        "at 2,000"
        for name, row in errors.items()
    )
    return finish(
        ax,
        title="Without weight decay the error peaks where the network just fits every label",
        xlabel="units in the hidden layer",
        ylabel="error on clean validation digits",
        description="; ".join(told) + ".",
    )


def ward(patients: Mapping[str, Mapping[str, Sequence[float]]], perfect: float) -> Figure:
    """Draw the loss curves of six networks; nothing in the picture says what is wrong with them."""
    figure, panels = plt.subplots(
        2, 3, figsize=(9, 5.4), dpi=100, layout="constrained", sharey=True
    )
    for ax, (name, curves) in zip(panels.flat, patients.items(), strict=True):
        epochs = range(1, len(curves["loss"]) + 1)
        for part, (colour, _, style, label) in zip(("loss", "val_loss"), PARTS, strict=True):
            ax.plot(epochs, curves[part], style, color=colour, label=label)
        ax.axhline(perfect, color=INK, linestyle=":", linewidth=1, label="truth")
        ax.set_title(f"Patient {name}", loc="left", fontsize=11)
        ax.set(ylim=(0, 1.2), xlabel="epoch", ylabel="log loss")
        ax.label_outer()
        ax.spines[["top", "right"]].set_visible(False)
    handles = panels[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=3, frameon=False)
    alt(
        figure,
        "Training and validation loss of six networks A to F over 80 epochs; the task is to tell "
        "what "
        "is wrong with each. Numbers: patients['A']['loss'], ['val_loss'].",
    )
    return figure

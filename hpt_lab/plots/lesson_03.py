"""Pictures of lesson 03: how rows are split, what leaks invent, and how much of a score is luck."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
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
    finish,
    guess,
)

__all__ = [
    "alarms",
    "coverage",
    "curse",
    "folds",
    "guess",
    "kfold",
    "leaks",
    "luck",
    "metrics",
    "nested",
    "punchline",
    "threshold",
    "thresholds",
]
PERCENT = "{x:.0%}"


def folds(
    schemes: Mapping[str, Sequence[tuple[np.ndarray, np.ndarray]]],
    ill: np.ndarray,
    patient: np.ndarray,
) -> Figure:
    """Draw four ways to cut folds. `schemes`: {title: pairs of training and held-out rows}."""
    fig, panels = plt.subplots(2, 2, figsize=(9.4, 4.6), dpi=100)
    fig.set_layout_engine("constrained", hspace=0.08)
    colours = ListedColormap(["white", "#e6e6e6", BLUE, ORANGE])
    edges = np.flatnonzero(np.diff(patient)) + 1
    for ax, (name, pairs) in zip(panels.flat, schemes.items(), strict=True):
        picture = np.zeros((len(pairs), len(ill)))
        for fold, (train, held_out) in enumerate(pairs):
            picture[fold, train] = 1
            picture[fold, held_out] = 2 + ill[held_out]
        ax.pcolormesh(picture, cmap=colours, edgecolors="white", vmin=0, vmax=3)
        ax.vlines(edges, 0, len(pairs), color=INK, linewidth=0.8)
        ax.set(xticks=[], yticks=np.arange(len(pairs)) + 0.5, yticklabels=range(len(pairs)))
        ax.invert_yaxis()
        below = "24 rows in order of time; lines separate patients" if ax in panels[1] else ""
        finish(ax, title="", xlabel=below, ylabel="fold", description="")
        ax.set_title(name, color=INK, fontsize=11, loc="left")
    alt(
        fig,
        "Four grids of 4 folds by 24 rows; training rows grey, held-out rows blue or, for the "
        "ill, orange. Random rows, with a fold without orange; random rows with orange in "
        "every fold; whole patients; blocks that follow their training rows in time.",
    )
    return fig


def punchline(pairs: np.ndarray, larger_class: float, my_unseen: Any = ...) -> Axes:
    """Draw accuracy with folds by class and by patient, a line a draw. `pairs`: (draws, 2)."""
    ax = axes(None, 8.6, 4)
    ax.plot([0, 1], 100 * pairs.T, color=FAINT, zorder=1)
    for place, (color, marker) in enumerate(((VERMILLION, "v"), (BLUE, "o"))):
        dots = 100 * pairs[:, place]
        ax.plot(np.full(len(pairs), place), dots, marker, color=color, markersize=7)
        mean = 100 * pairs[:, place].mean()
        ax.hlines(mean, place - 0.12, place + 0.12, color=color, linewidth=3)
        ax.annotate(f"{mean:.0f} %", (place + 0.15, mean), color=color, va="center", fontsize=13)
    ax.axhline(100 * larger_class, color=INK, linestyle=":", label="always saying “healthy”")
    guess(ax, my_unseen)
    ax.set_xticks(
        [0, 1], ["patients on both sides\n(stratified folds)", "new patients\n(grouped folds)"]
    )
    ax.set(xlim=(-0.4, 1.5), ylim=(38, 103))
    by_class, by_patient = 100 * pairs.mean(axis=0)
    title = f"{by_class:.0f} % with known patients, {by_patient:.0f} % with new ones"
    return finish(
        ax,
        title=title,
        xlabel="",
        ylabel="accuracy, %",
        below=42,
        description=f"Each of {len(pairs)} lines falls from stratified to grouped folds.",
    )


def leaks(found: Mapping[str, tuple[np.ndarray, np.ndarray]], my_leak: Any = ...) -> Axes:
    """Draw accuracies on random labels, leaky and mended. `found`: {leak: (leaky, honest)}."""
    ax = axes(None, 9, 4)
    words = []
    for row, (name, (leaky, honest)) in enumerate(found.items()):
        sides = (
            (leaky, -0.13, VERMILLION, "v", "with the leak"),
            (honest, 0.13, BLUE, "o", "mended"),
        )
        for scores, side, color, marker, label in sides:
            ax.plot(
                scores,
                np.full(len(scores), row + side),
                marker,
                color=color,
                alpha=0.5,
                markersize=5,
                label=label if row == 0 else None,
            )
            ax.plot([scores.mean()] * 2, [row, row + 2.3 * side], color=INK, linewidth=2)
        words.append(f"{name} {leaky.mean():.0%}, mended {honest.mean():.0%}")
    ax.axvline(0.5, color=INK, linestyle=":", linewidth=1)
    if my_leak is not ...:
        guess(ax, my_leak / 100, axis="x")
    ax.set(yticks=range(len(found)), yticklabels=found, xlim=(0.3, 1))
    ax.xaxis.set_major_formatter(PERCENT)
    ax.invert_yaxis()
    invented = sum(leaky.mean() > 0.6 for leaky, _ in found.values())
    return finish(
        ax,
        title=f"{invented} of {len(found)} mistakes invent skill where there is none",
        xlabel="accuracy on random labels (dotted: chance; bars: means)",
        ylabel="",
        description="; ".join(words) + ".",
    )


def alarms(above: np.ndarray) -> Axes:
    """Draw by how many errors honest means lie above chance. `above`: one value a pipeline."""
    ax = axes(None, 8.6, 3.8)
    heights, edges = np.histogram(above, bins=np.arange(-4, 4.01, 0.2))
    colours = np.array(["#e6e6e6", ORANGE, VERMILLION])[np.digitize(edges[:-1], [0.99, 1.99])]
    ax.bar(edges[:-1], heights, width=0.2, align="edge", color=list(colours))
    for errors in (1, 2, 3):
        ax.axvline(errors, color=INK, linestyle=":", linewidth=1)
        ax.annotate(
            f" above {errors}:\n {(above > errors).mean():.1%}",
            color=INK,
            va="top",
            xy=(errors, heights.max()),
            fontsize=11,
        )
    share = (above > 1).mean()
    ax.set(yticks=[], xlim=(-4, 4.4))
    return finish(
        ax,
        title=f"“Above by one error” accuses {share:.0%} of the innocent",
        xlabel="mean of 20 draws above chance, in standard errors",
        ylabel="honest pipelines",
        description="A bell around zero; its tail above 1 is marked, above 2 it is thin.",
    )


def luck(points: Mapping[str, float], formula: float, my_rows: Any = ...) -> Axes:
    """Draw how far a score moves when one source of luck changes. `points`: {source: deviation}."""
    ax = axes(None, 8.6, 3.4)
    names = list(points)
    values = list(points.values())
    places = np.arange(len(names))
    ax.hlines(places, 0, values, color=BLUE, linewidth=9, alpha=0.35)
    ax.plot(values, places, "o", color=BLUE, markersize=9)
    for place, value in zip(places, values, strict=True):
        ax.annotate(
            f"±{value:.1f}",
            (value, place),
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
            va="bottom",
            color=INK,
            fontsize=11,
        )
    ax.plot(
        formula,
        places[-1],
        "|",
        color=VERMILLION,
        markersize=26,
        markeredgewidth=2,
        label="√(p(1 − p)/n)",
    )
    guess(ax, my_rows, axis="x")
    ax.set_yticks(places, names)
    ax.set_ylim(len(names) - 0.5, -0.8)
    ax.set_xlim(0, 1.2 * max(values))
    ratio = values[-1] / values[0]
    title = f"The validation rows move a score {ratio:.0f} times as much as the seed"
    return finish(
        ax,
        title=title,
        xlabel="standard deviation of the score, points; only this changes",
        ylabel="",
        description=", ".join(f"{name} {value:.1f}" for name, value in points.items()),
    )


def coverage(counts: Sequence[int], shares: Mapping[str, Sequence[float]]) -> Axes:
    """Draw how often intervals hold the mean. `shares`: {rule: one share a count}."""
    ax = axes(None, 8.2, 3.6)
    looks = ((VERMILLION, "v"), (BLUE, "o"))
    for (name, line), (color, marker) in zip(shares.items(), looks, strict=True):
        ax.plot(counts, 100 * np.array(line), color=color, marker=marker, label=name)
    ax.axhline(95, color=INK, linestyle=":", label="what is promised")
    ax.set_xticks(counts, [str(n) for n in counts])
    ax.set(ylim=(75, 100))
    first = next(iter(shares.values()))[0]
    title = f"With {counts[0]} seeds, ±1.96 errors hold the mean in {first:.0%} only"
    return finish(
        ax,
        title=title,
        xlabel="seeds",
        ylabel="intervals with the mean inside, %",
        below=42,
        description="The t-interval's line stays near 95 %, the other climbs towards it.",
    )


def curse(
    trials: Sequence[int],
    promised: np.ndarray,
    kept: np.ndarray,
    sizes: Sequence[int],
    equal: np.ndarray,
    theory: np.ndarray,
    my_curse: Any = ...,
) -> Figure:
    """Draw the winner's curse by number of configs, and for equal models by validation rows."""
    fig, (left, right) = plt.subplots(
        1, 2, figsize=(10, 4.2), dpi=100, layout="constrained", width_ratios=[1.35, 1]
    )
    left.plot(trials, 100 * promised, color=VERMILLION, marker="v", label="the best promises")
    left.plot(trials, 100 * kept, color=BLUE, marker="o", label="and keeps")
    left.fill_between(trials, 100 * kept, 100 * promised, color=ORANGE, alpha=0.25, linewidth=0)
    if my_curse is not ...:
        guess(left, 100 * kept[-1] + my_curse)
    _powers(left, trials)
    gap = 100 * (promised - kept)[-1]
    finish(
        left,
        title=f"Best of {trials[-1]}: {gap:.1f} points are luck",
        xlabel="configs tried",
        ylabel="accuracy, %",
        below=44,
        description="The promise climbs with the configs tried, what is kept hardly climbs.",
    )
    right.plot(sizes, 100 * equal, color=VERMILLION, marker="v", label="seeds of one config")
    right.plot(sizes, 100 * theory, ":", color=INK, label="independent models")
    right.set_yscale("log")
    right.yaxis.set_major_formatter("{x:g}")
    right.set_yticks([0.2, 0.5, 1, 2, 5])
    _powers(right, sizes)
    finish(
        right,
        title="Four times the rows, half the curse",
        xlabel="validation rows",
        ylabel="best of 10 flatters by, points",
        below=44,
        description="A falling line: "
        + ", ".join(f"{n} rows {100 * points:.1f}" for n, points in zip(sizes, equal, strict=True)),
    )
    return fig


def _powers(ax: Axes, ticks: Sequence[int]) -> None:
    ax.set_xscale("log")
    ax.minorticks_off()
    ax.set_xticks(ticks, [str(tick) for tick in ticks])


def kfold(counts: Sequence[int], off: np.ndarray, rows: int) -> Axes:
    """Draw bias, spread and cost of k-fold estimates. `off`: estimate − truth, (k, sets)."""
    ax = axes(None, 8.6, 3.8)
    places = np.arange(len(counts))
    bias = 100 * off.mean(axis=1)
    spread = 100 * off.std(axis=1, ddof=1)
    sets = off.shape[1]
    ax.errorbar(
        places,
        bias,
        spread,
        fmt="none",
        ecolor=FAINT,
        elinewidth=7,
        label="spread of one estimate, ± 1 deviation",
    )
    ax.errorbar(
        places,
        bias,
        2 * spread / sets**0.5,
        fmt="o",
        color=BLUE,
        capsize=4,
        label="mean, ± 2 standard errors",
    )
    ax.axhline(0, color=INK, linestyle=":", linewidth=1)
    ax.set_xticks(places, [f"{k} folds\n{k} trainings" for k in counts])
    words = "; ".join(
        f"{k} folds: {a:+.1f} ± {b:.1f}" for k, a, b in zip(counts, bias, spread, strict=True)
    )
    return finish(
        ax,
        title=f"{counts[0]} folds are {-bias[0]:.1f} points too low; the luck stays",
        xlabel="",
        ylabel="estimate − truth, points",
        below=48,
        description=f"{rows} rows. {words}.",
    )


def nested(candidates: Sequence[int], found: Mapping[str, np.ndarray]) -> Axes:
    """Draw flat and nested estimates with the truth. `found`: {name: (candidates, sets)}."""
    ax = axes(None, 8.6, 4)
    looks = ((VERMILLION, "v", "-"), (BLUE, "o", "-"), (INK, "s", ":"), (GREEN, "^", "--"))
    words = []
    for (name, values), (color, marker, style) in zip(found.items(), looks, strict=True):
        mean = 100 * values.mean(axis=1)
        error = 200 * values.std(axis=1, ddof=1) / values.shape[1] ** 0.5
        ax.errorbar(
            candidates,
            mean,
            error,
            color=color,
            marker=marker,
            linestyle=style,
            capsize=3,
            label=name,
        )
        words.append(f"{name} " + ", ".join(f"{value:.0f} %" for value in mean))
    _powers(ax, candidates)
    return finish(
        ax,
        title="The flat score leaves the truth behind; nested stays with it",
        xlabel="candidates",
        ylabel="accuracy, % (± 2 errors)",
        below=44,
        description="; ".join(words) + ".",
    )


def threshold(y: np.ndarray, p: np.ndarray, marks: Sequence[float]) -> Figure:
    """Draw precision, recall and F1 by threshold, and the confusion matrix at three of them."""
    fig, panels = plt.subplot_mosaic(
        [["lines"] * 3, [0, 1, 2]],
        figsize=(9, 5.8),
        dpi=100,
        layout="constrained",
        height_ratios=[1.25, 1],
    )
    cuts = np.linspace(0.01, 0.99, 197)
    tables = np.array([_confusion(y, p, cut) for cut in cuts])  # (cuts, 2, 2)
    hits = tables[:, 1, 1]
    precision = hits / np.maximum(tables[:, :, 1].sum(axis=1), 1)
    recall = hits / tables[:, 1].sum(axis=1)
    f1 = 2 * hits / (tables[:, :, 1].sum(axis=1) + tables[:, 1].sum(axis=1))
    top: Axes = panels["lines"]
    lines = (
        (precision, VERMILLION, "--", "precision"),
        (recall, GREEN, "-.", "recall"),
        (f1, BLUE, "-", "F1"),
    )
    for line, color, style, label in lines:
        top.plot(cuts, line, style, color=color, linewidth=2, label=label)
    finish(
        top,
        title="Lower the threshold: more positives found, more false alarms",
        xlabel="threshold",
        ylabel="",
        below=36,
        description="Recall falls with the threshold, precision rises, F1 peaks between.",
    )
    for place, cut in enumerate(marks):
        top.axvline(cut, color=INK, linestyle=":", linewidth=1)
        _matrix(panels[place], _confusion(y, p, cut), cut)
    return fig


def _confusion(y: np.ndarray, p: np.ndarray, cut: float) -> np.ndarray:
    """Count rows by truth (first axis) and answer."""
    return np.bincount(2 * y + (p >= cut), minlength=4).reshape(2, 2)


def _matrix(ax: Axes, table: np.ndarray, cut: float) -> None:
    good = np.eye(2, dtype=int)
    ax.imshow(good, cmap=ListedColormap(["#fbe3d6", "#d6e8f5"]), aspect="auto")
    for (truth, answer), rows in np.ndenumerate(table):
        ax.text(answer, truth, f"{rows:,}", ha="center", va="center", color=INK, fontsize=14)
    ax.set_xticks([0, 1], ["“no”", "“yes”"])
    ax.set_yticks([0, 1], ["negative", "positive"])
    finish(
        ax,
        title="",
        xlabel="",
        ylabel="",
        description=f"At threshold {cut:.2f}: {table[1, 1]} found, {table[1, 0]} missed, "
        f"{table[0, 1]} false alarms.",
    )
    ax.set_title(f"threshold {cut:.2f}", color=INK, fontsize=11)


def metrics(
    table: Mapping[str, Mapping[str, np.ndarray]], interval: Mapping[str, np.ndarray]
) -> Axes:
    """Draw metrics of three cases, and one split's intervals. `table`: {case: {metric: runs}}."""
    ax = axes(None, 8.8, 4.2)
    looks = ((FAINT, "s", -0.2), (BLUE, "o", 0), (VERMILLION, "v", 0.2))
    names = list(interval)
    words = []
    for (case, runs), (color, marker, shift) in zip(table.items(), looks, strict=True):
        means = [runs[name].mean() for name in names]
        places = np.arange(len(names)) + shift
        ax.plot(places, means, marker, color=color, markersize=10, label=case)
        words.append(f"{case}: " + ", ".join(f"{value:.2f}" for value in means))
        for place, value in enumerate(means):
            ax.annotate(
                f"{value:.2f}",
                (place + shift, value),
                xytext=(0, 9),
                ha="center",
                textcoords="offset points",
                color=INK,
                fontsize=9,
            )
    low, high = np.array(list(interval.values())).T
    ax.vlines(
        np.arange(len(names)),
        low,
        high,
        color=BLUE,
        linewidth=2,
        alpha=0.6,
        label="95 % bootstrap interval, one split",
    )
    ax.set_xticks(range(len(names)), [name.replace("_", " ") for name in names])
    ax.set_ylim(-0.05, 1.12)
    return finish(
        ax,
        title="Accuracy flatters; ROC-AUC can't see how rare the positives are",
        xlabel="",
        ylabel="score",
        below=34,
        description="; ".join(words) + ".",
    )


def thresholds(f1: Mapping[str, np.ndarray]) -> Axes:
    """Draw F1 on the splits for each way to choose the threshold. `f1`: {way: (splits,)}."""
    ax = axes(None, 8.6, 3.4)
    looks = ((FAINT, "s"), (BLUE, "o"), (VERMILLION, "v"), (VERMILLION, "v"))
    for place, (values, (color, marker)) in enumerate(zip(f1.values(), looks, strict=True)):
        ax.plot(values, np.full(len(values), place), marker, color=color, alpha=0.5, markersize=6)
        ax.plot([values.mean()] * 2, [place - 0.3, place + 0.3], color=INK, linewidth=2)
        ax.annotate(
            f"{values.mean():.3f}",
            (1, place),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=INK,
        )
    ax.set_yticks(range(len(f1)), list(f1))
    ax.invert_yaxis()
    first, second, *_ = f1.values()
    gain = 100 * (second - first).mean()
    return finish(
        ax,
        title=f"A threshold chosen on validation rows gains {gain:.0f} points of F1",
        xlabel="F1 on each split (bars and numbers: means)",
        ylabel="",
        description="; ".join(f"{name} {v.mean():.3f}" for name, v in f1.items()) + ".",
    )

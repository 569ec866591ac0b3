"""Lesson 09's pictures: edges, importance, power, curves, schedules, widths, fine-tuning.

All compute their titles from what they are given. Errors are in %, differences in points.
"""

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

LOOKS = (
    (INK, "o", "-"),
    (VERMILLION, "v", "--"),
    (GREEN, "s", "-."),
    (BLUE, "D", "-"),
    (ORANGE, "^", "--"),
    ("#CC79A7", "P", "-."),
    ("#56B4E9", "X", ":"),
)


def edge(narrow: Sequence[Any], wide: Sequence[Any], default: float, my_guess: Any = ...) -> Axes:
    """Draw both rounds' trials (records) over the learning rate, each round's best as a star.

    `my_guess`: by how many points round 1's best beats the default.
    """
    ax = axes(None, 9, 4.4)
    rounds = ((narrow, VERMILLION, "v", 0.94, "round 1"), (wide, BLUE, "o", 1.06, "round 2, wider"))
    best = []
    for records, color, marker, shift, name in rounds:
        rates = np.array([record.config["learning_rate"] for record in records])
        losses = 100 * np.array([record.loss for record in records])
        first = int(np.argmin(losses))
        ax.plot(rates * shift, losses, marker, color=color, alpha=0.6, label=name)
        ax.plot(
            rates[first] * shift,
            losses[first],
            "*",
            color=ORANGE,
            markersize=17,
            markeredgecolor=INK,
            zorder=5,
        )
        best.append((rates[first], losses[first]))
    ax.axhline(default, color=INK, linestyle=":", linewidth=1.5, label="the default")
    guess(ax, ... if my_guess in (None, ...) else default - my_guess)
    ax.set_xscale("log")
    (edge_rate, before), (rate, after) = best
    return finish(
        ax,
        title=f"Round 1's best sits at the edge ({edge_rate:g}); wider, "
        f"{before:.1f} % becomes {after:.1f} %",
        xlabel="learning rate",
        ylabel="validation error, %",
        description=f"Round 1 from 0.03 to 0.3, its best "
        f"at {edge_rate:g}; round 2 from 0.0003, its best at {rate:g}. Default "
        f"{default:.1f} %.",
    )


def importance(
    parts: Mapping[str, Mapping[str, tuple[float, float]]], my_guess: Any = ...
) -> np.ndarray:
    """Draw importances, a panel a space: {panel: {knob: (forest on the study, all configs)}}."""
    figure, panels = plt.subplots(
        1, len(parts), figsize=(9.6, 3.7), dpi=100, sharey=True, layout="constrained"
    )
    tops = []
    for ax, (name, knobs) in zip(panels, parts.items(), strict=True):
        forest, exact = np.array(list(knobs.values())).T
        places = np.arange(len(knobs))
        ax.barh(places, 100 * forest, color=BLUE, alpha=0.7, label="forest, from the study")
        ax.plot(100 * exact, places, "D", color=VERMILLION, label="exact, from all configs")
        ax.set_yticks(places, list(knobs))
        ax.set_ylim(len(knobs) - 0.5, -0.5)
        ax.set_xlim(0, 105)
        tops.append(list(knobs)[int(np.argmax(exact))])
        if ax is panels[-1]:
            guess(ax, my_guess, axis="x")
        finish(
            ax,
            title=name,
            xlabel="importance, % of all",
            ylabel="",
            description="; ".join(
                f"{knob} {100 * f:.0f} %, exact {100 * e:.0f} %" for knob, (f, e) in knobs.items()
            )
            + ".",
        )
        ax.title.set_fontsize(11)
    figure.suptitle(
        f"First {tops[0].replace('_', ' ')}; where it is good, {tops[1].replace('_', ' ')}",
        x=0.01,
        ha="left",
        color=INK,
        fontsize=13,
    )
    return panels


def power(
    seeds: Sequence[int],
    paired: np.ndarray,
    apart: np.ndarray,
    needed: tuple[int, int],
    my_guess: Any = ...,
) -> Axes:
    """Draw the chance to see a difference of a point by seeds, paired and unpaired."""
    ax = axes(None, 9, 4.2)
    ax.plot(seeds, 100 * paired, "-o", color=BLUE, label="paired: same rows, same seed")
    ax.plot(seeds, 100 * apart, "--v", color=VERMILLION, label="unpaired")
    ax.axhline(80, color=FAINT, linewidth=1)
    ax.axvline(needed[0], color=BLUE, linestyle=":", linewidth=1.5)
    ax.axvline(needed[1], color=VERMILLION, linestyle=":", linewidth=1.5)
    guess(ax, my_guess, axis="x")
    ax.set_ylim(0, 103)
    return finish(
        ax,
        title=f"A difference of one point: {needed[0]} paired seeds, or "
        f"{needed[1]} unpaired a side",
        xlabel="seeds for each config",
        ylabel="found in % of studies",
        below=40,
        description=f"Power reaches 80 % at {needed[0]} and {needed[1]} seeds.",
    )


def reruns(times: Sequence[int], regret: np.ndarray, variances: Mapping[str, float]) -> np.ndarray:
    """Draw three deviations, and the chosen config's true error by reruns; regret (2, times)."""
    _, (left, right) = plt.subplots(1, 2, figsize=(9.6, 3.6), dpi=100, layout="constrained")
    names = list(variances)
    left.barh(range(len(names)), list(variances.values()), color=[BLUE, GREEN, ORANGE])
    left.set_yticks(range(len(names)), names)
    left.set_ylim(len(names) - 0.5, -0.5)
    finish(
        left,
        title=f"Largest: {max(variances, key=variances.__getitem__).split(chr(10))[0]}",
        xlabel="standard deviation, points",
        ylabel="",
        description="; ".join(f"{n} {v:.2f}".replace("\n", " ") for n, v in variances.items())
        + ".",
    )
    mean, error = regret
    right.errorbar(times, mean, yerr=2 * error, color=BLUE, marker="o", capsize=3)
    gain = mean[0] - mean[-1]
    finish(
        right,
        title=f"{times[-1]} runs of the best five: {gain:.2f} points better",
        xlabel="trainings of each of the best five",
        ylabel="true error of the choice, %",
        description=f"From {mean[0]:.2f} % to {mean[-1]:.2f} %.",
    )
    return np.array([left, right])


def curves(errors: Mapping[str, np.ndarray], title: str) -> np.ndarray:
    """Draw four curves to be read, (epochs,) each."""
    figure, panels = plt.subplots(
        1, 4, figsize=(10, 2.9), dpi=100, sharey=True, layout="constrained"
    )
    for ax, (name, line) in zip(panels, errors.items(), strict=True):
        ax.plot(np.arange(1, len(line) + 1), line, color=BLUE, linewidth=1.4)
        finish(
            ax,
            title=name,
            xlabel="epoch",
            ylabel="validation error, %" if ax is panels[0] else "",
            description=f"Starts at {line[0]:.0f} %, halfway {line[len(line) // 2]:.0f} %, ends "
            f"at {line[-1]:.0f} %; highest {line.max():.0f} %.",
        )
    figure.suptitle(title, x=0.01, ha="left", color=INK, fontsize=13)
    return panels


def shapes(schedules: Mapping[str, Any]) -> Axes:
    """Draw schedules: share of the peak rate over training."""
    ax = axes(None, 9, 2.6)
    t = np.linspace(0, 1, 201)[:-1]
    for (name, schedule), (color, _, style) in zip(schedules.items(), LOOKS, strict=False):
        ax.plot(100 * t, [schedule(x) for x in t], style, color=color, linewidth=2, label=name)
    return finish(
        ax,
        title="Six ways to spend forty epochs",
        xlabel="training done, %",
        ylabel="share of the peak",
        description=", ".join(schedules) + ".",
    )


def by_rate(
    rates: Sequence[float],
    runs: Mapping[str, np.ndarray],
    *,
    title: str,
    ylabel: str,
    ceiling: float = 30,
    xlabel: str = "peak learning rate",
    my_guess: Any = ...,
) -> Axes:
    """Draw means over seeds by rate, bands of two standard errors; runs: {name: (seeds, rates)}."""
    ax = axes(None, 9, 4.4)
    words = []
    for (name, errors), (color, marker, style) in zip(runs.items(), LOOKS, strict=False):
        mean = errors.mean(axis=0)
        two = 2 * errors.std(axis=0, ddof=1) / len(errors) ** 0.5
        best = int(np.argmin(mean))
        ax.plot(rates, mean, style, marker=marker, color=color, label=name)
        ax.fill_between(rates, mean - two, mean + two, color=color, alpha=0.13, linewidth=0)
        words.append(f"{name}: best {mean[best]:.1f} at {rates[best]:g}")
    ax.set_xscale("log")
    ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
    ax.minorticks_off()
    lowest = min(errors.mean(axis=0).min() for errors in runs.values())
    ax.set_ylim(lowest - 0.05 * (ceiling - lowest), ceiling)
    said(ax, my_guess)
    return finish(ax, title=title, xlabel=xlabel, ylabel=ylabel, description="; ".join(words) + ".")


def widths(
    rates: Sequence[float], units: Sequence[int], losses: np.ndarray, my_guess: Any = ...
) -> Figure:
    """Draw validation losses by rate, a line a width, optimum starred; (seeds, 2, widths,
    rates)."""
    figure, panels = plt.subplots(
        1, 2, figsize=(10, 4.3), dpi=100, sharey=True, layout="constrained"
    )
    mean = losses.mean(axis=0)
    best = np.array(rates)[mean.argmin(axis=2)]  # (2, widths)
    names = ("standard", "μP")
    for ax, lines, name, optimum in zip(panels, mean, names, best, strict=True):
        for line, n, (color, marker, style) in zip(lines, units, LOOKS, strict=False):
            ax.plot(rates, line, style, marker=marker, markersize=4, color=color, label=f"{n}")
            ax.plot(
                rates[line.argmin()],
                line.min(),
                "*",
                color=ORANGE,
                markersize=16,
                markeredgecolor=INK,
                zorder=5,
            )
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.set_ylim(0.8 * mean.min(), 3)
        moved = f"moves from {optimum[0]:.2g} to {optimum[-1]:.2g}"
        stays = f"stays at {np.median(optimum):.2g}"
        span = optimum.max() / optimum.min()
        finish(
            ax,
            title=f"{name}: best rate {moved if span > 4 else stays}",
            xlabel="learning rate (Adam)",
            ylabel="validation loss" if name != "μP" else "",
            description="Best rates: "
            + ", ".join(f"{n} units {rate:.2g}" for n, rate in zip(units, optimum, strict=True))
            + ".",
        )
        ax.title.set_fontsize(11)
    guess(panels[0], my_guess, axis="x")
    return figure


def final(scores: np.ndarray, my_guess: Any = ...) -> Axes:
    """Draw promised and kept scores of default, random search and practice; (splits, 3, 2)."""
    ax = axes(None, 9, 3.4)
    names = ("default", "random search,\nbest of 16", "the practice,\n16 trainings")
    words = []
    for place, name in enumerate(names):
        promised, kept = scores[:, place].T
        for values, color, marker, shift, label in (
            (promised, FAINT, "s", -0.13, "validation score it was chosen by"),
            (kept, BLUE, "o", 0.13, "test score, three new trainings"),
        ):
            ax.plot(
                values,
                np.full(len(values), place + shift),
                marker,
                color=color,
                alpha=0.55,
                markersize=6,
                label=label if place == 0 else None,
            )
            ax.plot(
                [values.mean()] * 2,
                [place + shift - 0.12, place + shift + 0.12],
                color=INK,
                linewidth=2.5,
            )
        words.append(f"{name}: {promised.mean():.2f} promised, {kept.mean():.2f} kept")
    ax.set_yticks(range(3), names)
    ax.set_ylim(2.5, -0.5)
    guess(ax, my_guess, axis="x")
    gain = (scores[:, 2, 1] - scores[:, 1, 1]).mean()
    apart = f"leads random search by {gain:.2f}" if abs(gain) >= 0.01 else "ties with random search"
    return finish(
        ax,
        title=f"Tuning beats the default; practice {apart} over {len(scores)} splits",
        xlabel="average precision (bars: means)",
        ylabel="",
        description="; ".join(words).replace("\n", " ") + ".",
    )


def gain(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Return by how much the lowest mean of `second` lies below that of `first`, (seeds, rates), ±
    2 errors."""
    mine = second[:, int(np.argmin(second.mean(axis=0)))]
    apart = first[:, int(np.argmin(first.mean(axis=0)))] - mine
    return float(apart.mean()), float(2 * apart.std(ddof=1) / len(apart) ** 0.5)


def schedule_title(runs: Mapping[str, np.ndarray]) -> str:
    """Say what the best schedule gains at its own peak, and what a constant rate loses beyond
    its."""
    best = min(runs, key=lambda name: float(runs[name].mean(axis=0).min()))
    points, error = gain(runs["constant"], runs[best])
    return (
        f"At its own best peak {best} gains {points:.1f} ± {error:.1f} points; decay forgives "
        "a peak too high"
    )


def batch_title(runs: Mapping[str, np.ndarray]) -> str:
    """Say what the larger batch costs at the old best rate, and after retuning."""
    small, large, _ = (errors.mean(axis=0) for errors in runs.values())
    old = int(np.argmin(small))
    return (
        f"Batch 160 costs {large[old] - small[old]:.1f} points at the old rate, "
        f"{large.min() - small.min():.1f} after retuning"
    )


def way_title(runs: Mapping[str, np.ndarray]) -> str:
    """Say how low each way gets."""
    lowest = {name: errors.mean(axis=0).min() for name, errors in runs.items()}
    scratch = lowest.pop("scratch")
    return (
        f"From scratch gets {scratch:.1f} % wrong, the best fine-tuning "
        f"{min(lowest.values()):.1f} %"
    )


def by_shift(shifts: Sequence[int], runs: Mapping[str, np.ndarray], my_guess: Any = ...) -> Axes:
    """Draw errors by augmentation for each judge, (seeds, shifts)."""
    ax = axes(None, 9, 3.8)
    best = []
    for (name, errors), (color, marker, style) in zip(runs.items(), LOOKS[2:], strict=False):
        mean = errors.mean(axis=0)
        two = 2 * errors.std(axis=0, ddof=1) / len(errors) ** 0.5
        ax.errorbar(
            shifts,
            mean,
            yerr=two,
            color=color,
            marker=marker,
            linestyle=style,
            capsize=3,
            label=name,
        )
        best.append(shifts[int(mean.argmin())])
    ax.set_xticks(shifts)
    ax.set_ylim(bottom=0)
    guess(ax, my_guess, axis="x")
    return finish(
        ax,
        title=f"Best shift: {best[0]} for digits as they are, {best[1]} for moved ones",
        xlabel="pictures moved in training by up to, pixels",
        ylabel="error, %",
        description=f"Best {best[0]} and {best[1]} pixels.",
    )

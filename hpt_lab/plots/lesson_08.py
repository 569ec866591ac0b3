"""Lesson 08's pictures: races over time, the distance to the line to beat, wrong ways beside right
ones, what to use when.

A race is a `curves.Race`; all but `choices` compute their titles from it. Errors are drawn in
points, 100 times a share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import LogLocator, NullFormatter

from hpt_lab.plots.figure import BLUE, GREEN, INK, VERMILLION, finish, guess
from hpt_lab.plots.race import styles_of

Interval = tuple[float, float, float]  # value, low, high


def short(name: str) -> str:
    """Return a strategy's name as it fits beside an axis."""
    if "twice" in name:
        return "random × 2 (the line)"
    return name.replace("Bayesian optimization", "Bayesian opt.").replace(
        "successive halving", "succ. halving"
    )


def any_time(races: Mapping[str, Any], *, title: str, my_guess: Any = ...) -> np.ndarray:
    """Draw mean validation errors over what was spent, a panel a race, bands of two standard
    errors; return the axes.

    `my_guess`: where on the first panel's horizontal axis.
    """
    figure, panels = plt.subplots(
        1, len(races), figsize=(10.6, 4.9), dpi=100, layout="constrained", squeeze=False
    )
    for ax, (name, race) in zip(panels[0], races.items(), strict=True):
        ends = _curves_of(race, ax)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
        if ax is panels[0][0]:
            guess(ax, my_guess, axis="x")
        unit = "epochs" if race.unit == "epochs" else "seconds, simulated"
        finish(
            ax,
            title=name,
            xlabel=f"spent, {unit}",
            ylabel="validation error, %" if ax is panels[0][0] else "",
            description="Mean errors at the end: "
            + "; ".join(f"{who} {end:.2f} %" for who, end in ends.items())
            + ".",
        )
        ax.get_legend().remove()
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(
        handles,
        [short(label) for label in labels],
        loc="outside lower center",
        ncols=5,
        frameon=False,
        labelcolor=INK,
    )
    figure.suptitle(title, x=0.01, ha="left", color=INK, fontsize=13)
    return panels[0]


def _curves_of(race: Any, ax: Axes) -> dict[str, float]:
    """Draw a race's curves from where every seed has a result; return the errors at the end, in
    %."""
    spent = race.runs[next(iter(race.runs))][0].spent
    ends = {}
    for name, style in styles_of(race.runs).items():
        errors = 100 * np.array([run.losses for run in race.runs[name]])  # (seeds, points)
        known = np.isfinite(errors).all(axis=0)
        mean = errors[:, known].mean(axis=0)
        two = 2 * errors[:, known].std(axis=0, ddof=1) / len(errors) ** 0.5
        ax.fill_between(
            spent[known], mean - two, mean + two, color=style["color"], alpha=0.15, linewidth=0
        )
        ax.plot(spent[known], mean, label=name, markevery=8, **style)
        ends[name] = float(mean[-1])
    return ends


def ahead(races: Mapping[str, Any], *, title: str, my_guess: Any = ...) -> np.ndarray:
    """Draw how many points below the line's error each strategy ends, validation and test; return
    the axes.

    Intervals: 95 % for all comparisons of a panel together. `my_guess`: points, on the first panel.
    """
    figure, panels = plt.subplots(
        1, len(races), figsize=(10.6, 4.5), dpi=100, layout="constrained", sharey=True
    )
    for ax, (name, race) in zip(panels, races.items(), strict=True):
        summary = 100 * race.summary().drop(index=_line(race))
        order = [who for who in races[next(iter(races))].summary().index if who in summary.index]
        for part, down, color, marker in (
            ("ahead", -0.16, BLUE, "D"),
            ("test_ahead", 0.16, VERMILLION, "o"),
        ):
            rows = summary.loc[order]
            ends = [rows[part] - rows[f"{part}_low"], rows[f"{part}_high"] - rows[part]]
            ax.errorbar(
                rows[part],
                np.arange(len(order)) + down,
                xerr=ends,
                color=color,
                marker=marker,
                capsize=3,
                linestyle="none",
                label="validation error" if part == "ahead" else "test error",
            )
        ax.axvline(0, color=INK, linestyle="--", linewidth=1.5)
        if ax is panels[0]:
            guess(ax, my_guess, axis="x")
        ax.set_yticks(range(len(order)), [short(who) for who in order])
        ax.set_ylim(len(order) - 0.5, -0.5)
        told = "; ".join(
            f"{who} {summary['ahead'][who]:+.2f}, {summary['test_ahead'][who]:+.2f}"
            for who in order
        )
        finish(
            ax,
            title=name,
            xlabel="points below random × 2 (right: better)",
            ylabel="",
            below=46,
            description=f"Points ahead of the line in validation and test error: {told}.",
        )
    figure.suptitle(title, x=0.01, ha="left", color=INK, fontsize=13)
    return panels


def _line(race: Any) -> str:
    return next(name for name in race.runs if "twice" in name)


def wrong_then_right(
    wrong: Mapping[str, Interval],
    right: Mapping[str, Interval],
    *,
    titles: tuple[str, str],
    xlabels: tuple[str, str],
    my_guess: Any = ...,
) -> Sequence[Axes]:
    """Draw a comparison as it misleads and as it should have been made, side by side; return both
    axes.

    Each names its entrants: (value, low, high). `my_guess` is drawn on the right.
    """
    height = 1.5 + 0.36 * max(len(wrong), len(right))
    _, panels = plt.subplots(1, 2, figsize=(10.6, height), dpi=100, layout="constrained")
    for ax, rows, title, xlabel, color, marker in zip(
        panels, (wrong, right), titles, xlabels, (VERMILLION, BLUE), "so", strict=True
    ):
        for y, (value, low, high) in enumerate(rows.values()):
            ax.errorbar(
                [value],
                [y],
                xerr=[[value - low], [high - value]],
                color=color,
                marker=marker,
                capsize=3,
            )
        ax.set_yticks(range(len(rows)), [short(name) for name in rows])
        ax.set_ylim(len(rows) - 0.5, -0.5)
        if ax is panels[1]:
            guess(ax, my_guess, axis="x")
        finish(
            ax,
            title=title,
            xlabel=xlabel,
            ylabel="",
            below=46,
            description="; ".join(f"{name} {value:.2f}" for name, (value, _, _) in rows.items())
            + ".",
        )
        ax.title.set_fontsize(11)
    return list(panels)


def evidence(
    points: np.ndarray, told: np.ndarray, *, rows: Sequence[str], columns: Sequence[str], title: str
) -> Axes:
    """Draw what the races say of each strategy (row) in each setting (column), as coloured cells.

    points, (rows, columns): how far below the line's test error. told: 1 better than the line, -1
    worse, 0 not told apart.
    """
    _, ax = plt.subplots(figsize=(10.6, 0.46 * len(rows) + 1.9), dpi=100, layout="constrained")
    colours = {1: GREEN, 0: "white", -1: VERMILLION}
    marks = {1: "▲", 0: "?", -1: "▼"}
    for row, column in np.ndindex(*points.shape):
        says = int(told[row, column])
        ax.fill_between(
            [column - 0.48, column + 0.48],
            row - 0.46,
            row + 0.46,
            color=colours[says],
            alpha=0.35,
            linewidth=0,
        )
        ax.text(
            column,
            row,
            f"{marks[says]} {points[row, column]:+.2f}",
            ha="center",
            va="center",
            color=INK,
            fontsize=10,
        )
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), [short(name) for name in rows])
    ax.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    words = {1: "better", 0: "not told apart", -1: "worse"}
    described = "; ".join(
        f"{name}: " + ", ".join(words[int(says)] for says in line)
        for name, line in zip(rows, told, strict=True)
    )
    return finish(
        ax,
        title=title,
        xlabel="▲ better than random × 2    ▼ worse    ? not told apart    (points of test error)",
        ylabel="",
        description=f"Columns: {', '.join(column.replace(chr(10), ' ') for column in columns)}. "
        f"{described}.",
    )


def choices(questions: Sequence[tuple[str, str, bool]], *, title: str) -> Axes:
    """Draw a decision: a question a row, an arrow to what to do if yes, an arrow down if no.

    questions: (question, what to do, whether this page has numbers for it); without numbers the box
        is dashed.
    """
    _, ax = plt.subplots(figsize=(10.6, 1.15 * len(questions) + 0.6), dpi=100, layout="constrained")
    for row, (question, answer, measured) in enumerate(questions):
        _box(ax, 0.0, row, 3.6, question, color=INK, line="-")
        _box(
            ax,
            4.4,
            row,
            6.2,
            answer,
            color=GREEN if measured else INK,
            line="-" if measured else "--",
        )
        ax.annotate("", (4.35, row), (3.65, row), arrowprops={"arrowstyle": "->", "color": INK})
        ax.text(4.0, row - 0.08, "yes", ha="center", va="bottom", color=INK, fontsize=9.5)
        if row + 1 < len(questions):
            ax.annotate(
                "",
                (1.8, row + 0.64),
                (1.8, row + 0.36),
                arrowprops={"arrowstyle": "->", "color": INK},
            )
            ax.text(1.9, row + 0.5, "no", va="center", color=INK, fontsize=9.5)
    ax.set(xlim=(-0.05, 10.7), ylim=(len(questions) - 0.6, -0.4))
    told = " ".join(
        f"{question} Then: {answer}{'' if measured else ' (no numbers on this page)'}."
        for question, answer, measured in questions
    )
    finish(ax, title=title, xlabel="", ylabel="", description=told.replace("\n", " "))
    ax.set_axis_off()
    return ax


def _box(
    ax: Axes, left: float, row: float, width: float, text: str, *, color: str, line: str
) -> None:
    ax.add_patch(
        FancyBboxPatch(
            (left + 0.08, row - 0.27),
            width - 0.16,
            0.54,
            boxstyle="round,pad=0.06",
            fill=False,
            edgecolor=color,
            linestyle=line,
            linewidth=1.8,
        )
    )
    ax.text(left + width / 2, row, text, ha="center", va="center", color=INK, fontsize=9.5)

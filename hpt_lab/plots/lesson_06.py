"""Pictures of lesson 06: how to split a budget, who is cut, what early ranks know, and what a cut
costs."""

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
    VERMILLION,
    alt,
    axes,
    describe,
    finish,
    guess,
    said,
)

__all__ = [
    "correlations",
    "crossing",
    "ends",
    "fates",
    "gaps",
    "guess",
    "narrow",
    "race",
    "ranks",
    "said",
    "schedules",
    "splits",
]
LOOK = {"digits": (BLUE, "o", ""), "spirals": (VERMILLION, "s", "//")}


def splits(above: Mapping[str, np.ndarray], budgets: Sequence[int], my_epochs: Any = ...) -> Axes:
    """Draw how far above the table's best each split of 405 epochs ends. `above`: points, (budgets,
    draws)."""
    ax = axes(None, 8.6, 3.8)
    words = []
    for name, points in above.items():
        color, marker, _ = LOOK[name]
        mean = points.mean(axis=1)
        bar = 2 * points.std(axis=1) / points.shape[1] ** 0.5
        ax.errorbar(budgets, mean, bar, color=color, marker=marker, label=name, capsize=3)
        words.append(f"{name} " + ", ".join(f"{value:.1f}" for value in mean))
    guess(ax, my_epochs, axis="x")
    ax.set(xscale="log", yscale="log", yticks=[1.5, 3, 6, 12], yticklabels=["1.5", "3", "6", "12"])
    ax.set_xticks(budgets, [f"{405 // r} × {r}" for r in budgets])
    ax.minorticks_off()
    return finish(
        ax,
        title="Both extremes lose: the best way to spend 405 epochs is in between",
        xlabel="configs × epochs each",
        ylabel="points above the table's best",
        below=48,
        description="Two U-shaped lines, points above the best: " + "; ".join(words) + ".",
    )


def crossing(runs: np.ndarray, left_at: np.ndarray, survivor: int, winner: int) -> Axes:
    """Draw 27 curves, blue while alive, grey after their cut. `runs`: errors in %, (27, epochs)."""
    ax = axes(None, 8.6, 4.4)
    epochs = np.arange(1, runs.shape[1] + 1)
    ax.plot(epochs, runs.T, color=FAINT, linewidth=0.6, alpha=0.6)
    for run, left in zip(runs, left_at, strict=True):
        ax.plot(epochs[:left], run[:left], color=BLUE, linewidth=1.1, alpha=0.8)
        if left < len(epochs):
            ax.plot(left, run[left - 1], color=VERMILLION, marker="v")
    ax.plot(epochs, runs[survivor], color=INK, linewidth=2.2, label="survivor")
    ax.plot(epochs, runs[winner], "--", color=GREEN, linewidth=2.2, label="best after 81 epochs")
    ax.plot(
        left_at[winner], runs[winner, left_at[winner] - 1], color=GREEN, marker="v", markersize=12
    )
    ax.plot([], [], color=BLUE, label="still alive")
    ax.plot([], [], color=VERMILLION, marker="v", linestyle="none", label="cut")
    ax.plot([], [], color=FAINT, label="after the cut")
    ax.set(xscale="log", ylim=(18, 62))
    ax.set_xticks([1, 3, 9, 27, 81], ["1", "3", "9", "27", "81"])
    ax.minorticks_off()
    lost = runs[survivor, -1] - runs[winner, -1]
    return finish(
        ax,
        title=f"The best is cut after epoch {left_at[winner]}; "
        f"the survivor ends {lost:.1f} points above it",
        xlabel="epochs",
        ylabel="validation error, %",
        below=48,
        description="27 learning curves that cross; grey where a cut trial would have gone.",
    )


def ends(rungs: Mapping[str, tuple[float, float]], my_wrong: Any = ...) -> Axes:
    """Draw, for each rung, how the best of those that went on and the best of the cut end."""
    ax = axes(None, 8.6, 3.6)
    heights = np.arange(len(rungs))
    on, cut = np.array(list(rungs.values())).T
    ax.hlines(heights, on, cut, color=FAINT, linewidth=2)
    ax.plot(on, heights, "o", color=BLUE, label="best that went on")
    ax.plot(cut, heights, "v", color=VERMILLION, markersize=8, label="best that was cut")
    ax.set_yticks(heights, list(rungs))
    ax.invert_yaxis()
    said(ax, my_wrong)
    wrong = int((cut < on).sum())
    return finish(
        ax,
        title=f"In {wrong} of {len(rungs)} rungs a better one was cut",
        xlabel="loss after 27 epochs, trained on by us",
        ylabel="",
        below=48,
        description=f"In {len(rungs) - wrong} rungs the best that went on ends lower.",
    )


def ranks(early: np.ndarray, late: np.ndarray, spearman: Mapping[str, float]) -> Figure:
    """Draw runs by their early and late rank. `early`: {title: ranks}, stacked, (2, n); `late`:
    (n,)."""
    fig, panels = plt.subplots(1, 2, figsize=(8.6, 3.8), dpi=100, layout="constrained", sharey=True)
    for ax, places, (title, value) in zip(panels, early, spearman.items(), strict=True):
        ax.plot(places, late, "o", color=BLUE)
        ax.plot([0, len(late)], [0, len(late)], color=FAINT, zorder=0)
        finish(
            ax,
            title=f"{title}: rank correlation {value:.2f}",
            xlabel="rank then (1 is best)",
            ylabel="rank after 81 epochs" if ax is panels[0] else "",
            description=f"{len(late)} dots around the diagonal.",
        )
    return fig


def correlations(
    lines: Mapping[str, Mapping[str, Sequence[float]]], rungs: Sequence[int]
) -> Figure:
    """Draw rank correlation with the end by rung. `lines`: {problem: {what: one value a rung}}."""
    fig, panels = plt.subplots(1, 2, figsize=(9.4, 3.9), dpi=100, layout="constrained", sharey=True)
    styles = [(BLUE, "o", "-"), (VERMILLION, "s", "-"), (VERMILLION, "s", "--")]
    for ax, (name, found) in zip(panels, lines.items(), strict=True):
        for (what, line), (color, marker, style) in zip(found.items(), styles, strict=True):
            ax.plot(range(len(rungs)), line, style, color=color, marker=marker, label=what)
        ax.set_xticks(range(len(rungs)), [str(rung) for rung in rungs])
        ax.set_ylim(0, 1.03)
        told = "; ".join(
            f"{what} " + ", ".join(f"{v:.2f}" for v in line) for what, line in found.items()
        )
        finish(
            ax,
            title=name,
            xlabel="epochs seen",
            below=48,
            ylabel="rank correlation with epoch 81" if ax is panels[0] else "",
            description=told + ".",
        )
        ax.get_legend().remove()
    fig.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
    )
    fig.suptitle("Early ranks sort coarsely; fine order comes late", x=0.01, ha="left", color=INK)
    return fig


def fates(share: Mapping[str, Any], my_survival: Any = ...) -> Axes:
    """Draw where the best of 81 was cut. `share`: {problem: per cent of brackets, indexed by
    rung}."""
    ax = axes(None, 8.6, 3.4)
    for name, at in (("digits", -0.2), ("spirals", 0.2)):
        color, _, hatch = LOOK[name]
        ax.bar(
            np.arange(5) + at, share[name], 0.38, color=color, hatch=hatch, ec="white", label=name
        )
    guess(ax, my_survival)
    ax.set_xticks(range(5), ["cut at 1", "at 3", "at 9", "at 27 epochs", "survives"])
    lost = {name: 100 - part["survives"] for name, part in share.items()}
    told = "; ".join(
        f"{name} " + ", ".join(f"{value:.0f}" for value in part) for name, part in share.items()
    )
    return finish(
        ax,
        title=f"The best of 81 is cut in {lost['digits']:.0f} % (digits) and "
        f"{lost['spirals']:.0f} % (spirals) of brackets",
        xlabel="what became of it",
        ylabel="% of 1,000 brackets",
        below=48,
        description=f"Bars from cut at 1 to survives: {told} per cent.",
    )


def gaps(found: Mapping[str, Any]) -> Figure:
    """Draw mean points above the best of 81: halving's survivor against five full trainings, both
    parts."""
    fig, panels = plt.subplots(1, 2, figsize=(9.0, 3.6), dpi=100, layout="constrained")
    bars = {
        "halving": ("gap", "test_gap", BLUE, ""),
        "five in full": ("in_full", "full_test", FAINT, "//"),
    }
    for ax, (name, bracket) in zip(panels, found.items(), strict=True):
        words = []
        for at, (who, (validation, test, color, hatch)) in zip(
            (-0.2, 0.2), bars.items(), strict=True
        ):
            both = 100 * bracket[[validation, test]]
            error = 2 * both.std() / len(both) ** 0.5
            ax.bar(
                np.arange(2) + at,
                both.mean(),
                0.38,
                yerr=error,
                color=color,
                hatch=hatch,
                ec=INK,
                capsize=4,
                label=who,
            )
            words.append(f"{who} {both.mean().iloc[0]:.2f} and {both.mean().iloc[1]:.2f}")
        ax.set_xticks([0, 1], ["validation error", "test error"])
        finish(
            ax,
            title=name,
            xlabel="",
            ylabel="points above the best of 81" if ax is panels[0] else "",
            description="; ".join(words) + " points.",
        )
    fig.suptitle(
        "For the same 405 epochs, halving's survivor ends nearer to the best",
        x=0.01,
        ha="left",
        color=INK,
    )
    return fig


def schedules(losses: np.ndarray, names: Sequence[str]) -> Figure:
    """Draw two constant rates against a schedule, once a panel. `losses`: (rates, seeds,
    epochs)."""
    fig, panels = plt.subplots(1, 2, figsize=(9.8, 4.0), dpi=100, layout="constrained", sharey=True)
    middle = np.median(losses, axis=1)
    for ax, i in zip(panels, (2, 3), strict=True):
        for j, (color, style) in zip(
            (0, 1, i), ((BLUE, "-"), (GREEN, "--"), (VERMILLION, "-.")), strict=True
        ):
            low, high = np.quantile(losses[j], [0.25, 0.75], axis=0)
            ax.plot(range(1, 28), middle[j], style, color=color, label=names[j])
            ax.fill_between(range(1, 28), low, high, color=color, alpha=0.2, linewidth=0)
        ax.axvline(9, color=FAINT, linewidth=1)
        ax.set_xscale("log")
        ax.set_xticks([1, 3, 9, 27], ["1", "3", "9", "27"])
        ax.minorticks_off()
        place = [
            ["first", "second", "last"][(middle[:2, at] < middle[i, at]).sum()] for at in (8, 26)
        ]
        finish(
            ax,
            title=f"{names[i]}: {place[0]} at 9, {place[1]} at 27",
            below=48,
            xlabel="epochs (grey line: the rung)",
            ylabel="validation loss (median, quartiles)" if ax is panels[0] else "",
            description="Medians at 9 and 27: "
            + ", ".join(f"{names[j]} {middle[j, 8]:.2f} and {middle[j, 26]:.2f}" for j in (0, 1, i))
            + ".",
        )
    return fig


def race(errors: Mapping[tuple[str, str], np.ndarray], names: Sequence[str]) -> Figure:
    """Draw mean validation and test error with two standard errors. `errors`: per cent,
    (strategies, seeds)."""
    fig, panels = plt.subplots(1, 2, figsize=(9.4, 3.8), dpi=100, layout="constrained", sharey=True)
    for ax, name in zip(panels, LOOK, strict=True):
        words = []
        for part, down, color, face in (
            ("validation", 0, BLUE, BLUE),
            ("test", 0.2, VERMILLION, "white"),
        ):
            found = errors[name, part]
            ax.errorbar(
                found.mean(axis=1),
                -np.arange(len(names)) - down,
                xerr=2 * found.std(axis=1, ddof=1) / found.shape[1] ** 0.5,
                color=color,
                mfc=face,
                marker="o" if down else "D",
                capsize=3,
                linestyle="none",
                label=f"{part} error",
            )
            words.append(f"{part} " + ", ".join(f"{value:.2f}" for value in found.mean(axis=1)))
        ax.set_yticks(-np.arange(len(names)) - 0.1, list(names))
        finish(
            ax,
            title=name,
            xlabel="error, % (mean, two standard errors)",
            ylabel="",
            below=48,
            description="; ".join(words) + " per cent.",
        )
    fig.suptitle(
        "On spirals daring pays; on digits only the validation error says so",
        x=0.01,
        ha="left",
        color=INK,
    )
    alt(
        fig,
        f"On spirals daring pays; on digits only the validation error says so. {', '.join(names)}. "
        + " ".join(describe(ax) for ax in panels),
    )
    return fig


def narrow(gap: np.ndarray, names: Sequence[str]) -> Axes:
    """Draw points behind random search, validation and test. `gap`: (seeds, winners, 2), in
    points."""
    ax = axes(None, 8.6, 3.2)
    error = 2 * gap.std(axis=0, ddof=1) / len(gap) ** 0.5
    mean = gap.mean(axis=0)
    for part, down, color, marker in (("validation", 0, BLUE, "D"), ("test", 0.2, VERMILLION, "o")):
        column = int(down > 0)
        ax.errorbar(
            mean[:, column],
            -np.arange(len(names)) - down,
            xerr=error[:, column],
            color=color,
            marker=marker,
            capsize=3,
            linestyle="none",
            label=f"{part} error",
        )
    ax.axvline(0, color=INK, linewidth=1)
    ax.set_yticks(-np.arange(len(names)) - 0.1, list(names))
    told = "; ".join(
        f"{name} {v:+.2f} and {t:+.2f}" for name, (v, t) in zip(names, mean, strict=True)
    )
    return finish(
        ax,
        title="Used as it is, Hyperband's winner promises more and delivers less",
        xlabel="points of error more than random search (mean, two standard errors)",
        ylabel="",
        below=48,
        description=f"Validation and test: {told} points.",
    )

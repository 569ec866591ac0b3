"""The pictures of lesson 05: what a Gaussian process believes, what each rule makes of it, races,
ratios, failures.

Every function takes arrays that the lesson computed, draws, and returns axes. Read `belief` first:
most are made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from hpt_lab.plots.figure import BLUE, FAINT, GREEN, INK, ORANGE, VERMILLION, axes, finish, guess

STYLES = (
    (FAINT, ":", "x"),
    (INK, "--", "s"),
    (GREEN, "-.", "^"),
    (BLUE, "-", "o"),
    (VERMILLION, "--", "D"),
)
AT_RANDOM = "#777777"


def panels(columns: int, width: float = 10.4, height: float = 3.9, rows: int = 1) -> list[Axes]:
    """Return the axes of a new figure of `rows` by `columns`, in reading order."""
    _, grid = plt.subplots(
        rows, columns, figsize=(width, height), dpi=100, layout="constrained", squeeze=False
    )
    return list(grid.flat)


def headline(ax: Axes, text: str) -> None:
    """Write a finding above all panels."""
    ax.figure.suptitle(text, x=0.01, ha="left", color=INK, fontsize=13)


def belief(
    ax: Axes,
    z: np.ndarray,
    mean: np.ndarray,
    std: np.ndarray,
    X: np.ndarray,
    y: np.ndarray,
    *,
    truth: np.ndarray | None = None,
) -> None:
    """Draw a posterior on `ax`: the band of two deviations, the mean, the results, and the truth if
    it is known."""
    ax.fill_between(
        z,
        mean - 2 * std,
        mean + 2 * std,
        color=BLUE,
        alpha=0.18,
        linewidth=0,
        label="mean ± 2 deviations",
    )
    ax.plot(z, mean, color=BLUE, linewidth=1.8, label="posterior mean")
    if truth is not None:
        ax.plot(z, truth, "--", color=INK, linewidth=1.1, label="the truth")
    ax.plot(X, y, "o", color=INK, markersize=6, label="results")


def inside(mean: np.ndarray, std: np.ndarray, truth: np.ndarray) -> float:
    """Return the share of the axis on which the truth lies within two deviations."""
    return float((np.abs(truth - mean) <= 2 * std).mean())


def prior_and_posterior(
    z: np.ndarray,
    prior: np.ndarray,
    after: np.ndarray,
    mean: np.ndarray,
    std: np.ndarray,
    X: np.ndarray,
    y: np.ndarray,
) -> Axes:
    """Draw functions from the prior, (k, m), and from the posterior, beside each other."""
    left, right = panels(2)
    left.fill_between(z, -2, 2, color=BLUE, alpha=0.18, linewidth=0)
    belief(right, z, mean, std, X, y)
    for ax, draws in ((left, prior), (right, after)):
        ax.plot(z, draws.T, color=VERMILLION, linewidth=0.9, alpha=0.8)
        ax.set_ylim(-3, 3)
    right.plot([], [], color=VERMILLION, label="draws")
    finish(
        left,
        title=f"Before: {len(prior)} draws, all over the band",
        xlabel="the knob",
        ylabel="loss, standardised",
        description=f"{len(prior)} smooth random curves within a band of two deviations.",
    )
    ends = 2 * std[[0, len(std) // 2]]
    return finish(
        right,
        title=f"After: all go through both; ± {ends[1]:.1f} between them",
        xlabel="the knob",
        ylabel="",
        description=f"The curves pass through {len(X)} results; the band is {ends[0]:.2f} wide at "
        "the left end.",
    )


def length_scales(
    z: np.ndarray,
    fits: Mapping[float, tuple[np.ndarray, np.ndarray]],
    X: np.ndarray,
    y: np.ndarray,
    truth: np.ndarray,
    evidence: tuple[np.ndarray, np.ndarray],
) -> Axes:
    """Draw the same results believed with three lengths, and the log likelihood of each length,
    `evidence`."""
    *left, last = panels(len(fits) + 1, width=12.5, height=3.6)
    for ax, (length, (mean, std)) in zip(left, fits.items(), strict=True):
        belief(ax, z, mean, std, X, y, truth=truth)
        ax.set_ylim(-3.2, 3.2)
        share = inside(mean, std, truth)
        finish(
            ax,
            title=f"length {length:g}: {share:.0%} inside",
            xlabel="the knob",
            ylabel="loss" if ax is left[0] else "",
            description=f"The truth lies inside the band on {share:.0%} of the axis.",
        )
        ax.legend().remove()
    lengths, values = evidence
    best = int(values.argmax())
    last.plot(lengths, values, color=BLUE)
    last.plot(lengths[best], values[best], "*", color=ORANGE, markersize=16, markeredgecolor=INK)
    last.set(xscale="log", ylim=(values.max() - 25, values.max() + 2))
    finish(
        last,
        title=f"likeliest: {lengths[best]:.2f}",
        xlabel="length scale",
        ylabel="log marginal likelihood",
        description=f"One peak, at {lengths[best]:.2f}.",
    )
    headline(
        last,
        "Too short forgets, too long is sure and wrong; the likelihood picks between (dashed: the "
        "truth)",
    )
    return last


def improvement(
    z: np.ndarray,
    mean: np.ndarray,
    std: np.ndarray,
    X: np.ndarray,
    y: np.ndarray,
    best: float,
    worth: np.ndarray,
    guessed: Any = None,
) -> Axes:
    """Draw a posterior with the density of the loss at three points, its part below `best` filled,
    and EI below."""
    top, bottom = panels(1, width=9, height=6, rows=2)
    belief(top, z, mean, std, X, y)
    top.axhline(best, color=INK, linewidth=1, linestyle=":", label="best so far")
    at = int(worth.argmax())
    losses = np.linspace(-3, 3, 400)
    for i in (at, len(z) // 2, int(0.9 * len(z))):
        density = np.exp(-0.5 * ((losses - mean[i]) / std[i]) ** 2) / std[i]
        reach = z[i] + 0.06 * density / density.max()
        top.plot(reach, losses, color=VERMILLION, linewidth=1)
        top.fill_betweenx(losses, z[i], reach, where=losses < best, color=VERMILLION, alpha=0.6)
    bottom.plot(z, worth, color=GREEN, label="expected improvement")
    bottom.plot(
        z[at],
        worth[at],
        "*",
        color=ORANGE,
        markersize=16,
        markeredgecolor=INK,
        label="the next trial",
    )
    guess(bottom, guessed, axis="x")
    top.set_ylim(-3, 3)
    finish(
        top,
        title="Only what lies below the best so far counts (red)",
        xlabel="",
        ylabel="loss, standardised",
        description="At three places the normal density of the loss, filled below the best result.",
        below=24,
    )
    title = f"Next: {z[at]:.2f}, beside the best result at {X[y.argmin()]:.2f} but not onto it"
    return finish(
        bottom,
        title=title,
        xlabel="the knob",
        ylabel="EI",
        description=f"Expected improvement has its top at {z[at]:.2f}.",
    )


def misled(z: np.ndarray, cases: Mapping[str, Mapping[str, Any]]) -> Axes:
    """Draw four pictures: a belief, the truth, the rule's pick, and a title that says how it
    misleads.

    cases: by title, with mean, std, X, y, truth, and `pick`, a knob or several.
    """
    drawn = panels(2, width=10.4, height=7, rows=2)
    for ax, (title, case) in zip(drawn, cases.items(), strict=True):
        belief(ax, z, case["mean"], case["std"], case["X"], case["y"], truth=case["truth"])
        picks = np.atleast_1d(case["pick"])
        for pick in picks:
            ax.axvline(
                pick, color=VERMILLION, linewidth=1.2 if len(picks) == 1 else 0.4, linestyle="--"
            )
        ax.plot(
            picks,
            np.full(len(picks), -2.7),
            "^",
            color=VERMILLION,
            markeredgecolor=INK,
            label="the rule's pick",
        )
        ax.set_ylim(-3.1, 3.1)
        finish(
            ax,
            title=title,
            xlabel="the knob",
            ylabel="loss, standardised",
            description=f"The rule picks {picks.min():.2f} to {picks.max():.2f}.",
        )
        ax.title.set_fontsize(11.5)
        if ax is not drawn[2]:
            ax.legend().remove()
    return drawn[0]


def race(
    curves: Mapping[str, np.ndarray],
    *,
    title: str,
    ylabel: str,
    ax: Axes | None = None,
    log: bool = False,
    guessed: Any = None,
) -> Axes:
    """Draw medians and quartiles of (seeds, trials) curves, best so far."""
    ax = axes(ax, height=4.2)
    said = []
    for (name, values), (color, line, marker) in zip(
        curves.items(), STYLES[-len(curves) :], strict=True
    ):
        trials = np.arange(1, values.shape[1] + 1)
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
        shade = AT_RANDOM if color == FAINT else color
        ax.plot(
            trials, middle, line, color=shade, label=name, marker=marker, markevery=5, markersize=5
        )
        ax.fill_between(trials, low, high, color=shade, alpha=0.12, linewidth=0)
        said.append(f"{name} {middle[-1]:.2g}")
    guess(ax, guessed, axis="x")
    if log:
        ax.set_yscale("log")
    return finish(
        ax,
        title=title,
        xlabel="trials",
        ylabel=ylabel,
        description=f"Medians and quartiles over {len(values)} seeds; at the end "
        f"{', '.join(said)}.",
    )


def densities(
    z: np.ndarray, good: np.ndarray, bad: np.ndarray, X: np.ndarray, losses: np.ndarray, n_good: int
) -> Axes:
    """Draw TPE's two densities on one knob with the trials they came from, and their ratio."""
    order = np.argsort(losses, kind="stable")
    top, bottom = panels(1, width=9, height=5.4, rows=2)
    top.plot(z, good, color=GREEN, label="l: density of the good")
    top.plot(z, bad, "--", color=VERMILLION, label="g: density of the rest")
    top.plot(
        X[order[:n_good]], np.full(n_good, -0.15), "^", color=GREEN, label=f"the best {n_good}"
    )
    top.plot(
        X[order[n_good:]],
        np.full(len(X) - n_good, -0.35),
        "v",
        color=VERMILLION,
        label=f"the other {len(X) - n_good}",
    )
    ratio = good / bad
    at = int(ratio.argmax())
    bottom.plot(z, ratio, color=BLUE, label="l / g")
    bottom.plot(z[at], ratio[at], "*", color=ORANGE, markersize=16, markeredgecolor=INK)
    finish(
        top,
        title=f"Two densities, fitted to {len(X)} trials",
        xlabel="",
        ylabel="density",
        below=24,
        description="The good trials crowd, the others are spread.",
    )
    finish(
        bottom,
        title=f"Their ratio is highest at {z[at]:.2f}: likely among the good, unlikely among the "
        "rest",
        xlabel="the knob",
        ylabel="l / g",
        description=f"One hump with its top at {z[at]:.2f}.",
    )
    bottom.legend().remove()
    return bottom


def blindness(
    ratios: Mapping[str, np.ndarray],
    X: np.ndarray,
    n_good: int,
    order: np.ndarray,
    means: Sequence[float],
) -> Axes:
    """Draw ratios over the plane, (n * n,) each, with the trials; the valley is the diagonal."""
    drawn = panels(len(ratios), height=4.6)
    for ax, (name, ratio), mean in zip(drawn, ratios.items(), means, strict=True):
        n = round(len(ratio) ** 0.5)
        ax.imshow(
            np.log(ratio).reshape(n, n),
            origin="lower",
            extent=(0, 1, 0, 1),
            cmap="cividis",
            aspect="equal",
        )
        ax.plot([0, 1], [0, 1], "--", color="white", linewidth=1, label="the valley")
        ax.plot(*X[order[n_good:]].T, "v", color=VERMILLION, markersize=4, label="the rest")
        ax.plot(
            *X[order[:n_good]].T,
            "^",
            color="white",
            markeredgecolor=INK,
            markersize=8,
            label="the good",
        )
        finish(
            ax,
            title=f"{name}: {mean:.2f} off the valley",
            xlabel="one knob",
            ylabel="the other",
            description="Log ratio of the densities as brightness.",
        )
        frame = ax.get_legend()
        if frame is not None:  # white markers need a darker ground
            frame.get_frame().set(facecolor="#dddddd", alpha=1)
            frame.set_frame_on(True)
    headline(drawn[0], "Bright is promising. A ratio per knob can't see that the knobs must agree")
    return drawn[0]


def bars(
    values: Mapping[str, np.ndarray],
    *,
    title: str,
    xlabel: str,
    ax: Axes | None = None,
    log: bool = False,
) -> Axes:
    """Draw the mean of each row of numbers, (seeds,), with a 95 % interval (two standard errors),
    one below the other."""
    ax = axes(ax, height=0.5 * len(values) + 1.6)
    said = []
    for place, (name, row) in enumerate(values.items()):
        middle, error = row.mean(), 2 * row.std(ddof=1) / len(row) ** 0.5
        low = min(error, 0.95 * middle) if log else error
        ax.errorbar(
            middle, -place, xerr=[[low], [error]], color=INK, marker="o", mfc=BLUE, capsize=3
        )
        said.append(f"{name}: {middle:.3g} ± {error:.2g}")
    ax.set_yticks([-place for place in range(len(values))], list(values))
    ax.set_ylim(-len(values) + 0.4, 0.6)
    if log:
        ax.set_xscale("log")
    else:
        ax.axvline(0, color=FAINT, linewidth=1)
    return finish(ax, title=title, xlabel=xlabel, ylabel="", description=f"{'; '.join(said)}.")


def cost(n: np.ndarray, seconds: np.ndarray) -> Axes:
    """Draw measured seconds against the number of trials, with a line of slope 3, both axes
    logarithmic."""
    ax = axes(None, height=3.8)
    ax.loglog(n, seconds, "o-", color=BLUE, label="measured here")
    ax.loglog(n, seconds[-1] * (n / n[-1]) ** 3.0, "--", color=AT_RANDOM, label="n³")
    ax.set_xticks(n, [f"{value:g}" for value in n])
    ax.minorticks_off()
    return finish(
        ax,
        title="Twice the trials, up to eight times the work",
        xlabel="trials seen",
        below=42,
        ylabel="seconds for one likelihood",
        description="The measured line approaches the slope of n cubed.",
    )

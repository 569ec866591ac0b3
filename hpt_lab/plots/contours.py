"""The loss in the plane of two dimensions, with level lines between the trials."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.tri import Triangulation

from hpt_lab.domains import Choice, Domain
from hpt_lab.errors import HptError
from hpt_lab.evidence import say
from hpt_lab.history import Record
from hpt_lab.plots.dimensions import (
    active,
    axis_label,
    check_dimension,
    drawn,
    dress,
    place,
    spread,
)
from hpt_lab.plots.figure import BEST, FAILED, INK, VERMILLION, axes, count, finish
from hpt_lab.space import Space

FEWEST = 4  # points that level lines are drawn through


def contour(
    study: Any, x: str, y: str, *, space: Space | None = None, ax: Axes | None = None
) -> Axes:
    """Draw the trials in the plane of two dimensions, coloured by loss; return the axes.

    Lines join points of equal loss, interpolated linearly between neighbouring trials; with a
    Choice among the two, or fewer than four places, there are points only. Failed trials are black
    crosses. `space` is needed with a bare History.

    Caveat: between the points nothing was measured. Lines follow single, noisy losses, whatever the
    other dimensions were; where trials are sparse the picture is invention.
    """
    shown = drawn(study, space)
    first = shown.space[check_dimension(x, shown.space, "x")]
    second = shown.space[check_dimension(y, shown.space, "y")]
    if x == y:
        raise HptError(
            f"x and y must be two dimensions, got {x!r} twice; try plots.slice(study, {x!r})"
        )
    here = active(shown.good, x, y)
    ax = axes(ax, width=8.0, height=6.0)
    dress(ax, first, "x")
    dress(ax, second, "y")
    if here:
        _plane(ax, (first, second), (x, y), here)
    broken = active(shown.failed, x, y)
    if broken:
        ax.plot(
            [place(first, r.config[x]) for r in broken],
            [place(second, r.config[y]) for r in broken],
            linestyle="none",
            label=f"failed ({len(broken)})",
            **FAILED,
        )
    title = f"No trial with {x} and {y} has a loss"
    if here:
        best = here[0]
        where = " and ".join(f"{name} = {say(best.config[name])}" for name in (x, y))
        title = f"The best loss, {best.loss:.3g}, at {where}"
    return finish(
        ax,
        title=title,
        xlabel=axis_label(x, first),
        ylabel=axis_label(y, second),
        description=f"{count(len(here), 'trial')} by {x} and {y}, coloured by loss; "
        f"{len(broken)} failed.",
    )


def _plane(
    ax: Axes, domains: tuple[Domain, Domain], names: tuple[str, str], records: list[Record]
) -> None:
    xs = np.array([spread(domains[0], record, names[0]) for record in records])
    ys = np.array([spread(domains[1], record, names[1]) for record in records])
    losses = np.array([record.loss for record in records])
    spans = 0 < 10 * losses.min() <= losses.max()
    norm = (LogNorm if spans else Normalize)(losses.min(), losses.max())
    numeric = not any(isinstance(domain, Choice) for domain in domains)
    units = [
        [domain.place_of(record.config[name]) for domain, name in zip(domains, names, strict=True)]
        for record in records
    ]
    apart = np.unique(np.array(units), axis=0)
    if (
        numeric
        and len(apart) >= FEWEST
        and np.linalg.matrix_rank(apart - apart.mean(axis=0), tol=1e-6) == 2
    ):
        levels = (
            np.geomspace(losses.min(), losses.max(), 9)
            if spans
            else np.linspace(losses.min(), losses.max(), 9)
        )
        if levels[-1] > levels[0]:
            _levels(ax, np.array(units), (xs, ys), losses, levels, norm)
    dots = ax.scatter(
        xs, ys, c=losses, cmap="cividis", norm=norm, s=46, edgecolors=INK, linewidths=0.6, zorder=3
    )
    ax.plot(
        xs[0], ys[0], linestyle="none", zorder=5, label=f"best: trial {records[0].trial.id}", **BEST
    )
    bar = ax.figure.figure.colorbar(dots, ax=ax, pad=0.02)  # type: ignore[union-attr]
    bar.set_label("loss (darker: better)", color=INK, fontsize=11)
    bar.ax.tick_params(which="both", colors=INK, labelsize=10)


def _levels(
    ax: Axes,
    units: np.ndarray,
    at: tuple[np.ndarray, np.ndarray],
    losses: np.ndarray,
    levels: np.ndarray,
    norm: Normalize,
) -> None:
    """Fill between level lines: neighbours are those of the unit square, where scales are alike."""
    _, first = np.unique(units, axis=0, return_index=True)
    mesh = Triangulation(units[first, 0], units[first, 1])
    drawn_mesh = Triangulation(at[0][first], at[1][first], mesh.triangles)
    ax.tricontourf(drawn_mesh, losses[first], levels=levels, cmap="cividis", norm=norm, alpha=0.45)
    ax.tricontour(
        drawn_mesh, losses[first], levels=levels, colors=VERMILLION, linewidths=0.5, alpha=0.6
    )

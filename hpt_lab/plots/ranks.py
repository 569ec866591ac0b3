"""The ranks of the trials in the plane of two dimensions: where the good ones lie."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes

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
from hpt_lab.plots.figure import BEST, FAILED, INK, axes, count, finish
from hpt_lab.space import Space


def rank(study: Any, x: str, y: str, *, space: Space | None = None, ax: Axes | None = None) -> Axes:
    """Draw the trials in the plane of two dimensions, coloured by rank, 1 the best.

    Unlike `contour` it fills nothing in, and one huge loss doesn't flatten all others. Failed
    trials are black crosses. `space` is needed with a bare History.

    Caveat: a rank hides how far apart losses are: the first and the tenth may differ by less than
    another seed would change. Trials of different budgets are ranked together, by their last loss.
    """
    shown = drawn(study, space)
    first = shown.space[check_dimension(x, shown.space, "x")]
    second = shown.space[check_dimension(y, shown.space, "y")]
    if x == y:
        raise HptError(f"x and y must be two dimensions, got {x!r} twice")
    here = active(shown.good, x, y)
    broken = active(shown.failed, x, y)
    ax = axes(ax, width=8.0, height=6.0)
    dress(ax, first, "x")
    dress(ax, second, "y")
    title = f"No trial with {x} and {y} has a loss"
    if here:
        _dots(ax, [spread(first, r, x) for r in here], [spread(second, r, y) for r in here])
        top = here[: max(1, len(here) // 4)]
        where = " and ".join(_range(top, name, shown.space[name]) for name in (x, y))
        title = f"The best {len(top)} of {count(len(here), 'trial')}: {where}"
        ax.plot([], [], linestyle="none", label=f"best: trial {here[0].trial.id}", **BEST)
    if broken:
        xs = [place(first, record.config[x]) for record in broken]
        ys = [place(second, record.config[y]) for record in broken]
        ax.plot(xs, ys, linestyle="none", label=f"failed ({len(broken)})", **FAILED)
    return finish(
        ax,
        title=title,
        xlabel=axis_label(x, first),
        ylabel=axis_label(y, second),
        description=f"{count(len(here), 'trial')} coloured by rank; {len(broken)} failed.",
    )


def _dots(ax: Axes, xs: list[float], ys: list[float]) -> None:
    """Draw the dots, best first, and a bar that says which colour is which rank."""
    ranks = range(1, len(xs) + 1)
    dots = ax.scatter(xs, ys, c=list(ranks), cmap="cividis", s=52, edgecolors=INK, linewidths=0.6)
    ax.plot(xs[0], ys[0], linestyle="none", zorder=5, **BEST)
    bar = ax.figure.figure.colorbar(dots, ax=ax, pad=0.02)  # type: ignore[union-attr]
    bar.set_label("rank (1: the best)", color=INK, fontsize=11)
    bar.ax.tick_params(which="both", colors=INK, labelsize=10)
    bar.ax.invert_yaxis()


def _range(records: list[Record], name: str, domain: Domain) -> str:
    values = [record.config[name] for record in records]
    if isinstance(domain, Choice) and domain.ordered:
        values.sort(key=domain.place_of)
        return f"{name} {say(values[0])} to {say(values[-1])}"
    if isinstance(domain, Choice):
        chosen = [value for value in domain.values if value in values]
        return f"{name} {' or '.join(map(say, chosen))}"
    return f"{name} {say(min(values))} to {say(max(values))}"

"""Parallel coordinates: every config as a line across the dimensions of the space, ending at its
loss."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator

from hpt_lab.arguments import show
from hpt_lab.errors import HptError, SpaceError
from hpt_lab.history import Record
from hpt_lab.plots.figure import BEST, FAILED, INK, axes, count, finish, finished
from hpt_lab.space import Choice, Domain, Float, Int, Space

ABSENT, FAIL = -0.13, 1.12  # heights of the places for an inactive dimension and for a failed trial


def parallel_coordinates(study: Any, *, space: Space | None = None, ax: Axes | None = None) -> Axes:
    """Draw one line per trial across the space's dimensions to its loss (the last it reported);
    return the axes.

    Each dimension has its own scale, logarithmic if the space's is; a dimension that a config lacks
    is passed at "absent". Losses are coloured by rank, better is darker, and the best comes on top.
    Failed trials are dotted. `space` is needed with a bare History. Raises HptError if no trial has
    finished.
    """
    past = finished(study)
    space = space or getattr(getattr(study, "strategy", None), "space", None)
    if space is not None and not isinstance(space, Space):
        raise HptError(f"space must be a Space, got {show(space)}")
    if space is None:
        raise HptError(
            "space must be given when study is a History; pass parallel_coordinates(history, "
            "space=space)"
        )
    for record in past.records:
        space.check(record.config)
    last = {record.trial.id: record for record in past.records}
    if past.best:
        last[past.best.trial.id] = past.best
    ranked = sorted(last.values(), key=lambda record: (record.outcome.rank_loss, record.trial.id))
    good = [record for record in ranked if not record.outcome.failed]
    losses = [record.loss for record in good] or [0.0]
    log = 0 < 10 * min(losses) <= max(losses)
    rail = _rail(min(losses), max(losses), log)  # the losses' own scale
    ax = axes(ax, width=max(7.5, 1.4 * len(space) + 2))
    columns = range(len(space) + 1)
    spread = np.array(
        [
            0.4 / max(domain.size, 4) if domain.size <= 12 else 0.0
            for domain in space.domains.values()
        ]
    )
    for place, record in reversed(list(enumerate(ranked))):  # the best last, on top
        loss_height = FAIL if record.outcome.failed else rail.to_unit(record.loss) if rail else 0.5
        heights = np.nan_to_num([*space.to_unit(record.config), loss_height], nan=ABSENT)
        heights[:-1] += spread * (
            place / len(ranked) - 0.5
        )  # so that lines through one value don't hide each other
        if record.outcome.failed:
            ax.plot(columns, heights, color=INK, linewidth=0.9, linestyle=":", alpha=0.8)
            ax.plot(columns[-1], FAIL, **FAILED)
        elif place > 0:
            ax.plot(
                columns,
                heights,
                color=colormaps["cividis"](0.85 * place / (len(good) - 1)),
                linewidth=1.2,
                alpha=0.75,
            )
        else:
            ax.plot(columns, heights, color=INK, linewidth=5)
            ax.plot(columns, heights, color=BEST["color"], linewidth=3)
            ax.plot(
                columns[-1],
                heights[-1],
                linestyle="none",
                label=f"best: trial {record.trial.id}",
                **BEST,
            )
    absent = [
        x for x, name in enumerate(space) if any(name not in record.config for record in ranked)
    ]
    for x in absent:
        _label(ax, x, ABSENT, "absent")
    for x, domain in enumerate(space.domains.values()):
        _axis(ax, x, domain)
    if rail and good:
        _axis(ax, columns[-1], rail, side="right")
    if len(good) < len(ranked):
        _label(ax, columns[-1], FAIL, "failed", side="right")
    ax.set_xlim(-0.6, len(space) + 0.4)
    ax.set_ylim(
        ABSENT - 0.05 if absent else -0.06, FAIL + 0.06 if len(good) < len(ranked) else 1.06
    )
    finish(
        ax,
        title=_finding(good, len(ranked), space),
        xlabel="",
        ylabel="",
        description=(
            f"{count(len(ranked), 'config')} as lines across {', '.join(space)} to the loss; "
            f"{len(ranked) - len(good)} failed."
        ),
    )
    ax.set_xticks(
        columns,
        [
            *(
                f"{name}\n(log)" if getattr(domain, "log", False) else name
                for name, domain in space.domains.items()
            ),
            f"loss{' (log)' if log else ''}\n(darker: better)",
        ],
    )
    ax.set_yticks([])
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, labelsize=11)
    return ax


def _rail(low: float, high: float, log: bool) -> Float | None:
    """Return the scale of the losses; None if they are all the same, or so nearly that no scale
    tells them apart."""
    try:
        return Float(low, high, log=log)
    except SpaceError:
        return None


def _axis(ax: Axes, x: float, domain: Domain, side: str = "left") -> None:
    """Draw one vertical axis with its ends and a few round values in between."""
    ax.plot([x, x], [0, 1], color=INK, linewidth=1, zorder=2.5)
    if isinstance(domain, Choice):
        ticks: list[Any] = list(domain.values)
    else:
        low, high = domain.low, domain.high
        places = (
            LogLocator(subs=(1,) if high > 100 * low else (1, 2, 5))
            if domain.log
            else MaxNLocator(5, steps=[1, 2, 5, 10], integer=isinstance(domain, Int))
        )
        rounded = map(int if isinstance(domain, Int) else float, places.tick_values(low, high))
        inside = [
            tick for tick in rounded if low < tick < high and 0.1 < domain.to_unit(tick) < 0.9
        ]  # type: ignore[arg-type]
        ticks = [low, *inside, high] if high > low else [low]
    for tick in ticks:
        _label(
            ax,
            x,
            domain.to_unit(tick),
            f"{tick:.3g}" if isinstance(tick, float) else str(tick),
            side,
        )


def _label(ax: Axes, x: float, y: float, text: str, side: str = "left") -> None:
    ax.plot([x - 0.02, x + 0.02], [y, y], color=INK, linewidth=1, zorder=4)
    shift, align = (-0.05, "right") if side == "left" else (0.08, "left")
    ax.text(
        x + shift,
        y,
        text,
        ha=align,
        va="center",
        fontsize=9.5,
        color=INK,
        zorder=6,
        parse_math=False,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
    )


def _finding(good: list[Record], trials: int, space: Space) -> str:
    """Name the dimension in which the best tenth (at least 5) of the trials agree most."""
    if not good:
        return f"All {count(trials, 'trial')} failed: there is no loss to show"
    top = good[: max(5, trials // 10)]
    widths = {}
    for name, domain in space.domains.items():
        values = [record.config[name] for record in top if name in record.config]
        if len(values) == len(top) and domain.size > 1:
            units = [domain.to_unit(value) for value in values]
            widths[name] = max(units) - min(units)
    if len(good) < 10 or not widths:
        return f"The best of {count(trials, 'trial')} has loss {good[0].loss:.3g}"
    name = min(widths, key=lambda name: widths[name])
    values = [record.config[name] for record in top]
    if isinstance(space[name], Choice) or min(values) == max(values):
        return (
            f"The best {len(top)} of {trials} trials have {name} = "
            f"{' or '.join(map(str, dict.fromkeys(values)))}"
        )
    return (
        f"The best {len(top)} of {trials} trials have {name} between {min(values):.3g} and "
        f"{max(values):.3g}"
    )

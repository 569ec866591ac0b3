"""Hindsight: what the trials of a search's first rung would have come to, had all of them been
trained in full."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import LogLocator, NullFormatter

from hpt_lab.arguments import check_number, is_number, show
from hpt_lab.errors import HptError
from hpt_lab.plots.fates import Fate, fates, rungs
from hpt_lab.plots.figure import (
    BEST,
    GREEN,
    INK,
    axes,
    count,
    failures,
    finish,
    finished,
    loss_scale,
)

MARKERS: dict[Fate, str] = {
    "went on": "o",
    "cut": "v",
    "not cut": "s",
}  # their colour tells a hyperparameter
GREY = "#777777"  # in the legend, where the marker alone counts


def hindsight(
    study: Any,
    late: Mapping[int, float],
    *,
    budget: float,
    within: float,
    colour: str = "learning_rate",
    ax: Axes | None = None,
) -> Axes:
    """Draw the first rung's trials, their loss there against their loss in full, and return the
    axes.

    late: {trial id: its loss after `budget` epochs}, NaN or infinity where training failed. within:
        a band marks the losses
    that are at most so much above the search's best. colour: a hyperparameter with numbers in every
    config. Scales are logarithmic where values span 10x. Raises HptError if a trial of the first
    rung is missing in `late`.
    """
    past = finished(study)
    check_number("within", within, least=0, hint=0.01)
    check_number("budget", budget, above=0, hint=27)
    if not isinstance(late, Mapping) or not all(is_number(loss) for loss in late.values()):
        raise HptError(f"late must be a dict of trial ids and losses, got {show(late)}")
    fate = {
        (r.trial.id, r.budget): its for r, its in zip(past.records, fates(study, past), strict=True)
    }
    rung = [
        record for record in next(iter(rungs(past.records).values())) if not record.outcome.failed
    ]
    if past.best is None or not rung:
        raise HptError(
            "study has no finite loss in its first rung, so there is nothing to look back on"
        )
    if missing := [record.trial.id for record in rung if record.trial.id not in late]:
        raise HptError(
            f"late must have a loss for every trial of the first rung, got none for {missing}; "
            "train them too"
        )
    values: list[Any] = [
        record.config.get(colour) if isinstance(colour, str) else None for record in rung
    ]
    if not all(isinstance(value, int | float) for value in values):
        raise HptError(
            f"colour must be a hyperparameter with numbers in every config, got {show(colour)}"
        )
    best, ended = past.best, [record for record in rung if math.isfinite(late[record.trial.id])]
    norm = (LogNorm if 0 < 10 * min(values) <= max(values) else Normalize)(min(values), max(values))
    ax = axes(ax)
    ax.axhspan(
        best.loss,
        best.loss + within,
        color=GREEN,
        alpha=0.15,
        linewidth=0,
        label=f"within {within:g} of the winner",
    )
    for kind, marker in MARKERS.items():
        shown = [record for record in ended if fate[record.trial.id, record.budget] == kind]
        dots = ax.scatter(
            [record.loss for record in shown],
            [late[record.trial.id] for record in shown],
            marker=marker,
            c=[record.config[colour] for record in shown],
            cmap="cividis",
            norm=norm,
            s=48,
            edgecolors=INK,
            linewidths=0.5,
            zorder=4,
        )
        if shown:
            ax.plot(
                [], [], linestyle="none", marker=marker, color=GREY, label=f"{kind} ({len(shown)})"
            )
    for record in ended:
        if record.trial.id == best.trial.id:
            ax.plot(
                record.loss,
                late[best.trial.id],
                linestyle="none",
                zorder=3,
                label="the winner",
                **{**BEST, "markersize": 22},
            )
    loss_scale(ax, [best.loss, *(late[record.trial.id] for record in ended)], None)
    if 0 < 10 * rung[0].loss <= rung[-1].loss:  # best first
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter(NullFormatter())
    failures(ax, [record.loss for record in rung if record not in ended])
    bar = ax.figure.figure.colorbar(dots, ax=ax, pad=0.02)  # type: ignore[union-attr]
    bar.set_label(colour.replace("_", " "), color=INK, fontsize=11)
    bar.ax.yaxis.set_major_formatter("{x:g}")
    bar.ax.tick_params(which="both", colors=INK, labelsize=10)
    cut = [record for record in rung if fate[record.trial.id, record.budget] == "cut"]
    close = [record for record in cut if late[record.trial.id] <= best.loss + within]
    lost = [(late[record.trial.id], record.loss) for record in cut if record in ended]
    best_lost, had_been = min(lost, default=(math.nan, math.nan))
    return finish(
        ax,
        title=f"{len(close)} of the {len(cut)} that were cut would have ended close to the winner",
        xlabel=f"loss after {count(rung[0].budget, 'epoch')}",
        ylabel=f"loss after {count(budget, 'epoch')} (lower is better)",
        description=f"{count(len(rung), 'trial')} of the first rung. The winner ended at "
        f"{best.loss:.3g}; the best of those "
        f"cut, {best_lost:.3g}, had "
        "been at "
        f"{had_been:.3g} when cut.",
    )

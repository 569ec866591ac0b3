"""The loss along one dimension (`slice`), and whether its range is wide enough (`boundaries`).

`boundaries` is what the Deep Learning Tuning Playbook (Godbole et al., 2023,
https://github.com/google-research/tuning_playbook) calls a basic hyperparameter axis plot: a
search space is good where the best points lie well inside, bad where they crowd at an edge, and
trials that failed are marked, for they are part of the answer.
"""

from __future__ import annotations

import math
from typing import Any

from matplotlib.axes import Axes

from hpt_lab.domains import Choice, Domain
from hpt_lab.errors import HptError
from hpt_lab.evidence import OUTER, Edge, best_of, comparable, edges, has_edges, say
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
from hpt_lab.plots.figure import (
    BEST,
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    axes,
    count,
    failures,
    finish,
    loss_scale,
)
from hpt_lab.space import Space


def slice(
    study: Any,
    name: str,
    *,
    space: Space | None = None,
    log: bool | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw every trial's last loss against its value of dimension `name`; return the axes.

    Larger points were trained longer; failed trials are crosses at the top edge. A config without
    the dimension is left out, and counted in the description. log=None takes a log scale where
    losses span 10x. `space` is needed with a bare History.

    Caveat: a slice shows one dimension and hides all others. A trend can be another dimension's,
    if a strategy moved both together; a cloud without trend can hide an optimum that moves with
    another dimension. And short trainings are not comparable with long ones.
    """
    shown = drawn(study, space)
    domain = shown.space[check_dimension(name, shown.space)]
    here = active(shown.good, name)
    broken = active(shown.failed, name)
    ax = axes(ax)
    _points(ax, domain, name, here)
    best = next(iter(here), None)
    title = f"No trial with {name} has a loss: {count(len(broken), 'trial')} failed"
    if best is not None:
        ax.plot(
            place(domain, best.config[name]),
            best.loss,
            linestyle="none",
            zorder=5,
            label=f"best: trial {best.trial.id}",
            **BEST,
        )
        title = f"The best loss, {best.loss:.3g}, was reached at {name} = {say(best.config[name])}"
    loss_scale(ax, [record.loss for record in here], log)
    failures(ax, [place(domain, record.config[name]) for record in broken])
    dress(ax, domain)
    return finish(
        ax,
        title=title,
        xlabel=axis_label(name, domain),
        ylabel="loss (lower is better)",
        description=f"{count(len(here), 'trial')} by {name} and loss, {len(broken)} failed, "
        f"{shown.trials - len(here) - len(broken)} without {name}.",
    )


def _points(ax: Axes, domain: Domain, name: str, records: list[Record]) -> None:
    """Draw the records as dots, larger ones trained longer."""
    if not records:
        return
    most = max(record.budget for record in records)
    xs = [spread(domain, record, name) for record in records]
    sizes = [18 + 40 * math.sqrt(record.budget / most) for record in records]
    varied = len({record.budget for record in records}) > 1
    ax.scatter(
        xs,
        [record.loss for record in records],
        s=sizes,
        color=BLUE,
        alpha=0.6,
        linewidths=0,
        zorder=3,
        label="a trial (larger: trained longer)" if varied else "a trial",
    )


def boundaries(
    study: Any,
    name: str,
    *,
    space: Space | None = None,
    log: bool | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the trials of one budget along `name`, its outer fifths shaded, the best quarter marked.

    The title gives the verdict: at an edge (the study's best trial lies at the very end, and so
    many of the best quarter lie in that fifth that chance has below 1 in 20), inside, or not known.
    Infeasible trials are crosses at the top edge: those that failed, at whatever budget.

    Caveat: the verdict is one test of one dimension. `study.next_steps()` asks about all edges at
    once and is stricter. An edge at a natural limit (dropout 0) needs no wider range, and an
    inside optimum is one of this budget: longer training may move it.
    """
    shown = drawn(study, space)
    domain = shown.space[check_dimension(name, shown.space)]
    if not has_edges(domain):
        raise HptError(
            f"name must be a dimension with two ends, more than two values in an order; {name} "
            f"has none. Try plots.slice(study, {name!r})"
        )
    records = active(comparable(shown.history), name)
    good = [record for record in records if not record.outcome.failed]
    top = best_of(records)
    ax = axes(ax)
    _shade(ax, domain)
    others = [record for record in good if record not in top]
    _marked(ax, domain, name, others, FAINT, "o", "other trials")
    _marked(ax, domain, name, top, GREEN, "s", "best quarter")
    loss_scale(ax, [record.loss for record in good], log)
    failures(ax, [place(domain, record.config[name]) for record in active(shown.failed, name)])
    dress(ax, domain)
    mine = [edge for edge in edges(shown.history, shown.space) if edge.name == name]
    title, why = _verdict(name, mine)
    budget = f", budget {records[0].budget:g}" if records else ""
    return finish(
        ax,
        title=title,
        xlabel=axis_label(name, domain),
        ylabel=f"loss (lower is better{budget})",
        description=f"{why} {count(len(active(shown.failed, name)), 'trial')} failed.",
    )


def _marked(
    ax: Axes, domain: Domain, name: str, records: list[Record], color: str, marker: str, label: str
) -> None:
    if records:
        ax.scatter(
            [spread(domain, record, name) for record in records],
            [record.loss for record in records],
            s=40,
            color=color,
            marker=marker,
            edgecolors=INK,
            linewidths=0.5,
            zorder=3,
            label=f"{label} ({len(records)})",
        )


def _shade(ax: Axes, domain: Domain) -> None:
    """Shade the outer fifths of the range."""
    if isinstance(domain, Choice):
        ends = ((-0.5, 0.5), (domain.size - 1.5, domain.size - 0.5))
    else:
        low, high = domain.from_unit(OUTER), domain.from_unit(1 - OUTER)
        ends = ((float(domain.low), float(low)), (float(high), float(domain.high)))
    for start, end in ends:
        ax.axvspan(
            start,
            end,
            color=ORANGE,
            alpha=0.15,
            linewidth=0,
            zorder=0,
            label="outer fifths" if start == ends[0][0] else None,
        )


def _verdict(name: str, both: list[Edge]) -> tuple[str, str]:
    """Return a title that judges the range of `name`, and the counts behind it."""
    if not both:
        return f"Too few trials to judge the range of {name}", "No best quarter can be told."
    why = " ".join(
        f"{edge.side} fifth: {edge.hits} of the best {edge.marked}, {edge.inside} of all "
        f"{edge.trials}, chance {edge.chance:.2g}."
        for edge in both
    )
    for edge in both:
        if edge.hit and edge.chance < 0.05:
            return (
                f"The range of {name} is cut off: {edge.hits} of the best {edge.marked} lie at its "
                f"{edge.side} edge"
            ), why
    if any(edge.hit or edge.chance < 0.05 for edge in both):
        return (
            f"Whether the range of {name} is cut off is not known from {both[0].trials} trials",
            why,
        )
    inner = both[0].marked - sum(edge.hits for edge in both)
    return (
        f"The range of {name} looks wide enough: {inner} of the best {both[0].marked} lie inside",
        why,
    )

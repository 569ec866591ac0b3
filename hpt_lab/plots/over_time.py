"""A study over time: the incumbent against epochs spent, and the learning curves of its trials."""

from __future__ import annotations

import math
from itertools import takewhile
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from hpt_lab.arguments import show
from hpt_lab.errors import HptError
from hpt_lab.history import Record
from hpt_lab.plots.fates import Fate, fates
from hpt_lab.plots.figure import (
    BEST,
    BLUE,
    CUT,
    INK,
    NOT_CUT,
    Style,
    axes,
    check_log,
    count,
    failures,
    finish,
    finished,
    loss_scale,
)

# How a trial's curve is drawn, and the marker where it ends.
LINES: dict[str, Style] = {
    "best": {**BEST, "color": INK, "markerfacecolor": BEST["color"], "linewidth": 2.2, "zorder": 5},
    "not cut": {**NOT_CUT, "markersize": 5, "linewidth": 1.3, "alpha": 0.85, "zorder": 4},
    "cut": {
        **CUT,
        "color": "#9a9a9a",
        "markerfacecolor": CUT["color"],
        "markeredgecolor": CUT["color"],
        "markersize": 4,
        "linewidth": 0.9,
        "alpha": 0.7,
        "zorder": 2,
    },
    "failed": {"color": INK, "linewidth": 0.9, "linestyle": ":", "zorder": 3},
}


def history(study: Any, *, log: bool | None = None, ax: Axes | None = None) -> Axes:
    """Draw every run's loss against the epochs spent until then, and the best loss so far as a step
    line.

    Larger points were trained longer. Failed runs are crosses at the top edge. log=None takes a log
    scale where losses span 10x. Returns the axes; raises HptError if no trial has finished.
    """
    past = finished(study)
    check_log(log)
    ax = axes(ax)
    spent, incumbent = past.incumbent()
    runs = [
        (x, record)
        for x, record in zip(spent, past.records, strict=True)
        if not record.outcome.failed
    ]
    most = max(record.budget for record in past.records)
    if runs:
        xs, losses = [x for x, _ in runs], [record.loss for _, record in runs]
        ax.scatter(
            xs,
            losses,
            color=BLUE,
            alpha=0.6,
            linewidths=0,
            zorder=2,
            s=[14 + 60 * math.sqrt(record.budget / most) for _, record in runs],
            label="a run (larger: trained longer)"
            if len({record.budget for _, record in runs}) > 1
            else "a run",
        )
        ax.step(
            spent,
            [loss if math.isfinite(loss) else math.nan for loss in incumbent],
            where="post",
            color=INK,
            linewidth=1.8,
            zorder=3,
            label="best so far",
        )
    unit = "epoch" if most > 1 else "run"
    title = f"All {len(past.records)} runs failed: there is no loss to show"
    if past.best:
        at = spent[past.records.index(past.best)]
        ax.plot(
            at,
            past.best.loss,
            linestyle="none",
            zorder=5,
            label=f"best: trial {past.best.trial.id}",
            **BEST,
        )
        title = (
            f"The best loss, {past.best.loss:.3g}, was found after {at:,g} of "
            f"{count(spent[-1], unit)}"
        )
    loss_scale(ax, [record.loss for _, record in runs], log)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    failures(
        ax, [x for x, record in zip(spent, past.records, strict=True) if record.outcome.failed]
    )
    gains = sum(b < a for a, b in zip([math.inf, *incumbent], incumbent, strict=False))
    return finish(
        ax,
        title=title,
        xlabel="epochs spent, all trials together" if unit == "epoch" else "runs finished",
        ylabel="loss (lower is better)",
        description=(
            f"Points: the losses of {count(len(past.records), 'run')}, "
            f"{len(past.records) - len(runs)} failed. "
            f"A falling step line: the best so far, which improved {count(gains, 'time')}."
        ),
    )


def learning_curves(
    study: Any, quantity: str = "val_loss", *, log: bool | None = None, ax: Axes | None = None
) -> Axes:
    """Draw each trial's `quantity` by epoch, as far as it was trained: grey if it was cut, the best
    one bold.

    quantity: a name in `outcome.curves`. Where a curve stops being finite the trial gets a cross at
        the top edge, and
    so does a failed trial without a curve. log=None takes a log scale where values span 10x.
    Raises HptError if no trial has finished or none recorded `quantity`.
    """
    past = finished(study)
    check_log(log)
    if not isinstance(quantity, str):
        raise HptError(
            f"quantity must be the name of a curve, got {show(quantity)}; try 'val_loss'"
        )
    last: dict[int, tuple[Record, Fate]] = {}  # trial -> its last record and what became of it
    curves: dict[int, list[float]] = {}  # trial -> its longest curve
    for record, fate in zip(past.records, fates(study, past), strict=True):
        trial, curve = record.trial.id, list(record.outcome.curves.get(quantity, []))
        last[trial] = record, fate
        curves[trial] = max(curves.get(trial, []), curve, key=len)
    if not any(curves.values()) and past.best:
        names = sorted({name for record in past.records for name in record.outcome.curves})
        raise HptError(
            f"quantity must be one that the trials recorded, {names or 'but they recorded none'}; "
            f"got {quantity!r}"
        )
    ax = axes(ax)
    best = past.best.trial.id if past.best else None
    kinds: dict[str, list[int]] = {"best": [], "not cut": [], "cut": [], "failed": []}
    for trial, (_, fate) in last.items():
        kinds["best" if trial == best else fate if fate in kinds else "not cut"].append(trial)
    finite = {trial: list(takewhile(math.isfinite, curve)) for trial, curve in curves.items()}
    for kind, trials in kinds.items():
        label: str | None = f"best: trial {best}" if kind == "best" else f"{kind} ({len(trials)})"
        for trial in trials:
            ax.plot(
                range(1, len(finite[trial]) + 1),
                finite[trial],
                markevery=[-1] if finite[trial] else None,
                label=label if kind != "failed" else None,
                **LINES[kind],
            )
            label = None
    loss_scale(ax, [value for curve in finite.values() for value in curve], log)
    failed = [trial for trial, (_, fate) in last.items() if fate == "failed"]
    failures(
        ax,
        [
            len(finite[trial]) + 1 if curves[trial] != finite[trial] else last[trial][0].budget
            for trial in failed
        ],
    )
    longest = max(record.budget for record, _ in last.values())
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlim(1 - 0.03 * longest, 1.03 * longest)
    early = [
        record.budget
        for record, fate in last.values()
        if fate == "cut" and record.budget <= longest / 3
    ]
    title = f"{count(len(last), 'trial')} of up to {count(longest, 'epoch')}"
    if early:
        title = (
            f"{len(early)} of {count(len(last), 'trial')} were cut by epoch {max(early):g} of "
            f"{longest:g}"
        )
    if best is None:
        title = f"All {count(len(last), 'trial')} failed"
    elif curves[best]:
        title += f"; the best one ends at {quantity} {curves[best][-1]:.3g}"
    return finish(
        ax,
        title=title,
        xlabel="epochs trained",
        ylabel=quantity,
        description=(
            f"One {quantity} curve per trial over up to {count(longest, 'epoch')}: "
            f"{len(kinds['cut'])} cut, {len(failed)} failed."
        ),
    )

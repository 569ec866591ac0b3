"""What the time went into: every run of a study as a bar."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from hpt_lab.errors import HptError
from hpt_lab.plots.figure import BLUE, GREEN, INK, ORANGE, axes, count, finish, finished

KINDS = {
    "resumed": (GREEN, ".."),
    "first run": (BLUE, ""),
    "failed": (INK, "xx"),
    "best": (ORANGE, ""),
}


def timeline(study: Any, *, ax: Axes | None = None) -> Axes:
    """Draw every run as a bar as long as its seconds, one row per trial; return the axes.

    Runs stand one after another in the order in which they finished, as one worker would have run
    them. A resumed run is dotted, a failed one crossed.

    Caveat: a history knows how long each run took, not when it began: with several workers the
    study was over sooner than this picture is long. Seconds are those inside the objective; what
    the strategy took to choose is not there, and neither is waiting.
    """
    past = finished(study)
    seconds = np.array([record.outcome.seconds for record in past.records])
    if not seconds.sum() > 0:
        raise HptError("study has no seconds to draw: every record says 0; tune() measures them")
    starts = np.cumsum(seconds) - seconds
    ids = sorted({record.trial.id for record in past.records})
    rows = {trial: row for row, trial in enumerate(ids)}
    kinds: dict[str, list[int]] = {kind: [] for kind in KINDS}
    seen = set()
    for i, record in enumerate(past.records):
        kind = "resumed" if record.trial.id in seen else "first run"
        if record.outcome.failed:
            kind = "failed"
        elif record is past.best:
            kind = "best"
        kinds[kind].append(i)
        seen.add(record.trial.id)
    ax = axes(ax, height=min(6.0, 2.5 + 0.12 * len(ids)))
    for kind, runs in kinds.items():
        if runs:
            places = [rows[past.records[i].trial.id] for i in runs]
            color, hatch = KINDS[kind]
            ax.barh(
                places,
                seconds[runs],
                left=starts[runs],
                color=color,
                hatch=hatch,
                height=0.85,
                edgecolor="white",
                linewidth=0.3,
                label=f"{kind} ({len(runs)})",
            )
    lost = float(seconds[kinds["failed"]].sum())
    title = f"{count(len(past.records), 'run')} took {seconds.sum():,.3g} s"
    if lost > 0:
        title += f", {lost / seconds.sum():.0%} of it in runs that failed"
    ax.set_ylim(len(ids) - 0.3, -0.7)
    ax.yaxis.set_major_locator(MaxNLocator(8, integer=True))
    longest = int(seconds.argmax())
    return finish(
        ax,
        title=title,
        xlabel="seconds in the objective, one run after another",
        ylabel="trial, in order",
        description=f"Bars of {count(len(ids), 'trial')}; the longest run, "
        f"{seconds[longest]:.3g} s, was of trial {past.records[longest].trial.id}.",
    )

"""How the losses of a study are distributed: the empirical distribution function (EDF)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from hpt_lab.arguments import show
from hpt_lab.errors import HptError
from hpt_lab.plots.dimensions import last_of
from hpt_lab.plots.figure import BLUE, GREEN, INK, ORANGE, VERMILLION, axes, count, finish, finished

LINES = ("-", "--", "-.", ":")


def edf(studies: Any, *, ax: Axes | None = None) -> Axes:
    """Draw which part of the trials reached each loss; return the axes.

    `studies`: a Study or History, or a dict of names and several of them. A trial counts with its
    last loss (the study's best trial with its best); one that failed counts as never reaching any.

    Caveat: the picture judges a space and a sampler together, and only a sampler that ignores
    losses (random search, a grid) shows what the space holds: others crowd where it is good.
    Compare studies of the same budget per trial. It says nothing of when a loss was found.
    """
    named = studies if isinstance(studies, Mapping) else {"": studies}
    if not named or not all(isinstance(name, str) for name in named):
        raise HptError(
            f"studies must be a Study, or a dict of names and studies, got {show(studies)}"
        )
    ax = axes(ax)
    halves = []
    every = []
    styles = zip(cycle((BLUE, VERMILLION, GREEN, ORANGE, INK)), cycle(LINES), strict=False)
    for (name, study), (color, line) in zip(named.items(), styles, strict=False):
        last = last_of(finished(study))
        good = sorted(record.loss for record in last if not record.outcome.failed)
        parts = np.arange(1, len(good) + 1) / len(last)
        label = f"{name} ({count(len(last), 'trial')})".strip()
        ax.step(good, parts, where="post", color=color, linestyle=line, linewidth=1.8, label=label)
        half = good[(len(last) + 1) // 2 - 1] if len(good) >= (len(last) + 1) // 2 else None
        words = "none" if half is None else f"{half:.3g}"
        halves.append(f"{name}: {words}" if name else words)
        every += good
    if every and 0 < 10 * min(every) <= max(every):
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_ylim(0, 1.03)
    return finish(
        ax,
        title=f"Half of the trials reach a loss of {', '.join(halves)}",
        xlabel="loss (lower is better)",
        ylabel="part of the trials with at most this loss",
        description="A rising step line per study; one that failed keeps it below 1.",
    )

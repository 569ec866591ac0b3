"""The bracket chart: who went on and who was cut, and by how much, at every rung of every
bracket."""

from __future__ import annotations

from collections import Counter
from typing import Any

from matplotlib.axes import Axes

from hpt_lab.history import Record
from hpt_lab.plots.fates import Fate, fates, margins, rungs
from hpt_lab.plots.figure import (
    BEST,
    CUT,
    FAINT,
    INK,
    NOT_CUT,
    WENT_ON,
    axes,
    check_log,
    count,
    failures,
    finish,
    finished,
    loss_scale,
)

GAP = 0.9  # empty room between two brackets, in columns


def brackets(study: Any, *, log: bool | None = None, ax: Axes | None = None) -> Axes:
    """Draw one column per rung, one group of columns per bracket, a line per trial through its
    rungs; return the axes.

    Up is worse. A dashed line is the largest loss that went on from a rung, and below the rung
    stands how much above it the closest of those who were cut was. Failed trials are crosses at the
    top edge. log=None takes a log scale where losses span 10x. Raises HptError if no trial has
    finished.
    """
    history = finished(study)
    check_log(log)
    columns = rungs(history.records)  # (bracket, budget) -> records, best first
    position = 0.0
    x: dict[tuple[int | None, float], float] = {}
    edges: dict[
        int | None, tuple[float, float]
    ] = {}  # bracket -> (x of its first column, x of its last)
    for bracket, budget in columns:
        position += 1 if bracket in edges or not edges else 1 + GAP
        x[bracket, budget] = position
        edges[bracket] = (edges.get(bracket, (position,))[0], position)
    ax = axes(ax, width=max(8.6, 0.5 * position + 1.5), height=5.6)
    seen: dict[int, list[Record]] = {}
    for record in sorted(history.records, key=lambda record: record.budget):
        seen.setdefault(record.trial.id, []).append(record)
    for path in seen.values():
        path = [record for record in path if not record.outcome.failed]
        ax.plot(
            [x[r.trial.bracket, r.budget] for r in path],
            [r.loss for r in path],
            color=WENT_ON["color"],
            linewidth=0.9,
            alpha=0.45,
            zorder=2,
        )
    fate = fates(study, history)
    for name, style in (("went on", WENT_ON), ("cut", CUT), ("not cut", NOT_CUT)):
        points = [record for record, its in zip(history.records, fate, strict=True) if its == name]
        if points:
            ax.plot(
                [x[r.trial.bracket, r.budget] for r in points],
                [r.loss for r in points],
                linestyle="none",
                alpha=0.85,
                markeredgecolor="white",
                markeredgewidth=0.4,
                zorder=3,
                label=f"{name} ({len(points)})",
                **style,
            )
    lines = margins(study, history)
    for place, (line, _) in lines.items():
        ax.plot(
            [x[place] - 0.36, x[place] + 0.36],
            [line, line],
            color=INK,
            linewidth=1.2,
            linestyle="--",
            zorder=2.5,
            label="the line" if place == next(iter(lines)) else None,
        )
    best = history.best
    if best:
        path = [record for record in seen[best.trial.id] if not record.outcome.failed]
        ax.plot(
            [x[r.trial.bracket, r.budget] for r in path],
            [r.loss for r in path],
            color=INK,
            linewidth=1.8,
            zorder=4,
        )
        ax.plot(
            x[best.trial.bracket, best.budget],
            best.loss,
            linestyle="none",
            zorder=7,
            label=f"best: trial {best.trial.id}, loss {best.loss:.3g}",
            **BEST,
        )
    loss_scale(ax, [r.loss for r in history.records if not r.outcome.failed], log)
    failures(ax, [x[r.trial.bracket, r.budget] for r in history.records if r.outcome.failed])
    ax.set_xticks(
        list(x.values()),
        [
            f"{budget:g}\nn={len(rung)}"
            + (f"\n{_margin(lines[bracket, budget][1])}" if (bracket, budget) in lines else "")
            for (bracket, budget), rung in columns.items()
        ],
    )
    ax.set_xlim(0.4, position + 0.6)
    for bracket, (first, last) in edges.items():
        if bracket is not None:
            ax.text(
                (first + last) / 2,
                1.0,
                f"bracket {bracket}",
                ha="center",
                va="bottom",
                color=INK,
                fontsize=10,
                transform=ax.get_xaxis_transform(),
            )
        if first > 1:
            ax.axvline(first - (1 + GAP) / 2, color=FAINT, linewidth=0.8)
    tally = Counter(fate)
    return finish(
        ax,
        title=_finding(best, columns, tally),
        xlabel="epochs trained so far (n: trials in the rung"
        + ("; +: the closest cut, above the line)" if lines else ")"),
        ylabel="loss (lower is better)",
        below=68 if lines else 55,
        pad=24,
        description=f"{count(len(edges), 'bracket')}, {count(len(x), 'rung')}: {tally['went on']} "
        "times a trial went on, "
        f"{tally['cut']} were cut, {tally['failed']} failed." + _narrowest(lines),
    )


def _margin(margin: float) -> str:
    return f"+{margin:.2g}" if margin else "a tie"


def _narrowest(lines: dict[tuple[int | None, float], tuple[float, float]]) -> str:
    """Say where the decision was closest, for the alt text."""
    if not lines:
        return ""
    bracket, budget = min(lines, key=lambda place: lines[place][1])
    where = f"bracket {bracket} after" if bracket is not None else "after"
    return (
        f" The closest cut: {where} {count(budget, 'epoch')}, {_margin(lines[bracket, budget][1])}."
    )


def _finding(
    best: Record | None, columns: dict[tuple[int | None, float], list[Record]], tally: Counter[Fate]
) -> str:
    """Say how the winner stood at its first rung, and how many that rung cut."""
    if best is None:
        return f"All {tally['failed']} runs failed: there is no loss to rank"
    first = [
        (budget, rung)
        for (bracket, budget), rung in columns.items()
        if bracket == best.trial.bracket
    ]
    budget, rung = first[0]
    later = len({record.trial.id for _, others in first[1:] for record in others})
    rank = 1 + [record.trial.id for record in rung].index(best.trial.id)
    where = f"In bracket {best.trial.bracket}, " if best.trial.bracket is not None else ""
    if not later:
        return (
            f"{where}{count(len(rung), 'trial')} had {count(budget, 'epoch')} each, the best "
            f"loss is {best.loss:.3g}"
        )
    return (
        f"{where}{later} of {len(rung)} trials went on after {count(budget, 'epoch')}; the "
        f"winner was rank {rank} there"
    )

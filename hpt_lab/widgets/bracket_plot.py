"""The bracket explorer's picture: left the plan being filled, right one bracket's losses, rung by
rung.

Read `BracketPlot.update`; what stays between two decisions is drawn once, points and progress in
every frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullFormatter

from hpt_lab.history import Record
from hpt_lab.plots.figure import BEST, CUT, FAILED, NOT_CUT, WENT_ON
from hpt_lab.study.plan import Plan
from hpt_lab.trial import Trial
from hpt_lab.widgets.look import BLUE, INK, PURPLE, Picture, dress

LOWEST = 2e-3  # losses are shown from here to 1; below, on the edge
FAILED_AT = 1.8
FULL, BEST_IN_FULL = "if trained in full", "best in full"


@dataclass(frozen=True)
class Decision:
    """What a full rung decided. `margins`: by how much each cut trial's loss was above the last
    that went on."""

    went_on: list[int]
    line: float  # the largest loss that went on; NaN if none did
    margins: dict[int, float]  # trial -> margin, the closest first; inf if it failed


class BracketPlot:
    """Draws into `picture`; see `update`."""

    def __init__(self, picture: Picture):
        self.left = picture.figure.add_axes((0.05, 0.13, 0.4, 0.79))
        self.right = picture.figure.add_axes((0.55, 0.305, 0.445, 0.615))
        self._filled = PolyCollection([], facecolor=BLUE, alpha=0.3, linewidth=0)
        self.left.add_collection(self._filled)
        hollow = {"color": PURPLE, "marker": "D", "markersize": 5, "markerfacecolor": "white"}
        ax, points = (
            self.right,
            {
                "went on": WENT_ON,
                "cut": CUT,
                "not cut": NOT_CUT,
                "failed": FAILED,
                FULL: hollow,
                BEST_IN_FULL: {**BEST, "markersize": 13},
            },
        )
        self._lines: dict[str, Any] = {
            "paths": ax.plot([], [], color=BLUE, linewidth=0.9, alpha=0.4)[0],
            "line": ax.plot([], [], color=INK, linewidth=1.4, linestyle="--", label="the line")[0],
        }
        self._lines |= {
            name: ax.plot([], [], linestyle="none", label=name, **style)[0]
            for name, style in points.items()
        }
        self._drawn: Any = None
        picture.moving(self._filled, *self._lines.values())

    def update(
        self,
        plan: Plan,
        rungs: Mapping[tuple[int, int], Sequence[Record]],
        decisions: Mapping[tuple[int, int], Decision],
        s: int,
        in_full: Callable[[Trial], float] | None,
    ) -> bool:
        """Put the state into the artists; return True when what doesn't move has changed.

        rungs: what has reported, by (bracket, rung). s: the bracket to show. in_full: looks up a
            trial's loss at R.
        """
        drawn = (id(plan), s, len(decisions), in_full is None)
        fresh, self._drawn = drawn != self._drawn, drawn
        if fresh:
            self._draw_plan(plan, s)
            self._draw_axes(plan, decisions, s, in_full is not None)
        rows, cells = {bracket: y for y, bracket in enumerate(plan.brackets)}, []
        for (bracket, i), records in rungs.items():
            x, y, n = (
                len(plan.brackets) - 1 - bracket + i,
                rows[bracket],
                plan.brackets[bracket][i].n,
            )
            left, right = x - 0.46, x - 0.46 + 0.92 * len(records) / n
            cells.append([(left, y - 0.36), (right, y - 0.36), (right, y + 0.36), (left, y + 0.36)])
        self._filled.set_verts(cells)
        self._put_points(rungs, decisions, s, len(plan.brackets[s]), plan.brackets[s][0].n, in_full)
        return fresh

    def _draw_plan(self, plan: Plan, s: int) -> None:
        ax = self.left
        for artist in [*ax.texts, *ax.patches]:
            artist.remove()
        widest = max(map(len, plan.brackets.values()))
        for y, (bracket, rungs) in enumerate(plan.brackets.items()):
            for i, rung in enumerate(rungs):
                x = widest - len(rungs) + i
                ax.text(
                    x,
                    y,
                    f"{rung.n} × {rung.budget}",
                    ha="center",
                    va="center",
                    fontsize=9 if widest < 7 else 7.5,
                    color=INK,
                )
                ax.add_patch(_box(x, y, bracket == s))
            spent = sum(
                rung.n * (rung.budget - (rungs[i - 1].budget if i else 0))
                for i, rung in enumerate(rungs)
            )
            ax.text(widest + 0.35, y, f"{spent:,g}", ha="right", va="center", fontsize=9, color=INK)
        ax.text(widest + 0.35, -0.72, "epochs", ha="right", va="center", fontsize=8.5, color=INK)
        dress(
            ax,
            "The plan: trials × epochs each has had by then",
            xlabel="epochs a trial has had in total",
            ylabel="bracket",
        )
        ax.grid(False)
        ax.set_xlim(-0.6, widest + 0.4)
        ax.set_ylim(len(plan.brackets) - 0.4, -1)
        longest = plan.brackets[max(plan.brackets)]  # type: ignore[type-var]
        ax.set_xticks(range(widest), [str(rung.budget) for rung in longest])
        ax.set_yticks(range(len(plan.brackets)), [str(bracket) for bracket in plan.brackets])

    def _draw_axes(
        self, plan: Plan, decisions: Mapping[tuple[int, int], Decision], s: int, recorded: bool
    ) -> None:
        ax, rungs = self.right, plan.brackets[s]
        ticks = []
        for i, rung in enumerate(rungs):
            closest = (
                next(iter(decisions[s, i].margins.values()), math.inf)
                if (s, i) in decisions
                else math.inf
            )
            ticks.append(
                f"{rung.budget}" + (f"\n{_margin(closest)}" if math.isfinite(closest) else "")
            )
        if recorded:
            ticks.append(f"all at {rungs[-1].budget}\n(recorded)")
        ax.set_yscale("log")
        numbers = " → ".join(str(rung.n) for rung in rungs)
        dress(
            ax,
            f"Bracket {s}: {numbers} trials{'' if len(rungs) > 1 else ', nobody is cut'}",
            xlabel="epochs so far; below, by how much the closest was cut",
            ylabel="loss",
        )
        ax.set_ylim(LOWEST * 0.85, 2.3)
        ax.set_yticks(
            [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, FAILED_AT],
            ["≤0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1", "failed"],
        )
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.set_xlim(-0.55, len(ticks) - 0.45)
        ax.set_xticks(range(len(ticks)), ticks)
        known = [
            line
            for name, line in self._lines.items()
            if name != "paths" and (recorded or name not in (FULL, BEST_IN_FULL))
        ]
        ax.legend(
            handles=known,
            loc="upper center",
            bbox_to_anchor=(0.46, -0.29),
            ncols=4,
            frameon=False,
            fontsize=8,
            labelcolor=INK,
            handletextpad=0.4,
            columnspacing=0.9,
        )

    def _put_points(
        self,
        rungs: Mapping[tuple[int, int], Sequence[Record]],
        decisions: Mapping[tuple[int, int], Decision],
        s: int,
        columns: int,
        n: int,
        in_full: Callable[[Trial], float] | None,
    ) -> None:
        spots: dict[str, list[tuple[float, float]]] = {name: [] for name in self._lines}
        first = min((record.trial.id for record in rungs.get((s, 0), ())), default=0)

        def spot(column: int, trial: Trial, loss: float) -> tuple[float, float]:
            return column + 0.7 * ((trial.id - first + 0.5) / n - 0.5), _shown(loss)

        paths: dict[int, list[tuple[float, float]]] = {}
        for i in range(columns):
            decision = decisions.get((s, i))
            for record in rungs.get((s, i), ()):
                at = spot(i, record.trial, record.outcome.rank_loss)
                cut = decision is not None and record.trial.id in decision.margins
                on = decision is not None and not cut
                spots[
                    "failed"
                    if record.outcome.failed
                    else "cut"
                    if cut
                    else "went on"
                    if on
                    else "not cut"
                ].append(at)
                paths.setdefault(record.trial.id, []).append(at)
            if decision is not None:
                spots["line"] += [
                    (i - 0.42, _shown(decision.line)),
                    (i + 0.42, _shown(decision.line)),
                    (math.nan, math.nan),
                ]
        spots["paths"] = [at for path in paths.values() for at in (*path, (math.nan, math.nan))]
        if in_full is not None:
            trials = [record.trial for record in rungs.get((s, 0), ())]
            spots[FULL] = [spot(columns, trial, in_full(trial)) for trial in trials]
            if trials:
                top = min(trials, key=lambda trial: (in_full(trial), trial.id))
                spots[BEST_IN_FULL] = [spot(columns, top, in_full(top))]
        for name, line in self._lines.items():
            line.set_data(*np.array(spots[name]).reshape(-1, 2).T)


def _shown(loss: float) -> float:
    """Return where a loss is drawn: failures above all, NaN nowhere."""
    return (
        math.nan
        if math.isnan(loss)
        else FAILED_AT
        if math.isinf(loss)
        else min(max(loss, LOWEST), 1.1)
    )


def _margin(margin: float) -> str:
    return f"+{margin:.4f}" if margin else "a tie"


def _box(x: float, y: float, shown: bool) -> Rectangle:
    return Rectangle(
        (x - 0.46, y - 0.36),
        0.92,
        0.72,
        fill=False,
        edgecolor=INK if shown else "#999999",
        linewidth=1.8 if shown else 0.8,
    )

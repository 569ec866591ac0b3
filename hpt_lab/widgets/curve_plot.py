"""Training and validation curves that grow while they are watched, cheap enough for 20 frames a
second.

The axes' limits move in steps, so that most frames redraw the lines alone (`Picture.moving`).
Earlier runs are drawn behind the current one, as their validation curves. Read `CurvePlot.update`
first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from hpt_lab.plots.figure import count
from hpt_lab.widgets.look import BLUE, INK, ORANGE, VERMILLION, Picture, dress
from hpt_lab.widgets.verdict import best_epoch

EPOCH_STEPS = (30, 100, 300, 1000, 3000)  # few, since new limits cost five frames
LOWEST = 1e-3  # loss shown; below it there is nothing to see
POINTS = 250  # drawn per line; more than the pixels can show costs time
GREYS = (
    ("#555555", ":", "x"),
    ("#777777", (0, (3, 1, 1, 1)), "+"),
    ("#999999", (0, (1, 2)), "1"),
)  # of kept runs
Curves = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Kept:
    """An earlier run, for comparison: the controls' values and its curves."""

    values: Mapping[str, Any]
    curves: Curves

    def label(self, now: Mapping[str, Any]) -> str:
        """Say what was different from `now`."""
        different = [
            f"{name.replace('_', ' ')} {_short(value)}"
            for name, value in self.values.items()
            if name != "epochs" and value != now.get(name)
        ]
        what = ", ".join(different[:2]) + (" …" if len(different) > 2 else "") or "same settings"
        return f"kept: {what}, {count(len(self.curves['loss']), 'epoch')}"


class CurvePlot:
    """Loss (logarithmic) on one pair of axes, accuracy on another; the best epoch is marked with a
    star."""

    def __init__(self, picture: Picture, loss: Axes, accuracy: Axes, *, floor: float):
        self.axes = {"loss": loss, "accuracy": accuracy}
        self.legend_at = (0.5, -0.33)  # in the accuracy's axes
        self.floor = floor  # accuracies from here on are always in view
        self.marks: list[tuple[int, str]] = []  # epochs at which something changed, and what
        self.kept: list[Kept] = []
        self.stale = True  # marks or kept runs have changed
        self._limits = (0.0, 0.0, 0.0, 0.0)
        self._labels: list[str] = []
        self._extra: list[Any] = []  # kept runs and marks
        self._lines, self._stars, self._titles = {}, {}, {}
        for name, ax in self.axes.items():
            (train,) = ax.plot([], [], color=BLUE, linewidth=1.8, label="training")
            (validation,) = ax.plot(
                [], [], color=VERMILLION, linestyle="--", linewidth=1.8, label="validation"
            )
            (star,) = ax.plot(
                [],
                [],
                color=ORANGE,
                marker="*",
                markersize=13,
                markeredgecolor=INK,
                linestyle="none",
                label="best epoch",
            )
            self._lines[name], self._lines[f"val_{name}"], self._stars[name] = (
                train,
                validation,
                star,
            )
            dress(ax, "", ylabel=name)
            ax.legend().remove()  # there is one for both, below
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
            self._titles[name] = ax.set_title(" ", loc="left", fontsize=10.5, color=INK)
            star.set_clip_on(False)
            picture.moving(train, validation, star, self._titles[name])
        loss.set_yscale("log")
        loss.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        loss.minorticks_off()
        loss.tick_params(labelbottom=False)
        accuracy.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
        accuracy.set_xlabel("epochs", fontsize=9.5, color=INK)

    def update(self, curves: Curves, values: Mapping[str, Any]) -> bool:
        """Put curves into the lines; return True when what doesn't move has changed, and all must
        be drawn anew.

        `values`: the controls', which kept runs are compared with.
        """
        n = len(curves["loss"])
        rows = (
            np.unique(np.linspace(0, n - 1, min(n, POINTS)).astype(int)) if n else np.zeros(0, int)
        )
        for name, line in self._lines.items():
            values_shown = np.asarray(curves[name], dtype=float)[rows]
            line.set_data(
                rows + 1,
                np.maximum(values_shown, LOWEST) if name.endswith("loss") else values_shown,
            )
        best = best_epoch(curves["val_loss"]) if n else 0
        for name, star in self._stars.items():
            star.set_data(
                [best] if n else [], [max(curves[f"val_{name}"][best - 1], LOWEST)] if n else []
            )
        self._titles["loss"].set_text(
            f"Loss: best in epoch {best}" if n else "Loss"
        )  # short: text is slow to draw
        self._titles["accuracy"].set_text(
            f"Validation accuracy {curves['val_accuracy'][-1]:.0%}" if n else "Accuracy"
        )
        labels = [kept.label(values) for kept in self.kept]
        self.stale |= (
            self._fit([curves, *(kept.curves for kept in self.kept)], values["epochs"])
            or labels != self._labels
        )
        stale, self.stale, self._labels = self.stale, False, labels
        if stale:
            self._draw_behind()
        return stale

    def _draw_behind(self) -> None:
        """Draw the kept runs, the marks and the legend."""
        for artist in self._extra:
            artist.remove()
        self._extra = []
        for (colour, style, marker), kept, label in zip(
            GREYS, self.kept, self._labels, strict=False
        ):
            for name, ax in self.axes.items():
                values = kept.curves[f"val_{name}"]
                self._extra += ax.plot(
                    np.arange(1, len(values) + 1),
                    values,
                    color=colour,
                    linestyle=style,
                    linewidth=1.2,
                    marker=marker,
                    markersize=5,
                    markevery=max(1, len(values) // 6),
                    label=label,
                )
        for epoch, what in self.marks:
            for name, ax in self.axes.items():
                self._extra.append(ax.axvline(epoch, color="#888888", linewidth=0.9))
                if name == "loss":
                    self._extra.append(
                        ax.annotate(
                            what,
                            (epoch, 1),
                            xycoords=("data", "axes fraction"),
                            xytext=(2, -2),
                            va="top",
                            textcoords="offset points",
                            fontsize=7.5,
                            color=INK,
                            rotation=90,
                        )
                    )
        handles, labels = self.axes["accuracy"].get_legend_handles_labels()
        self.axes["accuracy"].legend(
            handles,
            labels,
            loc="upper center",
            bbox_to_anchor=self.legend_at,
            ncols=3,
            frameon=False,
            fontsize=8,
            labelcolor=INK,
            columnspacing=1.2,
            borderaxespad=0,
        )

    def _fit(self, all_curves: list[Curves], until: int) -> bool:
        """Set limits in steps; the last is where training will end."""
        n = max(len(curves["loss"]) for curves in all_curves)
        if n == 0 and self._limits[0]:  # the first frame of a new run should come quickly
            return False
        last = max(n, min(until, next(step for step in EPOCH_STEPS if step >= n)))
        losses = [
            v
            for curves in all_curves
            for name in ("loss", "val_loss")
            for v in curves[name]
            if 0 < v < math.inf
        ] or [1.0]
        low = max(min(losses), LOWEST)
        high = min(max(max(losses), 1.1 * low), 1e6)
        accuracies = [
            v
            for curves in all_curves
            for name in ("accuracy", "val_accuracy")
            for v in curves[name]
            if v >= 0
        ]
        floor = math.floor(min([self.floor, *accuracies]) * 5 + 1e-6) / 5
        limits = (
            last,
            10 ** math.floor(math.log10(low)),
            10 ** (math.ceil(math.log10(high) * 2) / 2),
            floor,
        )
        if limits == self._limits:
            return False
        self._limits = limits
        for ax in self.axes.values():
            ax.set_xlim(0, last * 1.02)
        self.axes["loss"].yaxis.set_major_locator(
            LogLocator(subs=(1, 2, 5) if limits[2] < 30 * limits[1] else (1,), numticks=6)
        )
        self.axes["loss"].set_ylim(limits[1], limits[2])
        self.axes["accuracy"].set_ylim(floor - 0.01, 1.01)
        return True


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)

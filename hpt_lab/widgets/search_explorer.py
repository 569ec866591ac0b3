"""The search explorer: why random search beats a grid where only some hyperparameters matter.

Source: Bergstra & Bengio, "Random search for hyper-parameter optimization", JMLR 13, 2012, figure
    1. One landscape over two
hyperparameters, of which the learning rate matters and weight decay hardly does; the same number of
trials by grid search, random search and a scrambled Sobol sequence. Ticks on the edges project the
trials on each axis: a grid of 9 tries the learning rate at 3 places, the others at 9. One landscape
is an anecdote, so Run repeats it on many. Read `Landscape`, then `searched`, then
`SearchExplorer.steps`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from hpt_lab.plots.figure import count
from hpt_lab.space import Float, Space
from hpt_lab.strategies.grid_search import grid_search
from hpt_lab.strategies.random_search import random_search
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.trial import Outcome
from hpt_lab.widgets.controls import Number
from hpt_lab.widgets.explorer import Explorer
from hpt_lab.widgets.look import BLUE, GREEN, INK, ORANGE, VERMILLION, dress, seed

SPACE = Space(learning_rate=Float(1e-4, 1e-1, log=True), weight_decay=Float(1e-6, 1e-2, log=True))
NAMES = ("grid search", "random search", "Sobol")
STYLES = dict(zip(NAMES, ((VERMILLION, "s"), (BLUE, "o"), (GREEN, "^")), strict=True))
REPEATS = 100
WIDE = 0.4  # width of the basin in v
FINE = 101  # points of the picture along each axis


@dataclass(frozen=True)
class Landscape:
    """A loss from 0 to 1 over the unit square: a basin in u, the important one; v counts for the
    share `minor`.

    Where the basin lies follows from `seed`; `width` is its width in u.
    """

    seed: int
    width: float
    minor: float

    @property
    def centre(self) -> np.ndarray:
        """The best (u, v), anywhere."""
        return np.random.default_rng((self.seed, 2012)).random(2)

    def __call__(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the losses at u, v, of the same shape."""
        return self.by_u(u) + self.by_v(v)

    def by_u(self, u: np.ndarray) -> np.ndarray:
        """Return what the important one adds to the loss."""
        return (1 - self.minor) * _basin((u - self.centre[0]) / self.width)

    def by_v(self, v: np.ndarray) -> np.ndarray:
        """Return what the other one adds to the loss."""
        return self.minor * _basin((v - self.centre[1]) / WIDE)


def _basin(distance: np.ndarray) -> np.ndarray:
    """Return 0 in the middle, 1 far away."""
    return 1 - np.exp(-0.5 * distance**2)


def searched(name: str, trials: int, seed: int) -> np.ndarray:
    """Return the points of the unit square that a search tries, (n, 2); a grid takes the largest
    square in `trials`."""
    strategy = (
        grid_search(SPACE, n=math.isqrt(trials))
        if name == "grid search"
        else random_search(
            SPACE, trials=trials, seed=seed, points="sobol" if name == "Sobol" else "independent"
        )
    )
    ask_tell, points = AskTell(strategy), []
    while (trial := ask_tell.ask()) is not None:
        points.append(SPACE.to_unit(trial.config))
        ask_tell.tell(trial, Outcome(0.0))  # none of the three listens
    return np.array(points)


class SearchExplorer(Explorer):
    """Compare grid search, random search and Sobol points on a landscape where one hyperparameter
    matters.

    `run`: repeat on 100 landscapes before it is shown. `settings`: values of controls, such as
    trials=25.
    """

    def __init__(self, *, run: bool = False, **settings: Any):
        super().__init__(
            "Search explorer",
            [
                Number(
                    "trials", "Trials", 9, low=1, high=100, whole=True, help="Budget of each search"
                ),
                Number(
                    "width",
                    "Basin",
                    0.06,
                    low=0.02,
                    high=0.3,
                    step=0.01,
                    help="Width of the good learning rates, share of the axis",
                ),
                Number(
                    "minor",
                    "Minor share",
                    0.1,
                    low=0,
                    high=0.5,
                    step=0.05,
                    help="How much of the loss weight decay decides",
                ),
                seed(),
            ],
            size=(960, 400),
            about="Equal budgets, one landscape: dark is a low loss. Ticks on the edges: values "
            "tried; "
            "beside them the loss along that axis alone; star: the best found.",
        )
        self.run_button.description = "Run 100 landscapes"
        figure = self.picture.figure
        self._axes = {}
        for i, name in enumerate(NAMES):
            left = 0.07 + i * 0.316
            main = figure.add_axes((left, 0.14, 0.23, 0.54))
            self._axes[name] = (
                main,
                figure.add_axes((left, 0.7, 0.23, 0.17), sharex=main),
                figure.add_axes((left + 0.234, 0.14, 0.045, 0.54), sharey=main),
            )
        self.points: dict[str, np.ndarray] = {}
        self.best: dict[str, float] = {}
        self.repeated: dict[str, list[float]] = {}
        self.begin(run, settings)

    # On the worker's thread.

    def prepare(self) -> None:
        """Search, once each."""
        values = self.controls.values
        self._landscape = Landscape(values["seed"], values["width"], values["minor"])
        self.points = {name: searched(name, values["trials"], values["seed"]) for name in NAMES}
        self.best = {
            name: float(self._landscape(*points.T).min()) for name, points in self.points.items()
        }
        self.repeated = {name: [] for name in NAMES}

    def steps(self) -> Iterator[float]:
        """Repeat the comparison on other landscapes, with other random points."""
        values = self.controls.values
        for i in range(REPEATS):
            landscape = Landscape(values["seed"] + i, values["width"], values["minor"])
            for name, found in self.repeated.items():
                found.append(
                    float(landscape(*searched(name, values["trials"], values["seed"] + i).T).min())
                )
            if self.picture.due():
                self.say(self.words())
            yield 0

    def frame(self) -> None:
        """Draw landscape, trials and projections, and say who found what."""
        for name, axes in self._axes.items():
            self._draw(name, *axes)
        self.say(self.words())
        self.picture.show(fresh=True)

    def _draw(self, name: str, main: Axes, top: Axes, right: Axes) -> None:
        side, landscape, points, (colour, marker) = (
            np.linspace(0, 1, FINE),
            self._landscape,
            self.points[name],
            STYLES[name],
        )
        for ax in (main, top, right):
            ax.clear()
        main.contourf(
            side,
            side,
            landscape(*np.meshgrid(side, side)),
            levels=np.linspace(0, 1, 11),
            cmap="Greys_r",
            alpha=0.55,
        )
        main.plot(
            *points.T,
            linestyle="none",
            marker=marker,
            color=colour,
            markersize=5.5,
            markeredgecolor="white",
            markeredgewidth=0.5,
            clip_on=False,
            zorder=3,
        )
        main.plot(
            *points[landscape(*points.T).argmin()],
            linestyle="none",
            marker="*",
            color=ORANGE,
            markersize=13,
            markeredgecolor=INK,
            zorder=4,
            clip_on=False,
        )
        top.plot(side, landscape.by_u(side), color=INK, linewidth=1.3)
        right.plot(landscape.by_v(side), side, color=INK, linewidth=1.3)
        top.vlines(points[:, 0], 1.12, 1.42, color=colour, linewidth=1.4, clip_on=False)
        right.hlines(points[:, 1], 0.7, 1.15, color=colour, linewidth=1.4, clip_on=False)
        tried = len(np.unique(points[:, 0].round(9)))
        dress(
            top,
            f"{name}: best {self.best[name]:.3f}\n{count(len(points), 'trial')}, "
            f"{count(tried, 'learning rate')}",
        )
        minor = self.controls.values["minor"]
        dress(
            main,
            "",
            xlabel=f"learning rate ({1 - minor:.0%} of the loss)",
            ylabel=f"weight decay ({minor:.0%} of the loss)" if name == NAMES[0] else "",
        )
        dress(right, "")
        main.set(xlim=(0, 1), ylim=(0, 1))
        main.set_xticks([0, 1 / 3, 2 / 3, 1], ["1e-4", "1e-3", "0.01", "0.1"])
        main.set_yticks([0, 0.5, 1], ["1e-6", "1e-4", "0.01"])
        main.tick_params(labelleft=name == NAMES[0])
        top.set(ylim=(-0.05, 1.45), yticks=[])
        top.tick_params(labelbottom=False)
        right.set(xlim=(-0.1, 1.2), xticks=[])
        right.tick_params(labelleft=False)

    def words(self) -> str:
        """Return the line of text under the controls."""
        trials, used = self.controls.values["trials"], len(self.points["grid search"])
        text = (
            "Best loss: "
            + ", ".join(f"{name} {loss:.3f}" for name, loss in self.best.items())
            + ". "
            + (f"The grid can use {used} of {trials} trials. " if used < trials else "")
        )
        n = len(self.repeated["Sobol"])
        if n == 0:
            return text
        losses = np.array(list(self.repeated.values()))  # (3, n)
        wins = (losses == losses.min(axis=0)).sum(axis=1)
        return (
            text
            + f"On {n} landscapes: "
            + ", ".join(
                f"{name} {mean:.3f} on average, best on {won}"
                for name, mean, won in zip(self.repeated, losses.mean(axis=1), wins, strict=True)
            )
            + "."
        )

"""The Bayes explorer: what a Gaussian process believes about one hyperparameter, and where it would
look next.

Above the results so far, the posterior mean and two deviations about it; below the acquisition,
whose highest point is the suggestion. Take it, or evaluate elsewhere, and see what changes. The
process, its fit and the acquisition functions are those of `bayesian_optimization` (see there for
sources); by hand it takes the length scale and the noise of the controls. Read `prepare`, then
`frame`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.collections import PolyCollection

from hpt_lab.plots.figure import count
from hpt_lab.space import Float, Space, sobol
from hpt_lab.strategies.bayesian_optimization import MARGIN
from hpt_lab.surrogates.acquisition import RULES, Acquisition
from hpt_lab.surrogates.embedding import Embedding
from hpt_lab.surrogates.gaussian_process import GaussianProcess, condition, fit
from hpt_lab.widgets.controls import Choice, Number, Switch
from hpt_lab.widgets.explorer import Explorer
from hpt_lab.widgets.look import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, VERMILLION, dress, seed

SPACE = Space(learning_rate=Float(1e-4, 1e-1, log=True))
EMBEDDING = Embedding(SPACE)
GRID = np.linspace(0, 1, 501)[:, None]  # (m, 1), where the curves are drawn and suggestions lie
INITIAL = 2
# by how much losses are taken to differ, if not fitted: two alike must not look like certainty
SPREAD = 0.25
PAUSE = 0.4  # seconds between two steps of a run
ACQUISITIONS = {
    "expected improvement": "ei",
    "probability of improvement": "pi",
    "confidence bound": "ucb",
    "Thompson sampling": "thompson",
}


def truth(u: np.ndarray, seed: int) -> np.ndarray:
    """Return the loss without noise at u, any shape, in the unit interval: a valley with ripples
    that `seed` places."""
    middle, phase, ripple = np.random.default_rng((seed, 1998)).random(3)
    return (
        0.1
        + 1.2 * (u - 0.25 - 0.5 * middle) ** 2
        + (0.05 + 0.07 * ripple) * (1 + np.sin(14 * u + 2 * np.pi * phase))
    )


class BayesExplorer(Explorer):
    """Step through Bayesian optimization of a learning rate, with your own points or the suggested
    ones.

    `run`: take suggestions up to the number of trials before it is shown. `settings`: values of
    controls, such as noise=0.05.
    """

    look = frozenset({"trials", "at"})

    def __init__(self, *, run: bool = False, **settings: Any):
        super().__init__(
            "Bayes explorer",
            [
                Choice("acquisition", "Acquisition", "expected improvement", tuple(ACQUISITIONS)),
                Switch(
                    "fitted",
                    "Fit length scale and noise",
                    False,
                    help="By marginal likelihood and priors, as the strategy does",
                ),
                Number(
                    "length",
                    "Length scale",
                    0.2,
                    low=0.02,
                    high=2,
                    step=0.1,
                    log=True,
                    help="If not fitted; in widths of the axis",
                ),
                Number(
                    "believed",
                    "Model noise",
                    0.01,
                    low=0.001,
                    high=0.3,
                    step=0.1,
                    log=True,
                    help="Deviation, in units of the loss; if not fitted",
                ),
                Number(
                    "noise",
                    "True noise",
                    0.0,
                    low=0,
                    high=0.2,
                    step=0.01,
                    help="Deviation added to every result; starts anew",
                ),
                Number(
                    "at",
                    "Look at",
                    0.5,
                    low=0,
                    high=1,
                    step=0.01,
                    help="Where on the axis, from 0 (left) to 1",
                ),
                Number("trials", "Trials", 12, low=3, high=40, whole=True, help="Where Run ends"),
                seed(),
            ],
            size=(960, 470),
            about="A Gaussian process models the loss; the acquisition says where one more trial "
            "promises most.",
        )
        self.take_button = self.button(
            "Take the suggestion",
            lambda: self._evaluate(None),
            icon="magic",
            tip="Evaluate where the acquisition is highest",
        )
        self.here_button = self.button(
            "Evaluate here",
            lambda: self._evaluate(self.controls.values["at"]),
            icon="crosshairs",
            tip="Evaluate at 'Look at'",
        )
        self.buttons.children = (self.take_button, self.here_button, *self.buttons.children)
        self.points = np.empty(0)  # (n,), in the unit interval
        self.losses = np.empty(0)  # (n,)
        self._draw_axes()
        self.begin(run, settings)

    # On the worker's thread.

    def prepare(self) -> None:
        """Condition the process on all results, and weigh every point of the grid."""
        values = self.controls.values
        if (values["seed"], values["noise"]) != self._state_of:
            self._state_of = values["seed"], values["noise"]
            self.points, self.losses = np.empty(0), np.empty(0)
            for u in sobol(1, INITIAL, values["seed"])[:, 0]:
                self._add(float(u))
        self.process = self._model(values)
        self.mean, self.std = self.process.posterior(GRID)
        model, best = self.process, self.process.posterior(self.process.X)[0].min()
        name = ACQUISITIONS[values["acquisition"]]
        if name == "pi":  # as in bayesian_optimization
            best -= MARGIN * self.process.scale
        elif name == "thompson":
            model = self.process.imagining(
                GRID[::4], np.random.default_rng((values["seed"], len(self.points)))
            )
        self.values = Acquisition(model, EMBEDDING, RULES[name], float(best))(GRID)  # (m,)
        self.drawn = model.posterior(GRID)[0] if name == "thompson" else None
        untried = np.abs(GRID - self.points).min(axis=1) > 1e-3
        self.suggestion = float(GRID[untried][self.values[untried].argmax(), 0])

    def _model(self, values: dict[str, Any]) -> GaussianProcess:
        X = self.points[:, None]
        if values["fitted"]:
            return fit(X, self.losses)
        center = float(self.losses.mean())
        theta = np.log([values["length"], 1.0, (values["believed"] / SPREAD) ** 2])
        return condition(
            X, (self.losses - center) / SPREAD, np.zeros(1, int), theta, center, SPREAD
        )

    def _add(self, u: float) -> None:
        """Evaluate at `u`; the noise follows from seed and number of the trial."""
        seed, noise = self._state_of
        error = noise * np.random.default_rng((seed, len(self.points))).standard_normal()
        self.points = np.append(self.points, u)
        self.losses = np.append(self.losses, truth(np.array(u), seed) + error)

    def steps(self) -> Iterator[float]:
        """Take suggestions until there are as many trials as the control says."""
        while len(self.points) < self.controls.values["trials"]:
            self._add(self.suggestion)
            self.prepare()
            self.frame()
            yield PAUSE

    def frame(self) -> None:
        """Draw what is believed, and say it."""
        values, u = self.controls.values, GRID[:, 0]
        lines, low, high = self._lines, self.mean - 2 * self.std, self.mean + 2 * self.std
        self._band.set_verts(
            [np.concatenate([np.stack([u, low], 1), np.stack([u, high], 1)[::-1]])]
        )
        lines["the truth"].set_data(u, truth(u, values["seed"]))
        lines["posterior mean"].set_data(u, self.mean)
        lines["one draw (Thompson)"].set_data(
            u, np.full(len(u), np.nan) if self.drawn is None else self.drawn
        )
        lines["results"].set_data(self.points, self.losses)
        lines["newest"].set_data(self.points[-1:], self.losses[-1:])
        shown = _from_0_to_1(self.values)
        self._acquisition.set_data(u, shown)
        self._acquisition.set_label(values["acquisition"])
        self._suggested.set_data([self.suggestion], [shown[np.abs(u - self.suggestion).argmin()]])
        for line in self._looks:
            line.set_xdata([values["at"]] * 2)
        for line in self._suggestions:
            line.set_xdata([self.suggestion] * 2)
        noise = self.process.scale * self.process.noise**0.5
        self.top.set_title(
            f"{count(len(self.points), 'trial')}, best result {self.losses.min():.3f} (model: "
            "length scale "
            f"{self.process.length_scales[0]:.2g}, noise "
            f"{noise:.2g}{', fitted' * values['fitted']})",
            loc="left",
            fontsize=10.5,
            color=INK,
        )
        self.bottom.set_title(
            f"{values['acquisition'].capitalize()}: highest at {_rate(self.suggestion)}",
            loc="left",
            fontsize=10.5,
            color=INK,
        )
        bounds = np.concatenate([low, high, self.losses, truth(u, values["seed"])])
        self.top.set_ylim(max(bounds.min(), -0.6) - 0.03, min(bounds.max(), 1.8) + 0.03)
        self.say(self.words())
        self.picture.show(fresh=True)

    def words(self) -> str:
        """Return the line of text under the controls."""
        at = self.controls.values["at"]
        (mean,), (std,) = self.process.posterior(np.array([[at]]))
        best, seed = int(self.losses.argmin()), self.controls.values["seed"]
        valley = truth(GRID[:, 0], seed)
        return (
            f"{count(len(self.points), 'trial')}, best result {self.losses[best]:.3f} at "
            f"{_rate(self.points[best])} "
            f"(true loss there {truth(self.points[best], seed):.3f}, lowest anywhere "
            f"{valley.min():.3f}). "
            f"Suggestion: {_rate(self.suggestion)}. At {_rate(at)} it expects {mean:.3f} ± "
            f"{2 * std:.3f}."
        )

    def _draw_axes(self) -> None:
        figure = self.picture.figure
        self.top, self.bottom = (
            figure.add_axes((0.06, 0.45, 0.73, 0.48)),
            figure.add_axes((0.06, 0.11, 0.73, 0.24)),
        )
        self._band = PolyCollection(
            [], facecolor=BLUE, alpha=0.18, linewidth=0, label="mean ± 2 deviations"
        )
        self.top.add_collection(self._band)
        styles: dict[str, dict[str, Any]] = {
            "the truth": {"color": INK, "linestyle": "--", "linewidth": 1.1},
            "posterior mean": {"color": BLUE, "linewidth": 1.8},
            "one draw (Thompson)": {"color": PURPLE, "linestyle": "-.", "linewidth": 1.2},
            "results": {"color": INK, "marker": "o", "linestyle": "none", "markersize": 6},
            "newest": {
                "color": VERMILLION,
                "marker": "D",
                "linestyle": "none",
                "markersize": 7,
                "markeredgecolor": INK,
            },
        }
        self._lines = {
            name: self.top.plot([], [], label=name, **style)[0] for name, style in styles.items()
        }
        (self._acquisition,) = self.bottom.plot([], [], color=GREEN, linewidth=1.6)
        (self._suggested,) = self.bottom.plot(
            [], [], color=ORANGE, marker="*", markersize=14, markeredgecolor=INK
        )
        axes = (self.top, self.bottom)
        self._looks = [
            ax.axvline(0.5, color=FAINT, linewidth=1.4, linestyle=":", label="look at")
            for ax in axes
        ]
        self._suggestions = [
            ax.axvline(0.5, color=ORANGE, linewidth=1.3, linestyle=(0, (5, 2)), label="suggestion")
            for ax in axes
        ]
        dress(self.top, "", ylabel="loss")
        dress(self.bottom, "", xlabel="learning rate (0 to 1 on 'Look at')", ylabel="acquisition")
        self.bottom.legend().remove()
        self.top.legend(
            loc="upper left",
            bbox_to_anchor=(1.01, 1.02),
            frameon=False,
            fontsize=8.5,
            labelcolor=INK,
        )
        for ax in axes:
            ax.set_xlim(-0.01, 1.01)
            ax.set_xticks([0, 1 / 3, 2 / 3, 1], ["0.0001", "0.001", "0.01", "0.1"])
        self.bottom.set(ylim=(-0.08, 1.15), yticks=[])
        self.top.tick_params(labelbottom=False)

    # Of callbacks, on any thread.

    def _evaluate(self, u: float | None) -> None:
        """Evaluate at `u`, or at the suggestion."""

        def once(stop: threading.Event) -> None:
            self.prepare()
            self._add(self.suggestion if u is None else u)
            self.prepare()
            self.frame()

        self.queue(once)


def _rate(u: float) -> str:
    return f"{SPACE['learning_rate'].from_unit(float(u)):.2g}"


def _from_0_to_1(values: np.ndarray) -> np.ndarray:
    """Stretch an acquisition for the picture; of a logarithm only the top 10 are shown, the rest is
    hopeless."""
    floor = max(float(values.min()), float(values.max()) - 10)
    return (np.maximum(values, floor) - floor) / (float(values.max()) - floor or 1.0)

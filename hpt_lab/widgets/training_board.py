"""A board that trains a network while its controls move: what the playground and the fit doctor
share.

Learning rate, dropout and L2 are read by the running training at every epoch; any other control
starts it anew from the seed. Callbacks only set flags and post jobs; the worker's thread does the
rest. Read `TrainingBoard.work` first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hpt_lab.errors import HptError
from hpt_lab.widgets import verdict
from hpt_lab.widgets.controls import Knob, Number
from hpt_lab.widgets.curve_plot import CurvePlot, Kept
from hpt_lab.widgets.look import Board
from hpt_lab.widgets.worker import WORKER

if TYPE_CHECKING:
    from hpt_lab.training.live import LiveTraining

LIVE = ("learning_rate", "dropout", "l2")  # changed while it trains
ONE_MARK = 20  # epochs; changes closer together share a mark
MOST_KEPT = 3
EMPTY: dict[str, list[float]] = {"loss": [], "val_loss": [], "accuracy": [], "val_accuracy": []}

DROPOUT = Number(
    "dropout",
    "Dropout",
    0,
    low=0,
    high=0.8,
    step=0.05,
    help="Share of units switched off in a step; may change as it runs",
)
L2 = Number(
    "l2",
    "L2",
    1e-6,
    low=1e-6,
    high=1,
    step=0.25,
    log=True,
    help="Penalty on squared weights; may change as it runs",
)
RATE = Number(
    "learning_rate",
    "Learning rate",
    0.01,
    low=1e-4,
    high=10,
    step=0.1,
    log=True,
    help="May change as it runs",
)


@dataclass(frozen=True)
class Problem:
    """What a network learns: rows x (n, d) and classes y (n,), validation (x, y), and an accuracy
    to measure it by."""

    x: np.ndarray
    y: np.ndarray
    validation: tuple[np.ndarray, np.ndarray]
    classes: int
    reference: float
    by: str = verdict.KERNEL  # whose accuracy the reference is


class TrainingBoard(Board):
    """Board with Run, Pause, Step, Reset, Keep and Forget around one `LiveTraining`. Subclasses set
    `self.plot` first."""

    plot: CurvePlot

    def __init__(self, title: str, knobs: Sequence[Knob], *, size: tuple[int, int], about: str):
        super().__init__(title, knobs, size=size, about=about)
        self.training: LiveTraining | None = None
        self.problem: Problem | None = None
        self.began_with: dict[str, Any] = {}  # the controls' values when the training began
        self.seconds = 0.0  # spent in training
        self.verdict = verdict.Verdict("untrained", "press Run, or move a control")
        self._tuned: dict[str, float] = {}
        self._restart = self._keep = self._forget = (
            False  # wishes of callbacks, granted by the worker
        )
        self._over = False  # the last Run came to its end
        self.buttons.children = (
            self.run_button,
            self.pause_button,
            self.button(
                "Step",
                lambda: self.queue(self._one_epoch),
                icon="step-forward",
                tip="Train one epoch",
            ),
            self.button(
                "Reset",
                self.reset,
                icon="fast-backward",
                tip="Back to the untrained network of this seed",
            ),
            self.button(
                "Keep",
                self.keep,
                icon="thumb-tack",
                tip="Keep this run's curves for comparison (at most three)",
            ),
            self.button("Forget", self.forget, icon="eraser", tip="Forget the kept curves"),
            self.defaults_button,
        )

    # What a subclass defines.

    def pose(self, values: dict[str, Any]) -> Problem:
        """Return the problem that the controls describe; on the worker's thread."""
        raise NotImplementedError

    def network(self, values: dict[str, Any]) -> tuple[int, int, str, str]:
        """Return (hidden layers, units, activation, optimizer)."""
        raise NotImplementedError

    def draw_more(self) -> None:
        """Draw what the picture shows beside the curves."""

    def words(self) -> str:
        """Return the line of text under the controls."""
        if self.training is None or not self.training.epochs:
            return f"Epoch 0. {self.verdict}"
        now = {name: values[-1] for name, values in self.training.curves.items()}
        return (
            f"Epoch {self.training.epochs}: loss {now['loss'] + 0.0:.2g}, validation "
            f"{now['val_loss']:.2g}. {self.verdict}"
        )

    # On the worker's thread.

    def work(self, stop: threading.Event, until: int | None = None) -> Iterator[None]:
        """Train until the epoch that the control says (or `until`), drawing now and then."""
        self._over = False
        try:
            self._begin()
            yield
            while (training := self.training) is not None and not training.diverged:
                values = self.controls.values
                if training.epochs >= (until or values["epochs"]) or self.should_end(values):
                    break
                self._tune(values)
                started = time.perf_counter()
                training.epoch()
                self.seconds += time.perf_counter() - started
                if self.picture.due():
                    self.frame()
                yield
        except GeneratorExit:
            if not WORKER.busy(self):  # paused; otherwise this widget's next job is about to draw
                self.frame()
            raise
        self._over = until is None  # else it was only brought that far
        self.frame()

    def should_end(self, values: dict[str, Any]) -> bool:
        """Tell whether to stop early."""
        return False

    def _begin(self) -> None:
        """Start the training that the controls ask for, unless it is the one that is there."""
        values = self.controls.values
        if (
            self.training is not None
            and not self._restart
            and _fixed(values) == _fixed(self.began_with)
        ):
            return
        from hpt_lab.training.live import (
            LiveTraining,
            Network,
        )  # here, since TensorFlow takes seconds to load

        self.say("loading TensorFlow …" if self.training is None else "building the network …")
        self._grant_wishes()
        self.problem = problem = self.pose(values)
        if self.training is not None:
            self.training.release()
        network = Network(problem.x.shape[1], problem.classes, *self.network(values))
        self.training = LiveTraining(
            network,
            problem.x,
            problem.y,
            validation=problem.validation,
            batch_size=values["batch_size"],
            seed=values["seed"],
        )
        self.plot.stale |= bool(self.plot.marks)
        self._restart, self.began_with, self.plot.marks, self.seconds = False, values, [], 0.0
        self._over = False
        self._tuned = {name: values[name] for name in LIVE}
        self.training.tune(**self._tuned)
        self.frame()

    def _tune(self, values: dict[str, Any]) -> None:
        """Pass on what changes while it trains, and mark it in the curves."""
        assert self.training is not None
        wanted = {name: values[name] for name in LIVE}
        if wanted == self._tuned:
            return
        what = ", ".join(
            f"{name.replace('_', ' ')} {wanted[name]:g}"
            for name in LIVE
            if wanted[name] != self._tuned[name]
        )
        self._tuned, epoch, marks = wanted, self.training.epochs, self.plot.marks
        self.training.tune(**wanted)
        if epoch and marks and epoch - marks[-1][0] < ONE_MARK:
            marks.pop()  # one mark for one drag of a slider
        if epoch:
            marks.append((epoch, what))
            self.plot.stale = True

    def _one_epoch(self, stop: threading.Event) -> None:
        self._begin()
        assert self.training is not None
        if self.should_end(self.controls.values):
            raise HptError(
                "early stopping has ended this training; press Reset, or set Patience to 0"
            )
        self._tune(self.controls.values)
        self.training.epoch()
        self.frame()

    def _show(self, stop: threading.Event) -> Iterator[None]:
        if self.training is not None:
            self._begin()
        self.frame()
        yield

    def _grant_wishes(self) -> None:
        """Keep or forget runs, as callbacks have asked for."""
        keep, forget, self._keep, self._forget = self._keep, self._forget, False, False
        if forget:
            self.plot.kept, self.plot.stale = [], True
        if keep and self.training is not None and self.training.epochs:
            curves = {name: list(values) for name, values in self.training.curves.items()}
            self.plot.kept = [*self.plot.kept, Kept(self.began_with | self._tuned, curves)][
                -MOST_KEPT:
            ]
            self.plot.stale = True

    def frame(self, *, fresh: bool = False) -> None:
        """Draw the state as it is, judge it, and say it."""
        self._grant_wishes()
        curves = self.training.curves if self.training is not None else EMPTY
        if self.problem is not None and self.training is not None:
            self.verdict = verdict.judge(
                curves,
                classes=self.problem.classes,
                reference=self.problem.reference,
                by=self.problem.by,
            )
        self.draw_more()
        fresh |= self.plot.update(curves, self.controls.values)
        self.say(self.words())
        self.picture.show(fresh=fresh)

    # Of callbacks, on any thread.

    def changed(self, names: set[str]) -> None:
        """Retrain; a running training reads by itself what may change while it runs."""
        if names <= {*LIVE, "epochs"} and self.training is not None:
            if WORKER.busy(self) or not self._over:  # a paused one reads it when it goes on
                self.fail(None)
                return
            self._restart |= names != {"epochs"}
        self.start()

    def train(self, epochs: int) -> None:
        """Train until `epochs` and wait for it, so that a saved notebook has the picture."""
        self.start(lambda stop: self.work(stop, until=epochs))
        WORKER.wait(600)

    def reset(self) -> None:
        """Go back to the untrained network of this seed."""
        self._restart = True
        self.start(self._show)

    def keep(self) -> None:
        """Keep the curves of this run for comparison."""
        self._keep = True
        self._post_show()

    def forget(self) -> None:
        """Forget the kept curves."""
        self._forget = True
        self._post_show()

    def _post_show(self) -> None:
        if not WORKER.busy(self):  # else the running job's next frame does it
            self.start(self._show)


def _fixed(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in (*LIVE, "epochs")}

"""The fit doctor: how capacity, data size, regularisation and early stopping shape the curves, on
handwritten digits.

The best epoch is marked, what was trained beyond it is shaded, and the line of text says what
stopping there would have saved. A run that patience has ended is judged by its best epoch, as if
its weights had been restored: that is the network one would keep. Read `FitDoctor.words` first.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from matplotlib.ticker import FuncFormatter
from sklearn.neighbors import KNeighborsClassifier

from hpt_lab import datasets
from hpt_lab.arguments import check_whole
from hpt_lab.datasets import Data
from hpt_lab.errors import HptError
from hpt_lab.widgets.controls import Number
from hpt_lab.widgets.curve_plot import LOWEST, CurvePlot, Curves
from hpt_lab.widgets.look import INK, ORANGE, seed
from hpt_lab.widgets.training_board import DROPOUT, L2, RATE, Problem, TrainingBoard
from hpt_lab.widgets.verdict import best_epoch

KNOBS = (
    Number(
        "share",
        "Training %",
        10,
        low=2,
        high=100,
        whole=True,
        help="Per cent of the 1,078 training rows in use",
    ),
    Number(
        "layers",
        "Layers",
        3,
        low=0,
        high=5,
        whole=True,
        help="Hidden layers of relu units: capacity",
    ),
    Number(
        "units",
        "Units",
        128,
        low=1,
        high=256,
        step=0.1,
        log=True,
        whole=True,
        help="Units per hidden layer: capacity",
    ),
    DROPOUT,
    L2,
    RATE,
    Number(
        "patience",
        "Patience",
        0,
        low=0,
        high=50,
        whole=True,
        help="Early stopping: end after so many epochs without a better validation loss and go "
        "back to the best; 0 is off",
    ),
    Number(
        "batch_size",
        "Batch size",
        32,
        low=8,
        high=256,
        step=0.1,
        log=True,
        whole=True,
        help="Rows per gradient step",
    ),
    Number(
        "epochs",
        "Epochs",
        100,
        low=10,
        high=500,
        step=10,
        whole=True,
        help="Where training ends at the latest",
    ),
    seed(),
)


class DoctorPlot(CurvePlot):
    """Curves whose title names the accuracy of the epoch that early stopping went back to."""

    restored = 0  # that epoch; 0 without one

    def update(self, curves: Curves, values: Mapping[str, Any]) -> bool:
        """Put curves into the lines, and the restored epoch into the title; see
        CurvePlot.update."""
        stale = super().update(curves, values)
        if self.restored:
            self._titles["accuracy"].set_text(
                f"Restored epoch {self.restored}: validation accuracy "
                f"{curves['val_accuracy'][self.restored - 1]:.0%}"
            )
        return stale


class FitDoctor(TrainingBoard):
    """Train a dense network on the digits, see where it should have stopped, and treat the fit.

    `epochs`: train so many before it is shown, for a saved notebook's picture. `settings`: values
    of controls.
    """

    def __init__(self, *, epochs: int = 0, **settings: Any):
        self._ready = False
        super().__init__(
            "Fit doctor",
            KNOBS,
            size=(960, 360),
            about="Handwritten digits. Give the network too much capacity or "
            "too few rows, watch the validation loss turn, then treat it: more data, dropout, L2, "
            "or patience.",
        )
        figure = self.picture.figure
        loss, accuracy = (
            figure.add_axes((0.1, 0.24, 0.38, 0.66)),
            figure.add_axes((0.57, 0.24, 0.42, 0.66)),
        )
        self.plot: DoctorPlot = DoctorPlot(self.picture, loss, accuracy, floor=0.8)
        loss.tick_params(labelbottom=True)
        loss.set_xlabel("epochs (shaded: beyond the best)", fontsize=9.5, color=INK)
        loss.yaxis.set_major_formatter(
            FuncFormatter(
                lambda value, _: f"≤ {LOWEST:g}" if value < 1.01 * LOWEST else f"{value:g}"
            )
        )
        self.plot.legend_at = -0.1, -0.23
        self._beyond = [
            ax.axvspan(0, 0, color=ORANGE, alpha=0.13, linewidth=0)
            for ax in self.plot.axes.values()
        ]
        self.picture.moving(*self._beyond)
        self.controls.set(**settings)
        self.frame(fresh=True)
        self._ready = True
        if check_whole("epochs", epochs, 0, 30, error=HptError):
            self.train(epochs)

    def pose(self, values: dict[str, Any]) -> Problem:
        """Take the first rows of the digits' training part."""
        data = digits()
        n = max(20, round(len(data.x_train) * values["share"] / 100))
        x, y, validation = (
            data.x_train[:n],
            data.y_train[:n],
            (data.x_validation, data.y_validation),
        )
        neighbours = KNeighborsClassifier(1).fit(x, y).score(*validation)
        return Problem(x, y, validation, 10, float(neighbours), "the nearest neighbour")

    def network(self, values: dict[str, Any]) -> tuple[int, int, str, str]:
        """Return (hidden layers, units, activation, optimizer)."""
        return values["layers"], values["units"], "relu", "adam"

    def should_end(self, values: dict[str, Any]) -> bool:
        """Tell whether patience is at its end."""
        assert self.training is not None
        patience, losses = values["patience"], self.training.curves["val_loss"]
        return bool(patience) and len(losses) - best_epoch(losses or [0.0]) >= patience

    def restored(self) -> int:
        """Return the epoch that early stopping has gone back to; 0 while it has not ended the
        training."""
        if self.training is None or not self.should_end(self.controls.values):
            return 0
        return best_epoch(self.training.curves["val_loss"])

    def draw_more(self) -> None:
        """Shade the epochs beyond the best."""
        losses = self.training.curves["val_loss"] if self.training is not None else []
        best = best_epoch(losses) if losses else 0
        self.plot.restored = self.restored()
        for span in self._beyond:
            span.set_x(best)
            span.set_width(len(losses) - best)

    def words(self) -> str:
        """Return the verdict, and what stopping at the best epoch would have saved; or what early
        stopping has restored."""
        training, text = self.training, super().words()
        n = training.epochs if training is not None else 0
        if training is None or n < 2:
            return text
        curves = training.curves
        best = best_epoch(curves["val_loss"])
        if best == n:
            return f"{text}. Best epoch so far: this one; go on"
        loss, accuracy = curves["val_loss"], curves["val_accuracy"]
        if self.restored():
            return (
                f"Patience ended it in epoch {n}, {n - best} after the best, and restored epoch "
                f"{best}: validation loss "
                f"{loss[best - 1]:.2g}, accuracy {accuracy[best - 1]:.1%}. Epoch {n} itself had "
                f"{loss[-1]:.2g} and "
                f"{accuracy[-1]:.1%}"
            )
        if self.verdict.word == "diverging":
            return text
        turned = (
            " (the loss turned, the accuracy did not)" if accuracy[best - 1] < accuracy[-1] else ""
        )
        saved = (
            f"would have saved {n - best} of {n} epochs ({self.seconds * (n - best) / n:.1f} s); "
            "validation loss "
            f"{loss[best - 1]:.2g} instead of {loss[-1]:.2g}, accuracy {accuracy[best - 1]:.1%} "
            "instead of "
            f"{accuracy[-1]:.1%}"
        )
        return f"{text}. Stopping at the best epoch, {best}, {saved}{turned}"

    def changed(self, names: set[str]) -> None:
        """Retrain, once the widget is complete."""
        if self._ready:
            super().changed(names)


@lru_cache(maxsize=1)
def digits() -> Data:
    """Load the digits once."""
    return datasets.digits()

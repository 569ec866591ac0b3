"""The playground: a small Keras network that retrains while you move its controls.

Left the decision surface with training points (filled) and validation points (hollow), right the
curves. Learning rate, dropout and L2 change while it trains; anything else starts the network anew
from the seed. A verdict says in words what the curves show; the test rows stay sealed until a
button opens them. Read `training_board.TrainingBoard.work` first.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import ipywidgets as widgets
import numpy as np
from contourpy import contour_generator
from matplotlib.artist import Artist
from matplotlib.colors import to_rgb
from PIL import Image

from hpt_lab import datasets
from hpt_lab.arguments import check_among, check_whole
from hpt_lab.datasets import Data
from hpt_lab.errors import HptError
from hpt_lab.widgets.controls import LABEL, Choice, Number
from hpt_lab.widgets.curve_plot import CurvePlot
from hpt_lab.widgets.look import BLUE, INK, VERMILLION, dress, seed
from hpt_lab.widgets.presets import PRESETS
from hpt_lab.widgets.training_board import DROPOUT, L2, RATE, Problem, TrainingBoard
from hpt_lab.widgets.verdict import reference

MAKERS = {
    "two moons": datasets.two_moons,
    "circles": datasets.circles,
    "xor": datasets.xor,
    "spirals": datasets.spirals,
}
KNOBS = (
    Choice("data", "Data", "two moons", tuple(MAKERS)),
    Number(
        "noise",
        "Noise",
        0.2,
        low=0,
        high=0.6,
        step=0.05,
        help="Standard deviation added to each coordinate",
    ),
    Number(
        "share",
        "Training %",
        100,
        low=5,
        high=100,
        step=5,
        whole=True,
        help="Per cent of the 300 training rows in use",
    ),
    Number("layers", "Layers", 2, low=0, high=6, whole=True, help="Hidden layers"),
    Number("units", "Units", 16, low=1, high=64, whole=True, help="Units in each hidden layer"),
    Choice("activation", "Activation", "relu", ("relu", "tanh", "sigmoid", "linear")),
    RATE,
    DROPOUT,
    L2,
    Choice("optimizer", "Optimizer", "adam", ("adam", "sgd", "momentum", "rmsprop")),
    Number(
        "batch_size",
        "Batch size",
        32,
        low=4,
        high=256,
        step=0.1,
        log=True,
        whole=True,
        help="Rows per gradient step",
    ),
    Number(
        "epochs", "Epochs", 300, low=10, high=2000, step=10, whole=True, help="Where training ends"
    ),
    seed(),
)
GRID = 45  # points of the surface along each axis; 45 * 45 rows are four graph calls
CLASSES = ((BLUE, "o"), (VERMILLION, "^"))
# Colours (uint8, RGBA) of the probability of class 1, from blue over white to vermillion; bands
# compress better than shades.
BANDS = np.array(
    [
        (*(255 - abs(2 * p - 1) * 127 * (1 - np.array(to_rgb(CLASSES[int(p > 0.5)][0])))), 255)
        for p in np.linspace(0, 1, 21)
    ]
).astype(np.uint8)
CHOOSE = "choose …"


class Playground(TrainingBoard):
    """Train a dense network on points of two classes in the plane, live.

    `preset`: a name in `presets.PRESETS`. `share`: a share string. `epochs`: train so many before
    it is shown, so that a saved notebook has a picture of them. `settings`: values of controls,
    such as learning_rate=0.1.
    """

    def __init__(
        self,
        *,
        preset: str | None = None,
        share: str | None = None,
        epochs: int = 0,
        **settings: Any,
    ):
        self._ready = False
        super().__init__(
            "Playground",
            KNOBS,
            size=(960, 450),
            about="A real Keras network. Move a control and it retrains; "
            "learning rate, dropout and L2 change while it runs.",
        )
        self.opened = ""  # what the test rows said
        self._data: Data | None = None
        self._draw_axes()
        self._presets = widgets.Dropdown(
            options=[CHOOSE, *PRESETS],
            description="Preset",
            style=LABEL,
            layout={"width": "312px"},
            tooltip="Failures and their cures",
        )
        self._share = widgets.Text(
            description="Share",
            style=LABEL,
            layout={"width": "628px"},
            continuous_update=False,
            tooltip="All settings and the seed: copy it, or paste one and press Enter",
        )
        self._note = widgets.HTML()
        self._presets.observe(
            lambda change: self.guarded(lambda: self._chosen(change.new)), "value"
        )
        self._share.observe(lambda change: self.guarded(lambda: self._pasted(change.new)), "value")
        test = self.button(
            "Open test rows",
            lambda: self.start(self._open_test),
            icon="lock",
            style="warning",
            tip="Score the network on the sealed rows; do it once, when you are done",
        )
        self.buttons.children += (test,)
        row = widgets.HBox([self._presets, self._share], layout={"flex_flow": "row wrap"})
        head, *rest = tuple(self.children)  # type: ignore[has-type]
        self.children = (head, row, self._note, *rest)
        if preset is not None:
            self.apply_preset(preset)
        self.controls.set(**({} if share is None else self.controls.from_text(share)), **settings)
        self._share.value = self.controls.to_text()
        self.problem = self.pose(self.controls.values)
        self.frame(fresh=True)
        self._ready = True
        if check_whole("epochs", epochs, 0, 30, error=HptError):
            self.train(epochs)

    # On the worker's thread.

    def pose(self, values: dict[str, Any]) -> Problem:
        """Make the data set and its first training rows, as many of each class; fit the axes to
        them."""
        self.opened = ""
        self._data = data = load(values["data"], values["noise"], values["seed"])
        each = max(2, round(len(data.x_train) * values["share"] / 200))
        rows = np.sort(
            np.concatenate([np.flatnonzero(data.y_train == kind)[:each] for kind in (0, 1)])
        )
        x, y, validation = (
            data.x_train[rows],
            data.y_train[rows],
            (data.x_validation, data.y_validation),
        )
        for lines, (points, classes) in ((self._training, (x, y)), (self._validation, validation)):
            for kind, line in enumerate(lines):
                line.set_data(*points[classes == kind].T)
        points = np.vstack([data.x_train, validation[0]])
        side = np.ceil(2 * np.abs(points).max() + 0.4) / 2  # in steps, so that it seldom changes
        if self.ax.get_xlim() != (-side, side):
            self.ax.set(xlim=(-side, side), ylim=(-side, side))
            self.plot.stale = True
            self._side = np.linspace(-side, side, GRID)
            self._grid = (
                np.stack(np.meshgrid(self._side, self._side), -1).reshape(-1, 2).astype(np.float32)
            )
        return Problem(x, y, validation, 2, reference(x, y, validation=validation))

    def network(self, values: dict[str, Any]) -> tuple[int, int, str, str]:
        """Return (hidden layers, units, activation, optimizer)."""
        return values["layers"], values["units"], values["activation"], values["optimizer"]

    def draw_more(self) -> None:
        """Draw the decision surface."""
        epochs = self.training.epochs if self.training is not None else 0
        if self.training is not None and not self.training.diverged:
            p = self.training.probabilities(self._grid)[:, 1].reshape(GRID, GRID)
            self._surface.p = p
            lines = [np.empty((0, 2)), *contour_generator(self._side, self._side, p).lines(0.5)]
            self._boundary.set_data(
                *np.concatenate([part for line in lines for part in (line, [[np.nan, np.nan]])]).T
            )
        self._heading.set_text(f"Epoch {epochs}: {self.verdict.word}")

    def words(self) -> str:
        """Return the line of text under the controls."""
        return super().words() + (f". {self.opened}" if self.opened else "")

    def _open_test(self, stop: threading.Event) -> Iterator[None]:
        if self.training is None or self.training.epochs == 0 or self._data is None:
            raise HptError("train first: press Run, then open the test rows")
        with warnings.catch_warnings():  # the widget says it itself
            warnings.simplefilter("ignore")
            x, y = self._data.reveal_test()
        loss, accuracy = self.training.score(x, y)
        n = self._data.reveals
        self.opened = (
            f"Test rows opened after epoch {self.training.epochs}: accuracy {accuracy:.1%}, loss "
            f"{loss:.3f}"
            + (
                ""
                if n == 1
                else f" (opened {n} times: choose by it and it is no honest estimate any more)"
            )
        )
        self.frame()
        yield

    def _draw_axes(self) -> None:
        figure = self.picture.figure
        self.ax = figure.add_axes((0.055, 0.19, 0.4, 0.74))
        self._surface = Surface(*self.ax.bbox.extents)
        figure.add_artist(self._surface)
        (self._boundary,) = self.ax.plot([], [], color=INK, linewidth=1.2)
        self._training = [
            self.ax.plot(
                [],
                [],
                linestyle="none",
                color=colour,
                marker=marker,
                markersize=5.5,
                markeredgecolor="white",
                markeredgewidth=0.5,
                label=f"{i}, training",
            )[0]
            for i, (colour, marker) in enumerate(CLASSES)
        ]
        self._validation = [
            self.ax.plot(
                [],
                [],
                linestyle="none",
                marker=marker,
                markersize=6,
                markerfacecolor="white",
                markeredgecolor=colour,
                markeredgewidth=1.4,
                label=f"{i}, validation",
            )[0]
            for i, (colour, marker) in enumerate(CLASSES)
        ]
        dress(self.ax, "", xlabel="first coordinate (scaled)", ylabel="second coordinate (scaled)")
        self.ax.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.13),
            ncols=4,
            frameon=False,
            fontsize=8,
            labelcolor=INK,
            handletextpad=0.1,
            columnspacing=0.9,
            title="class",
            title_fontsize=8,
        ).get_title().set_color(INK)
        self._heading = self.ax.set_title(" ", loc="left", fontsize=10.5, color=INK)
        self.picture.moving(
            self._surface, self._boundary, *self._training, *self._validation, self._heading
        )
        self.plot = CurvePlot(
            self.picture,
            figure.add_axes((0.545, 0.62, 0.45, 0.31)),
            figure.add_axes((0.545, 0.19, 0.45, 0.31)),
            floor=0.4,
        )

    # Of callbacks, on any thread.

    def changed(self, names: set[str]) -> None:
        """Retrain, once the widget is complete; keep share string and preset menu true."""
        if not self._ready:
            return
        self._share.value = self.controls.to_text()
        preset = PRESETS.get(self._presets.value)
        if preset is not None and self.controls.values != self.controls.defaults | dict(
            preset.values
        ):
            self._presets.value = CHOOSE
            self._note.value = ""
        super().changed(names)

    def apply_preset(self, name: str) -> None:
        """Set all controls as the preset says; a cure keeps the run before it, to be compared
        with."""
        self._presets.value = check_among("preset", name, PRESETS)

    def _chosen(self, name: str) -> None:
        preset = PRESETS.get(name)
        if preset is None:
            return
        self._note.value = (
            f'<div style="background:#fdf6e3;color:{INK};padding:3px '
            "8px;line-height:1.4;border-left:4px solid "
            f'#E69F00">{preset.note}</div>'
        )
        self._keep, self._forget = "cured" in name, "cured" not in name
        self._restart = True  # even where only "epochs" differs
        self.controls.set(**(self.controls.defaults | dict(preset.values)))
        if self._ready:
            self.start()

    def _pasted(self, text: str) -> None:
        self.fail(None)
        if text != self.controls.to_text():
            self.controls.set(**self.controls.from_text(text))


@lru_cache(maxsize=8)  # so that a test part knows that it has been opened
def load(name: str, noise: float, seed: int) -> Data:
    """Return one of MAKERS' data sets, 500 rows."""
    return MAKERS[name](noise=noise, seed=seed)


class Surface(Artist):
    """The probabilities `p` (n, n) of class 1, painted over a box of pixels; `imshow` would take
    ten times as long."""

    def __init__(self, *extents: float):
        super().__init__()
        self.left, self.bottom, right, top = np.rint(extents).astype(int)
        self.size = int(right - self.left), int(top - self.bottom)
        self.p = np.full((GRID, GRID), 0.5)

    def draw(self, renderer: Any) -> None:
        """Interpolate, and look up the colours."""
        p = Image.fromarray(self.p.astype(np.float32)).resize(self.size, Image.Resampling.BILINEAR)
        colours = BANDS.take((np.asarray(p) * (len(BANDS) - 1) + 0.5).astype(np.uint8), axis=0)
        renderer.draw_image(renderer.new_gc(), self.left, self.bottom, colours)

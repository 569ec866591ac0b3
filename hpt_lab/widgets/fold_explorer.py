"""The fold explorer: cross-validation watched fold by fold, and what goes wrong in it.

Top left the folds, a row per fold over all rows of the data; below the rows' classes and groups.
Right the validation accuracy of every fold as the k networks train together (`training.stacked`),
and their mean and spread. The folds are scikit-learn's by way of `training.cross_validation`. With
"Scale before splitting" every fold is trained a second time on rows that a scaler fitted to *all*
rows has scaled, so that the leak can be read off pairwise. Read `steps` first.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap
from sklearn.model_selection import KFold, StratifiedGroupKFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from hpt_lab import datasets
from hpt_lab.datasets import Data
from hpt_lab.errors import DataError
from hpt_lab.plots.figure import count
from hpt_lab.widgets.controls import Choice, Number, Switch
from hpt_lab.widgets.explorer import Explorer
from hpt_lab.widgets.look import BLUE, INK, LINES, ORANGE, dress, seed

KINDS = {"stratified": StratifiedKFold, "grouped": StratifiedGroupKFold, "plain": KFold}
MOST_FOLDS = 10
SEVERAL = ("#56B4E9", "#F0E442", "#CC79A7", "#999999")  # neighbouring groups differ


def patients(rows: int, seed: int) -> Data:
    """Make measurements of patients, five rows each, one in three ill: a patient's rows are alike,
    illness shows faintly."""
    rng = np.random.default_rng((seed, 5))
    n = rows // 4  # patients: a fifth of them will be sealed
    group = np.repeat(np.arange(n), 5)
    ill = (np.arange(n) % 3 == 0)[group]
    x = rng.normal(size=(n, 20))[group] + 0.5 * rng.normal(size=(5 * n, 20)) + 0.35 * ill[:, None]
    return Data(x, ill.astype(int), name="patients", groups=group, seed=seed)


@lru_cache(maxsize=8)
def load(name: str, rows: int, seed: int) -> Data:
    """Return one of the data sets, cut to so many development rows."""
    if name == "patients":
        data = patients(rows, seed)
    else:
        data = (
            datasets.breast_cancer()
            if name == "breast cancer"
            else datasets.two_moons(n=500, noise=0.3, seed=seed)
        )
    chosen = np.sort(np.random.default_rng((seed, 6)).permutation(len(data.x))[:rows])
    order = chosen[
        np.argsort(data.y[chosen] if data.groups is None else data.groups[chosen], kind="stable")
    ]
    data.x, data.y = data.x[order], data.y[order]
    data.rows = data.rows[order]
    data.groups = None if data.groups is None else data.groups[order]
    return data


class FoldExplorer(Explorer):
    """Cross-validate a small network live, with stratified, grouped or plain folds, and with a leak
    if you like.

    `run`: train before it is shown. `settings`: values of controls, such as folds=10.
    """

    def __init__(self, *, run: bool = False, **settings: Any):
        super().__init__(
            "Fold explorer",
            [
                Choice("data", "Data", "patients", ("patients", "breast cancer", "two moons")),
                Choice("kind", "Folds are", "stratified", tuple(KINDS)),
                Number("folds", "Folds", 5, low=2, high=MOST_FOLDS, whole=True),
                Number(
                    "rows",
                    "Rows",
                    120,
                    low=40,
                    high=400,
                    step=20,
                    whole=True,
                    help="Rows to cross-validate on",
                ),
                Number("epochs", "Epochs", 40, low=1, high=200, whole=True),
                Switch(
                    "leak",
                    "Scale before splitting (a leak)",
                    False,
                    help="Train all folds again, scaled with the help of validation rows",
                ),
                seed(),
            ],
            size=(960, 450),
            about="k networks train together, each validated on its own fold. Patients have five "
            "rows each.",
        )
        figure = self.picture.figure
        self.map, self.strip = (
            figure.add_axes((0.05, 0.33, 0.4, 0.58)),
            figure.add_axes((0.05, 0.12, 0.4, 0.13)),
        )
        self.plot, self.result = (
            figure.add_axes((0.51, 0.12, 0.26, 0.79)),
            figure.add_axes((0.79, 0.12, 0.2, 0.79)),
        )
        self.curves: list[
            list[float]
        ] = []  # validation accuracy by epoch, of every fold; then of every leaky one
        self.begin(run, settings)

    # On the worker's thread.

    def prepare(self) -> None:
        """Cut the folds."""
        values = self.controls.values
        self.data = data = load(values["data"], values["rows"], values["seed"])
        if values["kind"] == "grouped" and data.groups is None:
            raise DataError(
                f"{values['data']} has no groups; choose patients, whose rows come in fives, or "
                "other folds"
            )
        if values["kind"] == "grouped" and data.groups is not None:
            groups = len(np.unique(data.groups))
            if groups < values["folds"]:
                raise DataError(
                    f"{values['rows']} rows are of {groups} patients, too few for "
                    f"{values['folds']} grouped "
                    f"folds; use at most {groups} folds, or more rows"
                )
        self.splitter = KINDS[values["kind"]](
            values["folds"], shuffle=True, random_state=values["seed"]
        )
        self.cut = data if values["kind"] == "grouped" else _changed(data, groups=None)
        self.splits = [b for _, b in self.splitter.split(self.cut.x, self.cut.y, self.cut.groups)]
        self.curves = []
        self._drawn = False

    def steps(self) -> Iterator[float]:
        """Train all folds together, an epoch at a time."""
        self.say("loading TensorFlow and tracing the graph …")
        yield 0
        from hpt_lab.training.folds import make_folds
        from hpt_lab.training.objective import build_model
        from hpt_lab.training.stacked import train_together

        values = self.controls.values
        folds = make_folds(self.cut, self.splitter, seed=values["seed"])
        if values["leak"]:
            folds += make_folds(_scaled_first(self.cut), self.splitter, seed=values["seed"])
        seeds = [
            (values["seed"], i % values["folds"]) for i in range(len(folds))
        ]  # a leaky fold has its honest twin's
        models = []
        for own_seed, fold in zip(seeds, folds, strict=True):
            models.append(build_model(_network, {}, seed=own_seed, x=fold.train[0]))
            yield 0
        self.curves = [[] for _ in folds]
        rows, validation = [fold.train for fold in folds], [fold.validation for fold in folds]
        for epoch in range(values["epochs"]):
            trained = train_together(
                models,
                rows,
                validation=validation,
                epochs=epoch + 1,
                start=epoch,
                seeds=seeds,
                jit=False,
            )
            assert trained is not None
            for curve, member in zip(self.curves, trained, strict=True):
                curve += member.curves["val_accuracy"]
            if self.picture.due():
                self.frame()
            yield 0

    # The picture.

    def frame(self) -> None:
        """Draw the folds once, and the scores so far."""
        if not self._drawn:
            self._draw_folds()
        self._drawn = True
        k, done = len(self.splits), len(self.curves[0]) if self.curves else 0
        for ax in (self.plot, self.result):
            ax.clear()
        for i, curve in enumerate(self.curves):
            fold, leaky = i % k, i >= k
            colour, style, marker = LINES[fold % len(LINES)]
            if not leaky:
                self.plot.plot(
                    np.arange(1, done + 1),
                    curve,
                    color=colour,
                    linestyle=style,
                    linewidth=1.3,
                    marker=marker,
                    markersize=4,
                    markevery=(fold, max(1, done // 4)),
                )
            if done:
                self.result.plot(
                    fold,
                    curve[-1],
                    color=colour,
                    marker=marker,
                    linestyle="none",
                    markersize=9 if leaky else 6,
                    fillstyle="none" if leaky else "full",
                )
        for i, scores in enumerate(self.scores()):
            mean = scores.mean()
            deviation = scores.std(ddof=1)
            bar = [[deviation], [min(deviation, 1 - mean)]]  # no accuracy lies above 100 %
            self.result.errorbar(k + i, mean, bar, color=INK, marker="_", markersize=11, capsize=4)
        share = float(np.bincount(self.data.y).max() / len(self.data.y))
        for ax in (self.plot, self.result):
            ax.axhline(share, color=INK, linewidth=1, linestyle=":")
            ax.set_ylim(
                min([share, *(min(curve, default=1) for curve in self.curves)]) - 0.06, 1.02
            )
            ax.yaxis.set_major_formatter("{x:.0%}")
        dress(
            self.plot,
            f"Validation accuracy, epoch {done}",
            xlabel="epochs (dotted: always the larger class)",
        )
        self.plot.set_xlim(0, self.controls.values["epochs"] + 1)
        leaks = bool(self.controls.values["leak"])
        dress(
            self.result,
            f"Mean {self.scores()[0].mean():.1%} ± {self.scores()[0].std(ddof=1):.1%}"
            if done
            else "By fold, mean ± deviation",
            xlabel="fold (hollow: scaled before)" if leaks else "fold",
        )
        self.result.set_xlim(-0.6, k + leaks + 0.6)
        self.result.set_xticks(
            range(k + 1 + leaks), [*map(str, range(k)), *["all", "leak"][: 1 + leaks]]
        )
        self.result.tick_params(labelleft=False)
        self.say(self.words())
        self.picture.show(fresh=True)

    def _draw_folds(self) -> None:
        n, k = len(self.data.x), len(self.splits)
        image = np.zeros((k, n))  # 0: trains
        for i, rows in enumerate(self.splits):
            image[i, rows] = 1 + self.data.y[rows]
        for ax in (self.map, self.strip):
            ax.clear()
        self.map.imshow(
            image,
            cmap=ListedColormap(["#e6e6e6", BLUE, ORANGE]),
            vmin=0,
            vmax=2,
            aspect="auto",
            interpolation="nearest",
            extent=(0, n, k - 0.5, -0.5),
        )
        dress(
            self.map,
            f"{k} {self.controls.values['kind']} folds: the coloured rows validate",
            ylabel="fold",
        )
        self.map.set_yticks(range(k), [f"{i}" for i in range(k)])
        self.map.tick_params(labelbottom=False)
        strips = [self.data.y + 4] + _coloured(self.data.groups)
        self.strip.imshow(
            np.array(strips),
            cmap=ListedColormap([*SEVERAL, BLUE, ORANGE]),
            vmin=0,
            vmax=5,
            aspect="auto",
            interpolation="nearest",
            extent=(0, n, len(strips) - 0.5, -0.5),
        )
        dress(self.strip, "", xlabel="rows of the data (class 0 blue, class 1 orange)")
        self.strip.set_yticks(range(len(strips)), ["class", "group"][: len(strips)])
        for ax in (self.map, self.strip):
            ax.grid(False)
            ax.hlines(
                np.arange(0.5, k if ax is self.map else len(strips)),
                0,
                n,
                color="white",
                linewidth=1.5,
            )

    # What is said.

    def scores(self) -> list[np.ndarray]:
        """Return the last validation accuracies: of the folds, and with a leak those scaled
        before."""
        k = len(self.splits)
        last = np.array([curve[-1] for curve in self.curves if curve])
        return [last[i : i + k] for i in range(0, len(last), k)]

    def shared(self) -> int:
        """Count the groups that have rows in more than one fold."""
        if self.data.groups is None:
            return 0
        homes = [set(self.data.groups[rows]) for rows in self.splits]
        return sum(sum(group in home for home in homes) > 1 for group in set(self.data.groups))

    def _gained(self, difference: np.ndarray) -> str:
        """Say what a leak gained over all folds, in points and in rows, which tell what a point is
        worth."""
        rows = round(float(difference @ [len(held_out) for held_out in self.splits]))
        if not rows:
            return "as many rows right"
        return (
            f"{100 * difference.mean():+.1f} points: {count(abs(rows), 'row')} of "
            f"{len(self.data.x)}"
        )

    def words(self) -> str:
        """Return the line of text under the controls."""
        k, kinds = (
            len(self.splits),
            [np.bincount(self.data.y[rows], minlength=2)[1] / len(rows) for rows in self.splits],
        )
        low = f"{min(kinds):.0%}"
        high = f"{max(kinds):.0%}"
        share = f"{low} of every fold" if low == high else f"{low} to {high} of a fold"
        text = f"{k} folds of {count(len(self.data.x), 'row')}; class 1 is {share}"
        if self.data.groups is not None:
            groups = len(set(self.data.groups))
            shared = self.shared()
            text += (
                f"; {shared} of {groups} patients are in several folds, and validate what they "
                "trained"
                if shared
                else f"; each of the {groups} patients is in one fold only"
            )
        scores = self.scores()
        if not scores:
            return text + ". Press Run."
        own = scores[0]
        text += (
            f". Accuracy {own.mean():.1%} ± {own.std(ddof=1):.1%} ({own.min():.0%} to "
            f"{own.max():.0%})"
        )
        if len(scores) == 2:
            text += (
                f"; scaled before splitting {scores[1].mean():.1%}, {self._gained(scores[1] - own)}"
            )
        return text + "."


def _coloured(groups: np.ndarray | None) -> list[np.ndarray]:
    """Return a strip of four colours in which neighbouring groups differ; none if there are no
    groups."""
    return [] if groups is None else [np.unique(groups, return_inverse=True)[1] % len(SEVERAL)]


def _scaled_first(data: Data) -> Data:
    """Do what one must not: fit the scaler to all rows, and split afterwards."""
    return _changed(data, x=StandardScaler().fit_transform(data.x).astype(np.float32), scaler=None)


def _changed(data: Data, **changes: Any) -> Data:
    changed = Data.__new__(Data)
    changed.__dict__ |= data.__dict__ | changes
    return changed


def _network(config: dict[str, Any]) -> Any:
    import keras

    model = keras.Sequential(
        [keras.layers.Dense(32, activation="relu"), keras.layers.Dense(2, activation="softmax")]
    )
    model.compile(
        keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model

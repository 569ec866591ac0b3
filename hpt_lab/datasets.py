"""Small data sets that need no download, split once and for all, with the test part sealed.

Sixty per cent of the rows train, twenty validate, twenty are the test set; classes keep their
proportions, groups stay whole, and rows in order of time are cut in that order. Scaling is fitted
on the training rows alone. Tune on the validation part as often as you like. The test part opens
through `Data.reveal_test()`, which counts: a test set that you choose by is a validation set. What
is no fit input is refused in `arrays.py` (x, groups) and `labels.py` (y).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import sklearn.datasets
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold, train_test_split

from hpt_lab.arguments import check_among, check_flag, check_number, check_seed, check_whole, show
from hpt_lab.arrays import features, group_names, plain
from hpt_lab.errors import DataError
from hpt_lab.labels import FEWEST, classes, targets
from hpt_lab.scaling import choose_scaler, fit_scaler

Task = Literal["classification", "regression"]
MOST_ROWS = 10**7  # of made-up data
MOST_NOISE = 1e6
MOST_SEED = 2**32 - 1  # scikit-learn's
Split = tuple[np.ndarray, np.ndarray, np.ndarray]  # row numbers: training, validation, test


class Data:
    """Rows split into training, validation and sealed test parts.

    `x_train`, `x_validation`: (n, ...), scaled float32, or integers as they are; `y_train`,
    `y_validation`: (n,) int32 classes 0..k-1, or float32 targets for regression. `x`, `y`,
    `groups`: the unscaled development rows (training and validation together) in the order they
    were given in, for cross-validation, which must fit `scaler` anew inside every fold; `rows`:
    their numbers in what was given.

    scaler: "auto" standardises floats and leaves integers (token ids, categories, pixels) alone;
    "standard"
        standardises integers too; None leaves all as it is; or a scikit-learn transformer, of
        which copies are fitted.
    time_ordered: rows are in order of time. The last fifth is the test part, the fifth before it
    validates. Otherwise
        rows are drawn at random.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        *,
        name: str,
        task: Task = "classification",
        groups: Any = None,
        scaler: Any = "auto",
        class_names: Sequence[str] | None = None,
        time_ordered: bool = False,
        seed: int = 0,
    ):
        _check_settings(name, task, time_ordered, seed)
        _check_alignment(x, y)
        whole_x = features(x)
        given = plain(y, "y")
        if given.ndim and len(whole_x) != len(given):
            raise DataError(
                f"x and y must have the same number of rows, got {len(whole_x)} and {len(given)}"
            )
        if task == "classification":
            whole_y, self.class_names = classes(given, class_names)
            self.n_classes: int | None = len(self.class_names)
        else:
            whole_y = targets(given)
            self.class_names = ()
            self.n_classes = None
        whole_groups = group_names(groups, len(whole_x))
        self.name = name
        self.task = task
        self.time_ordered = time_ordered
        self.scaler = choose_scaler(scaler, whole_x, name=name)

        train, validation, test = _parts(whole_y, whole_groups, task, time_ordered, seed)
        _check_training(whole_y[train], self.class_names)
        self.rows = np.sort(np.concatenate([train, validation]))
        self.x, self.y = whole_x[self.rows], whole_y[self.rows]
        self.groups = None if whole_groups is None else whole_groups[self.rows]
        scaled = fit_scaler(self.scaler, whole_x[train])(whole_x)
        self.x_train, self.y_train = scaled[train], whole_y[train]
        self.x_validation, self.y_validation = scaled[validation], whole_y[validation]
        self._test = scaled[test], whole_y[test]
        self.reveals = 0  # how often the test part was opened

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one row of x, without the batch axis."""
        return self.x_train.shape[1:]

    def reveal_test(self) -> tuple[np.ndarray, np.ndarray]:
        """Open the sealed test part, (x, y), and count it; warn from the second time on."""
        self.reveals += 1
        if self.reveals > 1:
            warnings.warn(
                f"the test part of {self.name} has now been opened {self.reveals} times: "
                f"choices made after "
                "the first look are fitted to it, and its score is no longer an honest "
                "estimate",
                stacklevel=2,
            )
        x, y = self._test
        return x.copy(), y.copy()  # the seal's own rows can't be written to

    def __repr__(self) -> str:
        what = f"{self.n_classes} classes" if self.task == "classification" else "regression"
        return (
            f"Data({self.name!r}, {what}, x {self.input_shape}, {len(self.x_train)} training, "
            f"{len(self.x_validation)} validation, {len(self._test[0])} sealed test rows)"
        )


def digits() -> Data:
    """Load 1,797 handwritten digits of 8x8 pixels, flattened to (64,), ten classes."""
    x, y = sklearn.datasets.load_digits(return_X_y=True)
    return Data(x, y, name="digits")


def breast_cancer() -> Data:
    """Load 569 tumours with 30 measurements each: malignant (0) or benign (1)."""
    bunch = sklearn.datasets.load_breast_cancer()
    return Data(
        bunch.data, bunch.target, name="breast_cancer", class_names=tuple(bunch.target_names)
    )


def two_moons(*, n: int = 500, noise: float = 0.2, seed: int = 0) -> Data:
    """Make two interleaving half circles in the plane; `noise` is the standard deviation added to
    each coordinate."""
    n, noise, seed = _check_made(n, noise, seed)
    x, y = sklearn.datasets.make_moons(n, noise=noise, random_state=seed)
    return Data(x, y, name="two_moons", seed=seed)


def circles(*, n: int = 500, noise: float = 0.1, seed: int = 0) -> Data:
    """Make a circle of radius 0.5 inside one of radius 1, with Gaussian `noise`."""
    n, noise, seed = _check_made(n, noise, seed)
    x, y = sklearn.datasets.make_circles(n, noise=noise, factor=0.5, random_state=seed)
    return Data(x, y, name="circles", seed=seed)


def xor(*, n: int = 500, noise: float = 0.1, seed: int = 0) -> Data:
    """Make points all over the square from -1 to 1, class 1 where the coordinates' signs differ,
    then add Gaussian `noise`."""
    n, noise, seed = _check_made(n, noise, seed)
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 2))
    y = (x[:, 0] > 0) != (x[:, 1] > 0)
    return Data(x + noise * rng.standard_normal((n, 2)), y, name="xor", seed=seed)


def spirals(
    *, n: int = 500, noise: float = 0.1, turns: float = 1.5, label_noise: float = 0.0, seed: int = 0
) -> Data:
    """Make two spirals wound around each other in the plane, radius 0 to 1, with Gaussian `noise`.

    A share `label_noise` of the labels is wrong, in all parts alike: no model can be right more
    often than the rest.
    """
    n, noise, seed = _check_made(n, noise, seed)
    turns = check_number("turns", turns, least=-1000, most=1000, hint=1.5, error=DataError)
    label_noise = check_number(
        "label_noise", label_noise, least=0, most=1, hint=0.1, error=DataError
    )
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    t = np.sqrt(
        rng.random(n)
    )  # sqrt: points spread evenly along the arm, not crowded at the centre
    angle = 2 * math.pi * turns * t + math.pi * y
    x = np.column_stack([t * np.cos(angle), t * np.sin(angle)]) + noise * rng.standard_normal(
        (n, 2)
    )
    y = np.where(rng.random(n) < label_noise, 1 - y, y)
    return Data(x, y, name="spirals", seed=seed)


def _check_made(n: Any, noise: Any, seed: Any) -> tuple[int, float, int]:
    """Check the settings of data that is made up: how many rows, how much noise, and the seed."""
    n = check_whole("n", n, FEWEST, 500, most=MOST_ROWS, error=DataError)
    noise = check_number("noise", noise, least=0, most=MOST_NOISE, hint=0.1, error=DataError)
    return (
        n,
        abs(float(noise)),
        check_seed(seed, most=MOST_SEED, error=DataError),
    )  # abs: NumPy refuses -0.0


def _check_settings(name: Any, task: Any, time_ordered: Any, seed: Any) -> None:
    if not isinstance(name, str):
        raise DataError(
            f"name must be text that messages can call the data by, got {show(name)}; try "
            f"name='mine'"
        )
    check_among("task", task, ("classification", "regression"), error=DataError)
    check_flag("time_ordered", time_ordered, error=DataError)
    check_seed(seed, most=MOST_SEED, error=DataError)


def _check_alignment(x: Any, y: Any) -> None:
    """Refuse a frame and a series whose rows are the same but in another order."""
    if (
        hasattr(x, "iloc")
        and hasattr(y, "iloc")
        and len(x) == len(y)
        and not x.index.equals(y.index)
    ):
        raise DataError(
            "x and y have different row labels (index), so their rows may not belong "
            "together; align them by "
            "y.loc[x.index], or give x.to_numpy() and y.to_numpy()"
        )


def _check_training(y: np.ndarray, class_names: tuple[str, ...]) -> None:
    """Refuse a split that leaves a class with no row to learn from."""
    absent = [name for i, name in enumerate(class_names) if not (y == i).any()]
    if absent:
        raise DataError(
            f"class {absent[0]!r} has no training row, since whole groups or stretches "
            f"of time were set apart; "
            "leave that class out, or take another seed or other groups"
        )


def _parts(
    y: np.ndarray, groups: np.ndarray | None, task: str, time_ordered: bool, seed: int
) -> Split:
    """Draw a fifth of the rows as the test part and a fifth to validate; or cut them off the end,
    if ordered by time."""
    n = len(y)
    if n < FEWEST:
        raise DataError(f"x must have at least {FEWEST} rows to be split 60/20/20, got {n}")
    if time_ordered:
        if groups is not None:
            raise DataError(
                "groups can't be combined with time_ordered=True, whose parts are cut "
                "by time alone; drop one"
            )
        test = math.ceil(n / 5)
        validation = math.ceil((n - test) / 4)
        train = n - test - validation
        return np.arange(train), np.arange(train, n - test), np.arange(n - test, n)
    try:
        development, sealed = _split(np.arange(n), y, groups, 5, task, seed)
        train_rows, validation_rows = _split(
            development, y, groups, 4, task, seed
        )  # a quarter of 80 % is 20 %
    except ValueError as error:
        raise DataError(
            f"the {n} rows can't be split 60/20/20: {error}; give more rows, or other groups"
        ) from error
    parts = (train_rows, validation_rows, sealed)
    if min(map(len, parts)) == 0:
        sizes = ", ".join(str(len(part)) for part in parts)
        raise DataError(
            f"the groups are too unequal to be split 60/20/20, got parts of {sizes} "
            f"rows; divide the largest "
            "group, or take another seed"
        )
    return parts


def _split(
    rows: np.ndarray, y: np.ndarray, groups: np.ndarray | None, parts: int, task: str, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Set one of so many parts apart, with whole groups if there are any."""
    if groups is None:
        keep, apart = train_test_split(
            rows,
            test_size=1 / parts,
            random_state=seed,
            stratify=y[rows] if task == "classification" else None,
        )
        return keep, apart
    splitter = (
        StratifiedGroupKFold(parts, shuffle=True, random_state=seed)
        if task == "classification"
        else GroupShuffleSplit(1, test_size=1 / parts, random_state=seed)
    )
    kept, set_apart = next(splitter.split(rows, y[rows], groups[rows]))
    return rows[kept], rows[set_apart]

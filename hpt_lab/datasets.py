"""Small data sets that need no download, split once and for all, with the test part sealed.

Sixty per cent of the rows train, twenty validate, twenty are the test set; classes keep their proportions, and groups
stay whole. Scaling is fitted on the training rows alone. Tune on the validation part as often as you like. The test part
opens through `Data.reveal_test()`, which counts: a test set that you choose by is a validation set.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, Literal

import numpy as np
import sklearn.base
import sklearn.datasets
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold, train_test_split
from sklearn.preprocessing import StandardScaler

from hpt_lab.errors import DataError

Task = Literal["classification", "regression"]


class Data:
    """Rows split into training, validation and sealed test parts.

    `x_train`, `x_validation`: (n, ...) float32, scaled; `y_train`, `y_validation`: (n,) int32 classes 0..k-1,
    or float32 targets for regression. `x`, `y`, `groups`: the unscaled development rows (training and validation
    together), for cross-validation, which must fit `scaler` anew inside every fold. Rows are drawn at random: rows in
    order of time must be split before.
    """

    def __init__(self, x: Any, y: Any, *, name: str, task: Task = "classification", groups: Any = None,
                 scaler: Any = "standard", class_names: tuple[str, ...] | None = None, seed: int = 0):
        x, y = np.asarray(x, dtype=np.float32), np.asarray(y)
        if len(x) != len(y):
            raise DataError(f"x and y must have the same number of rows, got {len(x)} and {len(y)}")
        if not np.isfinite(x).all():
            raise DataError("x has NaN or infinite values; impute or drop those rows first")
        self.name, self.task = name, task
        self.scaler = StandardScaler() if scaler == "standard" else scaler  # None leaves x as it is
        if task == "classification":
            classes, y = np.unique(y, return_inverse=True)
            self.class_names = class_names or tuple(str(c) for c in classes)
            self.n_classes: int | None = len(classes)
            fewest = int(np.bincount(y).min())
            if self.n_classes < 2 or fewest < 5:
                raise DataError(f"y must have at least 2 classes of at least 5 rows each to be split 60/20/20, got "
                                f"{self.n_classes} classes, the smallest with {fewest} rows; merge or drop rare classes")
            y = y.astype(np.int32)
        else:
            self.class_names, self.n_classes, y = (), None, y.astype(np.float32)

        groups = None if groups is None else np.asarray(groups)
        if groups is not None and (len(groups) != len(x) or len(np.unique(groups)) < 5):
            raise DataError(f"groups must name one of at least 5 groups for each of the {len(x)} rows, got {len(groups)} names "
                            f"of {len(np.unique(groups))} groups")
        development, test = _split(np.arange(len(x)), y, groups, 5, task, seed)
        train, validation = _split(development, y, groups, 4, task, seed)  # a quarter of 80 % is 20 %
        self.x, self.y = x[development], y[development]
        self.groups = None if groups is None else groups[development]
        fitted = None if self.scaler is None else sklearn.base.clone(self.scaler).fit(_flat(x[train]))
        scaled = x if fitted is None else fitted.transform(_flat(x)).astype(np.float32).reshape(x.shape)
        self.x_train, self.y_train = scaled[train], y[train]
        self.x_validation, self.y_validation = scaled[validation], y[validation]
        self._test = scaled[test], y[test]
        self.reveals = 0  # how often the test part was opened

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one row of x, without the batch axis."""
        return self.x_train.shape[1:]

    def reveal_test(self) -> tuple[np.ndarray, np.ndarray]:
        """Open the sealed test part, (x, y), and count it; warn from the second time on."""
        self.reveals += 1
        if self.reveals > 1:
            warnings.warn(f"the test part of {self.name} has now been opened {self.reveals} times: choices made after "
                          "the first look are fitted to it, and its score is no longer an honest estimate", stacklevel=2)
        return self._test

    def __repr__(self) -> str:
        what = f"{self.n_classes} classes" if self.task == "classification" else "regression"
        return (f"Data({self.name!r}, {what}, x {self.input_shape}, {len(self.x_train)} training, "
                f"{len(self.x_validation)} validation, {len(self._test[0])} sealed test rows)")


def digits() -> Data:
    """Load 1,797 handwritten digits of 8x8 pixels, flattened to (64,), ten classes."""
    x, y = sklearn.datasets.load_digits(return_X_y=True)
    return Data(x, y, name="digits")


def breast_cancer() -> Data:
    """Load 569 tumours with 30 measurements each: malignant (0) or benign (1)."""
    bunch = sklearn.datasets.load_breast_cancer()
    return Data(bunch.data, bunch.target, name="breast_cancer", class_names=tuple(bunch.target_names))


def two_moons(*, n: int = 500, noise: float = 0.2, seed: int = 0) -> Data:
    """Make two interleaving half circles in the plane; `noise` is the standard deviation added to each coordinate."""
    x, y = sklearn.datasets.make_moons(n, noise=noise, random_state=seed)
    return Data(x, y, name="two_moons", seed=seed)


def circles(*, n: int = 500, noise: float = 0.1, seed: int = 0) -> Data:
    """Make a circle of radius 0.5 inside one of radius 1, with Gaussian `noise`."""
    x, y = sklearn.datasets.make_circles(n, noise=noise, factor=0.5, random_state=seed)
    return Data(x, y, name="circles", seed=seed)


def xor(*, n: int = 500, noise: float = 0.1, seed: int = 0) -> Data:
    """Make points all over the square from -1 to 1, class 1 where the coordinates' signs differ, then add Gaussian `noise`."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (n, 2))
    y = (x[:, 0] > 0) != (x[:, 1] > 0)
    return Data(x + noise * rng.standard_normal((n, 2)), y, name="xor", seed=seed)


def spirals(*, n: int = 500, noise: float = 0.1, turns: float = 1.5, label_noise: float = 0.0, seed: int = 0) -> Data:
    """Make two spirals wound around each other in the plane, radius 0 to 1, with Gaussian `noise`.

    A share `label_noise` of the labels is wrong, in all parts alike: no model can be right more often than the rest.
    """
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    t = np.sqrt(rng.random(n))  # sqrt: points spread evenly along the arm, not crowded at the centre
    angle = 2 * math.pi * turns * t + math.pi * y
    x = np.column_stack([t * np.cos(angle), t * np.sin(angle)]) + noise * rng.standard_normal((n, 2))
    y = np.where(rng.random(n) < label_noise, 1 - y, y)
    return Data(x, y, name="spirals", seed=seed)


def _split(rows: np.ndarray, y: np.ndarray, groups: np.ndarray | None, parts: int, task: str, seed: int
           ) -> tuple[np.ndarray, np.ndarray]:
    """Set one of so many parts apart, with whole groups if there are any."""
    if groups is None:
        keep, apart = train_test_split(rows, test_size=1 / parts, random_state=seed,
                                       stratify=y[rows] if task == "classification" else None)
        return keep, apart
    splitter = StratifiedGroupKFold(parts, shuffle=True, random_state=seed) if task == "classification" else \
        GroupShuffleSplit(1, test_size=1 / parts, random_state=seed)
    kept, set_apart = next(splitter.split(rows, y[rows], groups[rows]))
    return rows[kept], rows[set_apart]


def _flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1)

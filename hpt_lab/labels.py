"""Labels and targets: which class a row has, or which number, said so that no row gets a class it
doesn't have.

What NumPy would make a class of (NaN, None, an empty text), count twice (1 and "1") or round to
another number is refused with the number of rows and the remedy. Read `classes` for classification
and `targets` for regression.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hpt_lab.arguments import is_listing, show
from hpt_lab.arrays import exact, float32, missing, plain, unmixed
from hpt_lab.errors import DataError

FEWEST = 5  # rows of a class that can be split 60/20/20


def classes(y: Any, class_names: Sequence[str] | None) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the class numbers 0..k-1 of y as (n,) int32, and the names of the k classes, in the
    order of their labels."""
    array = _one_column(plain(y, "y"))
    _refuse_missing(array)
    unmixed(array, "y")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError(
            f"y has {int((~np.isfinite(array)).sum())} infinite labels; drop those "
            f"rows or label them"
        )
    labels, numbers = np.unique(array, return_inverse=True)
    fewest = int(np.bincount(numbers).min())
    if fewest < FEWEST and array.dtype.kind in "fiu" and len(labels) > max(2, len(array) // FEWEST):
        raise DataError(
            f"y has {len(labels)} distinct numbers in {len(array)} rows, too many for "
            f"classes; say "
            "task='regression' if they are amounts"
        )
    if len(labels) < 2 or fewest < FEWEST:
        raise DataError(
            f"y must have at least 2 classes of at least {FEWEST} rows each to be "
            f"split 60/20/20, got "
            f"{len(labels)} classes, the smallest with {fewest} rows; merge or drop "
            f"rare classes"
        )
    return numbers.reshape(-1).astype(np.int32), _class_names(labels, class_names)


def targets(y: Any) -> np.ndarray:
    """Return regression targets as float32: (n,), or (n, k) for several; refuse those that float32
    would falsify."""
    array = plain(y, "y")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2) or 0 in array.shape:
        raise DataError(
            f"y must be one target per row, (n,), or several, (n, k), got shape {array.shape}"
        )
    _refuse_missing(array)
    unmixed(array, "y")
    if array.dtype.kind in "US" or isinstance(array.flat[0], str):
        raise DataError(
            f"y must hold numbers for task='regression', got text such as "
            f"{str(array.flat[0])!r}; convert it by "
            ".astype(float), or say task='classification'"
        )
    if array.dtype.kind == "O":
        array = _numbers(array)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError(
            f"y has {int((~np.isfinite(array)).sum())} infinite targets; drop those rows"
        )
    if array.dtype.kind in "fc" and array.dtype.itemsize <= 4:
        return array.astype(np.float32)
    return float32(exact(array, "y"), "y")


def _numbers(array: np.ndarray) -> np.ndarray:
    """Turn objects that are numbers into integers, if all are, else floats."""
    whole = all(isinstance(value, int | np.integer) for value in array.flat)
    if whole and max(abs(int(value)) for value in array.flat) < 2**63:
        return array.astype(np.int64)
    return array.astype(np.float64)


def _one_column(array: np.ndarray) -> np.ndarray:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 1 and len(array):
        return array
    hot = array.ndim == 2 and array.dtype.kind in "fiub" and np.isin(array, (0, 1)).all()
    if hot and len(array) and (array.sum(axis=1) == 1).all():
        raise DataError(
            f"y must be one label per row, (n,), got one-hot labels of shape "
            f"{array.shape}; give "
            "y.argmax(axis=1)"
        )
    raise DataError(
        f"y must be one label per row, (n,), with at least one row, got shape {array.shape}"
    )


def _refuse_missing(array: np.ndarray) -> None:
    gaps = missing(array).reshape(len(array), -1).any(axis=1)
    if gaps.any():
        raise DataError(
            f"y is missing (NaN, None or empty) in {int(gaps.sum())} of {len(array)} "
            f"rows, the first of them "
            f"row {int(gaps.argmax())}; drop those rows, or label them"
        )


def _class_names(labels: np.ndarray, given: Sequence[str] | None) -> tuple[str, ...]:
    own = tuple(str(label) for label in labels)
    if len(set(own)) < len(own):
        raise DataError(
            f"y has labels that read alike: {', '.join(map(repr, own))}; make them differ"
        )
    if given is None:
        return own
    names = tuple(given) if is_listing(given) and not isinstance(given, set | frozenset) else ()
    texts = all(isinstance(name, str) for name in names)
    if not texts or len(names) != len(own) or len(set(names)) < len(names):
        raise DataError(
            f"class_names must be {len(own)} different names, one for each of the "
            f"labels "
            f"{', '.join(own[:10])} in that order, got {show(given)}"
        )
    names = tuple(str(name) for name in names)
    if isinstance(labels[0], str) and names != own:
        raise DataError(
            f"class_names must be left out where y holds text, which names its classes "
            f"in the order "
            f"{', '.join(own[:10])}, got {show(given)}"
        )
    return names

"""Folds: which development rows train and which validate, and each fold scaled by its own training
rows.

They come from scikit-learn: stratified for classes, by group where the data has groups, forwards
where rows are in order of time; or from any splitter of the caller's (GroupKFold, TimeSeriesSplit,
PredefinedSplit, ...) or a list of pairs. What a splitter gives is checked: a row on both sides, a
fold without rows, or folds that differ from call to call would make a score that nobody can repeat
or believe. Read `split` first.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)

from hpt_lab.arguments import show
from hpt_lab.datasets import Data
from hpt_lab.errors import DataError
from hpt_lab.scaling import fit_scaler
from hpt_lab.training.epochs import as_rows

Folds = (
    int | Any
    # a number of folds, a splitter with `split(x, y, groups)`, or a list of (training,
    # validation) rows
)
Pairs = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Fold:
    """One split: scaled training and validation rows as tensors (x, y)."""

    train: tuple[Any, Any]
    validation: tuple[Any, Any]


def split(data: Data, folds: Folds, *, seed: int) -> Pairs:
    """Split the development rows of `data`: a list of (training rows, validation rows), which are
    numbers of `data.x`.

    `folds` of k: k stratified folds (by group if the data has groups; for regression plain ones),
    shuffled by `seed`; for rows in order of time k folds that each validate on what comes next. A
    splitter, or a list of such pairs, is used as it is, on rows in the order they were given in;
    `data.rows` are their numbers there.
    """
    if isinstance(folds, list | tuple):
        splitter = None
        given: Any = folds
    else:
        splitter = _splitter(data, folds, seed)
        given = _ask(data, splitter)
    name = "folds" if splitter is None else show(splitter)
    pairs = _pairs(data, given, name)
    if splitter is not None and not _equal(pairs, _pairs(data, _ask(data, splitter), name)):
        raise DataError(
            f"{name} gives other folds each time it is asked, so that no result could be repeated; "
            "give it "
            "random_state=0, or a list of its folds"
        )
    _check_time(data, pairs, name)
    return pairs


def make_folds(data: Data, folds: Folds, *, seed: int) -> list[Fold]:
    """Split the development rows and scale every fold by a scaler fitted to its own training
    rows."""
    return cut(data, split(data, folds, seed=seed))


def cut(data: Data, pairs: Pairs) -> list[Fold]:
    """Scale the folds that `split` gave."""
    return [Fold(*scaled(data, train, validation)) for train, validation in pairs]


def digest_of(pairs: Pairs) -> str:
    """Tell folds apart by their rows, to the last one: `repr` shortens long arrays, so others would
    look the same."""
    digest = hashlib.sha256()
    for rows in (rows for pair in pairs for rows in pair):
        digest.update(f"{len(rows)} rows ".encode())
        digest.update(rows.astype("<i8").tobytes())
    return f"{len(pairs)} folds, {digest.hexdigest()[:16]}"


def scaled(data: Data, train: np.ndarray, validation: np.ndarray) -> tuple[Any, Any]:
    """Cut out rows, scaled by a scaler fitted to the training rows: ((x, y), (x, y)) as tensors."""
    scale = fit_scaler(data.scaler, data.x[train])
    return as_rows(scale(data.x[train]), data.y[train]), as_rows(
        scale(data.x[validation]), data.y[validation]
    )


def subset(data: Data, rows: np.ndarray) -> Data:
    """Make data whose development part is `rows` of the development part of `data`, in order, and
    nothing else."""
    rows = np.sort(rows)
    inside = Data.__new__(Data)
    inside.__dict__ |= data.__dict__
    inside.x = data.x[rows]
    inside.y = data.y[rows]
    inside.rows = data.rows[rows]
    inside.groups = None if data.groups is None else data.groups[rows]
    inside.x_train = inside.x_validation = data.x[rows][:0]
    inside.y_train = inside.y_validation = data.y[rows][:0]
    inside._test = (inside.x_train, inside.y_train)
    return inside


def _splitter(data: Data, folds: Folds, seed: int) -> Any:
    """Return the splitter that `folds` is or stands for."""
    if isinstance(folds, int | np.integer) and not isinstance(folds, bool):
        return _of_number(data, int(folds), seed)
    if isinstance(folds, type):
        raise DataError(
            f"folds must be a splitter, got the class {folds.__name__}; call it: "
            f"{folds.__name__}(...)"
        )
    if not isinstance(folds, str | bytes) and callable(getattr(folds, "split", None)):
        return folds
    remedy = "make a list of it" if hasattr(folds, "__next__") else "try folds=5"
    raise DataError(
        "folds must be a whole number >= 2, a scikit-learn splitter or a list of (training rows, "
        "validation "
        f"rows), got {show(folds)}; {remedy}"
    )


def _of_number(data: Data, k: int, seed: int) -> Any:
    if not 2 <= k <= len(data.x):
        raise DataError(
            f"folds must be between 2 and the {len(data.x)} development rows of {data.name}, got "
            f"{k}"
        )
    if data.time_ordered:
        return TimeSeriesSplit(k)
    if data.task == "regression":
        return KFold(k, shuffle=True, random_state=seed) if data.groups is None else GroupKFold(k)
    counts = np.bincount(data.y, minlength=data.n_classes or 0)
    rarest = int(counts.argmin())
    if counts[rarest] < k:
        raise DataError(
            f"class {data.class_names[rarest]!r} of {data.name} has {counts[rarest]} development "
            "rows, too "
            f"few for folds={k}; use at most as many folds as rows, or merge that class with "
            "another"
        )
    kind = StratifiedKFold if data.groups is None else StratifiedGroupKFold
    return kind(k, shuffle=True, random_state=seed)


def _ask(data: Data, splitter: Any) -> list[Any]:
    flat = data.x.reshape(len(data.x), -1)
    try:
        return list(splitter.split(flat, data.y, data.groups))
    except (ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
        remedy = (
            "; name the rows' groups by Data(..., groups=...)"
            if data.groups is None and "group" in str(error)
            else ""
        )
        raise DataError(
            f"{data.name} can't be split by {show(splitter)}: {error}{remedy}"
        ) from error


def _pairs(data: Data, given: Sequence[Any], name: str) -> Pairs:
    """Check folds, and return them as row numbers."""
    if len(given) < 2:
        raise DataError(
            f"{name} gave {len(given)} folds of {data.name}, but a mean and its spread need at "
            "least 2; without "
            "`folds` the data's own validation part is used"
        )
    pairs: Pairs = []
    for i, pair in enumerate(given):
        if isinstance(pair, str | np.ndarray) or not hasattr(pair, "__len__") or len(pair) != 2:
            raise DataError(
                f"{name} must give pairs (training rows, validation rows), fold {i} is {show(pair)}"
            )
        train = _rows(data, pair[0], f"{name}, fold {i}")
        validation = _rows(data, pair[1], f"{name}, fold {i}")
        if len(train) == 0 or len(validation) == 0:
            raise DataError(
                f"{name}, fold {i} has {len(train)} training and {len(validation)} validation "
                "rows, some empty; "
                "each needs at least one: use fewer folds"
            )
        both = np.intersect1d(train, validation)
        if len(both):
            raise DataError(
                f"{name}, fold {i} has {len(both)} rows on both sides, such as row {both[0]}, so "
                "that it would "
                "be scored on what it learned; take them out of one"
            )
        pairs.append((train, validation))
    return pairs


def _rows(data: Data, rows: Any, where: str) -> np.ndarray:
    n = len(data.x)
    numbers = np.asarray(rows)
    if numbers.dtype == bool and numbers.shape == (n,):
        return np.flatnonzero(numbers)
    if numbers.size == 0:
        return np.empty(0, dtype=np.intp)
    if (
        numbers.ndim != 1
        or numbers.dtype.kind not in "iu"
        or numbers.min() < 0
        or numbers.max() >= n
    ):
        got = (
            f"{numbers.min()}..{numbers.max()}"
            if numbers.dtype.kind in "iu"
            else f"{numbers.dtype} of {numbers.shape}"
        )
        raise DataError(
            f"{where} must be row numbers from 0 to {n - 1}, of the development rows data.x, got "
            f"{got}; the test "
            "part is sealed, and data.rows says which of your rows the others are: "
            "your_array[data.rows]"
        )
    return numbers.astype(np.intp)


def _equal(some: Pairs, others: Pairs) -> bool:
    return len(some) == len(others) and all(
        np.array_equal(a, c) and np.array_equal(b, d)
        for (a, b), (c, d) in zip(some, others, strict=True)
    )


def _check_time(data: Data, pairs: Pairs, name: str) -> None:
    """Refuse folds that train on the future; warn where folds mind the order of time but the sealed
    part does not."""
    forwards = [train.max() < validation.min() for train, validation in pairs]
    if data.time_ordered and not all(forwards):
        raise DataError(
            f"{name}, fold {forwards.index(False)} trains on rows after those it validates on, but "
            f"{data.name} has "
            "time_ordered=True; use folds=5 or TimeSeriesSplit(5)"
        )
    if not data.time_ordered and all(forwards):
        warnings.warn(
            f"{name} keeps the order of time, but the sealed test rows of {data.name} were drawn "
            "from all times, among "
            "the rows that train: if its rows are in order of time, make it with Data(..., "
            "time_ordered=True), "
            "which seals the last fifth",
            stacklevel=3,
        )

"""What a caller gives as x and groups, turned into arrays that training in float32 can't falsify,
or refused.

Training computes in float32, which has 24 bits: near 1e9 its numbers lie 64 apart. So features are
kept in float64 as long as the scaler needs them, integers stay integers (a token id is a name, not
an amount), and values that float32 would merge are refused. Labels and targets are in `labels.py`.
Read `features` first, then `coarse`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hpt_lab.errors import DataError

FLOAT32 = np.finfo(np.float32)
LARGEST = 1e100  # squares beyond it, which every scaler needs, come near the end of float64
EXACT = 2**53  # float64 holds every whole number up to here
MERGED = 5e-6  # rounding errors, in standard deviations, that may make two values one
ROUNDED = 1e-3  # rounding errors that may shift values which stay apart
NO_VALUE = ("", "nan", "NaN", "NaT", "<NA>")  # what a missing value looks like once it became text


def features(x: Any) -> np.ndarray:
    """Return a copy of x, (n, ...): int32 or int64 for integers, else float32, or float64 where
    float32 is too coarse.

    Booleans stay booleans. Whatever is missing, not a number, or not a table is refused.
    """
    names = _names(x)
    array = _frame(x) if names is not None else plain(x, "x")
    if array.ndim < 2 or 0 in array.shape:
        raise DataError(
            f"x must have at least one row and one column, (n, columns), got shape "
            f"{array.shape}; "
            "one column is x[:, None]"
        )
    array = _numbers(array, names)
    if array.dtype.kind == "f":
        return _floats(array, names)
    if array.dtype.kind == "b":
        return array.astype(bool)
    whole = _int64(array)
    small = np.iinfo(np.int32).min <= whole.min() and whole.max() <= np.iinfo(np.int32).max
    return whole.astype(np.int32 if small else np.int64)


def plain(values: Any, what: str) -> np.ndarray:
    """Return `values` as an array that still tells missing values, text and numbers apart."""
    if hasattr(values, "tocsr"):
        raise DataError(
            f"{what} must be dense, got a sparse matrix of shape {values.shape}; give "
            f"{what}.toarray()"
        )
    if np.ma.isMaskedArray(values) and np.ma.getmaskarray(values).any():
        raise DataError(
            f"{what} has {int(np.ma.getmaskarray(values).sum())} masked values, which "
            f"would be taken for "
            "real ones; fill them in (.filled(value)) or drop their rows"
        )
    try:
        array = np.asarray(values)
        if array.dtype.kind in "US" and not isinstance(values, np.ndarray):
            array = np.asarray(
                values, dtype=object
            )  # NumPy makes text of [1, "a"] and of ["a", nan]
    except (ValueError, TypeError) as error:
        raise DataError(
            f"{what} must be an array of one shape, got {type(values).__name__}: "
            f"{error}; make all rows "
            "equally long"
        ) from error
    if array.dtype.names is not None or array.dtype.kind == "V":
        raise DataError(
            f"{what} must be a plain array, got records with the fields {array.dtype.names}"
        )
    if array.dtype.kind in "cmM":
        raise DataError(
            f"{what} must hold real numbers or labels, got {array.dtype}; turn times "
            f"into numbers, for "
            "instance days since the first, and complex numbers into two columns"
        )
    return array


def missing(array: np.ndarray) -> np.ndarray:
    """Tell which elements are no value: NaN, None, pandas' NA and NaT, and text that is empty or
    spells NaN."""
    if array.dtype.kind == "f":
        return np.isnan(array)
    if array.dtype.kind in "US":
        text = np.char.decode(array, "utf-8", "replace") if array.dtype.kind == "S" else array
        return np.isin(np.char.strip(text), NO_VALUE)
    if array.dtype.kind != "O":
        return np.zeros(array.shape, dtype=bool)
    return np.array([_is_missing(value) for value in array.flat], dtype=bool).reshape(array.shape)


def coarse(values: np.ndarray) -> np.ndarray:
    """Tell which columns of a float64 table (n, d) float32 falsifies: values become one, or move,
    more than rounding.

    That is judged in the column's own standard deviations. A column of one value can't be
    falsified; values beyond float32's range, and columns that fall below it (TensorFlow counts
    1e-39 as zero), are.
    """
    with np.errstate(over="ignore", under="ignore"):
        rounded = values.astype(np.float32).astype(np.float64)
    rounded[np.abs(rounded) < FLOAT32.tiny] = 0
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        error = np.abs(values - rounded).max(axis=0)
        spread = np.std(values, axis=0)
    bad: np.ndarray = np.array(~np.isfinite(rounded).all(axis=0))
    for column in np.flatnonzero(~bad & ~(error <= MERGED * spread)):
        before = len(np.unique(values[:, column]))
        merges = len(np.unique(rounded[:, column])) < before
        bad[column] = merges or (before > 1 and error[column] > ROUNDED * spread[column])
    return bad


def float32(values: np.ndarray, what: str) -> np.ndarray:
    """Cast (n, ...) to float32, or refuse if that would falsify it."""
    if values.dtype.itemsize <= 4 and values.dtype.kind == "f":
        return values.astype(np.float32)
    table = exact(values, what).reshape(len(values), -1)
    bad = np.flatnonzero(coarse(table))
    if len(bad) == 0:
        return values.astype(np.float32)
    column = table[:, bad[0]]
    with np.errstate(over="ignore", under="ignore"):
        left = len(np.unique(column.astype(np.float32)))
    where = what if table.shape[1] == 1 else f"column {bad[0]} of {what}"
    raise DataError(
        f"{where} has values from {column.min():.10g} to {column.max():.10g}, which "
        f"float32, in which "
        f"networks train, can't tell apart ({len(np.unique(column))} distinct values "
        f"would become {left}) or "
        "would shift; subtract the mean and divide by the standard deviation first"
    )


def exact(values: np.ndarray, what: str) -> np.ndarray:
    """Return numbers as float64, or refuse integers that it can't hold."""
    if (
        values.dtype.kind in "iu"
        and values.size
        and (values.max() > EXACT or values.min() < -EXACT)
    ):
        raise DataError(
            f"{what} has whole numbers beyond 2**53, which can't be computed with "
            f"exactly; subtract the "
            "smallest first"
        )
    return values.astype(np.float64)


def check_finite(values: np.ndarray, what: str) -> None:
    """Raise DataError if `values`, (n, ...), has a NaN or an infinity, which would spoil every
    weight they meet."""
    if values.dtype.kind != "f":
        return
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(
            values.sum()
        ):  # a single pass without a copy; a sum may overflow where no value does
            return
    bad = ~np.isfinite(values.reshape(len(values), -1) if values.ndim else values.reshape(1, 1))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise DataError(
            f"{what} has NaN or infinite values in {int(bad.any(axis=1).sum())} rows, the first in "
            f"row {row}, "
            f"column {column}, which no training survives; impute or drop those rows first, or "
            "give a row "
            "without a target any target and a sample_weight of 0"
        )


def group_names(groups: Any, n: int) -> np.ndarray | None:
    """Return the group of each of n rows, (n,), or None."""
    if groups is None:
        return None
    array = plain(groups, "groups")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(f"groups must be one name per row, (n,), got shape {array.shape}")
    if missing(array).any():
        raise DataError(
            f"groups has {int(missing(array).sum())} missing values; name each such "
            f"row's group, or drop it"
        )
    unmixed(array, "groups")
    if len(array) != n or len(np.unique(array)) < 5:
        raise DataError(
            f"groups must name one of at least 5 groups for each of the {n} rows, got "
            f"{len(array)} names "
            f"of {len(np.unique(array))} groups"
        )
    return np.array(array)


def unmixed(array: np.ndarray, what: str) -> None:
    """Refuse text among numbers, and whatever else can't be put in order."""
    if array.dtype.kind != "O":
        return
    kinds = {_kind(value) for value in array.flat}
    if len(kinds) > 1 or not kinds <= {"text", "number"}:
        raise DataError(
            f"{what} must be all numbers or all text, got "
            f"{' and '.join(sorted(kinds))}; convert it, for "
            "instance by .astype(str)"
        )


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "text"
    numbers = int | float | np.number | np.bool_
    return (
        "number"
        if isinstance(value, numbers) and not np.iscomplexobj(value)
        else type(value).__name__
    )


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ in (
        "NAType",
        "NaTType",
    ):  # pandas' own, without importing pandas
        return True
    if isinstance(value, str):
        return value.strip() in NO_VALUE
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def _names(x: Any) -> list[str] | None:
    """Return the column names of a data frame, None for anything else."""
    if hasattr(x, "columns") and hasattr(x, "iloc"):
        return [str(name) for name in x.columns]
    return None


def _frame(frame: Any) -> np.ndarray:
    """Join a data frame's columns: integers if all are, else floats; booleans count as integers."""
    columns = []
    for i, name in enumerate(frame.columns):
        column = plain(frame.iloc[:, i].to_numpy(), f"column {str(name)!r} of x")
        columns.append(_numbers(column[:, None], [str(name)]))
    if not columns:
        return np.empty((len(frame), 0))
    if {column.dtype.kind for column in columns} == {"b"}:
        return np.hstack(columns)
    whole = all(column.dtype.kind in "iub" for column in columns)
    return np.hstack([_int64(column) if whole else exact(column, "x") for column in columns])


def _int64(array: np.ndarray) -> np.ndarray:
    """Return whole numbers, also objects, as int64."""
    largest = max(abs(int(array.max())), abs(int(array.min())))
    if largest > np.iinfo(np.int64).max:
        raise DataError(
            f"x has integers beyond 2**63, such as {largest}; number them anew from 0, "
            f"for instance by "
            "numpy.unique(x, return_inverse=True)"
        )
    return array.astype(np.int64)


def _numbers(array: np.ndarray, names: list[str] | None) -> np.ndarray:
    """Turn an array of objects that are numbers into one of numbers; name the column where one is
    not."""
    if array.dtype.kind in "fiub":
        return array.astype(np.float64) if array.dtype.itemsize > 8 else array
    rows = array.reshape(len(array), -1)
    gaps = missing(rows)
    if gaps.any() and array.dtype.kind == "O":
        _refuse_gaps(gaps, names)
    for i in range(rows.shape[1]):
        odd = next(
            (value for value in rows[:, i] if array.dtype.kind != "O" or _kind(value) != "number"),
            None,
        )
        if odd is not None:
            raise DataError(
                f"{_column(i, names)} must hold numbers, got {type(odd).__name__} such "
                f"as {str(odd)!r}; encode "
                "text and categories as numbers (OneHotEncoder, pandas.get_dummies), "
                "times as durations"
            )
    kinds = {"i" if type(value) is int else np.asarray(value).dtype.kind for value in rows.flat}
    if kinds <= set("iub") and kinds != {"b"}:
        return _int64(array)  # float64 would round beyond 2**53
    return array.astype(bool if kinds == {"b"} else np.float64)


def _floats(array: np.ndarray, names: list[str] | None) -> np.ndarray:
    rows = array.reshape(len(array), -1)
    _refuse_gaps(~np.isfinite(rows), names)
    if array.dtype.itemsize <= 4:
        return array.astype(np.float32)
    if np.abs(rows).max() > LARGEST:
        raise DataError(
            f"x has values as large as {np.abs(rows).max():.3g}, beyond what can be "
            f"scaled; take their logarithm"
        )
    return array.astype(np.float64 if coarse(rows.astype(np.float64)).any() else np.float32)


def _refuse_gaps(gaps: np.ndarray, names: list[str] | None) -> None:
    if gaps.any():
        columns = np.flatnonzero(gaps.any(axis=0))
        raise DataError(
            f"x has NaN or infinite values in {int(gaps.any(axis=1).sum())} rows, the "
            f"first column with them "
            f"is {_column(int(columns[0]), names)}; impute or drop those rows first"
        )


def _column(i: int, names: list[str] | None) -> str:
    return f"column {i} of x" if names is None else f"column {names[i]!r} of x"

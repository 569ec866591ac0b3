"""Fit a scaler to training rows, in float64 where float32 would be too coarse, and never the
caller's own object.

Scaling comes before the cast to float32: a column of timestamps near 1.7e9 has no digits left in
float32, and all of them once its mean is subtracted. Integers are scaled only where the caller
says so: token ids and categories are names, and padding must stay zero.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn.base
from sklearn.preprocessing import StandardScaler

from hpt_lab.arguments import show
from hpt_lab.arrays import exact, float32
from hpt_lab.errors import DataError


def choose_scaler(scaler: Any, x: np.ndarray, *, name: str) -> Any:
    """Return a scaler that is not fitted, or None for x as it is. "auto": standardise floats, leave
    integers alone."""
    if scaler is None:
        return None
    named = scaler if isinstance(scaler, str) else ""
    if named == "auto" and x.dtype.kind in "iub":
        warnings.warn(
            f"x of {name} holds integers ({x.dtype}), which stay as they are: names such "
            f"as token ids must not "
            "be scaled. If they are amounts, say scaler='standard'; scaler=None says it "
            "without this warning",
            stacklevel=3,
        )
        return None
    exact(x, "x")  # scalers compute in float64
    if named in ("auto", "standard"):
        return StandardScaler()
    usable = callable(getattr(scaler, "fit", None)) and callable(getattr(scaler, "transform", None))
    if isinstance(scaler, type) or not usable:
        raise DataError(
            f"scaler must be 'auto', 'standard', None or a scikit-learn transformer "
            f"such as MinMaxScaler(), "
            f"got {show(scaler)}"
        )
    try:
        return sklearn.base.clone(scaler)
    except (TypeError, RuntimeError) as error:
        raise DataError(
            f"scaler {show(scaler)} can't be copied to be fitted anew in every fold: "
            f"{error}; derive it from "
            "sklearn.base.BaseEstimator"
        ) from error


def fit_scaler(scaler: Any, x: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Fit a copy of `scaler` to the rows x (n, ...); return the function that scales rows, (m,
    ...), for training.

    Where the scaler changes the number of columns, rows come out flat.
    """
    if scaler is None:
        return lambda rows: rows if rows.dtype.kind in "iu" else float32(rows, "x")
    fitted = sklearn.base.clone(scaler)
    try:
        fitted.fit(_flat(x))
    except (ValueError, TypeError) as error:
        raise DataError(
            f"scaler {show(scaler)} can't be fitted to {len(x)} training rows: {error}"
        ) from error

    def scale(rows: np.ndarray) -> np.ndarray:
        try:
            out = fitted.transform(_flat(rows))
        except (ValueError, TypeError) as error:
            raise DataError(
                f"scaler {show(scaler)} can't transform {len(rows)} rows: {error}"
            ) from error
        values = _checked(scaler, out, len(rows))
        return values.reshape(rows.shape) if values.size == rows.size else values

    return scale


def _checked(scaler: Any, out: Any, n: int) -> np.ndarray:
    """Return a scaler's output for n rows as training takes it: float32, or integers that stay
    integers."""
    values = np.asarray(out.toarray() if hasattr(out, "tocsr") else out)
    if values.dtype.kind not in "fiub" or values.ndim != 2 or len(values) != n:
        raise DataError(
            f"scaler {show(scaler)} must give {n} rows of numbers, got {values.dtype} of "
            f"shape {values.shape}"
        )
    if not np.isfinite(values).all():
        raise DataError(
            f"scaler {show(scaler)} makes NaN or infinite values of x; choose one that is "
            f"defined for all rows"
        )
    return (
        values.astype(np.int64) if values.dtype.kind in "iu" else float32(values, "x after scaling")
    )


def _flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1)

"""What a model's predictions are worth: scikit-learn's metrics behind one call.

Predictions are what Keras' `model.predict` gives: (n,) or (n, 1) for a sigmoid unit or a
regression, (n, k) for a softmax. Metrics of probabilities need probabilities; whether a model gives
logits instead is read off its compiled loss (`gives_logits`), because that is the only place where
Keras itself is told.

Metrics that can't be computed are NaN, never a made-up number: every metric when a prediction is
not finite, ROC-AUC and average precision when fewer than two classes occur. A class that is missing
from y among others is left out of the averages of ROC-AUC, average precision, and (unless it was
predicted) macro F1. Read `evaluate` first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn
import sklearn.metrics
from scipy.special import expit, softmax

from hpt_lab.errors import DataError

SCORES = (
    "accuracy",
    "f1",
    "f1_macro",
    "roc_auc",
    "average_precision",
    "r2",
)  # more is better, 1 is perfect
LOSSES = ("log_loss", "mse", "mae")  # less is better


@dataclass(frozen=True)
class _Scored:
    """What every metric is computed from."""

    y: np.ndarray  # (n,) classes, or targets
    p: np.ndarray  # (n, k) probabilities, or (n,) predicted targets
    guess: np.ndarray  # (n,) the predicted classes, or targets

    @property
    def present(self) -> np.ndarray:
        return np.unique(self.y)

    def one_vs_rest(self, metric: Callable[[np.ndarray, np.ndarray], float]) -> float:
        """Average a ranking metric over the classes that occur (binary: of class 1 alone)."""
        if len(self.present) < 2:
            return math.nan
        classes = [1] if self.p.shape[1] == 2 else self.present
        return float(metric(self.y[:, None] == classes, self.p[:, classes]))


def _log_loss(s: _Scored) -> float:
    return sklearn.metrics.log_loss(s.y, s.p, labels=np.arange(s.p.shape[1]))


_CLASSIFICATION: dict[str, Callable[[_Scored], float]] = {
    "accuracy": lambda s: sklearn.metrics.accuracy_score(s.y, s.guess),
    "f1": lambda s: sklearn.metrics.f1_score(s.y, s.guess, zero_division=0),
    "f1_macro": lambda s: sklearn.metrics.f1_score(s.y, s.guess, average="macro", zero_division=0),
    "roc_auc": lambda s: s.one_vs_rest(sklearn.metrics.roc_auc_score),
    "average_precision": lambda s: s.one_vs_rest(sklearn.metrics.average_precision_score),
    "log_loss": _log_loss,
}
_REGRESSION: dict[str, Callable[[_Scored], float]] = {
    "mse": lambda s: sklearn.metrics.mean_squared_error(s.y, s.p),
    "mae": lambda s: sklearn.metrics.mean_absolute_error(s.y, s.p),
    "r2": lambda s: sklearn.metrics.r2_score(s.y, s.p) if len(s.y) > 1 else math.nan,
}


def metric_names(task: str, n_classes: int | None = None) -> tuple[str, ...]:
    """List the metrics of a task: "classification" (`f1` only with two classes) or "regression"."""
    if task == "regression":
        return tuple(_REGRESSION)
    if task != "classification":
        raise DataError(f"task must be 'classification' or 'regression', got {task!r}")
    return tuple(name for name in _CLASSIFICATION if name != "f1" or n_classes == 2)


def is_score(name: str) -> bool:
    """Tell whether more is better; an objective then minimises 1 - score. Unknown names raise."""
    if name not in SCORES + LOSSES:
        raise DataError(f"metric must be one of {', '.join(SCORES + LOSSES)}, got {name!r}")
    return name in SCORES


def evaluate(
    y_true: Any,
    predictions: Any,
    task: str,
    *,
    logits: bool = False,
    threshold: float = 0.5,
    names: Sequence[str] | None = None,
) -> dict[str, float]:
    """Score predictions: accuracy, f1 (two classes), f1_macro, roc_auc, average_precision,
    log_loss; or mse, mae, r2.

    `y_true`: (n,) classes or targets, or (n, k) one-hot. `predictions`: (n,), (n, 1) or (n, k)
    probabilities, or logits with `logits=True`. `threshold`: with two classes, class 1 is predicted
    where its probability reaches it.
    `names`: compute these alone; ten classes cost about 2 ms for accuracy and log loss, 15 ms for
    everything.
    Several classes: F1, ROC-AUC (one against the rest) and average precision are unweighted means
    over classes.

    >>> said = [0.1, 0.6, 0.7, 0.9]
    >>> evaluate([0, 0, 1, 1], said, "classification", names=["accuracy", "roc_auc"])
    {'accuracy': 0.75, 'roc_auc': 1.0}
    """
    y = _numbers(y_true, "y_true")
    raw = _numbers(predictions, "predictions").astype(np.float64)
    if len(y) != len(raw) or len(y) == 0:
        raise DataError(
            f"predictions must have one row per row of y_true and at least one, got {len(raw)} and "
            f"{len(y)}"
        )
    if isinstance(names, str):
        raise DataError(f"names must be a list of metrics, got {names!r}; say names=[{names!r}]")
    if not isinstance(threshold, int | float | np.number) or not np.isfinite(threshold):
        raise DataError(f"threshold must be a finite number, got {threshold!r}; try 0.5")
    if task == "regression":
        if not np.isfinite(y).all():
            raise DataError(
                f"y_true must be finite, got {int((~np.isfinite(y)).sum())} NaN or infinite "
                "targets; drop them"
            )
        table, p = _REGRESSION, raw.reshape(len(raw), -1)
        y = y.reshape(len(y), -1)
        if y.shape != p.shape:
            raise DataError(
                f"predictions must have the shape of y_true, got {raw.shape} and {np.shape(y_true)}"
            )
        scored = _Scored(y, p, p)
    else:
        table, p = _CLASSIFICATION, probabilities(raw, logits=logits)
        y = _classes(y)
        if np.isfinite(p).all() and not 0 <= y.min() <= y.max() < p.shape[1]:
            raise DataError(
                f"y_true must hold classes 0..{p.shape[1] - 1} for predictions of shape "
                f"{raw.shape}, "
                f"got {y.min()}..{y.max()}; give the model's last layer a unit per class"
            )
        scored = _Scored(
            y, p, (p[:, 1] >= threshold).astype(int) if p.shape[1] == 2 else p.argmax(axis=1)
        )
    possible = metric_names(task, p.shape[1])
    unknown = [name for name in names or () if name not in possible]
    if unknown:
        raise DataError(
            f"metric {unknown[0]!r} is not defined for {task} with predictions of shape "
            f"{raw.shape}; "
            f"choose from {', '.join(possible)}"
        )
    names = possible if names is None else names
    if not np.isfinite(raw).all():
        return dict.fromkeys(names, math.nan)
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        return {name: float(table[name](scored)) for name in names}


def probabilities(predictions: Any, *, logits: bool = False) -> np.ndarray:
    """Turn (n,), (n, 1) or (n, k) model outputs into (n, k) class probabilities with rows that sum
    to one.

    A single column is the probability (or the logit) of class 1 against class 0.
    """
    p = _numbers(predictions, "predictions").astype(np.float64)
    if p.size == 0:
        raise DataError(
            f"predictions must have at least one row and one column, got shape {p.shape}"
        )
    p = p.reshape(len(p), -1)
    if p.shape[1] == 1:
        one = expit(p) if logits else p
        p = np.hstack([1 - one, one])
    elif logits:
        p = softmax(p, axis=1)
    if np.isfinite(p).all() and (p.min() < -1e-6 or p.max() > 1 + 1e-6):
        raise DataError(
            f"predictions must be probabilities, got values from {p.min():.3g} to {p.max():.3g}; "
            "end the "
            "model with a sigmoid or softmax, or compile it with a loss that has from_logits=True"
        )
    p = np.clip(p, 0, 1)
    return p / np.maximum(
        p.sum(axis=1, keepdims=True), np.finfo(float).tiny
    )  # float32 softmax sums to 1 +- 1e-7


def _numbers(values: Any, what: str) -> np.ndarray:
    """Return an array of real numbers with rows."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise DataError(
            f"{what} must be an array of one shape, got {type(values).__name__}: {error}"
        ) from error
    if array.ndim == 0 or array.dtype.kind not in "fiub":
        raise DataError(
            f"{what} must be an array of real numbers with one row each, got {array.dtype} of "
            "shape "
            f"{array.shape}; classes are numbers 0..k-1, as in Data.y_train"
        )
    return array


def _classes(y: np.ndarray) -> np.ndarray:
    """Return classes (n,) from classes (n,) or (n, 1), or from one-hot (n, k)."""
    if y.ndim == 2 and y.shape[1] > 1:
        if not np.isin(y, (0, 1)).all() or not (y.sum(axis=1) == 1).all():
            raise DataError(
                f"y_true of shape {y.shape} must be one-hot, with a single 1 in every row; give "
                "classes (n,)"
            )
        return y.argmax(axis=1)
    if y.size != len(y) or not np.isfinite(y).all() or (y != np.floor(y)).any():
        raise DataError(
            f"y_true must hold whole class numbers (n,), got {y.dtype} of shape {y.shape} with "
            "missing, infinite or "
            "fractional values; drop those rows, or say task='regression'"
        )
    return y.reshape(-1).astype(int)


def accuracy_kind(model: Any) -> str | None:
    """Name how rows are counted as right: "categorical", "binary", or None for anything but a
    cross-entropy."""
    loss = _single(model.loss)
    name = (
        loss
        if isinstance(loss, str)
        else getattr(loss, "name", getattr(loss, "__name__", "")) or ""
    ).lower()
    if "crossentropy" not in name.replace("_", ""):
        return None
    return "binary" if name.startswith("binary") else "categorical"


def gives_logits(model: Any) -> bool:
    """Tell whether a compiled Keras model's outputs are logits: whether its loss was made with
    from_logits=True."""
    loss = _single(getattr(model, "loss", None))  # a name ("mse") is a loss of probabilities
    config = loss.get_config() if loss is not None and hasattr(loss, "get_config") else {}
    return bool(config.get("from_logits", False))


def _single(loss: Any) -> Any:
    """Take a compiled loss out of its list or dictionary if it is the only one in it."""
    parts = list(loss.values()) if isinstance(loss, dict) else loss
    return parts[0] if isinstance(parts, list | tuple) and len(parts) == 1 else loss


def best_threshold(
    y_true: Any, predictions: Any, *, metric: str = "f1", logits: bool = False
) -> float:
    """Find the threshold on the probability of class 1 that maximises `metric`: f1, f1_macro or
    accuracy.

    Choose it on validation data and hand it to `evaluate(..., threshold=)` for the test data. It
    lies halfway between two neighbouring probabilities; of equally good ones the nearest to 0.5 is
    taken.

    >>> best_threshold([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.9])
    0.25
    """
    p = probabilities(predictions, logits=logits)
    y = _classes(_numbers(y_true, "y_true"))
    if (
        p.shape[1] != 2
        or len(y) != len(p)
        or not np.isin(y, (0, 1)).all()
        or not np.isfinite(p).all()
    ):
        raise DataError(
            "a threshold needs two classes 0 and 1 and finite predictions of as many rows, got "
            "predictions "
            f"of shape {np.shape(predictions)} for y_true of shape {np.shape(y_true)}"
        )
    if metric not in ("f1", "f1_macro", "accuracy"):
        raise DataError(
            f"metric must be f1, f1_macro or accuracy to choose a threshold by, got {metric!r}"
        )
    steps = np.unique(p[:, 1])  # m distinct probabilities, ascending
    thresholds = np.concatenate(
        [[steps[0] / 2], (steps[:-1] + steps[1:]) / 2, [(steps[-1] + 1) / 2]]
    )  # (m + 1,)
    if steps[-1] == 1:
        thresholds = thresholds[:-1]  # nothing lies above 1: "never class 1" can't be had
    positive = p[y == 1, 1]
    predicted = len(p) - np.searchsorted(
        np.sort(p[:, 1]), thresholds
    )  # how many reach each threshold
    true_positive = len(positive) - np.searchsorted(np.sort(positive), thresholds)
    score = _score_of_counts(metric, true_positive, predicted, len(positive), len(y))
    best = np.flatnonzero(score >= score.max() - 1e-12)
    return float(thresholds[best[np.argmin(np.abs(thresholds[best] - 0.5))]])


def _score_of_counts(
    metric: str, tp: np.ndarray, predicted: np.ndarray, positive: int, n: int
) -> np.ndarray:
    """Compute a metric from the counts at every threshold: true positives, predicted positives."""
    tn = n - positive - (predicted - tp)
    if metric == "accuracy":
        return (tp + tn) / n
    f1 = 2 * tp / np.maximum(predicted + positive, 1)  # 2 TP / (2 TP + FP + FN)
    if metric == "f1":
        return f1
    return (f1 + 2 * tn / np.maximum((n - predicted) + (n - positive), 1)) / 2

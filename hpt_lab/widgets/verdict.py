"""A verdict on a training in words, with its evidence: underfitting, good, overfitting, diverging,
or only guessing.

No curve says what accuracy was possible, so the verdict compares with a reference: the best of
three support vector machines with a Gaussian kernel (`reference`), trained on the same rows, scored
on the same validation rows. Values are medians of the last five epochs. Read `judge` first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.svm import SVC

WINDOW = 5  # epochs that a value is the median of
TOO_EARLY = 10  # epochs
SHORTFALL = (
    0.05  # of accuracy, against the reference: less is within the noise of some hundred rows
)
RISE = 0.15  # of the validation loss above its best, relative; and RISE_NATS absolute
RISE_NATS = 0.05
KERNEL = "a kernel machine"
GAP = 0.10  # of accuracy between training and validation rows, with more than twice the loss


@dataclass(frozen=True)
class Verdict:
    """One word, and what it rests on."""

    word: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.word}: {self.evidence}" if self.evidence else self.word


def reference(x: Any, y: Any, *, validation: tuple[Any, Any]) -> float:
    """Return the validation accuracy of the best of three kernel machines trained on x (n, d), y
    (n,)."""
    return max(
        SVC(C=10, gamma=width / x.shape[1]).fit(x, y).score(*validation) for width in (1, 4, 16)
    )


def best_epoch(val_loss: Sequence[float]) -> int:
    """Return the epoch (1 is the first) of the lowest validation loss, the earliest on a tie; NaN
    never wins.

    >>> best_epoch([0.5, 0.3, math.nan, 0.3])
    2
    """
    losses = np.nan_to_num(np.asarray(val_loss, dtype=float), nan=math.inf)
    return int(losses.argmin()) + 1


def judge(
    curves: Mapping[str, Sequence[float]], *, classes: int, reference: float, by: str = KERNEL
) -> Verdict:
    """Judge curves (loss, val_loss, accuracy, val_accuracy per epoch); `reference`: the accuracy
    that `by` gets."""
    loss, val_loss = curves["loss"], curves["val_loss"]
    n = len(loss)
    if n == 0:
        return Verdict("untrained", "press Run")
    if not math.isfinite(loss[-1]):
        return Verdict(
            "diverging",
            f"the loss is no longer a number since epoch {n}; the learning rate is too high",
        )
    train, validation = _now(loss), _now(val_loss)
    accuracy, val_accuracy = _now(curves["accuracy"]), _now(curves["val_accuracy"])
    guessing, highest = math.log(classes), max(loss)
    short = reference - SHORTFALL
    if n >= 3 and highest > 3 * guessing and train > 0.9 * guessing and val_accuracy < short:
        return Verdict(
            "diverging",
            f"the training loss shot up to {highest:.3g} in epoch {list(loss).index(highest) + 1} "
            "and is "
            f"about {train:.3g} now, where guessing has {guessing:.2f}; lower the learning rate",
        )
    if n < TOO_EARLY:
        return Verdict("too early to tell", f"{n} of {TOO_EARLY} epochs that a verdict needs")
    best = best_epoch(val_loss)
    low = val_loss[best - 1]
    if validation > (1 + RISE) * low and validation > low + RISE_NATS and train < loss[best - 1]:
        return Verdict(
            "overfitting",
            f"since epoch {best} the validation loss rose from {low:.2g} to about {validation:.2g} "
            f"while the training loss fell from {loss[best - 1]:.2g} to about {train:.2g}",
        )
    if accuracy - val_accuracy >= GAP and validation > 2 * train and accuracy >= short:
        return Verdict(
            "overfitting",
            f"{accuracy:.0%} right on training rows, {val_accuracy:.0%} on validation rows",
        )
    if val_accuracy < short:
        falling = f"; the loss {_trend(loss)}"
        return Verdict(
            "underfitting",
            f"only {accuracy:.0%} right even on training rows, where {by} gets "
            f"{reference:.0%} of unseen ones{falling}"
            if accuracy < short
            else f"{val_accuracy:.0%} right on validation rows, where {by} gets "
            f"{reference:.0%}{falling}",
        )
    if val_accuracy < 1 / classes + SHORTFALL:
        return Verdict(
            "no better than guessing",
            f"{val_accuracy:.0%} right on validation rows, and {by} gets {reference:.0%}: "
            "these rows don't say more",
        )
    return Verdict(
        "good",
        f"{val_accuracy:.0%} right on validation rows ({by}: {reference:.0%}), "
        f"{accuracy:.0%} on training rows",
    )


def _trend(loss: Sequence[float]) -> str:
    """Say how the loss moved over the last quarter of the training. Slow is not stuck."""
    n = len(loss)
    earlier = float(np.median(loss[max(0, n - n // 4 - WINDOW) : n - n // 4]))
    left = _now(loss) / earlier
    if left < 0.97:
        return "still falls, so train on"
    if left < 0.997:
        return "falls slowly: raise the learning rate, or train on"
    return "hardly falls any more"


def _now(values: Sequence[float]) -> float:
    return float(np.median(values[-WINDOW:]))

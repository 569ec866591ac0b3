"""The learning rate range test: raise the rate from tiny to huge within one short run, and look
where the loss falls.

Smith: Cyclical learning rates for training neural networks (WACV 2017), section 3.3. Rates grow by
    a constant factor
per batch and the losses are smoothed by a bias-corrected exponential average, as in Howard and
Gugger's fastai (Information 11(2), 2020, 108). Read `learning_rate_range` first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from hpt_lab.errors import HptError
from hpt_lab.training.checkpoint import Checkpoint
from hpt_lab.training.compiled import build_variables, check_compiled
from hpt_lab.training.epochs import as_rows, batch_order

SMOOTHING = 0.98  # share of the old average that stays after a batch
BLOWN_UP = 4.0  # times the lowest smoothed loss: the test has seen enough


@dataclass(frozen=True)
class RangeTest:
    """Rates tried, raw and smoothed losses of their batches, each (steps,); and a rate to start
    from."""

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float


def learning_rate_range(
    model: keras.Model,
    x: Any,
    y: Any,
    *,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    seed: int = 0,
) -> RangeTest:
    """Train `model` for `steps` batches with growing rates, and suggest a learning rate; the model
    is left as it was.

    The suggestion is a tenth of the rate at which the smoothed loss is lowest: there it is about to
    rise, so a tenth is large and still safe. The test ends early where the smoothed loss exceeds
    four times its lowest, or is not finite.
    """
    check_compiled(model)
    if not 0 < lowest < highest or steps < 10:
        raise HptError(
            f"lowest, highest and steps must be 0 < lowest < highest, steps >= 10, got {lowest}, "
            f"{highest}, "
            f"{steps}; try 1e-6, 10.0 and 100"
        )
    rows, targets = as_rows(x, y)
    build_variables(model, rows)
    if not isinstance(model.optimizer._learning_rate, keras.Variable):
        raise HptError(
            "the model's optimizer has a learning rate schedule, whose rates can't be set; compile "
            "it with "
            "a constant learning rate for the range test"
        )
    before = Checkpoint.of(model, epoch=0, curves={})
    rates = np.geomspace(lowest, highest, steps)
    losses: list[float] = []
    smoothed: list[float] = []
    average = 0.0
    try:
        for i, batch in enumerate(_batches(len(rows), batch_size, steps, seed)):
            model.optimizer.learning_rate = rates[i]
            loss = float(
                model.train_on_batch(
                    np.take(rows, batch, axis=0), np.take(targets, batch, axis=0), return_dict=True
                )["loss"]
            )
            model.reset_metrics()  # train_on_batch reports the mean since the last reset
            average = SMOOTHING * average + (1 - SMOOTHING) * loss
            losses.append(loss)
            smoothed.append(average / (1 - SMOOTHING ** (i + 1)))
            if not math.isfinite(loss) or smoothed[-1] > BLOWN_UP * min(smoothed):
                break
    finally:
        before.restore(model)
        model.reset_metrics()
    finite = np.where(np.isfinite(smoothed), smoothed, math.inf)
    return RangeTest(
        rates[: len(losses)],
        np.array(losses),
        np.array(smoothed),
        float(rates[int(finite.argmin())] / 10),
    )


def _batches(n: int, batch_size: int, steps: int, seed: int) -> list[np.ndarray]:
    """List the rows of `steps` full batches (all n rows if there are fewer), in as many epochs as
    that takes."""
    size = min(batch_size, n)
    per_epoch = n // size
    orders = [
        batch_order(n, seed=seed, epoch=e)[: per_epoch * size].reshape(per_epoch, size)
        for e in range(math.ceil(steps / per_epoch))
    ]
    return list(np.concatenate(orders)[:steps])

"""Drills of a training run: early stopping, dropout, batch norm, learning-rate range test."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hpt_lab.checks.core import Wrong, call, number, show
from hpt_lab.interview.drills.core import DRILLS, drill, hint_for


def early_stopping(losses, patience, least):
    best_loss = math.inf
    best_epoch = 0
    for epoch, loss in enumerate(losses, 1):
        if loss < best_loss - least:
            best_loss = loss
            best_epoch = epoch
        elif epoch - best_epoch >= patience:
            return epoch, best_epoch
    return len(losses), best_epoch


def _stop(losses, patience, least, *, reset=True, against_previous=False, equal=False):
    """Return what early stopping gives with one of its parts changed."""
    best = math.inf
    best_epoch = 0
    waited = 0
    for epoch, loss in enumerate(losses, 1):
        if loss < best - least or (equal and loss <= best - least):
            best = loss
            best_epoch = epoch
            waited = 0 if reset else waited
        else:
            waited += 1
            if waited >= patience:
                return epoch, best_epoch
        best = loss if against_previous else best
    return len(losses), best_epoch


def _not_restored(losses, patience, least):
    stopped, _ = early_stopping(losses, patience, least)
    return stopped, stopped


def _never_reset(losses, patience, least):
    return _stop(losses, patience, least, reset=False)


def _previous(losses, patience, least):
    return _stop(losses, patience, least, against_previous=True)


def _one_too_long(losses, patience, least):
    return early_stopping(losses, patience + 1, least)


def _least_ignored(losses, patience, least):
    return early_stopping(losses, patience, 0.0)


drill(
    early_stopping,
    title="Early stopping with restore",
    lesson="02",
    statement="""
`losses` are the validation losses that the epochs 1, 2, ... would give. A loss improves if it is
smaller than the best so far by more than `least`; only an improvement becomes the new best. Stop
after `patience` epochs in a row without improvement. Return (epochs trained, epoch whose weights
are restored). If nothing stops it, all epochs are trained; the best is restored all the same. If no
loss was a number (all NaN), the epoch to restore is 0.""",
    cases=lambda: [
        ([9, 7, 8, 6, 7, 6.9, 5, 6, 5.9, 5.8, 5.7, 4], 3, 0.0),
        ([5, 4, 3.95, 3.9, 3.85, 3.8, 3], 2, 0.5),
        ([3, 2, 1], 2, 0.0),
        ([3, 2, math.nan, 4, 1], 2, 0.0),
        ([1, 1, 1], 1, 0.0),
        ([2, 3], 5, 0.0),
        ([4, 2, 3, 1, 2, 2, 0], 2, 0.0),
        ([4, 3, 2], 1, 1.0),
        ([math.nan, math.nan, math.nan], 2, 0.0),
    ],
    mistakes={
        _not_restored: "the weights of the best epoch are restored, not those of the last one",
        _never_reset: "count epochs in a row: an improvement starts the count again",
        _previous: "compare with the best loss so far, not with the epoch before",
        _one_too_long: "stop at the `patience`-th epoch without improvement, not one later",
        _least_ignored: "an improvement must be larger than `least`",
    },
)

UNSCALED = "divide what is kept by 1 - rate, so that the expected value stays"
AT_TEST = "at test time dropout does nothing at all"
NOT_EACH = "draw for each number by itself"
RATE = "`rate` is the share that is dropped, not the share that is kept"


def dropout(x, rate, training, rng):
    if not training:
        return x
    kept = rng.random(x.shape) >= rate
    return x * kept / (1 - rate)


def _unscaled(x, rate, training, rng):
    return x * (rng.random(x.shape) >= rate) if training else x


def _always(x, rate, training, rng):
    return dropout(x, rate, True, rng)


def _rows(x, rate, training, rng):
    return x * (rng.random((len(x), 1)) >= rate) / (1 - rate) if training else x


def _keeps_rate(x, rate, training, rng):
    return x * (rng.random(x.shape) < rate) / rate if training else x


def _scaled_at_test(x, rate, training, rng):
    return x * (rng.random(x.shape) >= rate) if training else x * (1 - rate)


def _judge_dropout(answer: Any) -> None:
    x = np.linspace(1, 2, 8000).reshape(100, 80)
    for rate in (0.25, 0.6):
        after = np.asarray(_drop(answer, x, rate, True), float)
        if after.shape != x.shape:
            raise Wrong(f"x has shape {x.shape}, the result {after.shape}", hint=NOT_EACH)
        share = np.mean(after == 0)
        if abs(share - rate) > 0.02 and abs(share - (1 - rate)) < 0.02:
            raise Wrong(f"rate {rate}: {share:.0%} dropped", hint=RATE)
        if np.any(np.all(after == 0, axis=1)) or np.any(np.all(after == 0, axis=0)):
            raise Wrong("whole rows or columns are dropped at once", hint=NOT_EACH)
        if abs(share - rate) > 0.02:
            raise Wrong(f"rate {rate}: {share:.0%} dropped", hint=RATE)
        if not np.allclose(after[after != 0], (x / (1 - rate))[after != 0]):
            raise Wrong(
                f"rate {rate}: what was kept has mean {after[after != 0].mean():.3f}, "
                f"x has {x.mean():.3f}",
                hint=UNSCALED,
            )
    for rate, training in [(0.3, False), (0.0, True)]:
        after = np.asarray(_drop(answer, x, rate, training), float)
        if after.shape != x.shape or not np.allclose(after, x):
            raise Wrong(
                f"rate {rate}, training {training}: x should come back as it is", hint=AT_TEST
            )


def _drop(answer: Any, x: np.ndarray, rate: float, training: bool) -> Any:
    return call(answer, x, rate, training, np.random.default_rng(0))


drill(
    dropout,
    title="Dropout",
    lesson="02",
    statement="""
Return the array x after (inverted) dropout: in training each number is set to zero with probability
`rate` (0 <= rate < 1), drawn with the NumPy generator `rng`, and what is kept is scaled so that the
expected value does not change. At test time (training is False) x comes back as it is.""",
    cases=lambda: [],
    judge=_judge_dropout,
    mistakes={_unscaled: UNSCALED, _always: AT_TEST, _rows: NOT_EACH, _keeps_rate: RATE},
)


def batch_norm(x, mean, variance, momentum, training):
    if training:
        batch_mean = x.mean(axis=0)
        batch_variance = x.var(axis=0)
        normed = (x - batch_mean) / np.sqrt(batch_variance + 1e-3)
        mean = momentum * mean + (1 - momentum) * batch_mean
        variance = momentum * variance + (1 - momentum) * batch_variance
    else:
        normed = (x - mean) / np.sqrt(variance + 1e-3)
    return normed, mean, variance


def _batch_at_test(x, mean, variance, momentum, training):
    normed, new_mean, new_variance = batch_norm(x, mean, variance, momentum, True)
    return (normed, new_mean, new_variance) if training else (normed, mean, variance)


def _running_in_training(x, mean, variance, momentum, training):
    _, new_mean, new_variance = batch_norm(x, mean, variance, momentum, training)
    return (x - mean) / np.sqrt(variance + 1e-3), new_mean, new_variance


def _not_updated(x, mean, variance, momentum, training):
    return batch_norm(x, mean, variance, momentum, training)[0], mean, variance


def _momentum_reversed(x, mean, variance, momentum, training):
    return batch_norm(x, mean, variance, 1 - momentum, training)


def _updated_at_test(x, mean, variance, momentum, training):
    _, new_mean, new_variance = batch_norm(x, mean, variance, momentum, True)
    return batch_norm(x, mean, variance, momentum, training)[0], new_mean, new_variance


def _norm_cases() -> list[tuple[Any, ...]]:
    x = np.array([[1.0, 2.0, 3.0], [4.0, 8.0, -6.0], [0.0, 1.0, 1.0], [2.0, 2.0, 2.0]])
    state = (np.array([0.5, 1.0, -1.0]), np.array([1.0, 2.0, 0.5]))
    return [
        (x, *state, 0.9, True),
        (x, *state, 0.9, False),
        (x[:1], *state, 0.5, True),
        (x[:1], *state, 0.99, False),
    ]


drill(
    batch_norm,
    title="Batch norm's two modes",
    lesson="01",
    statement="""
x has shape (batch, features). Return (normalised x, running mean, running variance). In training,
normalise each feature by the batch's own mean and variance (dividing by the batch's size), and move
the running ones: momentum times the old plus 1 - momentum times the batch's. At test time (training
is False) normalise by the running ones and leave them alone. Add 1e-3 to the variance before the
root. There is no scale and no shift to learn here.""",
    cases=_norm_cases,
    mistakes={
        _batch_at_test: "at test time use the running mean and variance: a batch may be one row",
        _running_in_training: "in training normalise by the batch's own mean and variance",
        _not_updated: "in training move the running mean and variance towards the batch's",
        _momentum_reversed: "momentum is the share of the old value that is kept (as in Keras)",
        _updated_at_test: "test data may not move the running mean and variance",
    },
)


def lr_range_test(low, high, steps, loss_at):
    best_rate = low
    best_loss = math.inf
    for step in range(steps):
        rate = low * (high / low) ** (step / (steps - 1))
        loss = loss_at(rate)
        if math.isnan(loss) or loss > 4 * best_loss:
            break
        if loss < best_loss:
            best_rate = rate
            best_loss = loss
    return best_rate / 10


def _sweep(rates, loss_at):
    return [(loss_at(rate), rate) for rate in rates]


def _linear_steps(low, high, steps, loss_at):
    def spaced(rate):
        share = math.log(rate / low) / math.log(high / low)
        return low + share * (high - low)

    linear = lr_range_test(low, high, steps, lambda rate: loss_at(spaced(rate)))
    return spaced(10 * linear) / 10


def _never_stops(low, high, steps, loss_at):
    swept = _sweep(np.geomspace(low, high, steps).tolist(), loss_at)
    return min((loss, rate) for loss, rate in swept if loss == loss)[1] / 10


def _best_itself(low, high, steps, loss_at):
    return 10 * lr_range_test(low, high, steps, loss_at)


def _last_rate(low, high, steps, loss_at):
    best = math.inf
    for rate in np.geomspace(low, high, steps).tolist():
        loss = loss_at(rate)
        if not loss <= 4 * best:
            return rate / 10
        best = min(best, loss)
    return rate / 10


def _freak(rate):
    """Return a loss that falls, explodes above 0.3, and is small by chance at the end."""
    if rate > 0.8:
        return 0.01
    return 2.0 - 3 * rate if rate < 0.3 else 50 * rate


def _breaks(rate):
    return 1 / (rate + 0.01) if rate < 0.05 else math.nan if rate < 0.6 else 0.001


def _bends(rate):
    return 1 + (math.log10(rate) + 2) ** 2


def _four_times(rate):
    return 1.0 if rate < 0.5 else 4.0 if rate < 5 else 0.5


def _a_little_more(rate):
    return 1.0 if rate < 0.5 else 4.5 if rate < 5 else 0.5


def _judge_range_test(answer: Any) -> None:
    for case, arguments in enumerate(DRILLS["lr_range_test"].cases()):
        got = number(call(answer, *arguments), "the rate")
        wanted = lr_range_test(*arguments)
        if not math.isclose(got, wanted, rel_tol=1e-6):
            raise Wrong(
                f"lr_range_test{show(arguments)} should give {wanted:g}, got {got:g}",
                hint=hint_for(DRILLS["lr_range_test"], case, got),
            )


drill(
    lr_range_test,
    title="Learning-rate range test",
    lesson="01",
    statement="""
Raise the rate from low to high in `steps` values (two or more) that are equally spaced on a log
scale, both ends included. `loss_at(rate)` takes one training step and returns its loss. Stop as
soon as a loss is NaN or more than four times the smallest so far; what comes later does not count.
Return a tenth of the rate that had the smallest loss (the first of equals).""",
    cases=lambda: [
        (1e-4, 1.0, 30, _freak),
        (1e-3, 1.0, 13, _breaks),
        (1e-5, 1.0, 11, _bends),
        (1e-3, 1.0, 2, _bends),
        (0.1, 10.0, 3, lambda rate: 1.0),
        (0.1, 10.0, 3, _four_times),
        (0.1, 10.0, 3, _a_little_more),
    ],
    judge=_judge_range_test,
    mistakes={
        _linear_steps: "multiply the rate by one factor each time: equal steps on a log scale",
        _never_stops: "stop once it diverges: a small loss after that is an accident",
        _best_itself: "the rate with the smallest loss is near the edge: return a tenth of it",
        _last_rate: "it is a tenth of the rate with the smallest loss, not of the last rate",
    },
)

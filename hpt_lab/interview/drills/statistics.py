"""Drills that doubt: a bootstrap interval, and a paired comparison over seeds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hpt_lab.checks.core import Wrong, call, numbers
from hpt_lab.interview.drills.core import drill

NO_WIDTH = "draw with replacement: a shuffled sample has the same mean every time"
OF_VALUES = "the interval is of the mean: take the mean of each resample, then quantiles of these"
ONE_SIDED = "half of what is left out lies on each side: quantiles (1-level)/2 and (1+level)/2"
SMALL = "each resample has as many values as the sample itself"
PAIR = "return two numbers, the lower end first"
CENTRE = "resample all of the values, and take the mean of each resample"


def bootstrap_interval(values, level, resamples, rng):
    values = np.asarray(values)
    drawn = rng.choice(values, size=(resamples, len(values)))
    means = drawn.mean(axis=1)
    out = (1 - level) / 2
    return np.quantile(means, out), np.quantile(means, 1 - out)


def _quantiles(means, level):
    return np.quantile(means, (1 - level) / 2), np.quantile(means, (1 + level) / 2)


def _without_replacement(values, level, resamples, rng):
    return _quantiles([rng.permutation(values).mean() for _ in range(resamples)], level)


def _quantiles_of_values(values, level, resamples, rng):
    return _quantiles(rng.choice(values, size=(resamples, len(values))).ravel(), level)


def _one_sided(values, level, resamples, rng):
    means = rng.choice(values, size=(resamples, len(values))).mean(axis=1)
    return np.quantile(means, 1 - level), np.quantile(means, level)


def _half_sample(values, level, resamples, rng):
    means = rng.choice(values, size=(resamples, len(values) // 2)).mean(axis=1)
    return _quantiles(means, level)


def _upside_down(values, level, resamples, rng):
    low, high = bootstrap_interval(values, level, resamples, rng)
    return high, low


def _judge_bootstrap(answer: Any) -> None:
    sample = np.random.default_rng(5).exponential(2.0, size=30) - 1
    for level in (0.9, 0.6):
        got = numbers(call(answer, sample.tolist(), level, 4000, np.random.default_rng(1)))
        wanted = bootstrap_interval(sample, level, 20000, np.random.default_rng(2))
        width = wanted[1] - wanted[0]
        near = f"{wanted[0]:.2f} ... {wanted[1]:.2f}"
        told = f"the {level:.0%} interval should be near {near}, got {got}"
        if got.size != 2 or got[0] > got[1]:
            raise Wrong(told, hint=PAIR)
        if np.allclose(got, wanted, atol=0.05 * width):
            continue
        raise Wrong(told, hint=_why_not(got, sample, level, width))


def _why_not(got: np.ndarray, sample: np.ndarray, level: float, width: float) -> str:
    rng = np.random.default_rng(3)
    known = {_one_sided: ONE_SIDED, _quantiles_of_values: OF_VALUES, _half_sample: SMALL}
    if got[1] - got[0] < 0.05 * width:
        return NO_WIDTH
    for mistake, hint in known.items():
        if np.allclose(got, mistake(sample, level, 20000, rng), atol=0.1 * width):
            return hint
    return CENTRE


drill(
    bootstrap_interval,
    title="Bootstrap interval",
    lesson="08",
    statement="""
Return (low, high), the percentile bootstrap interval of the mean of `values` at this level (0.95,
say): quantiles of the means of `resamples` samples drawn from the values with replacement, by the
NumPy generator `rng`.""",
    cases=lambda: [],
    judge=_judge_bootstrap,
    mistakes={
        _without_replacement: NO_WIDTH,
        _quantiles_of_values: OF_VALUES,
        _one_sided: ONE_SIDED,
        _half_sample: SMALL,
        _upside_down: PAIR,
    },
)


def paired_comparison(a, b):
    differences = [one - other for one, other in zip(a, b, strict=True)]
    n = len(differences)
    mean = sum(differences) / n
    if n < 2:
        return mean, math.nan
    variance = sum((difference - mean) ** 2 for difference in differences) / (n - 1)
    return mean, math.sqrt(variance / n)


def _unpaired(a, b):
    return np.mean(a) - np.mean(b), math.sqrt((np.var(a, ddof=1) + np.var(b, ddof=1)) / len(a))


def _divided_by_n(a, b):
    differences = np.subtract(a, b)
    return differences.mean(), differences.std() / math.sqrt(len(a))


def _spread_itself(a, b):
    differences = np.subtract(a, b)
    return differences.mean(), differences.std(ddof=1)


def _other_way(a, b):
    return paired_comparison(b, a)


drill(
    paired_comparison,
    title="Paired comparison over seeds",
    lesson="09",
    statement="""
a[i] and b[i] are the losses of two configs trained with the same seed i. Return (mean difference
a - b, its standard error), from the differences seed by seed. The variance estimate divides by
n - 1. With a single seed the standard error is unknown: NaN.""",
    cases=lambda: [
        ([0.30, 0.25, 0.41, 0.28], [0.28, 0.24, 0.40, 0.22]),
        ([1, 2, 3], [1, 2, 3]),
        ([0.5], [0.25]),
        ([1.0, 3.0], [4.0, 0.5]),
    ],
    mistakes={
        _unpaired: "pair them: a seed that is hard for both cancels in the difference",
        _divided_by_n: "the variance of a sample divides by n - 1",
        _spread_itself: "that is the spread; the mean's standard error is sqrt(n) smaller",
        _other_way: "the difference is a - b",
    },
)

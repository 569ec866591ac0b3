"""Numbers for the questions of lessons 00, 01 and 03: brackets, steepness, metrics, and the luck in
scores.

Every function works one example out in full. Start with `search_bracket`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import stats
from scipy.integrate import quad

from hpt_lab.interview.numbers import numbers


def _points(share: float, digits: int = 2) -> str:
    """Write a share in percentage points."""
    return f"{100 * share:.{digits}f}"


# Lesson 00


@numbers
def search_bracket() -> Mapping[str, Any]:
    """Price the bracket 27, 9, 3, 1 at 1, 3, 9, 27 epochs, resumed and from scratch."""
    rungs = [(27 // 3**i, 3**i) for i in range(4)]
    scratch = sum(trials * epochs for trials, epochs in rungs)
    resumed = 0
    before = 0
    for trials, epochs in rungs:
        resumed += trials * (epochs - before)
        before = epochs
    return {
        "resumed": resumed,
        "scratch": scratch,
        "rung": 27,
        "in_full": 27 * 27,
        "share": round(100 * resumed / 27**2),
        "saved": scratch - resumed,
    }


@numbers
def numbers_to_resume() -> Mapping[str, Any]:
    """Count the parameters of 64-64-64-10 and what Adam keeps beside them."""
    widths = (64, 64, 64, 10)
    shapes = pairwise(widths)
    parameters = sum((inputs + 1) * outputs for inputs, outputs in shapes)
    return {
        "parameters": f"{parameters:,}",
        "resume": f"{3 * parameters:,}",
        "moments": f"{2 * parameters:,}",
    }


@numbers
def gain_of_ten_seeds() -> Mapping[str, Any]:
    """Compare two means of ten seeds with deviations of 0.8 and 0.5 points."""
    gain = 0.5
    error = math.sqrt((0.8**2 + 0.5**2) / 10)
    seeds = math.ceil((0.8**2 + 0.5**2) * (2.8 / gain) ** 2)  # two-sided 5 %, found in four of five
    return {"error": f"{error:.2f}", "ratio": f"{gain / error:.1f}", "seeds": seeds}


@numbers
def test_of_360_rows() -> Mapping[str, Any]:
    """Give the standard error of 97 % on 360 rows, and what one row is worth."""
    error = math.sqrt(0.97 * 0.03 / 360)
    return {
        "error": _points(error, 1),
        "low": _points(0.97 - 2 * error, 1),
        "high": _points(0.97 + 2 * error, 1),
        "row": _points(1 / 360),
        "rows": 4 * 360,
        "half": _points(error / 2),
    }


# Lesson 01


@numbers
def steepest_direction() -> Mapping[str, Any]:
    """Follow gradient descent on a parabola with curvatures 1 and 10."""
    limit = 2 / 10
    best = 2 / (1 + 10)
    shrink = (10 - 1) / (10 + 1)
    steps = math.ceil(math.log(100) / -math.log(shrink))
    slower = math.ceil(math.log(100) / -math.log((100 - 1) / (100 + 1)))
    return {
        "limit": f"{limit:g}",
        "best": f"{best:.2f}",
        "shrink": f"{shrink:.2f}",
        "steps": steps,
        "slower": slower,
        "inside": f"{abs(1 - 0.19 * 10) ** 20:.2f}",
        "outside": f"{abs(1 - 0.21 * 10) ** 20:.1f}",
    }


@numbers
def draws_by_scale() -> Mapping[str, Any]:
    """Give the shares of rates below 0.01 drawn from 0.0001 to 1 on two scales."""
    linear = (0.01 - 1e-4) / (1 - 1e-4)
    log = math.log(0.01 / 1e-4) / math.log(1 / 1e-4)
    return {
        "linear": round(100 * linear),
        "log": round(100 * log),
        "expected_linear": f"{50 * linear:.1f}",
        "expected_log": round(50 * log),
        "none": round(100 * (1 - linear) ** 50),
    }


@numbers
def momentum_sums() -> Mapping[str, Any]:
    """Sum the fading shares of momentum 0.9, 0.95 and 0.99, and the rate that keeps the step."""
    share = 0.99
    return {
        "ninety": round(1 / (1 - 0.9)),
        "ninety_five": round(1 / (1 - 0.95)),
        "ninety_nine": round(1 / (1 - share)),
        "rate": f"{0.1 * (1 - share) / (1 - 0.9):g}",
    }


@numbers
def eight_times_the_batch() -> Mapping[str, Any]:
    """Move a schedule from batch 32 to 256 with 50,000 rows."""
    before = math.ceil(50_000 / 32)
    after = math.ceil(50_000 / 256)
    return {
        "before": f"{before:,}",
        "after": after,
        "linear": f"{0.1 * 8:g}",
        "root": f"{0.1 * math.sqrt(8):.2f}",
        "drop_before": round(30_000 / before),
        "drop_after": round(30_000 / after),
        "step": f"{30_000 / 8:,.0f}",
    }


@numbers
def first_loss() -> Mapping[str, Any]:
    """Give the cross-entropy of knowing nothing, and of one class in 45 known by its share."""
    share = 1 / 45
    entropy = -share * math.log(share) - (1 - share) * math.log(1 - share)
    return {
        "ten": f"{math.log(10):.2f}",
        "thousand": f"{math.log(1000):.1f}",
        "two": f"{math.log(2):.2f}",
        "rare": f"{entropy:.2f}",
        "sure": f"{math.exp(-8):.4f}",
        "floor": f"{math.log(1 + 9 / math.e):.2f}",
    }


@numbers
def adam_first_step() -> Mapping[str, Any]:
    """Take Adam's first step for gradients of 0.001 and 1000, and one without bias correction."""
    moves = {}
    for gradient in (0.001, 1000.0):
        mean = (1 - 0.9) * gradient / (1 - 0.9)
        square = (1 - 0.999) * gradient**2 / (1 - 0.999)
        moves[gradient] = 0.001 * mean / (math.sqrt(square) + 1e-7)
    raw = (1 - 0.9) / math.sqrt(1 - 0.999)
    return {"small": f"{moves[0.001]:.3f}", "large": f"{moves[1000.0]:.3f}", "raw": f"{raw:.1f}"}


@numbers
def width_and_depth() -> Mapping[str, Any]:
    """Count parameters of the spirals' networks: one layer of 32, four of 32, four of 64."""

    def count(*widths: int) -> int:
        return sum((a + 1) * b for a, b in pairwise(widths))

    shallow = count(2, 32, 2)
    deep = count(2, 32, 32, 32, 32, 2)
    doubled = count(2, 64, 64, 64, 64, 2)
    return {
        "shallow": shallow,
        "deep": f"{deep:,}",
        "doubled": f"{doubled:,}",
        "times": f"{doubled / deep:.1f}",
        "ratio": f"{deep / shallow:.0f}",
        "equal": round((deep - 2) / 5),
    }


# Lesson 03


@numbers
def rows_for_half_a_point() -> Mapping[str, Any]:
    """Give the rows for a standard error of half a point at 95 %, and of a quarter."""
    rows = 0.95 * 0.05 / 0.005**2
    return {
        "rows": f"{rows:,.0f}",
        "quarter": f"{4 * rows:,.0f}",
        "worst": f"{0.25 / 0.005**2:,.0f}",
    }


@numbers
def one_alone_is_right() -> Mapping[str, Any]:
    """Compare two models on 2,000 rows: A alone is right on 30, B alone on 14."""
    gain = (30 - 14) / 2000
    paired = math.sqrt(30 + 14 - (30 - 14) ** 2 / 2000) / 2000
    apart = math.sqrt(0.940 * 0.060 / 2000 + 0.932 * 0.068 / 2000)
    exact = stats.binomtest(30, 44).pvalue
    return {
        "gain": _points(gain, 1),
        "paired": _points(paired),
        "apart": _points(apart),
        "ratio": f"{gain / paired:.1f}",
        "apart_ratio": f"{gain / apart:.1f}",
        "exact": f"{exact:.3f}".lstrip("0"),
    }


def _largest_normal(k: int) -> float:
    """Return the expected largest of k standard normals."""
    density = quad(lambda x: x * k * stats.norm.pdf(x) * stats.norm.cdf(x) ** (k - 1), -12, 12)
    return float(density[0])


@numbers
def luck_of_the_best() -> Mapping[str, Any]:
    """Say how far the best of 20 equal models at 90 % lies above the truth, on 1,000 rows."""
    error = math.sqrt(0.9 * 0.1 / 1000)
    return {
        "errors": f"{_largest_normal(20):.2f}",
        "error": _points(error),
        "shown": _points(0.9 + error * _largest_normal(20), 1),
        "points": _points(error * _largest_normal(20), 1),
        "ten": f"{_largest_normal(10):.2f}",
        "hundred": f"{_largest_normal(100):.2f}",
        "four_times": _points(error / 2 * _largest_normal(20), 1),
    }


@numbers
def confusion() -> Mapping[str, Any]:
    """Score 10,000 rows with 100 positives: 80 found, 120 false alarms."""
    precision = 80 / (80 + 120)
    recall = 80 / 100
    f1 = 2 * precision * recall / (precision + recall)
    right = 80 + (9900 - 120)
    return {
        "precision": f"{precision:.2f}",
        "recall": f"{recall:.2f}",
        "f1": f"{f1:.2f}",
        "accuracy": _points(right / 10_000, 1),
        "never": _points(9900 / 10_000, 1),
        "mean": f"{(precision + recall) / 2:.2f}",
    }


@numbers
def rarer_positives() -> Mapping[str, Any]:
    """Move a test with recall 0.8 and false-positive rate 0.01 from half positives to 1 in 100."""

    def precision(share: float) -> float:
        return 0.8 * share / (0.8 * share + 0.01 * (1 - share))

    return {
        "half": _points(precision(0.5), 0),
        "hundredth": _points(precision(0.01), 0),
        "thousandth": _points(precision(0.001), 0),
        "true": 80,
        "false": 99,
    }


@numbers
def ranking_of_six() -> Mapping[str, Any]:
    """Score the ranking − + + − − − by average precision and ROC-AUC."""
    labels = np.array([0, 1, 1, 0, 0, 0])
    places = np.flatnonzero(labels) + 1
    precisions = np.arange(1, 3) / places
    negatives = np.flatnonzero(labels == 0) + 1
    wins = (places[:, None] < negatives).sum()
    return {
        "average": f"{precisions.mean():.2f}",
        "wins": int(wins),
        "pairs": places.size * negatives.size,
        "auc": f"{wins / (places.size * negatives.size):.2f}",
        "share": f"{labels.mean():.2f}",
    }


@numbers
def three_seeds() -> Mapping[str, Any]:
    """Give the t-interval of 91.2, 91.8 and 93.0 %, and the one with 1.96."""
    scores = np.array([91.2, 91.8, 93.0])
    error = scores.std(ddof=1) / math.sqrt(3)
    t = float(stats.t.ppf(0.975, 2))
    return {
        "mean": f"{scores.mean():.1f}",
        "error": f"{error:.2f}",
        "t": f"{t:.1f}",
        "half": f"{t * error:.1f}",
        "narrow": f"{1.96 * error:.1f}",
        "t10": f"{stats.t.ppf(0.975, 9):.2f}",
    }


@numbers
def folds_without_positives() -> Mapping[str, Any]:
    """Give the chance that shuffled 5-fold of 100 rows with 5 positives leaves a fold without."""
    ways = 20**5
    subsets = math.comb(100, 5)
    return {"one_each": _points(ways / subsets, 0), "empty": _points(1 - ways / subsets, 0)}


@numbers
def siblings_in_training() -> Mapping[str, Any]:
    """Give the chance that a held-out row's patient trains too: 24 patients, five rows, 5 folds."""
    together = math.comb(23, 4) / math.comb(119, 4)  # all four siblings in the row's fold of 24
    return {"known": f"{100 * (1 - together):.1f}"}


@numbers
def nested_price() -> Mapping[str, Any]:
    """Count the trainings of nested cross-validation: 5 outer, 4 inner folds, 30 configs."""
    search = 30 * 4
    outer = 5 * (search + 1)
    return {"search": search, "outer": outer, "ship": search + 1, "total": outer + search + 1}


@numbers
def twenty_honest_pipelines() -> Mapping[str, Any]:
    """Give the chance of a false alarm at two and three errors, for one pipeline and for 20."""
    two = stats.norm.sf(2)
    three = stats.norm.sf(3)
    return {
        "one": _points(two, 1),
        "some": _points(1 - (1 - two) ** 20, 0),
        "strict": _points(1 - (1 - three) ** 20, 0),
    }

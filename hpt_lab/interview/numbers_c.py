"""Numbers for lessons 02 and 03: bias and variance, confidence, decay, running means, luck.

Every function works one example out in full. Start with `three_answers`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hpt_lab.interview.numbers import numbers


@numbers
def three_answers() -> Mapping[str, Any]:
    """Split the squared distance of three networks' answers 0.9, 0.5, 0.7 from a truth of 0.8."""
    answers = np.array([0.9, 0.5, 0.7])
    bias2 = (answers.mean() - 0.8) ** 2
    variance = answers.var()
    total = ((answers - 0.8) ** 2).mean()
    return {
        "mean": f"{answers.mean():.1f}",
        "bias2": f"{bias2:.2f}",
        "variance": f"{variance:.3f}",
        "total": f"{total:.3f}",
        "share": round(100 * variance / total),
    }


@numbers
def one_error_below() -> Mapping[str, Any]:
    """Choose among 2, 4, 16 and 64 units by the one-standard-error rule, ten runs each."""
    sizes = (2, 4, 16, 64)
    means = (73.1, 73.9, 72.4, 70.6)
    error = 3.2 / math.sqrt(10)
    line = max(means) - error
    chosen = next(size for size, mean in zip(sizes, means, strict=True) if mean >= line)
    return {"error": f"{error:.1f}", "line": f"{line:.1f}", "chosen": chosen}


@numbers
def flipped_labels() -> Mapping[str, Any]:
    """Say what a fifth of flipped labels allows in accuracy and log loss, and what 99 % means."""
    best = -0.8 * math.log(0.8) - 0.2 * math.log(0.2)
    least = (
        20 - 1
    )  # of 100 training rows, 99 agree; 20 are flipped, so at most one of these is missed
    return {"loss": f"{best:.2f}", "agreed": least, "share": round(100 * least / 20)}


@numbers
def price_of_confidence() -> Mapping[str, Any]:
    """Give the expected log loss of saying 80, 90 and 99 % where four answers in five are right."""

    def price(said: float) -> float:
        return -0.8 * math.log(said) - 0.2 * math.log(1 - said)

    return {
        "honest": f"{price(0.8):.2f}",
        "ninety": f"{price(0.9):.2f}",
        "sure": f"{price(0.99):.2f}",
        "one": f"{-math.log(0.01):.1f}",
        "coin": f"{math.log(2):.2f}",
    }


@numbers
def dropout_mask() -> Mapping[str, Any]:
    """Follow 64 units with dropout 0.8 and 0.5: factor, units left, variance of one scaled unit."""
    return {
        "factor": f"{1 / (1 - 0.8):g}",
        "left": round(64 * (1 - 0.8)),
        "variance": f"{0.8 / (1 - 0.8):g}",
        "half": f"{1 / (1 - 0.5):g}",
        "half_variance": f"{0.5 / (1 - 0.5):g}",
    }


@numbers
def what_decay_leaves() -> Mapping[str, Any]:
    """Shrink a weight by rate 0.04 and decay 0.3 for 400 steps, and at a quarter of the rate."""
    steps = 400
    cosine = 1.0
    for step in range(steps):
        rate = 0.04 * 0.5 * (1 + math.cos(math.pi * step / steps))
        cosine *= 1 - rate * 0.3
    return {
        "step": f"{100 * 0.04 * 0.3:.1f}",
        "left": f"{100 * (1 - 0.04 * 0.3) ** steps:.1f}",
        "memory": round(1 / (0.04 * 0.3)),
        "slow": round(100 * (1 - 0.01 * 0.3) ** steps),
        "slow_memory": round(1 / (0.01 * 0.3)),
        "cosine": round(100 * cosine),
    }


@numbers
def lag_of_an_average() -> Mapping[str, Any]:
    """Say what a running mean keeps of its start after 10 and 100 steps, and when 1 % is left."""
    wait = math.log(0.01) / math.log(0.99)
    short = math.log(0.01) / math.log(0.9)
    return {
        "ten": round(100 * 0.99**10),
        "hundred": round(100 * 0.99**100),
        "wait": round(wait),
        "short": round(short),
        "mean_ten": f"{10 * (1 - 0.99**10):.1f}",
    }


@numbers
def steps_by_share() -> Mapping[str, Any]:
    """Count steps of 50 epochs at batch 32 with 1,000, 4,000 and 16,000 rows."""
    steps = [50 * math.ceil(rows / 32) for rows in (1000, 4000, 16000)]
    return {
        "few": f"{steps[0]:,}",
        "some": f"{steps[1]:,}",
        "many": f"{steps[2]:,}",
        "times": round(steps[2] / steps[0]),
    }


# Lesson 03, second part


@numbers
def price_of_two_errors() -> Mapping[str, Any]:
    """Set the threshold where a miss costs 40 and a false alarm 2."""
    share = 2 / (2 + 40)
    return {"threshold": f"{share:.3f}", "percent": f"{100 * share:.1f}", "odds": round(40 / 2)}


@numbers
def folds_as_seeds() -> Mapping[str, Any]:
    """Give the interval that five folds at 80, 84, 82, 90, 84 % pretend to have."""
    scores = np.array([80.0, 84.0, 82.0, 90.0, 84.0])
    error = scores.std(ddof=1) / math.sqrt(5)
    return {
        "mean": f"{scores.mean():.0f}",
        "error": f"{error:.1f}",
        "rows": f"{100 * math.sqrt(0.84 * 0.16 / 250):.1f}",
    }


@numbers
def share_of_luck() -> Mapping[str, Any]:
    """Add luck of 3.6 points from rows, 1.3 from training rows and 0.7 from the seed."""

    def total(seeds: int) -> float:
        return math.sqrt(3.6**2 + 1.3**2 + 0.7**2 / seeds)

    return {
        "all": f"{total(1):.1f}",
        "ten": f"{total(10):.1f}",
        "more_rows": f"{math.sqrt(3.6**2 / 4 + 1.3**2 + 0.7**2):.1f}",
    }


@numbers
def bootstrap_of_positives() -> Mapping[str, Any]:
    """Give the rough error of a recall of 0.6 with 90 and with 360 positives."""
    few = math.sqrt(0.6 * 0.4 / 90)
    return {"few": _points(few), "many": _points(few / 2), "width": _points(4 * few)}


def _points(share: float) -> str:
    return f"{100 * share:.0f}"

"""Numbers for lessons 09 and 10: pairs of seeds, lucky winners, widths, and what tuners miscount.

Every function works one example out in full. Start with `pairs_of_seeds`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import integrate, stats

from hpt_lab.interview.numbers import numbers
from hpt_lab.space import Float, Space
from hpt_lab.strategies import hyperband
from hpt_lab.study.plan import plan


def needed(difference: float, deviation: float) -> int:
    """Return how many pairs a two-sided paired t-test at 5 % needs for a power of 80 %."""
    n = 2
    while True:
        bound = stats.t.ppf(0.975, n - 1)
        power = stats.nct.sf(bound, n - 1, difference / deviation * math.sqrt(n))
        if power >= 0.8:
            return n
        n += 1


@numbers
def pairs_of_seeds() -> Mapping[str, Any]:
    """Count the pairs that show one point, and half a point, at a deviation of 1.2 points."""
    return {
        "whole": needed(1.0, 1.2),
        "half": needed(0.5, 1.2),
        "rule": f"{(2.8 * 1.2 / 1.0) ** 2:.0f}",
    }


@numbers
def luckiest_of_sixteen() -> Mapping[str, Any]:
    """Compute how far the best of sixteen equal scores lies from their mean, one point apart."""

    def density(z: float) -> float:
        return 16 * z * stats.norm.pdf(z) * stats.norm.cdf(z) ** 15

    best = integrate.quad(density, -8, 8)[0]
    return {"one": f"{best:.1f}", "mean_of_three": f"{best / math.sqrt(3):.1f}"}


@numbers
def rate_at_512_units() -> Mapping[str, Any]:
    """Scale a hidden layer's Adam rate from 32 to 512 units as μP does."""
    return {"m": 512 // 32, "rate": f"{0.01 / (512 // 32):.6f}".rstrip("0")}


@numbers
def steps_of_two_batches() -> Mapping[str, Any]:
    """Count the steps of 40 epochs on 3,200 rows by batches of 20 and of 160."""
    small = 40 * 3200 // 20
    large = 40 * 3200 // 160
    return {"small": f"{small:,}", "large": f"{large:,}", "times": small // large}


@numbers
def brackets_by_logarithm() -> Mapping[str, Any]:
    """Count Hyperband's brackets for R = 243, eta = 3 by floored logarithms and by powers."""
    floored = math.floor(math.log(243) / math.log(3)) + 1
    right = sum(3**k <= 243 for k in range(20))
    return {"log": f"{math.log(243) / math.log(3):.16g}", "floored": floored, "right": right}


@numbers
def resumed_or_anew() -> Mapping[str, Any]:
    """Price Hyperband's table for R = 27, eta = 3, if trials resume and if they begin anew."""
    schedule = plan(hyperband(Space(x=Float(0.0, 1.0)), max_budget=27, eta=3, seed=0))
    resumed = schedule.epochs_resumed
    anew = schedule.epochs_scratch
    return {
        "resumed": f"{resumed:g}",
        "anew": f"{anew:g}",
        "more": f"{100 * (anew / resumed - 1):.0f}",
    }


@numbers
def nan_in_a_minimum() -> Mapping[str, Any]:
    """Take the smallest of three losses whose first is NaN, in three ways that people write."""
    losses = [math.nan, 0.3, 0.2]
    return {
        "python": f"{min(losses)}",
        "turned": f"{min(reversed(losses)):g}",
        "numpy": f"{np.min(losses)}",
        "right": f"{np.nanmin(losses):g}",
    }


@numbers
def night_without_storage() -> Mapping[str, Any]:
    """Expect what is lost when a search of 120 trials, 5 minutes each, may crash at any moment."""
    hours = 120 * 5 / 60
    return {"hours": f"{hours:g}", "lost": f"{hours / 2:g}", "kept": "5"}

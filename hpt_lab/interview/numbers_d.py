"""Numbers for lessons 05 and 01: posteriors, likelihoods, improvements, ratios, scales, by hand.

Every function works one example out in full. Start with `one_neighbour`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats

from hpt_lab.interview.numbers import numbers


@numbers
def one_neighbour() -> Mapping[str, Any]:
    """Predict from one result of 1.0 at correlation 0.8, without noise and with variance 0.25."""
    noisy = 0.8 / 1.25
    return {
        "variance": f"{1 - 0.8**2:.2f}",
        "std": f"{math.sqrt(1 - 0.8**2):.1f}",
        "mean": f"{noisy:.2f}",
        "noisy_std": f"{math.sqrt(1 - 0.8**2 / 1.25):.2f}",
    }


@numbers
def evidence_of_two() -> Mapping[str, Any]:
    """Score correlations 0 and 0.9 by log likelihood, constant left out, for (1, 1) and (1, -1)."""

    def score(correlation: float, y: tuple[float, float]) -> float:
        kernel = np.array([[1, correlation], [correlation, 1]])
        results = np.array(y)
        return float(
            -0.5 * results @ np.linalg.solve(kernel, results) - 0.5 * np.linalg.slogdet(kernel)[1]
        )

    return {
        "apart": f"{score(0, (1, 1)):.1f}",
        "alike": f"{score(0.9, (1, 1)):.1f}",
        "against": f"{score(0.9, (1, -1)):.1f}",
        "det": f"{1 - 0.9**2:.2f}",
        "credit": f"{-0.5 * math.log(1 - 0.9**2):.1f}",
    }


def _improvement(mean: float, std: float, best: float) -> float:
    z = (best - mean) / std
    return float((best - mean) * stats.norm.cdf(z) + std * stats.norm.pdf(z))


@numbers
def two_candidates() -> Mapping[str, Any]:
    """Compare a safe and an uncertain candidate, both expected to be worse than the best, 0.22."""
    safe = _improvement(0.23, 0.02, 0.22)
    open_ = _improvement(0.30, 0.12, 0.22)
    return {
        "safe": f"{safe:.4f}",
        "open": f"{open_:.4f}",
        "times": f"{open_ / safe:.1f}",
        "when_safe": f"{safe / stats.norm.cdf(-0.5):.2f}",
        "when_open": f"{open_ / stats.norm.cdf(-0.08 / 0.12):.2f}",
        "z_safe": f"{-0.01 / 0.02:.1f}",
        "z_open": f"{-0.08 / 0.12:.2f}",
        "p_safe": round(100 * stats.norm.cdf(-0.5)),
        "p_open": round(100 * stats.norm.cdf(-0.08 / 0.12)),
    }


@numbers
def sure_and_small() -> Mapping[str, Any]:
    """Compare a gain of 0.001 nine times in ten with a gain of 0.1 three times in ten."""
    return {
        "sure": f"{0.9 * 0.001:.4f}",
        "bold": f"{0.3 * 0.1:.2f}",
        "times": round(0.3 * 0.1 / (0.9 * 0.001)),
    }


@numbers
def ratio_of_shares() -> Mapping[str, Any]:
    """Give TPE's ratio for Adam and SGD: 3 of 4 good trials use Adam, 12 of the 36 others."""
    adam = (3 / 4) / (12 / 36)
    sgd = (1 / 4) / (24 / 36)
    smooth = ((3 + 1) / (4 + 2)) / ((12 + 1) / (36 + 2))
    return {
        "adam": f"{adam:.2f}",
        "sgd": f"{sgd:.2f}",
        "times": round(adam / sgd),
        "smooth": f"{smooth:.2f}",
    }


@numbers
def cube_of_trials() -> Mapping[str, Any]:
    """Grow a process from 1,000 trials at a tenth of a second to 10,000, with its memory."""
    return {
        "seconds": round(0.1 * 10**3),
        "small": f"{8 * 1000**2 / 1e6:.0f}",
        "large": f"{8 * 10_000**2 / 1e6:.0f}",
        "fit": f"{50 * 0.1 * 10**3 / 3600:.1f}",
    }


@numbers
def squeezed_axis() -> Mapping[str, Any]:
    """Correlate the rates 0.0001 and 0.01 by Matérn-5/2, length 0.2, on two axes from 1e-5 to 1."""

    def matern(distance: float) -> float:
        r = math.sqrt(5) * distance / 0.2
        return (1 + r + r**2 / 3) * math.exp(-r)

    linear = (0.01 - 1e-4) / (1 - 1e-5)
    log = math.log(0.01 / 1e-4) / math.log(1 / 1e-5)
    return {
        "linear": f"{matern(linear):.3f}",
        "log": f"{matern(log):.2f}",
        "distance": f"{linear:.2f}",
        "far": f"{log:.1f}",
    }


@numbers
def near_an_edge() -> Mapping[str, Any]:
    """Give the share of a cube within a tenth of some face, in 2, 5 and 20 dimensions."""
    shares = {d: round(100 * (1 - 0.8**d)) for d in (2, 5, 20)}
    return {"two": shares[2], "five": shares[5], "twenty": shares[20]}


# Lesson 01, more


@numbers
def zero_as_an_extra_value() -> Mapping[str, Any]:
    """Draw 20 weight decays from 1e-8 to 0.1 by logs, or with "none" as one choice in five."""
    small = math.log(1e-6 / 1e-8) / math.log(0.1 / 1e-8)
    return {
        "wasted": round(100 * small),
        "trials": f"{20 * small:.0f}",
        "none": f"{20 / 5:.0f}",
        "missed": round(100 * 0.8**20),
    }


@numbers
def epoch_by_batch() -> Mapping[str, Any]:
    """Time an epoch of 50,000 rows: 1,563 steps of 5 ms, or 49 of 20 ms and twice the epochs."""
    small = math.ceil(50_000 / 32) * 0.005
    large = math.ceil(50_000 / 1024) * 0.020
    return {
        "small": f"{small:.1f}",
        "large": f"{large:.1f}",
        "faster": round(small / large),
        "net": round(small / (2 * large)),
        "steps_small": f"{math.ceil(50_000 / 32):,}",
        "steps_large": math.ceil(50_000 / 1024),
    }

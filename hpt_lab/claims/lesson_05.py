"""What lesson 05 claims, section by section. Losses are minimised; (seeds, ...) first
everywhere."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hpt_lab.claims.core import claim


def clear(gain: np.ndarray) -> bool:
    """Say whether the mean of paired gains, (seeds,), is more than two standard errors above 0."""
    return bool(gain.mean() > 2 * gain.std(ddof=1) / len(gain) ** 0.5)


def process(
    z: np.ndarray, X: np.ndarray, y: np.ndarray, mean: np.ndarray, std: np.ndarray, apart: float
) -> None:
    """Check the ten lines against the results they saw, and against the package."""
    claim("all curves go through both points", np.abs(np.interp(X, z, mean) - y) < 0.01)
    claim("the band closes at the points", np.interp(X, z, std) < 0.05)
    claim("it is the package's process", bool(apart < 1e-3))


def lengths(
    fits: Mapping[float, tuple[np.ndarray, np.ndarray]],
    truth: np.ndarray,
    tried: np.ndarray,
    values: np.ndarray,
) -> None:
    """Check that too long a length is sure and wrong, and that the likelihood has its peak
    between."""
    shares = [float((np.abs(truth - mean) <= 2 * std).mean()) for mean, std in fits.values()]
    claim(
        "the likelihood's length keeps the truth inside the band on most of the axis",
        bool(shares[1] > 0.8),
    )
    claim("too long is sure where it has no right to be", bool(shares[2] < 0.75 * shares[1]))
    claim("the peak lies between the extremes", bool(0 < values.argmax() < len(tried) - 1))


def improvement(
    z: np.ndarray, ei: np.ndarray, simulated: np.ndarray, X: np.ndarray, y: np.ndarray
) -> None:
    """Check the formula against a simulation, and where it goes."""
    claim("the simulation agrees with the formula everywhere", np.abs(ei - simulated) < 0.02)
    away = abs(z[ei.argmax()] - X[y.argmin()])
    claim("EI goes beside the best result, but not onto it", bool(0.02 < away < 0.3))


def misled(
    z: np.ndarray,
    by_ei: float,
    by_pi: float,
    tried: np.ndarray,
    by_lcb: float,
    edge: Mapping[str, Any],
    spread: np.ndarray,
) -> None:
    """Check the four pictures in which a rule misleads."""
    claim(
        "EI with too long a length stays away from the minimum at 0.85",
        bool(abs(by_ei - 0.85) > 0.1),
    )
    claim("PI takes a tiny step", bool(np.abs(by_pi - tried).min() < 0.03))
    claim("LCB goes far off", bool(np.abs(by_lcb - edge["X"]).min() > 0.2))
    claim("some of Thompson's draws go far", bool(0.1 < (spread > 0.3).mean() < 0.95))


def race(regrets: np.ndarray, live: np.ndarray, caught: int) -> None:
    """Check the race on Branin, (seeds, 4, trials), and that three seeds run live agree with the
    record."""
    median = np.median(regrets, axis=0)
    claim("after 18 trials the model is where random search ends at 30", caught == 18)
    claim(
        "the gap grows to a factor of more than a hundred",
        bool(median[0, -1] > 100 * median[3, -1]),
    )
    claim("random search runs live as recorded", np.abs(live[:, :2] - regrets[:3, :2]) < 1e-6)
    claim(
        "the model ends live where it ended when recorded",
        np.abs(live[:, 3, -1] - regrets[:3, 3, -1]) < 0.05,
    )


def tables(rows: Mapping[str, np.ndarray], gains: Mapping[str, np.ndarray]) -> None:
    """Check what modelling gains on random search in test error on the two tables."""
    claim(
        "on spirals the model gains about 1.6 points",
        bool(1.2 < gains["spirals: Gaussian process"].mean() < 2.0),
    )
    claim(
        "on spirals both gains are clear",
        [clear(gains["spirals: Gaussian process"]), clear(gains["spirals: TPE"])],
    )
    claim("on spirals TPE gains over a point", bool(gains["spirals: TPE"].mean() > 1))
    claim(
        "on digits the process gains nothing that we can measure",
        not clear(gains["digits: Gaussian process"])
        and not clear(-gains["digits: Gaussian process"]),
    )
    claim("on digits TPE gains about 0.4", bool(0.3 < gains["digits: TPE"].mean() < 0.45))
    claim("30 seeds each", [len(row) == 30 for row in rows.values()])


def ratio(
    z: np.ndarray, good: np.ndarray, bad: np.ndarray, off: np.ndarray, again: np.ndarray
) -> None:
    """Check TPE's ratio on one knob, and what a ratio per knob can't see."""
    claim("the ratio's top is at the minimum", bool(abs(z[(good / bad).argmax()] - 0.65) < 0.1))
    claim(
        "0.23 off the valley by knob, 0.10 jointly", np.abs(off.mean(axis=0) - [0.23, 0.10]) < 0.01
    )
    claim("one ratio per knob is clearly worse", clear(off[:, 0] - off[:, 1]))
    claim("three seeds agree with the record", np.abs(again - off[:3]) < 0.02)


def failures(
    axis: np.ndarray,
    axis_live: np.ndarray,
    wide: np.ndarray,
    failed: Sequence[bool],
    different: set[Any],
) -> None:
    """Check scale, dimensions, failed trials and duplicates."""
    claim(
        "random search on the right axis beats the model on the wrong one",
        clear(axis[:, 3] - axis[:, 0]),
    )
    claim(
        "the axis experiment runs live as recorded",
        np.abs(axis_live[:, :3:2] - axis[:1, :3:2]) < 1e-6,
    )
    middle = np.median(wide, axis=0)  # (dimensions, 3)
    claim("even with 20 knobs the model wins", clear(wide[:, 3, 0] - wide[:, 3, 1]))
    claim("by a factor of about four", bool(3 < middle[3, 0] / middle[3, 1] < 6))
    claim("it spends coordinates on the edges", middle[1:, 2] > 0.05)
    claim("hardly any of the later trials fail", bool(np.mean(failed[8:]) < 0.15))
    claim("it never repeats itself", len(different) == 30)


def parallel(pack: np.ndarray, starts: np.ndarray) -> None:
    """Check batches, (seeds, sizes, beliefs), and starting designs, (seeds, 4)."""
    claim(
        "the lie saves most of what twelve at once would lose",
        bool(pack[:, 2, 1].mean() < pack[:, 2, 0].mean() / 2),
    )
    claim("clearly so", clear(pack[:, 2, 0] - pack[:, 2, 1]))
    claim("it does not make up for missing results", clear(pack[:, 2, 1] - pack[:, 0, 1]))
    claim(
        "from 0.001 to about 0.09",
        [bool(pack[:, 0, 1].mean() < 0.002), bool(0.08 < pack[:, 2, 1].mean() < 0.11)],
    )
    twelve = pack[:, 2].mean(axis=0)  # nothing, liar, posterior mean, Thompson
    claim("0.40, 0.09, 0.12 and 0.24", abs(twelve - [0.40, 0.09, 0.12, 0.24]) < 0.02)
    claim("Thompson saves less than the liar", clear(pack[:, 2, 3] - pack[:, 2, 1]))
    middle = np.median(starts, axis=0)
    claim("two points have the best median", bool(middle[0] == middle.min()))
    claim("and the worst seed by far", bool(starts[:, 0].max() > 5 * starts[:, 1:].max()))
    claim("16 were worse", clear(starts[:, 2] - starts[:, 1]))
    claim(
        "8 Sobol points no better than 8 independent ones", not clear(starts[:, 3] - starts[:, 1])
    )


def recommendation(luck: np.ndarray, retrained: np.ndarray) -> None:
    """Check the recommendation by the posterior mean, (seeds, noises, strategies, luckiest and
    recommended)."""
    gain = luck[..., 0] - luck[..., 1]
    claim("without noise it changes nothing", np.abs(gain[:, 0].mean(axis=0)) < 0.02)
    claim("with noise of 15 it helps random search's pick", clear(gain[:, 1, 0]))
    better = retrained[..., 0] - retrained[..., 1]  # (seeds, tables)
    claim(
        "nor on the recorded tables",
        [not clear(sign * better[:, j]) for sign in (1, -1) for j in (0, 1)],
    )
    claim(
        "with noise of 30 we can't tell",
        [not clear(sign * gain[:, 2, j]) for sign in (1, -1) for j in (0, 1)],
    )


def cost(seconds: Sequence[float]) -> None:
    """Check that the cost grows much faster than n, with a wide margin, and that no TensorFlow was
    loaded."""
    claim(
        "eight times the trials cost far more than eight times the time",
        bool(seconds[-1] > 12 * seconds[0]),
    )
    claim("no TensorFlow", "tensorflow" not in sys.modules)


def mixed(regrets: np.ndarray) -> None:
    """Check the race in a mixed and conditional space, (seeds, 3)."""
    claim(
        "both models beat random search",
        [clear(regrets[:, 0] - regrets[:, 1]), clear(regrets[:, 0] - regrets[:, 2])],
    )

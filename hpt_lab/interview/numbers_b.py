"""Numbers for the questions of lessons 04 and 06: grids, draws, gaps, shares of variance, brackets.

Every function works one example out in full. Start with `bracket_of_81`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from hpt_lab.experiments.interview import early_and_late, expected_best, two_speeds
from hpt_lab.interview.numbers import numbers

# Lesson 04


@numbers
def grid_of_six() -> Mapping[str, Any]:
    """Price three values of six and of seven knobs, an hour each."""
    return {
        "trainings": 3**6,
        "days": round(3**6 / 24),
        "months": round(3**7 / 24 / 30),
        "exact": f"{3**6 / 24:.1f}",
    }


def _trials(top: float, sure: float) -> int:
    return math.ceil(math.log(1 - sure) / math.log(1 - top))


@numbers
def trials_for_the_top() -> Mapping[str, Any]:
    """Count the draws for one among the top 1 or 5 %, with 95 or 99 % certainty."""
    return {
        "one": _trials(0.01, 0.95),
        "five": _trials(0.05, 0.95),
        "surer": _trials(0.01, 0.99),
        "sixty": round(100 * (1 - 0.99**60)),
        "thumb": round(3 / 0.01),
    }


@numbers
def momentum_draws() -> Mapping[str, Any]:
    """Give the shares of momentum above 0.99, drawn from 0.9 to 0.999 on two scales."""
    plain = (0.999 - 0.99) / (0.999 - 0.9)
    log = math.log(0.01 / 0.001) / math.log(0.1 / 0.001)
    return {
        "plain": round(100 * plain),
        "log": round(100 * log),
        "of_plain": round(40 * plain),
        "of_log": round(40 * log),
        "slow": round(1 / (1 - 0.99)),
        "slower": f"{1 / (1 - 0.999):,.0f}",
    }


@numbers
def two_of_nine() -> Mapping[str, Any]:
    """Give the chance that two of nine rates, or 64 draws, miss all three good ones."""
    grid = Fraction(math.comb(6, 2), math.comb(9, 2))
    eight = (6 / 9) ** 8
    return {
        "grid": round(100 * grid),
        "ways": math.comb(6, 2),
        "all": math.comb(9, 2),
        "eight": f"{100 * eight:.0f}",
        "power": round(-64 * math.log10(6 / 9)),
    }


@numbers
def largest_gap() -> Mapping[str, Any]:
    """Compare the largest gap of 8 uniform draws with that of 8 midpoints."""
    spacings = 9
    expected = sum(1 / i for i in range(1, spacings + 1)) / spacings
    return {
        "random": f"{expected:.2f}",
        "grid": f"{1 / 8:.3f}",
        "times": f"{8 * expected:.1f}",
        "half": f"{1 / 16:.2f}",
    }


@numbers
def two_by_two() -> Mapping[str, Any]:
    """Split the variance of four errors into two knobs and their interaction."""
    errors = np.array([[4.0, 10.0], [8.0, 6.0]])  # rate low, high; batch small, large
    mean = errors.mean()
    total = errors.var()
    rate = errors.mean(axis=1).var()
    batch = errors.mean(axis=0).var()
    return {
        "mean": f"{mean:g}",
        "total": f"{total:g}",
        "rate": round(100 * rate / total),
        "batch": round(100 * batch / total),
        "both": round(100 * (total - rate - batch) / total),
        "batch_variance": f"{batch:g}",
    }


@numbers
def draws_with_repeats() -> Mapping[str, Any]:
    """Count the distinct configs of 64 draws, with replacement, from 64 and from 1,944."""
    few = 64 * (1 - (1 - 1 / 64) ** 64)
    many = 1944 * (1 - (1 - 1 / 1944) ** 64)
    return {
        "distinct": round(few),
        "wasted": 64 - round(few),
        "share": round(100 * few / 64),
        "of_many": round(many),
        "limit": round(100 * (1 - 1 / math.e)),
    }


@numbers
def two_studies() -> Mapping[str, Any]:
    """Read the expected best of 16 and 32 trials of both recorded problems, and the rows' noise."""
    found: dict[str, Any] = {}
    for name, share, rows in (("digits", 0.03, 360), ("spirals", 0.24, 0)):
        half, whole = expected_best(f"{name}-mlp", [16, 32])
        found |= {
            f"{name}_half": f"{half:.1f}",
            f"{name}_whole": f"{whole:.1f}",
            f"{name}_gain": f"{half - whole:.1f}",
        }
        if rows:
            found[f"{name}_error"] = f"{100 * math.sqrt(share * (1 - share) / rows):.1f}"
    return found


@numbers
def seven_knobs() -> Mapping[str, Any]:
    """Divide 128 trials of seven knobs, and say what grids of them would be."""
    return {"two": 2**7, "first": 64, "misses": f"{100 * 0.95**64:.0f}"}


@numbers
def sevenths_that_fail() -> Mapping[str, Any]:
    """Say how many trials work when two in five diverge, and what the top 5 % then mean."""
    return {
        "left": round(60 * 0.6),
        "needed": math.ceil(59 / 0.6),
        "share": f"{100 * 0.05 / 0.6:.0f}",
        "chance": round(100 * (1 - 0.95**36)),
    }


# Lesson 06


@numbers
def bracket_of_81() -> Mapping[str, Any]:
    """Price the bracket 81, 27, 9, 3, 1 at 1 to 81 epochs, resumed and from scratch."""
    rungs = [(3 ** (4 - i), 3**i) for i in range(5)]
    scratch = sum(n * epochs for n, epochs in rungs)
    resumed = sum(n * (epochs - epochs // 3) for n, epochs in rungs)
    return {"scratch": scratch, "resumed": resumed, "full": 81 * 81, "fifth": scratch // 81}


def _table(most: int, halvings: int) -> list[list[tuple[int, int]]]:
    """Return Hyperband's (configs, epochs) for `most` = 3 to the `halvings`, bracket by bracket."""
    plans = []
    for s in range(halvings, -1, -1):
        n = math.ceil((halvings + 1) * 3**s / (s + 1))
        plans.append([(n // 3**i, most // 3 ** (s - i)) for i in range(s + 1)])
    return plans


def _bill(most: int, halvings: int) -> dict[str, Any]:
    """Price the table in both ways."""
    plans = _table(most, halvings)
    scratch = sum(n * epochs for plan in plans for n, epochs in plan)
    resumed = 0
    for plan in plans:
        before = 0
        for n, epochs in plan:
            resumed += n * (epochs - before)
            before = epochs
    starts = [plan[0][0] for plan in plans]
    return {
        "scratch": scratch,
        "resumed": resumed,
        "starts": ", ".join(map(str, starts)),
        "configs": sum(starts),
        "full": scratch // most,
    }


@numbers
def bracket_of_27() -> Mapping[str, Any]:
    """Lay out Hyperband for R = 27, eta = 3, and price it in both ways."""
    return _bill(27, 3)


@numbers
def table_of_nine() -> Mapping[str, Any]:
    """Lay out Hyperband for R = 9, eta = 3, and price it in both ways."""
    return _bill(9, 2)


@numbers
def two_etas() -> Mapping[str, Any]:
    """Compare keeping a third and keeping a ninth, from 81 configs at one epoch."""
    soft = [(81 // 3**i, 3**i) for i in range(5)]
    hard = [(81 // 9**i, 9**i) for i in range(3)]
    return {
        "soft": sum(n * epochs for n, epochs in soft),
        "soft_rungs": len(soft),
        "hard": sum(n * epochs for n, epochs in hard),
        "hard_rungs": len(hard),
        "more": sum(n * e for n, e in soft) // 81 * 27,
    }


@numbers
def ranks_of_five() -> Mapping[str, Any]:
    """Give Spearman's correlation of the orders 1 2 3 4 5 and 2 1 3 5 4."""
    early = np.array([1, 2, 3, 4, 5])
    late = np.array([2, 1, 3, 5, 4])
    squares = ((early - late) ** 2).sum()
    return {"squares": int(squares), "rho": f"{1 - 6 * squares / (5 * 24):.1f}"}


@numbers
def ranks_after_three() -> Mapping[str, Any]:
    """Correlate early and late ranks for 81 trainings and for their best quarter."""
    early, late = early_and_late()
    best = np.argsort(late, kind="stable")[:20]
    return {
        "all": f"{spearmanr(early, late)[0]:.2f}",
        "best": f"{spearmanr(early[best], late[best])[0]:.2f}",
    }


@numbers
def speeds() -> Mapping[str, Any]:
    """Read where the fast and the slow training stand after 3, 27 and 81 epochs."""
    fast, slow = two_speeds()
    return {
        f"{name}_{epoch}": f"{errors[epoch - 1]:.1f}"
        for epoch in (3, 27, 81)
        for name, errors in (("fast", fast), ("slow", slow))
    }

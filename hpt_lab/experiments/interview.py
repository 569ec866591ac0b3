"""Recorded runs that questions of the interview room are about: their pictures and their numbers
read the same ones."""

from __future__ import annotations

import numpy as np

from hpt_lab import curves, honesty
from hpt_lab.curves import lessons
from hpt_lab.experiments import lesson_07
from hpt_lab.strategies.successive_halving import successive_halving
from hpt_lab.study.simulation import Simulation, simulate


def study_of(table: str) -> np.ndarray:
    """Return the final validation errors, in percent, of 32 random trainings of a table."""
    found = curves.load(table)
    rng = np.random.default_rng(0)
    rows = rng.choice(len(found.configs), 32, replace=False)
    errors = 100 * lessons.ranked(found)[rows, rng.integers(3, size=32), -1]
    return np.asarray(errors)


def early_and_late() -> tuple[np.ndarray, np.ndarray]:
    """Return the errors of 81 random digits trainings after 3 epochs and after 81."""
    found = curves.load("digits-mlp")
    rng = np.random.default_rng(5)
    rows = rng.choice(len(found.configs), 81, replace=False)
    errors = 100 * lessons.ranked(found)[rows, 0]
    return errors[:, 2], errors[:, -1]


def two_speeds() -> tuple[np.ndarray, np.ndarray]:
    """Return the validation errors of a fast and of a slow digits training, by epoch."""
    found = curves.load("digits-mlp")
    errors = 100 * lessons.ranked(found)[:, 0]
    final = errors[:, -1]
    good = np.flatnonzero(final <= np.quantile(final, 0.1))
    slow = good[np.argmax(errors[good, 2] - errors[good, -1])]
    fast = int(np.argmin(errors[:, 2]))
    return errors[fast], errors[slow]


def halving_on_sixteen() -> Simulation:
    """Simulate 81 configs of digits on 16 workers, some runs slowed down."""
    digits = curves.load("digits-mlp")
    search = successive_halving(digits.space, max_budget=81, configs=81, seed=0)
    return simulate(search, lesson_07.Stragglers(digits.objective(seed=0), seed=0), workers=16)


def expected_best(table: str, ns: list[int]) -> np.ndarray:
    """Return the expected best of n of the trainings that `study_of` returns, for each n."""
    return np.asarray(honesty.expected_best(study_of(table).tolist(), ns))

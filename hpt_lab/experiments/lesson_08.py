"""Lesson 08's races: eight strategies and the line to beat, on both tables, in epochs and in
seconds.

A row is one seed: what each entrant's best config so far scored, looked up at POINTS moments of its
budget. `recorded` makes a `curves.Race` of a hundred such rows, so that everything that describes
or draws a race works on it.
"""

from __future__ import annotations

import itertools

import numpy as np

from hpt_lab import curves
from hpt_lab.curves.racing import Race, Run, Unit, entrants, run_once
from hpt_lab.curves.table import Table
from hpt_lab.experiments.recording import load
from hpt_lab.strategies.strategy import STRATEGIES
from hpt_lab.strategies.successive_halving import successive_halving

TRAININGS = 20  # the budget, in full trainings' worth
POINTS = 81
SHARES = np.geomspace(1 / 200, 1, POINTS)  # of the budget
ETAS = (2, 3, 4, 6, 9)
FIRST = (1, 3, 9)  # epochs in the lowest rung


def digits_epochs(seed: int) -> np.ndarray:
    """Race on digits-mlp, every strategy with 1,620 epochs: (entrants, validation and test,
    POINTS)."""
    return row("digits-mlp", "epochs", seed)


def digits_seconds(seed: int) -> np.ndarray:
    """Race on digits-mlp, every strategy with the seconds that 20 average trainings take."""
    return row("digits-mlp", "seconds", seed)


def spirals_epochs(seed: int) -> np.ndarray:
    """Race on spirals-mlp, every strategy with 1,620 epochs."""
    return row("spirals-mlp", "epochs", seed)


def spirals_seconds(seed: int) -> np.ndarray:
    """Race on spirals-mlp, every strategy with the seconds that 20 average trainings take."""
    return row("spirals-mlp", "seconds", seed)


def halving_settings(seed: int) -> np.ndarray:
    """Run successive halving on digits-mlp in every setting of ETAS and FIRST: errors (settings,
    validation and test)."""
    table = curves.load("digits-mlp")
    limit = budget(table, "epochs")
    found = []
    for eta, first in itertools.product(ETAS, FIRST):
        strategy = successive_halving(
            table.space, max_budget=table.epochs, min_budget=first, eta=eta
        )
        found.append(
            run_once(successive_halving, strategy.settings, table, budget=limit, seed=seed).at(
                limit
            )
        )
    return np.array(found)


def budget(table: Table, unit: Unit) -> float:
    """Return what 20 full trainings on `table` cost, in `unit`."""
    return TRAININGS * (table.epochs if unit == "epochs" else table.mean_seconds)


def row(name: str, unit: Unit, seed: int) -> np.ndarray:
    """Run every entrant once, and look its best config up at SHARES of the budget: (entrants, 2,
    POINTS)."""
    table = curves.load(name)
    limit = budget(table, unit)
    found = []
    for strategy, times in entrants(curves.contestants(table), table, limit, unit).values():
        make = STRATEGIES[strategy.name]
        run = run_once(make, strategy.settings, table, budget=times * limit, seed=seed, unit=unit)
        found.append(np.transpose([run.at(times * limit * share) for share in SHARES]))
    return np.array(found)


def recorded(name: str, unit: Unit) -> Race:
    """Return the recorded race on table `name`; what a run had found is known at SHARES of the
    budget."""
    table = curves.load(name)
    rows = load(f"lesson_08.{name.removesuffix('-mlp')}_{unit}")
    limit = budget(table, unit)
    runs = {}
    for place, entrant in enumerate(entrants(curves.contestants(table), table, limit, unit)):
        runs[entrant] = [Run(limit * SHARES, *row[place]) for row in rows]
    return Race(table, "accuracy", unit, limit, 1, tuple(range(len(rows))), runs)

"""What lesson 08 claims. `races`: by (table, unit), recorded `curves.Race`s; errors in %, unless they are a race's own."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from hpt_lab.claims.core import claim
from hpt_lab.curves.racing import LINE, Race

Races = Mapping[tuple[str, str], Race]
RANDOM, TPE, BAYES = "random search", "TPE", "Bayesian optimization"
HALVING = ("ASHA", "successive halving", "Hyperband", "BOHB")


def _mean(race: Race, who: str, part: str = "test_error") -> float:
    return float(100 * race.summary()[part][who])


def track(widget: Any) -> None:
    """Check what the opening says of one seed on digits."""
    leaders = set(widget._leaders())
    claim("five of nine share the lead, plain random search among them", len(leaders) == 5 and {RANDOM, LINE} <= leaders)
    claim("Hyperband, ASHA and BOHB are behind", not leaders & {"Hyperband", "ASHA", "BOHB"})


def loop(mine: list[tuple[float, float]], its: list[tuple[float, float]]) -> None:
    """Check that the loop in ten lines ends where the package's ends."""
    claim("ten lines find what the package's race finds", np.allclose(mine, its))
    claim("no TensorFlow was loaded", "tensorflow" not in sys.modules)


def live(races: Races, again: Races, shares: np.ndarray) -> None:
    """Check that the first three seeds, raced live, agree with the recording at every recorded moment."""
    compared = 0
    for key, race in again.items():
        for who, runs in race.runs.items():
            for seed, run in zip(race.seeds, runs, strict=True):
                recorded = races[key].runs[who][seed]
                found = np.array([run.at(race.budget * share) for share in shares])
                told = np.transpose([recorded.losses, recorded.test_errors])
                claim(f"seed {seed} of {who} agrees with the recording", np.allclose(found, told, atol=1e-9, equal_nan=True))
                compared += 1
    claim("three seeds of seven or more entrants on four races", compared >= 3 * 7 * 4)

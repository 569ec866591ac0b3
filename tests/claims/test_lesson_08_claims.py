"""Lesson 08's claims hold for what is recorded, and fail for arrays that say otherwise."""

import numpy as np
import pytest

from hpt_lab.claims import lesson_08 as claims
from hpt_lab.experiments import load
from hpt_lab.experiments.lesson_08 import recorded


@pytest.fixture(scope="module")
def races():
    return {
        (name, unit): recorded(f"{name}-mlp", unit)
        for name in ("digits", "spirals")
        for unit in ("epochs", "seconds")
    }


def test_the_recorded_races_hold_and_swapped_ones_do_not(races):
    swapped = {
        key: races[{"digits": "spirals", "spirals": "digits"}[key[0]], key[1]] for key in races
    }
    for section in (claims.ranks, claims.test):
        section(races)
        with pytest.raises(AssertionError, match="no longer true"):
            section(swapped)


def test_seconds_are_not_epochs(races):
    line = {
        name: 100 * races[name, "seconds"].test_errors()[-1, :40] for name in ("digits", "spirals")
    }
    claims.seconds(races, line)
    for wrong in (
        {name: errors + 1 for name, errors in line.items()},
        {"digits": np.full(40, 9.4)},
    ):
        with pytest.raises(AssertionError, match="not told apart"):
            claims.seconds(races, wrong)


def test_early_and_one_seed_fail_with_other_numbers(races):
    found = {
        ("digits", "losses"): (1243, 893, 1516),
        ("digits", "test_errors"): (954, 685, 1419),
        ("spirals", "losses"): (492, 431, 492),
        ("spirals", "test_errors"): (492, 431, 600),
    }
    claims.early(found)
    with pytest.raises(AssertionError, match="twice as many"):
        claims.early(found | {("spirals", "losses"): (492, 170, 492)})
    errors = 100 * races["digits", "epochs"].test_errors()
    asha, chance = errors[6], errors[1]
    seed = int(np.argmax(asha - chance))
    claims.one_seed(asha, chance, seed)
    with pytest.raises(AssertionError, match="36 of 100"):
        claims.one_seed(chance, asha, seed)


def test_a_live_race_must_agree(races):
    from hpt_lab.experiments.lesson_08 import SHARES

    with pytest.raises(AssertionError, match="agrees with the recording"):
        claims.live(races, {("digits", "epochs"): races["digits", "seconds"]}, SHARES)


def test_spaces_trials_and_tuner_fail_when_turned_round():
    rng = np.random.default_rng(0)
    whole = {"random search": 25 + rng.normal(size=40), "TPE": 24 + rng.normal(size=40)}
    trim, tpe = 24 + rng.normal(size=40) * 0.9, 23 + rng.normal(size=40)
    claims.spaces(whole, trim, tpe)
    with pytest.raises(AssertionError):
        claims.spaces(whole, tpe, trim)
    by_trials = np.stack(
        [
            np.stack([3.3 + rng.normal(size=40) * 0.1, np.full(40, 6400.0)], -1),
            np.stack([3.8 + rng.normal(size=40) * 0.1, np.full(40, 297.0)], -1),
        ],
        1,
    )
    at_equal = {
        "random search": 7 + rng.normal(size=40),
        "successive halving": 4 + rng.normal(size=40),
    }
    claims.trials(by_trials, at_equal)
    with pytest.raises(AssertionError):
        claims.trials(by_trials[:, ::-1], at_equal)
    rows = load("lesson_08.halving_settings")
    claims.tuner(100 * rows[..., 0], rows[:3], [0.1], [-0.06], [0.025])
    for again, promised in ((rows[1:4], [0.1]), (rows[:3], [-0.06])):
        with pytest.raises(AssertionError):
            claims.tuner(100 * rows[..., 0], again, promised, [-0.06], [0.025])


def test_a_strategy_better_everywhere_would_end_the_lesson():
    points = np.array([[-1.0, -1.0], [1.0, 1.0]])
    names, columns = ["grid search", "ASHA"], ["digits\n170 epochs", "digits\n12 seconds"]
    claims.evidence(
        points * [1, -1] * np.array([[1, -1], [1, 1]]),
        np.array([[-1, -1], [1, -1]]),
        names,
        columns,
    )
    with pytest.raises(AssertionError, match="better than the line everywhere"):
        claims.evidence(points, np.sign(points).astype(int), names, columns)

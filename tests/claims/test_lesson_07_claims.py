"""Lesson 07's claims hold for what the page shows, and fail for arrays that say otherwise."""

import numpy as np
import pytest

from hpt_lab import curves, experiments
from hpt_lab.claims import lesson_07 as claims
from hpt_lab.experiments import lesson_07 as lab
from hpt_lab.strategies.hyperband import hyperband
from hpt_lab.strategies.population_based_training import schedule
from hpt_lab.strategies.successive_halving import successive_halving
from hpt_lab.study.simulation import simulate


@pytest.fixture(scope="module")
def digits():
    return curves.load("digits-mlp")


def ran(digits, strategy):
    return simulate(strategy, lab.Stragglers(digits.objective(seed=0), 0), workers=16)


def test_waiting(digits):
    halving = ran(digits, successive_halving(digits.space, max_budget=81, configs=81))
    brackets = ran(digits, hyperband(digits.space, max_budget=81))
    claims.waiting(halving)
    claims.brackets(halving, brackets)
    with pytest.raises(AssertionError, match="idle"):
        claims.waiting(brackets)
    with pytest.raises(AssertionError, match="stand idle less"):
        claims.brackets(brackets, brackets)


def test_many_workers():
    timed = experiments.load("lesson_07.workers")
    again = timed[:3][:, [0, -1]]
    claims.many_workers(timed, again, lab.WORKERS)
    with pytest.raises(AssertionError, match="agree"):
        claims.many_workers(timed, again + 1, lab.WORKERS)
    with pytest.raises(AssertionError, match="sooner"):
        claims.many_workers(timed[:, :, ::-1], again[:, :, ::-1], lab.WORKERS)


def test_a_recorded_search_is_what_runs_now():
    assert np.allclose(lab.workers(1, (32,)), experiments.load("lesson_07.workers")[1, 1:2])
    assert np.allclose(
        lab.counting_ones(2, last=1), experiments.load("lesson_07.counting_ones")[2, :, :2]
    )


def test_counting_ones():
    ones = experiments.load("lesson_07.counting_ones")
    claims.counting_ones(ones, ones[:3, :, :2])
    with pytest.raises(AssertionError, match="no longer true"):
        claims.counting_ones(ones[:, [0, 0, 2, 3]], ones[:3, [0, 0, 2, 3], :2])


def test_mistakes_that_do_not_fall_behind_are_noticed(digits):
    sizes = [81, 243, 729, 2187]
    with pytest.raises(AssertionError):
        claims.mistakes(sizes, np.array(sizes)[:, None] * np.full((4, 9), 12 / 729), digits)


def test_the_toy_and_the_front():
    claims.toy([[0.39], [0.39]], np.full((30, 5), 1.19))
    with pytest.raises(AssertionError, match="top"):
        claims.toy([[0.39], [0.39]], np.full((30, 5), 0.39))
    cost, error = np.arange(1.0, 7.0), np.array([6, 5.8, 5.6, 2, 1.8, 1.9])
    claims.front(cost, error, np.arange(5), np.array([0, 3, 4]))
    with pytest.raises(AssertionError, match="dominates"):
        claims.front(cost, error, np.arange(6), np.array([0, 3, 4]))


def test_the_replays():
    history = lab.population()
    rows = experiments.load("lesson_07.replays")
    claims.replays(rows, schedule(history), history)
    with pytest.raises(AssertionError, match="below"):
        claims.replays(rows[:, [*range(7), 8, 7]], schedule(history), history)


def test_failures():
    shown = {
        "TPE": (32, 6, 0),
        "population based training": (37, 12, 0),
        "Bayesian optimization": (30, 2, 0),
        "BOHB": (16, 16, 0),
        **dict.fromkeys(("random search", "successive halving", "Hyperband", "ASHA"), (36, 40, 0)),
    }
    claims.failures(shown)
    with pytest.raises(AssertionError, match="resumes"):
        claims.failures(shown | {"ASHA": (36, 40, 1)})
    with pytest.raises(AssertionError, match="Bayesian optimization learns"):
        claims.failures(shown | {"Bayesian optimization": (40, 68, 0)})
    with pytest.raises(AssertionError, match="random third"):
        claims.failures(shown | {"BOHB": (17, 27, 0)})


def test_stopping():
    runs = np.tile(np.linspace(1, 0.5, 27), (27, 1))
    runs[3, -1] = 0
    got = {
        name: np.array([epochs] * 27)
        for name, epochs in (("successive_halving", 3), ("asha", 4), ("stopping", 5))
    }
    got["asha"][3] = got["stopping"][3] = 27
    many = {"digits": np.tile([[81, 1.0], [100, 0.5], [140, 0.2]], (30, 1, 1))}
    claims.stopping(got, runs, many)
    got["asha"][3] = 4
    with pytest.raises(AssertionError, match="kept"):
        claims.stopping(got, runs, many)

"""The simulator against schedules worked by hand, and against the serial driver."""

from __future__ import annotations

import math

import pytest

from hpt_lab.errors import StrategyError, StudyError
from hpt_lab.space import Float, Space
from hpt_lab.strategies.hyperband import hyperband
from hpt_lab.strategies.random_search import random_search
from hpt_lab.strategies.successive_halving import successive_halving
from hpt_lab.study.simulation import simulate
from hpt_lab.study.study import tune
from hpt_lab.trial import Outcome, Trial

SPACE = Space(x=Float(0, 1))


class Table:
    """Trial i takes seconds[i] for each unit of budget that it adds, and its loss is i."""

    def __init__(self, *seconds: float):
        self.seconds = seconds
        self.had: dict[int, float] = {}

    def run(self, trial: Trial) -> Outcome:
        more = trial.budget - self.had.get(trial.id, 0)
        self.had[trial.id] = trial.budget
        return Outcome(float(trial.id), seconds=more * self.seconds[trial.id % len(self.seconds)])


def spans(simulation) -> list[tuple[int, float, float, int, float]]:
    return [
        (span.worker, span.start, span.end, span.trial.id, span.trial.budget)
        for span in simulation.spans
    ]


def test_two_workers_worked_by_hand():
    simulation = simulate(random_search(SPACE, trials=5), Table(4, 1, 2, 1, 3), workers=2)
    assert spans(simulation) == [
        (0, 0, 4, 0, 1),
        (1, 0, 1, 1, 1),
        (1, 1, 3, 2, 1),
        (1, 3, 4, 3, 1),
        (0, 4, 7, 4, 1),
    ]
    assert [record.trial.id for record in simulation.history.records] == [
        1,
        2,
        0,
        3,
        4,
    ]  # 0 and 3 end together
    assert simulation.told == [1, 3, 4, 4, 7]
    assert simulation.seconds == 7 and simulation.utilisation == pytest.approx(11 / 14)


def test_results_of_one_instant_are_all_told_before_anyone_asks():
    simulation = simulate(random_search(SPACE, trials=4), Table(1, 4, 3, 2), workers=2)
    # trial 1 on worker 1 and trial 2 on worker 0 end together; worker 0 is served first although 1
    # was told first
    assert spans(simulation) == [(0, 0, 1, 0, 1), (1, 0, 4, 1, 1), (0, 1, 4, 2, 1), (0, 4, 6, 3, 1)]
    assert [record.trial.id for record in simulation.history.records] == [0, 1, 2, 3]


def test_a_rung_waits_for_its_slowest_trial_and_resuming_costs_the_difference():
    # eta=2, budgets 1 and 2; rung 0: trials 0 and 1, then the better one, 0, goes on for one more
    simulation = simulate(successive_halving(SPACE, max_budget=2, eta=2), Table(1, 5), workers=2)
    assert spans(simulation) == [(0, 0, 1, 0, 1), (1, 0, 5, 1, 1), (0, 5, 6, 0, 2)]
    assert simulation.utilisation == pytest.approx(7 / 12)


def test_results_after_the_time_limit_stay_pending():
    simulation = simulate(random_search(SPACE, trials=9), Table(2, 3), workers=2, max_seconds=5)
    assert [record.trial.id for record in simulation.history.records] == [0, 1, 2]  # at 2, 3 and 4
    assert [trial.id for trial in simulation.history.pending] == [3, 4]
    assert simulation.seconds == 5 and simulation.utilisation == 1


def test_nothing_starts_once_the_epochs_are_spent():
    simulation = simulate(successive_halving(SPACE, max_budget=4, eta=2), Table(1), max_epochs=5)
    assert spans(simulation) == [
        (0, 0, 1, 0, 1),
        (0, 1, 2, 1, 1),
        (0, 2, 3, 2, 1),
        (0, 3, 4, 3, 1),
        (0, 4, 5, 0, 2),
    ]


def test_one_worker_runs_what_tune_runs():
    strategy = hyperband(SPACE, max_budget=9)
    simulation = simulate(strategy, Table(1, 2, 3))
    study = tune(Table(1, 2, 3), strategy, progress=False)
    assert [r.trial for r in simulation.history.records] == [r.trial for r in study.history.records]
    assert simulation.utilisation == pytest.approx(1) and simulation.seconds == study.seconds


def test_trials_that_take_no_time_are_no_trouble():
    simulation = simulate(random_search(SPACE, trials=6), Table(0), workers=3)
    assert len(simulation.told) == 6 and simulation.utilisation == 1


@pytest.mark.parametrize("seconds", [-1.0, math.nan, math.inf])
def test_impossible_seconds_are_refused(seconds):
    with pytest.raises(StudyError, match="seconds"):
        simulate(random_search(SPACE, trials=2), Table(seconds))


def test_no_workers_are_refused():
    with pytest.raises(StrategyError, match="workers"):
        simulate(random_search(SPACE, trials=2), Table(1), workers=0)

"""Replay: to a strategy a table is an objective like any other, with a clock."""

import math

import numpy as np
import pytest

import hpt_lab as hpt
from hpt_lab.errors import HptError, StrategyError
from hpt_lab.study.simulation import simulate
from hpt_lab.trial import Trial

GOOD = {"learning_rate": 0.01, "units": 32, "optimizer": "adam"}
BAD = {"learning_rate": 1.0, "units": 8, "optimizer": "sgd"}  # row 18: diverges in its 19th epoch


def test_outcomes_are_the_table_s_numbers(table):
    objective = table.objective(seed=5)
    row, seed, _ = objective.where(Trial(0, GOOD, 9))
    outcome = objective.run(Trial(0, GOOD, 9))
    assert outcome.loss == 1 - table.curves["val_accuracy"][row, seed, 8]
    assert outcome.metrics["accuracy"] == table.curves["val_accuracy"][row, seed, 8]
    assert outcome.curves["val_loss"] == table.curves["val_loss"][row, seed, :9].tolist()
    assert (
        objective.test(Trial(0, GOOD, 9))["accuracy"] == table.curves["test_accuracy"][row, seed, 8]
    )
    assert (
        table.objective(seed=5, metric="loss").run(Trial(0, GOOD, 9)).loss
        == table.curves["val_loss"][row, seed, 8]
    )


def test_a_resumed_trial_costs_only_what_it_adds_and_traces_once(table):
    objective, row = table.objective(), table.row(GOOD)
    first, more, other = (
        objective.run(Trial(id, GOOD, budget)) for id, budget in ((0, 3), (0, 9), (1, 9))
    )
    trace, epoch = table.trace_seconds[row], table.epoch_seconds[row]
    assert first.seconds == pytest.approx(trace + 3 * epoch) and more.seconds == pytest.approx(
        6 * epoch
    )
    assert other.seconds == pytest.approx(trace + 9 * epoch)


def test_a_diverged_run_fails_where_it_diverged_and_costs_no_epoch_after(table):
    objective, row = table.objective(), table.row(BAD)
    assert row == 18
    assert not objective.run(Trial(0, BAD, 18)).failed
    outcome = objective.run(Trial(0, BAD, 27))
    assert outcome.failed and "epoch 19" in outcome.error and len(outcome.curves["loss"]) == 19
    assert outcome.seconds == pytest.approx(table.epoch_seconds[row])
    assert math.isnan(objective.test(Trial(0, BAD, 27))["accuracy"])


def test_a_trial_keeps_its_training_seed_and_trials_differ(table):
    objective = table.objective(seed=0)
    seeds = [objective.where(Trial(id, GOOD, 3))[1] for id in range(300)]
    assert seeds == [table.objective(seed=0).where(Trial(id, GOOD, 27))[1] for id in range(300)]
    assert np.bincount(seeds).min() > 70  # all three recorded trainings are met about equally often


def test_the_training_seed_is_independent_of_the_config_drawn_with_the_same_seed(table):
    drawn = [table.space.sample((0, id))["learning_rate"] for id in range(600)]
    seeds = np.array([table.objective(seed=0).where(Trial(id, GOOD, 3))[1] for id in range(600)])
    means = [seeds[[value == rate for value in drawn]].mean() for rate in (0.001, 0.01, 0.1, 1.0)]
    assert max(means) - min(means) < 0.35  # the same stream for both would make it 2


def test_hyperband_runs_on_a_table_like_on_any_objective(table):
    study = hpt.tune(table.objective(), hpt.hyperband(table.space, max_budget=27), progress=False)
    assert study.stopped == "finished" and study.best.loss < 0.1
    again = hpt.tune(table.objective(), hpt.hyperband(table.space, max_budget=27), progress=False)
    assert study.digest == again.digest


def test_two_simulated_workers_finish_a_rung_as_worked_out_by_hand(table):
    # Ten epochs of each: rows 0, 23 and 1 need 0.25 + 0.10, 0.25 + 0.20 and 0.25 + 0.10 + 0.1/23
    # seconds. The worker
    # that has row 0 is free first and takes row 1.
    first = [table.configs[0], table.configs[23], table.configs[1]]
    simulation = simulate(
        hpt.random_search(table.space, trials=3, budget=10, first=first),
        table.objective(),
        workers=2,
    )
    assert [span.worker for span in simulation.spans] == [0, 1, 0]
    assert [span.end for span in simulation.spans] == pytest.approx([0.35, 0.45, 0.70 + 0.1 / 23])
    assert simulation.told == pytest.approx([0.35, 0.45, 0.70 + 0.1 / 23])


@pytest.mark.parametrize(
    ("trial", "error", "says"),
    [
        (Trial(0, GOOD, 28), HptError, "from 1 to 27, got 28; choose max_budget=27"),
        (Trial(0, GOOD, 1.5), HptError, "whole number of epochs"),
        (
            Trial(1, GOOD, 9, parent=0),
            StrategyError,
            "population-based training needs a real objective",
        ),
    ],
)
def test_what_a_table_cannot_replay_is_refused(table, trial, error, says):
    with pytest.raises(error, match=says):
        table.objective().run(trial)

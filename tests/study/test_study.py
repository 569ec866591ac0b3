"""Studies: failures are data, any executor gives the same answer, callbacks and Ctrl-C lose
nothing."""

import math
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

import hpt_lab as hpt
from hpt_lab.errors import StrategyError, StudyError

SPACE = hpt.Space(x=hpt.Float(-2, 2), y=hpt.Int(1, 3))


def bowl(config, budget):
    return (config["x"] - 1) ** 2 + config["y"] / budget


def test_a_plain_function_can_be_tuned():
    study = hpt.tune(
        lambda config: (config["x"] - 1) ** 2,
        hpt.random_search(SPACE, trials=50, seed=0),
        progress=False,
    )
    losses = [record.loss for record in study.history.records]
    assert study.best.loss == min(losses) < 0.05 and study.stopped == "finished"
    assert study.best.config == study.history.records[losses.index(min(losses))].config


@pytest.mark.parametrize(
    "executor",
    [
        ThreadPoolExecutor(5),
        ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")),
    ],
)
def test_any_executor_gives_the_digest_of_the_serial_run(executor):
    strategy = hpt.hyperband(SPACE, max_budget=27)
    with executor:
        study = hpt.tune(bowl, strategy, executor=executor, progress=False)
    assert study.digest == hpt.tune(bowl, strategy, progress=False).digest


def test_idle_workers_open_the_next_bracket():
    ask_tell = hpt.AskTell(hpt.hyperband(SPACE, max_budget=9))
    first_bracket = [ask_tell.ask() for _ in range(9)]
    assert {trial.bracket for trial in first_bracket} == {2}
    assert ask_tell.ask().bracket == 1  # rung 0 of bracket 2 is still running
    ask_tell.tell(first_bracket[0], hpt.Outcome(0.5))
    with pytest.raises(StrategyError, match="asked and not told yet"):
        ask_tell.tell(first_bracket[0], hpt.Outcome(0.5))


def test_a_trial_that_raises_or_diverges_is_recorded_and_never_best():
    def fragile(config):
        if config["x"] > 1:
            raise RuntimeError("boom")
        return {1: math.nan, 2: -math.inf, 3: config["x"]}[config["y"]]

    study = hpt.tune(fragile, hpt.random_search(SPACE, trials=40), progress=False, max_failures=40)
    assert {record.outcome.error for record in study.history.records} == {
        "RuntimeError: boom",
        "the loss is nan",
        "the loss is -inf",
        None,
    }
    assert study.best.config["y"] == 3 and math.isfinite(study.best.loss)


def test_failures_in_a_row_stop_the_study_and_keep_what_it_had():
    with pytest.raises(
        StudyError,
        match="4 trials in a row failed, max_failures=4; the last with ZeroDivisionError",
    ) as caught:
        hpt.tune(
            lambda config: 1 / 0,
            hpt.random_search(SPACE, trials=40),
            progress=False,
            max_failures=4,
        )
    assert len(caught.value.study.history.records) == 4 and caught.value.study.best is None


def test_a_callback_can_stop_the_study_and_sees_every_record():
    seen = []
    study = hpt.tune(
        bowl,
        hpt.hyperband(SPACE, max_budget=9),
        progress=False,
        callbacks=[lambda study, record: seen.append(record), lambda study, record: len(seen) == 7],
    )
    assert seen == study.history.records and len(seen) == 7 and study.stopped == "callback"


def test_ctrl_c_returns_the_study_so_far():
    def interrupted(config, budget):
        if budget == 3:
            raise KeyboardInterrupt
        return config["x"]

    study = hpt.tune(interrupted, hpt.hyperband(SPACE, max_budget=9), progress=False)
    assert study.stopped == "interrupted" and len(study.history.records) == 9


def test_an_objective_can_not_change_the_trial_it_was_given():
    def rude(config):
        config.clear()
        return 0.0

    study = hpt.tune(rude, hpt.random_search(SPACE, trials=3), progress=False)
    assert all(set(record.config) == {"x", "y"} for record in study.history.records)


def test_the_incumbent_counts_resumed_epochs_once():
    study = hpt.tune(bowl, hpt.hyperband(SPACE, max_budget=9), progress=False)
    epochs, losses = study.history.incumbent()
    assert epochs[-1] == study.epochs == hpt.plan(study.strategy).epochs_resumed
    assert losses == sorted(losses, reverse=True) and losses[-1] == study.best.loss


def test_the_data_frame_has_a_row_per_record():
    frame = hpt.tune(bowl, hpt.hyperband(SPACE, max_budget=9), progress=False).frame()
    assert len(frame) == hpt.plan(hpt.hyperband(SPACE, max_budget=9)).runs
    assert {"trial", "bracket", "rung", "budget", "loss", "x", "y"} <= set(frame.columns)


def test_a_plan_prints_its_totals_and_minutes():
    text = str(hpt.plan(hpt.hyperband(SPACE, max_budget=81), seconds_per_epoch=2))
    assert "143 configs, 206 runs, 1581 epochs (1902 if every run trained from scratch)" in text
    assert "52.7 minutes" in text  # 1581 * 2 / 60

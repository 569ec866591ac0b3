"""Population-based training: lineage, exploit, explore, and a schedule that no fixed config
matches."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hpt_lab as hpt
from hpt_lab.errors import StrategyError
from hpt_lab.history import History, increments
from hpt_lab.space import Choice, Float, Int, Space
from hpt_lab.strategies.population_based_training import (
    explore,
    population_based_training,
    schedule,
)
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.plan import plan
from hpt_lab.trial import Outcome, Trial, failure

RATE = Space(rate=Float(1e-3, 1, log=True))


def drive(strategy, outcome, *, workers: int = 1, order: int = 0) -> History:
    ask_tell, rng = AskTell(strategy), np.random.default_rng(order)
    running: list[Trial] = []
    while True:
        while len(running) < workers and (trial := ask_tell.ask()) is not None:
            running.append(trial)
        if not running:
            return ask_tell.history
        trial = running.pop(rng.integers(len(running)))
        ask_tell.tell(trial, outcome(trial))


def by_quality(trial: Trial) -> Outcome:
    return Outcome(trial.config["rate"])


def steps(history: History) -> list[list]:
    budgets = sorted({record.budget for record in history.records})
    return [history.at_budget(budget) for budget in budgets]


def test_the_worst_are_replaced_by_children_of_the_best():
    history = drive(
        population_based_training(RATE, max_budget=12, interval=3, population=10, truncation=0.2),
        by_quality,
    )
    for now, later in zip(steps(history), steps(history)[1:], strict=False):
        assert len(now) == len(later) == 10
        ranked = [record.trial.id for record in sorted(now, key=lambda record: record.loss)]
        children = [record.trial for record in later if record.trial.id not in ranked]
        assert len(children) == 2
        assert {child.parent for child in children} <= set(ranked[:2])
        assert {record.trial.id for record in later} - {child.id for child in children} == set(
            ranked[:8]
        )


def test_survivors_keep_their_config_and_only_train_on():
    history = drive(
        population_based_training(RATE, max_budget=10, interval=2, population=6), by_quality
    )
    configs: dict[int, dict] = {}
    for record in history.records:
        assert configs.setdefault(record.trial.id, record.config) == record.config


@pytest.mark.parametrize(
    ("max_budget", "interval", "budgets"),
    [(12, 3, [3, 6, 9, 12]), (10, 4, [4, 8, 10]), (3, 5, [3])],
)
def test_it_can_be_planned_and_ends_at_exactly_the_maximum_budget(max_budget, interval, budgets):
    strategy = population_based_training(
        RATE, max_budget=max_budget, interval=interval, population=4
    )
    assert plan(strategy).brackets == {None: [(4, budget) for budget in budgets]}
    assert plan(strategy).epochs_resumed == 4 * max_budget


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_copied_training_is_counted_once_whoever_finishes_first(workers):
    strategy = population_based_training(RATE, max_budget=12, interval=3, population=8)
    history = drive(strategy, by_quality, workers=workers, order=1)
    assert increments(record.trial for record in history.records) == [3] * 32


def test_failed_members_are_always_replaced_and_never_copied():
    def outcome(trial: Trial) -> Outcome:
        return failure("diverged") if trial.config["rate"] > 0.1 else by_quality(trial)

    history = drive(
        population_based_training(RATE, max_budget=6, interval=2, population=9, resample=0), outcome
    )
    failed = {record.trial.id for record in history.records if record.outcome.failed}
    assert len(failed) > 2
    assert all(record.trial.parent not in failed for record in history.records)
    assert all(
        record.budget == 2
        for record in history.records
        if record.trial.id in failed and record.trial.parent is None
    )


def test_a_schedule_is_the_lineage_of_the_best():
    history = History()
    told = [
        (Trial(0, {"rate": 0.1}, 2), 0.9),
        (Trial(1, {"rate": 0.2}, 2), 0.8),
        (Trial(0, {"rate": 0.1}, 4), 0.5),
        (Trial(2, {"rate": 0.08}, 4, parent=0), 0.6),
        (Trial(0, {"rate": 0.1}, 6), 0.4),
        (Trial(3, {"rate": 0.05}, 6, parent=2), 0.3),
        (Trial(3, {"rate": 0.05}, 8, parent=2), 0.1),
    ]
    for trial, loss in told:
        history.ask(trial)
        history.tell(trial, Outcome(loss))
    assert schedule(history) == [
        (0, 2, {"rate": 0.1}, 0),
        (2, 4, {"rate": 0.08}, 2),
        (4, 8, {"rate": 0.05}, 3),
    ]
    assert schedule(History()) == []


def test_it_finds_a_schedule_that_beats_every_constant():
    """Gradient descent on a noisy parabola: a large step to get near, small ones to settle; no
    constant does both."""
    state: dict[tuple[int, float], np.ndarray] = {}

    def step(weights, rate, rng, n):
        for _ in range(n):
            weights = weights - rate * (weights + rng.normal(size=weights.shape))
        return weights

    def train(trial: Trial) -> Outcome:
        before = max((b for i, b in state if i == trial.id), default=None)
        source = (trial.id, before) if before else (trial.parent, trial.budget - 4)
        rng = np.random.default_rng((trial.id, int(trial.budget)))
        weights = step(state.get(source, np.full(50, 10.0)), trial.config["rate"], rng, 4)
        state[trial.id, trial.budget] = weights
        return Outcome(float((weights**2).mean()))

    history = drive(
        population_based_training(RATE, max_budget=60, interval=4, population=12), train
    )
    constants = [
        (step(np.full(50, 10.0), rate, np.random.default_rng(s), 60) ** 2).mean()
        for rate in np.geomspace(1e-3, 1, 25)
        for s in range(3)
    ]
    assert history.best.loss < min(constants)
    segments = schedule(history)
    assert len(segments) > 2 and segments[-1].config["rate"] < 0.5 * segments[0].config["rate"]
    assert [s.start for s in segments] == [0] + [s.end for s in segments[:-1]] and segments[
        -1
    ].end == history.best.budget


@given(st.integers(0, 10**6), st.floats(1e-3, 1), st.integers(1, 9))
def test_explored_configs_stay_in_the_space_and_move_by_a_fifth(seed, rate, width):
    space = Space(
        rate=Float(1e-3, 1, log=True),
        width=Int(1, 9),
        kind=Choice(["a", "b"]),
        m=Float(0, 1, when={"kind": "b"}),
    )
    config = {"rate": rate, "width": width, "kind": "b", "m": 0.5}
    moved = explore(space, config, 0.0, np.random.default_rng(seed))
    space.check(moved)
    assert moved["kind"] == "b" and moved["m"] in (0.4, 0.6)
    assert moved["rate"] in (rate * 0.8, rate * 1.2) or moved["rate"] in (1e-3, 1)
    assert moved["width"] != width or width in (1, 9)
    space.check(explore(space, config, 1.0, np.random.default_rng(seed)))


def test_another_seed_explores_differently_from_the_same_start():
    first = [{"rate": rate} for rate in (0.01, 0.02, 0.03, 0.04)]
    both = [
        drive(
            population_based_training(
                RATE, max_budget=6, interval=2, population=4, first=first, seed=seed
            ),
            by_quality,
        )
        for seed in (0, 1)
    ]
    assert steps(both[0])[0] == steps(both[1])[0]
    assert [r.config for r in both[0].records] != [r.config for r in both[1].records]


def test_a_population_of_one_is_plain_training():
    history = drive(
        population_based_training(RATE, max_budget=6, interval=2, population=1), by_quality
    )
    assert [(record.trial.id, record.budget) for record in history.records] == [
        (0, 2),
        (0, 4),
        (0, 6),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [("population", 0), ("interval", 0), ("truncation", 0.6), ("resample", math.nan)],
)
def test_wrong_settings_are_named(name, value):
    with pytest.raises(StrategyError, match=name):
        population_based_training(RATE, **{"max_budget": 10, name: value})


def build(config):
    import keras

    model = keras.Sequential(
        [keras.layers.Input((2,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")]
    )
    model.compile(keras.optimizers.SGD(config["learning_rate"]), "binary_crossentropy")
    return model


def test_children_go_on_from_their_parents_weights_with_rates_of_their_own():
    space = Space(learning_rate=Float(1e-3, 1, log=True))
    objective = hpt.KerasObjective(build, hpt.datasets.two_moons(), metric="log_loss")
    strategy = population_based_training(
        space, max_budget=6, interval=2, population=4, truncation=0.25, resample=0
    )
    study = hpt.tune(objective, strategy, progress=False)
    records = {(r.trial.id, r.budget): r for r in study.history.records}
    assert not any(r.outcome.failed for r in records.values()) and study.epochs == 24
    children = [
        r
        for r in records.values()
        if r.trial.parent is not None and (r.trial.id, r.budget - 2) not in records
    ]
    assert len(children) == 2
    for child in children:
        parent = records[child.trial.parent, child.budget - 2]
        shared = int(parent.budget)
        assert (
            child.outcome.curves["loss"][:shared] == parent.outcome.curves["loss"]
        )  # its past is its parent's
        assert (
            child.outcome.curves["loss"][shared] < parent.outcome.curves["loss"][0]
        )  # no fresh start
        assert child.config["learning_rate"] != parent.config["learning_rate"]
    lineage = schedule(study.history)
    assert lineage[-1].end == study.best.budget and lineage[0].start == 0


@pytest.mark.parametrize(
    "domain",
    [
        Float(0, 0.5),
        Float(-1, 1),
        Float(-3, 0),
        Int(0, 5),
        Int(-2, 2),
        Int(0, 1),
        Int(-100, 0),
        Float(-1e308, 1e308),
    ],
)
def test_zero_is_left_by_a_step_of_the_range(domain):
    space = Space(p=domain)
    moved = {
        explore(space, {"p": domain.clean(0)}, 0.0, np.random.default_rng(seed))["p"]
        for seed in range(20)
    }
    assert moved and 0 not in moved and all(value in domain for value in moved)
    both = domain.low < 0 < domain.high
    assert len(moved) == (2 if both else 1) and (not both or min(moved) < 0 < max(moved))


def test_a_single_value_of_zero_stays():
    assert explore(Space(p=Int(0, 0)), {"p": 0}, 0.0, np.random.default_rng(0)) == {"p": 0}

"""Bayesian optimization: what it proposes, refuses, survives and explains."""

import math

import numpy as np
import pytest

from hpt_lab import Choice, Float, Int, Space
from hpt_lab.errors import StrategyError
from hpt_lab.strategies.bayesian_optimization import Decision, bayesian_optimization, winsorized
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.trial import Outcome, failure

SQUARE = Space(x=Float(-1, 1), y=Float(-1, 1))
MIXED = Space(
    kind=Choice(["a", "b", "c"]),
    k=Int(1, 40),
    x=Float(1e-3, 1, log=True),
    y=Float(0, 1, when={"kind": ("a", "b")}),
    z=Int(1, 3, when={"kind": "c"}),
)


def bowl(config):
    return (config["x"] - 0.3) ** 2 + (config["y"] + 0.2) ** 2


def mixed_loss(config):
    return (
        (config["k"] / 40 - 0.6) ** 2
        + (math.log10(config["x"]) + 2) ** 2
        + {"a": 0.0, "b": 0.1, "c": 0.3}[config["kind"]]
    )


def run(strategy, loss, workers=1):
    """Keep `workers` trials in flight, told oldest first; return (trials in order of asking,
    history)."""
    study, trials = AskTell(strategy), []
    while True:
        while len(study.history.pending) < workers and (trial := study.ask()) is not None:
            trials.append(trial)
        if not study.history.pending:
            return trials, study.history
        trial = study.history.pending[0]
        value = loss(trial.config)
        study.tell(trial, failure("diverged") if value is None else Outcome(value))


@pytest.mark.parametrize("acquisition", ["ei", "pi", "ucb", "thompson"])
def test_every_acquisition_finds_the_bottom_of_a_bowl(acquisition):
    trials, history = run(
        bayesian_optimization(SQUARE, trials=25, acquisition=acquisition, seed=1), bowl
    )
    assert len(trials) == 25
    assert history.best.loss < 0.01


@pytest.mark.parametrize("acquisition", ["ei", "thompson"])
@pytest.mark.parametrize("workers", [1, 3])
def test_same_seed_same_trials_and_another_seed_others(acquisition, workers):
    def trials(seed):
        return run(
            bayesian_optimization(MIXED, trials=12, acquisition=acquisition, seed=seed),
            mixed_loss,
            workers,
        )[0]

    assert trials(0) == trials(0) != trials(1)


def test_given_configs_come_first_then_sobol_points_up_to_initial():
    first = [
        {"x": 0.5, "y": 0.5},
        {"x": -0.5, "y": 0.25},
        {"y": 0.5, "x": 0.5},
    ]  # the third repeats the first
    trials, _ = run(bayesian_optimization(SQUARE, trials=8, initial=6, first=first), bowl)
    assert [trial.config for trial in trials[:2]] == first[:2]
    assert [trial.why is None for trial in trials] == [True] * 6 + [False] * 2
    assert len({tuple(sorted(trial.config.items())) for trial in trials}) == 8


def test_finite_space_runs_out_and_nothing_is_tried_twice():
    space = Space(a=Choice(["p", "q", "r"]), k=Int(1, 3), m=Int(0, 1, when={"a": "q"}))
    trials, _ = run(
        bayesian_optimization(space, trials=100, initial=4), lambda c: c["k"] + (c["a"] == "p")
    )
    assert len(trials) == space.size == 12
    assert len({tuple(trial.config.items()) for trial in trials}) == 12
    assert AskTell(bayesian_optimization(Space(k=Int(3, 3)), trials=5)).ask().config == {"k": 3}


def test_space_with_one_config_gives_one_trial():
    assert len(run(bayesian_optimization(Space(k=Int(3, 3)), trials=5), lambda c: 1.0)[0]) == 1


def test_large_finite_space_is_never_repeated_even_by_a_flat_objective():
    space = Space(k=Int(1, 500), a=Choice(["p", "q", "r", "s"]))
    trials, _ = run(bayesian_optimization(space, trials=40), lambda c: 0.0)
    assert len({tuple(trial.config.items()) for trial in trials}) == 40


def test_failed_trials_are_modelled_as_the_worst_and_not_approached_again():
    def loss(config):  # the bowl's own bottom can't be trained
        return None if bowl(config) < 0.05 else bowl(config)

    trials, history = run(bayesian_optimization(SQUARE, trials=30, seed=2), loss)
    failed = [np.array([r.config["x"], r.config["y"]]) for r in history.records if r.outcome.failed]
    process = trials[-1].why.process
    losses = [r.loss for r in history.records[:-1] if not r.outcome.failed]
    believed = (
        process.center + process.scale * process.y
    )  # in the order of completion, failures last
    np.testing.assert_allclose(believed[: len(losses)], winsorized(np.array(losses)))
    np.testing.assert_allclose(believed[len(losses) :], winsorized(np.array(losses)).max())
    assert failed and len(believed) == len(history.records) - 1
    apart = [np.linalg.norm(a - b) for i, a in enumerate(failed) for b in failed[:i]]
    assert min(apart, default=1) >= 0.2 - 1e-9  # 0.1 of the unit square, whose side here is 2
    assert history.best.loss < 0.15


@pytest.mark.parametrize("acquisition", ["ei", "pi", "ucb", "thompson"])
@pytest.mark.parametrize(
    "beyond", [0.3, -0.4]
)  # the minimum lies on the edge of what fails, or well away from it
def test_the_share_of_failing_proposals_falls(acquisition, beyond):
    def loss(config):
        return None if config["x"] > beyond else bowl(config)

    early, late = [], []
    for seed in range(3):
        strategy = bayesian_optimization(SQUARE, trials=24, acquisition=acquisition, seed=seed)
        failed = [record.outcome.failed for record in run(strategy, loss)[1].records]
        early += failed[:8]
        late += failed[8:]
    assert np.mean(early) > 0.2 and np.mean(late) < 0.5 * np.mean(early)


def test_the_loss_to_beat_is_no_failures():
    study = AskTell(bayesian_optimization(SQUARE, trials=30, initial=8))
    for i in range(10):  # equal losses: what failed is believed to be as good as what did not
        trial = study.ask()
        study.tell(trial, failure("diverged") if i % 2 else Outcome(1.0))
    decision = study.ask().why
    assert decision.weigh.best == pytest.approx(1.0)


def test_search_goes_on_when_everything_fails():
    trials, _ = run(bayesian_optimization(SQUARE, trials=15, initial=4), lambda c: None)
    assert len({tuple(trial.config.items()) for trial in trials}) == 15
    finite = Space(a=Choice(["p", "q"]), k=Int(1, 3))
    assert len(run(bayesian_optimization(finite, trials=15, initial=2), lambda c: None)[0]) == 6


def test_trials_in_flight_spread_out():
    study = AskTell(bayesian_optimization(SQUARE, trials=30, seed=3))
    for _ in range(8):
        trial = study.ask()
        study.tell(trial, Outcome(bowl(trial.config)))
    flight = [study.ask().config for _ in range(6)]
    apart = [math.dist(a.values(), b.values()) for i, a in enumerate(flight) for b in flight[:i]]
    assert min(apart) > 0.05


def test_workers_may_all_start_before_any_result():
    study = AskTell(bayesian_optimization(SQUARE, trials=12, initial=2))
    assert len({tuple(study.ask().config.values()) for _ in range(12)}) == 12
    assert study.ask() is None


def test_conditional_and_mixed_space_is_searched_to_its_optimum():
    _, history = run(bayesian_optimization(MIXED, trials=40, seed=0), mixed_loss)
    assert history.best.config["kind"] == "a"
    assert abs(history.best.config["k"] - 24) <= 1
    assert history.best.loss < 0.01


def test_noisy_objective_is_not_chased_for_its_luck():
    rng = np.random.default_rng(0)
    _, history = run(
        bayesian_optimization(SQUARE, trials=40, seed=0),
        lambda c: bowl(c) + 0.1 * rng.standard_normal(),
    )
    late = [bowl(record.config) for record in history.records[-10:]]
    assert np.median(late) < 0.1


def test_one_diverged_loss_does_not_flatten_the_others():
    losses = np.array([1.0, 2.0, 3.0, 4.0, 1e30])
    np.testing.assert_array_equal(winsorized(losses), [1, 2, 3, 4, 13])
    np.testing.assert_array_equal(winsorized(np.ones(4)), np.ones(4))
    _, history = run(
        bayesian_optimization(SQUARE, trials=25, seed=1),
        lambda c: 1e30 if c["x"] < -0.5 else bowl(c),
    )
    assert history.best.loss < 0.01


def test_decision_shows_what_the_strategy_saw():
    trials, history = run(bayesian_optimization(SQUARE, trials=12, seed=0), bowl)
    trial = trials[-1]
    why = trial.why
    assert isinstance(why, Decision) and why.acquisition == "ei"
    _, _, at_choice = why.evaluate([trial.config])
    assert at_choice[0] == pytest.approx(why.values.max(), abs=1e-6)
    done = history.records[:-1]
    mean, std, values = why.evaluate([record.config for record in done])
    np.testing.assert_allclose(mean, [record.loss for record in done], atol=0.02)
    assert mean.shape == std.shape == values.shape == (11,) and (std >= 0).all()
    assert (values < at_choice).all()
    assert SQUARE.from_unit(why.candidates[why.values.argmax()]) == trial.config


def test_thompson_follows_one_draw_and_shows_it():
    why = run(bayesian_optimization(SQUARE, trials=10, acquisition="thompson"), bowl)[0][-1].why
    grid = SQUARE.grid(5)
    mean, std, draw = why.evaluate(grid)
    assert (abs(-draw - mean) < 5 * std + 0.01).all() and not np.allclose(-draw, mean, atol=1e-4)


@pytest.mark.parametrize(
    "wrong", [{"trials": 0}, {"trials": 2.5}, {"initial": 0}, {"acquisition": "best"}]
)
def test_arguments_out_of_range_are_refused_by_name(wrong):
    with pytest.raises(StrategyError, match=next(iter(wrong))):
        bayesian_optimization(SQUARE, **({"trials": 10} | wrong))

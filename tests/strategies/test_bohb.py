"""BOHB: Hyperband's brackets, TPE's configs."""

from __future__ import annotations

import numpy as np
import pytest

from hpt_lab.errors import StrategyError
from hpt_lab.history import History
from hpt_lab.space import Float, Space
from hpt_lab.strategies.bohb import bohb
from hpt_lab.strategies.hyperband import hyperband
from hpt_lab.strategies.tpe import Densities
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.plan import plan
from hpt_lab.trial import Outcome, Trial, failure

SPACE = Space(x=Float(0, 1), y=Float(0, 1))


def loss(trial: Trial) -> float:
    return (trial.config["x"] - 0.2) ** 2 + (trial.config["y"] - 0.7) ** 2 + 0.1 / trial.budget


def drive(
    strategy, *, workers: int = 1, order: int = 0, fail=lambda trial: False
) -> tuple[list[Trial], History]:
    ask_tell, rng = AskTell(strategy), np.random.default_rng(order)
    asked: list[Trial] = []
    running: list[Trial] = []
    while True:
        while len(running) < workers and (trial := ask_tell.ask()) is not None:
            asked.append(trial)
            running.append(trial)
        if not running:
            return asked, ask_tell.history
        trial = running.pop(rng.integers(len(running)))
        ask_tell.tell(trial, failure("diverged") if fail(trial) else Outcome(loss(trial)))


@pytest.mark.parametrize("rounding", ["algorithm", "table"])
@pytest.mark.parametrize("max_budget", [81, 100, 2])
def test_its_brackets_are_hyperbands(rounding, max_budget):
    ours, theirs = (
        plan(make(SPACE, max_budget=max_budget, rounding=rounding)) for make in (bohb, hyperband)
    )
    assert ours.brackets == theirs.brackets
    assert (ours.configs, ours.runs, ours.epochs_resumed) == (
        theirs.configs,
        theirs.runs,
        theirs.epochs_resumed,
    )


@pytest.mark.parametrize(("workers", "order"), [(1, 0), (4, 1), (50, 2)])
@pytest.mark.parametrize("fail", [lambda trial: False, lambda trial: trial.id % 4 == 0])
def test_without_the_model_it_is_hyperband_trial_by_trial(workers, order, fail):
    ours, _ = drive(
        bohb(SPACE, max_budget=27, random_fraction=1.0), workers=workers, order=order, fail=fail
    )
    theirs, _ = drive(hyperband(SPACE, max_budget=27), workers=workers, order=order, fail=fail)
    assert ours == theirs


@pytest.mark.parametrize(("workers", "order"), [(1, 0), (4, 1), (50, 2)])
def test_several_rounds_without_the_model_are_hyperbands(workers, order):
    ours, _ = drive(
        bohb(SPACE, max_budget=9, iterations=3, random_fraction=1.0), workers=workers, order=order
    )
    theirs, _ = drive(hyperband(SPACE, max_budget=9, iterations=3), workers=workers, order=order)
    assert ours == theirs


def test_a_later_round_begins_with_the_model_of_the_earlier_ones():
    first, _ = drive(bohb(SPACE, max_budget=27, random_fraction=0.0))
    both, _ = drive(bohb(SPACE, max_budget=27, iterations=2, random_fraction=0.0))
    assert both[: len(first)] == first, "the first round is the whole of a search with one"
    second = [trial for trial in both[len(first) :] if trial.rung == 0]
    assert all(isinstance(trial.why, Densities) for trial in second)


def test_the_model_uses_the_highest_budget_that_has_enough_results():
    asked, _ = drive(bohb(SPACE, max_budget=27, random_fraction=0.0))
    done: dict[float, int] = {}
    checked = set()
    for trial in asked:
        if trial.rung == 0:
            rich = [budget for budget, n in done.items() if n >= 5]  # d + 3
            assert (trial.why is not None) == bool(rich)
            if rich:
                known = len(trial.why.good.c) + len(trial.why.bad.c) - 2  # without the two priors
                assert known == done[max(rich)]
                checked.add(max(rich))
        done[trial.budget] = done.get(trial.budget, 0) + 1
    assert checked >= {1, 3, 9}


def test_failures_of_the_lowest_rung_are_bad_at_every_budget():
    asked, history = drive(
        bohb(SPACE, max_budget=27, random_fraction=0.0), fail=lambda t: t.config["x"] > 0.5
    )
    lost = {record.trial.id for record in history.records if record.outcome.failed}
    last = [trial for trial in asked if trial.rung == 0 and trial.why is not None][-1]
    before = [r for r in history.records if r.trial.id < last.id]
    assert max(r.budget for r in before) == 27 and lost
    for id in lost & {r.trial.id for r in before}:
        place = SPACE.to_unit(next(r.config for r in before if r.trial.id == id))
        assert (last.why.bad.c == place).all(axis=1).any() and not (last.why.good.c == place).all(
            axis=1
        ).any()


def test_the_share_of_failing_proposals_falls_below_what_random_search_has():
    shares = []
    for seed in range(4):
        asked, _ = drive(
            bohb(SPACE, max_budget=27, iterations=2, seed=seed), fail=lambda t: t.config["x"] > 0.5
        )
        new = [trial.config["x"] > 0.5 for trial in asked if trial.rung == 0]
        shares.append(np.mean(new[len(new) // 2 :]))
    assert (
        np.mean(shares) < 0.3
    )  # a third is drawn at random, and half of that fails: 0.17 at the least


def test_it_goes_on_where_nearly_everything_fails():
    """Failures outnumber what can be ranked: none of them may be taken for a good one."""
    asked, history = drive(
        bohb(SPACE, max_budget=81, random_fraction=0.0), fail=lambda t: t.id % 9 != 0
    )
    assert len({record.trial.id for record in history.records}) == len(
        {trial.id for trial in asked}
    )
    seen = [trial.why for trial in asked if trial.why is not None]
    assert seen and all(
        np.isfinite(why.good.w).all() and np.isfinite(why.threshold) for why in seen
    )


def test_a_random_fraction_of_the_configs_ignores_the_model():
    asked, _ = drive(bohb(SPACE, max_budget=81, random_fraction=0.5))
    new = [trial for trial in asked if trial.rung == 0][5:]
    share = np.mean([trial.why is None for trial in new])
    assert 0.35 < share < 0.65 and all(
        isinstance(t.why, Densities) for t in new if t.why is not None
    )


def test_its_configs_are_better_than_hyperbands():
    ours, theirs = (
        [
            loss(t)
            for seed in range(3)
            for t in drive(make(SPACE, max_budget=27, seed=seed))[0]
            if t.rung == 0
        ]
        for make in (bohb, hyperband)
    )
    assert np.median(ours) < 0.7 * np.median(theirs)


def test_wrong_settings_are_named():
    with pytest.raises(StrategyError, match="random_fraction"):
        bohb(SPACE, max_budget=9, random_fraction=1.5)
    with pytest.raises(StrategyError, match="max_budget"):
        bohb(SPACE, max_budget=0)
    with pytest.raises(StrategyError, match="iterations must be an integer >= 1, got 0"):
        bohb(SPACE, max_budget=9, iterations=0)

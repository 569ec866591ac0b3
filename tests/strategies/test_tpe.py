"""TPE: what it ranks best, what it does with failures and running trials, and that it beats random
search."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hpt_lab.errors import StrategyError
from hpt_lab.history import History
from hpt_lab.space import Choice, Float, Int, Space
from hpt_lab.strategies.random_search import random_search
from hpt_lab.strategies.tpe import Densities, rank, tpe
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.trial import Outcome, Trial, failure

LINE = Space(x=Float(0, 1))
SQUARE = Space(x=Float(-5, 10), y=Float(0, 15))


def branin(config) -> float:
    x, y = config["x"], config["y"]
    return (
        (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
        + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x)
        + 10
    )


def tell_all(strategy, loss) -> AskTell:
    ask_tell = AskTell(strategy)
    while (trial := ask_tell.ask()) is not None:
        ask_tell.tell(trial, Outcome(loss(trial.config)))
    return ask_tell


def test_candidates_come_in_the_order_of_good_density_over_bad():
    rng = np.random.default_rng(0)
    tried = [({"x": x}, (x - 0.25) ** 2) for x in np.linspace(0, 1, 11)]
    configs, seen = rank(LINE, tried, 3, rng=rng)
    points = np.array([LINE.to_unit(config) for config in configs])
    np.testing.assert_array_equal(points, seen.candidates)
    np.testing.assert_allclose(seen.ratio, seen.good.density(points) / seen.bad.density(points))
    assert all(a >= b for a, b in zip(seen.ratio, seen.ratio[1:], strict=False))
    assert 0.05 < configs[0]["x"] < 0.45
    assert seen.threshold == pytest.approx(sorted(loss for _, loss in tried)[3])


def test_the_better_of_the_good_weigh_more():
    tried = [({"x": 0.2}, 0.0), ({"x": 0.8}, 0.9), ({"x": 0.5}, 1.0)]
    _, seen = rank(LINE, tried, 2, rng=np.random.default_rng(0))
    np.testing.assert_allclose(
        seen.good.w * 3, [2 / 1.1, 0.2 / 1.1, 1]
    )  # gains 1 and 0.1, of mean 1; the prior


def test_equal_losses_weigh_equally():
    _, seen = rank(
        LINE, [({"x": x}, 1.0) for x in (0.1, 0.4, 0.9)], 2, rng=np.random.default_rng(0)
    )
    np.testing.assert_allclose(seen.good.w, 1 / 3)


def test_failures_make_their_neighbourhood_bad():
    tried = [({"x": 0.1}, 1.0), ({"x": 0.3}, 1.1), ({"x": 0.8}, math.inf), ({"x": 0.85}, math.inf)]
    _, seen = rank(LINE, tried, 1, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(seen.bad.c[:3, 0], [0.3, 0.8, 0.85])


def test_the_share_of_failing_proposals_falls():
    early, late = [], []
    for seed in range(6):
        ask_tell = AskTell(tpe(SQUARE, trials=40, seed=seed))
        while (trial := ask_tell.ask()) is not None:
            x, y = SQUARE.to_unit(trial.config)
            ask_tell.tell(
                trial, failure("diverged") if x > 0.5 else Outcome((x - 0.3) ** 2 + (y - 0.5) ** 2)
            )
        failed = [record.outcome.failed for record in ask_tell.history.records]
        early += failed[:8]
        late += failed[24:]
    assert np.mean(early) > 0.3 and np.mean(late) < 0.5 * np.mean(early)


def test_running_trials_push_parallel_proposals_apart():
    history = History()
    for id, x in enumerate(np.linspace(0, 1, 21)):
        trial = Trial(id, {"x": float(x)})
        history.ask(trial)
        history.tell(trial, Outcome(abs(float(x) - 0.5)))
    propose = tpe(LINE, trials=100).start()
    before = propose(history)
    for id in range(3):
        history.ask(Trial(100 + id, before.config))
    history.asked = before.id  # the same trial number, hence the same random numbers
    after = propose(history)
    where = LINE.to_unit(before.config)[None]
    assert after.why.bad.density(where) > 1.2 * before.why.bad.density(where)
    assert after.config != before.config


def test_what_it_saw_is_handed_out_once_the_model_chooses():
    ask_tell = AskTell(tpe(SQUARE, trials=12, startup=5))
    seen = []
    while (trial := ask_tell.ask()) is not None:
        seen.append(trial.why)
        ask_tell.tell(trial, Outcome(branin(trial.config)))
    assert seen[:5] == [None] * 5 and all(isinstance(why, Densities) for why in seen[5:])
    np.testing.assert_array_equal(
        seen[-1].candidates[0], SQUARE.to_unit(ask_tell.history.records[-1].config)
    )


def test_the_model_waits_for_a_success():
    ask_tell = AskTell(tpe(LINE, trials=20, startup=3))
    for _ in range(19):
        trial = ask_tell.ask()
        assert trial.why is None
        ask_tell.tell(trial, failure("diverged"))


def test_losses_of_any_scale_give_the_same_search():
    base = [r.config for r in tell_all(tpe(SQUARE, trials=25), branin).history.records]
    scaled = [
        r.config
        for r in tell_all(tpe(SQUARE, trials=25), lambda c: 2.0**40 * branin(c)).history.records
    ]
    assert base == scaled


def test_it_beats_random_search_on_branin():
    ours = [tell_all(tpe(SQUARE, trials=40, seed=s), branin).history.best.loss for s in range(8)]
    random = [
        tell_all(random_search(SQUARE, trials=40, seed=s), branin).history.best.loss
        for s in range(8)
    ]
    assert np.median(ours) - 0.397887 < 0.2 < np.median(random) - 0.397887


def test_it_finds_the_good_choice_and_its_conditional_dimension():
    space = Space(
        kind=Choice(["a", "b", "c", "d"]), inner=Float(0, 1, when={"kind": "c"}), n=Int(1, 20)
    )

    def loss(config):
        return abs(config.get("inner", 1.5) - 0.7) + 0.05 * abs(config["n"] - 13)

    best = [tell_all(tpe(space, trials=60, seed=s), loss).history.best for s in range(5)]
    assert all(record.config["kind"] == "c" for record in best)
    assert np.median([record.loss for record in best]) < 0.15


@pytest.mark.parametrize(
    ("name", "value"), [("trials", 0), ("gamma", 1.0), ("startup", 0), ("candidates", 0)]
)
def test_wrong_settings_are_named(name, value):
    with pytest.raises(StrategyError, match=name):
        tpe(LINE, **{"trials": 9, name: value})

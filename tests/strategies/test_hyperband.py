"""Successive halving and Hyperband against the published tables, and what runs against what was
planned."""

import math
from itertools import count, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hpt_lab as hpt
from hpt_lab.errors import StrategyError
from hpt_lab.strategies.hyperband import brackets
from hpt_lab.strategies.successive_halving import best, most_halvings

SPACE = hpt.Space(x=hpt.Float(0, 1))

ALGORITHM_1 = {
    4: [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
    3: [(34, 3), (11, 9), (3, 27), (1, 81)],
    2: [(15, 9), (5, 27), (1, 81)],
    1: [(8, 27), (2, 81)],
    0: [(5, 81)],
}
TABLE_1 = {
    4: [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
    3: [(27, 3), (9, 9), (3, 27), (1, 81)],
    2: [(9, 9), (3, 27), (1, 81)],
    1: [(6, 27), (2, 81)],
    0: [(5, 81)],
}


@pytest.mark.parametrize(
    ("rounding", "published", "totals"),
    [
        ("algorithm", ALGORITHM_1, (143, 206, 1902, 1581)),
        ("table", TABLE_1, (128, 187, 1701, 1404)),
    ],
)
def test_brackets_are_the_published_ones(rounding, published, totals):
    assert brackets(81, rounding=rounding) == published
    plan = hpt.plan(hpt.hyperband(SPACE, max_budget=81, rounding=rounding))
    assert plan.brackets == published
    assert (plan.configs, plan.runs, plan.epochs_scratch, plan.epochs_resumed) == totals


@pytest.mark.parametrize(
    ("eta", "power"), [(3, 5), (3, 10), (9, 5), (9, 10), (10, 3), (10, 6), (10, 9), (2, 20), (5, 3)]
)
def test_powers_of_eta_lose_no_bracket_to_a_floored_logarithm(eta, power):
    assert most_halvings(eta**power, 1, eta) == power
    assert most_halvings(eta**power - 1, 1, eta) == power - 1


def test_the_log_that_others_floor_really_is_too_small():
    assert math.log(243, 3) < 5 and len(brackets(243)) == 6 and len(brackets(1000, eta=10)) == 4


@given(
    st.integers(1, 2000),
    st.integers(1, 30),
    st.integers(2, 12),
    st.sampled_from(["algorithm", "table"]),
)
def test_any_budget_gives_a_schedule_that_ends_at_exactly_that_budget(
    max_budget, min_budget, eta, rounding
):
    if min_budget > max_budget:
        with pytest.raises(StrategyError, match="max_budget must be at least min_budget"):
            brackets(max_budget, min_budget=min_budget, eta=eta, rounding=rounding)
        return
    for rungs in brackets(max_budget, min_budget=min_budget, eta=eta, rounding=rounding).values():
        assert rungs[-1].budget == max_budget and rungs[0].budget >= min_budget and rungs[-1].n >= 1
        for lower, upper in pairwise(rungs):
            assert lower.budget < upper.budget and lower.n // eta >= upper.n


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(["algorithm", "table"]), st.sampled_from([1, 2, 9, 20, 27]))
def test_what_runs_equals_what_was_planned_for_all_orders_of_losses(data, rounding, max_budget):
    strategy = hpt.hyperband(SPACE, max_budget=max_budget, rounding=rounding)
    plan = hpt.plan(strategy)
    losses = data.draw(st.lists(st.floats(-1e9, 1e9), min_size=plan.runs, max_size=plan.runs))
    order = iter(losses)
    study = hpt.tune(lambda config: next(order), strategy, progress=False)
    ran = {}
    for record in study.history.records:
        rungs = ran.setdefault(record.trial.bracket, {})
        rungs[record.budget] = rungs.get(record.budget, 0) + 1
    assert {
        s: [(n, budget) for budget, n in rungs.items()] for s, rungs in ran.items()
    } == plan.brackets
    assert (len(study.history.records), study.epochs) == (plan.runs, plan.epochs_resumed)


def test_only_the_best_of_a_rung_resume_and_ties_go_to_the_earlier_trial():
    study = hpt.tune(
        lambda config: round(config["x"], 1),
        hpt.successive_halving(SPACE, max_budget=9),
        progress=False,
    )
    rungs = [study.history.at_budget(budget) for budget in (1, 3, 9)]
    for lower, upper in pairwise(rungs):
        ranked = sorted((record.loss, record.trial.id) for record in lower)
        assert [record.trial.id for record in upper] == [id for _, id in ranked[: len(upper)]]


def test_failed_trials_never_go_on_even_if_a_rung_stays_short():
    numbers = count()
    strategy = hpt.successive_halving(SPACE, max_budget=9)
    study = hpt.tune(
        lambda config, budget: math.nan if next(numbers) % 9 > 1 and budget == 1 else config["x"],
        strategy,
        progress=False,
        max_failures=100,
    )
    assert [len(study.history.at_budget(budget)) for budget in (1, 3, 9)] == [9, 2, 1]
    assert best(
        [hpt.Trial(0, {}), hpt.Trial(1, {}), hpt.Trial(2, {})], [math.nan, math.inf, 1.0], 3
    ) == [hpt.Trial(2, {})]


def test_first_configs_are_the_first_trials_and_nothing_else_changes():
    plain = hpt.tune(lambda c: c["x"], hpt.hyperband(SPACE, max_budget=9), progress=False)
    with_default = hpt.tune(
        lambda c: c["x"], hpt.hyperband(SPACE, max_budget=9, first=[{"x": 0.5}]), progress=False
    )
    assert with_default.history.records[0].config == {"x": 0.5}
    assert [r.config for r in with_default.history.at_budget(1)[1:]] == [
        r.config for r in plain.history.at_budget(1)[1:]
    ]


def test_halving_with_few_configs_starts_at_a_later_rung():
    plan = hpt.plan(hpt.successive_halving(SPACE, max_budget=81, configs=10))
    assert plan.brackets == {2: [(10, 9), (3, 27), (1, 81)]}
    assert hpt.plan(hpt.successive_halving(SPACE, max_budget=81)).brackets == {4: ALGORITHM_1[4]}
    assert hpt.plan(hpt.successive_halving(SPACE, max_budget=2)).brackets == {0: [(1, 2)]}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"max_budget": 81, "eta": 1}, r"eta must be an integer >= 2, got 1; try 3"),
        ({"max_budget": 81, "eta": 2.5}, "eta must be an integer"),
        ({"max_budget": 0}, "max_budget must be an integer >= 1"),
        ({"max_budget": 81, "rounding": "up"}, "rounding must be"),
        ({"max_budget": 3, "min_budget": 9}, "at least min_budget"),
        ({"max_budget": 9, "first": [{"y": 1}]}, "no dimension of this space"),
    ],
)
def test_bad_arguments_are_refused_when_the_strategy_is_made(settings, says):
    with pytest.raises(hpt.HptError, match=says):
        hpt.hyperband(SPACE, **settings)


def test_each_iteration_is_hyperband_again_on_new_configs():
    once, thrice = (
        hpt.tune(lambda c: c["x"], hpt.hyperband(SPACE, max_budget=9, iterations=n), progress=False)
        for n in (1, 3)
    )
    runs, configs = len(once.history.records), hpt.plan(once.strategy).configs
    assert [r.trial for r in thrice.history.records[:runs]] == [
        r.trial for r in once.history.records
    ]
    plan = hpt.plan(thrice.strategy)
    assert plan.brackets == {
        s: [(3 * n, budget) for n, budget in rungs]
        for s, rungs in hpt.plan(once.strategy).brackets.items()
    }
    assert len(thrice.history.records) == 3 * runs == plan.runs
    for i in range(3):  # every round halves among its own trials
        ids = {r.trial.id for r in thrice.history.records[i * runs : (i + 1) * runs]}
        assert ids == set(range(i * configs, (i + 1) * configs))
    with pytest.raises(StrategyError, match="iterations must be an integer >= 1, got 0"):
        hpt.hyperband(SPACE, max_budget=9, iterations=0)

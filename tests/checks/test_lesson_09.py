"""Right answers to lesson 09 pass in two spellings; typical wrong ones fail with the hint that
helps."""

import math

import numpy as np
import pytest
from scipy import stats

from hpt_lab.checks import lesson_09_capstone as lab
from hpt_lab.checks.lesson_09 import (
    CURVES,
    WORKSHEET,
    check_capstone,
    check_curves,
    check_seeds_needed,
    check_worksheet,
)

ROLES = {name: role for name, (role, _) in WORKSHEET.items()}
ACTIONS = {name: action for name, (action, _) in CURVES.items()}


@pytest.mark.parametrize(("check", "right"), [(check_worksheet, ROLES), (check_curves, ACTIONS)])
def test_right_words_pass_in_any_case_and_dots_are_not_wrong(check, right):
    assert check(right)
    assert check({name: f" {word.upper()} " for name, word in right.items()})
    assert check(dict.fromkeys(right, ...)).status == "unanswered"


@pytest.mark.parametrize(
    ("name", "word", "hint"),
    [
        ("learning_rate", "fixed", "tune it for each"),
        ("activation", "nuisance", "find out"),
        ("units", "nuisance", "phone"),
        ("epochs", "scientific", "pay"),
    ],
)
def test_a_wrong_role_gets_its_hint(name, word, hint):
    verdict = check_worksheet(ROLES | {name: word})
    assert verdict.status == "wrong" and hint in verdict.hint and "5 of 6" in verdict.text


def test_a_wrong_action_gets_its_hint():
    assert "last epoch" in check_curves(ACTIONS | {"A": "fewer epochs"}).hint
    assert "should be a dict" in check_curves("decay").text


def by_formula(spread, difference):
    return math.ceil((2.8 * spread / difference) ** 2)


def by_t_test(spread, difference):
    """The smallest n whose paired t-test has 80 % power, by the noncentral t distribution."""
    for n in range(2, 1000):
        edge = stats.t.ppf(0.975, n - 1)
        shift = difference / spread * n**0.5
        found = stats.nct.sf(edge, n - 1, shift) + stats.nct.cdf(-edge, n - 1, shift)
        if found >= 0.8:
            return n


def test_the_formula_passes_and_so_does_the_exact_power_of_the_t_test():
    assert check_seeds_needed(by_formula)
    assert check_seeds_needed(by_t_test)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda s, d: int((2.802 * s / d) ** 2), "round up"),
        (lambda s, d: math.ceil(2.802 * s / d), "squares"),
        (lambda s, d: math.ceil((1.96 * s / d) ** 2), "half of the time"),
        (lambda s, d: math.ceil(2 * (2.802 * s / d) ** 2), "unpaired"),
    ],
)
def test_wrong_numbers_of_seeds_get_their_hints(wrong, hint):
    verdict = check_seeds_needed(wrong)
    assert verdict.status == "wrong" and hint in verdict.hint


def runs_of(task, config, seeds):
    task.runs += [lab.Run(config, seed, 0.5) for seed in seeds]


@pytest.fixture
def task():
    """A capstone whose data were never opened; nothing is trained."""
    lab.eights.cache_clear()
    task = lab.Capstone()
    for i in range(7):
        runs_of(task, lab.SPACE.sample(i), [0])
    runs_of(task, lab.DEFAULT, [0, 1, 2])
    return task


def test_the_capstone_wants_exploration_reruns_and_an_unopened_test_set(task):
    assert "one seed" in check_capstone(task, lab.SPACE.sample(0)).text.replace(
        "1 seed", "one seed"
    )
    few = lab.Capstone()
    runs_of(few, lab.DEFAULT, [0, 1, 2])
    assert "explore" in check_capstone(few, lab.DEFAULT).hint
    task.data.reveal_test()
    assert "opened before" in check_capstone(task, lab.DEFAULT).text
    assert check_capstone(task, ...).status == "unanswered"
    assert "Capstone" in check_capstone(lab.DEFAULT, lab.DEFAULT).text


@pytest.mark.parametrize("better", [True, False])
def test_the_capstone_fails_only_what_is_clearly_worse_than_the_reference(
    task, monkeypatch, better
):
    y = task.data.y_validation
    rng = np.random.default_rng(0)
    good = y + 0.4 * rng.standard_normal((3, len(y)))
    bad = rng.random((3, len(y)))
    monkeypatch.setattr(
        lab, "judge", lambda *_: (y, [good, good, bad] if better else [bad, good, bad])
    )
    verdict = check_capstone(task, lab.DEFAULT)
    assert bool(verdict) is better
    assert "average precision" in verdict.text
    assert better or "clearly worse" in verdict.text


def test_an_interval_of_equals_holds_zero_and_of_unequals_does_not():
    rng = np.random.default_rng(1)
    y = (np.arange(300) % 10 == 0).astype(int)
    good, same = y + 0.5 * rng.standard_normal((2, 3, 300))
    bad = rng.random((3, 300))
    apart, low, high = lab.interval(y, good, same, draws=200)
    assert low < apart < high and low < 0 < high
    assert lab.interval(y, good, bad, draws=200)[1] > 0


def test_a_capstone_counts_its_trainings():
    task = lab.Capstone(budget=1)
    with pytest.raises(ValueError, match="1 of 1 trainings are left, got 2"):
        task.train([lab.DEFAULT] * 2)
    with pytest.raises(ValueError, match="needs exactly"):
        task.train([{"learning_rate": 0.1}])


def test_copies_repeat_the_rare_rows_alone():
    data = lab.eights()
    x, y = lab.copied(data, 3)
    assert (y == 1).sum() == 3 * (data.y_train == 1).sum()
    assert (y == 0).sum() == (data.y_train == 0).sum()
    assert np.array_equal(x[: len(data.x_train)], data.x_train)

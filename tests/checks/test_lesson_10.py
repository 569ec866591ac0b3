"""Lesson 10: right answers pass in several spellings, and each typical mistake gets its own
hint."""

import math

import pytest

from hpt_lab.checks.lesson_10 import (
    CASES,
    TRANSLATED,
    check_bracket_test,
    check_log,
    check_policy,
    check_translation,
    count_right,
)


def test_the_log_is_judged():
    assert check_log(["NaN promoted", "epochs lost at the resume"])
    assert check_log(("nan  promoted", "Epochs lost at the resume"))
    for flaws, hint in (
        (["NaN promoted"], "which weights"),
        ("epochs lost at the resume", "which one went on"),
        (["too few promoted"], "one goes on"),
        (["wrong best"], "smallest loss"),
    ):
        verdict = check_log(flaws)
        assert verdict.status == "wrong" and hint in verdict.hint, verdict
    assert check_log(...).status == check_log([...]).status == "unanswered"


def by_powers(count):
    powers = all(count(eta**k, 1, eta) == k + 1 for eta in (3, 10) for k in range(1, 12))
    return powers and count(50, 1, 3) == 4 and count(81, 3, 3) == 4


def asserting(count):
    for most in range(3, 1001):
        brackets, budget = 0, 2
        while budget <= most:
            brackets, budget = brackets + 1, budget * 3
        assert count(most, 2, 3) == brackets
    assert count(243, 1, 3) == 6
    assert count(50, 1, 3) == 4
    return True


@pytest.mark.parametrize("right", [by_powers, asserting])
def test_a_test_of_the_bracket_count_passes_in_two_spellings(right):
    assert check_bracket_test(right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda count: True, "math.log"),
        (lambda count: count(81, 1, 3) == 5, "math.log"),
        (lambda count: count(243, 1, 3) == 6 and count(50, 1, 3) == 4, "min_budget"),
        (lambda count: count(243, 1, 3) == 6 and count(81, 3, 3) == 4, "no power"),
        (lambda count: count(243, 1, 3) == 5, "never halves"),
        (lambda count: "yes", "True or False"),
    ],
)
def test_a_weak_test_gets_its_hint(wrong, hint):
    verdict = check_bracket_test(wrong)
    assert verdict.status == "wrong" and hint in verdict.hint, verdict


def test_the_right_counter_is_right():
    assert [count_right(3**k, 1, 3) for k in range(1, 15)] == list(range(2, 16))


def test_the_translation_is_judged():
    right = {name: value for name, (value, _) in TRANSLATED.items()}
    assert check_translation(right)
    assert check_translation({**right, "scikit-learn n_candidates": 27.0})
    for name, wrong, hint in (
        ("KerasTuner max_epochs", 27, "max_budget"),
        ("Optuna reduction_factor", 1 / 3, "eta"),
        ("Optuna min_resource", 81, "smallest"),
        ("scikit-learn n_candidates", 81, "Algorithm 1"),
        ("scikit-learn min_resources", 1, "first rung"),
    ):
        verdict = check_translation({**right, name: wrong})
        assert verdict.status == "wrong" and hint in verdict.hint, verdict
    assert check_translation({name: ... for name in TRANSLATED}).status == "unanswered"
    assert check_translation({}).status == "wrong"


def policy(error, attempt, in_a_row):
    if "space" in error or ("Error" in error and in_a_row >= 3):
        return "stop"
    return "retry" if "killed" in error and attempt == 1 else "rank last"


def test_the_policy_is_judged():
    table = {case[:3]: case[3] for case in CASES}
    assert check_policy(policy)
    assert check_policy(lambda error, attempt, in_a_row: table[error, attempt, in_a_row].upper())
    wrongs = (
        (lambda error, attempt, row: "rank last", "bad luck"),
        (
            lambda error, attempt, row: (
                "retry" if "killed" in error else policy(error, attempt, row)
            ),
            "killed twice",
        ),
        (
            lambda error, attempt, row: "retry" if "loss" in error else policy(error, attempt, row),
            "a result",
        ),
        (
            lambda error, attempt, row: "stop" if "Key" in error else policy(error, attempt, row),
            "one exception",
        ),
        (lambda error, attempt, row: policy(error, attempt, 1), "bug in every trial"),
        (lambda error, attempt, row: policy(error.replace("space", ""), attempt, row), "full disk"),
        (lambda error, attempt, row: math.nan, ""),
    )
    for wrong, hint in wrongs:
        verdict = check_policy(wrong)
        assert verdict.status == "wrong" and hint in verdict.hint, verdict
    assert check_policy(lambda error, attempt, in_a_row: None).status == "unanswered"

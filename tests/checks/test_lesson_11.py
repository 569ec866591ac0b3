"""Lesson 11: right answers pass in two spellings, and each typical mistake gets its own hint."""

import math

import pytest

from hpt_lab.checks.lesson_11 import (
    SUSPECTS,
    WHY_NOT,
    check_full_trainings,
    check_reading,
    check_suspect,
)


def plain(hours, each, finalists, seeds):
    return max(0, (hours - each * seeds * (finalists + 1)) // each)


def in_steps(hours, each, finalists, seeds):
    for _ in range(seeds * (finalists + 1)):
        hours -= each
    n = 0
    while hours >= each:
        hours -= each
        n += 1
    return float(n)


@pytest.mark.parametrize("right", [plain, in_steps])
def test_a_budget_passes_in_two_spellings(right):
    assert check_full_trainings(right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda hours, each, finalists, seeds: hours // each, "nothing is held back"),
        (
            lambda hours, each, finalists, seeds: max(
                0, (hours - each * seeds * finalists) // each
            ),
            "baseline needs",
        ),
        (
            lambda hours, each, finalists, seeds: (hours - each * seeds * (finalists + 1)) // each,
            "say 0",
        ),
        (
            lambda hours, each, finalists, seeds: max(0, hours / each - seeds * (finalists + 1)),
            "whole ones",
        ),
        (lambda hours, each, finalists, seeds: 7, "minus"),
    ],
)
def test_each_wrong_budget_gets_its_hint(wrong, hint):
    verdict = check_full_trainings(wrong)
    assert verdict.status == "wrong" and hint in verdict.hint, verdict


def test_the_suspect_is_found_and_every_other_is_cleared_with_its_reason():
    assert check_suspect(SUSPECTS[0]) and check_suspect(SUSPECTS[0].upper())
    for other, reason in WHY_NOT.items():
        assert check_suspect(other).hint == reason
    assert set(WHY_NOT) | {SUSPECTS[0]} == set(SUSPECTS)
    assert check_suspect(...).status == "unanswered"


def in_two_rounds(grades):
    return [
        *sorted(key for key in grades if grades[key] == 1),
        *sorted(key for key in grades if grades[key] == 2),
    ]


@pytest.mark.parametrize(
    "right",
    [
        in_two_rounds,
        lambda grades: tuple(
            sorted((k for k, v in grades.items() if v < 3), key=lambda k: (grades[k], k))
        ),
    ],
)
def test_a_reading_list_passes_in_two_spellings(right):
    assert check_reading(right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda grades: sorted(grades, key=lambda k: (grades[k], k)), "second reading"),
        (lambda grades: sorted(k for k in grades if grades[k] < 3), "weakest first"),
        (lambda grades: "04", "a list"),
        (
            lambda grades: sorted(
                (k for k in grades if grades[k] < 3), key=lambda k: (-grades[k], k)
            ),
            "ordered by grade",
        ),
    ],
)
def test_each_wrong_reading_list_gets_its_hint(wrong, hint):
    verdict = check_reading(wrong)
    assert verdict.status == "wrong" and hint in verdict.hint, verdict


@pytest.mark.parametrize("check", [check_full_trainings, check_reading])
def test_stubs_are_not_answered_yet(check):
    assert check(lambda *a: ...).status == check(None).status == "unanswered"
    assert not math.isnan(len(check(3).text))

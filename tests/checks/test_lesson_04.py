"""Lesson 04: right answers pass in several spellings, and each typical mistake gets its own
hint."""

import itertools
import math

import numpy as np
import pytest

from hpt_lab.checks.lesson_04 import (
    JUDGEMENTS,
    check_comparison,
    check_expected_best,
    check_trials_needed,
)
from hpt_lab.honesty import expected_best


def stub(*_): ...


@pytest.mark.parametrize("check", [check_trials_needed, check_expected_best])
@pytest.mark.parametrize("nothing", [stub, ..., None])
def test_stubs_are_not_answered_yet(check, nothing):
    assert check(nothing).status == "unanswered"


def by_logarithm(top, sure):
    return math.ceil(round(math.log(1 - sure) / math.log(1 - top), 9))


def by_counting(top, sure):
    return next(n for n in itertools.count(1) if 1 - (1 - top) ** n >= sure - 1e-12)


@pytest.mark.parametrize("answer", [by_logarithm, by_counting])
def test_the_number_of_trials_passes_in_two_spellings(answer):
    assert check_trials_needed(answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda top, sure: math.log(1 - sure) / math.log(1 - top), "round up"),
        (lambda top, sure: int(math.log(1 - sure) / math.log(1 - top)), "round up"),
        (lambda top, sure: math.log(sure) / math.log(top), "missing"),
        (lambda top, sure: math.ceil(sure / top), "add up"),
        (lambda top, sure: 60, "solve for n"),
        (lambda top: 60, "cell"),
        (59, "name"),
    ],
)
def test_a_wrong_number_of_trials_gets_its_hint(answer, hint):
    verdict = check_trials_needed(answer)
    assert verdict.status == "wrong" and hint in verdict.hint, verdict


def by_combinations(losses, n):
    return (
        np.mean([min(some) for some in itertools.combinations(losses, n)])
        if len(losses) < 20
        else min(losses)
    )


def by_counting_choices(losses, n):
    ranked, size = sorted(losses), len(losses)
    return sum(loss * math.comb(size - i, n - 1) for i, loss in enumerate(ranked, 1)) / math.comb(
        size, n
    )


@pytest.mark.parametrize(
    "answer",
    [by_combinations, by_counting_choices, lambda losses, n: expected_best(losses, [n])[0]],
)
def test_the_expected_best_passes_in_three_spellings(answer):
    assert check_expected_best(answer)


def with_replacement(losses, n):
    ranked, size = sorted(losses), len(losses)
    return sum(
        loss * (((size - i + 1) / size) ** n - ((size - i) / size) ** n)
        for i, loss in enumerate(ranked, 1)
    )


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (with_replacement, "more than once"),
        (lambda losses, n: min(losses[:n]), "only one choice"),
        (lambda losses, n: -by_counting_choices([-loss for loss in losses], n), "smallest"),
        (lambda losses, n: np.mean(sorted(losses)[:n]), "not n random ones"),
        (lambda losses, n: min(losses), "missed it"),
        (lambda losses, n: 9.9, "other n - 1"),
        (0.1, "name"),
        (lambda losses: 1, "cell"),
    ],
)
def test_a_wrong_expected_best_gets_its_hint(answer, hint):
    verdict = check_expected_best(answer)
    assert verdict.status == "wrong" and hint in verdict.hint, verdict


def judged(**changes):
    return {
        f"that {words} and so on": changes.get(words, verdict)
        for words, (verdict, _) in JUDGEMENTS.items()
    }


def test_the_comparison_is_judged_statement_by_statement():
    assert check_comparison(judged())
    assert check_comparison({text: verdict.upper() for text, verdict in judged().items()})
    assert "7 of 8" in check_comparison(judged(pilot=...)).text


@pytest.mark.parametrize("words", JUDGEMENTS)
def test_each_wrong_judgement_gets_its_reason(words):
    verdict, why = JUDGEMENTS[words]
    wrong = check_comparison(judged(**{words: "fine" if verdict == "flaw" else "flaw"}))
    assert wrong.status == "wrong" and wrong.hint == why


@pytest.mark.parametrize(
    ("answers", "words"), [("flaw", "dict"), ({}, "missing"), (judged(wider="bad"), "one of")]
)
def test_what_is_no_judgement_is_named(answers, words):
    assert words in check_comparison(answers).text

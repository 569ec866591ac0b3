"""Lesson 00: what a bracket costs, and the plan that fits 2,000 epochs."""

from itertools import pairwise

import numpy as np
import pytest

from hpt_lab.checks.lesson_00 import (
    BRACKETS,
    KINDS,
    check_bracket_epochs,
    check_kinds,
    check_max_budget,
)
from hpt_lab.space import Float, Space
from hpt_lab.strategies import hyperband
from hpt_lab.study import plan


def resumed(rungs):
    epochs = before = 0
    for trials, total in rungs:
        epochs += trials * (total - before)
        before = total
    return epochs


def by_who_is_cut(rungs):
    here, after = np.array(rungs), np.array([*rungs[1:], (0, 0)])
    return ((here[:, 0] - after[:, 0]) * here[:, 1]).sum()


@pytest.mark.parametrize("answer", [resumed, by_who_is_cut, lambda rungs: float(resumed(rungs))])
def test_the_cost_of_a_bracket_passes_in_any_spelling(answer):
    assert check_bracket_epochs(answer)


def test_the_brackets_are_those_of_the_plan_and_add_up_to_it():
    planned = plan(hyperband(Space(x=Float(0, 1)), max_budget=27, eta=3, seed=0))
    rungs = [[(rung.n, rung.budget) for rung in bracket] for bracket in planned.brackets.values()]
    assert (
        sorted(rungs) == sorted(BRACKETS[:4])
        and sum(map(resumed, rungs)) == planned.epochs_resumed == 357
    )


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda rungs: sum(n * total for n, total in rungs), "from scratch"),
        (lambda rungs: resumed(rungs) - rungs[0][0] * rungs[0][1], "0 epochs"),
        (lambda rungs: rungs[0][0] * rungs[-1][1], "in full"),
        (lambda rungs: sum(n for n, _ in rungs), "runs"),
        (lambda rungs: rungs[-1][1], "others"),
        (lambda rungs: 7, "new since"),
        (81, "name"),
        (lambda: 81, "cell"),
        (
            lambda rungs: (
                rungs[0][0] * rungs[0][1] + sum(a[0] * (b[1] - a[1]) for a, b in pairwise(rungs))
            ),
            "own number",
        ),
    ],
)
def test_a_wrong_cost_gets_its_hint(answer, hint):
    verdict = check_bracket_epochs(answer)
    assert verdict.status == "wrong" and hint in verdict.hint


@pytest.mark.parametrize("answer", [81, 81.0, np.int64(81), 3**4])
def test_the_longest_affordable_training_passes(answer):
    verdict = check_max_budget(answer)
    assert verdict and "1,581 epochs" in verdict.text  # Hyperband's Algorithm 1 with R=81, resumed


@pytest.mark.parametrize(
    ("answer", "text", "hint"),
    [
        (27, "only 357", "81"),
        (9, "longer", "27"),
        (243, "more than 2,000", "smaller"),
        (2187, "more than 2,000", "smaller"),
        (2000, "whole budget", "one trial"),
        (1581, "whole plan", "one trial"),
        (40, "powers", "27"),
        (0, "powers", "27"),
        ("81", "number", "quotes"),
    ],
)
def test_a_wrong_budget_gets_its_hint(answer, text, hint):
    verdict = check_max_budget(answer)
    assert verdict.status == "wrong" and text in verdict.text and hint in verdict.hint


def test_stubs_are_not_answered_yet():
    assert (
        check_max_budget(...).status
        == check_bracket_epochs(lambda rungs: ...).status
        == "unanswered"
    )


def test_the_three_kinds_pass_in_any_case():
    assert check_kinds(KINDS) and check_kinds({what: kind.upper() for what, kind in KINDS.items()})


@pytest.mark.parametrize(
    ("what", "answer", "hint"),
    [
        ("its moving mean", "parameter", "by a rule"),
        ("its moving mean", "hyperparameter", "nobody chooses"),
        ("the number of epochs", "state", "before training"),
        ("Adam's running mean of the gradients", "parameter", "gradient"),
        (
            "the shift (beta) of batch normalisation",
            "hyperparameter",
            "gradient descent changes it",
        ),
    ],
)
def test_a_wrong_kind_gets_its_hint(what, answer, hint):
    verdict = check_kinds({**KINDS, what: answer})
    assert verdict.status == "wrong" and what in verdict.text and hint in verdict.hint


def test_kinds_half_filled_are_unanswered_and_others_refused():
    assert check_kinds({**KINDS, "its moving mean": ...}).status == "unanswered"
    assert (
        check_kinds({"its moving mean": "state"}).status == check_kinds("state").status == "wrong"
    )
    assert "weight" not in check_kinds({**KINDS, "its moving mean": "weight"}).hint

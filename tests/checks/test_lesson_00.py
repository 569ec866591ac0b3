"""Lesson 00: the plan that fits 2,000 epochs."""

import numpy as np
import pytest

from hpt_lab.checks.lesson_00 import check_max_budget


@pytest.mark.parametrize("answer", [81, 81.0, np.int64(81), 3**4])
def test_the_longest_affordable_training_passes(answer):
    verdict = check_max_budget(answer)
    assert verdict and "1,581 epochs" in verdict.text  # Hyperband's Algorithm 1 with R=81, resumed


@pytest.mark.parametrize(("answer", "text", "hint"), [
    (27, "only 357", "81"), (9, "longer", "27"), (243, "more than 2,000", "smaller"), (2187, "more than 2,000", "smaller"),
    (2000, "purse", "one trial"), (40, "powers", "27"), (0, "powers", "27"), ("81", "number", "quotes")])
def test_a_wrong_budget_gets_its_hint(answer, text, hint):
    verdict = check_max_budget(answer)
    assert verdict.status == "wrong" and text in verdict.text and hint in verdict.hint


def test_the_stub_is_not_answered_yet():
    assert check_max_budget(...).status == "unanswered"

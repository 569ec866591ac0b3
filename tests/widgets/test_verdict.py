"""Verdicts on curves drawn by hand, where the right word is beyond doubt."""

import math

import numpy as np
import pytest

from hpt_lab.widgets.verdict import best_epoch, judge, reference

EPOCHS = np.arange(100)
FALLING = 0.7 * np.exp(-EPOCHS / 20) + 0.01


def curves(loss, val_loss, accuracy=0.95, val_accuracy=0.94):
    n = len(loss)
    return {
        "loss": list(loss),
        "val_loss": list(val_loss),
        "accuracy": [accuracy] * n,
        "val_accuracy": [val_accuracy] * n,
    }


@pytest.mark.parametrize(
    ("made", "word", "evidence"),
    [
        (curves(FALLING, FALLING + 0.02), "good", "94% right on validation rows"),
        (
            curves(FALLING, 0.3 + 0.5 * np.abs(EPOCHS - 30) / 70, 1.0),
            "overfitting",
            "since epoch 31 the validation loss rose",
        ),
        (
            curves(FALLING, FALLING + 0.2, 1.0, 0.8),
            "overfitting",
            "100% right on training rows, 80% on validation rows",
        ),
        (
            curves(np.full(100, 0.6), np.full(100, 0.6), 0.7, 0.69),
            "underfitting",
            "hardly falls any more",
        ),
        (
            curves(0.69 - EPOCHS / 3000, 0.69 - EPOCHS / 3000, 0.7, 0.69),
            "underfitting",
            "falls slowly: raise the learning rate",
        ),
        (
            curves(0.69 - EPOCHS / 500, 0.69 - EPOCHS / 500, 0.7, 0.69),
            "underfitting",
            "still falls, so train on",
        ),
        (
            curves([0.7, 3.0, math.nan], [0.7, 3.0, math.nan]),
            "diverging",
            "no longer a number since epoch 3",
        ),
        (
            curves([0.7, 1e6, *[0.7] * 30], [0.7] * 32, 0.5, 0.5),
            "diverging",
            "shot up to 1e+06 in epoch 2",
        ),
        (
            curves([0.7, 1e6, *[0.7] * 30], [0.7] * 32),
            "good",
            "94% right",
        ),  # it came back: as good as the reference
        (
            curves(FALLING, FALLING * 3 + 0.2, 0.6, 0.45),
            "underfitting",
            "only 60% right even on training rows",
        ),
        (curves(FALLING[:5], FALLING[:5]), "too early to tell", "5 of 10"),
        (curves([], []), "untrained", "press Run"),
    ],
)
def test_the_word_and_its_evidence(made, word, evidence):
    verdict = judge(made, classes=2, reference=0.95)
    assert verdict.word == word and evidence in verdict.evidence


def test_rows_that_hold_nothing_make_no_good_fit():
    verdict = judge(curves(FALLING, FALLING + 0.02, 0.56, 0.54), classes=2, reference=0.55)
    assert (
        verdict.word == "no better than guessing"
        and "54% right on validation rows, and a kernel machine" in str(verdict)
    )


def test_one_bad_epoch_changes_no_verdict():
    spiked = FALLING + 0.02
    spiked[-2] = 2.0
    assert judge(curves(FALLING, spiked), classes=2, reference=0.95).word == "good"


def test_the_best_epoch_is_the_earliest_lowest_and_never_nan():
    assert best_epoch([math.nan, 0.5, 0.2, 0.2, math.inf]) == 3


def test_the_reference_separates_what_a_line_can_not():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (300, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    assert reference(x[:200], y[:200], validation=(x[200:], y[200:])) > 0.9

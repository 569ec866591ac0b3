"""Claims about metrics: hand-counted examples, brute force, and what happens where a metric is
undefined."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logit, softmax

from hpt_lab.errors import DataError
from hpt_lab.training.metrics import (
    best_threshold,
    evaluate,
    gives_logits,
    is_score,
    metric_names,
    probabilities,
)

Y = np.array([0, 0, 0, 1, 1])
P = np.array([0.1, 0.6, 0.3, 0.8, 0.4])  # one false alarm, one miss


def test_binary_metrics_agree_with_counting_by_hand():
    got = evaluate(Y, P, "classification")
    assert got["accuracy"] == pytest.approx(3 / 5)
    assert got["f1"] == pytest.approx(2 * 1 / (2 * 1 + 1 + 1))
    assert got["f1_macro"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert got["roc_auc"] == pytest.approx(
        5 / 6
    )  # of 6 pairs (0, 1) only (0.6, 0.4) is in the wrong order
    assert got["average_precision"] == pytest.approx((1 / 1 + 2 / 3) / 2)
    assert got["log_loss"] == pytest.approx(-np.log([0.9, 0.4, 0.7, 0.8, 0.4]).mean())


def test_sigmoid_column_softmax_and_logits_give_the_same_metrics():
    sigmoid = evaluate(Y, P[:, None], "classification")
    for other in (
        evaluate(Y, np.column_stack([1 - P, P]), "classification"),
        evaluate(Y, logit(P), "classification", logits=True),
        evaluate(
            np.eye(2)[Y],
            np.column_stack([-logit(P) / 2, logit(P) / 2]),
            "classification",
            logits=True,
        ),
    ):
        assert other == pytest.approx(sigmoid)


def test_multiclass_ranking_metrics_are_means_of_one_against_the_rest():
    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 4, 50), softmax(rng.normal(size=(50, 4)), axis=1)
    got = evaluate(y, p, "classification")
    auc = [
        np.mean([(a > b) + (a == b) / 2 for a in p[y == c, c] for b in p[y != c, c]])
        for c in range(4)
    ]
    assert got["roc_auc"] == pytest.approx(np.mean(auc))
    assert "f1" not in got and metric_names("classification", 4) == tuple(got)


def test_a_class_missing_from_the_fold_is_left_out_of_the_averages():
    y, p = (
        np.array([0, 1, 0, 1]),
        np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.5, 0.4, 0.1]]),
    )
    got = evaluate(y, p, "classification")
    assert got["roc_auc"] == got["average_precision"] == 1.0
    assert got["f1_macro"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert got["log_loss"] == pytest.approx(-np.log([0.7, 0.7, 0.6, 0.4]).mean())


def test_a_fold_of_one_class_has_no_roc_auc_but_has_an_accuracy():
    got = evaluate([1, 1], [0.9, 0.2], "classification")
    assert (
        got["accuracy"] == 0.5
        and math.isnan(got["roc_auc"])
        and math.isnan(got["average_precision"])
    )


def test_metrics_of_a_diverged_model_are_nan_and_never_look_good():
    assert all(math.isnan(v) for v in evaluate([0, 1], [math.nan, 0.5], "classification").values())
    assert all(math.isnan(v) for v in evaluate([0, 1], [math.inf, 0.5], "regression").values())


def test_regression_metrics_agree_with_their_formulas_and_do_not_broadcast():
    y, p = np.array([1.0, 2.0, 4.0]), np.array([[1.0], [3.0], [2.0]])
    got = evaluate(y, p, "regression")
    assert got == pytest.approx({"mse": 5 / 3, "mae": 1.0, "r2": 1 - 5 / (14 / 3)})
    assert evaluate(y, p, "regression", names=["mae"]) == {"mae": 1.0}


def test_scores_are_told_from_losses():
    assert (
        is_score("accuracy") and is_score("r2") and not is_score("log_loss") and not is_score("mse")
    )
    with pytest.raises(DataError, match=r"roc_auc.*got 'auc'"):
        is_score("auc")


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: evaluate([0, 1], [0.1], "classification"), "one row per row"),
        (lambda: evaluate([], [], "classification"), "at least one"),
        (
            lambda: evaluate([0, 2], [0.1, 0.2], "classification"),
            r"classes 0\.\.1.*a unit per class",
        ),
        (lambda: evaluate([0, 1], [-3.0, 2.0], "classification"), "from_logits=True"),
        (
            lambda: evaluate([0, 1, 2], np.eye(3), "classification", names=["f1"]),
            "'f1' is not defined.*f1_macro",
        ),
        (lambda: evaluate([0.0, 1.0], np.ones((2, 3)), "regression"), "shape of y_true"),
        (lambda: evaluate([0, 1], [0.1, 0.2], "ranking"), "'classification' or 'regression'"),
        (lambda: evaluate([0, math.nan], [0.1, 0.2], "classification"), "whole class numbers"),
        (lambda: evaluate([0, 0.5], [0.1, 0.2], "classification"), "whole class numbers"),
        (lambda: evaluate(["a", "b"], [0.1, 0.2], "classification"), "real numbers"),
        (lambda: evaluate([0, 1], [0.1 + 1j, 0.2], "classification"), "real numbers"),
        (lambda: evaluate([0, 1], [[0.1], [0.2, 0.3]], "classification"), "one shape"),
        (lambda: evaluate([[1, 1], [0, 1]], np.eye(2), "classification"), "one-hot"),
        (lambda: evaluate([0.0, math.nan], [0.1, 0.2], "regression"), "y_true must be finite"),
        (
            lambda: evaluate([0, 1], [0.1, 0.2], "classification", names="accuracy"),
            r"names=\['accuracy'\]",
        ),
        (lambda: evaluate([0, 1], [0.1, 0.2], "classification", threshold=math.nan), "threshold"),
        (lambda: evaluate(1, 2, "classification"), "one row each"),
        (lambda: probabilities(np.empty((2, 0))), "at least one row and one column"),
        (lambda: best_threshold(["a", "b"], [0.1, 0.9]), "real numbers"),
        (lambda: best_threshold([0, 1, 2], np.eye(3)), "two classes"),
        (lambda: best_threshold([0, 1], [0.1, 0.9], metric="roc_auc"), "f1, f1_macro or accuracy"),
    ],
)
def test_bad_input_is_refused_with_a_remedy(call, message):
    with pytest.raises(DataError, match=message):
        call()


def test_probabilities_sum_to_one_and_leave_probabilities_alone():
    p = probabilities(np.array([[0.25, 0.75], [1.0, 0.0]]))
    assert np.array_equal(p, [[0.25, 0.75], [1.0, 0.0]])
    assert np.allclose(probabilities([[800.0, 0.0], [1.0, 1.0]], logits=True), [[1, 0], [0.5, 0.5]])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=1, max_size=30),
    st.sampled_from(["f1", "f1_macro", "accuracy"]),
)
def test_no_other_threshold_beats_the_best_threshold(rows, metric):
    y, p = np.array([r[0] for r in rows]), np.array([r[1] / 20 for r in rows])
    present = [metric] if metric != "f1_macro" or len(set(y)) == 2 else ["f1"]
    best = best_threshold(y, p, metric=present[0])

    def at(t):
        return evaluate(y, p, "classification", threshold=t, names=present)[present[0]]

    assert 0 <= best <= 1 and at(best) >= max(at(t / 40) for t in range(41)) - 1e-9


def test_threshold_from_validation_data_carries_over_to_test_data():
    threshold = best_threshold([0, 0, 0, 1], [0.05, 0.1, 0.2, 0.3])
    assert threshold == 0.25
    assert evaluate([0, 1, 1], [0.2, 0.3, 0.4], "classification", threshold=threshold)["f1"] == 1.0
    assert evaluate([0, 1, 1], [0.2, 0.3, 0.4], "classification")["f1"] == 0.0


def test_logits_are_read_off_the_compiled_loss():
    loss = SimpleNamespace(get_config=lambda: {"from_logits": True})
    assert gives_logits(SimpleNamespace(loss=loss)) and not gives_logits(
        SimpleNamespace(loss="mse")
    )

"""The bank's numbers against other ways to get them: dice, scikit-learn, SciPy, the package."""

import itertools

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from hpt_lab import interview
from hpt_lab.interview.numbers import NUMBERS
from hpt_lab.plots import describe
from hpt_lab.plots.interview import draw
from hpt_lab.surrogates.gaussian_process import condition

RNG = np.random.default_rng(0)


def of(name):
    return {key: float(str(value).replace(",", "")) for key, value in NUMBERS[name]().items()}


def test_every_function_is_used_by_a_question():
    assert set(NUMBERS) == {question.numbers for question in interview.load() if question.numbers}


def test_expected_improvement_is_what_dice_give():
    given = of("two_candidates")
    for name, mean, std in (("safe", 0.23, 0.02), ("open", 0.30, 0.12)):
        drawn = np.maximum(0.22 - RNG.normal(mean, std, 2_000_000), 0)
        assert given[name] == pytest.approx(drawn.mean(), rel=0.02)
        assert given[f"p_{name}"] == pytest.approx(100 * (drawn > 0).mean(), abs=0.6)


def test_the_evidence_is_the_density_of_a_joint_normal():
    given = of("evidence_of_two")
    for name, correlation, y in (
        ("apart", 0.0, (1, 1)),
        ("alike", 0.9, (1, 1)),
        ("against", 0.9, (1, -1)),
    ):
        density = stats.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).logpdf(y)
        assert given[name] == pytest.approx(density + np.log(2 * np.pi), abs=0.051)


@pytest.mark.parametrize(
    ("noise", "mean", "std"), [(1e-9, 0.8, "std"), (0.25, "mean", "noisy_std")]
)
def test_one_neighbour_is_what_the_packages_process_says(noise, mean, std):
    given = of("one_neighbour")
    at = np.linspace(0, 1, 100_001)
    r = np.sqrt(5) * at
    place = at[
        np.abs((1 + r + r**2 / 3) * np.exp(-r) - 0.8).argmin()
    ]  # where the correlation is 0.8
    process = condition(
        np.zeros((1, 1)), np.array([1.0]), np.zeros(1, int), np.log([1.0, 1.0, noise])
    )
    found = process.posterior(np.array([[place]]))
    assert found[0][0] == pytest.approx(mean if isinstance(mean, float) else given[mean], abs=0.006)
    assert found[1][0] == pytest.approx(given[std], abs=0.006)


def test_metrics_are_those_of_scikit_learn():
    given = of("confusion")
    truth = np.repeat([1, 1, 0, 0], [80, 20, 120, 9780])
    said = np.repeat([1, 0, 1, 0], [80, 20, 120, 9780])
    for name, score in (
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
        ("f1", metrics.f1_score),
    ):
        assert given[name] == pytest.approx(score(truth, said), abs=0.005)
    ranking = of("ranking_of_six")
    labels = [0, 1, 1, 0, 0, 0]
    scores = [6, 5, 4, 3, 2, 1]
    assert ranking["average"] == pytest.approx(
        metrics.average_precision_score(labels, scores), abs=0.006
    )
    assert ranking["auc"] == pytest.approx(metrics.roc_auc_score(labels, scores), abs=0.006)


def test_the_luck_of_the_best_is_what_dice_give():
    given = of("luck_of_the_best")
    lots = RNG.standard_normal((40_000, 100))
    for name, k in (("ten", 10), ("errors", 20), ("hundred", 100)):
        assert given[name] == pytest.approx(lots[:, :k].max(axis=1).mean(), abs=0.02)


def test_empty_folds_and_siblings_are_what_shuffling_gives():
    cards = np.array(
        [RNG.permutation(100)[:5] // 20 for _ in range(20_000)]
    )  # the folds of five positives
    full = np.mean([len(set(row)) == 5 for row in cards])
    assert of("folds_without_positives")["one_each"] == pytest.approx(100 * full, abs=0.8)
    folds = np.array(
        [RNG.permutation(120)[:5] // 24 for _ in range(20_000)]
    )  # the folds of one patient's rows
    alone = np.mean((folds[:, 1:] == folds[:, :1]).all(axis=1))
    assert of("siblings_in_training")["known"] == pytest.approx(100 * (1 - alone), abs=0.2)


def test_the_paired_test_is_what_coins_give():
    heads = RNG.binomial(44, 0.5, 400_000)
    assert of("one_alone_is_right")["exact"] == pytest.approx(
        (np.abs(heads - 22) >= 8).mean(), abs=0.0025
    )


def test_bias_and_variance_add_up():
    given = of("three_answers")
    assert given["bias2"] + given["variance"] == pytest.approx(given["total"], abs=0.001)


def test_a_scaled_mask_keeps_the_mean_and_has_the_variance_it_is_said_to_have():
    given = of("dropout_mask")
    mask = (RNG.random(1_000_000) >= 0.8) * given["factor"]
    assert mask.mean() == pytest.approx(1, abs=0.01)
    assert mask.var() == pytest.approx(given["variance"], rel=0.01)


def test_decay_and_running_means_are_what_loops_give():
    left = 1.0
    for _ in range(400):
        left -= left * 0.3 * 0.04
    assert of("what_decay_leaves")["left"] == pytest.approx(100 * left, abs=0.06)
    mean = 0.0
    steps = []
    for step in itertools.count(1):
        mean = 0.99 * mean + 0.01 * 10
        if mean >= 9.9:
            break
        steps.append(step)
    assert of("lag_of_an_average")["wait"] == pytest.approx(step, abs=1)


@pytest.mark.parametrize(
    ("numbers", "picture", "shown"),
    [
        ("loss_turns", "loss_turns_accuracy_climbs", ("low", "high", "before", "after")),
        ("strong_dropout", "training_above_validation", ("loss", "unseen", "end", "unseen_end")),
        (
            "two_ends",
            "equal_validation_unequal_training",
            ("train_a", "valid_a", "train_b", "valid_b"),
        ),
        ("promise_and_test", "best_of_many", ("val_10", "val_300", "test_10", "test_300")),
        ("starts", "four_starts", ("two", "eight", "alone", "worst")),
        ("pending", "two_schedulers", ("blind", "lie", "mean_blind", "mean_lie")),
        ("digits_race", "model_and_random", ("seen", "model", "sealed")),
        ("unlabelled_rates", "four_rates", ("last_a", "last_b", "last_c", "last_d")),
        (
            "clipped_or_decayed",
            "three_ways_to_step",
            ("constant", "clipped", "cosine", "broken", "cosine_high"),
        ),
        ("two_valleys", "narrow_and_wide", ("narrow", "wide", "carried")),
    ],
)
def test_an_answer_quotes_what_its_picture_shows(numbers, picture, shown):
    told = describe(draw(picture))
    assert [key for key in shown if str(NUMBERS[numbers]()[key]) not in told] == []

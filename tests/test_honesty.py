"""The labs of lesson 03: leaks show on random labels, mended pipelines don't, and a maximum
flatters."""

import itertools

import numpy as np
import pytest
from sklearn.neighbors import NearestCentroid

from hpt_lab import honesty
from hpt_lab.errors import DataError


@pytest.mark.parametrize(
    "name", [name for name in honesty.LEAKS if name != "scaling before the split"]
)
def test_a_leak_finds_skill_in_random_labels_and_mending_it_leaves_none(name):
    leaky, honest = (
        [honesty.LEAKS[name](seed=seed, leak=leak) for seed in range(8)] for leak in (True, False)
    )
    assert np.mean(leaky) > 0.7
    assert abs(np.mean(honest) - 0.5) < 0.1


def test_scaling_before_the_split_does_no_measurable_harm_on_random_labels():
    scores = [honesty.scaling(seed=seed, leak=leak) for seed in range(8) for leak in (True, False)]
    assert abs(np.mean(scores) - 0.5) < 0.1


def test_leakage_gives_every_leak_with_and_without_one_score_a_seed():
    found = honesty.leakage(seeds=1)
    assert list(found) == list(honesty.LEAKS)
    assert all(leaky.shape == honest.shape == (1,) for leaky, honest in found.values())


def test_random_labels_are_balanced_and_follow_from_the_seed():
    x, y = honesty.random_labels(rows=50, columns=3, seed=0)
    assert x.shape == (50, 3) and y.sum() == 25
    assert np.array_equal(y, honesty.random_labels(rows=50, columns=3, seed=0)[1])
    assert not np.array_equal(y, honesty.random_labels(rows=50, columns=3, seed=1)[1])


def test_winners_curse_is_the_mean_over_all_searches():
    rng = np.random.default_rng(0)
    seen, truth = rng.permutation(7) / 10, rng.random(7)
    promised, kept = honesty.winners_curse(seen, truth, range(1, 8))
    for k in range(1, 8):
        best = [
            max((seen[i], truth[i]) for i in some) for some in itertools.combinations(range(7), k)
        ]
        assert promised[k - 1] == pytest.approx(np.mean([score for score, _ in best]))
        assert kept[k - 1] == pytest.approx(np.mean([worth for _, worth in best]))


def test_of_equal_scores_any_may_win():
    promised, kept = honesty.winners_curse([0.9, 0.9, 0.5], [1.0, 2.0, 3.0], [3, 1])
    assert promised == pytest.approx([0.9, 2.3 / 3]) and kept == pytest.approx([1.5, 2.0])


def test_the_best_of_k_lucky_scores_promises_the_expected_maximum_of_normals_and_keeps_nothing():
    rng = np.random.default_rng(0)
    promised, kept = honesty.winners_curse(
        rng.standard_normal(20000), rng.standard_normal(20000), [1, 2, 10]
    )
    assert promised == pytest.approx(
        [0, 0.5642, 1.5388], abs=0.05
    )  # expected largest of 1, 2, 10 standard normals
    assert kept == pytest.approx([0, 0, 0], abs=0.05)


@pytest.mark.parametrize(
    ("seen", "truth", "trials"),
    [([0.1], [0.1, 0.2], [1]), ([0.1, 0.2], [0.1, 0.2], [3]), ([0.1, 0.2], [0.1, 0.2], [0])],
)
def test_winners_curse_refuses_scores_that_do_not_match_or_too_many_trials(seen, truth, trials):
    with pytest.raises(DataError):
        honesty.winners_curse(seen, truth, trials)


def chosen(task, train):
    return int(task.cross_validate(train).argmax())


def test_flat_cross_validation_flatters_and_a_search_repeated_without_the_judging_fold_does_not():
    flat = []
    nested = []
    for seed in range(25):
        task = honesty.few_rows(seed=seed, candidates=40)
        rows = np.arange(60)
        flat.append(task.cross_validate(rows).max())
        outer = task.folds(rows)
        nested.append(
            np.mean(
                [task.accuracy(train, held_out)[chosen(task, train)] for train, held_out in outer]
            )
        )
    assert np.mean(flat) > 0.6
    assert abs(np.mean(nested) - 0.5) < 0.06


def test_the_expected_best_is_the_mean_over_all_searches():
    losses = np.random.default_rng(1).gamma(1.0, size=8)
    best = [np.mean([min(some) for some in itertools.combinations(losses, k)]) for k in range(1, 9)]
    assert honesty.expected_best(losses, range(1, 9)) == pytest.approx(best)
    assert honesty.expected_best([0.2, 0.2, 0.1], [2]) == pytest.approx([0.1 * 2 / 3 + 0.2 / 3])


def test_failed_trials_count_as_infinite():
    found = honesty.expected_best([np.inf, 0.3, 0.1, np.inf], [1, 2, 3, 4])
    assert np.isinf(found[:2]).all(), "both trials might have failed"
    assert found[2:] == pytest.approx([(0.1 + 0.3 + 0.1 + 0.1) / 4, 0.1])


@pytest.mark.parametrize(("losses", "trials"), [([np.nan, 0.1], [1]), ([0.1], [2]), ([0.1], [0])])
def test_the_expected_best_refuses_nan_and_more_trials_than_there_are(losses, trials):
    with pytest.raises(DataError):
        honesty.expected_best(losses, trials)


def test_a_candidate_is_the_nearest_class_mean_on_its_columns():
    task = honesty.few_rows(seed=3, candidates=4, signal=0.5)
    train = np.arange(40)
    held_out = np.arange(40, 60)
    found = task.accuracy(train, held_out)
    for candidate, right in zip(task.columns.astype(bool), found, strict=True):
        model = NearestCentroid().fit(task.x[train][:, candidate], task.y[train])
        assert right == pytest.approx(model.score(task.x[held_out][:, candidate], task.y[held_out]))


def test_without_signal_no_candidate_knows_anything_of_new_rows():
    task = honesty.few_rows(seed=0, candidates=30)
    assert abs(task.truth(np.arange(60)).mean() - 0.5) < 0.02
    assert honesty.few_rows(seed=0, signal=1.0).truth(np.arange(60)).mean() > 0.8


def test_fewer_candidates_are_the_first_of_more_on_the_same_rows():
    some = honesty.few_rows(seed=1, candidates=5)
    more = honesty.few_rows(seed=1, candidates=20)
    assert np.array_equal(some.columns, more.columns[:5]) and np.array_equal(some.x, more.x)


def test_inner_folds_stay_inside_the_rows_they_are_given():
    task = honesty.few_rows(seed=2)
    rows = np.arange(12, 60)
    for train, held_out in task.folds(rows):
        assert sorted([*train, *held_out]) == rows.tolist()

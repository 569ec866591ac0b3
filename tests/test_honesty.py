"""The labs of lesson 03: leaks show on random labels, mended pipelines don't, and a maximum flatters."""

import itertools

import numpy as np
import pytest

from hpt_lab import honesty
from hpt_lab.errors import DataError


@pytest.mark.parametrize("name", [name for name in honesty.LEAKS if name != "scaling before the split"])
def test_a_leak_finds_skill_in_random_labels_and_mending_it_leaves_none(name):
    leaky, honest = ([honesty.LEAKS[name](seed=seed, leak=leak) for seed in range(8)] for leak in (True, False))
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
        best = [max((seen[i], truth[i]) for i in some) for some in itertools.combinations(range(7), k)]
        assert promised[k - 1] == pytest.approx(np.mean([score for score, _ in best]))
        assert kept[k - 1] == pytest.approx(np.mean([worth for _, worth in best]))


def test_of_equal_scores_any_may_win():
    promised, kept = honesty.winners_curse([0.9, 0.9, 0.5], [1.0, 2.0, 3.0], [3, 1])
    assert promised == pytest.approx([0.9, 2.3 / 3]) and kept == pytest.approx([1.5, 2.0])


def test_the_best_of_k_lucky_scores_promises_the_expected_maximum_of_normals_and_keeps_nothing():
    rng = np.random.default_rng(0)
    promised, kept = honesty.winners_curse(rng.standard_normal(20000), rng.standard_normal(20000), [1, 2, 10])
    assert promised == pytest.approx([0, 0.5642, 1.5388], abs=0.05)  # expected largest of 1, 2, 10 standard normals
    assert kept == pytest.approx([0, 0, 0], abs=0.05)


@pytest.mark.parametrize(("seen", "truth", "trials"), [([0.1], [0.1, 0.2], [1]), ([0.1, 0.2], [0.1, 0.2], [3]),
                                                       ([0.1, 0.2], [0.1, 0.2], [0])])
def test_winners_curse_refuses_scores_that_do_not_match_or_too_many_trials(seen, truth, trials):
    with pytest.raises(DataError):
        honesty.winners_curse(seen, truth, trials)


def test_flat_cross_validation_flatters_and_nested_does_not():
    runs = [honesty.flat_and_nested(seed=seed, candidates=40) for seed in range(25)]
    mean = {name: np.mean([getattr(run, name) for run in runs]) for name in ("flat", "flat_truth", "nested", "nested_truth")}
    assert mean["flat"] > 0.6
    assert abs(mean["flat_truth"] - 0.5) < 0.02 and abs(mean["nested_truth"] - 0.5) < 0.02
    assert abs(mean["nested"] - 0.5) < 0.06


def test_more_candidates_never_lower_the_flat_score_of_a_data_set():
    flat = np.array([[honesty.flat_and_nested(seed=seed, candidates=k, signal=0.3).flat for k in (1, 5, 20)]
                     for seed in range(5)])
    assert (np.diff(flat) >= 0).all() and (flat[:, -1] > flat[:, 0]).any()


def test_with_one_candidate_flat_and_nested_are_the_same_number():
    run = honesty.flat_and_nested(seed=3, candidates=1, signal=0.5)
    assert run.flat == pytest.approx(run.nested) and run.flat_truth == pytest.approx(run.nested_truth)


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

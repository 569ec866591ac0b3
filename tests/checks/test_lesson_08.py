"""Lesson 08: right answers pass in several spellings, and each typical mistake gets its own
hint."""

import numpy as np
import pytest
from scipy.stats import bootstrap, rankdata

from hpt_lab.checks.lesson_08 import DRIFT_ASKS, check_drift, check_rank_interval, check_sprint


def drawn(
    losses,
    rng,
    *,
    draws=2000,
    rank=lambda losses: rankdata(losses, axis=0),
    ends=(0.025, 0.975),
    size=None,
):
    """The right interval, or a wrong one with a part replaced."""
    ranks = rank(losses)
    seeds = rng.integers(losses.shape[1], size=(draws, size or losses.shape[1]))
    return np.quantile(ranks[:, seeds].mean(axis=-1), ends, axis=-1)


def loop(losses, rng):
    ranks, means = rankdata(losses, axis=0).tolist(), []
    n = len(ranks[0])
    for _ in range(1500):
        seeds = [int(rng.integers(n)) for _ in range(n)]
        means.append([sum(row[seed] for seed in seeds) / n for row in ranks])
    ordered = [sorted(column) for column in zip(*means, strict=True)]
    return [column[37] for column in ordered], [column[1462] for column in ordered]


def of_scipy(losses, rng):
    ranks = rankdata(losses, axis=0)
    if np.ptp(ranks, axis=1).max() == 0:
        return ranks[:, 0], ranks[:, 0]
    found = [
        bootstrap((row,), np.mean, rng=rng, n_resamples=2000, method="percentile") for row in ranks
    ]
    return [one.confidence_interval.low for one in found], [
        one.confidence_interval.high for one in found
    ]


@pytest.mark.parametrize(
    "right", [drawn, loop, of_scipy, lambda losses, rng: np.transpose(drawn(losses, rng))]
)
def test_the_interval_passes_in_any_spelling(right):
    assert check_rank_interval(right)


def unpaired(losses, rng):
    means = []
    for _ in range(500):
        seeds = rng.integers(losses.shape[1], size=losses.shape)
        means.append(rankdata(np.take_along_axis(losses, seeds, axis=1), axis=0).mean(axis=1))
    return np.quantile(means, [0.025, 0.975], axis=0)


def mean_losses(losses, rng):
    """Ranks the strategies by their mean losses, once a draw."""
    seeds = rng.integers(losses.shape[1], size=(1000, losses.shape[1]))
    return np.quantile(rankdata(losses[:, seeds].mean(axis=-1), axis=0), [0.025, 0.975], axis=-1)


def without_replacement(losses, rng):
    ranks = rankdata(losses, axis=0)
    return np.quantile(
        [rng.permutation(ranks, axis=1).mean(axis=1) for _ in range(100)], [0.025, 0.975], axis=0
    )


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (
            lambda losses, rng: drawn(losses, rng, rank=lambda x: rankdata(-x, axis=0)),
            "rank 1 is the smallest",
        ),
        (
            lambda losses, rng: drawn(
                losses, rng, rank=lambda x: x.argsort(axis=0).argsort(axis=0) + 1.0
            ),
            "ties share",
        ),
        (
            lambda losses, rng: drawn(losses, rng, rank=lambda x: rankdata(x, axis=1)),
            "within a seed",
        ),
        (
            lambda losses, rng: np.quantile(rankdata(losses, axis=0), [0.025, 0.975], axis=1),
            "single seeds",
        ),
        (lambda losses, rng: drawn(losses, rng, ends=(0.16, 0.84)), "0.025 and 0.975"),
        (lambda losses, rng: drawn(losses, rng, ends=(0.975, 0.025)), "low first"),
        (lambda losses, rng: drawn(losses, rng, size=10), "as many drawn seeds"),
        (lambda losses, rng: drawn(losses, rng).mean(axis=1), "two arrays"),
        (unpaired, "all strategies keep the same"),
        (mean_losses, "average their ranks"),
        (without_replacement, "with replacement"),
    ],
)
def test_each_wrong_interval_gets_its_hint(wrong, hint):
    verdict = check_rank_interval(wrong)
    assert verdict.status == "wrong" and hint in verdict.hint, verdict


@pytest.mark.parametrize("nothing", [..., None, lambda losses, rng: None])
def test_stubs_are_not_answered_yet(nothing):
    assert check_rank_interval(nothing).status == "unanswered"
    assert check_sprint(..., ..., ...).status == check_drift(..., ...).status == "unanswered"


SPRINT = {
    "flaws": {"trials counted", "validation reported"},
    "times": 9.6,
    "ask": "test error at equal epochs",
}


def test_sprint_is_judged():
    assert check_sprint(**SPRINT)
    assert check_sprint(
        ["Validation  reported", "TRIALS counted"],
        np.float32(4050 / 420),
        "Test error at equal epochs",
    )
    for change, hint in (
        ({"flaws": "one seed"}, "10 seeds"),
        ({"flaws": ["unequal spaces"]}, "one space"),
        ({"flaws": ["tuned tuner"]}, "as published"),
        ({"flaws": []}, "at least one"),
        ({"flaws": ["validation reported"]}, "multiply out"),
        ({"flaws": ["trials counted"]}, "which rows"),
        ({"times": 0.104}, "other way round"),
        ({"times": 81}, "50 x 81"),
        ({"ask": "more seeds"}, "both flaws"),
    ):
        verdict = check_sprint(**SPRINT | change)
        assert verdict.status == "wrong" and hint in verdict.hint, verdict


DRIFT = {"flaws": ["one seed", "unequal spaces", "tuned tuner"], "ask": DRIFT_ASKS[-1]}


def test_drift_is_judged():
    assert check_drift(**DRIFT)
    assert check_drift(("Tuned tuner", "one seed", "unequal spaces"), DRIFT_ASKS[-1].upper())
    for change, hint in (
        ({"flaws": ["trials counted"]}, "3,000 epochs"),
        ({"flaws": ["validation reported"]}, "test errors"),
        ({"flaws": ["one seed", "tuned tuner"]}, "learning rate"),
        ({"flaws": ["one seed", "unequal spaces"]}, "before the comparison"),
        ({"flaws": ["tuned tuner", "unequal spaces"]}, "how many searches"),
        ({"ask": "a smaller p-value"}, "all three"),
    ):
        verdict = check_drift(**DRIFT | change)
        assert verdict.status == "wrong" and hint in verdict.hint, verdict
    assert "should be one of" in check_drift(["bad luck"], DRIFT_ASKS[0]).text

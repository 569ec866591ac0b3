"""Parzen estimators against scipy's densities, integration, and their own samples."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gaussian_kde, qmc, truncnorm

from hpt_lab.space import Choice, Float, Int, Space
from hpt_lab.surrogates.parzen import ParzenEstimator, bandwidths

LINE = Space(x=Float(0, 1))
MIXED = Space(
    rate=Float(1e-4, 1, log=True),
    units=Int(2, 40, log=True),
    optimizer=Choice(["adam", "sgd", "rmsprop"]),
    momentum=Float(0, 1, when={"optimizer": "sgd"}),
    layers=Int(1, 3),
)
FINITE = Space(
    layers=Int(1, 4),
    kind=Choice(["a", "b", "c"]),
    order=Int(0, 1, when={"kind": ("a", "b")}),
    rate=Choice([0.1, 0.2, 0.5], ordered=True),
)


def observations(space: Space, n: int, seed: int = 0) -> np.ndarray:
    return np.array([space.to_unit(space.sample((seed, i))) for i in range(n)]).reshape(
        n, len(space)
    )


def test_the_density_of_floats_is_a_mixture_of_scipys_truncated_normals():
    space = Space(x=Float(0, 1), y=Float(-3, 3))
    X, weights = observations(space, 7), np.array([2.0, 0.5, 1.5, 1, 1, 0.25, 0.75])
    estimator = ParzenEstimator(space, X, weights=weights)
    x = np.random.default_rng(1).random((50, 2))
    expected = np.full(50, 1 / 8)  # the prior: uniform, weight 1 of 8
    for c, h, w in zip(X, bandwidths(X, 0.05), weights, strict=True):
        expected += w / 8 * truncnorm.pdf(x, -c / h, (1 - c) / h, loc=c, scale=h).prod(axis=1)
    np.testing.assert_allclose(estimator.density(x), expected, rtol=1e-10)


def test_far_from_the_walls_and_without_prior_it_is_scipys_gaussian_kde():
    X = np.linspace(0.45, 0.55, 9)[:, None]  # so close together that every bandwidth is the floor
    x = np.linspace(0.4, 0.6, 21)
    kde = gaussian_kde(X.ravel(), bw_method=0.05 / X.std(ddof=1))
    ours = (ParzenEstimator(LINE, X, floor=0.05).density(x[:, None]) * 10 - 1) / 9
    np.testing.assert_allclose(ours, kde(x), rtol=1e-10)


@pytest.mark.parametrize("n", [0, 1, 12])
def test_the_density_integrates_to_one_over_mixed_and_conditional_spaces(n):
    estimator = ParzenEstimator(MIXED, observations(MIXED, n))
    cube = qmc.Sobol(len(MIXED), rng=0).random_base2(14)
    points = np.array([MIXED.to_unit(MIXED.from_unit(u)) for u in cube])
    assert estimator.density(points).mean() == pytest.approx(1, abs=0.02)


def test_in_a_finite_space_samples_come_as_often_as_the_density_says():
    estimator, m = ParzenEstimator(FINITE, observations(FINITE, 6)), 20_000
    drawn = [
        tuple(FINITE.from_unit(u).items()) for u in estimator.sample(np.random.default_rng(0), m)
    ]
    total = 0.0
    for config in FINITE.grid(4):
        volume = 1 / 36 / (2 if "order" in config else 1)  # how likely random search is to draw it
        p = volume * estimator.density(FINITE.to_unit(config)[None])[0]
        total += p
        assert abs(drawn.count(tuple(config.items())) - m * p) < 5 * math.sqrt(m * p)
    assert total == pytest.approx(1, abs=1e-12)


def test_samples_of_floats_follow_the_density():
    estimator = ParzenEstimator(LINE, np.array([[0.0], [0.02], [0.7]]))
    samples = estimator.sample(np.random.default_rng(0), 20_000)[:, 0]
    edges = np.linspace(0, 1, 11)
    middles = np.linspace(0.0005, 0.9995, 1000)[:, None]  # midpoint rule
    shares = estimator.density(middles).reshape(10, 100).mean(axis=1) / 10
    assert np.abs(np.histogram(samples, edges)[0] / 20_000 - shares).max() < 0.015


def test_neighbours_of_a_good_ordered_value_are_likelier_than_values_far_from_it():
    for ordered in (True, False):
        space = Space(rate=Choice([1, 2, 3, 4, 5, 6, 7, 8], ordered=ordered))
        density = ParzenEstimator(
            space, np.array([space.to_unit({"rate": rate}) for rate in (2, 3)])
        ).density(np.array([space.to_unit({"rate": rate}) for rate in (4, 8)]))
        assert (density[0] > 2 * density[1]) == ordered


def test_without_observations_everything_is_as_likely_as_in_random_search():
    estimator = ParzenEstimator(MIXED, np.empty((0, 5)))
    assert estimator.density(observations(MIXED, 20)) == pytest.approx(1)
    assert estimator.sample(np.random.default_rng(0), 4000).mean(axis=0) == pytest.approx(
        0.5, abs=0.03
    )


def test_a_dimension_seen_only_inactive_is_unknown_rather_than_guessed():
    X = np.array([MIXED.to_unit({"rate": 0.01, "units": 8, "optimizer": "adam", "layers": 2})])
    config = {"rate": 0.02, "units": 9, "optimizer": "sgd", "layers": 2}
    points = np.array([MIXED.to_unit({**config, "momentum": m}) for m in (0.0, 0.3, 1.0)])
    density = ParzenEstimator(MIXED, X).density(points)
    assert density == pytest.approx(density[0])


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12), st.floats(0.001, 0.5))
def test_a_bandwidth_is_the_distance_to_the_farther_neighbour(column, floor):
    ours = bandwidths(np.array(column)[:, None], floor)[:, 0]
    ordered = sorted(column)
    allowed = {}  # equal observations may swap their neighbours
    for i, x in enumerate(ordered):
        gaps = [abs(x - ordered[j]) for j in (i - 1, i + 1) if 0 <= j < len(ordered)]
        allowed.setdefault(x, []).append(min(max(max(gaps), floor), 1.0))
    for x, group in itertools.groupby(
        sorted(zip(column, ours, strict=True)), key=lambda pair: pair[0]
    ):
        assert sorted(h for _, h in group) == pytest.approx(sorted(allowed[x]))


def test_duplicates_never_collapse_the_density_onto_a_point():
    estimator = ParzenEstimator(LINE, np.full((40, 1), 0.3))
    assert np.isfinite(estimator.density(np.array([[0.3]]))).all()
    assert estimator.sample(np.random.default_rng(0), 500).std() > 0.04


def test_more_observations_smooth_a_choice_less():
    space = Space(kind=Choice(["a", "b", "c"]))
    other = [
        ParzenEstimator(space, np.full((n, 1), 1 / 6)).density(np.array([[0.5]]))[0]
        for n in (1, 5, 25)
    ]
    assert other == sorted(other, reverse=True)

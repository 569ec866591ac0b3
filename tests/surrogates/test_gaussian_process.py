"""The exact Gaussian process against scikit-learn's, finite differences, and itself under
stress."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from threadpoolctl import threadpool_limits

from hpt_lab import Choice, Float, Int, Space
from hpt_lab.surrogates import gaussian_process as gp
from hpt_lab.surrogates.embedding import Embedding


@pytest.fixture(autouse=True, scope="module")
def one_blas_thread():
    with threadpool_limits(1):
        yield


def data(n=30, d=3, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.random((n, d))
    y = np.sin(5 * X[:, 0]) + X[:, 1] ** 2 + 0.05 * rng.standard_normal(n)
    return X, (y - y.mean()) / y.std()


def oracle(theta, X, y):
    lengths, signal, noise = np.exp(theta[:-2]), np.exp(theta[-2]), np.exp(theta[-1])
    kernel = ConstantKernel(signal) * Matern(lengths, nu=2.5)
    return GaussianProcessRegressor(kernel, alpha=noise, optimizer=None).fit(X, y)


THETAS = st.lists(st.floats(-1.5, 1.5), min_size=4, max_size=4).flatmap(
    lambda front: st.floats(-9, 0).map(lambda noise: np.array([*front, noise]))
)


@settings(max_examples=25, deadline=None)
@given(theta=THETAS)
def test_posterior_equals_scikit_learn_to_1e_8(theta):
    X, y = data()
    Z = np.random.default_rng(1).random((40, 3))
    mean, std = gp.condition(X, y, np.arange(3), theta).posterior(Z)
    expected_mean, expected_std = oracle(theta, X, y).predict(Z, return_std=True)
    np.testing.assert_allclose(mean, expected_mean, atol=1e-8)
    np.testing.assert_allclose(std, expected_std, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(theta=THETAS)
def test_log_marginal_likelihood_and_gradient_equal_scikit_learn_to_1e_8(theta):
    X, y = data()
    value, gradient = gp.log_marginal_likelihood(theta, gp.squared_differences(X, np.arange(3)), y)
    lengths, signal, noise = np.exp(theta[:-2]), np.exp(theta[-2]), np.exp(theta[-1])
    kernel = ConstantKernel(signal) * Matern(lengths, nu=2.5) + WhiteKernel(noise)
    regressor = GaussianProcessRegressor(kernel, alpha=0, optimizer=None).fit(X, y)
    expected, by_theirs = regressor.log_marginal_likelihood(
        regressor.kernel_.theta, eval_gradient=True
    )
    np.testing.assert_allclose(value, expected, rtol=1e-8)
    signal_first = by_theirs[[1, 2, 3, 0, 4]]  # theirs: signal, lengths, noise
    np.testing.assert_allclose(gradient, signal_first, rtol=1e-7, atol=1e-7)


def test_gradients_of_likelihood_and_prior_equal_finite_differences():
    X, y = data()
    D = gp.squared_differences(X, np.arange(3))
    for theta in np.random.default_rng(2).uniform(-1.5, 1, size=(5, 5)):
        for function in (lambda t: gp.log_marginal_likelihood(t, D, y), gp.log_prior):
            numeric = approx_fprime(theta, lambda t: function(t)[0], 1e-6)  # noqa: B023
            np.testing.assert_allclose(function(theta)[1], numeric, rtol=1e-3, atol=1e-4)


def test_gradients_hold_where_features_share_a_length_scale():
    X, y = data(d=5)
    dims = np.array([0, 0, 1, 2, 2])
    D = gp.squared_differences(X, dims)
    theta = np.array([0.1, -0.4, 0.3, 0.2, -3.0])
    numeric = approx_fprime(theta, lambda t: gp.log_marginal_likelihood(t, D, y)[0], 1e-6)
    np.testing.assert_allclose(
        gp.log_marginal_likelihood(theta, D, y)[1], numeric, rtol=1e-4, atol=1e-4
    )


def test_posterior_gradients_equal_finite_differences():
    X, y = data()
    process = gp.fit(X, 7 + 3 * y)
    Z = np.random.default_rng(3).random((10, 3))
    mean, std, by_mean, by_std = process.posterior_gradient(Z)
    np.testing.assert_allclose((mean, std), process.posterior(Z), rtol=1e-9)
    for i, z in enumerate(Z):
        for gradient, part in ((by_mean, 0), (by_std, 1)):
            numeric = approx_fprime(z, lambda z: process.posterior(z[None])[part][0], 1e-6)  # noqa: B023
            np.testing.assert_allclose(gradient[i], numeric, rtol=1e-3, atol=1e-4)


def test_fit_is_a_maximum_of_likelihood_times_prior():
    X, y = data()
    process = gp.fit(X, y)
    D = gp.squared_differences(X, np.arange(3))

    def objective(theta):
        return gp.log_marginal_likelihood(theta, D, y)[0] + gp.log_prior(theta)[0]

    for direction in np.eye(5):
        for step in (-0.3, 0.3):
            assert objective(process.theta + step * direction) < objective(process.theta)


def test_fit_finds_the_dimension_that_does_not_matter_and_the_noise():
    X, _ = data(n=80)
    rng = np.random.default_rng(4)
    losses = 100 + 10 * np.sin(6 * X[:, 0]) + 5 * X[:, 1] + rng.standard_normal(80)
    process = gp.fit(X, losses)
    assert process.length_scales[2] > 2 * process.length_scales[0]
    assert np.sqrt(process.noise) * process.scale == pytest.approx(1.0, rel=0.3)


def test_posterior_is_in_units_of_the_losses():
    X, y = data()
    Z = np.random.default_rng(5).random((10, 3))
    mean, std = gp.fit(X, y).posterior(Z)
    mean_of_scaled, std_of_scaled = gp.fit(X, 1e6 + 1e3 * y).posterior(Z)
    np.testing.assert_allclose(mean_of_scaled, 1e6 + 1e3 * mean, rtol=1e-6)
    np.testing.assert_allclose(std_of_scaled, 1e3 * std, rtol=1e-3)


def test_duplicates_and_three_hundred_points_do_not_break_it():
    X, y = data(n=300)
    X[150:] = X[:150]  # every point twice, with different noise
    y[150:] = y[:150] + 0.1 * np.random.default_rng(0).standard_normal(150)
    process = gp.fit(X, y)
    mean, std = process.posterior(X)
    assert (std > 0).all()
    average = (y[:150] + y[150:]) / 2
    assert np.corrcoef(mean[:150], average)[0, 1] > 0.98


def test_identical_points_and_identical_losses_do_not_break_it():
    X = np.full((20, 2), 0.5)
    mean, std = gp.fit(X, np.full(20, 3.0)).posterior(np.random.default_rng(6).random((5, 2)))
    np.testing.assert_allclose(mean, 3.0)
    assert (std > 0).all()


def test_singular_kernel_matrix_gets_the_least_jitter_that_works():
    L = gp.safe_cholesky(np.ones((50, 50)))
    np.testing.assert_allclose(L @ L.T, np.ones((50, 50)), atol=1e-6)
    K = np.array([[2.0, 1.0], [1.0, 2.0]])
    np.testing.assert_allclose(gp.safe_cholesky(K) @ gp.safe_cholesky(K).T, K, rtol=1e-15)


def test_samples_have_the_posterior_mean_and_covariance():
    X, y = data(n=8)
    process = gp.condition(X, y, np.arange(3), np.array([-0.5, -0.5, -0.5, 0.0, -6.0]))
    Z = np.random.default_rng(7).random((6, 3))
    draws = np.array([process.sample(Z, np.random.default_rng(seed)) for seed in range(4000)])
    mean, std = process.posterior(Z)
    _, covariance = oracle(process.theta, X, y).predict(Z, return_cov=True)
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=5 * std.max() / np.sqrt(4000))
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.1 * std.max() ** 2)


def test_believing_equals_conditioning_on_all_points_at_once():
    X, y = data()
    process = gp.condition(X[:20], y[:20], np.arange(3), np.array([0.1, 0.2, 0.3, 0.0, -4.0]))
    believer = process.believing(X[20:], y[20:])
    Z = np.random.default_rng(8).random((10, 3))
    np.testing.assert_allclose(
        believer.posterior(Z), oracle(process.theta, X, y).predict(Z, return_std=True), atol=1e-8
    )


def test_believing_the_mean_keeps_the_mean_and_removes_doubt():
    X, y = data()
    process = gp.fit(X, y)
    Z = np.random.default_rng(9).random((3, 3))
    believer = process.believing(Z, process.posterior(Z)[0])
    np.testing.assert_allclose(believer.posterior(Z)[0], process.posterior(Z)[0], atol=1e-6)
    assert (believer.posterior(Z)[1] < process.posterior(Z)[1]).all()


MIXED = Space(
    optimizer=Choice(["adam", "sgd", "rmsprop"]),
    units=Int(16, 256, log=True),
    layers=Int(1, 3),
    batch=Choice([16, 32, 64], ordered=True),
    rate=Float(1e-4, 1e-1, log=True),
    momentum=Float(0.0, 0.99, when={"optimizer": ("sgd", "rmsprop")}),
    second=Int(4, 40, when={"layers": (2, 3)}),
    decay=Choice(["cosine", "step"], when={"optimizer": "sgd"}),
    steps=Int(2, 5, when={"decay": "step"}),
)


@settings(max_examples=60, deadline=None)
@given(u=st.lists(st.floats(0, 1), min_size=9, max_size=9))
def test_snapping_equals_going_through_the_config(u):
    snapped = Embedding(MIXED).snap(np.array([u]))[0]
    np.testing.assert_allclose(snapped, MIXED.to_unit(MIXED.from_unit(u)), atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(u=st.lists(st.floats(0, 1), min_size=9, max_size=9), seed=st.integers(0, 100))
def test_points_of_the_same_config_have_the_same_features(u, seed):
    embedding = Embedding(MIXED)
    other = np.where(
        np.isnan(MIXED.to_unit(MIXED.from_unit(u))), np.random.default_rng(seed).random(9), u
    )
    there_and_back = np.nan_to_num(MIXED.to_unit(MIXED.from_unit(u)), nan=0.3)
    F = embedding.features(np.array([u, other, there_and_back]))
    np.testing.assert_allclose(F[1], F[0])
    np.testing.assert_allclose(F[2], F[0], atol=1e-9)


def test_different_choices_are_one_apart_and_inactive_is_far_from_every_active_value():
    embedding = Embedding(Space(a=Choice(["x", "y", "z"]), b=Float(0, 1, when={"a": "y"})))
    F = embedding.features(
        np.array([[0.1, 0.2], [0.9, 0.7], [0.5, 0.0], [0.5, 1.0]])
    )  # x, z, y with b=0, y with b=1
    choice, conditional = F[:, embedding.dims == 0], F[:, embedding.dims == 1]
    assert ((choice[0] - choice[1]) ** 2).sum() == pytest.approx(1)
    assert ((choice[2] - choice[3]) ** 2).sum() == 0
    np.testing.assert_array_equal(conditional[0], conditional[1])
    assert (
        ((conditional[0] - conditional[2]) ** 2).sum()
        == ((conditional[0] - conditional[3]) ** 2).sum()
        >= 1
    )


def test_neighbours_differ_in_one_discrete_dimension_and_reach_every_value_of_small_ones():
    embedding = Embedding(MIXED)
    u = np.full(9, 0.5)
    rows = embedding.neighbours(u)
    assert ((rows != u).sum(axis=1) <= 1).all()
    assert {MIXED.from_unit(row)["optimizer"] for row in rows} == {"adam", "sgd", "rmsprop"}
    assert {MIXED.from_unit(row)["layers"] for row in rows} == {1, 2, 3}
    assert len(Embedding(Space(x=Float(0, 1))).neighbours(u[:1])) == 0

"""Acquisition functions against closed forms, Monte Carlo, 60-digit arithmetic and finite
differences."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.stats import norm

from hpt_lab import Choice, Float, Int, Space
from hpt_lab.surrogates import acquisition as aq
from hpt_lab.surrogates.embedding import Embedding
from hpt_lab.surrogates.gaussian_process import fit

MEAN, STD = np.array([0.0, 1.0, -2.0, 0.3]), np.array([1.0, 0.5, 3.0, 0.01])


def exact_log_h(z):
    with mpmath.workdps(60):
        z = mpmath.mpf(z)
        tail = mpmath.erfc(-z / mpmath.sqrt(2)) / 2
        return float(mpmath.log(z * tail + mpmath.npdf(z)))


def test_ei_and_pi_equal_monte_carlo():
    draws = MEAN + STD * np.random.default_rng(0).standard_normal((400_000, 4))
    for best in (0.3, -0.5):
        improvement = np.maximum(best - draws, 0)
        error = 5 * improvement.std(axis=0) / np.sqrt(len(draws)) + 1e-12
        assert (
            abs(aq.expected_improvement(MEAN, STD, best) - improvement.mean(axis=0)) < error
        ).all()
        probability = np.exp(aq.log_probability_of_improvement(MEAN, STD, best)[0])
        np.testing.assert_allclose(probability, (draws < best).mean(axis=0), atol=0.005)


def test_ei_and_pi_equal_the_closed_form():
    z = (0.3 - MEAN) / STD
    ei = (0.3 - MEAN) * norm.cdf(z) + STD * norm.pdf(z)
    np.testing.assert_allclose(aq.expected_improvement(MEAN, STD, 0.3), ei, rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(
        np.exp(aq.log_expected_improvement(MEAN, STD, 0.3)[0]), ei, rtol=1e-10
    )
    np.testing.assert_allclose(
        aq.log_probability_of_improvement(MEAN, STD, 0.3)[0], norm.logcdf(z), rtol=1e-12
    )


@given(z=st.floats(-40, 10))
def test_log_h_equals_high_precision_arithmetic(z):
    assert aq.log_h(np.array([z]))[0] == pytest.approx(exact_log_h(z), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "z", [-1 - 1e-9, -1.0, -1 + 1e-9, -50, -1e3, -9.9e3, -1.01e4, -1e5, -1e8, -1e150]
)
def test_log_h_is_accurate_at_its_seams_and_far_in_the_tail(z):
    if z > -1e4:
        expected = exact_log_h(z)
    else:
        expected = (
            -z * z / 2 - math.log(2 * math.pi) / 2 - 2 * math.log(-z) + math.log1p(-3 / z / z)
        )  # 1/z^2 - 3/z^4 + …
    assert aq.log_h(np.array([z]))[0] == pytest.approx(expected, rel=1e-12)


def test_log_h_keeps_rising_across_its_seams():
    for seam in (-1.0, aq.FAR):
        z = seam + np.linspace(-1e-3, 1e-3, 201) * abs(seam)
        assert (np.diff(aq.log_h(z)) > 0).all()


def test_log_ei_has_a_slope_where_ei_is_zero():
    mean, std = np.array([50.0]), np.array([1.0])
    assert aq.expected_improvement(mean, std, 0.0)[0] == 0
    value, by_mean, by_std = aq.log_expected_improvement(mean, std, 0.0)
    assert np.isfinite(value[0]) and by_mean[0] < -1 and by_std[0] > 1


@pytest.mark.parametrize("z", [-10.0, -1e3, -9e4, -1.1e5, -1e6])
def test_slope_of_log_ei_tends_to_the_distance_in_the_tail(z):
    _, by_mean, _ = aq.log_expected_improvement(np.array([-z]), np.array([1.0]), 0.0)
    assert by_mean[0] == pytest.approx(z, rel=3 / z**2 + 1e-3)  # cdf / h = |z| (1 + 2 / z^2 - …)


@pytest.mark.parametrize("rule", aq.RULES.values(), ids=aq.RULES)
@pytest.mark.parametrize("best", [0.3, -0.5, -8.0])
def test_derivatives_of_every_rule_equal_finite_differences(rule, best):
    for mean, std in [(0.0, 1.0), (1.0, 0.5), (-2.0, 3.0), (0.3, 0.1)]:

        def value(x):
            return rule(x[:1], x[1:], best)[0][0]

        _, by_mean, by_std = rule(np.array([mean]), np.array([std]), best)
        numeric = approx_fprime(np.array([mean, std]), value, 1e-7)
        np.testing.assert_allclose([by_mean[0], by_std[0]], numeric, rtol=1e-4, atol=1e-5)


def test_rules_keep_the_shape_of_their_points():
    for rule in aq.RULES.values():
        assert [part.shape for part in rule(MEAN, STD, 0.0)] == [
            (4,)
        ] * 3  # (m, m) is the classic broadcasting bug


def observed(space, loss, n=25, seed=0):
    U = np.random.default_rng(seed).random((n, len(space)))
    embedding = Embedding(space)
    losses = np.array([loss(space.from_unit(u)) for u in U])
    process = fit(embedding.features(U), losses, embedding.dims)
    return aq.Acquisition(process, embedding, aq.log_expected_improvement, losses.min()), U


PLAIN = Space(x=Float(0, 1), y=Float(0, 1))
MIXED = Space(
    kind=Choice(["a", "b", "c"]),
    k=Int(1, 40),
    x=Float(0, 1),
    y=Float(0, 1, when={"kind": ("a", "b")}),
)


def mixed_loss(config):
    return (
        (config["k"] / 40 - 0.6) ** 2
        + (config["x"] - 0.3) ** 2
        + {"a": 0.0, "b": 0.1, "c": 0.3}[config["kind"]]
    )


@pytest.mark.parametrize(
    "space,loss", [(PLAIN, lambda c: np.sin(7 * c["x"]) + c["y"] ** 2), (MIXED, mixed_loss)]
)
def test_relaxed_gradients_equal_finite_differences(space, loss):
    acquisition, _ = observed(space, loss)
    for u in np.random.default_rng(1).random((6, len(space))):
        _, gradient = acquisition.relaxed(u[None])
        numeric = approx_fprime(u, lambda u: acquisition.relaxed(u[None])[0][0], 1e-7)
        np.testing.assert_allclose(gradient[0], numeric, rtol=1e-3, atol=1e-3)


def test_relaxed_value_equals_the_value_at_whole_numbers():
    acquisition, U = observed(MIXED, mixed_loss)
    U = np.nan_to_num(acquisition.embedding.snap(U), nan=0.5)
    np.testing.assert_allclose(acquisition.relaxed(U)[0], acquisition(U), rtol=1e-6)


def test_climbing_ends_higher_and_at_a_summit():
    acquisition, _ = observed(PLAIN, lambda c: np.sin(7 * c["x"]) + c["y"] ** 2)
    U = np.random.default_rng(2).random((100, 2))
    starts = U[np.argsort(-acquisition(U))[:5]]
    ends = aq.climb(acquisition, starts)
    assert acquisition(ends).sum() > acquisition(starts).sum()
    summit = ends[acquisition(ends).argmax()]
    around = np.clip(summit + 0.02 * np.random.default_rng(3).standard_normal((200, 2)), 0, 1)
    assert acquisition(around).max() < acquisition(summit[None])[0] + 1e-4


@pytest.mark.parametrize(
    "space,loss", [(PLAIN, lambda c: np.sin(7 * c["x"]) + c["y"] ** 2), (MIXED, mixed_loss)]
)
def test_maximize_finds_what_ten_thousand_points_find(space, loss):
    acquisition, U = observed(space, loss)
    rng = np.random.default_rng(3)
    _, values = aq.maximize(acquisition, aq.candidates(U[:5], rng))
    brute = acquisition(rng.random((10_000, len(space)))).max()
    assert values.max() >= brute - 1e-3


def test_maximize_leaves_a_choice_that_no_candidate_leaves():
    acquisition, U = observed(MIXED, mixed_loss)
    U[:, 0] = 0.9
    found, values = aq.maximize(acquisition, U)
    assert MIXED.from_unit(found[values.argmax()])["kind"] == "a"


def test_candidates_stay_in_the_cube_and_crowd_round_the_best():
    around = np.array([[0.0, 1.0, 0.5]])
    U = aq.candidates(around, np.random.default_rng(4))
    assert U.min() >= 0 and U.max() <= 1
    distance = np.linalg.norm(U - around, axis=1)
    assert (distance < 0.05).sum() > 10 and (distance > 0.5).sum() > 100

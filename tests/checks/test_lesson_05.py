"""Lesson 05: right answers pass in two spellings, and each typical mistake gets its own hint."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from hpt_lab.checks.lesson_05 import check_fit_length, check_improvement, check_method
from hpt_lab.surrogates.gaussian_process import matern52


def stub(*_): ...


@pytest.mark.parametrize("check", [check_fit_length, check_improvement])
@pytest.mark.parametrize("nothing", [stub, ..., None])
def test_stubs_are_not_answered_yet(check, nothing):
    assert check(nothing).status == "unanswered"


def covariance(X, length, noise):
    return matern52(((X[:, None] - X) / length) ** 2) + noise * np.eye(len(X))


def fitted(fit=-0.5, cost=-0.5, noisy=1.0, pick=np.argmax, give=None):
    """Make the right answer, or a wrong one with a part replaced."""

    def fit_length(X, y, lengths, noise):
        scores = []
        for length in lengths:
            K = covariance(X, length, max(noise * noisy, 1e-6))
            scores.append(fit * y @ np.linalg.solve(K, y) + cost * np.linalg.slogdet(K)[1])
        best = int(pick(scores))
        return lengths[best] if give is None else give(best, scores)

    return fit_length


def with_scipy(X, y, lengths, noise):
    return max(
        lengths, key=lambda length: multivariate_normal.logpdf(y, cov=covariance(X, length, noise))
    )


@pytest.mark.parametrize("right", [fitted(), with_scipy])
def test_the_length_of_the_highest_likelihood_passes(right):
    assert check_fit_length(right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (fitted(pick=np.argmin), "maximised"),
        (fitted(cost=0.0), "first term"),
        (fitted(cost=0.5), "subtracted"),
        (fitted(cost=-1.0), "determinant counts half"),
        (fitted(fit=-1.0), "fit counts half"),
        (fitted(give=lambda best, scores: best + 10), "not its index"),
        (fitted(noisy=0.0), "diagonal"),
        (lambda X, y, lengths, noise: lengths[0], ""),
    ],
)
def test_wrong_lengths_get_their_hints(wrong, hint):
    verdict = check_fit_length(wrong)
    assert verdict.status == "wrong" and hint in verdict.hint


def ei(mean, std, best):
    std = np.ravel(std)
    z = (best - mean) / std
    return (best - mean) * norm.cdf(z) + std * norm.pdf(z)


def by_quadrature(mean, std, best):
    x, weights = np.polynomial.legendre.leggauss(400)
    out = []
    for m, s in zip(np.ravel(mean), np.ravel(std), strict=True):
        low = m - 10 * s
        loss = low + (best - low) * (x + 1) / 2
        out.append(
            weights @ ((best - loss) * norm.pdf(loss, m, s)) * (best - low) / 2
            if best > low
            else 0.0
        )
    return out


@pytest.mark.parametrize("right", [ei, by_quadrature])
def test_expected_improvement_passes(right):
    assert check_improvement(right)


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (
            lambda mean, std, best: ei(mean, std[:, None], best)[:, None] * np.ones(len(mean)),
            "broadcasts",
        ),
        (
            lambda mean, std, best: (
                (best - mean) * norm.cdf((best - mean) / std) + std * norm.pdf((best - mean) / std)
            ),
            "np.ravel",
        ),
        (lambda mean, std, best: ei(-mean, std, -best), "minimised"),
        (lambda mean, std, best: norm.cdf((best - mean) / std), "probability"),
        (lambda mean, std, best: np.maximum(best - mean, 0), "lower part"),
        (
            lambda mean, std, best: ei(mean, std, best) + (1 - std) * norm.pdf((best - mean) / std),
            "factor std",
        ),
        (lambda mean, std, best: ei(mean, std, best).sum(), "one number a point"),
        (lambda mean, std, best: ei(mean, std, best) + 1, "cdf(z)"),
    ],
)
def test_wrong_improvements_get_their_hints(wrong, hint):
    verdict = check_improvement(wrong)
    assert verdict.status == "wrong" and hint in verdict.hint


def test_the_method_follows_from_trials_and_workers():
    assert check_method("Gaussian process", "tpe", "Random  Search")
    assert "30 trials" in check_method("TPE", "TPE", "random search").hint
    assert "n³" in check_method("Gaussian process", "Gaussian process", "random search").hint
    assert "before the first result" in check_method("Gaussian process", "TPE", "TPE").hint
    assert check_method("Gaussian process", "TPE", "guess").status == "wrong"

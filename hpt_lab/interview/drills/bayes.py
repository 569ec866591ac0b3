"""Drills of Bayesian optimization: expected improvement, a Gaussian process's posterior."""

from __future__ import annotations

import math

import numpy as np

from hpt_lab.interview.drills.core import drill


def expected_improvement(mean, sd, best):
    gain = best - mean
    if sd == 0:
        return max(gain, 0.0)
    z = gain / sd
    below = (1 + math.erf(z / math.sqrt(2))) / 2
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return gain * below + sd * density


def _maximising(mean, sd, best):
    return expected_improvement(-mean, sd, -best)


def _probability(mean, sd, best):
    return (1 + math.erf((best - mean) / (sd or 1e-12) / math.sqrt(2))) / 2


def _no_spread(mean, sd, best):
    return (best - mean) * _probability(mean, sd, best)


def _density_unscaled(mean, sd, best):
    z = (best - mean) / sd
    return _no_spread(mean, sd, best) + math.exp(-z * z / 2) / math.sqrt(2 * math.pi)


def _certain_is_nothing(mean, sd, best):
    return expected_improvement(mean, sd, best) if sd else 0.0


def _certain_loss(mean, sd, best):
    return expected_improvement(mean, sd, best) if sd else best - mean


drill(
    expected_improvement,
    title="Expected improvement",
    lesson="05",
    statement="""
The model says that a config's loss is normal with this mean and standard deviation; `best` is the
smallest loss so far. Return the expected improvement E[max(best - loss, 0)]. With sd = 0 the loss
is known to be the mean. (`math.erf` gives the normal distribution function.)""",
    cases=lambda: [
        (0.3, 0.2, 0.25),
        (1.0, 0.5, 2.0),
        (0.0, 3.0, 0.0),
        (0.4, 0.0, 0.5),
        (0.6, 0.0, 0.5),
        (5.0, 0.1, 1.0),
        (-2.0, 0.7, -1.5),
    ],
    mistakes={
        _maximising: "losses are minimised: the gain is best - mean",
        _probability: "that is the probability of improvement; weigh it by how much is gained",
        _no_spread: "the second term is missing: sd times the normal density at z",
        _density_unscaled: "the density is multiplied by sd",
        _certain_is_nothing: "sd = 0 and a mean below best: best - mean is gained for certain",
        _certain_loss: "an improvement is never negative, even with sd = 0",
    },
)


def gp_posterior(x, y, new, length, noise):
    def kernel(a, b):
        distance = np.subtract.outer(a, b) / length
        return np.exp(-(distance**2) / 2)

    x = np.asarray(x, float)
    new = np.asarray(new, float)
    covariance = kernel(x, x) + noise * np.eye(len(x))
    weights = np.linalg.solve(covariance, kernel(x, new)).T
    mean = weights @ np.asarray(y, float)
    variance = 1 - np.sum(weights * kernel(new, x), axis=1)
    return mean, np.sqrt(variance)


def _gp(x, y, new, length, noise, half=2.0, prior=1.0):
    kernel = lambda a, b: np.exp(-(np.subtract.outer(a, b) ** 2) / (half * length**2))  # noqa: E731
    covariance = kernel(x, x) + noise * np.eye(len(x))
    weights = np.linalg.solve(covariance, kernel(x, new)).T
    return weights @ np.asarray(y, float), prior - np.sum(weights * kernel(new, x), axis=1)


def _variance(x, y, new, length, noise):
    return _gp(x, y, new, length, noise)


def _noise_forgotten(x, y, new, length, noise):
    mean, variance = _gp(x, y, new, length, 0.0)
    return mean, np.sqrt(np.maximum(variance, 0))


def _noise_squared(x, y, new, length, noise):
    mean, variance = _gp(x, y, new, length, noise**2)
    return mean, np.sqrt(np.maximum(variance, 0))


def _no_half(x, y, new, length, noise):
    mean, variance = _gp(x, y, new, length, noise, half=1.0)
    return mean, np.sqrt(np.maximum(variance, 0))


def _noisy_prediction(x, y, new, length, noise):
    mean, variance = _gp(x, y, new, length, noise, prior=1.0 + noise)
    return mean, np.sqrt(np.maximum(variance, 0))


drill(
    gp_posterior,
    title="A Gaussian process's posterior",
    lesson="05",
    statement="""
Given noisy values y (variance `noise`, added to the kernel matrix's diagonal) at the numbers x,
return (means, standard deviations), two arrays, of the function itself at the numbers `new`.
Prior mean 0; kernel exp(-(a - b)**2 / (2 length**2)). Without data the answer is the prior.""",
    cases=lambda: [
        ([0.0, 1.0, 2.5], [1.0, -0.5, 0.3], [0.5, 2.0, 4.0, 0.0], 0.8, 0.1),
        ([1.0], [2.0], [1.0], 2.0, 0.5),
        ([], [], [0.0, 3.0], 1.0, 0.1),
        ([0.0, 0.0], [1.0, 2.0], [0.0, 1.0], 1.0, 0.2),
    ],
    mistakes={
        _variance: "return standard deviations, the square roots of the variances",
        _noise_forgotten: "add the noise to the diagonal of the kernel matrix",
        _noise_squared: "`noise` is a variance already: don't square it",
        _no_half: "the kernel has a 2 under its distance: exp(-d**2 / (2 length**2))",
        _noisy_prediction: "asked is the function itself, not a noisy measurement of it",
    },
)

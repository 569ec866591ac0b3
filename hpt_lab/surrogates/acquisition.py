"""Acquisition functions: how much is a point worth trying, given the mean and deviation of its
loss?

Every rule takes the posterior's `mean` (m,) and `std` (m,) and the loss to beat, and returns the
value to maximise with its two partial derivatives, (m,) each. Losses are minimised, so an
improvement is `best - loss`.

Sources: expected improvement, Jones, Schonlau & Welch 1998, eq. 15; its logarithm, Ament et al.,
    NeurIPS 2023, eq. 9;
probability of improvement, Kushner 1964; confidence bound, Srinivas et al., ICML 2010.
Read `expected_improvement` and `log_expected_improvement` first, then `maximize`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy  # its parts load when first used

from hpt_lab.space import sobol
from hpt_lab.surrogates.embedding import Embedding
from hpt_lab.surrogates.gaussian_process import GaussianProcess

LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)
FAR = -1e5  # beyond it cancellation would eat what the asymptote leaves out
Rule = Callable[[np.ndarray, np.ndarray, float], tuple[np.ndarray, np.ndarray, np.ndarray]]


def expected_improvement(mean: np.ndarray, std: np.ndarray, best: float) -> np.ndarray:
    """Return E[max(best - loss, 0)], (m,), as in the textbook; it underflows to 0 a few deviations
    above `best`."""
    z = (best - mean) / std
    return std * (z * scipy.special.ndtr(z) + np.exp(-0.5 * z * z - LOG_SQRT_2PI))


def log_h(z: np.ndarray) -> np.ndarray:
    """Return log(z * cdf(z) + pdf(z)) of the standard normal, accurate for every finite z (Ament et
    al., eq. 9)."""
    out = np.empty(z.shape)
    near, far = z > -1, z < FAR
    out[near] = np.log(
        z[near] * scipy.special.ndtr(z[near]) + np.exp(-0.5 * z[near] ** 2 - LOG_SQRT_2PI)
    )
    out[far] = (
        -0.5 * z[far] ** 2 - LOG_SQRT_2PI - 2 * np.log(-z[far])
    )  # 1 - |z| * cdf / pdf tends to 1 / z^2
    middle = ~near & ~far
    z = z[middle]
    out[middle] = (
        -0.5 * z**2
        - LOG_SQRT_2PI
        + np.log1p(z * scipy.special.erfcx(-z / np.sqrt(2)) * np.sqrt(np.pi / 2))
    )
    return out


def log_expected_improvement(
    mean: np.ndarray, std: np.ndarray, best: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the logarithm of `expected_improvement`: same maximiser, but it has a slope
    everywhere."""
    z = (best - mean) / std
    h = log_h(z)
    return (
        h + np.log(std),
        -np.exp(scipy.special.log_ndtr(z) - h) / std,
        np.exp(-0.5 * z * z - LOG_SQRT_2PI - h) / std,
    )


def log_probability_of_improvement(
    mean: np.ndarray, std: np.ndarray, best: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log P(loss < best)."""
    z = (best - mean) / std
    slope = np.exp(-0.5 * z * z - LOG_SQRT_2PI - scipy.special.log_ndtr(z))  # pdf / cdf
    return scipy.special.log_ndtr(z), -slope / std, -slope * z / std


def confidence_bound(
    mean: np.ndarray, std: np.ndarray, best: float, beta: float = 2.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return beta * std - mean: minus the loss that is still plausible ("UCB", as everybody says,
    of -loss)."""
    return beta * std - mean, np.full_like(mean, -1.0), np.full_like(std, beta)


def lowest_mean(
    mean: np.ndarray, std: np.ndarray, best: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return -mean. Of a process that believes one draw of itself, this is Thompson sampling (see
    `drawn`)."""
    return -mean, np.full_like(mean, -1.0), np.zeros_like(std)


RULES: dict[str, Rule] = {
    "ei": log_expected_improvement,
    "pi": log_probability_of_improvement,
    "ucb": confidence_bound,
    "thompson": lowest_mean,
}


@dataclass(frozen=True)
class Acquisition:
    """A rule applied to a process: its values, and their gradients, at points of the unit cube."""

    process: GaussianProcess
    embedding: Embedding
    rule: Rule
    best: float

    def __call__(self, U: np.ndarray) -> np.ndarray:
        """Return the values at the configs at `U`, (m, d) -> (m,)."""
        return self.rule(*self.process.posterior(self.embedding.features(U)), self.best)[0]

    def relaxed(self, U: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return values (m,) and gradients (m, d) at `U`, with an Int treated as if it were a
        Float."""
        mean, std, mean_by_z, std_by_z = self.process.posterior_gradient(
            self.embedding.features(U, relaxed=True)
        )
        value, by_mean, by_std = self.rule(mean, std, self.best)
        by_z = by_mean[:, None] * mean_by_z + by_std[:, None] * std_by_z  # (m, p)
        return value, self.embedding.pull_back(U, by_z)


def candidates(around: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return points of the unit cube to choose from, (m, d): spread evenly, and near the rows of
    `around`, (k, d)."""
    spread = sobol(around.shape[1], 512, rng)
    centers = np.repeat(around, 128 // len(around) + 1, axis=0)
    distance = 10 ** rng.uniform(
        -3, -0.5, size=(len(centers), 1)
    )  # all scales: the basin's floor and its rim
    moved = (
        rng.random(centers.shape) < 0.5
    )  # not all coordinates at once, or no choice would ever stay as it is
    return np.vstack(
        [spread, np.clip(centers + moved * distance * rng.standard_normal(centers.shape), 0, 1)]
    )


def climb(acquisition: Acquisition, starts: np.ndarray) -> np.ndarray:
    """Move all `starts`, (s, d), uphill at once: L-BFGS-B on the sum of their values, of which each
    feels its own."""

    def negative(flat: np.ndarray) -> tuple[float, np.ndarray]:
        values, gradients = acquisition.relaxed(flat.reshape(starts.shape))
        return -values.sum(), -gradients.ravel()

    result = scipy.optimize.minimize(
        negative,
        starts.ravel(),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, 1)] * starts.size,
        options={"maxiter": 40, "ftol": 1e-7},
    )
    return result.x.reshape(starts.shape)


def maximize(
    acquisition: Acquisition, U: np.ndarray, starts: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """Return `U`, (m, d), and better points found from its best ones, with their values: (m', d),
    (m',), m' >= m.

    Alternates `climb` over the numbers with trying every other value of each discrete dimension in
    turn.
    """
    values = acquisition(U)
    for _ in range(1 if acquisition.embedding.plain else 2):
        tops = climb(acquisition, U[np.argsort(-values, kind="stable")[:starts]])
        found = np.vstack([tops, *map(acquisition.embedding.neighbours, tops)])
        U, values = np.vstack([U, found]), np.concatenate([values, acquisition(found)])
    return U, values

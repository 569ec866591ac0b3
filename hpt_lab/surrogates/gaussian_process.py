"""An exact Gaussian process with a Matérn-5/2 kernel, in NumPy.

Source: Rasmussen & Williams, "Gaussian Processes for Machine Learning" (2006), algorithm 2.1 for
    the posterior,
eq. 5.8 and 5.9 for the marginal likelihood and its gradient. Read `GaussianProcess.posterior`
first, then `log_marginal_likelihood`, then `fit`, which chooses the hyperparameters.

    symbol   shape           meaning
    n                        points observed
    m                        points asked about
    p                        features of a point (`embedding.py` makes them from a config)
    d                        length scales; d = p unless several features belong to one dimension (a
                             one-hot choice)
    dims     (p,)            the length scale that each feature uses, 0 … d-1
    X        (n, p)          observed points
    y        (n,)            their losses; standardised to mean 0, deviation 1 before anything else
    Z        (m, p)          points asked about
    theta    (d + 2,)        logarithms of the d length scales, the signal variance, the noise
             variance
    K        (n, n)          signal * matern52(r2) + noise * I
    L        (n, n)          lower Cholesky factor, K = L @ L.T
    alpha    (n,)            inv(K) @ y
    k        (m, n)          covariances between Z and X
    r2       (n, n), (m, n)  squared distances, each feature divided by its length scale
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy  # its parts load when first used

SQRT5 = np.sqrt(5.0)
LOG_2PI = np.log(2 * np.pi)

# Priors: normal on theta, (mean, deviation), for y with deviation 1 and X in the unit cube.
LENGTH_PRIOR = (-0.5, 1.0)
SIGNAL_PRIOR = (0.0, 1.0)
NOISE_PRIOR = (-9.0, 2.0)
LENGTH_BOUNDS = (-4.0, 4.0)
SIGNAL_BOUNDS = (-4.0, 6.0)
NOISE_BOUNDS = (np.log(1e-6), 1.0)


def matern52(r2: np.ndarray) -> np.ndarray:
    """Return the Matérn-5/2 correlation for squared scaled distances `r2`, same shape (ibid., eq.
    4.17)."""
    r = SQRT5 * np.sqrt(r2)
    return (1 + r + r * r / 3) * np.exp(-r)


def matern52_slope(r2: np.ndarray) -> np.ndarray:
    """Return d matern52 / d r2, same shape. Smooth at 0, where the derivative by r itself is 0/0 in
    disguise."""
    r = SQRT5 * np.sqrt(r2)
    return -5 / 6 * (1 + r) * np.exp(-r)


def squared_differences(X: np.ndarray, dims: np.ndarray) -> np.ndarray:
    """Return D, (d, n, n): squared differences between the rows of `X`, summed over the features of
    a dimension."""
    D = np.zeros((dims.max() + 1, len(X), len(X)))
    for feature, j in zip(X.T, dims, strict=True):
        D[j] += (feature[:, None] - feature) ** 2
    return D


def safe_cholesky(K: np.ndarray) -> np.ndarray:
    """Return L with K = L @ L.T, (n, n); adds the least jitter, from 1e-10 up, that makes `K`
    positive definite."""
    jitter = 0.0
    while True:
        try:
            return scipy.linalg.cholesky(
                K + jitter * np.mean(np.diag(K)) * np.eye(len(K)), lower=True, check_finite=False
            )
        except np.linalg.LinAlgError:
            jitter = max(10 * jitter, 1e-10)
            if jitter > 1:
                raise


def log_marginal_likelihood(
    theta: np.ndarray, D: np.ndarray, y: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return log p(y | X, theta) and its gradient, (d + 2,). `D`: (d, n, n) from
    `squared_differences`."""
    d, n = len(D), len(y)
    lengths, signal, noise = np.exp(theta[:d]), np.exp(theta[d]), np.exp(theta[d + 1])
    D = D.reshape(d, n * n)
    r2 = (lengths**-2.0 @ D).reshape(n, n)
    C = matern52(r2)  # (n, n)
    L = safe_cholesky(signal * C + noise * np.eye(n))
    alpha = scipy.linalg.cho_solve((L, True), y, check_finite=False)
    value = -0.5 * y @ alpha - np.log(np.diag(L)).sum() - 0.5 * n * LOG_2PI
    inverse = np.tril(scipy.linalg.lapack.dpotri(L, lower=1)[0])  # (n, n), the lower half of inv(K)
    W = (
        np.outer(alpha, alpha) - inverse - np.tril(inverse, -1).T
    )  # eq. 5.9: gradient = trace(W @ dK) / 2
    by_r2 = W * matern52_slope(r2) * signal
    return value, np.concatenate(
        [
            -(D @ by_r2.ravel()) / lengths**2,  # d r2 / d log(length) = -2 D / length^2
            [0.5 * signal * np.vdot(W, C), 0.5 * noise * np.trace(W)],
        ]
    )


def log_prior(
    theta: np.ndarray, noise_prior: tuple[float, float] = NOISE_PRIOR
) -> tuple[float, np.ndarray]:
    """Return the log density of the priors on `theta`, up to a constant, and its gradient, (d +
    2,)."""
    mean, deviation = np.transpose([LENGTH_PRIOR] * (len(theta) - 2) + [SIGNAL_PRIOR, noise_prior])
    z = (theta - mean) / deviation
    return -0.5 * z @ z, -z / deviation


@dataclass(frozen=True)
class GaussianProcess:
    """What a Gaussian process with known hyperparameters has learned from X and y. Made by
    `condition` or `fit`."""

    X: np.ndarray  # (n, p)
    y: np.ndarray  # (n,), standardised
    dims: np.ndarray  # (p,)
    theta: np.ndarray  # (d + 2,)
    center: float  # loss = center + scale * y
    scale: float
    L: np.ndarray  # (n, n)
    alpha: np.ndarray  # (n,)

    @property
    def length_scales(self) -> np.ndarray:
        """One per dimension, (d,), in the units of the features."""
        return np.exp(self.theta[:-2])

    @property
    def signal(self) -> float:
        """Variance of the function, in units of scale squared."""
        return float(np.exp(self.theta[-2]))

    @property
    def noise(self) -> float:
        """Variance of the noise on each observation, in units of scale squared."""
        return float(np.exp(self.theta[-1]))

    def squared_distances(self, A: np.ndarray, B: np.ndarray) -> np.ndarray:
        """Return r2, (len(A), len(B))."""
        lengths = self.length_scales[self.dims]
        return scipy.spatial.distance.cdist(A / lengths, B / lengths, "sqeuclidean")

    def posterior(self, Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and deviation of the noise-free loss at `Z`, both (m,)."""
        k = self.signal * matern52(self.squared_distances(Z, self.X))  # (m, n)
        V = scipy.linalg.solve_triangular(self.L, k.T, lower=True, check_finite=False)  # (n, m)
        variance = np.maximum(self.signal - np.einsum("nm,nm->m", V, V), 1e-12 * self.signal)
        return self.center + self.scale * (k @ self.alpha), self.scale * np.sqrt(variance)

    def posterior_gradient(
        self, Z: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return mean (m,), deviation (m,), and the gradients of both by the features of `Z`, (m,
        p) each."""
        r2 = self.squared_distances(Z, self.X)
        k = self.signal * matern52(r2)  # (m, n)
        B = scipy.linalg.cho_solve(
            (self.L, True), k.T, check_finite=False
        ).T  # (m, n), rows inv(K) @ k
        variance = np.maximum(self.signal - np.einsum("mn,mn->m", k, B), 1e-12 * self.signal)
        deviation = np.sqrt(variance)
        slope = 2 * self.signal * matern52_slope(r2)  # d k / d z = slope * (z - x) / length^2
        lengths = self.length_scales[self.dims]

        def chain(
            weights: np.ndarray,
        ) -> np.ndarray:  # (m, n) -> (m, p): sum over n of weights * (z - x) / length^2
            return (Z * weights.sum(axis=1, keepdims=True) - weights @ self.X) / lengths**2

        return (
            self.center + self.scale * (k @ self.alpha),
            self.scale * deviation,
            self.scale * chain(slope * self.alpha),
            self.scale * chain(-slope * B) / deviation[:, None],
        )

    def sample(self, Z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw the noise-free loss at all of `Z` jointly from the posterior, (m,)."""
        k = self.signal * matern52(self.squared_distances(Z, self.X))
        V = scipy.linalg.solve_triangular(self.L, k.T, lower=True, check_finite=False)
        covariance = self.signal * matern52(self.squared_distances(Z, Z)) - V.T @ V  # (m, m)
        y = k @ self.alpha + safe_cholesky(covariance) @ rng.standard_normal(len(Z))
        return self.center + self.scale * y

    def believing(self, Z: np.ndarray, losses: np.ndarray) -> GaussianProcess:
        """Return this process with `losses` (m,) observed at `Z` as well; hyperparameters and scale
        unchanged."""
        y = np.concatenate([self.y, (losses - self.center) / self.scale])
        return condition(np.vstack([self.X, Z]), y, self.dims, self.theta, self.center, self.scale)

    def imagining(self, Z: np.ndarray, rng: np.random.Generator) -> GaussianProcess:
        """Return this process with one draw of itself at `Z`, (m, p), believed: its mean is that
        function, continued."""
        return self.believing(Z, self.sample(Z, rng))


def condition(
    X: np.ndarray,
    y: np.ndarray,
    dims: np.ndarray,
    theta: np.ndarray,
    center: float = 0.0,
    scale: float = 1.0,
) -> GaussianProcess:
    """Return the posterior given `theta`, with `y` taken as standardised already."""
    process = GaussianProcess(X, y, dims, theta, center, scale, np.empty((0, 0)), np.empty(0))
    K = process.signal * matern52(process.squared_distances(X, X)) + process.noise * np.eye(len(X))
    L = safe_cholesky(K)
    return replace(process, L=L, alpha=scipy.linalg.cho_solve((L, True), y, check_finite=False))


def fit(
    X: np.ndarray,
    losses: np.ndarray,
    dims: np.ndarray | None = None,
    *,
    noise_prior: tuple[float, float] = NOISE_PRIOR,
) -> GaussianProcess:
    """Return the process whose `theta` maximises marginal likelihood times priors (MAP, by
    L-BFGS-B)."""
    dims = np.arange(X.shape[1]) if dims is None else dims
    center, scale = losses.mean(), losses.std() or 1.0
    y = (losses - center) / scale
    D = squared_differences(X, dims)

    def negative(theta: np.ndarray) -> tuple[float, np.ndarray]:
        likelihood, by_likelihood = log_marginal_likelihood(theta, D, y)
        prior, by_prior = log_prior(theta, noise_prior)
        return -likelihood - prior, -by_likelihood - by_prior

    start = np.array([LENGTH_PRIOR[0]] * len(D) + [SIGNAL_PRIOR[0], noise_prior[0]])
    bounds = [LENGTH_BOUNDS] * len(D) + [SIGNAL_BOUNDS, NOISE_BOUNDS]
    best = scipy.optimize.minimize(
        negative,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"ftol": 1e-6, "maxiter": 100},
    )
    return condition(X, y, dims, best.x, center, scale)

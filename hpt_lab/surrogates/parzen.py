"""Parzen estimator: a density built by putting a small bump, a kernel, on every observation.

The density that TPE compares (Bergstra, Bardenet, Bengio & Kégl, "Algorithms for hyper-parameter
optimization", NeurIPS 2011, section 4), in its multivariate form (Falkner, Klein & Hutter, "BOHB",
ICML 2018, section 3.2), with the choices that Watanabe, "Tree-structured Parzen estimator:
understanding its algorithm components" (2023), found to
matter: a prior kernel, and bandwidths with a floor. Read `ParzenEstimator.density` first.

    n    observations                       X: (n, d)  in the unit cube, NaN where a dimension is
         inactive
    d    dimensions of the space            c: (K, d)  kernel centres: X, and one row of NaN, the
         prior
    K    kernels, n + 1                     h: (K, d)  bandwidths
    m    points to score or to draw         w: (K,)    weights, summing to 1

A kernel is a product over dimensions: a normal cut off at the cube's walls for a Float, the same
normal's mass in the value's own slice of the cube for an Int or an ordered Choice, one probability
per value for any other. A centre of NaN knows nothing about that dimension: its kernel is uniform,
1. So every density is relative to random search, whose own is 1.
"""

from __future__ import annotations

from typing import TypeGuard

import numpy as np
import scipy

from hpt_lab.space import Choice, Domain, Int, Space


class ParzenEstimator:
    """Fit a density over `space` to the observations X: (n, d), n >= 0.

    weights: (n,), of mean 1, or None for equal ones; the prior kernel has weight 1 beside them.
    floor: the smallest bandwidth, as a share of a dimension's range.
    """

    def __init__(
        self, space: Space, X: np.ndarray, *, weights: np.ndarray | None = None, floor: float = 0.05
    ):
        X = np.asarray(X, dtype=float).reshape(-1, len(space))
        self.domains = list(space.domains.values())
        self.c = np.vstack([X, np.full(len(space), np.nan)])  # (K, d)
        self.h = bandwidths(self.c, floor)  # (K, d)
        self.w = np.append(np.ones(len(X)) if weights is None else weights, 1.0)  # (K,)
        self.w /= self.w.sum()

    def density(self, points: np.ndarray) -> np.ndarray:
        """Return the density at the points (m, d), each one a config's own (`Space.to_unit`), as
        (m,)."""
        product = np.ones((len(points), len(self.c)))  # (m, K)
        for j, domain in enumerate(self.domains):
            product *= kernel(domain, points[:, j, None], self.c[:, j], self.h[:, j])
        return product @ self.w

    def sample(self, rng: np.random.Generator, m: int) -> np.ndarray:
        """Draw m points of the unit cube, (m, d). Not yet snapped to values: `Space.from_unit` does
        that."""
        k = rng.choice(len(self.w), m, p=self.w)  # each point picks one kernel
        u = rng.random((m, len(self.domains)))
        for j, domain in enumerate(self.domains):
            u[:, j] = inverse(domain, u[:, j], self.c[k, j], self.h[k, j], len(self.c))
        return u


def bandwidths(centres: np.ndarray, floor: float) -> np.ndarray:
    """Give each kernel, per dimension, the distance to the farther of its two neighbours, within
    [floor, 1].

    The bandwidth of Bergstra et al.: wide where observations are sparse, narrow where they crowd.
    The outermost ones have one neighbour; one alone gets 1. The floor keeps a crowd from collapsing
    onto a point (Watanabe, section 3.3).
    """
    order = np.argsort(centres, axis=0)  # NaN last
    gaps = np.diff(
        np.take_along_axis(centres, order, axis=0), axis=0, prepend=np.nan, append=np.nan
    )  # (K + 1, d)
    h = np.empty_like(centres)
    np.put_along_axis(h, order, np.fmax(gaps[:-1], gaps[1:]), axis=0)
    return np.clip(np.nan_to_num(h, nan=1.0), floor, 1.0)


def kernel(domain: Domain, x: np.ndarray, c: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return the density at x: (m, 1) of the kernels centred at c: (K,) with bandwidths h: (K,), as
    (m, K)."""
    if unordered(domain):
        other, own = spill(domain, len(c))
        density = np.where(np.abs(x - c) < 0.5 / domain.size, own, other) * domain.size
    elif isinstance(domain, Int | Choice):
        low, high = slices(domain, x)
        density = (
            (scipy.special.ndtr((high - c) / h) - scipy.special.ndtr((low - c) / h))
            / (high - low)
            / mass(c, h)
        )
    else:
        density = np.exp(-0.5 * ((x - c) / h) ** 2) / (np.sqrt(2 * np.pi) * h * mass(c, h))
    return np.where(np.isnan(x) | np.isnan(c), 1.0, density)


def inverse(
    domain: Domain, u: np.ndarray, c: np.ndarray, h: np.ndarray, kernels: int
) -> np.ndarray:
    """Map uniform numbers u: (m,) to draws from the kernels at c: (m,) with bandwidths h: (m,), as
    (m,)."""
    if unordered(domain):
        other, _ = spill(domain, kernels)
        move = u / other  # u < other * size: a value in proportion; the rest stays where it is
        drawn = np.where(move < domain.size, move / domain.size, c)
    else:
        below = scipy.special.ndtr(-c / h)
        drawn = np.clip(c + h * scipy.special.ndtri(below + u * mass(c, h)), 0.0, 1.0)
    return np.where(np.isnan(c), u, drawn)


def unordered(domain: Domain) -> TypeGuard[Choice]:
    return isinstance(domain, Choice) and not domain.ordered


def slices(domain: Int | Choice, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends of the slice of the unit interval that the value at x: (m, 1) owns, (m, 1)
    each."""
    if isinstance(domain, Choice):
        return x - 0.5 / domain.size, x + 0.5 / domain.size
    values = [None if np.isnan(u) else domain.from_unit(u) for u in x[:, 0]]
    edges = np.array([domain.slice_of(v) if v is not None else (0.0, 1.0) for v in values])
    return edges[:, :1], edges[:, 1:]


def mass(c: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Return how much of the normal with mean c and deviation h lies inside [0, 1]."""
    return scipy.special.ndtr((1 - c) / h) - scipy.special.ndtr(-c / h)


def spill(domain: Choice, kernels: int) -> tuple[float, float]:
    """Return the probability of each other value, and of a kernel's own, in an estimator of so many
    kernels.

    As if every value had been seen once more, a sighting shared by all kernels: the more is known,
    the less is smoothed.
    """
    other = 1 / (kernels + domain.size)
    return other, 1 - (domain.size - 1) * other

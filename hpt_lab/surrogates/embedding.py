"""From points of the unit cube to the features that a Gaussian process measures distances in.

    Float             1 feature: its coordinate in the unit cube
    Int,              1 feature: its coordinate, rounded to the middle of its value's slice, so that
                      the kernel is
    ordered Choice    constant wherever the objective is (Garrido-Merchán & Hernández-Lobato,
                      Neurocomputing 2020)
    Choice            one-hot, scaled so that two different values are at squared distance 1
    when=...          where inactive, 0.5 (a choice: all zero); and one more feature that says
                      whether it is active, so
                      that an inactive point is nearly as far from every active one, and at distance
                      0 from other inactive ones (the idea of Hutter & Osborne, "A kernel for
                      hierarchical parameter spaces", 2013)

All features of one dimension share its length scale. Read `Embedding.features` first.
"""

from __future__ import annotations

import numpy as np

from hpt_lab.domains import as_tuple
from hpt_lab.space import Choice, Domain, Float, Int, Space


class Embedding:
    """Maps U, (m, d), anywhere in the unit cube, to features, (m, p). `dims` (p,) names each
    feature's dimension."""

    def __init__(self, space: Space):
        self.space = space
        self.domains = list(space.domains.values())
        widths = [
            (domain.size if _one_hot(domain) else 1) + (domain.when is not None)
            for domain in self.domains
        ]
        self.dims = np.repeat(np.arange(len(widths)), np.array(widths, dtype=int))  # (p,)
        self.starts = np.searchsorted(
            self.dims, np.arange(len(widths))
        )  # (d,), each dimension's first feature
        self.plain = all(
            isinstance(domain, Float) and domain.when is None for domain in self.domains
        )
        self.movable = np.array([not _one_hot(domain) for domain in self.domains])  # (d,)

    def snap(self, U: np.ndarray) -> np.ndarray:
        """Return what `space.to_unit(space.from_unit(u))` gives for each row: rounded, NaN where
        inactive, (m, d)."""
        if self.plain:
            return U
        U = U.astype(float)  # a copy
        for j, domain in enumerate(self.domains):
            U[:, j] = _round(domain, U[:, j])
            for parent, wanted in (domain.when or {}).items():
                allowed = [self.space[parent].to_unit(value) for value in as_tuple(wanted)]
                of_parent = U[
                    :, list(self.space).index(parent), None
                ]  # (m, 1), NaN where inactive itself
                U[~np.isclose(of_parent, allowed, rtol=0, atol=1e-12).any(axis=1), j] = np.nan
        return U

    def features(self, U: np.ndarray, relaxed: bool = False) -> np.ndarray:
        """Return the features of the configs at `U`, (m, p). Relaxed: what is rounded keeps its own
        coordinate."""
        if self.plain:
            return U
        snapped = self.snap(U)  # (m, d)
        F = np.zeros((len(U), len(self.dims)))
        for j, domain in enumerate(self.domains):
            start, width, active = self.starts[j], 1, ~np.isnan(snapped[:, j])
            if _one_hot(domain):
                width = int(domain.size)
                value = (snapped[active, j] * width).astype(int)
                F[np.flatnonzero(active), start + value] = np.sqrt(0.5)
            else:
                F[:, start] = np.where(active, U[:, j] if relaxed else snapped[:, j], 0.5)
            if domain.when is not None:
                F[:, start + width] = active
        return F

    def pull_back(self, U: np.ndarray, by_features: np.ndarray) -> np.ndarray:
        """Turn gradients by relaxed features, (m, p), into ones by `U`, (m, d): 0 where there is
        nothing to move."""
        if self.plain:
            return by_features
        return np.where(self.movable & ~np.isnan(self.snap(U)), by_features[:, self.starts], 0.0)

    def neighbours(self, u: np.ndarray, most: int = 20) -> np.ndarray:
        """List the points that differ from `u` (d,) in one discrete dimension: the `most` nearest
        values of an Int."""
        rows = []
        for j, domain in enumerate(self.domains):
            if isinstance(domain, Choice):
                values = [domain.to_unit(value) for value in domain.values]
            elif isinstance(domain, Int):
                low = max(domain.low, min(domain.from_unit(u[j]) - most // 2, domain.high - most))
                values = [
                    domain.to_unit(value) for value in range(low, min(low + most, domain.high) + 1)
                ]
            else:
                values = []
            rows += [np.concatenate([u[:j], [value], u[j + 1 :]]) for value in values]
        return np.array(rows).reshape(-1, len(u))


def _one_hot(domain: Domain) -> bool:
    return isinstance(domain, Choice) and not domain.ordered


def _round(domain: Domain, u: np.ndarray) -> np.ndarray:
    """Return `to_unit(from_unit(u))`, (m,); of a Float only up to the digits that its values
    keep."""
    if isinstance(domain, Float):
        return u
    if isinstance(domain, Choice):
        return (np.minimum(np.floor(u * domain.size), domain.size - 1) + 0.5) / domain.size
    low, high = domain.low - 0.5, domain.high + 0.5
    if domain.log:
        low, high = np.log(low), np.log(high)
    value = low + u * (high - low)
    value = np.clip(
        np.floor((np.exp(value) if domain.log else value) + 0.5), domain.low, domain.high
    )
    return ((np.log(value) if domain.log else value) - low) / (high - low)

"""The claims of lesson 04 hold for the data they were made of, and fail for wrong arrays."""

from types import SimpleNamespace

import numpy as np
import pytest

from hpt_lab import curves
from hpt_lab.claims import lesson_04 as claims
from hpt_lab.curves import lessons

RNG = np.random.default_rng(0)


def around(mean, n=200, spread=0.5):
    return mean + spread * np.random.default_rng(7).standard_normal(n)


def windowed(rates=3):
    grid = np.stack([np.arange(9) % rates, np.arange(9)], axis=1)
    return np.ones((25, 17)), 0.98, {"grid": grid, "random": RNG.random((9, 2))}


def idle(one=6.8):
    grids = {"ends": [5.6, 5.7, 6.0, 22.0], "middles": [5.6, 5.65, 5.8, 6.1], "random": [5.6] * 4}
    lone = {"grid": np.stack([around(5.8)] * 4), "random": np.stack([around(one) + 0.1] * 4)}
    return [1, 2, 3, 6], grids, lone


def scaled(linear=45.0):
    rate = np.where(np.arange(100) < 66, 12.0, 5.0)
    axes = {"both log": around(6, 100, 0.1), "rate linear": rate}
    return (axes | {"both linear": around(linear, 100)},)


def cut(times=97):
    return {3e-3: (None, np.array([14.0])), 1.0: (None, np.array([5.1]))}, {3e-3: times, 1.0: 5}


def listed(floor=0.4, test=0.05):
    gains = np.stack([around(0.09, 1000, 0.3), around(test, 1000, 0.3)], axis=1)
    return np.array([5.0, 5.0 + floor]), around(5.4), around(5.4)[::-1], gains


def even(sobol=2.5, late=1.0):
    ratio = np.array([[0.55, 0.05], [0.8, 0.05], [0.97, 0.03], [late, 0.01]])
    zoomed = around(0.0, 200, 10.0)
    estimates = {
        "independent": around(15, 200, 10),
        "Sobol": around(15, 200, sobol),
        "Halton": around(15, 200, 5),
        "coarse to fine": zoomed,
    }
    return [1, 2, 4, 16], {"Sobol": ratio, "Halton": ratio}, estimates, 15.0


def promised(tested=45.0):
    spaces = {"log": 5.5, "rate": 5.8, "linear": 34.0}
    shares = {"a": 98.0, "b": 73.0, "c": tested}
    return shares, spaces, lambda space, n, seed: (None, np.full(n, space))


def flattening(late=2.78, modules=()):
    promise = np.array([4.6, 3.4, 3.02, late, 2.6])
    kept = np.array([5.1, 3.94, 3.67, 3.54, 3.47])
    return [5, 10, 20, 40, 80], promise, kept, promise[:4] - 0.1, 0.53, dict.fromkeys(modules)


CASES = [
    (claims.window, windowed, {"rates": 9}),
    (claims.knobs, idle, {"one": 5.5}),
    (claims.scales, scaled, {"linear": 7.0}),
    (claims.edge, cut, {"times": 40}),
    (claims.lists, listed, {"floor": 0.1}),
    (claims.lists, listed, {"test": 0.3}),
    (claims.even, even, {"sobol": 8.0}),
    (claims.even, even, {"late": 0.8}),
    (claims.promise, promised, {"tested": 96.0}),
    (claims.flat, flattening, {"late": 2.3}),
    (claims.flat, flattening, {"modules": ["tensorflow"]}),
]


@pytest.mark.parametrize(("claim", "made", "spoilt"), CASES)
def test_a_claim_holds_and_fails_for_a_wrong_array(claim, made, spoilt):
    claim(*made())
    with pytest.raises(AssertionError, match="no longer true"):
        claim(*made(**spoilt))


def test_what_is_said_of_the_tables_holds_for_the_recorded_ones_and_not_for_others():
    digits, spirals = curves.load("digits-mlp"), curves.load("spirals-mlp")

    def sets(table):
        return lessons.anova(table), [0.47, 0.64, 0.78, 0.87, 0.94, 1.0]

    claims.importance(digits, spirals, sets)
    with pytest.raises(AssertionError, match="five of six"):
        claims.importance(spirals, spirals, sets)
    study = SimpleNamespace(best=SimpleNamespace(loss=0.028))
    errors = 100 * lessons.final(digits)
    claims.bill(digits, digits.configs, errors, study)
    with pytest.raises(AssertionError, match=r"1,944"):
        claims.bill(digits, digits.configs[:9], errors, study)


def test_luck_is_a_matter_of_the_tail():
    digits, rng = curves.load("digits-mlp"), np.random.default_rng(0)
    errors = 100 * lessons.final(digits)
    cube = errors.reshape(digits.shape)
    pairs = [[rng.choice(n, 2, replace=False) for n in digits.shape] for _ in range(2000)]
    grid = np.array([cube[np.ix_(*two)].min() for two in pairs])
    chance = np.array([rng.choice(errors, 64, replace=False).min() for _ in range(2000)])
    claims.luck(grid, chance)
    with pytest.raises(AssertionError, match="more often than not"):
        claims.luck(chance, grid)

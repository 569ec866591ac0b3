"""The space: configs and the unit cube are two views of one thing, and malformed spaces are refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpt_lab.errors import SpaceError
from hpt_lab.space import Choice, Float, Int, Space

SPACE = Space(
    rate=Float(1e-5, 1.0, log=True), dropout=Float(-0.5, 0.5), units=Int(1, 4096, log=True), layers=Int(1, 3),
    optimizer=Choice(["sgd", "adam", None, True, 2.5]), momentum=Float(0.0, 0.99, when={"optimizer": "sgd"}),
    nesterov=Choice([True, False], when={"optimizer": ["sgd", None], "layers": (2, 3)}),
    deep=Int(5, 9, when={"nesterov": True}), batch=Choice([16, 64, 256, 1024], ordered=True))

units = st.floats(0, 1)
points = st.lists(units, min_size=len(SPACE), max_size=len(SPACE))


@given(points)
def test_every_config_maps_to_the_cube_and_back_exactly(point):
    config = SPACE.from_unit(point)
    cube = SPACE.to_unit(config)
    assert SPACE.from_unit(np.nan_to_num(cube)) == config
    assert ((cube[~np.isnan(cube)] >= 0) & (cube[~np.isnan(cube)] <= 1)).all()


@given(points)
def test_inactive_dimensions_are_absent_from_the_config_and_nan_in_the_cube(point):
    config = SPACE.from_unit(point)
    assert ("momentum" in config) == (config["optimizer"] == "sgd")
    assert ("deep" in config) == (config.get("nesterov") is True)
    assert [name for name, x in zip(SPACE, SPACE.to_unit(config), strict=True) if not math.isnan(x)] == list(config)


@given(st.integers(1, 50), st.integers(1, 1000), st.booleans(), units)
def test_each_integer_owns_a_slice_and_both_ends_are_reachable(low, width, log, u):
    domain = Int(low, low + width, log=log)
    assert domain.from_unit(0) == low and domain.from_unit(1) == low + width
    value = domain.from_unit(u)
    assert domain.from_unit(domain.to_unit(value)) == value and type(value) is int


def test_log_floats_are_uniform_in_their_logarithm():
    rates = np.log10([Space(rate=Float(1e-4, 1e-1, log=True)).sample((0, i))["rate"] for i in range(3000)])
    shares = np.histogram(rates, bins=3, range=(-4, -1))[0] / 3000
    assert np.abs(shares - 1 / 3).max() < 0.03  # three decades, a third of the draws in each


def test_the_same_seed_draws_the_same_config_and_zero_is_a_seed():
    assert SPACE.sample(0) == SPACE.sample(0)
    assert SPACE.sample(0) != SPACE.sample(1)
    assert SPACE.sample(np.random.default_rng(0)) == SPACE.sample(0)


def test_grid_is_the_product_of_active_dimensions():
    space = Space(rate=Float(1e-3, 1e-1, log=True), optimizer=Choice(["sgd", "adam"]),
                  momentum=Float(0, 0.9, when={"optimizer": "sgd"}))
    grid = space.grid(3)
    assert len(grid) == 3 * (3 + 1)
    assert sorted({config["rate"] for config in grid}) == [0.001, 0.01, 0.1]
    assert len(space.grid({"rate": 5, "momentum": 2})) == 5 * (2 + 1)
    for config in grid:
        space.check(config)
    with pytest.raises(SpaceError, match="grid needs a number of values for momentum"):
        space.grid({"rate": 5})


def test_ordered_values_keep_their_order_and_a_grid_takes_some_of_them():
    rates = Choice([1e-4, 1e-3, 1e-2, 1e-1, 1.0], ordered=True)
    marks = [rates.to_unit(value) for value in rates.values]
    assert marks == pytest.approx([0.1, 0.3, 0.5, 0.7, 0.9])
    assert [rates.from_unit(u) for u in marks] == list(rates.values)
    assert rates.grid(1) == [1e-2] and rates.grid(2) == [1e-4, 1.0] and rates.grid(3) == [1e-4, 1e-2, 1.0]
    assert rates.grid(5) == rates.grid(99) == list(rates.values)
    assert rates != Choice(rates.values) and Choice(rates.values).grid(2) == list(rates.values)


def test_size_counts_conditional_spaces_like_brute_force():
    space = Space(a=Int(1, 3), b=Choice(["x", "y"], when={"a": (1, 2)}), c=Int(0, 4, when={"b": "x"}), d=Choice([0, 1]))
    assert space.size == len({tuple(config.items()) for config in space.grid(100)}) == (2 * (5 + 1) + 1) * 2
    assert Space(a=Int(1, 3), x=Float(0, 1)).size == math.inf
    assert Space(a=Int(7, 7)).size == 1
    assert Space(n=Int(1, 100, log=True), m=Int(1, 2, when={"n": 50})).size == 99 + 2


def test_a_space_survives_its_spec():
    assert Space.from_spec(SPACE.spec()) == SPACE
    with pytest.raises(SpaceError, match="can't read dimension 'x'"):
        Space.from_spec({"x": {"kind": "__import__", "low": 0}})


@pytest.mark.parametrize(("make", "says"), [
    (lambda: Space(), "at least one dimension"),
    (lambda: Space(x=3), "x must be a Float, Int or Choice"),
    (lambda: Float(1, 0), "low must be below high, got low=1, high=0"),
    (lambda: Float(1, 1), "low must be below high"),
    (lambda: Float(0, 1, log=True), "needs low > 0, got low=0"),
    (lambda: Float(0, math.nan), "finite"),
    (lambda: Int(5, 2), "low must be below high"),
    (lambda: Int(0, 5, log=True), "needs low > 0"),
    (lambda: Int(0.5, 2), "whole number, got 0.5"),
    (lambda: Choice([]), "must not be empty"),
    (lambda: Choice(["a", "b", "a"]), "'a' twice"),
    (lambda: Choice([[1]]), "strings, numbers, booleans or None"),
    (lambda: Space(m=Float(0, 1, when={"o": "sgd"}), o=Choice(["sgd"])), "declared before it"),
    (lambda: Space(o=Choice(["sgd"]), m=Float(0, 1, when={"o": "adam"})), "which o can never be"),
])
def test_malformed_spaces_are_refused_with_the_remedy(make, says):
    with pytest.raises(SpaceError, match=says):
        make()


@pytest.mark.parametrize(("config", "says"), [
    ({"rate": 2.0}, "rate must be in"), ({}, "lacks 'rate'"), ({"rate": 0.1, "x": 1}, "no dimension of this space"),
    ({"rate": "0.1"}, "rate must be in"), ({"rate": math.nan}, "rate must be in")])
def test_configs_from_elsewhere_are_refused(config, says):
    with pytest.raises(SpaceError, match=says):
        Space(rate=Float(0, 1)).check(config)

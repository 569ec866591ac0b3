"""The space: configs and the unit cube are two views of one thing, and malformed spaces are
refused."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpt_lab.errors import SpaceError
from hpt_lab.space import Choice, Float, Int, Space

SPACE = Space(
    rate=Float(1e-5, 1.0, log=True),
    dropout=Float(-0.5, 0.5),
    units=Int(1, 4096, log=True),
    layers=Int(1, 3),
    optimizer=Choice(["sgd", "adam", None, True, 2.5]),
    momentum=Float(0.0, 0.99, when={"optimizer": "sgd"}),
    nesterov=Choice([True, False], when={"optimizer": ["sgd", None], "layers": (2, 3)}),
    deep=Int(5, 9, when={"nesterov": True}),
    batch=Choice([16, 64, 256, 1024], ordered=True),
)

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
    assert [
        name for name, x in zip(SPACE, SPACE.to_unit(config), strict=True) if not math.isnan(x)
    ] == list(config)


@given(st.integers(1, 50), st.integers(1, 1000), st.booleans(), units)
def test_each_integer_owns_a_slice_and_both_ends_are_reachable(low, width, log, u):
    domain = Int(low, low + width, log=log)
    assert domain.from_unit(0) == low and domain.from_unit(1) == low + width
    value = domain.from_unit(u)
    assert domain.from_unit(domain.to_unit(value)) == value and type(value) is int


def test_log_floats_are_uniform_in_their_logarithm():
    rates = np.log10(
        [Space(rate=Float(1e-4, 1e-1, log=True)).sample((0, i))["rate"] for i in range(3000)]
    )
    shares = np.histogram(rates, bins=3, range=(-4, -1))[0] / 3000
    assert np.abs(shares - 1 / 3).max() < 0.03  # three decades, a third of the draws in each


def test_the_same_seed_draws_the_same_config_and_zero_is_a_seed():
    assert SPACE.sample(0) == SPACE.sample(0)
    assert SPACE.sample(0) != SPACE.sample(1)
    assert SPACE.sample(np.random.default_rng(0)) == SPACE.sample(0)


def test_grid_is_the_product_of_active_dimensions():
    space = Space(
        rate=Float(1e-3, 1e-1, log=True),
        optimizer=Choice(["sgd", "adam"]),
        momentum=Float(0, 0.9, when={"optimizer": "sgd"}),
    )
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
    assert (
        rates.grid(1) == [1e-2]
        and rates.grid(2) == [1e-4, 1.0]
        and rates.grid(3) == [1e-4, 1e-2, 1.0]
    )
    assert rates.grid(5) == rates.grid(99) == list(rates.values)
    assert rates != Choice(rates.values) and Choice(rates.values).grid(2) == list(rates.values)


def test_size_counts_conditional_spaces_like_brute_force():
    space = Space(
        a=Int(1, 3),
        b=Choice(["x", "y"], when={"a": (1, 2)}),
        c=Int(0, 4, when={"b": "x"}),
        d=Choice([0, 1]),
    )
    assert (
        space.size
        == len({tuple(config.items()) for config in space.grid(100)})
        == (2 * (5 + 1) + 1) * 2
    )
    assert Space(a=Int(1, 3), x=Float(0, 1)).size == math.inf
    assert Space(a=Int(7, 7)).size == 1
    assert Space(n=Int(1, 100, log=True), m=Int(1, 2, when={"n": 50})).size == 99 + 2


def test_a_space_survives_its_spec():
    assert Space.from_spec(SPACE.spec()) == SPACE
    with pytest.raises(SpaceError, match="can't read dimension 'x'"):
        Space.from_spec({"x": {"kind": "__import__", "low": 0}})


@pytest.mark.parametrize(
    ("make", "says"),
    [
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
        (
            lambda: Space(o=Choice(["sgd"]), m=Float(0, 1, when={"o": "adam"})),
            "which o can never be",
        ),
    ],
)
def test_malformed_spaces_are_refused_with_the_remedy(make, says):
    with pytest.raises(SpaceError, match=says):
        make()


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"rate": 2.0}, "rate must be in"),
        ({}, "lacks 'rate'"),
        ({"rate": 0.1, "x": 1}, "no dimension of this space"),
        ({"rate": "0.1"}, "rate must be in"),
        ({"rate": math.nan}, "rate must be in"),
    ],
)
def test_configs_from_elsewhere_are_refused(config, says):
    with pytest.raises(SpaceError, match=says):
        Space(rate=Float(0, 1)).check(config)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: Int(32, 512, 32),
            r"got 32; for a log scale say log=True, for steps use Choice\(range\(low, high \+ 1, "
            r"step\)",
        ),
        (lambda: Int(1, 10, 1), "got 1; for a log scale"),
        (lambda: Float(0.1, 1, "log"), "got 'log'; for a log scale"),
        (lambda: Choice("relu", "tanh"), r"got 'relu', 'tanh'; try Choice\(\['relu', 'tanh'\]\)"),
        (lambda: Choice("relu"), r"try Choice\(\['relu'\]\)"),
        (lambda: Choice(16, 32), r"try Choice\(\[16, 32\]\)"),
        (lambda: Choice({"a", "b"}), "order differs from process to process"),
        (lambda: Choice(frozenset([1])), "got the set"),
        (lambda: Choice({"relu": 1}), r"try Choice\(list\(mapping\)\)"),
        (lambda: Choice(b"ab"), "takes one list"),
        (lambda: Choice([1, True]), "1 and True, which are equal"),
        (lambda: Choice([np.int64(1), 1]), "1 twice"),
        (lambda: Choice([math.nan]), "must be finite"),
        (lambda: Choice([math.inf]), "use None or a string"),
        (lambda: Choice([10**30]), "at most 64 bits"),
        (lambda: Choice(itertools.count()), "at most 100,000 values"),
        (lambda: Choice(np.eye(2)), r"array of shape \(2, 2\)"),
        (lambda: Choice([[1]]), "name it by a string"),
        (lambda: Int(0, 2**53), "must stay within 1,000,000,000,000,000"),
        (lambda: Int(1, 10**13, log=True), "with log=True must stay"),
        (lambda: Int(True, 3), "whole number, got True"),
        (lambda: Float(False, 1), "finite numbers, got False"),
        (lambda: Float(0, 10**400), "finite numbers"),
        (lambda: Float(1, math.nextafter(1, 2)), "too close"),
        (lambda: Float(1, 1 + 1e-10, log=True), "too close"),
        (lambda: Float("0", 1), "finite numbers, got '0'"),
        (lambda: Float(0, 1, when="adam"), "when must be a dict"),
        (lambda: Float(0, 1, when={"o": []}), "names no value of 'o'"),
        (lambda: Float(0, 1, when={1: 2}), "name dimensions by strings"),
        (
            lambda: Space(x=Float(0, 1), m=Int(1, 2, when={"x": 0.5})),
            "any one value with probability zero",
        ),
        (lambda: Space(x=Float(0, 1)).grid({"y": 3}), "'y' is no dimension"),
        (lambda: Space(x=Float(0, 1)).grid(10**9), "at most 100,000"),
        (lambda: Space(x=Float(0, 1)).sample(None), "seed must be a whole number >= 0"),
        (lambda: Space(x=Float(0, 1)).sample(-1), "seed"),
        (lambda: Space(x=Float(0, 1)).from_unit([2.0]), r"must lie in \[0, 1\], got 2.0"),
        (lambda: Space(x=Float(0, 1)).from_unit([0.5, 0.5]), "must have 1 coordinates"),
    ],
)
def test_slips_of_the_pen_are_refused_with_the_remedy(make, says):
    with pytest.raises(SpaceError, match=says):
        make()


@pytest.mark.parametrize(
    "domain",
    [
        Float(-1e308, 1e308),
        Float(0, 1.7976931348623157e308),
        Float(5e-324, 1, log=True),
        Float(1e-300, 1e300, log=True),
        Float(0, 5e-324),
        Float(0, 1e-310),
        Float(1e6, 1e6 + 1e-3),
        Float(1, 1 + 2e-12),
        Float(0, 2**53 + 1),
        Float(0.1234567890123456, 0.7654321098765432),
        Int(-(10**15), 10**15),
        Int(10**15 - 3, 10**15),
        Int(1, 10**12, log=True),
        Int(10**11, 10**12, log=True),
    ],
)
@given(units)
def test_the_round_trip_is_exact_at_every_scale(domain, u):
    value = domain.from_unit(u)
    assert domain.low <= value <= domain.high and domain.from_unit(domain.to_unit(value)) == value
    assert [domain.from_unit(end) for end in (0.0, 1.0)] == [domain.low, domain.high]


def test_every_value_of_a_narrow_range_far_from_zero_is_reached():
    domain = Int(10**15 - 9, 10**15)
    drawn = [domain.from_unit(u) for u in np.random.default_rng(0).random(2000)]
    assert sorted(set(drawn)) == list(range(10**15 - 9, 10**15 + 1))
    assert min(drawn.count(value) for value in set(drawn)) > 140  # 200 each, give or take
    far = Float(1e6, 1e6 + 1e-3)
    assert len({far.from_unit(u) for u in np.linspace(0, 1, 1000)}) > 990


def test_a_choice_takes_any_list_and_keeps_plain_values():
    for values in (
        [1, 2],
        (1, 2),
        range(1, 3),
        np.array([1, 2]),
        (n for n in (1, 2)),
        {1: "a", 2: "b"}.keys(),
    ):
        choice = Choice(values)
        assert choice.values == (1, 2) and all(type(value) is int for value in choice.values)
    odd = Choice([np.float32(0.5), np.True_, np.str_("a"), None])
    assert odd.values == (0.5, True, "a", None) and [type(v) for v in odd.values] == [
        float,
        bool,
        str,
        type(None),
    ]
    assert (
        np.float64(0.5) in odd
        and np.str_("a") in odd
        and [1] not in odd
        and np.array([1, 2]) not in odd
    )


def test_conditions_in_a_set_are_written_alike_by_every_process():
    names = [f"v{i}" for i in range(9)]
    specs = [
        Space(o=Choice(names), m=Int(1, 2, when={"o": wanted})).spec()
        for wanted in (set(names), set(reversed(names)))
    ]
    assert specs[0] == specs[1] and specs[0]["m"]["when"]["o"] == names


@st.composite
def finite_spaces(draw):
    """Small spaces with conditions on any of the dimensions before, several at once."""
    domains = {}
    for i in range(draw(st.integers(1, 6))):
        when = {}
        for parent in (
            draw(st.lists(st.sampled_from(sorted(domains)), max_size=2, unique=True))
            if domains
            else []
        ):
            values = domains[parent].grid(9)
            when[parent] = tuple(
                draw(st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True))
            )
        kind = draw(
            st.sampled_from(
                [Int(1, draw(st.integers(1, 3)), when=when), Choice(["a", "b"], when=when)]
            )
        )
        domains[f"d{i}"] = kind
    return Space(**domains)


@given(finite_spaces())
def test_size_is_that_of_the_listed_configs(space):
    listed = [tuple(config.items()) for config in space.walk()]
    assert len(set(listed)) == len(listed) == space.size == len(space.grid(9))
    for config in space.walk():
        space.check(config)


def test_huge_spaces_are_counted_and_walked_lazily():
    switches = {f"s{i}": Choice(["on", "off"]) for i in range(60)}
    extras = {f"x{i}": Int(1, 3, when={f"s{i}": "on"}) for i in range(60)}
    assert Space(**switches, **extras).size == 4**60
    together = Space(**switches, last=Int(1, 10**9, when=dict.fromkeys(switches, "on")))
    assert together.size == 2**60 - 1 + 10**9
    assert Space(n=Int(1, 10**9), m=Int(1, 2, when={"n": 7})).size == 10**9 + 1
    wide = Space(**{f"p{i}": Choice(range(10)) for i in range(9)})
    assert wide.size == 10**9 and list(itertools.islice(wide.walk(), 2)) == [
        {**dict.fromkeys(wide, 0)},
        {**dict.fromkeys(wide, 0), "p8": 1},
    ]
    with pytest.raises(
        SpaceError, match=r"this grid has 1,000,000,000 configs.*random_search\(space, trials"
    ):
        wide.grid(3)
    with pytest.raises(SpaceError, match="more than 1,000,000"):
        together.grid(100)

"""The pictures of lesson 04: titles state what the data say, and alt texts put it in words."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

from hpt_lab.plots import describe
from hpt_lab.plots import lesson_04 as draw


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def titles(drawn):
    for ax in np.atleast_1d(drawn):
        assert len(describe(ax).split()) >= 6
        assert ax.get_xlabel() or ax.get_ylabel()
    return [ax.get_title("left") for ax in np.atleast_1d(drawn)]


def lines_at(ax, value, axis):
    """Count the dashed lines of a guess at `value`."""
    data = [
        line.get_xdata() if axis == "x" else line.get_ydata()
        for line in ax.lines
        if line.get_label() == "your guess"
    ]
    return sum(bool((np.array(found) == value).all()) for found in data)


def test_the_bill_is_a_power():
    ax = draw.bill(knobs=range(1, 9), values=[2, 3, 5])
    assert titles(ax) == ["3 values of 6 knobs: 729 trainings, 30 days"]
    assert ax.lines[1].get_ydata()[5] == 3**6


SHARES = {("rate",): 0.5, ("batch",): 0.1, ("rate", "batch"): 0.4}


def test_importance_adds_what_a_knob_does_with_others():
    left, right = draw.importance(SHARES, [0.5, 1.0], name="digits", guess_=1)
    assert titles([left, right]) == [
        "digits: rate has a part in 90 %",
        "90 % takes 2 of the 2 knobs",
    ]
    assert [bar.get_width() for bar in left.containers[0]] == pytest.approx([50, 90])
    assert lines_at(right, 1, "x") == 1


@pytest.mark.parametrize("guess", [None, ...])
def test_nothing_is_drawn_where_nobody_guessed(guess):
    _, right = draw.importance(SHARES, [0.5, 1.0], name="digits", guess_=guess)
    assert not [line for line in right.lines if line.get_label() == "your guess"]


def test_projections_count_the_different_learning_rates():
    grid = np.stack(np.meshgrid([0.2, 0.5, 0.8], [0.1, 0.5, 0.9]), axis=2).reshape(-1, 2)
    points = {"grid": grid, "random": np.random.default_rng(0).random((9, 2))}
    drawn = draw.projections(
        1 + np.random.default_rng(1).random((25, 17)), points, {"grid": 6.34, "random": 5.3}
    )
    assert titles(drawn) == [
        "grid: 3 learning rates, best error 6.3 %",
        "random: 9 learning rates, best error 5.3 %",
    ]


def test_luck_counts_who_ends_lower_and_leaves_ties_out():
    ax = draw.luck(np.array([3.0, 4.0, 5.0, 3.0]), np.array([3.0, 3.0, 3.0, 4.0]))
    assert titles(ax) == ["Random search ends lower in 50 of 100, the grid in 25"]


def test_knobs_say_what_six_of_them_and_what_one_of_them_cost():
    found = {"ends": [5.6, 6.0, 22.0], "middles": [5.6, 5.7, 6.1], "random": [5.6, 5.6, 5.6]}
    one = {"middles": np.array([6.1, 5.8, 5.6]), "random": np.array([9.6, 6.9, 5.8])}
    left, right = draw.knobs([1, 2, 6], found, [2, 4, 8], one)
    assert titles([left, right]) == [
        "6 knobs: grids 22 and 6.1 %, random 5.6 %",
        "One knob, 4 trials: the grid leads by 1.1 points",
    ]
    colour = {line.get_label(): line.get_color() for line in left.lines}
    assert all(colour[line.get_label()] == line.get_color() for line in right.lines)


def test_scales_count_the_seeds_in_which_log_axes_win():
    log = np.full(100, 6.0)
    linear = np.where(np.arange(100) < 98, 45.0, 5.0)
    best = {"both log": log, "rate linear": linear[::-1], "both linear": linear}
    left, right = draw.scales(best, guess_=70)
    assert titles([left, right]) == [
        "Same budget: 6.0 % on log axes, 44 % on linear ones",
        "Log axes win in 98 of 100 seeds",
    ]
    assert lines_at(right, 70, "y") == 1


def test_the_edge_counts_the_best_five_in_the_last_fifth():
    rates = np.geomspace(1e-4, 1e-2, 20)
    drawn = draw.edge(
        {1e-2: (rates, np.linspace(50, 10, 20)), 1.0: (rates, np.linspace(50, 5, 20))}, 1e-4
    )
    assert titles(drawn) == [
        "Up to 0.01: 4 of the best 5 at the edge, best 10.0 %",
        "Up to 1: 0 of the best 5 at the edge, best 5.0 %",
    ]


def test_spread_counts_empty_cells():
    even = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=2).reshape(-1, 2) / 4 + 0.1
    drawn = draw.spread({"all": even, "corner": even / 4})
    assert titles(drawn) == ["all: 0 of 16 cells empty", "corner: 15 of 16 cells empty"]


def test_gain_names_the_first_and_the_last_dimension():
    ratio = np.array([[0.5, 0.05], [0.8, 0.05], [1.0, 0.01]])
    ax = draw.gain([1, 2, 16], {"Sobol": ratio, "Halton": ratio + [0.1, 0]})
    assert titles(ax) == ["Even points leave 55% of the distance with 1 knob, 105% with 16"]


def test_effects_name_the_typical_error():
    estimates = {"independent": np.array([5.0, 25.0]), "Sobol": np.array([13.0, 17.0])}
    ax = draw.effects(estimates, 15.0)
    assert titles(ax) == ["The same 32 trainings: off by 2.0 points or by 10.0"]


def test_the_promise_shows_the_guess_in_percent():
    ax = draw.promise({"a": 98.0, "b": 73.2, "c": 45.0}, guess_=90)
    assert titles(ax) == ["Noise breaks the promise: 98 % become 73, then 45 %"]
    assert lines_at(ax, 90, "y") == 1


def test_the_curve_is_flat_where_doubling_gains_less_than_the_noise():
    promised, kept = np.array([5.0, 4.0, 3.5, 3.4]), np.array([5.5, 4.5, 4.4, 4.4])
    ax = draw.flat([5, 10, 20, 40], promised, kept, promised[:3], noise=0.2)
    assert titles(ax) == [
        "From 10 trials on, twice as many gain less than 0.2 points of test error"
    ]
    worse = draw.flat([5, 10, 20, 40], promised, kept, promised[:3], noise=2.0)
    assert titles(worse) == [
        "From 5 trials on, twice as many gain less than 2.0 points of test error"
    ]

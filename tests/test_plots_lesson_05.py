"""Lesson 05's pictures: titles and alt text follow from the data."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

from hpt_lab.plots import describe
from hpt_lab.plots import lesson_05 as draw

Z = np.linspace(0, 1, 51)
X = np.array([0.2, 0.8])


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_the_share_inside_the_band_is_counted():
    assert draw.inside(np.zeros(4), np.ones(4), np.array([0.0, 1.9, 2.1, -3.0])) == 0.5


def test_improvement_stars_the_highest_and_draws_the_guess_only_if_there_is_one():
    worth = np.exp(-((Z - 0.6) ** 2))
    for guessed in (..., 0.3):
        ax = draw.improvement(Z, 0 * Z, 0 * Z + 1, X, np.array([0.0, 1.0]), 0.0, worth, guessed)
        assert "Next: 0.60" in ax.get_title("left")
        assert ("your guess" in ax.get_legend_handles_labels()[1]) == (guessed == 0.3)


def test_bars_are_means_with_two_standard_errors():
    row = np.array([1.0, 2.0, 3.0, 6.0])
    ax = draw.bars({"gain": row}, title="t", xlabel="points")
    assert f"gain: 3 ± {row.std(ddof=1):.2g}" in describe(ax)  # 2 / sqrt(4) = 1


def test_a_race_says_its_medians():
    rows = np.array([[3.0, 2.0], [5.0, 4.0], [9.0, 8.0]])
    ax = draw.race({"a": rows, "b": rows / 2}, title="t", ylabel="loss", guessed=1)
    assert "a 4, b 2" in describe(ax) and "your guess" in ax.get_legend_handles_labels()[1]


def test_densities_star_the_ratio():
    ax = draw.densities(Z, 1 + Z, 2 - Z, np.linspace(0, 1, 10), np.arange(10.0), 2)
    assert "1.00" in ax.get_title("left")

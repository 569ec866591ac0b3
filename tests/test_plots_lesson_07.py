"""The figures of lesson 07 say in title and alt text what their data say."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from hpt_lab.experiments import lesson_07 as lab
from hpt_lab.plots import lesson_07 as draw
from hpt_lab.plots.figure import describe
from hpt_lab.space import Float, Space
from hpt_lab.strategies.population_based_training import schedule
from hpt_lab.strategies.successive_halving import successive_halving
from hpt_lab.study.simulation import simulate
from hpt_lab.trial import Outcome

SPACE = Space(x=Float(0, 1))


class Slow:
    def run(self, trial):
        return Outcome(trial.config["x"], seconds=1.0 + trial.id % 2)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_the_gantt_chart_has_a_bar_per_run_where_it_ran():
    simulation = simulate(successive_halving(SPACE, max_budget=9), Slow(), workers=4)
    ax = draw.gantt(simulation, my_guess=7)
    bars = sorted(
        (round(bar.get_x(), 6), round(bar.get_x() + bar.get_width(), 6)) for bar in ax.patches
    )
    assert bars == sorted((span.start, span.end) for span in simulation.spans)
    assert f"idle {1 - simulation.utilisation:.0%}" in ax.get_title("left")
    assert "your guess" in ax.get_legend_handles_labels()[1]


def test_many_workers_reports_ratios_and_idle_time():
    rows = np.ones((5, 2, 2, 3))
    rows[:, 0, 0, 0], rows[:, 1, 0, 0] = 2, 4
    rows[..., 2] = 0.25
    figure = draw.many_workers(rows, (8, 500), my_guess=1)
    assert "2.0 to 4.0 times sooner" in figure.axes[0].get_title("left")
    assert "25%" in describe(figure)


def test_mistakes_measure_their_exponent():
    sizes = np.array([100, 400, 1600])
    ax = draw.mistakes(sizes, np.sqrt(sizes)[:, None] + [-1e-6, 1e-6])
    assert "power 0.50" in ax.get_title("left")


def test_lengths_say_who_dropped_the_best():
    figure = draw.lengths({"a": np.array([1, 27]), "b": np.array([27, 1])}, best=0, my_guess=30)
    assert [ax.get_title("left") for ax in figure.axes] == [
        "a: 28 epochs, drops it",
        "b: 28 epochs, keeps it",
    ]


def test_missing_ones_names_both_ends():
    rows = np.arange(24.0).reshape(1, 4, 6)[:, :, :2] + np.array([-1.0, 1.0])[:, None, None]
    assert "(0.0 and 6.0) and ends far ahead (1.0 and 7.0)" in draw.missing_ones(
        rows, [1, 2], list("abcd")
    ).get_title("left")


def test_the_toy_and_the_replays_draw_what_they_are_given():
    ax = draw.toy([[0.1, 0.39], [0.2, 0.3]], np.array([[0.5, 1.1], [0.5, 1.3]]), my_guess=1)
    assert "stop at 0.39" in ax.get_title("left") and "reaches 1.20" in ax.get_title("left")
    rows = np.array([[0.5, 0.4, 0.3, 0.45]] * 2)
    assert "0.100 below" in draw.replayed([0.1, 1.0], rows, 0.5).get_title("left")


def test_the_lineage_is_the_schedule_of_the_recorded_run():
    history = lab.population()
    segments = schedule(history)
    ax = draw.lineage(history, segments, name="learning_rate")
    bold = [line for line in ax.lines if line.get_linewidth() == 3 and len(line.get_xdata())]
    assert [tuple(line.get_xdata()) for line in bold] == [(s.start, s.end) for s in segments]
    assert len({r.trial.id for r in history.records}) < len(ax.lines)


def test_the_front_counts_what_weights_miss():
    cost, error = np.array([1.0, 2, 3, 4]), np.array([9.0, 8.5, 1, 5])
    ax = draw.front(cost, error, np.array([0, 1, 2]), np.array([0, 2]))
    assert ax.get_title("left").startswith("1 of the 3 best")
    guessed = draw.front(cost, error, np.array([0, 1, 2]), np.array([0, 2]), my_guess=50)
    assert guessed.texts[0].get_text() == "found: 67%, your guess: 50 %"

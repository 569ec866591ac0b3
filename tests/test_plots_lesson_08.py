"""Lesson 08's pictures draw the numbers they are given, and say them in their alt text."""

import matplotlib
import numpy as np
import pytest

from hpt_lab.experiments.lesson_08 import recorded
from hpt_lab.plots import describe
from hpt_lab.plots import lesson_08 as draw

matplotlib.use("Agg")


@pytest.fixture(scope="module")
def races():
    return {name: recorded(f"{name}-mlp", "epochs") for name in ("digits", "spirals")}


@pytest.fixture(autouse=True)
def _closed():
    yield
    matplotlib.pyplot.close("all")


def test_any_time_curves_end_at_the_mean_errors(races):
    panels = draw.any_time(races, title="t", my_guess=500)
    means = 100 * races["digits"].losses().mean(axis=1)
    drawn = {
        line.get_label(): line.get_ydata()[-1]
        for line in panels[0].lines
        if len(line.get_ydata()) > 2
    }
    assert np.allclose([drawn[name] for name in races["digits"].runs], means)
    assert "ASHA 2.46 %" in describe(panels[0]) and any(
        line.get_label() == "your guess" for line in panels[0].lines
    )


def test_ahead_draws_what_the_summary_says(races):
    ax = draw.ahead(races, title="t")[1]
    row = 100 * races["spirals"].summary().loc["ASHA"]
    assert f"ASHA {row.ahead:+.2f}, {row.test_ahead:+.2f}" in describe(ax)


def test_wrong_and_right_stand_side_by_side():
    wrong, right = draw.wrong_then_right(
        {"a": (1.0, 0.5, 2.0)},
        {"b": (3.0, 3.0, 3.0)},
        titles=("w", "r"),
        xlabels=("x", "y"),
        my_guess=2,
    )
    assert "a 1.00" in describe(wrong) and "b 3.00" in describe(right)
    assert [line.get_label() for line in right.lines].count("your guess") == 1


def test_evidence_and_choices_say_what_is_not_known():
    ax = draw.evidence(
        np.array([[1.0, -2.0]]), np.array([[0, -1]]), rows=["TPE"], columns=["x", "y"], title="t"
    )
    assert "TPE: not told apart, worse" in describe(ax)
    assert {text.get_text() for text in ax.texts} == {"? +1.00", "▼ -2.00"}
    ax = draw.choices([("Rare?", "ASHA", True), ("Large?", "race", False)], title="t")
    assert "Large? Then: race (no numbers on this page)." in describe(ax)
    assert [patch.get_linestyle() for patch in ax.patches if hasattr(patch, "get_boxstyle")][
        -1
    ] == "--"

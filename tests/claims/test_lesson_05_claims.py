"""Lesson 05's claims hold for what is recorded, and fail for wrong arrays; the record agrees with
the code."""

import numpy as np
import pytest

from hpt_lab import experiments
from hpt_lab.claims import lesson_05 as claims
from hpt_lab.experiments import lesson_05 as lab


def recorded(name):
    return experiments.load(f"lesson_05.{name}")


def test_the_race_as_recorded_holds_and_with_swapped_strategies_fails():
    rows = recorded("race")
    claims.race(rows, rows[:3], 18)
    with pytest.raises(AssertionError, match="factor"):
        claims.race(rows[:, ::-1], rows[:3, ::-1], 18)
    with pytest.raises(AssertionError, match="as recorded"):
        claims.race(rows, rows[1:4], 18)


def test_batches_and_starts():
    pack, starts = recorded("batches"), recorded("starts")
    claims.parallel(pack, starts)
    with pytest.raises(AssertionError, match="the lie"):
        claims.parallel(pack[:, :, [1, 0, 2, 3]], starts)
    with pytest.raises(AssertionError, match="two points"):
        claims.parallel(pack, starts[:, ::-1])


def test_recommendation_and_mixed_space():
    luck, mixed = recorded("luck"), recorded("mixed")
    claims.recommendation(luck, recorded("luck_on_tables"))
    claims.mixed(mixed)
    with pytest.raises(AssertionError, match="noise of 15"):
        claims.recommendation(luck[..., ::-1], recorded("luck_on_tables"))
    with pytest.raises(AssertionError, match="both models"):
        claims.mixed(mixed[:, ::-1])


def test_ratios_see_the_valley_or_not():
    off, z = recorded("blind"), np.linspace(0, 1, 101)
    hump = np.exp(-((z - 0.65) ** 2))
    claims.ratio(z, hump, np.ones(101), off, off[:3])
    with pytest.raises(AssertionError, match="off the valley"):
        claims.ratio(z, hump, np.ones(101), off[:, ::-1], off[:3, ::-1])


def test_failures_need_the_right_axis_and_unrepeated_configs():
    axis, wide, failed = (
        recorded("axis"),
        recorded("dimensions"),
        [True] * 4 + [False] * 4 + [True] + [False] * 21,
    )
    claims.failures(axis, axis[:1], wide, failed, set(range(30)))
    with pytest.raises(AssertionError, match="right axis"):
        claims.failures(axis[:, ::-1], axis[:1, ::-1], wide, failed, set(range(30)))
    with pytest.raises(AssertionError, match="repeats"):
        claims.failures(axis, axis[:1], wide, failed, set(range(29)))
    with pytest.raises(AssertionError, match="hardly any"):
        claims.failures(axis, axis[:1], wide, [True] * 30, set(range(30)))


def test_improvement_must_equal_its_simulation():
    z = np.linspace(0, 1, 101)
    ei = np.exp(-((z - 0.5) ** 2))
    claims.improvement(z, ei, ei, np.array([0.6]), np.array([0.0]))
    with pytest.raises(AssertionError, match="simulation"):
        claims.improvement(z, ei, ei + 0.1, np.array([0.6]), np.array([0.0]))


def test_cost_of_a_linear_method_is_not_cubic():
    with pytest.raises(AssertionError, match="more than eight"):
        claims.cost([1.0, 2.0, 4.0, 8.0])


@pytest.mark.parametrize("name", ["blind", "luck_on_tables"])
def test_the_record_is_what_the_code_computes(name):
    np.testing.assert_allclose(getattr(lab, name)(0), recorded(name)[0], atol=0.02)

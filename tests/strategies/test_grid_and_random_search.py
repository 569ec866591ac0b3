"""Grid and random search: full products, independent or evenly spread draws, finite spaces without
repeats."""

import numpy as np
import pytest
from scipy.stats import qmc

import hpt_lab as hpt
from hpt_lab.errors import StrategyError

SQUARE = hpt.Space(x=hpt.Float(0, 1), y=hpt.Float(0, 1))


def configs(strategy):
    return [
        record.config
        for record in hpt.tune(lambda config: 0.0, strategy, progress=False).history.records
    ]


def test_grid_search_tries_the_product_once_each():
    tried = configs(hpt.grid_search(SQUARE, n=4))
    assert len(tried) == 16 == len({tuple(config.values()) for config in tried})
    assert {config["x"] for config in tried} == {config["y"] for config in tried}


def test_random_search_gives_every_trial_a_new_value_in_every_dimension():
    tried = configs(hpt.random_search(SQUARE, trials=16))
    assert len({config["x"] for config in tried}) == len({config["y"] for config in tried}) == 16


def test_a_longer_random_search_begins_with_the_shorter_one():
    assert configs(hpt.random_search(SQUARE, trials=9))[:5] == configs(
        hpt.random_search(SQUARE, trials=5)
    )


def test_sobol_points_are_spread_more_evenly_than_independent_ones():
    def discrepancy(points, seed):
        tried = configs(hpt.random_search(SQUARE, trials=64, points=points, seed=seed))
        return qmc.discrepancy(np.array([list(config.values()) for config in tried]))

    assert all(
        discrepancy("sobol", seed) < 0.5 * discrepancy("independent", seed) for seed in range(5)
    )


@pytest.mark.parametrize("points", ["independent", "sobol"])
def test_a_finite_space_is_searched_without_repeats_and_runs_out(points):
    space = hpt.Space(
        a=hpt.Int(1, 3), b=hpt.Choice(["x", "y", "z"]), c=hpt.Int(1, 2, when={"b": "x"})
    )
    tried = configs(hpt.random_search(space, trials=100, points=points))
    assert len(tried) == space.size == len({tuple(config.items()) for config in tried})


def test_unknown_points_and_no_trials_are_refused():
    with pytest.raises(StrategyError, match="points must be"):
        hpt.random_search(SQUARE, trials=4, points="halton")
    with pytest.raises(StrategyError, match="trials must be an integer >= 1, got 0"):
        hpt.random_search(SQUARE, trials=0)

"""The references are right: compared with scikit-learn, SciPy and our own strategies."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from sklearn.model_selection import TimeSeriesSplit

from hpt_lab import Float, Space, successive_halving, tune
from hpt_lab.interview.drills import DRILLS

RIGHT = {name: drill.reference for name, drill in DRILLS.items()}
seeds = pytest.mark.parametrize("seed", range(20))


@seeds
def test_scores_agree_with_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation([0, 1, *rng.integers(0, 2, 20)])
    scores = rng.integers(0, 8, 22) / 8  # many ties
    called = scores > 0.5
    counts = (
        np.sum(called & (labels == 1)),
        np.sum(called & (labels == 0)),
        np.sum(~called & (labels == 1)),
    )
    assert RIGHT["f1"](*counts) == pytest.approx(f1_score(labels, called))
    assert RIGHT["average_precision"](labels, scores) == pytest.approx(
        average_precision_score(labels, scores)
    )
    assert RIGHT["roc_auc"](labels, scores) == pytest.approx(roc_auc_score(labels, scores))


@seeds
def test_expected_improvement_is_the_mean_gain_of_a_normal_loss(seed):
    mean, sd, best = np.random.default_rng(seed).uniform(0.1, 2, 3)
    gain = stats.norm(mean, sd).expect(lambda loss: best - loss, lb=mean - 12 * sd, ub=best)
    assert RIGHT["expected_improvement"](mean, sd, best) == pytest.approx(gain, abs=1e-8)


@seeds
def test_the_posterior_is_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    x, new = rng.uniform(0, 5, (2, 6))
    y = rng.normal(size=6)
    process = GaussianProcessRegressor(RBF(0.7), alpha=0.2, optimizer=None).fit(x[:, None], y)
    wanted = process.predict(new[:, None], return_std=True)
    np.testing.assert_allclose(RIGHT["gp_posterior"](x, y, new, 0.7, 0.2), wanted)


@seeds
def test_time_splits_are_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    k, size = rng.integers(1, 5), rng.integers(2, 5)
    times = rng.permutation((k + 1) * size)
    splits = RIGHT["time_split"](times, k, 1)
    if k > 1:  # scikit-learn has no single split
        rows = np.argsort(times)
        wanted = TimeSeriesSplit(int(k), gap=1).split(rows)
        assert splits == [(list(rows[train]), list(rows[test])) for train, test in wanted]


def test_the_paired_error_is_that_of_the_paired_t_test():
    a, b = np.random.default_rng(0).normal(size=(2, 9))
    mean, error = RIGHT["paired_comparison"](a, b)
    assert mean / error == pytest.approx(stats.ttest_rel(a, b).statistic)


def test_grid_is_the_product():
    space = {"a": [1, 2], "b": "xyz"}
    assert RIGHT["grid"](space) == [{"a": a, "b": b} for a, b in itertools.product(*space.values())]


def test_halving_spends_what_our_strategy_spends():
    strategy = successive_halving(Space(x=Float(0, 1)), max_budget=27, eta=3)
    study = tune(lambda config, budget: config["x"] + 1 / budget, strategy, progress=False)
    history = study.history
    configs = [record.trial.config["x"] for record in history.records if record.trial.rung == 0]
    best, spent = RIGHT["successive_halving"](configs, lambda x, budget: x + 1 / budget, 1, 3)
    assert best == history.best.trial.config["x"] and best == min(configs)
    assert spent == len(configs) + 9 * 2 + 3 * 6 + 18


def test_adam_without_running_means_is_a_signed_step():
    assert RIGHT["adam"](5.0, lambda w: 3 * w, 0.1, 4, 0.0, 0.0, 0.0) == pytest.approx(4.6)
    assert math.isclose(RIGHT["adamw"](5.0, lambda w: 0.0, 0.1, 0.5, 3, 0.9, 0.9, 1.0), 5 * 0.95**3)


@seeds
def test_nested_and_halving_do_not_touch_what_they_are_given(seed):
    configs = list(np.random.default_rng(seed).permutation(6))
    before = list(configs)
    RIGHT["successive_halving"](configs, lambda config, budget: config / budget, 1, 2)
    assert configs == before

"""What is recommended: not the luckiest score, nothing unfinished, nothing failed."""

import numpy as np
import pytest

import hpt_lab as hpt
from hpt_lab.errors import StudyError
from hpt_lab.history import History
from hpt_lab.trial import Outcome, Trial, failure

LINE = hpt.Space(x=hpt.Float(0, 1))
PLANE = hpt.Space(x=hpt.Float(0, 1), y=hpt.Float(0, 1))


def bowl(config):
    return (config["x"] - 0.3) ** 2 + (config["y"] - 0.3) ** 2


def history_of(rows):
    """Make a history of (x, budget, loss), None for a failure."""
    history = History()
    for id, (x, budget, loss) in enumerate(rows):
        trial = Trial(id, {"x": x}, budget)
        history.ask(trial)
        history.tell(trial, failure("diverged") if loss is None else Outcome(loss))
    return history


def test_over_two_hundred_seeds_it_beats_the_luckiest_score_under_noise():
    gains, rng = [], np.random.default_rng(1)
    for seed in range(200):  # the gain is about 0.02, its deviation 0.04
        study = hpt.tune(
            lambda c: bowl(c) + 0.1 * rng.standard_normal(),
            hpt.random_search(PLANE, trials=60, seed=seed),
            progress=False,
        )
        gains.append(bowl(study.best.config) - bowl(hpt.recommend(study).config))
    assert np.mean(gains) > 2 * np.std(gains, ddof=1) / 200**0.5


def test_one_lucky_score_among_bad_neighbours_is_not_recommended():
    xs = np.linspace(0, 1, 21)
    rng = np.random.default_rng(0)
    losses = (xs - 0.3) ** 2 + 0.02 * rng.standard_normal(21)
    losses[18] = -0.05
    history = history_of([(x, 1, loss) for x, loss in zip(xs, losses, strict=True)])
    assert history.best.config["x"] == xs[18]
    assert abs(hpt.recommend(history, LINE).config["x"] - 0.3) < 0.15


def test_unfinished_and_failed_trials_are_left_out():
    rows = [(0.1, 1, -5.0), (0.2, 9, 0.5), (0.3, 9, 0.4), (0.4, 9, None)]
    assert hpt.recommend(history_of(rows), LINE).config["x"] == 0.3
    assert hpt.recommend(history_of([(0.1, 1, None)]), LINE) is None


def test_a_bare_history_needs_its_space():
    with pytest.raises(StudyError, match="space"):
        hpt.recommend(history_of([(0.1, 1, 0.0)]))

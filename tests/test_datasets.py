"""Data sets: fixed stratified parts that share no row, scaled on the training part, and a test set that counts looks."""

import warnings

import numpy as np
import pytest

from hpt_lab import datasets
from hpt_lab.errors import DataError

MAKERS = [datasets.digits, datasets.breast_cancer, lambda: datasets.two_moons(noise=0.3), lambda: datasets.spirals(noise=0.05),
          datasets.circles, datasets.xor]


@pytest.mark.parametrize("make", MAKERS)
def test_parts_are_60_20_20_stratified_and_the_same_every_time(make):
    data, again = make(), make()
    test = data.reveal_test()
    sizes = np.array([len(data.x_train), len(data.x_validation), len(test[0])])
    assert np.abs(sizes / sizes.sum() - [0.6, 0.2, 0.2]).max() < 0.005
    shares = [np.bincount(y) / len(y) for y in (data.y_train, data.y_validation, test[1])]
    assert np.abs(np.diff(shares, axis=0)).max() < 0.01
    assert (data.x_train == again.x_train).all() and (data.y_validation == again.y_validation).all()
    assert len(data.x) == len(data.y) == len(data.x_train) + len(data.x_validation)


def test_no_row_is_in_two_parts():
    data = datasets.Data(np.arange(200.0).reshape(100, 2), np.arange(100) % 2, name="rows", scaler=None)
    rows = np.concatenate([data.x_train, data.x_validation, data.reveal_test()[0]])
    assert sorted(rows[:, 0]) == list(range(0, 200, 2))


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_no_group_is_in_two_parts(task):
    group = np.repeat(np.arange(20), 10)
    y = group % 2 if task == "classification" else group / 20
    data = datasets.Data(group[:, None], y, name="families", groups=group, scaler=None, task=task)
    parts = [set(x[:, 0]) for x in (data.x_train, data.x_validation, data.reveal_test()[0])]
    assert [len(part) for part in parts] == [12, 4, 4] and len(set.union(*parts)) == 20
    assert set(data.groups) == parts[0] | parts[1] and (data.groups == data.x[:, 0]).all()


def test_groups_that_can_not_be_split_are_refused():
    for groups in (np.arange(40) % 4, np.arange(39)):
        with pytest.raises(DataError, match="at least 5 groups for each of the 40 rows"):
            datasets.Data(np.zeros((40, 1)), np.arange(40) % 2, name="few", groups=groups)


def test_the_scaler_saw_only_the_training_rows():
    data = datasets.breast_cancer()
    assert np.abs(data.x_train.mean(0)).max() < 1e-5 and np.abs(data.x_train.std(0) - 1).max() < 1e-4
    assert np.abs(data.x_validation.mean(0)).max() > 0.01  # validation rows are shifted by what training learned


def test_the_seal_counts_and_warns_from_the_second_time_on():
    data = datasets.digits()
    assert data.reveals == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data.reveal_test()
    with pytest.warns(UserWarning, match="opened 2 times"):
        data.reveal_test()
    assert data.reveals == 2


def test_spirals_without_noise_are_two_arms_half_a_turn_apart():
    data = datasets.spirals(noise=0.0, n=400)
    radius = np.linalg.norm(data.x, axis=1)
    turn = np.arctan2(data.x[:, 1], data.x[:, 0]) / (2 * np.pi) - 1.5 * radius
    arm = np.round(2 * turn).astype(int) % 2
    assert (arm == data.y).all()


def test_circles_and_xor_without_noise_follow_their_rule():
    circles, xor = datasets.circles(noise=0.0), datasets.xor(noise=0.0)
    radius = np.linalg.norm(circles.x, axis=1)
    assert np.allclose(radius, np.where(circles.y == 1, 0.5, 1.0), atol=1e-6)
    assert (np.sign(xor.x[:, 0] * xor.x[:, 1]) == np.where(xor.y == 1, -1, 1)).all() and np.abs(xor.x).max() <= 1


@pytest.mark.parametrize(("x", "y", "says"), [
    (np.zeros((9, 2)), np.zeros(8), "same number of rows, got 9 and 8"),
    (np.full((20, 2), np.nan), np.arange(20) % 2, "NaN or infinite"),
    (np.zeros((20, 2)), np.zeros(20), "at least 2 classes"),
    (np.zeros((20, 2)), np.arange(20) < 2, "the smallest with 2 rows")])
def test_data_that_can_not_be_split_is_refused(x, y, says):
    with pytest.raises(DataError, match=says):
        datasets.Data(x, y, name="bad")

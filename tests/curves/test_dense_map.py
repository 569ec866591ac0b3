"""The dense map: exact where something was trained, between neighbours elsewhere, refused
outside."""

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from hpt_lab import curves
from hpt_lab.curves import map_recorder
from hpt_lab.curves.dense_map import Map, load_map
from hpt_lab.errors import DataError
from hpt_lab.space import Float, Space

SPACE = Space(a=Float(0, 1), b=Float(0, 1))


def some_map(shape=(4, 5, 3)):
    rng = np.random.default_rng(0)
    return Map(SPACE, rng.random(shape), rng.random(shape), {"command": "none"})


@pytest.mark.parametrize("part", ["validation", "test"])
def test_errors_agree_with_another_interpolation(part):
    some = some_map()
    points = np.random.default_rng(1).random((7, 6, 2))
    axes = np.linspace(0, 1, 4), np.linspace(0, 1, 5)
    expected = RegularGridInterpolator(axes, getattr(some, part).mean(axis=2))(points)
    assert some.errors(points, part).shape == (7, 6)
    assert np.allclose(some.errors(points, part), expected)


def test_a_trained_point_has_the_mean_of_its_seeds():
    some = some_map()
    assert some.errors([1 / 3, 0.5]) == pytest.approx(some.validation[1, 2].mean())
    assert some({"a": 1.0, "b": 0.0}) == pytest.approx(some.validation[3, 0].mean())


@pytest.mark.parametrize("points", [[0.5, 1.1], [-0.1, 0.5], [np.nan, 0.5], [0.5], [0.1, 0.2, 0.3]])
def test_what_was_not_trained_is_refused(points):
    with pytest.raises(DataError, match="from 0 to 1"):
        some_map().errors(points)


def test_a_part_or_a_shape_that_does_not_exist_is_refused():
    with pytest.raises(DataError, match="validation"):
        some_map().errors([0, 0], "training")
    with pytest.raises(DataError, match="two dimensions"):
        some_map((4, 5))


def test_a_map_survives_its_file(tmp_path):
    some = some_map()
    some.save(tmp_path / "map.npz")
    again = load_map(tmp_path / "map.npz")
    assert again.space == SPACE and again.about == some.about
    assert np.allclose(again.validation, some.validation) and np.allclose(again.test, some.test)


def test_what_is_no_map_is_refused_with_the_command(tmp_path):
    (tmp_path / "map.npz").write_bytes(b"nothing")
    for path in (
        tmp_path / "map.npz",
        tmp_path / "none.npz",
        curves.table.FOLDER / "digits-mlp.npz",
    ):
        with pytest.raises(DataError, match="map_recorder"):
            load_map(path)


def test_the_map_that_comes_along_is_the_recorders():
    world = curves.load_map()
    assert world.space == map_recorder.SPACE
    assert world.validation.shape == (map_recorder.SIDE, map_recorder.SIDE, map_recorder.SEEDS)
    assert world.about["command"] == "python -m hpt_lab.curves.map_recorder"
    assert (world.about["rows"], world.about["epochs"]) == (map_recorder.ROWS, map_recorder.EPOCHS)
    assert (world.validation >= 0).all() and (world.validation <= 1).all()


def test_a_rate_is_trained_with_every_factor_and_seed_and_gives_the_recorded_errors():
    rate = 3  # of 5: 0.1
    errors = map_recorder.train_rate(rate, side=5, seeds=1, epochs=3)
    assert errors.shape == (5, 1, 2) and (errors >= 0).all() and (errors <= 1).all()
    assert errors[0, 0, 0] < 0.6 < errors[-1, 0, 0], (
        "a penalty of 1 prevents learning, 1e-6 does not"
    )

"""Checkpoints: whole, in one step, without pickle, and never taken for another trial's."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from hpt_lab.errors import HptError  # noqa: E402
from hpt_lab.training.checkpoint import Checkpoint, load, save  # noqa: E402

ABOUT = {"settings": {"seed": 0}, "config": {"units": 4, "rate": 0.1}, "trial": 3}


def model(rate=0.5, units=4, learning_rate=0.01):
    network = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(units),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(rate),
            keras.layers.Dense(1),
        ]
    )
    network.compile(keras.optimizers.Adam(learning_rate), "mse")
    network.optimizer.build(network.trainable_variables)
    return network


def state(network):
    return [np.array(v).tolist() for v in (*network.variables, *network.optimizer.variables)]


@pytest.fixture
def saved(tmp_path):
    network = model()
    for v in (*network.weights, *network.optimizer.variables):
        v.assign(np.random.default_rng(0).random(v.shape) * 3)
    path = tmp_path / "deep" / "trial.npz"
    save(path, Checkpoint.of(network, epoch=4, curves={"loss": [0.1, 1 / 3]}), ABOUT)
    return path, network


def test_weights_optimizer_seeds_and_curves_come_back_exactly(saved):
    path, network = saved
    checkpoint, other = load(path, ABOUT), model(learning_rate=0.5)
    assert (checkpoint.epoch, checkpoint.curves) == (4, {"loss": [0.1, 1 / 3]})
    assert state(other) != state(network)
    checkpoint.restore(other)
    assert state(other) == state(network)


def test_heir_keeps_its_own_learning_rate_and_seeds(saved):
    path, network = saved
    heir = model(learning_rate=0.5)
    seeds = [np.array(v).tolist() for v in heir.variables if "seed" in v.path]
    load(path, ABOUT).inherit(heir)
    assert float(heir.optimizer.learning_rate) == 0.5
    assert [np.array(v).tolist() for v in heir.variables if "seed" in v.path] == seeds != []
    assert [np.array(v).tolist() for v in heir.weights] == [
        np.array(v).tolist() for v in network.weights
    ]
    assert float(heir.optimizer.iterations) == float(network.optimizer.iterations)


def test_parent_of_another_shape_is_refused_with_the_remedy(saved):
    with pytest.raises(HptError, match="same architecture"):
        load(saved[0], ABOUT).inherit(model(units=5))


@pytest.mark.parametrize(
    "change", [{"trial": 4}, {"config": {"units": 4, "rate": 0.2}}, {"settings": {"seed": 1}}]
)
def test_checkpoint_of_another_trial_config_or_seed_is_no_checkpoint(saved, change):
    assert load(saved[0], {**ABOUT, **change}) is None


def test_only_what_is_asked_is_compared(saved):
    assert load(saved[0], {"trial": 3}) is not None


def test_every_torn_or_flipped_file_is_no_checkpoint(saved):
    path, _ = saved
    raw = path.read_bytes()
    rng = np.random.default_rng(0)
    for cut in (0, 10, 32, 33, len(raw) // 2, len(raw) - 1):
        path.write_bytes(raw[:cut])
        assert load(path, ABOUT) is None
    for place in rng.integers(0, len(raw), 50):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        assert load(path, ABOUT) is None
    path.write_bytes(raw)
    assert load(path, ABOUT) is not None


def test_missing_file_is_no_checkpoint(tmp_path):
    assert load(tmp_path / "none.npz", ABOUT) is None


def test_interrupted_save_leaves_the_old_file_and_no_litter(saved, monkeypatch):
    path, network = saved
    before = path.read_bytes()

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("hpt_lab.training.checkpoint.os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save(path, Checkpoint.of(network, epoch=5, curves={}), ABOUT)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["trial.npz"]


def test_file_holds_no_pickle(saved):
    raw = saved[0].read_bytes()
    assert (
        b"pickle" not in raw and b"numpy.core" not in raw and raw[32:34] == b"PK"
    )  # a plain zip of .npy arrays

"""The table: its file gives back what was recorded, exactly or within the documented step, and
nothing is snapped."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest

from hpt_lab import curves
from hpt_lab.curves.table import FOLDER, QUANTITIES, STEPS, load
from hpt_lab.errors import DataError, SpaceError


@pytest.fixture
def saved(table, tmp_path):
    table.save(tmp_path / "small.npz")
    return load(tmp_path / "small.npz")


def test_accuracies_come_back_exactly_and_losses_within_half_a_step(table, saved):
    assert saved.space == table.space and saved.rows == table.rows and saved.about == table.about
    for quantity in ("val_accuracy", "test_accuracy"):
        np.testing.assert_array_equal(saved.curves[quantity], table.curves[quantity])
    for quantity in ("loss", "val_loss"):
        ratio = saved.curves[quantity] / table.curves[quantity]
        assert np.nanmax(np.abs(np.log2(ratio))) <= 0.5 / STEPS + 1e-9
        np.testing.assert_array_equal(np.isnan(ratio), np.isnan(table.curves[quantity]))
    np.testing.assert_allclose(saved.epoch_seconds, table.epoch_seconds, rtol=1e-6)


def test_saving_what_was_loaded_changes_nothing(saved, tmp_path):
    saved.save(tmp_path / "again.npz")
    assert load(tmp_path / "again.npz").digest == saved.digest
    saved.save(tmp_path / "third.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "third.npz").read_bytes()


def test_numbers_beyond_the_steps_survive(table, tmp_path):
    wild = {name: values.copy() for name, values in table.curves.items()}
    wild["loss"][0, 0, :3] = 0.0, 1e30, 1e-8
    type(table)(
        "wild", table.space, wild, table.trace_seconds, table.epoch_seconds, table.rows
    ).save(tmp_path / "wild.npz")
    back = load(tmp_path / "wild.npz").curves["loss"][0, 0, :3]
    assert back[0] == pytest.approx(1e-9, rel=0.01) and back[1:] == pytest.approx(
        [1e30, 1e-8], rel=0.01
    )


def test_rows_follow_the_order_of_the_configs(table):
    assert [table.row(config) for config in table.configs] == list(range(24))
    assert table.shape == (4, 3, 2)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"learning_rate": 0.02, "units": 8, "optimizer": "sgd"}, "learning_rate must be in"),
        ({"learning_rate": 0.01, "units": 8}, "lacks 'optimizer'"),
    ],
)
def test_values_off_the_grid_are_refused_not_snapped(table, config, says):
    with pytest.raises(SpaceError, match=says):
        table.row(config)


def test_files_that_are_no_tables_are_refused(tmp_path, table):
    with pytest.raises(
        DataError, match=r"there is no table 'digit-mlp'; those that come with hpt_lab are"
    ):
        curves.load("digit-mlp")
    (tmp_path / "text.npz").write_text("hello")
    with pytest.raises(DataError, match="is no table"):
        load(tmp_path / "text.npz")
    np.savez(tmp_path / "other.npz", a=np.arange(3))
    with pytest.raises(DataError, match="is no table"):
        load(tmp_path / "other.npz")
    table.save(tmp_path / "pickled.npz")
    with zipfile.ZipFile(tmp_path / "pickled.npz", "a") as archive:
        np.save(tmp_path / "evil.npy", np.array([print], dtype=object), allow_pickle=True)
        archive.write(tmp_path / "evil.npy", "evil.npy")
    with pytest.raises(DataError, match="is no table"):
        load(tmp_path / "pickled.npz")


@pytest.mark.parametrize("name", curves.names())
def test_the_tables_that_come_with_hpt_lab_are_whole(name):
    table = load(name)
    assert table.name == name and table.epochs == 81 and table.seeds == 3
    assert table.space.size >= {"digits-mlp": 1500, "spirals-mlp": 600}[name]
    epochs = np.arange(81)
    for quantity in QUANTITIES:
        values = table.curves[quantity]
        np.testing.assert_array_equal(
            np.isnan(values), np.broadcast_to(epochs >= table.lasted[:, :, None], values.shape)
        )
    accuracy = table.curves["val_accuracy"]
    assert np.nanmin(accuracy) >= 0 and np.nanmax(accuracy) <= 1
    assert (table.trace_seconds > 0).all() and (table.epoch_seconds > 0).all()
    assert {"tensorflow", "keras", "command", "seed"} <= table.about.keys()


def test_the_tables_take_three_megabytes_at_most():
    assert set(curves.names()) >= {"digits-mlp", "spirals-mlp"}
    assert sum(path.stat().st_size for path in FOLDER.glob("*.npz")) <= 3_000_000


def test_loading_a_table_needs_no_heavy_library():
    code = (
        "import sys; from hpt_lab import curves; table = curves.load('digits-mlp'); "
        "table.objective(); print([m for m in "
        "('tensorflow', 'keras', 'matplotlib', 'pandas', 'pickle5', 'scipy.stats', 'sklearn') if m "
        "in sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )

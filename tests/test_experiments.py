"""Recorded experiments say how they were made, and what they hold is what their function gives."""

import numpy as np
import pytest

from hpt_lab import experiments
from hpt_lab.errors import DataError
from hpt_lab.experiments import recording

ONCE = {
    f"lesson_10.{name}" for name in ("keras_tuner", "optuna", "scikit_learn", "hpt_lab", "crashes")
}  # minutes a seed
NAMES = sorted(path.stem for path in recording.FOLDER.glob("*.npz"))


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_names_its_command_and_has_a_row_a_seed(name):
    rows, facts = experiments.load(name), experiments.about(name)
    assert len(rows) == facts["seeds"] >= (1 if name in ONCE else 30)
    assert facts["command"] == f"python -m hpt_lab.experiments {name} --seeds {facts['seeds']}"
    assert callable(recording.find(name))


def test_a_recording_is_one_row_a_seed_of_its_function(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "FOLDER", tmp_path)
    monkeypatch.setattr(recording, "find", lambda name: lambda seed: [seed, seed**2])
    experiments.record("squares", 4, processes=1)
    assert experiments.load("squares").tolist() == [[0, 0], [1, 1], [2, 4], [3, 9]]
    assert np.load(tmp_path / "squares.npz", allow_pickle=False)["rows"].shape == (4, 2)


@pytest.mark.parametrize("name", ["nothing", "lesson_04.nothing", "../../etc.passwd", ""])
def test_what_is_not_recorded_is_refused_with_the_command(name):
    with pytest.raises(DataError, match=r"python -m hpt_lab\.experiments"):
        experiments.load(name)
    with pytest.raises(DataError, match="no experiment"):
        recording.find(name)

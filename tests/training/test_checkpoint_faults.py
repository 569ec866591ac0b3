"""A disk under the checkpoints that is full, read-only or gone stops the study; it fails no
trial."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras")
sys.path.insert(0, str(Path(__file__).parents[1] / "study"))

from faults import fill, small_disk  # noqa: E402

import hpt_lab as hpt  # noqa: E402
from hpt_lab.errors import DiskError, StudyError  # noqa: E402
from hpt_lab.training.checkpoint import Checkpoint, save  # noqa: E402

SPACE = hpt.Space(rate=hpt.Float(0.01, 0.1))
STRATEGY = hpt.hyperband(SPACE, max_budget=3)
STATE = Checkpoint(1, [np.zeros(2000)], [], [], {"loss": [0.5]})


def build(config):
    model = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(64, "relu"), keras.layers.Dense(1, "sigmoid")]
    )
    model.compile(keras.optimizers.Adam(config["rate"]), "binary_crossentropy")
    return model


def objective(checkpoints):
    return hpt.KerasObjective(build, hpt.datasets.two_moons(), checkpoints=checkpoints)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return hpt.tune(objective(tmp_path_factory.mktemp("whole")), STRATEGY, progress=False).digest


@pytest.mark.parametrize(
    "leave", [0, 4096, 12288]
)  # refused at once; in the middle of a file; after some trials
def test_a_full_disk_stops_the_study_and_the_resume_equals_the_undisturbed_run(
    leave, tmp_path, undisturbed
):
    with small_disk(tmp_path / "disk", kilobytes=256) as disk:
        filler = fill(disk, leave)
        trains = objective(disk / "kept")
        with pytest.raises(
            StudyError, match=r"can't write checkpoints .* No space left on device.*resume"
        ) as caught:
            hpt.tune(trains, STRATEGY, journal=tmp_path / "j", progress=False)
        assert isinstance(caught.value.__cause__, DiskError)
        records = caught.value.study.history.records
        assert not any(record.outcome.failed for record in records)
        assert len(records) == (tmp_path / "j").read_text().count('"tell"')
        assert not list(disk.glob("kept/*.tmp"))
        filler.unlink()
        assert hpt.resume(tmp_path / "j", trains, progress=False).digest == undisturbed


def test_a_disk_gone_read_only_stops_the_study(tmp_path, undisturbed):
    calls = itertools.count(1)
    with small_disk(tmp_path / "disk", kilobytes=1024) as disk:
        trains = objective(disk / "kept")

        def remount(study, record):
            if next(calls) == 3:
                subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

        with pytest.raises(StudyError, match="Read-only file system") as caught:
            hpt.tune(trains, STRATEGY, journal=tmp_path / "j", callbacks=[remount], progress=False)
        assert len(caught.value.study.history.records) == 3
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        assert hpt.resume(tmp_path / "j", trains, progress=False).digest == undisturbed


def test_a_folder_that_is_none_is_refused_before_an_epoch_is_trained(tmp_path):
    (tmp_path / "file").write_text("precious")

    def never(config):
        raise AssertionError("trained for nothing")

    for folder in (tmp_path / "file", tmp_path / "file" / "below", "/proc/nothing"):
        trains = hpt.KerasObjective(never, hpt.datasets.two_moons(), checkpoints=folder)
        with pytest.raises(StudyError, match=r"can't write checkpoints to .*checkpoints=DIR"):
            hpt.tune(trains, STRATEGY, progress=False)
    assert (tmp_path / "file").read_text() == "precious"


def test_a_folder_removed_while_the_study_runs_is_made_again(tmp_path, undisturbed):
    folder = tmp_path / "kept"

    def remove(study, record):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()

    assert (
        hpt.tune(objective(folder), STRATEGY, callbacks=[remove], progress=False).digest
        == undisturbed
    )


def test_home_is_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert objective("~/kept").checkpoints == tmp_path / "home" / "kept"


def test_a_planted_link_is_replaced_and_never_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = tmp_path / "trial.npz"
    path.symlink_to(victim)
    save(path, STATE, {})
    assert victim.read_text() == "precious" and not path.is_symlink()
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a fork to kill")
def test_a_kill_around_the_rename_leaves_the_old_file_or_the_new(when, tmp_path):
    path = tmp_path / "trial.npz"
    save(path, STATE, {})
    old = path.read_bytes()
    child = os.fork()
    if child == 0:  # saving touches NumPy alone, not TensorFlow's threads
        replace = os.replace

        def killed(source, target):
            if when == "after":
                replace(source, target)
            os.kill(os.getpid(), signal.SIGKILL)

        os.replace = killed
        try:
            save(path, Checkpoint(2, [np.ones(2000)], [], [], {"loss": [0.5, 0.25]}), {})
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert (path.read_bytes() == old) == (when == "before")

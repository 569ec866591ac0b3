"""What the fault tests share: a small disk, a study to disturb, and objectives that workers can
import."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

import hpt_lab as hpt

SPACE = hpt.Space(x=hpt.Float(-2, 2))
STRATEGY = hpt.hyperband(SPACE, max_budget=9, seed=0)
FIRST = hpt.AskTell(STRATEGY).ask().config["x"]  # of trial 0


def bowl(config, budget):
    return config["x"] ** 2 / budget


def undisturbed() -> str:
    return hpt.tune(bowl, STRATEGY, progress=False).digest


@contextlib.contextmanager
def small_disk(path: Path, kilobytes: int = 64):
    """Mount a file system of so many kilobytes at `path`; skip the test where that isn't
    allowed."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(path)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this user can't mount a tmpfs: {error}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def fill(folder: Path, leave: int = 0) -> Path:
    """Fill the disk of `folder` but for `leave` bytes, a multiple of 4096."""
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    size = filler.stat().st_size
    os.truncate(filler, size - leave)
    return filler


class Killer:
    """Kill the worker under trial 0 the first `times` times, and count the runs of every trial."""

    def __init__(self, folder: Path, times: int):
        self.folder = folder
        self.times = times

    def run(self, trial: hpt.Trial) -> hpt.Outcome:
        with open(self.folder / f"{trial.id}_{trial.budget}", "a") as file:
            file.write("x")
        if trial.id == 0 and trial.budget == 1 and self.runs(0) <= self.times:
            time.sleep(0.2)  # let a neighbour begin
            os.kill(os.getpid(), signal.SIGKILL)
        return hpt.Outcome(bowl(trial.config, trial.budget))

    def runs(self, trial: int, budget: int = 1) -> int:
        return len((self.folder / f"{trial}_{budget}").read_text())

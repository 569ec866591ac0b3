"""Record a table: train every config of a task's space, all epochs, all seeds, and remember every
epoch.

Configs with the same graph are trained together (`training.train_together`): the numbers are those
of training each alone on the same batches, up to rounding. Every such group is one file in the
journal folder, written when it is done, so that a recording that was stopped goes on where it was.
How long a config takes *alone* cannot be seen while it shares a graph with 80 others; so one of
each group is trained alone for a few epochs, and timed. Read `record`.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import tempfile
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from hpt_lab.curves.table import QUANTITIES, Table
from hpt_lab.curves.tasks import Task
from hpt_lab.datasets import Data
from hpt_lab.errors import JournalError
from hpt_lab.trial import Config

TIMED_EPOCHS = 5
SEED = (
    0  # of the whole table: model and batch order of row i, repetition k follow from (SEED, i, k)
)


def record(
    task: Task,
    journal: str | Path,
    *,
    processes: int = 1,
    command: str = "",
    groups: int | None = None,
) -> Table | None:
    """Record `task`, or go on with the recording in the folder `journal`; return the table when all
    is there.

    processes: groups trained side by side. groups: train at most so many, then return None if that
        was not all.
    """
    from joblib import Parallel, delayed

    folder = Path(journal)
    folder.mkdir(parents=True, exist_ok=True)
    _check_header(
        folder,
        {
            "task": task.name,
            "space": task.space.spec(),
            "epochs": task.epochs,
            "seeds": task.seeds,
            "seed": SEED,
        },
    )
    batches = stacks(task)
    todo = [i for i in range(len(batches)) if not _path(folder, i).exists()]
    Parallel(n_jobs=processes)(delayed(_record_stack)(task.name, folder, i) for i in todo[:groups])
    if groups is not None and groups < len(todo):
        return None
    seconds = folder / "seconds.npy"
    if not seconds.exists():  # alone, when nothing else runs
        np.save(seconds, np.array([time_alone(task, members[0][1]) for members in batches]))
    return _assemble(
        task, folder, batches, np.load(seconds), {**versions(), "command": command, "seed": SEED}
    )


def stacks(task: Task) -> list[list[tuple[int, Config]]]:
    """Group (row, config) of the task's full factorial by what their graphs have in common."""

    def outside(member: tuple[int, Config]) -> list[str]:
        return [str(value) for name, value in member[1].items() if name not in task.inside]

    configs = task.space.grid(
        {name: int(domain.size) for name, domain in task.space.domains.items()}
    )
    return [
        list(group)
        for _, group in itertools.groupby(sorted(enumerate(configs), key=outside), key=outside)
    ]


def train(
    task: Task, members: Sequence[tuple[int, Config, int]], epochs: int, data: Data
) -> np.ndarray:
    """Train (row, config, seed) together; return (members, quantities, epochs), NaN from where one
    diverged."""
    from hpt_lab.training.objective import build_model
    from hpt_lab.training.stacked import train_together

    models = [
        build_model(task.build, config, seed=(SEED, row, seed), x=data.x_train)
        for row, config, seed in members
    ]
    trained = train_together(
        models,
        (data.x_train, data.y_train),
        epochs=epochs,
        seeds=[(SEED, row, seed) for row, _, seed in members],
        batch_size=members[0][1].get("batch_size", task.batch_size),
        validation=(data.x_validation, data.y_validation),
        test=data.reveal_test(),
        jit=True,
    )
    curves = [member.curves for member in trained]  # type: ignore[union-attr]
    values = np.array([[curve[quantity] for quantity in QUANTITIES] for curve in curves])
    diverged = np.maximum.accumulate(
        ~np.isfinite(values[:, :2]).all(axis=1), axis=1
    )  # (members, epochs)
    return np.where(diverged[:, None], np.nan, values)


def time_alone(task: Task, config: Config) -> tuple[float, float]:
    """Train `config` by itself; return the seconds until its graph is ready and those of an epoch,
    the fastest seen."""
    from hpt_lab.training import Trainer
    from hpt_lab.training.objective import build_model

    data = task.data()
    traces, laps = [], []
    for _ in range(2):
        started = time.perf_counter()
        model = build_model(task.build, config, seed=(SEED,), x=data.x_train)
        trainer = Trainer(
            model,
            data.x_train,
            data.y_train,
            validation=(data.x_validation, data.y_validation),
            batch_size=config.get("batch_size", task.batch_size),
        )
        traces.append(time.perf_counter() - started)
        for _ in range(TIMED_EPOCHS):
            started = time.perf_counter()
            trainer.epoch()
            laps.append(time.perf_counter() - started)
    return min(traces), min(laps)


def versions() -> dict[str, Any]:
    """Say what a recording depends on: versions, platform, cores."""
    packages = {
        name: metadata.version(name) for name in ("tensorflow", "keras", "numpy", "scikit-learn")
    }
    return {
        "python": platform.python_version(),
        **packages,
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "recorded": time.strftime("%Y-%m-%d"),
    }


def _record_stack(name: str, folder: Path, i: int) -> None:
    import warnings

    from hpt_lab.curves.tasks import TASKS

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    task = TASKS[name]
    if _path(folder, i).exists():  # another recording in the same folder was faster
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = task.data()
        members = [
            (row, config, seed) for row, config in stacks(task)[i] for seed in range(task.seeds)
        ]
        started = time.perf_counter()
        curves = train(task, members, task.epochs, data)
    handle, fresh = tempfile.mkstemp(dir=folder, suffix=".new")  # never through a planted link
    with os.fdopen(handle, "wb") as file:  # the file appears whole or not at all
        np.savez_compressed(
            file, curves=curves.astype(np.float32), seconds=time.perf_counter() - started
        )
    os.replace(fresh, _path(folder, i))


def _assemble(
    task: Task,
    folder: Path,
    batches: list[list[tuple[int, Config]]],
    seconds: np.ndarray,
    about: dict[str, Any],
) -> Table:
    n = int(task.space.size)
    curves = np.full((n, task.seeds, len(QUANTITIES), task.epochs), np.nan)
    alone = np.zeros((2, n))
    for i, members in enumerate(batches):
        rows = [row for row, _ in members]
        with np.load(_path(folder, i), allow_pickle=False) as file:
            curves[rows] = file["curves"].reshape(
                len(rows), task.seeds, len(QUANTITIES), task.epochs
            )
        alone[:, rows] = seconds[i][:, None]
    data = task.data()
    counts = {
        "training": len(data.x_train),
        "validation": len(data.x_validation),
        "test": len(data.reveal_test()[1]),
    }
    return Table(
        task.name,
        task.space,
        {quantity: curves[:, :, q] for q, quantity in enumerate(QUANTITIES)},
        alone[0],
        alone[1],
        counts,
        about,
    )


def _check_header(folder: Path, header: dict[str, Any]) -> None:
    path = folder / "header.json"
    if not path.exists():
        path.write_text(json.dumps(header, indent=1))
    found = json.loads(path.read_text())
    if found != json.loads(json.dumps(header)):
        raise JournalError(f"{path} describes another recording; give this one a folder of its own")


def _path(folder: Path, i: int) -> Path:
    return folder / f"stack_{i:03}.npz"

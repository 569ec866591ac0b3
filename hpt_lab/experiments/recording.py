"""Run an experiment for many seeds and keep the rows in a file; read them again. Plain arrays, no
pickle."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from hpt_lab.errors import DataError

FOLDER = Path(__file__).parent / "data"


def record(name: str, seeds: int, *, processes: int = 2) -> Path:
    """Run experiment `name` for seeds 0 to `seeds` - 1, write its rows, and return the file's
    path."""
    import joblib

    function = find(name)
    jobs = (joblib.delayed(function)(seed) for seed in range(seeds))
    rows = np.array(joblib.Parallel(n_jobs=processes)(jobs))
    facts = {
        "command": f"python -m hpt_lab.experiments {name} --seeds {seeds}",
        "seeds": seeds,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    path = FOLDER / f"{name}.npz"
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(path, rows=rows, about=np.frombuffer(json.dumps(facts).encode(), np.uint8))
    return path


def load(name: str) -> np.ndarray:
    """Return the recorded rows of experiment `name`, (seeds, ...). Raises DataError if there are
    none."""
    return _read(name, "rows")


def about(name: str) -> dict[str, Any]:
    """Return how `name` was recorded: command, seeds, versions."""
    facts: dict[str, Any] = json.loads(_read(name, "about").tobytes())
    return facts


def find(name: str) -> Callable[[int], Any]:
    """Return the experiment called `name`, such as "lesson_04.scales". Raises DataError if there is
    none."""
    module, _, function = name.partition(".")
    try:
        found: Callable[[int], Any] = getattr(
            import_module(f"hpt_lab.experiments.{module}"), function
        )
    except (ImportError, AttributeError):
        raise DataError(
            f"there is no experiment {name!r}; name one as lesson_NN.function"
        ) from None
    return found


def _read(name: str, part: str) -> np.ndarray:
    path = FOLDER / f"{name}.npz"
    if not path.exists():
        recorded = sorted(file.stem for file in FOLDER.glob("*.npz"))
        raise DataError(
            f"experiment {name!r} is not recorded; recorded are {recorded}. "
            f"Record it: python -m hpt_lab.experiments {name} --seeds 100"
        )
    with np.load(path, allow_pickle=False) as archive:
        return archive[part]

"""Run a learner's file in a process of its own, with a time and a memory limit: it may hang, crash
or eat memory.

The parent starts `python -m hpt_lab.interview.drills.runner NAME FILE`, which limits itself, runs
the file, grades the function in it that has the drill's name, and writes the verdict as JSON into a
file that the parent made. What the learner's code prints goes to the terminal. The file is the
learner's own code; nothing else is ever executed.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

from hpt_lab.checks.core import Verdict
from hpt_lab.errors import InterviewError
from hpt_lab.interview.drills.core import DRILLS, grade

SECONDS = 20.0
MEGABYTES = 2048


def check_file(
    name: str, path: Path, *, seconds: float = SECONDS, megabytes: int = MEGABYTES
) -> Verdict:
    """Grade the answer in the file at `path`, whatever it does. Raises InterviewError for an
    unknown drill or file."""
    if name not in DRILLS:
        raise InterviewError(f"there is no drill {name!r}; there are {', '.join(sorted(DRILLS))}")
    if not path.is_file():
        raise InterviewError(
            f"{path} is no file; write your answer into it, beginning with\n{DRILLS[name].stub}"
        )
    with tempfile.TemporaryDirectory() as folder:
        verdict = Path(folder) / "verdict.json"
        command = [
            sys.executable,
            "-m",
            "hpt_lab.interview.drills.runner",
            name,
            str(path.resolve()),
            str(verdict),
            str(megabytes),
        ]
        try:
            done = subprocess.run(
                command, timeout=seconds, stdin=subprocess.DEVNULL, env=_environment()
            )
        except subprocess.TimeoutExpired:
            return Verdict(
                "wrong",
                f"your answer did not end within {seconds:g} seconds",
                "does a loop's condition ever become false? Try it with the smallest input",
            )
        if not verdict.exists():
            return Verdict(
                "wrong",
                f"your answer ended the whole process (exit code {done.returncode})",
                f"leave out exit() and the like, and use less than {megabytes:,} MB",
            )
        return Verdict(**json.loads(verdict.read_text()))


def _environment() -> dict[str, str]:
    """One thread for every library: many would need much of the address space that is limited."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _limit(megabytes: int) -> None:
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (megabytes * 2**20, hard))


def _grade_file(name: str, path: str) -> Verdict:
    try:
        found = runpy.run_path(path)
    except MemoryError:
        return Verdict("wrong", "your file uses too much memory", "look for a list that only grows")
    except Exception as error:  # noqa: BLE001  the learner's file can do anything
        return Verdict(
            "wrong", f"your file raises {type(error).__name__}: {error}", "run it by itself first"
        )
    if name not in found:
        return Verdict(
            "wrong", f"your file has no function {name}", f"begin with\n{DRILLS[name].stub}"
        )
    return grade(name, found[name])


def _main(name: str, path: str, verdict: str, megabytes: str) -> None:
    _limit(int(megabytes))
    graded = _grade_file(name, path)
    content = {"status": graded.status, "text": graded.text, "hint": graded.hint}
    Path(verdict).write_text(json.dumps(content))


if __name__ == "__main__":
    _main(*sys.argv[1:])

"""Do what Binder does, without Docker: its install lines in a fresh environment, then lesson 00 on
one core in 2 GB.

`python tests/binder.py` (a few minutes; CI runs it after `make test`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
LIMIT = 2e9  # bytes, as on Binder
LESSON = ROOT / "notebooks" / "00-start-here.ipynb"


def memory(process: psutil.Process) -> int:
    """Return the resident bytes of a process and its children; what has ended counts as nothing."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "PATH": f"{folder}/bin:{os.environ['PATH']}",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "OMP_NUM_THREADS": "1",
        }
        environment.pop("PYTHONPATH", None)
        for command in (
            [sys.executable, "-m", "venv", folder],
            [
                f"{folder}/bin/python",
                "-m",
                "pip",
                "install",
                "--quiet",
                "-r",
                "binder/requirements.txt",
            ],
            ["binder/postBuild"],
            [f"{folder}/bin/python", "-m", "pip", "check"],
        ):
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True
            )
            wanted = [
                line for line in done.stdout.splitlines() if "requires tensorflow," not in line
            ]  # it's tensorflow-cpu
            if done.returncode and (command[-1] != "check" or wanted):
                sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")

        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(
                0, {min(os.sched_getaffinity(0))}
            )  # one core, for the children too
        started, peak = time.perf_counter(), 0
        lesson = subprocess.Popen(
            [f"{folder}/bin/jupyter", "execute", "--timeout=300", LESSON],
            env=environment,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        while lesson.poll() is None:
            try:
                peak = max(peak, memory(psutil.Process(lesson.pid)))
            except psutil.NoSuchProcess:
                break
            if peak > LIMIT:
                lesson.kill()
                sys.exit(f"lesson 00 needs more than {LIMIT / 1e9:.0f} GB: Binder would stop it")
            time.sleep(0.1)
        errors = lesson.communicate()[1]
        if lesson.returncode:
            sys.exit(f"lesson 00 failed in Binder's environment:\n{errors}")
        print(
            f"Binder: lesson 00 ran in {time.perf_counter() - started:.0f} s on one core, peak "
            f"memory {peak / 1e9:.2f} GB"
        )


if __name__ == "__main__":
    main()

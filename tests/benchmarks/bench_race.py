"""Replay and race: 1,000 Hyperband runs, eight strategies on 100 seeds, and loading a table without
TensorFlow.

    python tests/benchmarks/bench_race.py

The targets are seconds on 2 cores: under 20 for 1,000 Hyperband runs (R=81, 206 evaluations each)
in one process, under 180 for the race at 20 full trainings' worth of epochs, under 0.3 for a table.
"""

from __future__ import annotations

import subprocess
import sys
import time

from hpt_lab import curves, hyperband
from hpt_lab.curves.racing import contestants, race
from hpt_lab.study.ask_tell import AskTell

LOAD = """
import time, sys
import numpy, hpt_lab
started = time.perf_counter()
from hpt_lab import curves
tables = [curves.load(name) for name in {names!r}]
print((time.perf_counter() - started) / len(tables), "tensorflow" in sys.modules)
"""


def main() -> None:
    code = LOAD.format(names=curves.names())
    loading, tensorflow = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    table = curves.load("digits-mlp")
    started = time.perf_counter()
    for seed in range(1000):
        ask_tell, objective, runs = (
            AskTell(hyperband(table.space, max_budget=81, seed=seed)),
            table.objective(seed=seed),
            0,
        )
        while (trial := ask_tell.ask()) is not None:
            ask_tell.tell(trial, objective.run(trial))
            runs += 1
    replay = time.perf_counter() - started
    started = time.perf_counter()
    result = race(contestants(table), table, 20 * table.epochs, seeds=100, processes=2)
    racing = time.perf_counter() - started
    print(
        f"loading a table, mean of {len(curves.names())}: {float(loading):.3f} s, TensorFlow "
        f"loaded: {tensorflow}"
    )
    print(f"1,000 Hyperband runs of {runs} evaluations: {replay:.1f} s")
    print(
        f"{len(result.runs) - 1} strategies and the line x {len(result.seeds)} seeds: {racing:.1f} "
        "s"
    )
    assert runs == 206 and tensorflow == "False"
    assert float(loading) < 0.3
    assert replay < 20
    assert racing < 180


if __name__ == "__main__":
    main()

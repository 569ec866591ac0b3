"""Run every benchmark in a process of its own, one after another: `make bench`, or with names of a
few.

Each prints its table and asserts its targets, as ratios of things measured side by side in the same
run.
"""

import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    wanted, missed = sys.argv[1:], []
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        name = path.stem.removeprefix("bench_")
        if wanted and name not in wanted:
            continue
        print(f"\n== {name}", flush=True)
        started = time.perf_counter()
        if subprocess.run([sys.executable, path]).returncode:
            missed.append(name)
        print(f"   ({time.perf_counter() - started:.0f} s)", flush=True)
    if missed:
        sys.exit(f"targets missed in: {', '.join(missed)}")


if __name__ == "__main__":
    main()

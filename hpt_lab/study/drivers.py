"""Run trials until the strategy has no more: here, one after another, or on any `concurrent.futures.Executor`.

One thread owns the strategy; workers only ever see a trial. A trial that raises, or whose loss is not finite,
becomes an outcome with an error: failure is data.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import replace

from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.evaluation import AnyObjective, evaluate
from hpt_lab.trial import Outcome, Trial, failure


def serial(ask_tell: AskTell, objective: AnyObjective, asked: Callable[[Trial], None]) -> Iterator[tuple[Trial, Outcome]]:
    """Run one trial at a time, those left pending by a replay first; the caller tells each outcome."""
    left = deque(ask_tell.history.pending)
    while (trial := _next(left, ask_tell, asked)) is not None:
        yield trial, evaluate(objective, trial)


def parallel(ask_tell: AskTell, objective: AnyObjective, asked: Callable[[Trial], None],
             executor: Executor) -> Iterator[tuple[Trial, Outcome]]:
    """Keep the executor's workers busy; outcomes come in the order in which they finish."""
    workers = getattr(executor, "_max_workers", None) or os.cpu_count() or 1  # Dask's executor doesn't tell
    left = deque(ask_tell.history.pending)
    running: dict[Future[Outcome], Trial] = {}
    try:
        while True:
            while len(running) < workers and (trial := _next(left, ask_tell, asked)) is not None:
                running[executor.submit(evaluate, objective, replace(trial, why=None))] = trial
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in sorted(done, key=lambda future: (running[future].id, running[future].budget)):
                trial = running.pop(future)
                error = future.exception()  # not the objective's, which evaluate() catches: a worker's, or pickling's
                yield trial, failure(f"{type(error).__name__}: {error}") if error else future.result()
    finally:
        for future in running:
            future.cancel()


def _next(left: deque[Trial], ask_tell: AskTell, asked: Callable[[Trial], None]) -> Trial | None:
    """Return the next trial: one that a replay left pending, else what the strategy asks for, reporting that to `asked`."""
    if left:
        return left.popleft()
    if (trial := ask_tell.ask()) is not None:
        asked(trial)
    return trial

"""Run trials until the strategy has no more: here, one after another; workers.py runs them on an executor.

One thread owns the strategy; workers only ever see a trial. A trial that raises, or whose loss is not finite,
becomes an outcome with an error: failure is data. What is not the trial's fault passes (faults.py).
"""

from __future__ import annotations

import inspect
import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Protocol

from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.faults import failed
from hpt_lab.trial import Config, Outcome, Trial


class Objective(Protocol):
    """Anything that can train a trial up to its budget."""

    def run(self, trial: Trial) -> Outcome: ...


AnyObjective = Objective | Callable[[Config], float | Outcome] | Callable[[Config, float], float | Outcome]


def evaluate(objective: AnyObjective, trial: Trial) -> Outcome:
    """Run one trial and return its outcome, whatever the objective raises, but for Ctrl-C and a full disk.

    `objective` has a `run(trial)`, or is a plain function of (config) or (config, budget) that returns a loss
    or an Outcome.
    """
    start = time.perf_counter()
    config = dict(trial.config)  # a copy: what the objective does to its config stays with it
    try:
        if hasattr(objective, "run"):
            answer: Any = objective.run(replace(trial, config=config))
        elif len(inspect.signature(objective).parameters) > 1:
            answer = objective(config, trial.budget)  # type: ignore[call-arg]
        else:
            answer = objective(config)  # type: ignore[call-arg]
        outcome = answer if isinstance(answer, Outcome) else Outcome(float(answer))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 -- sys.exit too: recorded, and counted by the study
        return failed(error, time.perf_counter() - start)
    if outcome.error is None and not math.isfinite(outcome.loss):
        outcome = replace(outcome, error=f"the loss is {outcome.loss}")
    return outcome if outcome.seconds else replace(outcome, seconds=time.perf_counter() - start)


def serial(ask_tell: AskTell, objective: AnyObjective,
           asked: Callable[[Trial], None]) -> Iterator[tuple[Trial, Outcome]]:
    """Run one trial at a time, those left pending by a replay first; the caller tells each outcome."""
    left = deque(ask_tell.history.pending)
    while (trial := next_trial(left, ask_tell, asked)) is not None:
        yield trial, evaluate(objective, trial)


def next_trial(left: deque[Trial], ask_tell: AskTell, asked: Callable[[Trial], None]) -> Trial | None:
    """Return the next trial: one that is left to be run, else what the strategy asks for.

    What it asks for is reported to `asked`.
    """
    if left:
        return left.popleft()
    if (trial := ask_tell.ask()) is not None:
        asked(trial)
    return trial

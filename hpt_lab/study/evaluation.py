"""Run one trial on an objective and return its outcome, whatever happens. Read `evaluate`."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from hpt_lab.trial import Config, Outcome, Trial, failure


class Objective(Protocol):
    """Anything that can train a trial up to its budget."""

    def run(self, trial: Trial) -> Outcome: ...


AnyObjective = Objective | Callable[[Config], float | Outcome] | Callable[[Config, float], float | Outcome]


def evaluate(objective: AnyObjective, trial: Trial) -> Outcome:
    """Run one trial and return its outcome, whatever happens.

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
    except Exception as error:  # noqa: BLE001 -- recorded with its type and message, and counted by the study
        return failure(f"{type(error).__name__}: {error}", time.perf_counter() - start)
    if outcome.error is None and not math.isfinite(outcome.loss):
        outcome = replace(outcome, error=f"the loss is {outcome.loss}")
    return outcome if outcome.seconds else replace(outcome, seconds=time.perf_counter() - start)

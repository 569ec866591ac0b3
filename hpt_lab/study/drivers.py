"""Run trials until the strategy has no more: here, one after another; workers.py runs them on an
executor.

One thread owns the strategy; workers only ever see a trial. A trial that raises, or whose loss is
not finite, becomes an outcome with an error: failure is data. What is not the trial's fault passes
(faults.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.evaluation import AnyObjective, calling, evaluate
from hpt_lab.trial import Outcome, Trial


def serial(
    ask_tell: AskTell, objective: AnyObjective, asked: Callable[[Trial], None]
) -> Iterator[tuple[Trial, Outcome]]:
    """Run one trial at a time, those left pending by a replay first; the caller tells each
    outcome."""
    left = deque(ask_tell.history.pending)
    how = calling(objective)
    while (trial := next_trial(left, ask_tell, asked)) is not None:
        yield trial, evaluate(objective, trial, how)


def next_trial(
    left: deque[Trial], ask_tell: AskTell, asked: Callable[[Trial], None]
) -> Trial | None:
    """Return the next trial: one that is left to be run, else what the strategy asks for.

    What it asks for is reported to `asked`.
    """
    if left:
        return left.popleft()
    if (trial := ask_tell.ask()) is not None:
        asked(trial)
    return trial

"""Simulate a study on any number of workers, without waiting: a discrete-event simulation of
`drivers.parallel`.

The objective answers at once and says how many seconds its answer would have taken
(`Outcome.seconds`: of this call alone, so that a resumed trial costs only what it adds). Who
finishes first decides what the strategy knows when it is asked next, which is all there is to
parallel tuning. Read `simulate`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from heapq import heappop, heappush

from hpt_lab.arguments import is_number, show
from hpt_lab.errors import HptError, StudyError
from hpt_lab.history import History
from hpt_lab.strategies.strategy import Strategy, check_whole
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.evaluation import Objective
from hpt_lab.trial import Outcome, Trial


@dataclass(frozen=True)
class Span:
    """One run of a trial on a worker, from `start` to `end` in simulated seconds."""

    worker: int
    start: float
    end: float
    trial: Trial


@dataclass(frozen=True)
class Simulation:
    """What ran where and when: `spans` in order of start, `told` the time of each record of
    `history`.

    seconds: when it ended: the last result, or max_seconds. Runs that would have ended later are
        still pending.
    """

    history: History = field(repr=False)
    spans: list[Span] = field(repr=False)
    told: list[float] = field(repr=False)
    workers: int
    seconds: float

    @property
    def utilisation(self) -> float:
        """The share of the workers' time spent training, until `seconds`; 1.0 if nothing took any
        time."""
        busy = sum(min(span.end, self.seconds) - span.start for span in self.spans)
        return busy / (self.workers * self.seconds) if self.seconds else 1.0


def simulate(
    strategy: Strategy,
    objective: Objective,
    *,
    workers: int = 1,
    max_seconds: float = math.inf,
    max_epochs: float = math.inf,
) -> Simulation:
    """Run `strategy` on `objective` with simulated workers, until it ends or a limit is reached.

    max_seconds: results that would come later don't. max_epochs: nothing starts once so many epochs
        have been asked for.
    Results of the same instant are all told before anyone asks, in the order in which they started;
    the idle worker with the smallest number is served first. Raises StudyError for seconds that are
    negative or not finite.
    """
    check_whole("workers", workers, 1, hint=8, most=100_000)
    check_limit("max_seconds", max_seconds)
    check_limit("max_epochs", max_epochs)
    if not callable(getattr(objective, "run", None)):
        raise HptError(
            f"objective must have run(trial), got {show(objective)}; try table.objective(seed=0)"
        )
    ask_tell = AskTell(strategy)
    spans: list[Span] = []
    told: list[float] = []
    idle = list(range(workers))  # a heap
    running: list[tuple[float, int, Outcome]] = []  # a heap of (end, index into spans, outcome)
    had: dict[int | None, float] = {}  # budget by trial
    epochs, now = 0.0, 0.0
    while True:
        while idle and epochs < max_epochs and (trial := ask_tell.ask()) is not None:
            epochs += trial.budget - had.get(trial.id, had.get(trial.parent, 0))
            had[trial.id] = trial.budget
            outcome = objective.run(trial)
            if not 0 <= outcome.seconds < math.inf:
                raise StudyError(
                    f"an objective's seconds must be finite and >= 0, got {outcome.seconds} for "
                    f"{trial}"
                )
            heappush(running, (now + outcome.seconds, len(spans), outcome))
            spans.append(Span(heappop(idle), now, now + outcome.seconds, trial))
        if not running or running[0][0] > max_seconds:
            break
        now = running[0][0]
        while running and running[0][0] == now:
            _, i, outcome = heappop(running)
            ask_tell.tell(spans[i].trial, outcome)
            told.append(now)
            heappush(idle, spans[i].worker)
    return Simulation(ask_tell.history, spans, told, workers, max_seconds if running else now)


def check_limit(name: str, value: float) -> None:
    """Raise HptError unless `value` is a number >= 0; infinity is no limit."""
    if not is_number(value) or not value >= 0:
        raise HptError(
            f"{name} must be a number >= 0, got {show(value)}; leave it out for no limit"
        )

"""Ask a strategy for trials, tell it outcomes: one interface over both kinds of strategy.

Drivers know only this. A generator is advanced when the last loss of its batch arrives; of several
generators the first with a trial to give is served, and later ones are not even started before they
are needed, so that a single worker runs Hyperband's brackets one after another while many workers
fill theirs with the next bracket.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

from hpt_lab.arguments import show
from hpt_lab.errors import StrategyError
from hpt_lab.history import History, Record
from hpt_lab.strategies.strategy import Batches, Strategy, check_strategy
from hpt_lab.trial import Outcome, Trial


class AskTell:
    """Drive `strategy` from outside. Same strategy, same order of asks and tells: same trials."""

    def __init__(self, strategy: Strategy):
        self.history = History()
        self.strategy = strategy
        self._asked: list[
            int
        ] = []  # how many trials were out when the record of this place was told
        started = check_strategy(strategy).start()
        self._propose = started if callable(started) else None
        generators = (
            started if isinstance(started, list) else [] if callable(started) else [started]
        )
        self._lanes = [_Lane(generator) for generator in generators]

    def ask(self) -> Trial | None:
        """Return the next trial to run, or None: nothing until something is told, or, with nothing
        pending, ever."""
        if self._propose is not None:
            trial = self._propose(self.history)
        else:
            trial = next((trial for lane in self._lanes if (trial := lane.ask()) is not None), None)
        if trial is not None:
            trial = self._with_origin(trial)
            self.history.ask(trial)
        return trial

    def _with_origin(self, trial: Trial) -> Trial:
        """Tell a trial with a parent whose weights it starts from: what the parent had been trained
        to by then."""
        if trial.parent is None or trial.origin is not None:
            return trial
        before = [record.trial for record in self.history.records]
        origins = [old.origin for old in before if old.id == trial.id and old.origin is not None]
        if not origins:  # asked for the first time
            parents = [
                old for old in before if old.id == trial.parent and old.budget < trial.budget
            ]
            origins = [
                replace(old, why=None) for old in sorted(parents, key=lambda old: old.budget)[-1:]
            ]
        return replace(trial, origin=origins[0]) if origins else trial

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Report the outcome of a pending trial, in any order."""
        if not isinstance(trial, Trial) or trial not in self.history.pending:
            raise StrategyError(
                f"tell needs a trial that was asked and not told yet, got {show(trial)}"
            )
        self.history.tell(trial, outcome)
        self._asked.append(self.history.asked)
        for lane in self._lanes:
            if (trial.id, trial.budget) in lane.waiting:
                lane.tell(trial, outcome.rank_loss)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle by replay, for a generator can't be stored."""
        return _replayed, (self.strategy, self.history.records, self._asked, self.history.asked)


def _replayed(strategy: Strategy, records: list[Record], asked: list[int], in_all: int) -> AskTell:
    """Ask and tell again what was asked and told, in the same order."""
    again = AskTell(strategy)
    for record, out in zip(records, asked, strict=True):
        while again.history.asked < out:
            again.ask()
        again.tell(record.trial, record.outcome)
    while again.history.asked < in_all:
        again.ask()
    return again


class _Lane:
    """One generator and its open batch."""

    def __init__(self, generator: Batches):
        self.generator = generator
        self.started = False
        self.batch: list[Trial] = []
        self.unasked: deque[Trial] = deque()
        self.waiting: set[tuple[int, float]] = (
            set()
        )  # (id, budget) of the batch's trials without a loss yet
        self.losses: dict[tuple[int, float], float] = {}

    def ask(self) -> Trial | None:
        if not self.started:
            self.started = True
            self._open(None)
        return self.unasked.popleft() if self.unasked else None

    def tell(self, trial: Trial, loss: float) -> None:
        self.waiting.remove((trial.id, trial.budget))
        self.losses[trial.id, trial.budget] = loss
        if not self.waiting:
            self._open([self.losses[t.id, t.budget] for t in self.batch])

    def _open(self, losses: list[float] | None) -> None:
        try:
            batch = next(self.generator) if losses is None else self.generator.send(losses)
            while not batch:  # an empty rung (all failed) has no losses to wait for
                batch = self.generator.send([])
        except StopIteration:
            return
        self.batch, self.unasked, self.losses = batch, deque(batch), {}
        self.waiting = {(trial.id, trial.budget) for trial in batch}

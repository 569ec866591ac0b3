"""A study: one run of a strategy on an objective, everything remembered. Read `tune` first.

`plan` says what a strategy will cost before anything is spent; `resume` goes on with a study from its journal.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from hpt_lab.errors import JournalError, StrategyError, StudyError
from hpt_lab.fingerprint import fingerprint
from hpt_lab.history import History, Record, increments
from hpt_lab.space import Space
from hpt_lab.strategies.strategy import STRATEGIES, Strategy
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.drivers import AnyObjective, parallel, serial
from hpt_lab.study.journal import Journal, read_header
from hpt_lab.study.plan import plan

if TYPE_CHECKING:
    import pandas


@dataclass
class Study:
    """A strategy, its history so far, and why it stopped: "finished", "interrupted" or "callback"."""

    strategy: Strategy
    history: History = field(repr=False)
    stopped: str = ""

    @property
    def best(self) -> Record | None:
        """The record with the smallest loss: `.config`, `.loss`, `.metrics`, `.budget`. None if every trial failed."""
        return self.history.best

    @property
    def epochs(self) -> float:
        """Training spent in all, resumed epochs counted once (in the unit of the budget)."""
        return sum(increments(record.trial for record in self.history.records))

    @property
    def seconds(self) -> float:
        """Seconds spent inside the objective, over all trials."""
        return sum(record.outcome.seconds for record in self.history.records)

    @property
    def digest(self) -> str:
        """Sixteen hex digits over all trials and losses, to the last bit, in whatever order they finished."""
        rows = sorted((r.trial.id, r.budget, json.dumps(r.config), repr(float(r.outcome.rank_loss)))
                      for r in self.history.records)
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]

    def frame(self) -> pandas.DataFrame:
        """Return the history as a data frame, one row per record."""
        return self.history.frame()


Callback = Callable[[Study, Record], Any]


def tune(objective: AnyObjective, strategy: Strategy, *, journal: str | Path | None = None, executor: Executor | None = None,
         progress: bool = True, callbacks: Iterable[Callback] = (), max_failures: int = 10,
         version: str | None = None) -> Study:
    """Run `strategy` on `objective` to its end and return the study.

    objective: has `run(trial) -> Outcome`, or is a plain function of (config) or (config, budget) returning a loss.
    journal: a file; if it holds this very study already, the study goes on where it stopped.
    executor: any `concurrent.futures.Executor`; without one, trials run here, one after another.
    callbacks: called as callback(study, record) after every outcome; one that returns True stops the study.
    max_failures: so many failed trials in a row stop the study with a StudyError that carries it.
    version: what the journal knows the objective's code by; by default a `fingerprint`, so that an edited objective is
        refused. A name of your own, which you change when results should no longer be mixed; or the name in the refusal.

    Ctrl-C stops too, and returns what there is (`study.stopped == "interrupted"`).

    >>> from hpt_lab.space import Float
    >>> from hpt_lab.strategies.random_search import random_search
    >>> study = tune(lambda config: (config["x"] - 1) ** 2, random_search(Space(x=Float(-2, 2)), trials=50, seed=0))
    >>> study.best.loss < 0.01
    True
    """
    callbacks = tuple(callbacks)
    ask_tell = AskTell(strategy)
    study = Study(strategy, ask_tell.history)
    record_of = None
    if journal is not None:
        code = version or getattr(objective, "code", None) or fingerprint(objective)
        record_of = Journal(journal, {**strategy.describe(), "objective": getattr(objective, "settings", None),
                                      "code": code})
        record_of.replay(ask_tell)

    def asked(trial: Any) -> None:
        if record_of is not None:
            record_of.ask(trial)

    outcomes = serial(ask_tell, objective, asked) if executor is None else parallel(ask_tell, objective, asked, executor)
    failures = 0
    try:
        with _bar(strategy, study, progress) as bar:
            for trial, outcome in outcomes:
                ask_tell.tell(trial, outcome)
                if record_of is not None:
                    record_of.tell(trial, outcome)
                if study.best is not None:
                    bar.set_postfix_str(f"best loss {study.best.loss:.4g}", refresh=False)
                bar.update()
                failures = failures + 1 if outcome.failed else 0
                if failures >= max_failures:
                    raise StudyError(f"{failures} trials in a row failed, max_failures={max_failures}; the last with "
                                     f"{outcome.error}. The study so far is this error's .study", study)
                if any([callback(study, study.history.records[-1]) is True for callback in callbacks]):
                    study.stopped = "callback"
                    break
            else:
                study.stopped = "finished"
    except KeyboardInterrupt:
        study.stopped = "interrupted"
    finally:
        outcomes.close()  # type: ignore[attr-defined]
        if record_of is not None:
            record_of.close()
    return study


def resume(journal: str | Path, objective: AnyObjective, **options: Any) -> Study:
    """Go on with the study in `journal`, its strategy rebuilt from the header; `options` are those of `tune`."""
    return tune(objective, strategy_of(journal), journal=journal, **options)


def strategy_of(journal: str | Path) -> Strategy:
    """Rebuild the strategy that a journal's header names, from its name and settings alone."""
    header = read_header(journal)
    name, settings = header.get("strategy"), dict(header.get("settings") or {})
    if name not in STRATEGIES:
        raise JournalError(f"{journal} was written by strategy {name!r}, which is not defined here; known: "
                           f"{sorted(STRATEGIES)}. Import the module that defines it first")
    try:
        return STRATEGIES[name](**{**settings, "space": Space.from_spec(settings["space"])})
    except (KeyError, TypeError) as error:
        raise JournalError(f"{journal}: the header's settings don't fit {name}: {error}") from None


def _bar(strategy: Strategy, study: Study, progress: bool) -> tqdm:
    """Make a progress bar on a terminal or in a notebook, and a silent one elsewhere."""
    if not progress or not (sys.stderr.isatty() or "ipykernel" in sys.modules):
        return tqdm(disable=True)
    try:
        total = None if callable(strategy.start()) else plan(strategy).runs
    except StrategyError:
        total = None
    total = total or strategy.settings.get("trials")
    return tqdm(total=total, initial=len(study.history.records), unit="run", desc=strategy.name)

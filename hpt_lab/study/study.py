"""A study: one run of a strategy on an objective, everything remembered. Read `tune` first.

`plan` says what a strategy will cost before anything is spent; `resume` goes on with a study from
its journal.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from hpt_lab.arguments import check_flag
from hpt_lab.errors import DiskError, JournalError, StrategyError, StudyError
from hpt_lab.fingerprint import fingerprint
from hpt_lab.history import History, Record, increments
from hpt_lab.space import Space
from hpt_lab.strategies.strategy import STRATEGIES, Strategy, check_strategy, check_whole
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.drivers import serial
from hpt_lab.study.evaluation import AnyObjective, check_callbacks, check_objective
from hpt_lab.study.faults import describe
from hpt_lab.study.journal import Journal, read_header
from hpt_lab.study.plan import plan
from hpt_lab.study.workers import Workers, parallel
from hpt_lab.trial import Outcome, Trial

if TYPE_CHECKING:
    import pandas

    from hpt_lab.study.next_steps import Step


@dataclass
class Study:
    """A strategy, its history so far, and why it stopped: "finished", "interrupted" or
    "callback"."""

    strategy: Strategy
    history: History = field(repr=False)
    stopped: str = ""

    @property
    def best(self) -> Record | None:
        """The record with the smallest loss: `.config`, `.loss`, `.metrics`, `.budget`. None if
        every trial failed."""
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
        """Sixteen hex digits over all trials and losses, to the last bit, in whatever order they
        finished."""
        rows = sorted(
            (r.trial.id, r.budget, json.dumps(r.config), repr(float(r.outcome.rank_loss)))
            for r in self.history.records
        )
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]

    def frame(self) -> pandas.DataFrame:
        """Return the history as a data frame, one row per record."""
        return self.history.frame()

    def next_steps(self) -> list[Step]:
        """Say in plain words what the evidence supports doing next, each statement with its
        number."""
        from hpt_lab.study.next_steps import next_steps

        return next_steps(self)

    def report(self, path: str | Path) -> Path:
        """Write this study's report, one self-contained HTML file, to `path` and return it."""
        from hpt_lab.reports import write_report

        return write_report(self, path)


Callback = Callable[[Study, Record], Any]


def tune(
    objective: AnyObjective,
    strategy: Strategy,
    *,
    journal: str | Path | None = None,
    executor: Executor | None = None,
    progress: bool = True,
    callbacks: Iterable[Callback] = (),
    max_failures: int = 10,
    version: str | None = None,
) -> Study:
    """Run `strategy` on `objective` to its end and return the study.

    objective: has `run(trial) -> Outcome`, or is a plain function of (config) or (config, budget)
        returning a loss.
    journal: a file; if it holds this very study already, the study goes on where it stopped. `~` is
        the
        home directory, folders are made.
    executor: any `concurrent.futures.Executor`; without one, trials run here, one after another.
    callbacks: called as callback(study, record) after every outcome; one that returns True stops
        the study.
    max_failures: so many failed trials in a row stop the study with a StudyError that carries it;
        so does a study that
        ends without one that succeeded.
    version: what the journal knows the objective's code by; by default a `fingerprint`, so that an
        edited objective is
        refused. A name of your own, which you change when results should no longer be mixed; or the
        name in the refusal.

    What goes wrong, and what comes of it:

    - An objective that raises, whatever it raises, `sys.exit` included: that trial's failure,
    recorded.
    - Ctrl-C: the study so far is returned (`study.stopped == "interrupted"`).
    - `kill -9` of this process: nothing that was recorded is lost; `resume` asks again what was
    running.
    - A worker process that dies: its pool is made anew and what ran in it runs again, each trial
    with
      a worker of its own. A trial under which a worker then dies twice is recorded as failed.
      Workers that never start, or an executor that can't be made anew: StudyError.
    - A process pool that would fork after TensorFlow was imported: StudyError, before anything
    starts.
    - A disk that is full or can't be written, under the journal or the checkpoints: StudyError, and
      nothing is recorded for the trial. So too for a journal removed, replaced or changed
      meanwhile.
    - A journal that is another study's, unreadable, or in use by another driver (which is named):
      JournalError, before anything starts.

    A StudyError carries the study so far as `.study`. With a journal, `resume` goes on in every
    case as if nothing had happened. Without an executor a trial that kills its process kills the
    study, at every
    `resume` again: give it an executor of one worker process.

    >>> from hpt_lab.space import Float
    >>> from hpt_lab.strategies.random_search import random_search
    >>> strategy = random_search(Space(x=Float(-2, 2)), trials=50, seed=0)
    >>> study = tune(lambda config: (config["x"] - 1) ** 2, strategy)
    >>> study.best.loss < 0.01
    True
    """
    check_objective(objective, check_strategy(strategy))
    check_flag("progress", progress)
    callbacks = check_callbacks(callbacks)
    max_failures = check_whole("max_failures", max_failures, 1, hint=10)
    workers = None if executor is None else Workers(executor)
    ask_tell = AskTell(strategy)
    study = Study(strategy, ask_tell.history)
    with ExitStack() as stack:
        kept = None
        if journal is not None:
            settings = getattr(objective, "settings", None)
            code = version or getattr(objective, "code", None) or fingerprint(objective)
            kept = Journal(journal, {**strategy.describe(), "objective": settings, "code": code})
            stack.enter_context(closing(kept))
            kept.replay(ask_tell)
        asked = _forget if kept is None else kept.ask
        outcomes = (
            serial(ask_tell, objective, asked)
            if workers is None
            else parallel(ask_tell, objective, asked, workers)
        )
        stack.enter_context(closing(outcomes))  # type: ignore[type-var]
        bar = stack.enter_context(_bar(strategy, study, progress))
        try:
            study.stopped = _drive(study, ask_tell, outcomes, kept, bar, callbacks, max_failures)
        except KeyboardInterrupt:
            study.stopped = "interrupted"
        except StudyError as error:
            error.study = study
            raise
        except (DiskError, JournalError) as error:
            raise StudyError(
                f"{error}. Then go on with resume(); the study so far, "
                f"{len(study.history.records)} outcomes, is this error's .study",
                study,
            ) from error
    return study


def _drive(
    study: Study,
    ask_tell: AskTell,
    outcomes: Iterable[tuple[Trial, Outcome]],
    kept: Journal | None,
    bar: tqdm,
    callbacks: tuple[Callback, ...],
    max_failures: int,
) -> str:
    """Tell every outcome as it comes, the journal first; return why this ended."""
    failures = 0
    for trial, outcome in outcomes:
        if kept is not None:
            kept.tell(trial, outcome)
        ask_tell.tell(trial, outcome)
        if study.best is not None:
            bar.set_postfix_str(f"best loss {study.best.loss:.4g}", refresh=False)
        bar.update()
        failures = failures + 1 if outcome.failed else 0
        if failures >= max_failures:
            raise StudyError(
                f"{failures} trials in a row failed, max_failures={max_failures}; the last with "
                f"{outcome.error}. The study so far is this error's .study"
            )
        if any([callback(study, study.history.records[-1]) is True for callback in callbacks]):
            return "callback"
    if kept is not None:
        kept.check()
    records = study.history.records
    if records and study.best is None:
        raise StudyError(
            f"every trial failed, all {len(records)} of them, so there is no best one; the last "
            "with "
            f"{records[-1].outcome.error}. The study is this error's .study, its .frame() has all "
            "errors"
        )
    return "finished"


def _forget(trial: Trial) -> None:
    """Be told of a trial that was asked for, where there is no journal."""


def resume(journal: str | Path, objective: AnyObjective, **options: Any) -> Study:
    """Go on with the study in `journal`, its strategy rebuilt from the header; `options` are those
    of `tune`.

    Trials that were running when the study stopped are asked again; what was recorded is not. A
    line torn by a crash is cut off, a lock left by one is none. Raises JournalError for a journal
    that is missing, unreadable, another study's or in use; what can happen while it runs is what
    `tune` says.
    """
    return tune(objective, strategy_of(journal), journal=journal, **options)


def strategy_of(journal: str | Path) -> Strategy:
    """Rebuild the strategy that a journal's header names, from its name and settings alone."""
    header = read_header(journal)
    name = header["strategy"]
    settings = header["settings"]
    if name not in STRATEGIES:
        raise JournalError(
            f"{journal} was written by strategy {name!r}, which is not defined here; known: "
            f"{sorted(STRATEGIES)}. Import the module that defines it first"
        )
    try:
        return STRATEGIES[name](**{**settings, "space": Space.from_spec(settings["space"])})
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        IndexError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise JournalError(
            f"{journal}: the header's settings don't fit {name}: {describe(error)}; "
            "they were edited, or written by another version"
        ) from None


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

"""Run trials on a `concurrent.futures.Executor`, whatever happens to its workers. Read `parallel`.

A worker process can die under its trial: out of memory, a crash in native code, `kill -9`. That
breaks the whole pool, with every trial that ran in it, and does not say whose fault it was. So
nobody is blamed: the trials run again, each in a pool of one worker from then on, where a death has
one possible author. A trial under which a worker died twice while it was alone has failed; workers
that die before they are ready are no trial's doing, and stop the study.
"""

from __future__ import annotations

import inspect
import os
import pickle
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from dataclasses import dataclass, field, replace
from typing import Any

from hpt_lab.arguments import show
from hpt_lab.errors import DiskError, StudyError
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.drivers import next_trial
from hpt_lab.study.evaluation import AnyObjective, evaluate
from hpt_lab.study.faults import describe
from hpt_lab.trial import Outcome, Trial, failure

KILLS = 2  # deaths of its worker, alone with it, that make a trial a failed one
STILLBORN = 3  # workers in a row that die before they are ready
_REMEDY = (
    "workers must be able to import the objective: define it in a module, or at the top level of "
    'a script whose own work stands under if __name__ == "__main__"; or try a ThreadPoolExecutor'
)
_LOKY = ("loky.process_executor", "loky.reusable_executor")


def parallel(
    ask_tell: AskTell, objective: AnyObjective, asked: Callable[[Trial], None], workers: Workers
) -> Iterator[tuple[Trial, Outcome]]:
    """Keep the workers busy, first with what a replay left; outcomes come as they finish."""
    workers.again.extend(ask_tell.history.pending)
    try:
        while True:
            while workers.room:
                trial = next_trial(workers.again, ask_tell, asked)
                if trial is None:
                    break
                workers.start(trial, objective)
            if not workers.busy:
                return
            yield from workers.finished()
    finally:
        workers.dismiss()


@dataclass(eq=False)
class _Pool:
    """An executor and what runs in it. `ready`: a lone worker has got to the newest trial."""

    executor: Executor | None  # None: made when there is a trial for it
    size: int
    stillborn: int = 0  # pools in this one's place that broke before they got to a trial
    running: dict[Future[Outcome], Trial] = field(default_factory=dict)
    ready: Future[None] | None = None
    broken: BaseException | None = None

    @property
    def room(self) -> bool:
        return self.broken is None and len(self.running) < self.size

    @property
    def proved(self) -> bool:
        return self.ready is None or (self.ready.done() and _error(self.ready) is None)


class Workers:
    """The workers of `executor`, and those that take a dead one's place.

    Raises StudyError for an executor that is none, or that would hang.
    """

    def __init__(self, executor: Executor):
        if not isinstance(executor, Executor):
            raise StudyError(
                f"executor must be a concurrent.futures.Executor, got {show(executor)}; "
                "try concurrent.futures.ThreadPoolExecutor(4)"
            )
        _refuse_to_fork(executor)
        size = getattr(executor, "_max_workers", None) or os.cpu_count() or 1  # Dask's doesn't tell
        self.given = executor
        self.pools = [_Pool(executor, size)]
        self.again: deque[Trial] = deque()  # asked for already, and to be run (again)
        self.kills: Counter[tuple[int, float]] = Counter()  # by (id, budget)

    @property
    def room(self) -> bool:
        return any(pool.room for pool in self.pools)

    @property
    def busy(self) -> bool:
        return any(pool.running or pool.broken for pool in self.pools)

    def start(self, trial: Trial, objective: AnyObjective) -> None:
        """Hand `trial` to a worker that has nothing to do."""
        pool = next(pool for pool in self.pools if pool.room)
        try:
            new = pool.executor is None
            if pool.executor is None:
                pool.executor = _one_worker(self.given)
            if pool.size == 1 and _kind(self.given):
                pool.ready = pool.executor.submit(_ready, objective if new else None)
            future = pool.executor.submit(_work, objective, replace(trial, why=None))
            pool.running[future] = trial
        except BrokenExecutor as error:  # it broke since the last trial: this one never ran
            pool.broken = error
            self.again.append(trial)
        except (RuntimeError, TypeError, AttributeError, pickle.PicklingError) as error:
            raise StudyError(
                f"executor={show(self.given)} takes no trial: {describe(error)}; "
                "resume with a new executor"
            ) from error

    def finished(self) -> Iterator[tuple[Trial, Outcome]]:
        """Wait until some trials end, give their outcomes; `again` gets those to run again."""
        if not any(pool.broken for pool in self.pools):
            everything = [future for pool in self.pools for future in pool.running]
            wait(everything, return_when=FIRST_COMPLETED)
        for pool in self.pools:
            pool.broken = pool.broken or _break_of(pool)
            if pool.broken:
                wait(pool.running)  # they all end at once
        ended = self._ended()
        for trial, future, pool in ended:
            if _error(future) is None:
                del pool.running[future]
                yield trial, future.result()
        for trial, future, pool in ended:
            error = _error(future)
            if error is not None and pool.broken is None:
                raise _machinery(trial, error)
        for pool in list(self.pools):
            if pool.broken is not None:
                yield from self._replaced(pool, pool.broken)

    def dismiss(self) -> None:
        """Cancel what has not begun; shut down the pools made here, not the caller's."""
        for pool in self.pools:
            for future in pool.running:
                future.cancel()
            if pool.executor is not None and pool.executor is not self.given:
                pool.executor.shutdown(wait=not pool.running)

    def _ended(self) -> list[tuple[Trial, Future[Outcome], _Pool]]:
        """List what has ended, in the order of ids."""
        ended = [
            (trial, future, pool)
            for pool in self.pools
            for future, trial in pool.running.items()
            if future.done()
        ]
        return sorted(ended, key=lambda end: (end[0].id, end[0].budget))

    def _replaced(self, pool: _Pool, error: BaseException) -> list[tuple[Trial, Outcome]]:
        """Put pools of one worker in a broken one's place; return the outcome of a guilty trial."""
        stillborn = 0 if pool.proved else pool.stillborn + 1
        if stillborn == STILLBORN:
            raise StudyError(f"workers die before they are ready ({describe(error)}); {_REMEDY}")
        if _kind(self.given) is None:
            raise StudyError(
                f"executor={show(self.given)} broke ({describe(error)}), and another of its "
                "kind can't be made here; resume with a new executor"
            )
        trials = list(pool.running.values())
        guilty = []
        if pool.size == 1 and pool.proved:
            self.kills.update((trial.id, trial.budget) for trial in trials)
            guilty = [trial for trial in trials if self.kills[trial.id, trial.budget] >= KILLS]
        self.again.extend(trial for trial in trials if trial not in guilty)
        self.pools.remove(pool)
        self.pools.extend(_Pool(None, 1, stillborn) for _ in range(pool.size))
        told = f"the worker process died {KILLS} times while it ran this trial ({describe(error)})"
        return [(trial, failure(told)) for trial in guilty]


def _work(objective: AnyObjective, trial: Trial) -> Outcome:
    """Run a trial in a worker; an outcome that can't be sent back is the trial's failure."""
    outcome = evaluate(objective, trial)
    try:
        pickle.dumps(outcome)
    except Exception as error:  # noqa: BLE001 -- whatever the user's own classes raise
        return failure(f"the outcome can't be sent back from the worker: {describe(error)}")
    return outcome


def _ready(objective: AnyObjective | None) -> None:
    """Show that a worker lives and, if given, can read the objective."""


def _error(future: Future[Any]) -> BaseException | None:
    return CancelledError() if future.cancelled() else future.exception()


def _break_of(pool: _Pool) -> BaseException | None:
    """Return the error of a pool that is broken."""
    errors = [_error(future) for future in pool.running if future.done()]
    return next((error for error in errors if isinstance(error, BrokenExecutor)), None)


def _machinery(trial: Trial, error: BaseException) -> BaseException:
    """Make what to raise for what `evaluate` did not catch: pickling, the disk, Ctrl-C."""
    if isinstance(error, (DiskError, KeyboardInterrupt)):
        return error
    stopped = StudyError(
        f"trial {trial.id} could not be run by a worker: {describe(error)}; {_REMEDY}"
    )
    stopped.__cause__ = error
    return stopped


def _refuse_to_fork(executor: Executor) -> None:
    """Raise StudyError if workers would be forked from a process with TensorFlow's threads."""
    context = getattr(executor, "_mp_context", None) or getattr(executor, "_context", None)
    method = getattr(context, "get_start_method", None)
    if "tensorflow" in sys.modules and method is not None and method() == "fork":
        raise StudyError(
            f"executor={show(executor)} forks its workers, and TensorFlow, imported already, hangs "
            "for ever in a forked process; try ProcessPoolExecutor(2, "
            'mp_context=multiprocessing.get_context("spawn"))'
        )


def _kind(executor: Executor) -> type | None:
    """Return the class of process pools that `executor` is of; None for another, or a subclass."""
    kind = next(
        (base for base in type(executor).__mro__ if base.__name__ == "ProcessPoolExecutor"), None
    )
    known = type(executor) is kind or type(executor).__module__.endswith(_LOKY)
    return kind if known else None


def _one_worker(executor: Executor) -> Executor:
    """Make a pool of one worker, otherwise like `executor`: start method, initializer and all."""
    kind: Any = _kind(executor)
    named = [name for name in inspect.signature(kind).parameters if hasattr(executor, f"_{name}")]
    settings = {name: getattr(executor, f"_{name}") for name in named}
    return kind(**{**settings, "max_workers": 1})

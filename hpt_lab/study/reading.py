"""Read a study back from its journal, without its objective, its strategy's replay, or a lock.

For those who only look: `read_study` believes the trials that were written down. To go on with a
study, `resume` asks the strategy for them again. `record_test` writes down that the sealed test
part was opened, and for what score, so that a report can say it once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpt_lab.errors import HptError, JournalError
from hpt_lab.history import History
from hpt_lab.study.journal import (
    Entry,
    answers,
    journal_line,
    journal_path,
    parse,
    read_header,
    read_outcome,
)
from hpt_lab.study.lock import hold, release
from hpt_lab.study.study import Study, strategy_of
from hpt_lab.trial import Trial, number

FIELDS = {"id", "config", "budget", "bracket", "rung", "parent"}


@dataclass(frozen=True)
class Opened:
    """One opening of the sealed test part: whose model was scored, and the scores."""

    trial: int
    budget: float
    scores: dict[str, float]


@dataclass(frozen=True)
class Recorded:
    """What a journal holds: study so far, objective's settings, openings of the test."""

    path: Path
    study: Study
    objective: Any
    opened: list[Opened]


def read_study(journal: str | Path) -> Study:
    """Return the study as far as its journal goes; what was running then is pending."""
    return read_recorded(journal).study


def read_recorded(journal: str | Path) -> Recorded:
    """Return all that `journal` holds. Raises JournalError for one that can't be read."""
    header = read_header(journal)
    path = journal_path(journal)
    strategy = strategy_of(journal)
    entries = parse(path.read_bytes(), path)[1]
    history = History()
    opened = []
    for place, entry in enumerate(entries, start=2):
        where = f"{path}, line {place}"
        if "ask" in entry:
            history.ask(_trial(entry["ask"], where))
        elif "tell" in entry:
            pending = [trial for trial in history.pending if answers(entry, trial)]
            if not pending:
                raise JournalError(
                    f"{where}: an outcome that was never asked for; lines were edited"
                )
            history.tell(pending[0], read_outcome(entry, where))
        else:
            opened.append(_opened(entry, where))
    return Recorded(
        path, Study(strategy, history, "read from its journal"), header.get("objective"), opened
    )


def _trial(entry: Any, where: str) -> Trial:
    try:
        if set(entry) != FIELDS:
            raise TypeError(f"its fields must be {sorted(FIELDS)}")
        return Trial(**entry)
    except (TypeError, HptError) as error:
        raise JournalError(f"{where}: not a trial: {error}; it was edited") from None


def _opened(entry: Entry, where: str) -> Opened:
    try:
        scores = {str(name): number(name, score) for name, score in entry["scores"].items()}
        return Opened(int(entry["test"]), float(entry["budget"]), scores)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise JournalError(f"{where}: not a test's scores: {error}; it was edited") from None


def record_test(journal: str | Path, trial: Trial, scores: Mapping[str, float]) -> None:
    """Note in a journal that the test part was opened for `trial`, and the scores it got.

    Raises JournalError if there is no such journal, or a study is writing to it.
    """
    read_header(journal)
    kept = {name: number(f"the score {name!r}", score) for name, score in scores.items()}
    entry = {"test": trial.id, "budget": trial.budget, "scores": kept}
    line = journal_line(entry, "the test scores")
    path = journal_path(journal)
    file = hold(path)
    try:
        length = parse(file.readall(), path)[2]
        file.truncate(length)
        file.seek(length)
        file.write(line)
        os.fsync(file.fileno())
    except OSError as error:
        raise JournalError(f"can't write to the journal {path}: {error.strerror}") from error
    finally:
        release(file, path)

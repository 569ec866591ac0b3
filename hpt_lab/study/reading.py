"""Read a study from its journal to look at it: nothing is trained, nothing written, no lock needed."""

from __future__ import annotations

from pathlib import Path

from hpt_lab.errors import HptError, JournalError
from hpt_lab.history import History
from hpt_lab.study.journal import _answers, _outcome, journal_path, parse, read_header
from hpt_lab.study.study import Study, strategy_of
from hpt_lab.trial import Trial


def read_study(journal: str | Path) -> Study:
    """Return the study as far as its journal goes; what was running then is pending.

    The strategy is rebuilt from the header but asked for nothing, so that a journal of an older
    version, which could not be resumed, can still be read. Raises JournalError for what is none.
    """
    read_header(journal)  # says what is wrong with the file, if anything is
    path = journal_path(journal)
    _, entries, _ = parse(path.read_bytes(), path)
    past = History()
    for number, entry in enumerate(entries, start=2):
        where = f"{path}, line {number}"
        if "ask" in entry:
            try:
                past.ask(Trial(**entry["ask"]))
            except (TypeError, HptError) as error:
                raise JournalError(f"{where}: no trial: {error}; the line was edited") from None
            continue
        pending = [trial for trial in past.pending if _answers(entry, trial)]
        if not pending:
            raise JournalError(f"{where}: an outcome of a trial that was never asked; the lines "
                               "were edited or reordered")
        past.tell(pending[0], _outcome(entry, where))
    return Study(strategy_of(path), past, "read from its journal")

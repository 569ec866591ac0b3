"""Read a study from its journal, to look at it: no objective, no lock, nothing runs."""

from __future__ import annotations

from pathlib import Path

from hpt_lab.errors import JournalError
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.journal import journal_path, parse, replay
from hpt_lab.study.lock import check_regular
from hpt_lab.study.study import Study, strategy_of


def read_study(journal: str | Path) -> Study:
    """Return the study that a journal holds, its strategy rebuilt and fed what was recorded.

    It may still be running. Raises JournalError for a file that is missing or no journal.
    """
    path = journal_path(journal)
    try:
        check_regular(path)
        raw = path.read_bytes()
    except OSError as error:
        raise JournalError(f"can't read the journal {path}: {error.strerror}; check the path") from None
    _, entries, _ = parse(raw, path)
    strategy = strategy_of(path)
    ask_tell = AskTell(strategy)
    replay(entries, path, ask_tell)
    return Study(strategy, ask_tell.history)

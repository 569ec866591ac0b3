"""A study's append-only record: JSON lines that survive `kill -9`.

    {"hpt_lab_journal": 1, "strategy": "hyperband", "settings": {...}, "objective": {...}, "code": "3.11-…"}   header
    {"ask": {"id": 0, "config": {...}, "budget": 1, ...}}                                       a trial was handed out
    {"tell": 0, "budget": 1, "loss": 0.25, "metrics": {...}, ...}                               its outcome, synced to disk

A generator can't be stored. It need not be: `replay` starts the strategy again, feeds it the same outcomes in the
same order, and insists that it asks for the same trials. A line torn by a crash can only be the last; it is cut off.
A journal is data from outside: parsed as JSON, never evaluated.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, BinaryIO

from hpt_lab.errors import JournalError
from hpt_lab.fingerprint import differs
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.trial import Outcome, Trial

VERSION = 1
Entry = dict[str, Any]


class Journal:
    """Append to the journal at `path`, which is made with `header` if it is not there yet."""

    def __init__(self, path: str | Path, header: Entry):
        self.path = Path(path)
        header = {"hpt_lab_journal": VERSION, **header}
        try:
            line = json.dumps(header, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise JournalError(f"the strategy's settings can't be written as JSON: {error}; "
                               "use numbers, strings, lists and dicts") from None
        if not self.path.exists():  # the header appears whole or not at all
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
            fresh.write_text(line + "\n")
            os.replace(fresh, self.path)
        found, self.entries, good = _load(self.path)
        there, here = _flat(found), _flat(json.loads(line))
        _check_code(self.path, there.pop("code", None), here.pop("code", None))
        differing = [f"{key} is {there.get(key)!r} there and {here.get(key)!r} here"
                     for key in sorted(there.keys() | here.keys()) if there.get(key) != here.get(key)]
        if differing:
            raise JournalError(f"{self.path} is the journal of another study: {'; '.join(differing)}. "
                               "Give this study a journal of its own, or make the two agree")
        self._file: BinaryIO = open(self.path, "r+b")  # noqa: SIM115 -- closed by close()
        self._file.truncate(good)
        self._file.seek(good)

    def ask(self, trial: Trial) -> None:
        """Record that `trial` was handed out."""
        self._write({"ask": _trial_entry(trial)})

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Record an outcome and wait until it is on disk."""
        self._write({"tell": trial.id, "budget": trial.budget, "loss": _number(outcome.loss),
                     "metrics": {name: _number(value) for name, value in outcome.metrics.items()},
                     "seconds": outcome.seconds, "error": outcome.error,
                     "curves": {name: [_number(v) for v in values] for name, values in outcome.curves.items()}})
        os.fsync(self._file.fileno())

    def replay(self, ask_tell: AskTell) -> None:
        """Bring a fresh `ask_tell` to where this journal ends; trials without an outcome are left pending."""
        for number, entry in enumerate(self.entries, start=2):
            if "ask" in entry:
                trial = ask_tell.ask()
                if trial is None or json.loads(json.dumps(_trial_entry(trial))) != entry["ask"]:
                    raise JournalError(f"{self.path}, line {number}: the strategy now asks for {trial}, the journal has "
                                       f"{entry['ask']}; it was written by another version of the strategy")
            else:
                pending = [t for t in ask_tell.history.pending if (t.id, t.budget) == (entry.get("tell"), entry.get("budget"))]
                if not pending:
                    raise JournalError(f"{self.path}, line {number}: an outcome for trial {entry.get('tell')} at budget "
                                       f"{entry.get('budget')}, which was never asked; the lines were edited or reordered")
                ask_tell.tell(pending[0], _outcome(entry))

    def close(self) -> None:
        self._file.close()

    def _write(self, entry: Entry) -> None:
        self._file.write(json.dumps(entry, allow_nan=False).encode() + b"\n")
        self._file.flush()


def _check_code(path: Path, there: str | None, here: str | None) -> None:
    """Refuse results of other code; a journal from before there were fingerprints, or an unknown one, is accepted."""
    if differs(there, here):
        raise JournalError(f"{path} was recorded with other code of the objective: known as {there!r} there, {here!r} "
                           "here. Its results are not this code's, so give this study a journal of its own; or, if the "
                           f"edit changes no result, go on with tune(..., version={there!r}), or resume with that")


def read_header(path: str | Path) -> Entry:
    """Return the header of the journal at `path`: the strategy's name and settings, and the objective's."""
    return _load(Path(path))[0]


def _load(path: Path) -> tuple[Entry, list[Entry], int]:
    """Return header, entries, and the length in bytes of the whole lines; a torn last line is left out."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise JournalError(f"can't read the journal {path}: {error.strerror}; check the path") from None
    good = raw.rfind(b"\n") + 1
    entries = []
    for number, line in enumerate(raw[:good].splitlines(), start=1):
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict) or not entry.keys() & ({"hpt_lab_journal"} if number == 1 else {"ask", "tell"}):
            raise JournalError(f"{path}, line {number}: not a journal entry: {line[:60]!r}. "
                               f"Delete from this line on to go on from line {number - 1}" if number > 1 else
                               f"{path}, line 1: not a journal of hpt_lab: {line[:60]!r}; choose another file")
        entries.append(entry)
    if not entries:
        raise JournalError(f"{path} has no header, so it recorded nothing; delete it and start again")
    if entries[0]["hpt_lab_journal"] != VERSION:
        raise JournalError(f"{path} is a journal of version {entries[0]['hpt_lab_journal']!r}, this is version {VERSION}; "
                           "read it with the hpt_lab that wrote it")
    return entries[0], entries[1:], good


def _trial_entry(trial: Trial) -> Entry:
    return {"id": trial.id, "config": trial.config, "budget": trial.budget, "bracket": trial.bracket,
            "rung": trial.rung, "parent": trial.parent}


def _outcome(entry: Entry) -> Outcome:
    try:
        return Outcome(_restore(entry["loss"]), {name: _restore(v) for name, v in entry["metrics"].items()},
                       float(entry["seconds"]), entry["error"],
                       {name: [_restore(v) for v in values] for name, values in entry["curves"].items()})
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise JournalError(f"an outcome in the journal lacks or garbles a field ({error!r}): {entry}") from None


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None  # JSON knows neither NaN nor infinity


def _restore(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _flat(entry: Entry, prefix: str = "") -> Entry:
    """Flatten nested dicts to dotted names, so that an error can name the one setting that differs."""
    flat: Entry = {}
    for key, value in entry.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) and value else {f"{prefix}{key}": value}
    return flat

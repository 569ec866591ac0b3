"""A study's append-only record: JSON lines that survive `kill -9`.

    {"hpt_lab_journal": 1, "strategy": "hyperband", "settings": {...}, "objective": {...},
     "code": "3.11-…"}                                                   header
    {"ask": {"id": 0, "config": {...}, "budget": 1, ...}}                a trial was handed out
    {"tell": 0, "budget": 1, "loss": 0.25, "metrics": {...}, ...}        its outcome, synced to disk
    {"test": 0, "budget": 1, "scores": {...}}                            the sealed test was opened

A generator can't be stored. It need not be: `replay` starts the strategy again, feeds it the same
outcomes in the same order, and insists that it asks for the same trials. A line torn by a crash can
only be the last; it is cut off. A line that can't be written whole, on a full disk, is taken back.
The file is this driver's alone (lock.py), and a look before every line sees that it still is: one
that was removed, replaced, cut or written to meanwhile stops the study.
A journal is data from outside: parsed as JSON, checked, never evaluated.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from pathlib import Path
from reprlib import Repr
from typing import Any, NoReturn

from hpt_lab.arguments import show
from hpt_lab.errors import JournalError
from hpt_lab.fingerprint import differs
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.lock import check_regular, hold, release
from hpt_lab.trial import Outcome, Trial

VERSION = 1
Entry = dict[str, Any]

_brief = Repr()  # of what a file holds: a journal may nest thousands deep
_brief.maxdict = 20
_brief.maxlist = 20
_brief.maxstring = 200


class Journal:
    """Append to the journal at `path`, which is made with `header` if it is not there yet.

    Raises JournalError if `path` can't be written, is another driver's, or holds another study.
    """

    def __init__(self, path: str | Path, header: Entry):
        self.path = journal_path(path)
        first = journal_line({"hpt_lab_journal": VERSION, **header}, "the strategy's settings")
        self._file = hold(self.path)
        self._opened = os.fstat(self._file.fileno())  # device and inode are this file's for good
        self._length = 0  # bytes of whole lines
        try:
            self.entries = self._open(first)
        except BaseException:
            self.close()
            raise

    def ask(self, trial: Trial) -> None:
        """Record that `trial` was handed out."""
        self._write(journal_line({"ask": _trial_entry(trial)}, f"the config of trial {trial.id}"))

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Record an outcome and wait until it is on disk."""
        before = self._length
        self._write(
            journal_line(_outcome_entry(trial, outcome), f"the outcome of trial {trial.id}")
        )
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            self._cut(before)
            raise self._refused(error) from error

    def check(self) -> None:
        """Raise JournalError unless the file is still there and as this driver left it."""
        if self._file.closed:  # as in a forked child
            raise JournalError(f"the journal {self.path} is out of reach: it is closed")
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            raise JournalError(
                f"the journal {self.path} was removed while the study ran; put it "
                "back, or begin again with another"
            ) from None
        except OSError as error:
            raise JournalError(f"the journal {self.path} is out of reach: {error}") from None
        if not os.path.samestat(there, self._opened):
            raise JournalError(
                f"the journal {self.path} was replaced by another file while the study "
                "ran; put the right one back, or begin again with another"
            )
        if there.st_size != self._length:
            raise JournalError(
                f"the journal {self.path} was changed while the study ran: it has {there.st_size} "
                f"bytes, the study wrote {self._length}; put it back, or begin again with another"
            )

    def replay(self, ask_tell: AskTell) -> None:
        """Bring a fresh `ask_tell` to where this journal ends; what was not told stays pending."""
        for number, entry in enumerate(self.entries, start=2):
            where = f"{self.path}, line {number}"
            if "test" in entry:
                continue
            if "ask" in entry:
                trial = ask_tell.ask()
                if trial is None or json.loads(json.dumps(_trial_entry(trial))) != entry["ask"]:
                    raise JournalError(
                        f"{where}: the strategy now asks for {trial}, the journal has "
                        f"{_brief.repr(entry['ask'])}; it was written by another version of it"
                    )
            else:
                pending = [trial for trial in ask_tell.history.pending if answers(entry, trial)]
                if not pending:
                    raise JournalError(
                        f"{where}: an outcome for trial {_brief.repr(entry['tell'])} at budget "
                        f"{_brief.repr(entry.get('budget'))}, which was never asked; "
                        "the lines were edited or reordered"
                    )
                ask_tell.tell(pending[0], read_outcome(entry, where))

    def close(self) -> None:
        """Close the file, and let other drivers have it."""
        release(self._file, self.path)

    def _open(self, first: bytes) -> list[Entry]:
        """Compare the header with `first`, cut off a torn last line, return the other entries."""
        try:
            raw = self._file.readall()
            if len(raw) < len(first) and first.startswith(raw):  # new, or torn in its header
                self._cut(0)
                self._write(first)
                os.fsync(self._file.fileno())
                return []
            found, entries, self._length = parse(raw, self.path)
            self._compare(found, json.loads(first))
            self._file.truncate(self._length)
            self._file.seek(self._length)
        except OSError as error:
            raise self._refused(error) from error
        return entries

    def _compare(self, found: Entry, own: Entry) -> None:
        there = _flat(found)
        here = _flat(own)
        _check_code(self.path, there.pop("code", None), here.pop("code", None))
        differing = [
            f"{key} is {_brief.repr(there.get(key))} there and {_brief.repr(here.get(key))} here"
            for key in sorted(there.keys() | here.keys())
            if there.get(key) != here.get(key)
        ]
        if differing:
            raise JournalError(
                f"{self.path} is the journal of another study: {'; '.join(differing)}. "
                "Give this study a journal of its own, or make the two agree"
            )

    def _write(self, line: bytes) -> None:
        self.check()
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._cut(self._length)
            raise self._refused(error) from error
        self._length += len(line)

    def _cut(self, length: int) -> None:
        """Take back what stands after `length` bytes; if even that fails, the next reader does."""
        with contextlib.suppress(OSError):
            self._file.truncate(length)
            self._file.seek(length)
            self._length = length

    def _refused(self, error: OSError) -> JournalError:
        return JournalError(
            f"can't write to the journal {self.path}: {error.strerror}; free space, or "
            "make its disk writable again"
        )


def _check_code(path: Path, there: str | None, here: str | None) -> None:
    """Refuse results of other code; a journal from before there were fingerprints, or an unknown
    one, is accepted."""
    if differs(there, here):
        raise JournalError(
            f"{path} was recorded with other code of the objective: known as {there!r} there, "
            f"{here!r} "
            "here. Its results are not this code's, so give this study a journal of its own; or, "
            "if the "
            f"edit changes no result, go on with tune(..., version={there!r}), or resume with that"
        )


def read_header(path: str | Path) -> Entry:
    """Return a journal's header: the strategy's name and settings, and the objective's.

    Needs no lock: a running study's journal can be read.
    """
    found = journal_path(path)
    try:
        check_regular(found)
        raw = found.read_bytes()
    except OSError as error:
        raise JournalError(
            f"can't read the journal {found}: {error.strerror}; check the path"
        ) from None
    return parse(raw, found)[0]


def journal_path(journal: Any) -> Path:
    """Return the file that `journal` means, links followed and `~` the home directory."""
    if not isinstance(journal, (str, os.PathLike)) or not str(journal).strip():
        raise JournalError(
            f"journal must be the path of a file, got {show(journal)}; try 'runs/study.jsonl'"
        )
    try:
        path = os.path.realpath(Path(journal).expanduser())
        os.fsencode(path)
    except (TypeError, ValueError, RuntimeError, OSError) as error:  # NUL, surrogates, ~nobody
        raise JournalError(
            f"journal must be the path of a file, got {show(journal)}: {error}; choose a plain name"
        ) from None
    return Path(path)


def parse(raw: bytes, path: Path) -> tuple[Entry, list[Entry], int]:
    """Return header, entries, and the length in bytes of whole lines; a torn last is left out."""
    good = raw.rfind(b"\n") + 1
    lines = raw[:good].split(b"\n")[:-1]
    if not lines:
        raise JournalError(
            f"{path} has no header, so it recorded nothing; delete it and start again"
        )
    header = _loads(lines[0])
    if not isinstance(header, dict) or "hpt_lab_journal" not in header:
        raise JournalError(
            f"{path}, line 1: not a journal of hpt_lab: {lines[0][:60]!r}; choose another file"
        )
    version = header["hpt_lab_journal"]
    if version != VERSION or isinstance(version, bool):
        raise JournalError(
            f"{path} is a journal of version {_brief.repr(version)}, this is version "
            f"{VERSION}; read it with the hpt_lab that wrote it"
        )
    if not isinstance(header.get("strategy"), str) or not isinstance(header.get("settings"), dict):
        raise JournalError(
            f"{path}, line 1: the header names no strategy with settings: "
            f"{lines[0][:60]!r}; choose another file"
        )
    entries = []
    for number, line in enumerate(lines[1:], start=2):
        entry = _loads(line)
        if not isinstance(entry, dict) or len(entry.keys() & {"ask", "tell", "test"}) != 1:
            raise JournalError(
                f"{path}, line {number}: not a journal entry: {line[:60]!r}. "
                f"Delete from this line on to go on from line {number - 1}"
            )
        entries.append(entry)
    return header, entries, good


def _loads(line: bytes) -> Any:
    """Parse a line; None for what is no JSON, or nests too deep for any reader."""
    try:
        return json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")  # Python's reader would take NaN and Infinity


def journal_line(entry: Entry, what: str) -> bytes:
    try:
        return json.dumps(entry, allow_nan=False).encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise JournalError(
            f"{what} can't be written as JSON: {error}; use numbers, strings, lists and dicts"
        ) from None


def _trial_entry(trial: Trial) -> Entry:
    return {
        "id": trial.id,
        "config": trial.config,
        "budget": trial.budget,
        "bracket": trial.bracket,
        "rung": trial.rung,
        "parent": trial.parent,
    }


def _outcome_entry(trial: Trial, outcome: Outcome) -> Entry:
    metrics = {name: _number(value) for name, value in outcome.metrics.items()}
    curves = {name: _numbers(values) for name, values in outcome.curves.items()}
    return {
        "tell": trial.id,
        "budget": trial.budget,
        "loss": float(outcome.loss) if math.isfinite(outcome.loss) else None,
        "metrics": metrics,
        "seconds": outcome.seconds,
        "error": outcome.error,
        "curves": curves,
    }


def answers(entry: Entry, trial: Trial) -> bool:
    """True if the entry is an outcome of `trial`; True and 1.0 are no ids."""
    return type(entry["tell"]) is int and (entry["tell"], entry.get("budget")) == (
        trial.id,
        trial.budget,
    )


def read_outcome(entry: Entry, where: str) -> Outcome:
    try:
        error = entry["error"]
        if not (error is None or isinstance(error, str)):
            raise TypeError("error must be null or text")
        metrics = {name: _restore(value) for name, value in entry["metrics"].items()}
        curves = {name: _restored(values) for name, values in entry["curves"].items()}
        seconds = _restore(entry["seconds"])
        if math.isnan(seconds):
            raise TypeError("seconds must be a number")
        return Outcome(_restore(entry["loss"]), metrics, seconds, error, curves)
    except (KeyError, TypeError, AttributeError, OverflowError) as fault:
        raise JournalError(
            f"{where}: an outcome that lacks or garbles a field ({fault!r:.200}): "
            f"{_brief.repr(entry)}. Delete from this line on to go on before it"
        ) from None


def _number(value: float) -> float | str | None:
    """Return what JSON can say: it knows neither NaN, which is null here, nor infinity."""
    if math.isnan(value):
        return None
    return float(value) if math.isfinite(value) else str(float(value))


def _numbers(values: list[float]) -> list[float | str | None]:
    return [_number(value) for value in values]


def _restored(values: Any) -> list[float]:
    if not isinstance(values, list):
        raise TypeError(f"{_brief.repr(values)} is no list")
    return [_restore(value) for value in values]


def _restore(value: Any) -> float:
    if value is None:
        return math.nan
    if value in ("inf", "-inf"):  # how a journal may say what JSON can't
        return float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{_brief.repr(value)} is no number")
    return float(value)


def _flat(entry: Entry) -> Entry:
    """Flatten nested dicts to dotted names, so that an error can name the setting that differs."""
    flat: Entry = {}
    todo = [("", entry)]
    while todo:  # no recursion: the file decides how deep it nests
        prefix, part = todo.pop()
        for key, value in part.items():
            if isinstance(value, dict) and value:
                todo.append((f"{prefix}{key}.", value))
            else:
                flat[f"{prefix}{key}"] = value
    return flat

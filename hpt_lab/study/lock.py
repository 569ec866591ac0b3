"""One driver to a journal: the file itself is locked, so a second driver is refused. Read `hold`.

The lock is the operating system's, on the open file (`filelock.lock_descriptor`): it holds whatever
name, link or directory the file is reached by, between threads as between processes, and ends with
its process, however that ends. Who holds it stands beside the journal in `JOURNAL.driver`, a note
for the error message and no more: left over after a crash, lost or forged, it locks nobody out.
Reading stays free (on Windows only once the study has ended, for locks are mandatory there).
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import tempfile
import weakref
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

from hpt_lab.errors import JournalError

_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_HELD: weakref.WeakSet[FileIO] = weakref.WeakSet()


def hold(path: Path) -> FileIO:
    """Open the journal at `path` to read and append, made if it isn't there, and lock it.

    Raises JournalError if it can't be opened, or another driver holds it.
    """
    from filelock import lock_descriptor  # only studies with a journal need it

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        check_regular(path)
        file = FileIO(os.open(path, _FLAGS, 0o666), "r+")
    except OSError as error:
        raise JournalError(
            f"can't write the journal {path}: {error.strerror}; "
            "choose a file in a folder that you can write to"
        ) from error
    try:
        locked = lock_descriptor(file.fileno(), blocking=False)
    except OSError as error:
        file.close()
        raise JournalError(
            f"can't lock the journal {path}: {error.strerror}; "
            "keep it on a disk that knows locks, a local one for instance"
        ) from error
    if not locked:
        file.close()
        raise JournalError(
            f"the journal {path} is in use by {_holder(path)}. Wait until that study "
            "has ended, stop it, or give this one a journal of its own"
        )
    _HELD.add(file)
    _sign(path)
    return file


def release(file: FileIO, path: Path) -> None:
    """Close the journal and so unlock it. Harmless when it is closed, as in a forked child."""
    if not file.closed:
        with contextlib.suppress(OSError):  # while the lock is still ours, the note is too
            _note(path).unlink()
        file.close()


def check_regular(path: Path) -> None:
    """Raise JournalError if `path` is there and isn't a plain file: devices have no end."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise JournalError(f"{path} is a directory; name a file in it, {path / 'journal.jsonl'}")
    if not stat.S_ISREG(mode):
        raise JournalError(f"{path} is a device, pipe or socket; a journal must be a plain file")


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}.driver")


def _sign(path: Path) -> None:
    """Note who holds the lock, in one step: a planted link is replaced, never followed."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    note = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
    with contextlib.suppress(
        OSError
    ):  # a full disk, a folder that can't be written: held all the same
        handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name[:100]}.")
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(note, file)
            os.replace(fresh, _note(path))
        except BaseException:
            os.unlink(fresh)
            raise


def _holder(path: Path) -> str:
    """Say who holds the lock, as its note has it."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with open(os.open(_note(path), flags), "rb") as file:
            note = json.loads(file.read(1000))
        return f"process {int(note['pid'])} on {str(note['host'])!r}, since {str(note['since'])!r}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return "another driver, which left no note of who it is"


def _let_go() -> None:
    """Close in a forked child what its parent holds, or the lock would outlive the parent."""
    for file in list(_HELD):
        file.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)

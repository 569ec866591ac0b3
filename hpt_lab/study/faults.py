"""What ends a trial, and what ends the study instead: read `failed`.

An objective may raise anything. That is the trial's own failure, recorded with its message, and the
study goes on. Two things are not the trial's: Ctrl-C, which `evaluate` lets pass, and a disk that
is full or can't be written, on which every further trial would fail as innocently as this one.
"""

from __future__ import annotations

import errno

from hpt_lab.errors import DiskError
from hpt_lab.trial import Outcome, failure

LONGEST = 10_000  # characters of a message that are kept
_DISK = {errno.ENOSPC, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC)}  # Windows has no quota


def failed(error: BaseException, seconds: float) -> Outcome:
    """Return the outcome of a trial that ended in `error`; raise DiskError if the disk did it."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, DiskError):
            raise cause
        if isinstance(cause, OSError) and cause.errno in _DISK:
            raise DiskError(
                f"the objective could not write: {describe(cause)}; free space"
            ) from error
        cause = cause.__cause__
    return failure(describe(error), seconds)


def describe(error: BaseException) -> str:
    """Return an exception's type and message, whatever its message is made of.

    >>> describe(KeyError("units"))
    "KeyError: 'units'"
    """
    try:
        text = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001 -- an exception that can't be shown is still one
        text = "(its message can't be shown)"
    plain = str.encode(text[:LONGEST], "utf-8", "backslashreplace").decode()  # no lone surrogates
    return f"{type(error).__name__}: {plain}"

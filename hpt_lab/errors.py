"""What can go wrong, in one tree.

    HptError (also a ValueError)
    ├── SpaceError      a search space, or a config that does not belong to it
    ├── StrategyError   a strategy's argument, or a strategy used where it can't work
    ├── DataError       a data set, its split, or its folds
    ├── BuildError      what a user's `build(config)` returned can't be trained
    ├── JournalError    a journal that is unreadable or belongs to another study
    ├── InterviewError  a question file, drill or progress file that can't be read
    ├── DiskError       a file that can't be written: no trial's fault, so the study stops
    └── StudyError      a study that stopped; carries what was computed as `.study`

Every message names the argument, its value, the constraint, and the remedy.
"""

from __future__ import annotations

from typing import Any


class HptError(ValueError):
    """Anything that hpt_lab refuses. Catch this one to catch them all."""


class SpaceError(HptError):
    """A search space is malformed, or a config does not belong to it."""


class StrategyError(HptError):
    """A strategy got an argument it can't work with."""


class DataError(HptError):
    """A data set can't be split, folded or scored as asked."""


class BuildError(HptError):
    """What `build(config)` returned is not a compiled Keras model."""


class JournalError(HptError):
    """A journal can't be read, or belongs to another study."""


class InterviewError(HptError):
    """A question file, a drill or a progress file can't be read, or does not say what it must."""


class DiskError(HptError):
    """A disk is full, read-only or gone. No trial's fault: nothing is recorded, the study stops."""


class StudyError(HptError):
    """A study had to stop. `study` holds every outcome it had by then."""

    def __init__(self, message: str, study: Any = None):
        super().__init__(message)
        self.study = study

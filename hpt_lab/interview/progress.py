"""The learner's progress: a plain file, one line a grade, kept for ever.

`~/.hpt_lab/progress.jsonl`, UTF-8; each line is one JSON object and stands by itself:

    {"time": "2026-05-01T18:30:00+00:00", "kind": "review", "id": "halving-loses-the-best", "grade":
    3}

time: when, ISO 8601 with a time zone. kind: "review" is a question of the bank, graded by the
    learner.
id: the question's. grade: 1 again, 2 hard, 3 good, 4 easy. Other kinds, each with fields of its
    own:

    "interview"   an answer in a mock interview: run (one interview's name), minutes, level, seed,
                  id,
                  part ("answer", "follow-up", "drill", "picture"), lesson, topic, cell, grade
                  (1 weak, 2 good, 3 great)
    "diagnosis"   a case of the endless drill: id ("table/seed/number"), answer (a letter), right

Kinds that nobody knows are kept and passed over.

A line is written at once and reaches the disk before the next question. If the machine dies while
it is written, that line is torn; reading leaves out lines that are torn, and the next one is
written below. Deleting a line forgets that grade; deleting the file forgets all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fsrs import Card, Rating, Scheduler

from hpt_lab.errors import InterviewError

GRADES = {1: "again", 2: "hard", 3: "good", 4: "easy"}


@dataclass(frozen=True)
class Review:
    """One grade that the learner gave."""

    id: str
    grade: int
    time: datetime

    def __post_init__(self) -> None:
        if self.grade not in GRADES:
            raise InterviewError(f"a grade must be one of {GRADES}, got {self.grade!r}")
        if self.time.tzinfo is None:
            raise InterviewError(f"a review's time must have a time zone, got {self.time}; add UTC")


def default_path() -> Path:
    """Return where progress is kept unless told otherwise."""
    return Path.home() / ".hpt_lab" / "progress.jsonl"


def append(path: Path, review: Review) -> None:
    """Write a review below what is there, onto the disk. Raises InterviewError where it can't."""
    note(path, "review", review.time, id=review.id, grade=review.grade)


def note(path: Path, kind: str, time: datetime, **fields: Any) -> None:
    """Write a line of any kind below what is there, onto the disk. Raises InterviewError where it
    can't."""
    line = json.dumps({"time": time.isoformat(), "kind": kind, **fields}).encode() + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            if _ends_torn(file):
                line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InterviewError(
            f"can't write progress into {path}: {error}; name another file with --progress"
        ) from None


def _ends_torn(file: Any) -> bool:
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        return False
    file.seek(-1, os.SEEK_END)
    return bool(file.read(1) != b"\n")


def read(path: Path) -> list[Review]:
    """Return the reviews of a file by time; none if there is no file.

    Torn lines and other kinds are left out. Raises InterviewError for a file that is none of ours:
    not one of its lines can be read.
    """
    reviews = [review for review in map(_review, entries(path)) if review is not None]
    return sorted(reviews, key=lambda review: review.time)


def entries(path: Path) -> list[dict[str, Any]]:
    """Return all lines of a file that can be read, of whatever kind, in their order; see `read`."""
    try:
        lines = path.read_bytes().split(b"\n") if path.exists() else []
    except OSError as error:
        raise InterviewError(
            f"can't read progress from {path}: {error}; name another file with --progress"
        ) from None
    whole = lines[:-1]  # the last line is empty, or torn
    found = [entry for entry in map(_entry, lines) if entry is not None]
    if any(line.strip() for line in whole) and not found:
        raise InterviewError(
            f"{path} is no progress file: none of its lines can be read; "
            "name another file with --progress"
        )
    return found


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and "kind" in entry else None


def _review(entry: dict[str, Any]) -> Review | None:
    name = entry.get("id")
    grade = entry.get("grade")
    if entry["kind"] != "review" or not isinstance(name, str) or type(grade) is not int:
        return None
    try:
        return Review(name, grade, datetime.fromisoformat(entry["time"]).astimezone(UTC))
    except (KeyError, TypeError, ValueError, OverflowError, InterviewError):
        return None


def due(reviews: Iterable[Review]) -> dict[str, datetime]:
    """Return when each question that was reviewed should be asked again, by FSRS.

    The same reviews give the same dates: FSRS's random shift by a few days is off.
    """
    scheduler = Scheduler(enable_fuzzing=False)
    cards: dict[str, Card] = {}
    for review in reviews:
        card = cards.get(review.id) or Card(card_id=0, due=review.time)
        time = review.time.astimezone(UTC)
        cards[review.id], _ = scheduler.review_card(card, Rating(review.grade), time)
    return {name: card.due for name, card in cards.items()}

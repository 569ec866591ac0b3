"""Progress is never lost: any grades come back, torn lines cost only themselves, dates are
FSRS's."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fsrs import Card, Rating, Scheduler
from hypothesis import given, settings
from hypothesis import strategies as st

from hpt_lab.errors import InterviewError
from hpt_lab.interview.progress import Review, append, default_path, due, read

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
times = st.datetimes(
    datetime(2000, 1, 1),
    datetime(2100, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9.5))]),
)
reviews = st.builds(Review, st.text(max_size=8), st.integers(1, 4), times)


def written(given, before=b""):
    """Return the bytes of a file with these reviews, and what is read from it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "deep" / "progress.jsonl"
        if before:
            path.parent.mkdir()
            path.write_bytes(before)
        for review in given:
            append(path, review)
        return path.read_bytes() if path.exists() else b"", read(path)


@settings(deadline=None, max_examples=50)  # each example waits for the disk
@given(st.lists(reviews, max_size=8))
def test_any_grades_come_back_in_the_order_of_time(given):
    content, found = written(given)
    assert found == sorted(given, key=lambda review: review.time)
    assert [json.loads(line)["id"] for line in content.splitlines()] == [one.id for one in given]


@settings(deadline=None, max_examples=50)  # each example waits for the disk
@given(st.lists(reviews, min_size=1, max_size=4), reviews, st.data())
def test_a_torn_last_line_costs_only_itself(given, new, data):
    content, _ = written(given)
    cut = data.draw(st.integers(0, len(content)))
    kept = given[: content[:cut].count(b"\n")]
    if content[cut : cut + 1] == b"\n":
        kept = given[: len(kept) + 1]  # only the line's end is missing
    _, found = written([new], before=content[:cut])
    assert found == sorted([*kept, new], key=lambda review: review.time)


@settings(deadline=None, max_examples=50)  # each example waits for the disk
@given(st.binary(max_size=200), reviews)
def test_a_grade_is_kept_whatever_the_file_holds(before, new):
    content, found = written([new], before=before)
    assert content.startswith(before) and new in found


@settings(deadline=None, max_examples=50)  # each example waits for the disk
@given(
    st.recursive(
        st.none() | st.floats() | st.text(max_size=3),
        lambda inner: st.dictionaries(st.sampled_from(["kind", "id", "grade", "time"]), inner),
    )
)
def test_lines_of_other_kinds_are_passed_over(entry):
    line = json.dumps(entry).encode()
    _, found = written([Review("a", 3, NOON)], before=line + b'\n{"kind": "bet", "guess": 3}\n')
    assert found == [Review("a", 3, NOON)]


@pytest.mark.parametrize(
    "change",
    [
        {"grade": 5},
        {"grade": True},
        {"grade": "3"},
        {"id": 3},
        {"time": "yesterday"},
        {"time": None},
        {"kind": "bet"},
    ],
)
def test_reviews_that_mean_nothing_are_left_out(tmp_path, change):
    entry = {"time": NOON.isoformat(), "kind": "review", "id": "a", "grade": 3}
    path = tmp_path / "progress.jsonl"
    path.write_text(f"{json.dumps(entry)}\n{json.dumps(entry | change)}\n")
    assert read(path) == [Review("a", 3, NOON)]


def test_a_grade_is_in_the_file_before_it_is_forced_to_disk(tmp_path):
    path = tmp_path / "progress.jsonl"
    code = (
        "import os, sys, datetime, pathlib\n"
        "from hpt_lab.interview import progress\n"
        "os.fsync = lambda file: os._exit(9)\n"  # dies there: nothing is closed, nothing flushed
        "review = progress.Review('a', 2, datetime.datetime.now(datetime.UTC))\n"
        "progress.append(pathlib.Path(sys.argv[1]), review)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == 9
    assert [(review.id, review.grade) for review in read(path)] == [("a", 2)]


def test_files_that_are_none_of_ours_are_refused(tmp_path):
    assert read(tmp_path / "missing.jsonl") == []
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InterviewError, match="no progress file"):
        read(path)
    for act in (read, lambda path: append(path, Review("a", 3, NOON))):
        with pytest.raises(InterviewError, match="--progress"):
            act(tmp_path)


@pytest.mark.parametrize(("grade", "time"), [(0, NOON), (5, NOON), (3, NOON.replace(tzinfo=None))])
def test_bad_reviews_are_refused(grade, time):
    with pytest.raises(InterviewError):
        Review("a", grade, time)


def test_progress_is_kept_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_path() == tmp_path / ".hpt_lab" / "progress.jsonl"


def test_dates_are_those_of_fsrs_and_the_same_each_time():
    days = [0, 1, 5, 20]
    given = [
        Review("a", grade, NOON + timedelta(days=day))
        for grade, day in zip([3, 3, 1, 4], days, strict=True)
    ]
    card = Card(due=NOON)
    for review in given:
        card, _ = Scheduler(enable_fuzzing=False).review_card(
            card, Rating(review.grade), review.time
        )
    others = [Review("b", 3, NOON)]
    assert due([*given, *others])["a"] == card.due == due(given)["a"]


def test_better_grades_come_back_later():
    dates = [due([Review("a", grade, NOON)])["a"] for grade in (1, 2, 3, 4)]
    assert dates == sorted(dates) and dates[0] > NOON and len(set(dates)) == 4
    again = due([Review("a", 3, NOON), Review("a", 1, NOON - timedelta(days=3))])
    assert again["a"] > NOON - timedelta(days=3)  # a clock that went back is survived

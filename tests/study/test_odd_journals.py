"""What can be no journal, or holds none: this package's error with the remedy, before anything
runs."""

from __future__ import annotations

import json
import math
import os

import pytest
from faults import STRATEGY, bowl

import hpt_lab as hpt
from hpt_lab.errors import HptError, JournalError


def throw(config):
    raise AssertionError("nothing must run")


def test_home_is_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    study = hpt.tune(bowl, STRATEGY, journal="~/runs/j", progress=False)
    assert hpt.resume("~/runs/j", bowl, progress=False).digest == study.digest
    assert os.listdir(tmp_path) == ["home"]


def places(tmp_path):
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    return [
        tmp_path,
        f"{tmp_path}/",
        tmp_path / "file" / "j",
        tmp_path / "pipe",
        tmp_path / "loop",
        "/dev/null",
        "/dev/zero",
        "/proc/nothing/here",
        "",
        " ",
        3,
        True,
        b"bytes",
        ["j"],
        {},
        object(),
        "a\0b",
        "\ud800",
        "~nobody_here/j",
        "x" * 300,
        math.nan,
        tmp_path / "file",
    ]


def test_what_can_be_no_journal_is_refused_before_anything_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    there = places(tmp_path)
    before = sorted(os.listdir(tmp_path))
    for place in there:
        for act in (
            lambda place: hpt.tune(throw, STRATEGY, journal=place),
            lambda place: hpt.resume(place, throw),
        ):
            with pytest.raises(JournalError, match=r"; |[.]"):
                act(place)
    assert sorted(os.listdir(tmp_path)) == before


DEEP = 10_000
GARBAGE = [
    b"",
    b"\n",
    b"\0" * 100 + b"\n",
    b"\xff\xfe\n",
    b"[" * DEEP + b"\n",
    b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"\n",
    b"[]\n",
    b"null\n",
    b"1" * 5000 + b"\n",
    b"NaN\n",
    b'"\\ud800"\n',
    b"\x89PNG\r\n\x1a\n",
    b"{}\n",
    bytes(range(256)) * 4 + b"\n",
]
HEADERS = [
    {"hpt_lab_journal": version} for version in (None, True, "1", 2, [], {}, 1.5, 10**400)
] + [
    {"hpt_lab_journal": 1, "strategy": strategy, "settings": settings}
    for strategy in ("hyperband", "\ud800", "", None, 3, [], {})
    for settings in (
        None,
        3,
        [],
        "x",
        {},
        {"space": None},
        {"space": []},
        {"space": {"x": 3}},
        {"space": {"x": {"kind": []}}},
        {"space": STRATEGY.space.spec(), "max_budget": "9"},
        {"space": STRATEGY.space.spec(), "max_budget": 9, "eta": [3]},
        {"space": STRATEGY.space.spec(), "max_budget": 9, "what": 1},
        {"": {"": {"": 0}}},
    )
]


@pytest.mark.parametrize(
    "bad", GARBAGE + [json.dumps(header).encode() + b"\n" for header in HEADERS]
)
def test_a_header_of_another_kind_is_refused_and_left_alone(bad, tmp_path):
    path = tmp_path / "j"
    path.write_bytes(bad)
    if bad:  # an empty file is as good as none
        with pytest.raises(JournalError):
            hpt.tune(throw, STRATEGY, journal=path)
    with pytest.raises(JournalError):
        hpt.resume(path, throw)
    assert path.read_bytes() == bad


ODD = [None, True, "1", "", [], {}, -1, 1.5, 10**400, 1e300, [[]], {"x": {}}, "\ud800"]
TELL = {
    "tell": 0,
    "budget": 1,
    "loss": 0.5,
    "metrics": {"a": 1.0},
    "seconds": 1.0,
    "error": None,
    "curves": {"loss": [1.0]},
}


@pytest.mark.parametrize("field", ["ask", *TELL])
def test_a_line_of_wrong_types_is_refused_or_read_as_what_it_says(field, tmp_path):
    path = tmp_path / "j"
    hpt.tune(bowl, STRATEGY, journal=path, progress=False)
    lines = path.read_bytes().splitlines(keepends=True)
    accepted = []
    for odd in ODD:
        entry = {"ask": odd} if field == "ask" else {**TELL, field: odd}
        line = json.dumps(entry).encode() + b"\n"
        path.write_bytes(b"".join(lines[: 1 if field == "ask" else 2]) + line)
        try:
            hpt.resume(path, bowl, progress=False)
            accepted.append(odd)
        except HptError as error:
            assert isinstance(error, JournalError)
            assert path.read_bytes().endswith(line)
    fine = {
        "loss": [None, -1, 1.5, 1e300],
        "seconds": [-1, 1.5, 1e300],
        "error": [None, "1", "", "\ud800"],
        "metrics": [{}],
        "curves": [{}],
        "budget": [True],
    }
    assert [odd for odd in accepted if odd not in fine.get(field, [])] == []


@pytest.mark.parametrize(
    "line",
    [
        b"[" * DEEP,
        b'{"ask":' * DEEP,
        b'{"tell": 0, "budget": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"tell": 0, "ask": 0}',
        b'{"tell": 0, "budget": 1, "loss": NaN}',
        b"\xff",
        b"",
    ],
)
def test_a_line_that_is_no_entry_names_its_number(line, tmp_path):
    path = tmp_path / "j"
    hpt.tune(bowl, STRATEGY, journal=path, progress=False)
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([*lines[:2], line, *lines[3:]]) + b"\n")
    with pytest.raises(JournalError, match="line 3"):
        hpt.resume(path, throw)

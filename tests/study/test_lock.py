"""Two drivers, one journal: the second is refused and told who holds it; a crash leaves no lock."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from faults import STRATEGY, bowl, undisturbed

import hpt_lab as hpt
from hpt_lab.errors import JournalError
from hpt_lab.study.journal import read_header

DRIVER = """
import os, sys, time
import hpt_lab as hpt
def objective(config, budget):
    if FORK and os.fork() == 0:
        time.sleep(60)
        os._exit(0)
    while len(open(sys.argv[1]).readlines()) > 7:
        time.sleep(0.01)
    return config["x"] ** 2 / budget
space = hpt.Space(x=hpt.Float(-2, 2))
print(hpt.tune(objective, hpt.hyperband(space, max_budget=9), journal=sys.argv[1], progress=False).digest)
"""


def driver(path, fork=False):
    """Start a driver in another process; it waits at its fourth trial for ever."""
    code = f"FORK = {fork}\n{DRIVER}"
    process = subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.DEVNULL)
    while not path.exists() or len(path.read_bytes().splitlines()) < 8:
        time.sleep(0.01)
        assert process.poll() is None
    return process


def test_a_second_driver_is_refused_by_whatever_name_and_told_who_holds_it(tmp_path, monkeypatch):
    path = tmp_path / "study.jsonl"
    (tmp_path / "link.jsonl").symlink_to(path)
    (tmp_path / "folder").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    process = driver(path)
    try:
        os.link(path, tmp_path / "hard.jsonl")
        before = path.read_bytes()
        holder = f"in use by process {process.pid} on '{socket.gethostname()}', since"
        for name in (path, str(path), "study.jsonl", "link.jsonl", "./folder/study.jsonl"):
            with pytest.raises(JournalError, match=holder):
                hpt.tune(bowl, STRATEGY, journal=name)
            with pytest.raises(JournalError, match=holder):
                hpt.resume(name, bowl)
        with pytest.raises(
            JournalError, match="in use by another driver"
        ):  # its note is beside the other name
            hpt.tune(bowl, STRATEGY, journal="hard.jsonl")
        assert path.read_bytes() == before
        assert read_header(path)["strategy"] == "hyperband"  # reading stays free
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert hpt.resume(path, bowl, progress=False).digest == undisturbed()


def test_a_killed_driver_leaves_no_lock_though_its_forked_children_live(tmp_path):
    path = tmp_path / "study.jsonl"
    process = driver(path, fork=True)
    children = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True
    ).stdout.split()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    try:
        assert children
        assert hpt.resume(path, bowl, progress=False).digest == undisturbed()
    finally:
        for child in children:
            os.kill(int(child), signal.SIGKILL)


def test_threads_of_one_process_exclude_each_other(tmp_path):
    path = tmp_path / "study.jsonl"
    begun = threading.Event()
    free = threading.Event()

    def slow(config, budget):
        begun.set()
        free.wait()
        return bowl(config, budget)

    with ThreadPoolExecutor(1) as pool:
        study = pool.submit(hpt.tune, slow, STRATEGY, journal=path, progress=False)
        begun.wait()
        try:
            with pytest.raises(JournalError, match=f"in use by process {os.getpid()}"):
                hpt.tune(bowl, STRATEGY, journal=path)
        finally:
            free.set()
        assert study.result().digest == undisturbed()
    assert hpt.resume(path, bowl, progress=False).digest == undisturbed()
    assert os.listdir(tmp_path) == ["study.jsonl"]  # no litter


@pytest.mark.parametrize(
    "note",
    [b'{"pid": 1, "host": "elsewhere", "since": "long ago"}', b"", b"\xff\x00", b"[" * 10**5, None],
)
def test_a_note_left_over_or_forged_locks_nobody_out(tmp_path, note):
    path = tmp_path / "study.jsonl"
    beside = tmp_path / "study.jsonl.driver"
    victim = tmp_path / "victim"
    victim.write_text("precious")
    if note is None:
        beside.symlink_to(victim)
    else:
        beside.write_bytes(note)
    begun = []

    def look(config, budget):
        begun.append(json.loads(beside.read_text())["pid"])
        return bowl(config, budget)

    assert hpt.tune(look, STRATEGY, journal=path, progress=False).digest == undisturbed()
    assert set(begun) == {os.getpid()} and victim.read_text() == "precious" and not beside.exists()


def test_a_planted_link_at_the_old_temporary_name_is_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / f"study.jsonl.{os.getpid()}.new").symlink_to(victim)
    hpt.tune(bowl, STRATEGY, journal=tmp_path / "study.jsonl", progress=False)
    assert victim.read_text() == "precious"


def test_a_journal_has_the_mode_that_the_user_gives_new_files(tmp_path):
    before = os.umask(0o027)
    try:
        hpt.tune(bowl, STRATEGY, journal=tmp_path / "study.jsonl", progress=False)
    finally:
        os.umask(before)
    assert (tmp_path / "study.jsonl").stat().st_mode & 0o777 == 0o640


def test_a_refused_journal_is_not_held_on_to(tmp_path):
    path = tmp_path / "study.jsonl"
    hpt.tune(bowl, STRATEGY, journal=path, progress=False)
    with pytest.raises(JournalError, match="another study"):
        hpt.tune(bowl, hpt.hyperband(STRATEGY.space, max_budget=9, seed=1), journal=path)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b'{"ask": {"id": 1', b'{"ask": {"id": 7'))
    with pytest.raises(
        JournalError, match="now asks for"
    ) as kept:  # the traceback keeps frames alive
        hpt.tune(bowl, STRATEGY, journal=path)
    path.write_bytes(raw)
    assert hpt.resume(path, bowl, progress=False).digest == undisturbed()
    assert kept

"""Faults injected for real: poison, signals, full and read-only disks, a journal that changes under
us."""

from __future__ import annotations

import asyncio
import errno
import itertools
import json
import math
import os
import shutil
import signal
import subprocess
import sys

import pytest
from faults import FIRST, SPACE, STRATEGY, bowl, fill, small_disk, undisturbed

import hpt_lab as hpt
from hpt_lab.errors import JournalError, StudyError
from hpt_lab.study.faults import LONGEST, describe


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class Quitter(Exception):
    def __str__(self):  # noqa: PLE0307 -- that is the fault
        sys.exit(3)


class Number(Exception):
    def __str__(self):
        return 7  # noqa: PLE0307 -- that is the fault


class Own(BaseException):
    pass


def endless():
    return endless()


def throw(error):
    raise error


POISON = {
    "mute": (lambda: throw(Mute()), "Mute: .its message can't be shown"),
    "quits when shown": (lambda: throw(Quitter()), "Quitter: .its message can't be shown"),
    "shows a number": (lambda: throw(Number()), "Number: .its message can't be shown"),
    "sys.exit": (lambda: sys.exit("enough"), "SystemExit: enough"),
    "sys.exit(0)": (lambda: sys.exit(0), "SystemExit: 0"),
    "recursion": (endless, "RecursionError: "),
    "memory": (lambda: bytearray(2**62), "MemoryError"),
    "base": (lambda: throw(Own("odd")), "Own: odd"),
    "generator exit": (lambda: throw(GeneratorExit()), "GeneratorExit: "),
    "cancelled": (lambda: throw(asyncio.CancelledError()), "CancelledError: "),
    "stop": (lambda: next(iter([])), "StopIteration: "),
    "surrogate": (lambda: throw(ValueError("\ud800")), r"ValueError: \\ud800"),
    "long": (lambda: throw(ValueError("x" * 10**6)), "ValueError: x{" + str(LONGEST) + "}$"),
}


@pytest.mark.parametrize("name", POISON)
def test_poison_is_its_trials_failure_and_the_study_goes_on(name, tmp_path):
    act, says = POISON[name]

    def objective(config, budget):
        return act() if config["x"] == FIRST else bowl(config, budget)

    study = hpt.tune(objective, STRATEGY, journal=tmp_path / "j", progress=False, version="any")
    failed = [record for record in study.history.records if record.outcome.failed]
    assert [record.trial.id for record in failed] == [0] and study.stopped == "finished"
    with pytest.raises(AssertionError, match=says):
        raise AssertionError(failed[0].outcome.error)
    again = hpt.resume(
        tmp_path / "j", throw, progress=False, version="any"
    )  # nothing is left to run
    assert (
        again.digest == study.digest
        and again.history.records[0].outcome.error == failed[0].outcome.error
    )


def test_what_can_be_shown_is_shown_as_ever():
    assert (
        describe(RuntimeError('a "quoted" \n message with é'))
        == 'RuntimeError: a "quoted" \n message with é'
    )


def test_ctrl_c_keeps_everything_and_the_study_resumes(tmp_path):
    calls = itertools.count()

    def objective(config, budget):
        if next(calls) == 7:
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
        return bowl(config, budget)

    study = hpt.tune(objective, STRATEGY, journal=tmp_path / "j", progress=False)
    assert study.stopped == "interrupted" and len(study.history.records) == 7
    assert hpt.resume(tmp_path / "j", bowl, progress=False).digest == undisturbed()


INJECTED = """
import os, random, signal, sys, threading, time
import hpt_lab as hpt
from hpt_lab.study.journal import Journal
path, moment, name, seed = sys.argv[1:]
left = random.Random(int(seed)).randrange(1, 20)
def strike(here):
    global left
    if here == moment:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), getattr(signal, name))
def objective(config, budget):
    strike("objective")
    return config["x"] ** 2 / budget
ask, fsync, check = Journal.ask, os.fsync, Journal.check
def asking(journal, trial):
    ask(journal, trial)
    strike("asked")
def syncing(handle):
    strike("before fsync")
    fsync(handle)
    strike("after fsync")
def checking(journal):
    check(journal)
    strike("before a line")
Journal.ask, os.fsync, Journal.check = asking, syncing, checking
if moment == "any":
    delay = random.Random(int(seed)).random() * 0.05
    threading.Timer(delay, lambda: os.kill(os.getpid(), getattr(signal, name))).start()
space = hpt.Space(x=hpt.Float(-2, 2))
hpt.tune(objective, hpt.hyperband(space, max_budget=9), journal=path, progress=False)
"""
MOMENTS = ["objective", "asked", "before fsync", "after fsync", "before a line", "any"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal_at_any_moment_loses_nothing(moment, tmp_path):
    names = ["SIGKILL", "SIGTERM", "SIGINT"]
    started = [
        subprocess.Popen(
            [sys.executable, "-c", INJECTED, tmp_path / name, moment, name, str(seed)],
            stderr=subprocess.DEVNULL,
        )
        for seed, name in enumerate(names)
    ]
    for process, name in zip(started, names, strict=True):
        process.wait(60)
        path = tmp_path / name
        before = path.read_text().count('"tell"') if path.exists() else 0
        if path.exists() and path.stat().st_size:
            study = hpt.resume(path, bowl, progress=False)
            assert study.digest == undisturbed() and len(study.history.records) >= before
        if moment != "any":
            assert before < 22 or name == "SIGINT"


def test_a_journal_torn_inside_its_header_begins_again(tmp_path):
    hpt.tune(bowl, STRATEGY, journal=tmp_path / "whole", progress=False)
    header = (tmp_path / "whole").read_bytes().split(b"\n")[0]
    for cut in (0, 1, 20, len(header)):
        (tmp_path / "torn").write_bytes(header[:cut])
        assert (
            hpt.tune(bowl, STRATEGY, journal=tmp_path / "torn", progress=False).digest
            == undisturbed()
        )
    (tmp_path / "foreign").write_bytes(b"my notes, without a line's end")
    with pytest.raises(JournalError, match="no header"):
        hpt.tune(bowl, STRATEGY, journal=tmp_path / "foreign")
    assert (tmp_path / "foreign").read_bytes() == b"my notes, without a line's end"


@pytest.mark.parametrize("leave", [0, 4096, 8192])
def test_a_full_disk_under_the_journal_stops_the_study_and_records_nothing(leave, tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        path = disk / "study.jsonl"
        started = hpt.tune(
            bowl, STRATEGY, journal=path, progress=False, callbacks=[lambda study, record: True]
        )
        assert started.stopped == "callback"
        filler = fill(disk, leave)
        curve = {"loss": [math.pi] * 100}  # two or three trials to a page
        with pytest.raises(StudyError, match=r"No space left on device.*resume\(\)") as caught:
            hpt.tune(
                lambda c, b: hpt.Outcome(bowl(c, b), curves=curve),
                STRATEGY,
                journal=path,
                progress=False,
            )
        assert isinstance(caught.value.__cause__, JournalError)
        entries = [json.loads(line) for line in path.read_text().splitlines()]  # whole lines only
        records = caught.value.study.history.records
        assert len(records) == sum("tell" in entry for entry in entries) < 22
        assert not any(record.outcome.failed for record in records)
        filler.unlink()
        assert hpt.resume(path, bowl, progress=False).digest == undisturbed()


def test_a_disk_that_is_full_from_the_start_is_refused_before_anything_runs(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        filler = fill(disk)
        with pytest.raises(JournalError, match="No space left on device"):
            hpt.tune(throw, STRATEGY, journal=disk / "j")
        filler.unlink()
        assert hpt.tune(bowl, STRATEGY, journal=disk / "j", progress=False).digest == undisturbed()


def test_a_read_only_disk_is_refused_and_its_journal_can_be_read(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        hpt.tune(bowl, STRATEGY, journal=disk / "j", progress=False)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        for name in ("j", "new", "folder/new"):
            with pytest.raises(
                JournalError, match=r"can't write the journal .* Read-only file system"
            ):
                hpt.tune(bowl, STRATEGY, journal=disk / name)
        assert hpt.study.study.strategy_of(disk / "j").name == "hyperband"


def test_a_failing_fsync_takes_the_line_back(tmp_path, monkeypatch):
    calls = itertools.count()
    fsync = os.fsync

    def failing(handle):
        if next(calls) == 6:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(StudyError, match="Input/output error") as caught:
        hpt.tune(bowl, STRATEGY, journal=tmp_path / "j", progress=False)
    assert (
        len(caught.value.study.history.records) == 5 == (tmp_path / "j").read_text().count('"tell"')
    )
    assert hpt.resume(tmp_path / "j", bowl, progress=False).digest == undisturbed()


def append(path):
    with open(path, "a") as file:
        file.write("{}\n")


def replace(path):
    shutil.copy(path, f"{path}.copy")
    os.replace(f"{path}.copy", path)


MEDDLE = {
    "removed": (os.remove, "was removed"),
    "moved": (lambda path: os.rename(path, f"{path}.old"), "was removed"),
    "replaced": (replace, "was replaced"),
    "emptied": (lambda path: os.truncate(path, 0), "was changed"),
    "cut": (lambda path: os.truncate(path, os.path.getsize(path) - 1), "was changed"),
    "appended": (append, "was changed"),
    "a directory": (lambda path: (os.remove(path), os.mkdir(path)), "was replaced"),
}


@pytest.mark.parametrize("when", [3, 22])  # the last one is noticed too
@pytest.mark.parametrize("how", MEDDLE)
def test_a_journal_that_changes_while_the_study_runs_is_noticed(how, when, tmp_path):
    act, says = MEDDLE[how]
    path = tmp_path / "study.jsonl"

    def meddle(study, record):
        if len(study.history.records) == when:
            act(path)

    with pytest.raises(StudyError, match=says) as caught:
        hpt.tune(bowl, STRATEGY, journal=path, callbacks=[meddle], progress=False)
    assert len(caught.value.study.history.records) == when


def test_a_folder_moved_away_is_noticed(tmp_path):
    (tmp_path / "runs").mkdir()
    with pytest.raises(StudyError, match="was removed"):
        hpt.tune(
            bowl,
            STRATEGY,
            journal=tmp_path / "runs" / "j",
            progress=False,
            callbacks=[lambda study, record: (tmp_path / "runs").rename(tmp_path / "old")],
        )
    assert hpt.resume(tmp_path / "old" / "j", bowl, progress=False).digest == undisturbed()


def test_a_change_of_directory_is_no_change_of_journal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def wander(config, budget):
        os.chdir("/")
        return bowl(config, budget)

    assert hpt.tune(wander, STRATEGY, journal="j", progress=False).digest == undisturbed()
    assert (tmp_path / "j").exists()


def test_a_config_that_is_no_json_stops_the_study_with_all_it_had(tmp_path):
    @hpt.strategies.strategy
    def odd(space, *, seed=0):
        def search():
            yield [hpt.Trial(0, {"x": 0.5})]
            yield [hpt.Trial(1, {"x": {1, 2}})]

        return search()

    with pytest.raises(StudyError, match="config of trial 1 can't be written as JSON") as caught:
        hpt.tune(lambda config: 0.0, odd(SPACE), journal=tmp_path / "j", progress=False)
    assert len(caught.value.study.history.records) == 1

"""Workers that die, hang or never start: no innocent trial pays, and the study is kept."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import types
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

import psutil
import pytest
from faults import SPACE, STRATEGY, Killer, bowl, small_disk, undisturbed
from joblib.externals import loky

import hpt_lab as hpt
from hpt_lab.errors import StudyError

SPAWN = multiprocessing.get_context("spawn")
FORK = multiprocessing.get_context("fork")  # quick; no TensorFlow in the objectives here
POOLS = {
    "spawn": lambda n: ProcessPoolExecutor(n, mp_context=SPAWN),
    "loky": lambda n: loky.get_reusable_executor(n, timeout=5),
    "fork": lambda n: ProcessPoolExecutor(n, mp_context=FORK),
}


@pytest.fixture(autouse=True)
def no_tensorflow(monkeypatch):
    """Other tests may have imported it; these fork on purpose."""
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)


@pytest.mark.parametrize("kind", POOLS)
def test_one_killed_worker_changes_nothing(kind, tmp_path):
    killer = Killer(tmp_path, times=1)
    with POOLS[kind](2) as executor:
        study = hpt.tune(
            killer, STRATEGY, executor=executor, journal=tmp_path / "j", progress=False
        )
    assert study.digest == undisturbed() and killer.runs(0) == 2
    assert not any(record.outcome.failed for record in study.history.records)
    assert hpt.resume(tmp_path / "j", bowl, progress=False).digest == study.digest


@pytest.mark.parametrize("workers", [1, 2])
def test_a_trial_that_always_kills_its_worker_fails_alone(workers, tmp_path):
    killer = Killer(tmp_path, times=99)
    with POOLS["fork"](workers) as executor:
        study = hpt.tune(
            killer, hpt.random_search(SPACE, trials=8), executor=executor, progress=False
        )
    failed = {
        record.trial.id: record.outcome.error
        for record in study.history.records
        if record.outcome.failed
    }
    assert list(failed) == [0] and "the worker process died 2 times" in failed[0]
    assert len(study.history.records) == 8 and killer.runs(0) <= 3


def test_workers_killed_from_outside_at_random_moments_change_nothing(tmp_path):
    stop = threading.Event()
    killed = []

    def axe():
        while not stop.wait(0.4) and len(killed) < 3:
            for child in psutil.Process().children():
                with contextlib.suppress(psutil.NoSuchProcess):
                    if any("spawn_main" in word for word in child.cmdline()):
                        child.kill()
                        killed.append(child.pid)
                        break

    thread = threading.Thread(target=axe)
    thread.start()
    try:
        with POOLS["spawn"](2) as executor:
            study = hpt.tune(Slow(), STRATEGY, executor=executor, progress=False)
    finally:
        stop.set()
        thread.join()
    assert killed and study.digest == undisturbed()


class Slow:
    def run(self, trial):
        threading.Event().wait(0.1)
        return hpt.Outcome(bowl(trial.config, trial.budget))


def test_a_worker_killed_while_it_idles_is_no_trials_doing(tmp_path):
    with POOLS["fork"](1) as executor:
        os.kill(executor.submit(os.getpid).result(), signal.SIGKILL)
        killer = Killer(tmp_path, times=1)  # a strike for the idle one's death would be its second
        study = hpt.tune(killer, STRATEGY, executor=executor, progress=False)
    assert study.digest == undisturbed()


def die():
    os._exit(1)


def test_workers_that_never_start_stop_the_study_and_fail_no_trial(tmp_path):
    with (
        ProcessPoolExecutor(2, mp_context=FORK, initializer=die) as executor,
        pytest.raises(StudyError, match="die before they are ready") as caught,
    ):
        hpt.tune(bowl, STRATEGY, executor=executor, journal=tmp_path / "j", progress=False)
    assert not caught.value.study.history.records
    assert hpt.resume(tmp_path / "j", bowl, progress=False).digest == undisturbed()


def refuse():
    raise RuntimeError("no licence")


def test_an_executor_that_cannot_be_made_anew_stops_the_study(tmp_path):
    with (
        ThreadPoolExecutor(2, initializer=refuse) as executor,
        pytest.raises(StudyError, match="resume with a new executor") as caught,
    ):
        hpt.tune(bowl, STRATEGY, executor=executor, journal=tmp_path / "j", progress=False)
    assert not caught.value.study.history.records
    closed = ThreadPoolExecutor(2)
    closed.shutdown()
    with pytest.raises(StudyError, match="resume with a new executor"):
        hpt.resume(tmp_path / "j", bowl, executor=closed, progress=False)
    assert hpt.resume(tmp_path / "j", bowl, progress=False).digest == undisturbed()


@pytest.mark.parametrize("kind", ["fork", "spawn"])
def test_an_objective_that_cannot_be_sent_stops_the_study_and_fails_no_trial(kind, tmp_path):
    with (
        POOLS[kind](2) as executor,
        pytest.raises(StudyError, match="workers must be able to import") as caught,
    ):
        hpt.tune(lambda config: 0.0, STRATEGY, executor=executor, progress=False)
    assert not caught.value.study.history.records


class Unreadable:
    """Can be pickled, but not in a worker: as what a notebook defines, under spawn."""

    def __init__(self, home: int):
        self.home = home

    def __setstate__(self, state):
        self.__dict__ |= state
        if os.getpid() != self.home:
            raise ImportError("no such module here")

    def run(self, trial):
        return hpt.Outcome(0.0)


def test_an_objective_that_workers_cannot_read_is_no_trials_fault():
    with (
        POOLS["fork"](2) as executor,
        pytest.raises(StudyError, match="die before they are ready") as caught,
    ):
        hpt.tune(Unreadable(os.getpid()), STRATEGY, executor=executor, progress=False)
    assert not caught.value.study.history.records


class Sticky(float):
    def __reduce__(self):
        raise TypeError("stays here")


def sticky(config):
    return hpt.Outcome(Sticky(1.0)) if config["x"] == 0 else hpt.Outcome(abs(config["x"]))


def test_an_outcome_that_cannot_be_sent_back_is_its_trials_failure():
    strategy = hpt.random_search(SPACE, trials=6, first=[{"x": 0}])
    with POOLS["fork"](2) as executor:
        study = hpt.tune(sticky, strategy, executor=executor, progress=False)
    losses = {
        record.trial.id: record.loss
        for record in study.history.records
        if not record.outcome.failed
    }
    assert len(study.history.records) == 6 and set(losses) >= {1, 2, 3, 4, 5}


def test_a_pool_that_would_fork_after_tensorflow_is_refused_before_anything_starts(
    monkeypatch, tmp_path
):
    monkeypatch.setitem(sys.modules, "tensorflow", types.ModuleType("tensorflow"))
    for context in (FORK, None):
        if context is None and multiprocessing.get_start_method() != "fork":
            continue
        with (
            ProcessPoolExecutor(1, mp_context=context) as executor,
            pytest.raises(StudyError, match=r"get_context\(.spawn.\)"),
        ):
            hpt.tune(bowl, STRATEGY, executor=executor, journal=tmp_path / "j", progress=False)
    assert not list(tmp_path.iterdir())
    with ThreadPoolExecutor(2) as executor:
        assert hpt.tune(bowl, STRATEGY, executor=executor, progress=False).digest == undisturbed()


@pytest.mark.parametrize("executor", [4, "processes", Executor, SPAWN])
def test_what_is_no_executor_is_refused(executor, tmp_path):
    with pytest.raises(StudyError, match="executor must be a"):
        hpt.tune(bowl, STRATEGY, executor=executor, journal=tmp_path / "j")
    assert not list(tmp_path.iterdir())


class Writer:
    def __init__(self, folder):
        self.folder = folder

    def run(self, trial):
        (self.folder / "result").write_bytes(bytes(32 * 1024))
        return hpt.Outcome(bowl(trial.config, trial.budget))


@pytest.mark.parametrize("kind", ["fork", None])
def test_a_disk_that_the_objective_fills_stops_the_study_and_fails_no_trial(kind, tmp_path):
    with small_disk(tmp_path / "disk", kilobytes=16) as disk:
        executor = POOLS[kind](2) if kind else None
        with pytest.raises(StudyError, match="No space left on device") as caught:
            hpt.tune(
                Writer(disk), STRATEGY, journal=tmp_path / "j", executor=executor, progress=False
            )
        if executor:
            executor.shutdown()
    assert not caught.value.study.history.records
    (tmp_path / "disk").mkdir(exist_ok=True)
    assert (
        hpt.resume(tmp_path / "j", Writer(tmp_path / "disk"), progress=False).digest
        == undisturbed()
    )


def interrupted(config, budget):
    if budget == 3:
        raise KeyboardInterrupt
    return bowl(config, budget)


def test_ctrl_c_in_a_worker_stops_the_study_and_keeps_it(tmp_path):
    with POOLS["fork"](2) as executor:
        study = hpt.tune(
            interrupted, STRATEGY, executor=executor, journal=tmp_path / "j", progress=False
        )
    assert study.stopped == "interrupted" and len(study.history.records) >= 9
    assert hpt.resume(tmp_path / "j", bowl, progress=False).digest == undisturbed()

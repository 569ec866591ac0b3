"""One job at a time, the latest request wins, and neither errors nor floods of requests leave a
thread behind."""

import threading
import time

import pytest

from hpt_lab.widgets import worker as module
from hpt_lab.widgets.worker import Worker


class Owner:
    def __init__(self):
        self.errors = []

    def ended(self, error):
        self.errors.append(error)


@pytest.fixture
def worker():
    return Worker()


def forever(stop, started=None, closed=None):
    try:
        if started:
            started.set()
        while True:
            stop.wait(0.005)
            yield
    finally:
        if closed:
            closed.set()


def test_a_flood_of_requests_runs_one_at_a_time_and_the_last_wins(worker):
    running, most, seen, owner = 0, 0, [], Owner()

    def job(value):
        def steps(stop):
            nonlocal running, most
            running += 1
            most = max(most, running)
            try:
                for _ in range(3):
                    yield
                seen.append(value)
            finally:
                running -= 1

        return steps

    before = threading.active_count()
    for value in range(200):
        worker.start(owner, job(value))
    assert worker.wait(10)
    assert seen[-1] == 199 and most == 1 and running == 0
    assert threading.active_count() == before + 1  # the worker's own


def test_stop_closes_the_running_job_and_says_so_once(worker):
    started, closed, owner = threading.Event(), threading.Event(), Owner()
    worker.start(owner, lambda stop: forever(stop, started, closed))
    assert started.wait(5) and worker.busy(owner)
    worker.stop(owner)
    assert not worker.busy(owner)  # at once, even while the last slice is still on its way
    assert worker.wait(5) and closed.is_set() and owner.errors == [None]


def test_another_owner_takes_over_and_stopping_the_first_does_not_stop_it(worker):
    first, second = Owner(), Owner()
    begun = threading.Event(), threading.Event()
    worker.start(first, lambda stop: forever(stop, begun[0]))
    assert begun[0].wait(5)
    worker.start(second, lambda stop: forever(stop, begun[1]))
    assert begun[1].wait(5) and first.errors == [None]
    worker.stop(first)
    assert worker.busy(second) and not worker.busy(first)
    worker.stop(second)
    assert worker.wait(5)


def test_a_waiting_request_that_is_replaced_or_stopped_is_told_so(worker):
    begun, gate, running, waiting, later = (
        threading.Event(),
        threading.Event(),
        Owner(),
        Owner(),
        Owner(),
    )

    def deaf(stop):
        begun.set()
        gate.wait(5)
        yield

    worker.start(running, deaf)
    assert begun.wait(5)  # or the next request would take its place before it runs
    worker.start(waiting, deaf)
    worker.start(later, deaf)
    assert waiting.errors == [None]
    worker.stop(later)
    assert later.errors == [None]
    gate.set()
    assert worker.wait(5)


def test_an_error_reaches_the_owner_and_the_next_job_runs(worker):
    owner, done = Owner(), []

    def broken(stop):
        yield
        raise ValueError("no such layer")

    def fine(stop):
        done.append(True)
        yield

    worker.start(owner, broken)
    assert worker.wait(5)
    worker.start(owner, fine)
    assert worker.wait(5)
    assert str(owner.errors[0]) == "no such layer" and owner.errors[1] is None and done == [True]


def test_an_owner_that_fails_does_not_take_the_thread_with_it(worker, caplog):
    class Broken:
        def ended(self, error):
            raise RuntimeError("closed")

    owner = Owner()
    for who in (Broken(), owner):
        worker.start(who, lambda stop: forever_once())
        assert worker.wait(5)
    assert owner.errors == [None] and "Broken.ended failed" in caplog.text


def forever_once():
    yield


def test_in_the_foreground_a_job_runs_inside_start_for_a_limited_time(monkeypatch):
    monkeypatch.setattr(module, "FOREGROUND_SECONDS", 0.05)
    worker, owner, threads = Worker(foreground=True), Owner(), []

    def job(stop):
        while True:
            threads.append(threading.current_thread())
            time.sleep(0.005)
            yield

    worker.start(owner, job)
    assert owner.errors == [None] and not worker.busy()
    assert set(threads) == {threading.current_thread()}


def test_the_notebooks_interrupt_ends_a_foreground_job_quietly():
    worker, owner = Worker(foreground=True), Owner()

    def job(stop):
        yield
        raise KeyboardInterrupt

    worker.start(owner, job)
    assert owner.errors == [None]

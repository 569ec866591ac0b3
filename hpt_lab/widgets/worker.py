"""One training thread for the whole process; the latest request wins.

A widget's callback may run on any thread and must return at once, so it only posts:
`WORKER.start(owner, job)`. The worker calls `job(stop)`, a generator that does the work in slices
and yields after each one:

    def work(self, stop):                  # runs on the worker's thread
        for epoch in range(100):
            if trainer.epoch(stop=stop) is None:
                return                     # `stop` was set on the way
            self.picture.show()
            yield                          # here the worker may close the generator

A newer request, of this widget or of another, or `WORKER.stop(owner)` sets `stop` and closes the
generator at its next `yield`. Keep a slice under 0.1 s, or look at `stop` (a threading.Event)
inside it. To pause is to stop: keep what has been done in the widget, and let its next job go on
from there. `owner.ended(error)` is called on the worker's thread when the job is over, with the
exception that ended it, or None.

Colab shows nothing that a thread sends, so there (`foreground`) a job runs inside `start`, for at
most FOREGROUND_SECONDS, since its stop button can't be heard meanwhile. Read `Worker._run` first.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

FOREGROUND_SECONDS = 10.0

Job = Callable[[threading.Event], Iterator[None]]


class Owner(Protocol):
    """Whoever has work done: every `Board`."""

    def ended(self, error: Exception | None) -> None:
        """Take note, on the worker's thread, that a job is over."""


@dataclass(frozen=True, eq=False)
class _Request:
    owner: Owner
    job: Job
    stop: threading.Event = field(default_factory=threading.Event)


class Worker:
    """Run one job at a time on one daemon thread, made at the first request; `foreground`: inside
    `start`."""

    def __init__(self, *, foreground: bool = False):
        self.foreground = foreground
        self._changed = threading.Condition()
        self._waiting: _Request | None = None
        self._running: _Request | None = None
        self._thread: threading.Thread | None = None

    def start(self, owner: Owner, job: Job) -> None:
        """Have `job` run for `owner` as soon as the running one has made room; whatever waited is
        dropped."""
        request = _Request(owner, job)
        if self.foreground:
            self._in_foreground(request)
            return
        with self._changed:
            self._waiting, dropped = request, self._waiting
            self._cancel_running()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._serve, name="hpt-lab worker", daemon=True
                )
                self._thread.start()
                atexit.register(self._at_exit)
            self._changed.notify_all()
        if dropped is not None and dropped.owner is not owner:
            dropped.owner.ended(None)

    def stop(self, owner: Owner) -> None:
        """End the job of `owner`, if one runs or waits. Returns at once; `owner.ended` tells when
        it is over."""
        with self._changed:
            waited = self._waiting is not None and self._waiting.owner is owner
            if waited:
                self._waiting = None
            if self._running is not None and self._running.owner is owner:
                self._cancel_running()
                waited = False
        if waited:
            owner.ended(None)

    def busy(self, owner: Owner | None = None) -> bool:
        """Tell whether a job of `owner` (of anyone, if None) runs or waits, other than one that is
        being stopped."""
        with self._changed:
            alive = [
                r for r in (self._waiting, self._running) if r is not None and not r.stop.is_set()
            ]
        return any(owner is None or request.owner is owner for request in alive)

    def wait(self, timeout: float) -> bool:
        """Wait until no job runs or waits; return False if that took longer than `timeout`
        seconds."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._waiting is None and self._running is None, timeout
            )

    def _cancel_running(self) -> None:
        if self._running is not None:
            self._running.stop.set()

    def _serve(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting is not None)
                self._running, self._waiting = self._waiting, None
                request = self._running
            assert request is not None
            error = self._run(request)
            request.stop.set()  # no longer busy
            try:
                request.owner.ended(error)
            except Exception:  # a broken widget must not take the thread with it
                logging.getLogger(__name__).exception(
                    "%s.ended failed", type(request.owner).__name__
                )
            with self._changed:
                self._running = None
                del request, error  # keep nothing of it alive while idle
                self._changed.notify_all()

    def _run(self, request: _Request, until: float = float("inf")) -> Exception | None:
        """Run a job to its end, to `stop`, or to the time `until`; return what it raised."""
        try:
            steps = request.job(request.stop)
            try:
                for _ in steps:
                    if request.stop.is_set() or time.monotonic() > until:
                        break
            finally:
                steps.close()  # type: ignore[attr-defined]
        except KeyboardInterrupt:  # the notebook's own stop button, in the foreground
            return None
        except Exception as error:  # noqa: BLE001  shown in the widget
            return error
        return None

    def _in_foreground(self, request: _Request) -> None:
        self._running = request
        try:
            error = self._run(request, time.monotonic() + FOREGROUND_SECONDS)
        finally:
            self._running = None
        request.owner.ended(error)

    def _at_exit(self) -> None:
        """Let TensorFlow finish its graph call before the interpreter goes away under it."""
        with self._changed:
            self._waiting = None
            self._cancel_running()
        self.wait(2.0)


WORKER = Worker(foreground="COLAB_RELEASE_TAG" in os.environ)

"""Ctrl-C must reach the tests that send it, also where the whole run was started in the background, which ignores it."""

import signal
import threading

import pytest


@pytest.fixture(autouse=True)
def ctrl_c_is_heard():
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def faults_may_change_the_objective(request, monkeypatch):
    """Tests of faults go on with another function than the one that failed; identity has its own tests."""
    if request.module.__name__.rpartition(".")[2] in ("test_faults", "test_lock", "test_workers", "test_odd_journals"):
        monkeypatch.setattr("hpt_lab.study.journal.differs", lambda there, here: False)

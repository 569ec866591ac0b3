"""What some tests need around them, as a plugin (`-p tests.surroundings`): two files `conftest.py`
would clash."""

import signal
import sys
import threading

import pytest

CHANGE_THE_OBJECTIVE = ("test_faults.py", "test_lock.py", "test_workers.py", "test_odd_journals.py")


@pytest.fixture(autouse=True)
def surroundings(request, monkeypatch):
    folder = request.path.parent.name
    if (
        folder == "claims"
    ):  # that a lesson loads no TensorFlow is about its kernel, not about this process
        monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    if folder == "study" and threading.current_thread() is threading.main_thread():
        signal.signal(
            signal.SIGINT, signal.default_int_handler
        )  # a run in the background ignores Ctrl-C
    if (
        folder == "study" and request.path.name in CHANGE_THE_OBJECTIVE
    ):  # identity has tests of its own
        monkeypatch.setattr("hpt_lab.study.journal.differs", lambda there, here: False)

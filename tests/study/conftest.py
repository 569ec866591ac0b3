"""Ctrl-C must reach the tests that send it, also where the whole run was started in the background, which ignores it."""

import signal
import threading

import pytest


@pytest.fixture(autouse=True)
def ctrl_c_is_heard():
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)

"""Claims that a lesson loads no TensorFlow are about its kernel, not about this process, where other tests loaded it."""

import sys

import pytest


@pytest.fixture(autouse=True)
def no_tensorflow_yet(monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)

"""What the explorers share: a picture that follows from the controls at once, and `work` that goes on from there.

A subclass defines `prepare` (bring the state in line with the controls), `frame` (draw and say the state) and `work`, and
ends its `__init__` with `self.begin(run, settings)`. Moving a control stops the work, prepares and draws; Run works.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

from hpt_lab.widgets.look import Board
from hpt_lab.widgets.worker import WORKER

RUN_SECONDS = 600  # that `run=True` waits at most


class Explorer(Board):
    """A board that can always be drawn; see the top of this file."""

    _begun = False
    look: frozenset[str] = frozenset()  # controls that change only what is shown: a running work reads them itself

    def prepare(self) -> None:
        """Bring the state in line with the controls; cheap, and harmless to repeat."""

    def frame(self) -> None:
        """Draw the state and say it."""
        raise NotImplementedError

    def begin(self, run: bool, settings: Mapping[str, Any]) -> None:
        """Set controls and draw for the first time; `run`: work to the end before the widget is shown."""
        self.controls.set(**settings)
        self._begun = True
        self.prepare()
        self.frame()
        if run:
            self.start()
            WORKER.wait(RUN_SECONDS)

    def changed(self, names: set[str]) -> None:
        """Stop the work and show what the controls say now."""
        if self._begun and not (names <= self.look and WORKER.busy(self)):
            self.start(self._show)

    def _show(self, stop: threading.Event) -> Iterator[None]:
        self.prepare()
        self.frame()
        yield

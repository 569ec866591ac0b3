"""What the explorers share: a picture that follows from the controls at once, and `steps` that go
on from there.

A subclass defines `prepare` (bring the state in line with the controls), `frame` (draw and say the
state) and `steps` (what Run does), and ends its `__init__` with `self.begin(run, settings)`. Moving
a control stops the work, prepares and draws. Pause leaves the generator `steps` where it is; Run
goes on with it, until it is exhausted or a control has moved.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hpt_lab.arguments import check_flag
from hpt_lab.widgets.controls import Knob
from hpt_lab.widgets.look import Board
from hpt_lab.widgets.worker import WORKER

RUN_SECONDS = 600  # that `run=True` waits at most


class Explorer(Board):
    """A board that can always be drawn; see the top of this file."""

    _begun = False
    _unseen = False  # it runs before it is shown: nobody watches, so nothing waits
    _steps: Iterator[float] | None = None  # where a pause has left them
    stop = threading.Event()  # the running work's, for a slice that takes long
    _state_of: Any = None  # what the state was made from; None: anything must be made anew
    look: frozenset[str] = (
        frozenset()
    )  # controls that change only what is shown: a running work reads them itself

    def __init__(self, title: str, knobs: Sequence[Knob], *, size: tuple[int, int], about: str):
        super().__init__(title, knobs, size=size, about=about)
        again = self.button(
            "Reset", self.reset, icon="fast-backward", tip="Back to where Run begins"
        )
        self.buttons.children = (self.run_button, self.pause_button, again, self.defaults_button)

    def prepare(self) -> None:
        """Bring the state in line with the controls; cheap, and harmless to repeat."""

    def steps(self) -> Iterator[float]:
        """Do what Run does, in slices; yield how many seconds to wait before the next."""
        raise NotImplementedError

    def frame(self) -> None:
        """Draw the state and say it."""
        raise NotImplementedError

    def begin(self, run: bool, settings: Mapping[str, Any]) -> None:
        """Set controls and draw for the first time; `run`: work to the end before the widget is
        shown."""
        run = check_flag("run", run)
        self.controls.set(**settings)
        self._begun = True
        self.prepare()
        self.frame()
        if run:
            self._unseen = True
            self.start()
            WORKER.wait(RUN_SECONDS)
            self._unseen = False

    def work(self, stop: threading.Event) -> Iterator[None]:
        """Go on with the steps that a pause has left, or begin them."""
        self.stop, steps, self._steps = stop, self._steps, None
        if steps is None:
            self.prepare()
            steps = self.steps()
        try:
            for seconds in steps:
                self._steps = steps  # for the next Run, should this generator be closed here
                stop.wait(0 if self._unseen else seconds)
                yield
                self._steps = None
        except GeneratorExit:
            if not WORKER.busy(self):  # paused; otherwise this widget's next job is about to draw
                self.frame()
            raise
        self.frame()

    def changed(self, names: set[str]) -> None:
        """Stop the work and show what the controls say now."""
        if self._begun and not (names <= self.look and WORKER.busy(self)):
            self.start(self._show)

    def reset(self) -> None:
        """Go back to where Run begins."""

        def back(stop: threading.Event) -> Iterator[None]:
            self._state_of = None
            yield from self._show(stop)

        self.start(back)

    def _show(self, stop: threading.Event) -> Iterator[None]:
        self._steps = None
        self.prepare()
        self.frame()
        yield

"""What all widgets share: `Board` (controls, buttons, a line of text, a picture) and `Picture` (a
figure sent as PNG).

To build a widget, subclass Board, declare controls, draw inside `work`, and yield after every slice
of work:

    class Explorer(Board):
        def __init__(self):
            super().__init__("Coin explorer", [Number("p", "Heads", 0.5, low=0, high=1, step=0.01),
            seed()]) self.ax = self.picture.figure.subplots()
            self.line, = self.ax.plot([], [], color=BLUE, marker="o", label="share of heads")
            dress(self.ax, "Share of heads", xlabel="throws", ylabel="share")
            self.picture.moving(self.line)              # redrawn in every frame; all else only by
                                                        show(fresh=True)
            self.picture.show(fresh=True)               # the first frame, before anyone sees the
                                                        widget

        def work(self, stop):                           # on the worker's thread; see worker.py
            v = self.controls.values                    # a snapshot
            for n in range(1000):
                ...
                if self.picture.due():                  # at most 22 frames a second
                    self.frame(...)
                yield
            self.frame(...)                             # the last state is always shown

        def frame(self, n, heads):
            self.line.set_data(...)
            self.say(f"{heads} of {n} are heads")       # one line of text; escaped
            self.picture.show()

`changed(names)` is called when controls move; it starts `work` anew unless a subclass overrides it.
Figures are touched only in `__init__` and on the worker's thread, never by a callback: Matplotlib
isn't thread-safe. Error messages of `work` and of `on_click` callbacks appear in the widget, and
the buttons work again.
"""

from __future__ import annotations

import base64
import html
import io
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ipywidgets as widgets
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from hpt_lab.errors import HptError
from hpt_lab.plots.figure import BLUE, FAINT, GREEN, INK, ORANGE, VERMILLION
from hpt_lab.widgets.controls import Controls, Knob, Number
from hpt_lab.widgets.worker import WORKER, Job

__all__ = [
    "BLUE",
    "FAINT",
    "GREEN",
    "INK",
    "LINES",
    "ORANGE",
    "PURPLE",
    "VERMILLION",
    "Board",
    "Picture",
    "dress",
    "seed",
]

PURPLE = "#CC79A7"
LINES = (
    (BLUE, "-", "o"),
    (VERMILLION, "--", "s"),
    (GREEN, "-.", "^"),
    (PURPLE, ":", "D"),
    (ORANGE, (0, (5, 1, 1, 1)), "v"),
)
DPI = 100
FRAME_SECONDS = (
    0.045  # not more than 22 frames a second, and at most two thirds of the time spent drawing
)


def seed(value: int = 0) -> Number:
    """Return the seed's control: all randomness follows from it, zero is as good as any."""
    return Number(
        "seed",
        "Seed",
        value,
        low=0,
        high=2**31 - 1,
        whole=True,
        slider=False,
        help="All randomness follows from it: same seed, same picture",
    )


def dress(ax: Axes, title: str, *, xlabel: str = "", ylabel: str = "") -> Axes:
    """Give axes the look of all widgets, whatever style the notebook has set; dark text on
    white."""
    ax.set_facecolor("white")
    ax.set_title(title, loc="left", fontsize=10.5, color=INK, pad=6)
    ax.set_xlabel(xlabel, fontsize=9.5, color=INK)
    ax.set_ylabel(ylabel, fontsize=9.5, color=INK)
    ax.tick_params(which="both", colors=INK, labelsize=8.5)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(INK)
    ax.grid(True, color="#e6e6e6", linewidth=0.8)
    ax.set_axisbelow(True)
    if ax.get_legend_handles_labels()[0]:
        ax.legend(
            frameon=True,
            facecolor="white",
            edgecolor="none",
            framealpha=0.8,
            fontsize=8.5,
            labelcolor=INK,
        )
    return ax


class Picture:
    """A private figure of `width` by `height` pixels, sent into `image`.

    Only the `moving` artists are drawn in every frame, on a copy of the rest, and such a frame
    travels as JPEG: drawing all takes five times as long, packing a PNG ten times. `settle` sends
    the last one again as the PNG that stays.
    """

    def __init__(self, width: int = 960, height: int = 420):
        self.figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
        self.image = widgets.Image(
            format="png",
            layout={"width": f"{width}px", "max_width": "100%", "object_fit": "contain"},
        )
        self._pixels = Image.new("RGB", (width, height), "white")  # of the last frame
        self._canvas = FigureCanvasAgg(self.figure)
        self._moving: list[Any] = []
        self._still: Any = None  # pixels of all that doesn't move
        self._due = 0.0

    def moving(self, *artists: Any) -> None:
        """Have these artists drawn in every frame, in this order, above all others."""
        for artist in artists:
            artist.set_animated(True)
        self._moving.extend(artists)
        self._still = None

    def due(self) -> bool:
        """Tell whether it is time for another frame; ask before preparing one in a loop."""
        return time.monotonic() >= self._due

    def show(self, *, fresh: bool = False) -> None:
        """Draw a frame and send it. `fresh`: draw anew what doesn't move (limits, ticks,
        legends)."""
        started = time.monotonic()
        if fresh or self._still is None:
            self._canvas.draw()
            self._still = self._canvas.copy_from_bbox(self.figure.bbox)
            fresh = True
        else:
            self._canvas.restore_region(self._still)
        for artist in self._moving:
            self.figure.draw_artist(artist)
        size = self._canvas.get_width_height(physical=True)
        self._pixels = Image.frombuffer(
            "RGBA", size, self._canvas.buffer_rgba(), "raw", "RGBA", 0, 1
        ).convert("RGB")
        self._send("png" if fresh else "jpeg")
        ended = time.monotonic()
        self._due = max(started + FRAME_SECONDS, ended + (ended - started) / 2)

    def settle(self) -> None:
        """Send the last frame as PNG, unless it was."""
        if self.image.format != "png":
            self._send("png")

    @property
    def png(self) -> bytes:
        """The last frame; may be asked for on any thread, while the next one is drawn."""
        return self._packed("png")

    def _send(self, form: str) -> None:
        with self.image.hold_sync():
            self.image.format, self.image.value = form, self._packed(form)

    def _packed(self, form: str) -> bytes:
        out = io.BytesIO()
        how = {"compress_level": 1} if form == "png" else {"quality": 80, "subsampling": 2}
        self._pixels.save(out, form, **how)
        return out.getvalue()


class Board(widgets.VBox):
    """A widget: title, controls, buttons, one line of text, picture. Subclass it; see the top of
    this file.

    `knobs`: the controls. `size`: of the picture, in pixels. `about`: one sentence under the title.
    """

    def __init__(
        self,
        title: str,
        knobs: Sequence[Knob],
        *,
        size: tuple[int, int] = (960, 420),
        about: str = "",
    ):
        self.title = title
        self.text = ""
        self.controls = Controls(knobs, changed=self._controls_changed)
        self.picture = Picture(*size)
        self._state = threading.Lock()
        self._wishes: deque[Callable[[threading.Event], None]] = (
            deque()
        )  # of quick clicks, none of which may be lost
        self._text, self._error = widgets.HTML(), widgets.HTML()
        self.run_button = self.button(
            "Run", self.start, icon="play", style="success", tip="Start, or go on after a pause"
        )
        self.pause_button = self.button(
            "Pause", self.pause, icon="pause", tip="Stop at once; Run goes on from here"
        )
        self.pause_button.disabled = True
        self.defaults_button = self.button(
            "Defaults", self.set_defaults, icon="undo", tip="Set all controls back"
        )
        self.buttons = widgets.HBox(
            [self.run_button, self.pause_button, self.defaults_button],
            layout={"flex_flow": "row wrap"},
        )
        heading = widgets.HTML(
            f'<div style="font-size:1.25em;font-weight:600">{html.escape(title)}</div>'
            f'<div style="opacity:.8;line-height:1.35">{html.escape(about)}</div>'
        )
        super().__init__(
            [heading, self.controls, self.buttons, self._error, self._text, self.picture.image],
            layout={"width": "100%", "max_width": f"{max(size[0], 960) + 20}px", "padding": "4px"},
        )
        self.add_class("hpt-lab")

    # What a subclass defines.

    def work(self, stop: threading.Event) -> Iterator[None]:
        """Do what Run does, in slices; on the worker's thread."""
        raise NotImplementedError

    def changed(self, names: set[str]) -> None:
        """Hear which controls have moved, on any thread: post only. By default `work` starts
        anew."""
        self.start()

    # What a subclass uses.

    def button(
        self, label: str, do: Callable[[], None], *, icon: str = "", style: str = "", tip: str = ""
    ) -> widgets.Button:
        """Make a button that calls `do()` and shows its errors in the widget."""
        button = widgets.Button(
            description=label, icon=icon, button_style=style, tooltip=tip, layout={"width": "auto"}
        )
        button.on_click(lambda _: self.guarded(do))
        return button

    def start(self, job: Job | None = None) -> None:
        """Post `job`, by default `work`, to the worker; what runs in this or any other widget makes
        room."""
        self.fail(None)
        if job != self._grant:
            self._wishes.clear()
        WORKER.start(self, job or self.work)
        self._show_state()

    def queue(self, wish: Callable[[threading.Event], None]) -> None:
        """Have the worker call `wish(stop)` after those queued before; starting or pausing anything
        else drops them."""
        self._wishes.append(wish)
        self.start(self._grant)

    def _grant(self, stop: threading.Event) -> Iterator[None]:
        while self._wishes:
            self._wishes.popleft()(stop)
            yield

    def pause(self) -> None:
        """Stop the work at once."""
        self._wishes.clear()
        WORKER.stop(self)
        self._show_state()

    def set_defaults(self) -> None:
        """Set every control to its default."""
        self.controls.set(**self.controls.defaults)

    def say(self, text: str) -> None:
        """Show one line of text: the result in words."""
        self.text = text
        live = (
            "off" if WORKER.busy(self) else "polite"
        )  # a screen reader must not be told 20 times a second
        self._text.value = (
            f'<div aria-live="{live}" style="background:#eef3f8;color:{INK};padding:3px '
            "8px;line-height:1.4;"
            f'border-left:4px solid {BLUE}">{html.escape(text)}</div>'
        )

    def fail(self, error: BaseException | str | None) -> None:
        """Show an error; None takes it away."""
        kind = "" if isinstance(error, str | HptError | None) else f"{type(error).__name__}: "
        shown = (
            ""
            if error is None
            else (
                f'<div role="alert" style="background:#fdeee6;color:{INK};padding:3px '
                "8px;line-height:1.4;border-left:4px solid "
                f'{VERMILLION}">{html.escape(f"{kind}{error}"[:2000])}</div>'
            )
        )
        if self._error.value != shown:
            self._error.value = shown

    def guarded(self, do: Callable[[], None]) -> None:
        """Call `do()`; show what it raises."""
        try:
            do()
        except Exception as error:  # noqa: BLE001  a callback has nobody to raise to
            self.fail(error)

    def ended(self, error: Exception | None) -> None:
        """Take note that a job is over (called by the worker)."""
        if error is not None:
            self.fail(error)
        self.picture.settle()
        if self.text:
            self.say(self.text)
        self._show_state()

    def close(self) -> None:
        """Stop the work and free the widget."""
        WORKER.stop(self)
        super().close()

    def _controls_changed(self, names: set[str]) -> None:
        self.guarded(lambda: self.changed(names))

    def _show_state(self) -> None:
        with self._state:  # so that who asks last shows last
            running = WORKER.busy(self)
            self.run_button.disabled, self.pause_button.disabled = running, not running

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The live widget, with its picture and text for GitHub and nbviewer, where no kernel
        runs."""
        data = super()._repr_mimebundle_(**kwargs) or {}
        words = f"{self.title}. {self.text}"
        data |= {"text/plain": words, "image/png": base64.b64encode(self.picture.png).decode()}
        return data, {"image/png": {"alt": words}}

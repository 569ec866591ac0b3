"""What the interview widgets share: a card with a question, a picture, something to reveal, and
buttons.

To build one, subclass Card and show a face at a time:

    class Riddle(Card):
        def __init__(self):
            super().__init__("Riddle", "Think before you look.")
            self.show("**What** has keys and no locks?", [("Reveal", self.reveal)])

        def reveal(self):
            self.add("A piano.", [("Next", self.next)])     # below the question; these buttons
            replace the others

A click on a button of a face that is gone does nothing, so a double click can't grade what was not
read yet. The first button of a face gets the keyboard: Enter reveals, Tab walks. Texts are
Markdown, escaped.
"""

from __future__ import annotations

import base64
import html
import io
import threading
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from hpt_lab.errors import HptError
from hpt_lab.interview.markup import as_html, as_plain
from hpt_lab.plots.figure import BLUE, INK, VERMILLION, describe

Buttons = Sequence[tuple[str, Callable[[], None]]]
_DRAWING = threading.Lock()  # Matplotlib isn't thread-safe, and callbacks may run on any thread


class Card(widgets.VBox):
    """A question to think about; see the top of this file. `above`: controls over the question."""

    def __init__(self, title: str, about: str, above: Sequence[widgets.Widget] = ()):
        self.title = title
        self.text = ""
        self._face = 0
        self._turn = threading.RLock()
        self._error = widgets.HTML()
        self._question = widgets.HTML()
        self._revealed = widgets.HTML()
        self.image = widgets.Image(format="png", layout={"display": "none", "max_width": "100%"})
        self.inputs = widgets.VBox()
        self.buttons = widgets.HBox(layout={"flex_flow": "row wrap"})
        heading = widgets.HTML(
            f'<div style="font-size:1.25em;font-weight:600">{html.escape(title)}</div>'
            f'<div style="opacity:.8;line-height:1.35">{html.escape(about)}</div>'
        )
        super().__init__(
            [
                heading,
                *above,
                self._error,
                self._question,
                self.image,
                self.inputs,
                self._revealed,
                self.buttons,
            ],
            layout={"width": "100%", "max_width": "860px", "padding": "4px"},
        )
        self.add_class("hpt-lab")

    def show(
        self,
        text: str,
        buttons: Buttons,
        *,
        draw: Callable[[], Any] | None = None,
        inputs: Sequence[widgets.Widget] = (),
    ) -> None:
        """Show a new question, its picture, its inputs and its buttons; what was revealed goes
        away."""
        self.text = as_plain(text)
        self._question.value = _box(as_html(text), BLUE, "polite")
        self._revealed.value = ""
        self.inputs.children = tuple(inputs)
        words = self._draw(draw)
        if words:  # an Image widget has no alt text, and a tooltip breaks its view
            self._question.value += (
                '<details style="opacity:.8"><summary>The picture in '
                f"words</summary>{html.escape(words)}"
                "</details>"
            )
        self._set(buttons)

    def add(self, text: str, buttons: Buttons) -> None:
        """Reveal a text below the question; `buttons` replace those that are there."""
        self._revealed.value = _box(as_html(text), VERMILLION, "polite")
        self._set(buttons)

    def fail(self, error: BaseException | None) -> None:
        """Show an error; None takes it away."""
        kind = "" if isinstance(error, HptError) else f"{type(error).__name__}: "
        said = "" if error is None else html.escape(f"{kind}{error}"[:2000])
        self._error.value = (
            f'<div role="alert" style="color:{VERMILLION}">{said}</div>' if said else ""
        )

    def _set(self, buttons: Buttons) -> None:
        self._face += 1
        made = [self._button(label, do, self._face) for label, do in buttons]
        self.buttons.children = tuple(made)
        if made and self.comm is not None and self._face > 1:
            made[0].focus()

    def _button(self, label: str, do: Callable[[], None], face: int) -> widgets.Button:
        button = widgets.Button(description=label, layout={"width": "auto"})

        def clicked(_: Any) -> None:
            with self._turn:
                if face == self._face:
                    self.guarded(do)

        button.on_click(clicked)
        return button

    def guarded(self, do: Callable[[], None]) -> None:
        """Call `do()`; show what it raises."""
        self.fail(None)
        try:
            do()
        except Exception as error:  # noqa: BLE001  a callback has nobody to raise to
            self.fail(error)

    def _draw(self, draw: Callable[[], Any] | None) -> str:
        """Put a picture into the card, or take it away; return it in words."""
        if draw is None:
            self.image.layout.display = "none"
            self.image.value = b""
            return ""
        content, words = png(draw)
        self.image.value = content
        self.image.layout.display = "block"
        return words

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The live widget, and the question's text for where no kernel runs."""
        data = super()._repr_mimebundle_(**kwargs) or {}
        picture = base64.b64encode(self.image.value).decode()
        shown = f'<img alt="" src="data:image/png;base64,{picture}">' if picture else ""
        return data | {
            "text/plain": f"{self.title}. {self.text}",
            "text/html": f"{self._question.value}{shown}",
        }


def png(draw: Callable[[], Any]) -> tuple[bytes, str]:
    """Return the picture that `draw()` draws as PNG, and its words; the figure is closed."""
    import matplotlib.pyplot as plt

    with _DRAWING:
        drawn = draw()
        figure = (drawn[0] if isinstance(drawn, tuple) else drawn).figure.figure
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=100)
        words = describe(figure)
        plt.close(figure)
    return buffer.getvalue(), words


def _box(content: str, colour: str, live: str) -> str:
    return (
        f'<div aria-live="{live}" style="background:#f6f8fa;color:{INK};padding:4px '
        "12px;line-height:1.5;"
        f'overflow-x:auto;border-left:4px solid {colour}">{content}</div>'
    )

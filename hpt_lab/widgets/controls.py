"""Controls of a widget: numbers (a slider paired with a box), choices and switches, with defaults
and checks.

A widget declares its controls as data, and reads them as a dict of plain values:

    controls = Controls([Number("learning_rate", "Learning rate", 0.01, low=1e-4, high=10,
    log=True),
                         Choice("activation", "Activation", "relu", ("relu", "tanh"))],
                         changed=print)
    controls.values             # {"learning_rate": 0.01, "activation": "relu"}
    controls.set(learning_rate=0.1)             # checked; one call of `changed` for all that is set
    controls.set(**controls.defaults)

`changed(names)` is told which values are new, once per user action, on whatever thread the message
arrived. Text from outside enters through `from_text`, which parses JSON and checks every value
against its control.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets

from hpt_lab.arguments import check_among, check_flag, is_number, plain, show
from hpt_lab.errors import HptError

WIDTH = "316px"  # of one control; three fit beside each other in a notebook
LABEL = {"description_width": "94px"}


@dataclass(frozen=True)
class Number:
    """A number from `low` to `high`; its slider moves in steps of `step` (of the decimal logarithm
    if `log`), its box freely.

    `slider=False` leaves the box alone, for a seed. `whole`: integers.
    """

    name: str
    label: str
    default: float
    low: float
    high: float
    step: float = 1
    log: bool = False
    whole: bool = False
    slider: bool = True
    help: str = ""

    def check(self, value: Any) -> float:
        """Return `value` as int or float, or raise HptError."""
        value = plain(value)
        if (
            not is_number(value)
            or not self.low <= value <= self.high
            or (self.whole and value != int(value))
        ):
            kind = "a whole number" if self.whole else "a number"
            raise HptError(
                f"{self.name} must be {kind} from {self.low:g} to {self.high:g}, got {show(value)}"
            )
        return int(value) if self.whole else float(value)

    def make(self) -> tuple[widgets.Widget, widgets.Widget]:
        """Return (what to lay out, the widget whose `value` counts)."""
        tip = f"{self.help} ({self.low:g} to {self.high:g})".strip()
        box_type = widgets.BoundedIntText if self.whole else widgets.BoundedFloatText
        label = {} if self.slider else {"description": self.label, "style": LABEL}
        box = box_type(
            self.default,
            min=self.low,
            max=self.high,
            step=self.step if self.whole else None,
            tooltip=tip,
            layout={"width": "82px" if self.slider else "194px", "flex": "none"},
            **label,
        )
        if not self.slider:
            return box, box
        slider = widgets.IntSlider(
            self.position(self.default),
            min=0,
            max=self.position(self.high),
            description=self.label,
            style=LABEL,
            readout=False,
            tooltip=tip,
            layout={"width": "222px", "flex": "none"},
        )

        def slid(change: Any) -> None:
            if change.new != self.position(
                box.value
            ):  # else it only follows, or the browser rounds
                box.value = self.at(change.new)

        slider.observe(slid, names="value")
        box.observe(
            lambda change: setattr(slider, "value", self.position(change.new)), names="value"
        )
        return widgets.HBox([slider, box], layout={"width": WIDTH}), box

    def at(self, position: int) -> float:
        """Return the value at a position of the slider, rounded to what a reader would type."""
        if self.log:
            value = self.low * 10 ** (self.step * position)
            value = float(f"{value:.2g}")
        else:
            value = float(f"{self.low + self.step * position:.6g}")
        value = min(max(value, self.low), self.high)
        return round(value) if self.whole else value

    def position(self, value: float) -> int:
        """Return the slider's position nearest to a value.

        The slider counts positions because the browser rounds every slider to its steps: a value
        typed between them would be changed.
        """
        way = math.log10(value / self.low) if self.log else value - self.low
        return round(way / self.step)


@dataclass(frozen=True)
class Choice:
    """One of `options`."""

    name: str
    label: str
    default: str
    options: tuple[str, ...]
    help: str = ""

    def check(self, value: Any) -> str:
        """Return `value`, or raise HptError."""
        return check_among(self.name, value, self.options)

    def make(self) -> tuple[widgets.Widget, widgets.Widget]:
        """Return (what to lay out, the widget whose `value` counts)."""
        menu = widgets.Dropdown(
            options=self.options,
            value=self.default,
            description=self.label,
            style=LABEL,
            tooltip=self.help,
            layout={"width": "312px"},
        )
        return menu, menu


@dataclass(frozen=True)
class Switch:
    """On or off."""

    name: str
    label: str
    default: bool
    help: str = ""

    def check(self, value: Any) -> bool:
        """Return `value`, or raise HptError."""
        return check_flag(self.name, value)

    def make(self) -> tuple[widgets.Widget, widgets.Widget]:
        """Return (what to lay out, the widget whose `value` counts)."""
        box = widgets.Checkbox(
            self.default,
            description=self.label,
            indent=False,
            tooltip=self.help,
            layout={"width": "auto", "margin": "2px 2px 2px 98px"},
        )
        return box, box


Knob = Number | Choice | Switch


class Controls(widgets.Box):
    """Controls laid out beside each other, wrapping where the page is narrow; `changed(names)`
    hears of new values."""

    def __init__(self, knobs: Sequence[Knob], *, changed: Callable[[set[str]], None]):
        self.knobs = {knob.name: knob for knob in knobs}
        self._changed = changed
        self._held: set[str] | None = None
        made = {name: knob.make() for name, knob in self.knobs.items()}
        self.boxes = {
            name: box for name, (_, box) in made.items()
        }  # the widgets whose `value` counts
        for name, box in self.boxes.items():
            box.observe(lambda _, name=name: self._note(name), names="value")
        super().__init__(
            [shown for shown, _ in made.values()],
            layout={
                "display": "grid",
                "grid_template_columns": f"repeat(auto-fill, {WIDTH})",
                "width": "100%",
            },
        )

    @property
    def values(self) -> dict[str, Any]:
        """The values now, as a new dict."""
        return {name: box.value for name, box in self.boxes.items()}

    @property
    def defaults(self) -> dict[str, Any]:
        """The values at the start."""
        return {name: knob.default for name, knob in self.knobs.items()}

    def check(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return `values` if every one belongs to a control and is within its bounds, or raise
        HptError."""
        for name in values:
            if name not in self.knobs:
                raise HptError(
                    f"{name!r} is no control of this widget; there are {', '.join(self.knobs)}"
                )
        return {name: self.knobs[name].check(value) for name, value in values.items()}

    def set(self, **values: Any) -> None:
        """Set several values, after checking all of them, with one call of `changed`."""
        checked = self.check(values)
        held: set[str] = set()
        self._held = held
        try:
            for name, value in checked.items():
                self.boxes[name].value = value
        finally:
            self._held = None
        if held:
            self._changed(held)

    def to_text(self) -> str:
        """Return all values as one line of JSON."""
        return json.dumps(self.values, separators=(",", ":"))

    def from_text(self, text: str) -> dict[str, Any]:
        """Parse what `to_text` returned; every control must be there. Raises HptError, and sets
        nothing."""
        if not isinstance(text, str):
            raise HptError(f"a share string is one line of JSON, got {show(text)}")
        try:
            values = json.loads(text[:10_000])
        except (ValueError, RecursionError) as error:
            raise HptError(
                f"a share string is one line of JSON, got {text[:40]!r}: {error}"
            ) from None
        if not isinstance(values, dict):
            raise HptError(
                f"a share string is a JSON object, got {text[:40]!r}; copy it whole, from {{ to }}"
            )
        missing = [name for name in self.knobs if name not in values]
        checked = self.check(values)
        if missing:
            raise HptError(
                f"the share string lacks {', '.join(missing)}; copy it whole, from {{ to }}"
            )
        return checked

    def _note(self, name: str) -> None:
        if self._held is not None:
            self._held.add(name)
        else:
            self._changed({name})

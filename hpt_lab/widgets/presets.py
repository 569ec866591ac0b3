"""The playground's presets: settings that fail in one way each, and the cure beside every failure.

A preset names what differs from the defaults, the verdict that its curves earn after its epochs,
and what to look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preset:
    """Values of controls (the others keep their defaults), the verdict to expect, and a note to the
    reader."""

    values: Mapping[str, Any]
    expect: str
    note: str


_SPIRALS: dict[str, Any] = {
    "data": "spirals",
    "noise": 0.05,
    "layers": 3,
    "units": 32,
    "epochs": 150,
}
_SCARCE: dict[str, Any] = {
    "data": "two moons",
    "noise": 0.35,
    "share": 20,
    "layers": 3,
    "units": 64,
    "learning_rate": 0.003,
    "epochs": 200,
}

PRESETS: dict[str, Preset] = {
    "1 too small": Preset(
        _SPIRALS | {"layers": 1, "units": 3},
        "underfitting",
        "Three units bend the boundary three times; two spirals need more. Both losses stop high, "
        "close together.",
    ),
    "1 cured: more units": Preset(
        _SPIRALS,
        "good",
        "Three layers of 32 units follow the spirals. The small network's curve is kept for "
        "comparison.",
    ),
    "2 no activation": Preset(
        _SPIRALS | {"activation": "linear"},
        "underfitting",
        "Layers without activation are one linear map, however many there are: the boundary stays "
        "straight.",
    ),
    "2 cured: relu": Preset(_SPIRALS, "good", "The same layers with relu between them."),
    "3 rate too low": Preset(
        _SPIRALS | {"optimizer": "sgd", "learning_rate": 0.001},
        "underfitting",
        "Everything is right but the step size. Raise the learning rate while it runs and watch "
        "the loss.",
    ),
    "3 cured: a higher rate": Preset(
        _SPIRALS | {"optimizer": "momentum", "learning_rate": 0.05},
        "good",
        "With momentum and steps fifty times as long, some dozen epochs are enough.",
    ),
    "4 rate too high": Preset(
        _SPIRALS | {"optimizer": "momentum", "learning_rate": 5.0},
        "diverging",
        "Each step overshoots the valley and lands higher on the other side.",
    ),
    "4 cured: a lower rate": Preset(
        _SPIRALS | {"optimizer": "momentum", "learning_rate": 0.05},
        "good",
        "A hundredth of the rate, and the same network learns.",
    ),
    "5 too large for 60 rows": Preset(
        _SCARCE,
        "overfitting",
        "A large network learns sixty noisy points by heart: the training loss falls, the "
        "validation loss turns and rises.",
    ),
    "5 cured: stopped early": Preset(
        _SCARCE | {"epochs": 20},
        "good",
        "The same network on the same rows, stopped before the validation loss turns.",
    ),
    "5 cured: L2": Preset(
        _SCARCE | {"l2": 0.01}, "good", "A penalty on large weights keeps the boundary smooth."
    ),
}

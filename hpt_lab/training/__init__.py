"""Training of Keras models: the only part of hpt_lab that imports TensorFlow, and only when it is used.

Read `epochs` first (one epoch = one graph call), then `graphs` (one graph per architecture), then `objective`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpt_lab.training.epochs import Trainer, batch_order, fit
    from hpt_lab.training.objective import KerasObjective

_HOME = {"Trainer": "epochs", "batch_order": "epochs", "fit": "epochs", "KerasObjective": "objective"}

__all__ = ["KerasObjective", "Trainer", "batch_order", "fit"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)

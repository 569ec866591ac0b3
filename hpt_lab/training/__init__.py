"""Training of Keras models: the only part of hpt_lab that imports TensorFlow, and only when it is
used.

Read `epochs` first (one epoch = one graph call), then `graphs` (one graph per architecture), then
`objective`. The learning rate range test is
`hpt_lab.training.learning_rate_range.learning_rate_range`, named like its module.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpt_lab.training.cross_validation import Nested, nested_cross_validation
    from hpt_lab.training.epochs import Trainer, batch_order, fit
    from hpt_lab.training.metrics import best_threshold, evaluate
    from hpt_lab.training.objective import KerasObjective
    from hpt_lab.training.stacked import train_together

_HOME = {
    "KerasObjective": "objective",
    "Nested": "cross_validation",
    "Trainer": "epochs",
    "batch_order": "epochs",
    "best_threshold": "metrics",
    "evaluate": "metrics",
    "fit": "epochs",
    "nested_cross_validation": "cross_validation",
    "train_together": "stacked",
}

__all__ = [
    "KerasObjective",
    "Nested",
    "Trainer",
    "batch_order",
    "best_threshold",
    "evaluate",
    "fit",
    "nested_cross_validation",
    "train_together",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)

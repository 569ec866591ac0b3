"""The pictures of lesson 04, grid and random search.

Each takes what the lesson has computed and returns its axes. Errors are in percent, titles are
computed from what is drawn.
"""

from hpt_lab.plots.lesson_04.searches import bill, importance, knobs, luck, projections
from hpt_lab.plots.lesson_04.spaces import edge, effects, flat, gain, promise, scales, spread

__all__ = [
    "bill",
    "edge",
    "effects",
    "flat",
    "gain",
    "importance",
    "knobs",
    "luck",
    "projections",
    "promise",
    "scales",
    "spread",
]

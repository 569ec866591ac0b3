"""Numbers of the answers, computed: each function returns what fills the ${names} of a question's
texts.

An answer's numbers are never typed in. Where a formula or a recorded table gives them, a function
here does.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Mapping
from typing import Any

NUMBERS: dict[str, Callable[[], Mapping[str, Any]]] = {}


def numbers(function: Callable[[], Mapping[str, Any]]) -> Callable[[], Mapping[str, Any]]:
    """Register a function under its name."""
    NUMBERS[function.__name__] = function
    return function


@numbers
def best_of_two_of_five() -> Mapping[str, Any]:
    """Compute the expected best of two of five finished trials, over all ten pairs."""
    losses = (0.20, 0.22, 0.25, 0.30, 0.40)
    best = [min(pair) for pair in itertools.combinations(losses, 2)]
    counts = {loss: best.count(loss) for loss in losses}
    expected = statistics.mean(best)
    return {
        "expected": f"{expected:.3f}".lstrip("0"),
        "bought": f"{expected - min(losses):.3f}".lstrip("0"),
        "with_20": counts[0.20],
        "with_22": counts[0.22],
        "with_25": counts[0.25],
        "with_30": counts[0.30],
    }

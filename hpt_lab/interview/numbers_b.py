"""Numbers for the questions of lesson 06: what a bracket costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpt_lab.interview.numbers import numbers


@numbers
def bracket_of_81() -> Mapping[str, Any]:
    """Price the bracket 81, 27, 9, 3, 1 at 1 to 81 epochs, resumed and from scratch."""
    rungs = [(3 ** (4 - i), 3**i) for i in range(5)]
    scratch = sum(n * epochs for n, epochs in rungs)
    resumed = sum(n * (epochs - epochs // 3) for n, epochs in rungs)
    return {"scratch": scratch, "resumed": resumed, "full": 81 * 81, "fifth": scratch // 81}

"""What lesson 09 claims: edges, importance, noise, schedules, growth, fine-tuning, the capstone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hpt_lab.claims.core import claim


def _clear(difference: np.ndarray, errors: float = 2) -> bool:
    """Tell whether a paired difference (seeds,) lies so many standard errors above 0."""
    return bool(difference.mean() > errors * difference.std(ddof=1) / len(difference) ** 0.5)

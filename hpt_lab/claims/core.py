"""One claim: a sentence of a lesson, and whether it holds.

How to write a section's claims, in `lesson_NN.py`:

    def scales(linear: np.ndarray, log: np.ndarray) -> None:
        '''Check what lesson 04 says of scales. `linear`, `log`: best errors in %, (seeds,).'''
        claim("the log axis wins in more than 80 of 100 seeds", (log < linear).mean() > 0.8)

The sentence is the lesson's, the condition is the sentence as worded. Leave room for other
rounding: a claim that holds by a hair fails on the next machine. Call it with wrong arrays once and
    see it fail.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def claim(sentence: str, holds: Any) -> None:
    """Raise AssertionError with the `sentence` unless it `holds`; an array must hold everywhere,
    and hold something.

    >>> claim("most of them are even", np.mean([0, 1, 0]) < 0.5)
    >>> claim("all of them are even", np.array([2, 3]) % 2 == 0)
    Traceback (most recent call last):
    AssertionError: no longer true: all of them are even
    """
    values = np.asarray(holds)
    if values.dtype != bool:
        raise TypeError(f"a claim is True or False, got {holds!r}; compare it with something")
    if values.size == 0 or not values.all():
        raise AssertionError(f"no longer true: {sentence}")

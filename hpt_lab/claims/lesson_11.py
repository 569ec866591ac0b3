"""What lesson 11 claims of its moves, its arithmetic and its promise."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from hpt_lab.claims.core import claim


def moves(helped: Mapping[str, tuple[float, float]], turned: int) -> None:
    """Check what moves did where the validation loss had turned: name -> (helped, hurt), per
    cent."""
    claim("651 of the configs turned", turned == 651)
    claim("more dropout helps in about one of eleven", 7 < helped["more dropout"][0] < 12)
    claim("and hurts in most", helped["more dropout"][1] > 55)
    claim(
        "less dropout helps more often than it hurts",
        helped["less dropout"][0] > 2 * helped["less dropout"][1],
    )
    claim("wider layers help in about two of three", 60 < helped["wider layers"][0] < 70)
    claim("a lower rate helps in about half", 40 < helped["a lower rate"][0] < 56)
    claim("no TensorFlow", "tensorflow" not in sys.modules)


def budget(plan: Any, finalists: int, seeds: int) -> None:
    """Check the arithmetic of 200 GPU hours."""
    claim("a Hyperband of R = 27 costs 357 epochs", plan.epochs_resumed == 357)
    claim("that is 13.2 trainings in full, 53 hours", round(4 * plan.epochs_resumed / 27) == 53)
    claim("repeats take 48 hours", 4 * finalists * seeds == 48)
    claim(
        "two rounds and the repeats leave 46 hours",
        round(200 - 48 - 2 * 4 * plan.epochs_resumed / 27) == 46,
    )


def promise(old: np.ndarray, promised: np.ndarray, kept: np.ndarray) -> None:
    """Check the promise of the best of 50 equal models; in points."""
    claim("the promise is about two points", 1.9 < (promised - old).mean() < 2.3)
    claim("production sees none of it", abs((kept - old).mean()) < 0.1)


def told(story: Any) -> None:
    """Check that the study's story has a page and its questions."""
    claim(
        "the page has its five parts",
        [
            f"**{part}.**" in story.page
            for part in ("Problem", "Baseline", "Search", "Result", "What I would do next")
        ],
    )
    claim("four questions or more", len(story.questions) >= 4)

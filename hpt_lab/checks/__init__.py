"""Checks of the lessons' exercises, one module per lesson: `from hpt_lab.checks.lesson_01 import
check_batch_steps`.

How to write one stands in `core`.
"""

from hpt_lab.checks.core import (
    Unanswered,
    Verdict,
    Wrong,
    call,
    check,
    choice,
    number,
    numbers,
    show,
)

__all__ = ["Unanswered", "Verdict", "Wrong", "call", "check", "choice", "number", "numbers", "show"]

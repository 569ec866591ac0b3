"""Exercise checks: tell at once what is wrong with an answer, hint at the remedy, and never raise.

How to write a check, in `lesson_NN.py`:

    @check
    def check_share(answer):                                   # the answer, or several; None and
    ... are "not answered yet"
        '''Return the verdict on the share of epochs that Hyperband needs.'''
        share = number(answer, "the share")                    # any one number: float, NumPy
        scalar, tensor; else Wrong
        if 1 < share <= 100:                                   # the typical wrong answers first,
        each with its own hint
            raise Wrong(f"{share:g} is more than all of them", hint="give a fraction: 40 % is 0.4")
        if not math.isclose(share, 357 / 1323, abs_tol=0.005):
            raise Wrong(f"{share:g} is not the share", hint="divide the plan's epochs by 49 x 27")
        return "357 of 1,323 epochs, 27 %."                    # what the learner should take along

A function is answered by its name: `answer`, and checked by what it returns, `call(answer, 3, 4)`,
against an oracle (brute force, a library, a published table), so that any right spelling passes.
`choice` reads one word of several. Compute what is right; don't type it in. Test that right answers
pass in two spellings and that each typical wrong one gets its hint: `assert not check_share(27)`,
`assert "fraction" in check_share(27).hint`.

In the notebook the stub cell ends with `check_share(...)`; the folded solution cell asserts it,
`assert check_share(0.27)`, and shows nothing, since folding hides a cell's source but not its
output.
"""

from __future__ import annotations

import copy
import functools
import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

import numpy as np

LENGTH = 80  # of an answer quoted in a message
HEADINGS = {"right": "✓ Right.", "wrong": "✗ Not yet.", "unanswered": "… Not answered yet."}


@dataclass(frozen=True)
class Verdict:
    """What a check says. True when the answer is right; shows itself as text, and as HTML in a
    notebook."""

    status: Literal["right", "wrong", "unanswered"]
    text: str
    hint: str = ""

    def __bool__(self) -> bool:
        return self.status == "right"

    def __repr__(self) -> str:
        return f"{HEADINGS[self.status]} {self.text}" + (
            f"\nHint: {self.hint}" if self.hint else ""
        )

    def _repr_html_(self) -> str:
        from hpt_lab.plots.figure import BLUE, GREEN, INK, VERMILLION

        colour = {"right": GREEN, "wrong": VERMILLION, "unanswered": BLUE}[self.status]
        hint = f"<br><i>Hint:</i> {html.escape(self.hint)}" if self.hint else ""
        return (
            f'<div role="status" style="background:#f4f6f8;color:{INK};padding:6px '
            "10px;line-height:1.5;"
            f'border-left:4px solid {colour}"><b>{HEADINGS[self.status]}</b> '
            f"{html.escape(self.text)}{hint}</div>"
        )


class Wrong(Exception):
    """Raised inside a check: the answer is wrong, and `hint` says where to look."""

    def __init__(self, text: str, *, hint: str = ""):
        super().__init__(text)
        self.hint = hint


class Unanswered(Exception):
    """Raised inside a check: there is no answer yet."""


def check(function: Callable[..., str]) -> Callable[..., Verdict]:
    """Make a check of a function that returns praise for a right answer and raises Wrong or
    Unanswered for others.

    The check returns a Verdict, whatever the answer is: what an odd answer raises is a wrong answer
    too.
    """

    @functools.wraps(function)
    def checked(*answers: Any, **named: Any) -> Verdict:
        try:
            if any(answer is None or answer is ... for answer in (*answers, *named.values())):
                raise Unanswered("Put your answer in the place of the dots and run the cell again.")
            return Verdict("right", function(*answers, **named))
        except Unanswered as nothing:
            return Verdict("unanswered", str(nothing))
        except Wrong as wrong:
            return Verdict("wrong", str(wrong), wrong.hint)
        except Exception as error:  # noqa: BLE001  a learner's answer can be anything at all
            return Verdict(
                "wrong",
                f"This answer can't be checked: {_named(error)}",
                "it is of another kind than asked for; compare it with the exercise's text",
            )

    return checked


def call(function: Any, *arguments: Any, **named: Any) -> Any:
    """Return what the learner's function gives for (copies of) these arguments; Wrong if it raises,
    Unanswered if None."""
    if not callable(function):
        raise Wrong(
            f"your answer should be a function, got {show(function)}",
            hint="hand over the function itself: its name, without parentheses",
        )
    name = getattr(function, "__name__", "your function")
    given = [show(argument) for argument in arguments]
    given += [f"{key}={show(value)}" for key, value in named.items()]
    called = f"{name}({', '.join(given)})"
    try:
        result = function(*copy.deepcopy(arguments), **copy.deepcopy(named))
    except Exception as error:
        raise Wrong(
            f"{called} raised {_named(error)}",
            hint="call it with these arguments in a cell of its own",
        ) from error
    if result is None or result is ...:
        raise Unanswered(f"{called} returns nothing so far. Write its body; end with return.")
    return result


def number(answer: Any, what: str = "your answer") -> float:
    """Return the answer as a float, if it is one number of any type; raise Wrong otherwise."""
    values = numbers(answer, what, one=True)
    if values.size != 1:
        raise Wrong(f"{what} should be one number, got {values.size}: {show(answer)}")
    return float(values[0])


def numbers(answer: Any, what: str = "your answer", *, one: bool = False) -> np.ndarray:
    """Return the answer as an array (n,) of floats, if it is a sequence of numbers of any type;
    raise Wrong otherwise."""
    wanted = "a number" if one else "a list of numbers"

    def refuse(hint: str) -> NoReturn:
        raise Wrong(f"{what} should be {wanted}, got {show(answer)}", hint=hint)

    if isinstance(answer, str | bytes):
        refuse("leave out the quotes")
    if callable(answer):
        refuse("this is a function; hand over what it returns")
    if isinstance(answer, set | frozenset | dict) and not one:
        refuse("the order matters: use a list")
    try:
        raw = np.asarray(list(answer) if hasattr(answer, "__next__") else answer)
        values = raw.astype(float) if raw.dtype.kind in "iufO" else None
    except (TypeError, ValueError):
        refuse(f"it should be {wanted}, nothing else")
    if values is None or (values.ndim == 0 and not one):
        refuse("plain numbers, such as 0.1 or 1e-3")
    if not np.isfinite(values).all():
        refuse("infinity and NaN can't be right here")
    return values.reshape(-1)


def choice(answer: Any, options: Sequence[str], what: str = "your answer") -> str:
    """Return which of `options` the answer names, whatever its case and spaces; raise Wrong
    otherwise."""
    named = {" ".join(option.lower().split()): option for option in options}
    given = " ".join(str(answer).lower().split())
    if given not in named:
        raise Wrong(f"{what} should be one of {', '.join(map(repr, options))}, got {show(answer)}")
    return named[given]


def show(value: Any) -> str:
    """Quote a value in a message: its repr, on one line and not too long."""
    try:
        text = " ".join(repr(value).split())
    except Exception as error:  # noqa: BLE001  a learner's __repr__
        text = f"a {type(value).__name__} that can't show itself ({type(error).__name__})"
    return text if len(text) <= LENGTH else f"{text[: LENGTH - 1]}…"


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"

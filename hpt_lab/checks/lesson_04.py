"""Checks of lesson 04: trials for the top share, expected best of n, a flawed comparison."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hpt_lab.checks.core import Unanswered, Wrong, call, check, choice, number, show

# What is wrong in the comparison, and what is not. A statement is found by these words.
JUDGEMENTS = {
    "wider": ("flaw", "the two searches must draw from one space, or the spaces are compared"),
    "pilot": ("flaw", "pilot runs are trials too: the grid had more than 24"),
    "linear": ("flaw", "on a linear axis nine of ten learning rates are above 0.1"),
    "test error": ("flaw", "what is chosen by the test error is flattered by it"),
    "one seed": ("flaw", "random search is a distribution: one seed is one draw from it"),
    "three rows": ("flaw", "the standard error of 3 % on 360 rows is 0.9 points"),
    "24 trials of 81 epochs": ("fine", "equal budgets are what a comparison needs"),
    "never tries": ("fine", "that is what random search is for"),
}


@check
def check_trials_needed(trials_needed: Any) -> str:
    """Return the verdict on `trials_needed(top, sure)`: until one is in the best `top`."""
    for top, sure in ((0.05, 0.95), (0.01, 0.95), (0.1, 0.9), (0.05, 0.99), (0.5, 0.5), (0.2, 0.5)):
        right = 1
        while 1 - (1 - top) ** right < sure - 1e-12:
            right += 1
        answer = number(call(trials_needed, top, sure), "what it returns")
        if answer == right:
            continue
        text = f"top {top:.0%}, sure {sure:.0%}: {answer:g} trials, and it takes {right}"
        raise Wrong(text, hint=_trials_hint(answer, right, top, sure))
    return "59 for the top 5 % with 95 %: hence the 60. For the top 1 % it takes 299."


def _trials_hint(answer: float, right: int, top: float, sure: float) -> str:
    exact = math.log(1 - sure) / math.log(1 - top)
    if math.isclose(answer, exact, rel_tol=1e-6) or answer == right - 1:
        return "trials are whole: round up, or the chance falls short"
    if math.isclose(answer, math.log(sure) / math.log(top), rel_tol=0.2):
        return "take the chances of missing: all n miss with (1 - top)^n, at most 1 - sure"
    if math.isclose(answer, sure / top, abs_tol=1):
        return "chances of different trials don't add up: two coins show no head with 1/4, not 0"
    return "how likely is it that all n trials miss? That may be at most 1 - sure; solve for n"


@check
def check_expected_best(expected_best: Any) -> str:
    """Return the verdict on `expected_best(losses, n)`: mean best of n different losses."""
    rng = np.random.default_rng(4)
    for size, n in ((3, 2), (5, 1), (5, 5), (7, 3), (8, 2), (6, 4)):
        losses = np.sort(np.round(rng.gamma(1.0, size=size), 2))[
            ::-1
        ].tolist()  # the best comes last
        right = float(np.mean([min(some) for some in itertools.combinations(losses, n)]))
        answer = number(call(expected_best, losses, n), "what it returns")
        if not math.isclose(answer, right, rel_tol=1e-6, abs_tol=1e-9):
            text = f"best of {n} of {show(losses)}: {right:.4f} on average, you say {answer:.4f}"
            raise Wrong(text, hint=_best_hint(answer, losses, n))
    wide = rng.random(200)
    answer = number(call(expected_best, wide.tolist(), 60), "what it returns")
    if abs(answer - wide.min()) > 0.05:
        raise Wrong(
            f"best of 60 of 200 losses: {answer:.3f}", hint="it should lie close to the smallest"
        )
    return (
        "One study of 60 trials holds the answer for every n up to 60: nothing needs to run again."
    )


def _best_hint(answer: float, losses: list[float], n: int) -> str:
    def is_(value: float) -> bool:
        return math.isclose(answer, value, rel_tol=1e-6, abs_tol=1e-9)

    ranked, size = np.sort(losses), len(losses)
    beyond = ((size - np.arange(size + 1)) / size) ** n
    if is_(float(-np.diff(beyond) @ ranked)):
        return "this draws a trial more than once; n different trials: use C(N - i, n) / C(N, n)"
    if is_(float(np.mean([max(some) for some in itertools.combinations(losses, n)]))):
        return "losses: the best is the smallest"
    if is_(min(losses)):
        return "this is the best of all of them; n trials are fewer, and may have missed it"
    if is_(min(losses[:n])):
        return "the first n are only one choice of n; average over all of them"
    if is_(float(ranked[:n].mean())):
        return "the n smallest are not n random ones; how likely is the i-th smallest the best?"
    return "the i-th smallest is the best if the other n - 1 lie above it: C(N - i, n - 1) choices"


@check
def check_comparison(answers: Mapping[str, str]) -> str:
    """Return the verdict on which of the eight statements is a "flaw" and which is "fine"."""
    if not isinstance(answers, Mapping):
        raise Wrong(
            f"your answer should be a dict from statements to verdicts, got {show(answers)}"
        )
    right, left = 0, 0
    for words, (verdict, why) in JUDGEMENTS.items():
        statement = next((text for text in answers if words in text), None)
        if statement is None:
            raise Wrong(
                f"the statement with {words!r} is missing", hint="keep the eight statements"
            )
        if answers[statement] is None or answers[statement] is ...:
            left += 1
            continue
        given = choice(answers[statement], ("flaw", "fine"), f"the verdict on {words!r}")
        if given != verdict:
            raise Wrong(f"{show(statement)}: you say {given}", hint=why)
        right += 1
    if left:
        raise Unanswered(
            f"{right} of {len(JUDGEMENTS)} are right so far. "
            'Put "flaw" or "fine" in the place of the dots.'
        )
    return "Six flaws. The first alone is enough: two spaces were compared, not two strategies."

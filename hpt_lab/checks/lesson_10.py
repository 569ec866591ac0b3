"""Check the exercises of lesson 10: a tuner's log, the test that would have caught it, a
translation, failed trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hpt_lab.checks.core import Unanswered, Wrong, call, check, choice, number, show
from hpt_lab.strategies.successive_halving import most_halvings

LOG = """bracket 2, rung 1 (3 epochs)
  trial 04  epochs 1-3  val_loss 0.41  best epoch 1  saved: weights of epoch 1
  trial 07  epochs 1-3  val_loss nan   best epoch 1  saved: weights of epoch 1
  trial 02  epochs 1-3  val_loss 0.38  best epoch 3  saved: weights of epoch 3
bracket 2, rung 2 (9 epochs), 1 of 3 goes on
  promoted: trial 07
  trial 07  loaded: weights of epoch 1, continues at epoch 4
  trial 07  epochs 4-9  val_loss 0.52
best of the search: trial 02, val_loss 0.38"""

FLAWS = ("NaN promoted", "epochs lost at the resume", "too few promoted", "wrong best")
NO_FLAW = {
    "too few promoted": "eta = 3 and three trials: one goes on",
    "wrong best": "0.38 is the smallest loss in the log; that trial 02 was cut is another matter",
}


@check
def check_log(flaws: Any) -> str:
    """Return the verdict on the flaws found in LOG."""
    answers = [flaws] if isinstance(flaws, str) or not isinstance(flaws, Iterable) else list(flaws)
    named = {choice(flaw, FLAWS, "a flaw") for flaw in answers if flaw is not ...}
    if not named:
        raise Unanswered("Name at least one flaw.")
    for flaw in sorted(named & set(NO_FLAW)):
        raise Wrong(f"{flaw!r} is not what is wrong here", hint=NO_FLAW[flaw])
    if "NaN promoted" not in named:
        raise Wrong("there is one more", hint="look at the losses of the rung: which one went on?")
    if "epochs lost at the resume" not in named:
        raise Wrong(
            "there is one more",
            hint="which weights were loaded, and at which epoch does it continue?",
        )
    return (
        "A NaN was ranked first, and two of its epochs were counted that the loaded weights "
        "never had."
    )


def count_floored(max_budget: int, min_budget: int, eta: int) -> int:
    """Count brackets as several libraries did: a floored logarithm."""
    return math.floor(math.log(max_budget / min_budget, eta)) + 1


def count_from_one(max_budget: int, min_budget: int, eta: int) -> int:
    """Count brackets and forget `min_budget`."""
    return most_halvings(max_budget, 1, eta) + 1


def count_rounded(max_budget: int, min_budget: int, eta: int) -> int:
    """Count brackets with a rounded logarithm: one too many between powers."""
    return round(math.log(max_budget / min_budget, eta)) + 1


def count_right(max_budget: int, min_budget: int, eta: int) -> int:
    """Count brackets with whole numbers."""
    return most_halvings(max_budget, min_budget, eta) + 1


MUTANTS: Mapping[Callable[..., int], str] = {
    count_floored: "it floors math.log, which goes wrong at (243, 1, 3) and (1000, 1, 10): try "
    "powers beyond 81",
    count_from_one: "it ignores min_budget: try one other than 1",
    count_rounded: "it rounds the logarithm up between powers, for instance at (50, 1, 3): try a "
    "budget that is no power",
}


@check
def check_bracket_test(passes: Any) -> str:
    """Return the verdict on `passes(count)`: True for a right bracket counter, False for each of
    three wrong ones."""
    if not _said(passes, count_right):
        raise Wrong(
            "your test fails a counter that is right",
            hint="count in whole numbers: how often can min_budget grow by eta and stay within "
            "max_budget? "
            "And one bracket that never halves",
        )
    for mutant, hint in MUTANTS.items():
        if _said(passes, mutant):
            raise Wrong("a wrong counter passes your test", hint=hint)
    return "It passes what is right and fails three faults, two of which were released."


def _said(passes: Any, count: Callable[..., int]) -> bool:
    try:
        answer = call(passes, count)
    except Wrong as wrong:
        if isinstance(wrong.__cause__, AssertionError):
            return False
        raise
    if answer not in (True, False):
        raise Wrong(f"your test returned {show(answer)}", hint="return True or False")
    return bool(answer)


TRANSLATED = {
    "KerasTuner max_epochs": (81, "what one config may get at most, as max_budget"),
    "Optuna reduction_factor": (3, "Optuna's word for eta"),
    "Optuna min_resource": (1, "the smallest budget of any rung"),
    "scikit-learn n_candidates": (
        34,
        "Algorithm 1: ceil((s_max + 1) / (s + 1) * eta**s), with s_max = 4 and s = 3",
    ),
    "scikit-learn min_resources": (3, "the first rung of bracket 3: 81 / 3**3"),
}


@check
def check_translation(answer: Any) -> str:
    """Return the verdict on the translation of hyperband(max_budget=81, eta=3); scikit-learn's is
    for bracket s = 3."""
    if not isinstance(answer, Mapping) or set(answer) != set(TRANSLATED):
        raise Wrong(
            f"your answer should name {', '.join(TRANSLATED)}, got {show(answer)}",
            hint="keep the keys of the stub, and put a number behind each",
        )
    if any(value is ... for value in answer.values()):
        raise Unanswered("Put a number in the place of the dots.")
    for name, (right, hint) in TRANSLATED.items():
        if name == "scikit-learn n_candidates" and number(answer[name], name) == 27:
            continue  # the paper's Table 1
        if number(answer[name], name) != right:
            raise Wrong(f"{name} is not {show(answer[name])}", hint=hint)
    return (
        "The words differ, the schedule is one. Then count the rungs: the ceilings in between "
        "still differ."
    )


CASES = (
    ("the worker was killed: out of memory", 1, 1, "retry"),
    ("the worker was killed: out of memory", 2, 1, "rank last"),
    ("the loss is NaN in epoch 4", 1, 1, "rank last"),
    ("the loss is inf in epoch 2", 1, 5, "rank last"),
    ("KeyError: 'learning_rte'", 1, 1, "rank last"),
    ("KeyError: 'learning_rte'", 1, 3, "stop"),
    ("No space left on device", 1, 1, "stop"),
)
ACTIONS = ("retry", "rank last", "stop")


@check
def check_policy(policy: Any) -> str:
    """Return the verdict on `policy(error, attempt, in_a_row)`: "retry", "rank last" or "stop"."""
    reasons = {
        ("killed", "retry"): "a killed worker may be bad luck: try once more",
        (
            "killed",
            "rank last",
        ): "killed twice, it is the config's fault: too large for the machine",
        (
            "loss",
            "rank last",
        ): "a diverged loss comes from the config and will come again; it is a result, the worst "
        "one",
        ("KeyError", "rank last"): "one exception may be this config's: record it and go on",
        (
            "KeyError",
            "stop",
        ): "three exceptions of your code in a row are a bug in every trial: stop",
        ("space", "stop"): "with a full disk nothing can be recorded, so nothing may go on",
    }
    for error, attempt, in_a_row, right in CASES:
        given = choice(call(policy, error, attempt, in_a_row), ACTIONS, "the policy's answer")
        if given != right:
            kind = next(kind for kind in ("killed", "loss", "KeyError", "space") if kind in error)
            raise Wrong(
                f"policy({error!r}, {attempt}, {in_a_row}) returns {given!r}",
                hint=reasons[kind, right],
            )
    return "Luck is tried again, a bad config is a result, a bug or a full disk stops everything."

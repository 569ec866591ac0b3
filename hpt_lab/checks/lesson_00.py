"""Check the exercises of lesson 00: three kinds of numbers, what a bracket costs, what a budget of
epochs can pay for."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hpt_lab.checks.core import Unanswered, Wrong, call, check, choice, number, show
from hpt_lab.space import Float, Space
from hpt_lab.strategies import hyperband
from hpt_lab.study import plan

EPOCHS = 2000  # that may be spent
POWERS = (1, 3, 9, 27, 81, 243, 729, 2187)
KINDS = {
    "the shift (beta) of batch normalisation": "parameter",
    "its moving mean": "state",
    "its momentum, 0.99": "hyperparameter",
    "Adam's running mean of the gradients": "state",
    "the number of epochs": "hyperparameter",
    "the dropout rate": "hyperparameter",
}
KIND_HINTS = {
    "parameter": "gradient descent changes it: ask whether a gradient reaches it",
    "hyperparameter": "somebody fixes it before training: it does not change while the network "
    "learns",
    "state": "it changes during training, but by a rule, not by a gradient; nobody chooses its "
    "value",
}
Rungs = list[tuple[int, int]]  # (trials, epochs that each has had in total by then)
BRACKETS: tuple[Rungs, ...] = (
    [(27, 1), (9, 3), (3, 9), (1, 27)],
    [(12, 3), (4, 9), (1, 27)],
    [(6, 9), (2, 27)],
    [(4, 27)],
    [(34, 3), (11, 9), (3, 27), (1, 81)],
)


@check
def check_kinds(kinds: Any) -> str:
    """Return the verdict on which of six numbers is a parameter, a hyperparameter or state."""
    if not isinstance(kinds, dict) or set(kinds) != set(KINDS):
        raise Wrong(
            f"my_kinds should be the dict above with its six keys, got {show(kinds)}",
            hint="change the dots only",
        )
    if any(answer is ... or answer is None for answer in kinds.values()):
        raise Unanswered("Put one of the three words in the place of each of the dots.")
    for number_of, right in KINDS.items():
        if choice(kinds[number_of], list(KIND_HINTS), number_of) != right:
            raise Wrong(f"{number_of} is no {kinds[number_of]}", hint=KIND_HINTS[right])
    return (
        "One parameter, three hyperparameters, two that are neither: a checkpoint must keep "
        "those too."
    )


@check
def check_bracket_epochs(bracket_epochs: Any) -> str:
    """Return the verdict on `bracket_epochs(rungs)`: the epochs that a bracket costs when trials
    resume."""
    for rungs in BRACKETS:
        got, right = number(call(bracket_epochs, rungs), "what it returns"), _count(rungs)
        if got != right:
            raise Wrong(
                f"the bracket {rungs} costs {right} epochs, got {got:g}",
                hint=_bracket_hint(rungs, got),
            )
    return (
        "81, 78, 90 and 108, together the plan's 357. No bracket gets even a third: that is "
        "how Hyperband hedges its bet."
    )


def _count(rungs: Rungs) -> int:
    """Count epoch by epoch: in epoch e, everybody trains who is in the first rung that reaches
    e."""
    return sum(
        next(trials for trials, total in rungs if total >= e) for e in range(1, rungs[-1][1] + 1)
    )


def _bracket_hint(rungs: Rungs, got: float) -> str:
    most = rungs[-1][1]
    if got == sum(trials * total for trials, total in rungs):
        return (
            "that is the price from scratch. A trial that resumes pays only for what is new: "
            "going from 1 epoch to 3 costs 2"
        )
    if got == _count(rungs) - rungs[0][0] * rungs[0][1]:
        return "the first rung costs something too: before it, everybody has had 0 epochs"
    if got == rungs[0][0] * most:
        return "that is everybody in full; those who are cut stop paying"
    if got == sum(trials for trials, _ in rungs):
        return "these are runs; a run of a later rung takes more than one epoch"
    if got == most:
        return "that is what the last one had; the others trained too"
    if got == rungs[0][0] * rungs[0][1] + sum(
        before[0] * (now[1] - before[1]) for before, now in pairwise(rungs)
    ):
        return "only those who go on pay for the next rung: take that rung's own number of trials"
    return "each rung costs its trials times the epochs that are new since the rung before"


@check
def check_max_budget(max_budget: Any) -> str:
    """Return the verdict on the largest power of 3 whose Hyperband run, eta 3, costs at most 2,000
    epochs."""
    answer = number(max_budget, "max_budget")
    if answer == EPOCHS:
        raise Wrong(
            f"{EPOCHS:,} is the whole budget",
            hint="max_budget is what one trial gets at most; the plan's last line "
            "says what all trials cost together",
        )
    if answer in {_epochs(power) for power in POWERS[:6]}:
        raise Wrong(
            f"{answer:,g} epochs is what a whole plan costs",
            hint="max_budget is what one trial gets at most",
        )
    if answer not in POWERS:
        raise Wrong(
            f"{answer:g} is not one of the powers of 3 up to 2,187",
            hint="try 9, 27, 81, 243: 27 is what you planned above",
        )
    epochs = _epochs(int(answer))
    if epochs > EPOCHS:
        raise Wrong(
            f"max_budget={answer:g} costs {epochs:,} epochs, more than {EPOCHS:,}",
            hint="print(hpt.plan(hpt.hyperband(space, max_budget=..., eta=3, seed=0))) costs "
            "nothing: try a smaller one",
        )
    longer = int(answer) * 3
    if _epochs(longer) <= EPOCHS:
        raise Wrong(
            f"max_budget={answer:g} costs only {epochs:,} epochs: you can afford longer trainings",
            hint=f"plan {longer} as well",
        )
    return (
        f"81 epochs each for the best, {epochs:,} epochs in all; three times as long, {longer}, "
        "would cost "
        f"{_epochs(longer):,}."
    )


def _epochs(max_budget: int) -> float:
    return plan(
        hyperband(Space(x=Float(0, 1)), max_budget=max_budget, eta=3, seed=0)
    ).epochs_resumed

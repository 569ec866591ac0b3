"""Check the exercise of lesson 00: plan a Hyperband run within a number of epochs."""

from __future__ import annotations

from typing import Any

from hpt_lab.checks.core import Wrong, check, number
from hpt_lab.space import Float, Space
from hpt_lab.strategies import hyperband
from hpt_lab.study import plan

EPOCHS = 2000  # that may be spent
POWERS = (1, 3, 9, 27, 81, 243, 729, 2187)


@check
def check_max_budget(max_budget: Any) -> str:
    """Return the verdict on the largest power of 3 whose Hyperband run, eta 3, costs at most 2,000 epochs."""
    answer = number(max_budget, "max_budget")
    if answer == EPOCHS:
        raise Wrong(f"{EPOCHS:,} is the whole purse", hint="max_budget is what one trial gets at most; the plan's last line "
                    "says what all trials cost together")
    if answer not in POWERS:
        raise Wrong(f"{answer:g} is not one of the powers of 3 up to 2,187", hint="try 9, 27, 81, 243: 27 is what you planned "
                    "above")
    epochs = _epochs(int(answer))
    if epochs > EPOCHS:
        raise Wrong(f"max_budget={answer:g} costs {epochs:,} epochs, more than {EPOCHS:,}",
                    hint="print(hpt.plan(hpt.hyperband(space, max_budget=..., eta=3, seed=0))) costs nothing: try a smaller one")
    longer = int(answer) * 3
    if _epochs(longer) <= EPOCHS:
        raise Wrong(f"max_budget={answer:g} costs only {epochs:,} epochs: you can afford longer trainings",
                    hint=f"plan {longer} as well")
    return (f"81 epochs each for the best, {epochs:,} epochs in all; three times as long, {longer}, would cost "
            f"{_epochs(longer):,}.")


def _epochs(max_budget: int) -> float:
    return plan(hyperband(Space(x=Float(0, 1)), max_budget=max_budget, eta=3, seed=0)).epochs_resumed

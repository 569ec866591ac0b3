"""Checks of lesson 09, tuning like a practitioner: a worksheet, seeds, curves, and the capstone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hpt_lab.checks.core import Unanswered, Wrong, call, check, choice, number, show

ROLES = ("scientific", "nuisance", "fixed")
WORKSHEET = {  # for the question "is tanh better than ReLU here?"
    "activation": ("scientific", "its effect is what the round is to find out"),
    "learning_rate": ("nuisance", "its best value may differ for tanh and ReLU: tune it for each"),
    "weight_decay": ("nuisance", "its best value may differ for tanh and ReLU: tune it for each"),
    "units": ("fixed", "the phone decides it; the conclusion then holds for that size"),
    "layers": ("fixed", "the phone decides it; the conclusion then holds for that size"),
    "epochs": ("fixed", "81 for everybody: it is what you pay, not what you ask"),
}
ACTIONS = ("train longer", "fewer epochs", "decay the rate", "warm up or clip")
CURVES = {
    "A": ("train longer", "is the last epoch still better than the ones before it?"),
    "B": ("fewer epochs", "how much did the second half of training bring?"),
    "C": ("decay the rate", "it is low on average, but would you bet on the last epoch?"),
    "D": ("warm up or clip", "look at the first epochs: where does it jump to?"),
}


@check
def check_worksheet(answers: Mapping[str, str]) -> str:
    """Return the verdict on the role of every hyperparameter, {name: role}."""
    return _table(
        answers,
        {name: (role, hint) for name, (role, hint) in WORKSHEET.items()},
        ROLES,
        "All six. Every nuisance knob is tuned again for each activation.",
    )


@check
def check_curves(answers: Mapping[str, str]) -> str:
    """Return the verdict on what to do about four curves, {"A": action, ...}."""
    return _table(answers, CURVES, ACTIONS, "All four, read off a plot that cost nothing.")


def _table(
    answers: Any, right: Mapping[str, tuple[str, str]], options: tuple[str, ...], praise: str
) -> str:
    """Compare a dict of words with the right ones; hint at the first that is wrong."""
    if not isinstance(answers, Mapping):
        raise Wrong(
            f"your answer should be a dict, got {show(answers)}",
            hint=f'like {{"{next(iter(right))}": "{options[0]}", ...}}',
        )
    missing = [name for name in right if answers.get(name) in (None, ...)]
    given = {name: choice(answers[name], options, name) for name in right if name not in missing}
    wrong = [name for name, word in given.items() if word != right[name][0]]
    if wrong:
        raise Wrong(
            f"{len(given) - len(wrong)} of {len(right)} are right; {wrong[0]} is not "
            f"{given[wrong[0]]!r}",
            hint=right[wrong[0]][1],
        )
    if missing:
        raise Unanswered(
            f"{len(given)} of {len(right)} are right so far. Put a word in the place "
            f"of the dots for {', '.join(missing)}."
        )
    return praise


@check
def check_seeds_needed(seeds_needed: Any) -> str:
    """Return the verdict on a function (spread of paired differences, difference) -> seeds.

    Right are the normal formula, rounded up, and up to three seeds more: the t-test's own number.
    """
    for spread, difference in ((1.1, 1.0), (2.0, 1.0), (1.1, 0.25), (0.9, 0.5), (3.0, 2.0)):
        answer = number(call(seeds_needed, spread, difference), "what it returns")
        wanted = math.ceil(((1.960 + 0.842) * spread / difference) ** 2)
        if wanted <= answer <= wanted + 3 and answer == int(answer):
            continue
        raise Wrong(
            f"spread {spread:g}, difference {difference:g}: expected {wanted} (a few more "
            f"by the t-test), got {answer:g}",
            hint=_seeds_hint(answer, spread / difference, wanted),
        )
    return "Half the difference needs four times the seeds."


def _seeds_hint(answer: float, ratio: float, wanted: int) -> str:
    raw = (2.802 * ratio) ** 2
    if answer == math.floor(raw) or (answer != int(answer) and abs(answer - raw) < 0.2):
        return "a fraction of a seed is one more seed: round up"
    if abs(answer - 2.802 * ratio) < 1:
        return "√n stands in the standard error: solve for n, which squares the rest"
    if abs(answer - (1.96 * ratio) ** 2) < 1:
        return (
            "2 standard errors make a true difference significant only half of the time; add 0.84"
        )
    if abs(answer - 2 * raw) < 2:
        return "twice that is for two unpaired groups; `spread` is of the differences already"
    return "difference / (spread / √n) has to be 1.96 + 0.84 or more"


@check
def check_capstone(task: Any, config: Any) -> str:
    """Return the verdict on a config chosen with a `Capstone`; opens the test set, once.

    Right: the practice was kept (budget, eight configs or more, the choice trained with three
    seeds or more), and the test set doesn't show the choice to be worse than the reference.
    """
    from hpt_lab.checks import lesson_09_capstone as lab

    if not isinstance(task, lab.Capstone):
        raise Wrong(
            f"the first answer should be your Capstone, got {show(task)}",
            hint="task = Capstone(), and then task.train([...])",
        )
    if not isinstance(config, Mapping):
        raise Wrong(
            f"your choice should be a config, got {show(config)}", hint=f"like {lab.DEFAULT}"
        )
    tried = {tuple(sorted(run.config.items())) for run in task.runs}
    times = len({run.seed for run in task.runs if run.config == dict(config)})
    if len(tried) < 8:
        raise Wrong(f"you have tried {len(tried)} configs", hint="explore first: eight or more")
    if times < 3:
        raise Wrong(
            f"your choice was trained with {times} seed{'s' * (times != 1)}",
            hint="rerun your best few with task.train([...], seed=1), and 2, then choose",
        )
    if task.data.reveals:
        raise Wrong(
            "the test set has been opened before, so its score is no longer honest",
            hint="begin anew with another split: Capstone(seed=1)",
        )
    return _judged(task, dict(config), lab)


def _judged(task: Any, config: dict[str, Any], lab: Any) -> str:
    from hpt_lab.experiments.recording import load

    rows = load("lesson_09_more.capstone")
    split = rows[task.seed % len(rows)]  # of another split, if this one was not recorded
    _, lucky, reference = (lab.SPACE.from_unit(row[2:]) for row in split)
    y, said = lab.judge([config, reference, lucky], task.data)
    apart, low, high = lab.interval(y, said[0], said[1])
    against, worst, most = lab.interval(y, said[0], said[2])
    score = np.mean([lab.average_precision(y, one) for one in said[0]])
    found = (
        f"test average precision {score:.2f}; against the reference {apart:+.2f} "
        f"({low:+.2f} to {high:+.2f}), against random search {against:+.2f} "
        f"({worst:+.2f} to {most:+.2f})"
    )
    if high < 0:
        raise Wrong(
            f"{found}: clearly worse than the reference",
            hint="that look at the test set is spent; begin anew with Capstone(seed=1)",
        )
    return f"{found}. " + (
        "Clearly better than the reference."
        if low > 0
        else f"{int(y.sum())} eights can't tell you from the reference."
    )

"""Lesson 06: right answers pass in several spellings, and each typical mistake gets its own
hint."""

import math

import numpy as np
import pytest

from hpt_lab.checks.lesson_06 import check_bracket_table, check_halving, check_remedy
from hpt_lab.strategies.hyperband import brackets
from hpt_lab.strategies.successive_halving import Rung, halve
from hpt_lab.trial import Trial


def stub(*_): ...


@pytest.mark.parametrize("check", [check_halving, check_bracket_table])
@pytest.mark.parametrize("nothing", [stub, ..., None])
def test_stubs_are_not_answered_yet(check, nothing):
    assert check(nothing).status == "unanswered"


def loop(train, configs, min_budget, eta, *, rank=None, keep=None, grow=None, enough=None):
    """The right loop, or a wrong one with a part replaced."""
    budget = min_budget
    while True:
        losses = [train(config, budget) for config in configs]
        ranked = [
            config for _, config in sorted(zip(map(rank or finite, losses), configs, strict=True))
        ]
        if (enough or (lambda n: n < eta))(len(configs)):
            return ranked[0]
        configs = ranked[: max(1, (keep or (lambda n: n // eta))(len(configs)))]
        budget = (grow or (lambda budget: budget * eta))(budget)


def finite(loss):
    return loss if math.isfinite(loss) else math.inf


def recursive(train, configs, min_budget, eta):
    losses = {config: finite(train(config, np.int64(min_budget))) for config in configs}
    best = sorted(losses, key=losses.get)
    return (
        recursive(train, best[: len(best) // eta], min_budget * eta, eta)
        if len(best) >= eta
        else best[0]
    )


def with_the_package(train, configs, min_budget, eta):
    rungs = [
        Rung(len(configs) // eta**i, min_budget * eta**i)
        for i in range(20)
        if eta**i <= len(configs)
    ]
    generator = halve([Trial(i, {"config": config}) for i, config in enumerate(configs)], rungs)
    batch = next(generator)
    while True:
        losses = [train(trial.config["config"], trial.budget) for trial in batch]
        last = batch
        try:
            batch = generator.send(losses)
        except StopIteration:
            return last[int(np.argmin(losses))].config["config"]


@pytest.mark.parametrize("halving", [loop, recursive, with_the_package])
def test_successive_halving_passes_in_any_spelling(halving):
    assert check_halving(halving)


def stale(train, configs, min_budget, eta):
    first = {config: train(config, min_budget) for config in configs}
    while len(configs) >= eta:
        configs, min_budget = (
            sorted(configs, key=first.get)[: max(1, len(configs) // eta)],
            min_budget * eta,
        )
        for config in configs:
            train(config, min_budget)
    return configs[0]


def without_the_last(train, configs, min_budget, eta):
    while len(configs) >= eta:
        losses = {config: train(config, min_budget) for config in configs}
        configs, min_budget = (
            sorted(configs, key=losses.get)[: len(configs) // eta],
            min_budget * eta,
        )
    return configs[0]


def the_leader_before(train, configs, min_budget, eta):
    """Train the last rung too, and return the one that led when it began."""
    budget = min_budget
    while True:
        losses = {config: train(config, budget) for config in configs}
        if len(configs) < eta:
            return configs[0]
        configs, budget = sorted(configs, key=losses.get)[: len(configs) // eta], budget * eta


def floored(train, configs, min_budget, eta):
    """Count the rungs by a logarithm."""
    for i in range(int(math.log(len(configs), eta)) + 1):
        losses = {config: finite(train(config, min_budget * eta**i)) for config in configs}
        ranked = sorted(configs, key=losses.get)
        configs = ranked[: len(ranked) // eta]
    return ranked[0]


def without_nan(train, configs, min_budget, eta):
    """Forget those that diverged, and keep a third of the rest."""
    budget = min_budget
    while True:
        losses = {config: train(config, budget) for config in configs}
        ranked = sorted((c for c in configs if math.isfinite(losses[c])), key=losses.get)
        if len(configs) < eta:
            return ranked[0]
        configs, budget = ranked[: max(1, len(ranked) // eta)], budget * eta


def everybody(train, configs, min_budget, eta):
    n, alive = len(configs), configs
    while n >= 1:
        losses = {config: train(config, min_budget) for config in configs}
        alive = sorted(configs, key=losses.get)
        n, min_budget = n // eta, min_budget * eta
    return alive[0]


def increments(train, configs, min_budget, eta):
    had, budget = 0, min_budget
    while True:
        losses = {config: train(config, budget - had) for config in configs}
        ranked = sorted(configs, key=losses.get)
        if len(configs) < eta:
            return ranked[0]
        configs, had, budget = ranked[: len(configs) // eta], budget, budget * eta


def twice(train, configs, min_budget, eta):
    return loop(
        lambda config, budget: (train(config, budget), train(config, budget))[1],
        configs,
        min_budget,
        eta,
    )


def endless(train, configs, min_budget, eta):
    while True:
        configs = sorted(configs, key=lambda config: train(config, min_budget))[
            : max(1, len(configs) // eta)
        ]


@pytest.mark.parametrize(
    ("halving", "hint"),
    [
        (lambda *a: loop(*a, rank=lambda loss: -loss), "worst"),
        (lambda *a: loop(*a, rank=float), "NaN"),
        (without_nan, "still counts"),
        (floored, "floored logarithm"),
        (the_leader_before, "the last rung decides"),
        (lambda *a: loop(*a, enough=lambda n: n == 1), "fewer than eta"),
        (stale, "just ended"),
        (without_the_last, "are train too"),
        (everybody, "still train"),
        (increments, "total"),
        (twice, "once"),
        (endless, "stop"),
        (lambda *a: loop(*a, grow=lambda budget: budget), "eta times"),
        (lambda *a: loop(*a, grow=lambda budget: budget * 3.0), "whole"),
        (lambda *a: loop(*a, grow=lambda budget: budget + 1), "multiply"),
        (lambda *a: loop(*a, keep=lambda n: n / a[-1]), "//"),
        (lambda *a: loop(*a, keep=lambda n: math.ceil(n / a[-1])), "too many"),
        (lambda *a: loop(*a, keep=lambda n: n // (a[-1] + 1)), "too few"),
        (lambda *a: loop(*a, keep=lambda n: n - 1, enough=lambda n: n == 1), "too many"),
        (lambda *a: [loop(*a)], "itself"),
        (lambda *a: 0.1 * loop(*a), "itself"),
        (lambda train, configs, b, eta: train(b, configs[0]), "second"),
        (lambda train, configs, b, eta: configs[0], "call train"),
        (27, "name"),
        (lambda train: 1, "cell"),
    ],
)
def test_a_wrong_halving_gets_its_hint(halving, hint):
    verdict = check_halving(halving)
    assert verdict.status == "wrong" and hint in verdict.hint, verdict


def table(max_budget, eta, *, first=None, later=None, s_max=None, last=0, budget=None):
    """Algorithm 1, or a wrong table with a part replaced."""
    most = 0
    while eta ** (most + 1) <= max_budget:
        most += 1
    most = most if s_max is None else s_max(max_budget, eta)
    first = first or (lambda most, s: -(-(most + 1) * eta**s // (s + 1)))
    later = later or (lambda n, i: n // eta**i)
    budget = budget or (lambda s, i: max_budget // eta ** (s - i))
    return {
        s: [(later(first(most, s), i), budget(s, i)) for i in range(s + 1)]
        for s in range(most, last - 1, -1)
    }


@pytest.mark.parametrize(
    "answer",
    [
        table,
        lambda R, eta: {
            s: [list(rung) for rung in rungs] for s, rungs in reversed(table(R, eta).items())
        },
        lambda R, eta: list(table(R, eta).values()),
        lambda R, eta: {s: np.array(rungs) for s, rungs in table(R, eta).items()},
        lambda R, eta: brackets(R, eta=eta),
        lambda R, eta: brackets(R, eta=eta, rounding="table"),
    ],
)
def test_the_bracket_table_passes_in_both_published_roundings(answer):
    assert check_bracket_table(answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (
            lambda R, eta: table(R, eta, s_max=lambda R, eta: int(math.log(R, eta))),
            "floored logarithm",
        ),
        (
            lambda R, eta: table(R, eta, first=lambda most, s: (most + 1) * eta**s // (s + 1)),
            "rounds the first n up",
        ),
        (lambda R, eta: table(R, eta, first=lambda most, s: eta**s), "same budget"),
        (lambda R, eta: table(R, eta, later=lambda n, i: -(-n // eta**i)), "KerasTuner"),
        (lambda R, eta: table(R, eta, later=lambda n, i: n / eta**i), "//"),
        (lambda R, eta: table(R, eta, budget=lambda s, i: R / eta ** (s - i)), "//"),
        (lambda R, eta: table(R, eta, budget=lambda s, i: eta**i), "exactly R"),
        (lambda R, eta: table(R, eta, last=1), "bracket 0"),
        (
            lambda R, eta: {s: rungs[:-1] or rungs for s, rungs in table(R, eta).items()},
            "s + 1 rungs",
        ),
        (lambda R, eta: table(R, eta, first=lambda most, s: 7), "bracket s starts"),
        (
            lambda R, eta: {
                s: rungs if s < 2 else brackets(R, eta=eta, rounding="table")[s]
                for s, rungs in table(R, eta).items()
            },
            "same",
        ),
        (lambda R, eta: table(R, eta)[1], "list of its rungs"),
        (
            lambda R, eta: {
                s: [rung[::-1] for rung in rungs] for s, rungs in table(R, eta).items()
            },
            "first how many",
        ),
        (lambda R, eta: dict(enumerate(table(R, eta).values())), "how many times a bracket halves"),
        (lambda R, eta: {}, "s_max"),
        (81, "name"),
        (lambda R: {}, "cell"),
    ],
)
def test_a_wrong_bracket_table_gets_its_hint(answer, hint):
    verdict = check_bracket_table(answer)
    assert verdict.status == "wrong", verdict
    assert hint in verdict.hint or hint == "same", verdict


@pytest.mark.parametrize(
    "answer", ["schedules that end at every rung", " Schedules that END at every rung "]
)
def test_the_remedy_passes(answer):
    assert check_remedy(answer)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ("a larger eta", "harder"),
        ("a smaller first rung", "earlier"),
        ("more brackets from epoch 1", "unfinished"),
        ("more seeds", ""),
    ],
)
def test_a_wrong_remedy_gets_its_hint(answer, hint):
    verdict = check_remedy(answer)
    assert verdict.status == "wrong" and hint in verdict.hint


def test_a_remedy_not_chosen_is_unanswered():
    assert check_remedy(...).status == "unanswered"

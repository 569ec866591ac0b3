"""Check the exercises of lesson 06: successive halving, the bracket table, and a remedy."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from hpt_lab.checks.core import Wrong, call, check, choice, numbers, show
from hpt_lab.strategies.hyperband import brackets

Calls = list[tuple[int, Any]]  # (config, epochs), in the order in which `train` was asked


@check
def check_halving(halving: Any) -> str:
    """Return the verdict on `halving(train, configs, min_budget, eta)`, which returns the best
    config of the last rung.

    Judged by what it asks of `train` and by what it returns; the order within a rung is free.
    """
    for n, min_budget, eta in (
        (27, 1, 3),
        (10, 1, 3),
        (16, 2, 2),
        (1, 4, 3),
        (8, 1, 3),
        (24, 1, 3),
        (243, 1, 3),
    ):
        configs = list(range(100, 100 + n))
        asked, answer = _watch(halving, configs, min_budget, eta, _crossing)
        rungs = _expected(configs, min_budget, eta, _crossing)
        _compare(asked, rungs, configs, min_budget, eta)
        budget, left = rungs[-1]
        best = min(left, key=lambda config: _crossing(config, budget))
        if type(answer) in (int, float) and answer in left and answer != best:
            raise Wrong(
                f"of {n} configs {len(left)} are left, {best} has the smallest loss after {budget} "
                "epochs, and it "
                f"returns {answer}",
                hint="the last rung decides: return the config with the smallest loss there",
            )
        if answer != best:
            raise Wrong(
                f"it returns {show(answer)}, and the best config of the last rung is {best}",
                hint="return the config itself: no loss, no index, no list",
            )
    configs = list(range(100, 109))
    asked, _ = _watch(halving, configs, 1, 3, _diverging)
    if any(math.isnan(_diverging(config, 1)) and epochs > 1 for config, epochs in asked):
        raise Wrong(
            "a config whose loss is NaN went on",
            hint="every comparison with NaN is false, so sorted() leaves it anywhere: take it for "
            "math.inf",
        )
    sizes = [len(alive) for _, alive in _expected(configs, 1, 3, _diverging)]
    got = list(Counter(epochs for _, epochs in asked).values())
    if got != sizes:
        raise Wrong(
            f"9 configs, two of them with a loss of NaN: rungs of {got} trainings, not {sizes}",
            hint="a config whose loss is NaN still counts: rank it last instead of leaving it out",
        )
    return (
        "27 at 1 epoch, 9 at 3, 3 at 9, 1 at 27: 81 epochs with resuming. Of 8 the better of "
        "the last two wins."
    )


@check
def check_bracket_table(bracket_table: Any) -> str:
    """Return the verdict on `bracket_table(max_budget, eta)` -> {s: [(n, epochs), ...]}; either
    published rounding passes."""
    rounding: set[str] = set()
    for max_budget, eta in ((81, 3), (27, 3), (64, 2), (100, 3), (2, 3), (243, 3), (1000, 10)):
        at = f"for R = {max_budget}, eta = {eta}: "
        table = _table(call(bracket_table, max_budget, eta), at)
        right = {
            name: {
                s: [(rung.n, rung.budget) for rung in rungs]
                for s, rungs in brackets(max_budget, eta=eta, rounding=name).items()
            }
            for name in ("algorithm", "table")
        }
        matching = {name for name, expected in right.items() if table == expected}
        if not matching:
            _explain(table, right["algorithm"], right["table"], max_budget, eta, at)
        rounding = matching if not rounding else rounding & matching
        if not rounding:
            raise Wrong(
                at + "here you round as the paper's other table does",
                hint="use one rounding of n throughout",
            )
    which = "Algorithm 1" if "algorithm" in rounding else "Table 1"
    return (
        f"Your table is that of the paper's {which}, for R = 243 and R = 1000 too, where a "
        "floored logarithm loses a bracket."
    )


REMEDIES = {
    "a larger eta": "a larger eta cuts harder, on the same evidence: the evidence is what is wrong",
    "a smaller first rung": "that decides even earlier, when the schedule has promised even less",
    "schedules that end at every rung": "",
    "more brackets from epoch 1": "they all rank the schedule while it is unfinished",
}


@check
def check_remedy(remedy: Any) -> str:
    """Return the verdict on what helps Hyperband with schedules that end at R."""
    answer = choice(remedy, list(REMEDIES), "my_remedy")
    if hint := REMEDIES[answer]:
        raise Wrong(f"{answer} does not help here", hint=hint)
    return (
        "Compare finished with finished: a restart at the rung, or a schedule as long as the rung."
    )


def _crossing(config: int, epochs: int) -> float:
    """A loss for every config and budget, without ties; ranks change from rung to rung."""
    return 1 / epochs + config * 41 * (2 * epochs + 1) % 509 / 1018


def _rank(loss: float) -> float:
    return loss if math.isfinite(loss) else math.inf


def _diverging(config: int, epochs: int) -> float:
    return math.nan if config in (100, 104) else _crossing(config, epochs)


class _Train:
    """What the learner's loop calls: answers with a loss, and remembers what it was asked."""

    def __init__(self, configs: list[int], loss: Callable[[int, int], float]):
        self.configs, self.loss = configs, loss
        self.asked: Calls = []

    def __repr__(self) -> str:
        return "train"

    def __deepcopy__(
        self, memo: Any
    ) -> _Train:  # `call` hands copies over; this one has to remember
        return self

    def __call__(self, config: Any, epochs: Any) -> float:
        if config not in self.configs:
            raise Wrong(
                f"train was asked for config {show(config)}, which is none of the configs",
                hint="call train(config, epochs) with a config of the list, the epochs second",
            )
        if isinstance(epochs, float) or int(epochs) != epochs:
            raise Wrong(
                f"train was asked for {show(epochs)} epochs",
                hint="epochs are counted: keep them whole, with // and *",
            )
        if epochs < 1:
            raise Wrong(
                f"train was asked for {show(epochs)} epochs",
                hint="the first rung trains for min_budget epochs",
            )
        if len(self.asked) > 20 * len(self.configs):
            raise Wrong(
                f"train was asked {len(self.asked)} times, and it goes on",
                hint="stop when fewer than eta are left and have trained",
            )
        self.asked.append((config, int(epochs)))
        return self.loss(config, int(epochs))


def _watch(
    halving: Any, configs: list[int], min_budget: int, eta: int, loss: Callable[[int, int], float]
) -> tuple[Calls, Any]:
    """Run the learner's loop; return what it asked of `train`, and what it returned."""
    train = _Train(configs, loss)
    try:
        answer = call(halving, train, configs, min_budget, eta)
    except Wrong as wrong:
        cause = wrong.__cause__
        if isinstance(cause, Wrong):
            raise cause from None
        if isinstance(cause, TypeError) and "integer" in str(cause):
            raise Wrong(
                f"it raised {cause}", hint="the number of survivors is a float: divide with //"
            ) from None
        raise
    return train.asked, answer


def _expected(
    configs: list[int], budget: int, eta: int, loss: Callable[[int, int], float]
) -> list[tuple[int, set[int]]]:
    """List the rungs as (epochs, configs)."""
    alive, rungs = list(configs), []
    while True:
        rungs.append((budget, set(alive)))
        if len(alive) < eta:
            return rungs
        alive = sorted(alive, key=lambda config: _rank(loss(config, budget)))[: len(alive) // eta]
        budget *= eta


def _compare(
    asked: Calls, rungs: list[tuple[int, set[int]]], configs: list[int], min_budget: int, eta: int
) -> None:
    """Raise Wrong if what was asked is not these rungs, with a hint for each typical mistake."""
    if not asked:
        raise Wrong(
            "train was never called", hint="call train(config, epochs) for every config of a rung"
        )
    of = f"{len(configs)} configs, min_budget = {min_budget}, eta = {eta}: "
    budgets, wanted = (
        list(dict.fromkeys(epochs for _, epochs in asked)),
        [budget for budget, _ in rungs],
    )
    got = [(budget, [config for config, epochs in asked if epochs == budget]) for budget in budgets]
    if budgets == wanted:
        for (previous, before), (budget, alive), (_, trained) in zip(
            [rungs[0], *rungs], rungs, got, strict=False
        ):
            if set(trained) == alive and len(trained) == len(alive):
                continue
            text = of + f"{len(trained)} trainings of {budget} epochs where {len(alive)} are right"
            if len(trained) > len(set(trained)):
                raise Wrong(text, hint="a config trains once per rung; keep its loss in a variable")
            if len(trained) == len(alive):
                text = of + f"not the right ones train for {budget} epochs"
                if set(trained) == set(
                    sorted(before, key=lambda config: -_crossing(config, previous))[: len(alive)]
                ):
                    raise Wrong(text, hint="you keep the worst: a loss is better the smaller it is")
                raise Wrong(
                    text,
                    hint="rank the survivors by the losses of the rung that just ended, each "
                    "beside its own config",
                )
            if len(trained) == len(before):
                raise Wrong(
                    text, hint="those that were cut still train: go on with the survivors only"
                )
            raise Wrong(text, hint=_how_many(trained, alive))
        return
    text = of + f"the rungs train for {budgets[:6]} epochs, not {wanted}"
    if len(wanted) > 1 and budgets == [wanted[0], *(b - a for a, b in itertools.pairwise(wanted))]:
        raise Wrong(
            text,
            hint="epochs are the total a config has had: train resumes by itself, so 3 after 1 "
            "trains two more",
        )
    shared = min(len(budgets), len(wanted))
    if shared > 1 and budgets[:shared] == wanted[:shared]:
        for (_, alive), (_, trained) in zip(rungs, got, strict=False):
            if len(trained) != len(alive):
                raise Wrong(text, hint=_how_many(trained, alive))
    if budgets == wanted[:-1]:
        floored = int(math.log(len(configs), eta))
        if eta ** (floored + 1) == len(configs):
            raise Wrong(
                text,
                hint=f"a floored logarithm: math.log({len(configs)}, {eta}) is "
                f"{math.log(len(configs), eta)!r}. "
                "Go on while len(configs) >= eta, without logarithms",
            )
        raise Wrong(
            text, hint="those that are left when fewer than eta are train too; only then is it over"
        )
    if len(budgets) == 1:
        raise Wrong(text, hint="each rung trains eta times as long as the one before")
    if budgets[: len(wanted)] == wanted:
        raise Wrong(text, hint="stop once fewer than eta are left and have trained")
    raise Wrong(text, hint="start with min_budget and multiply by eta from rung to rung")


def _how_many(trained: list[Any], alive: set[int]) -> str:
    return (
        f"too {'few' if len(trained) < len(alive) else 'many'} go on: len(configs) // eta of "
        "them, rounded down"
    )


def _table(answer: Any, at: str) -> dict[int, list[tuple[int, int]]]:
    """Return {s: [(n, budget), ...]} with plain integers, from a dict or from a list of brackets,
    s_max first."""
    if not isinstance(answer, dict):
        if not isinstance(answer, list | tuple):
            raise Wrong(
                at + f"the table should be a dict {{s: [(n, epochs), ...]}}, got {show(answer)}",
                hint="one entry per bracket, each a list of pairs",
            )
        answer = {len(answer) - 1 - i: rungs for i, rungs in enumerate(answer)}
    table = {}
    for s, rungs in answer.items():
        pairs = []
        for rung in rungs:
            if np.ndim(rung) == 0:
                raise Wrong(
                    at + f"bracket {s} should be a list of pairs, got {show(rungs)}",
                    hint="one entry per bracket, each a list of its rungs: {0: [(5, 81)], 1: [(8, "
                    "27), (2, 81)], ...}",
                )
            if numbers(rung, f"a rung of bracket {s}").size != 2:
                raise Wrong(at + f"a rung should be a pair (n, epochs), got {show(rung)}")
            if any(isinstance(value, float) for value in rung):  # np.float64 is one too
                raise Wrong(
                    at + f"bracket {s} has the rung {show(tuple(rung))}",
                    hint="trials and epochs are counted: keep them whole, with // instead of /",
                )
            pairs.append((int(rung[0]), int(rung[1])))
        table[int(s)] = pairs
    return table


def _explain(
    table: dict[int, list[tuple[int, int]]],
    right: dict[int, list[tuple[int, int]]],
    other: dict[int, list[tuple[int, int]]],
    max_budget: int,
    eta: int,
    at: str,
) -> None:
    """Raise Wrong with the hint that fits a wrong table."""
    top = max(right)
    if sorted(table) != sorted(right):
        text = at + f"brackets {sorted(table, reverse=True)}, not {sorted(right, reverse=True)}"
        if table and max(table) == top - 1 and min(table) == 0:
            raise Wrong(
                text,
                hint=f"a floored logarithm: math.log({max_budget}, {eta}) is "
                f"{math.log(max_budget, eta)!r}. "
                "Count in integers how many times R can be divided by eta",
            )
        if sorted(table) == list(range(1, top + 1)):
            raise Wrong(
                text, hint="bracket 0 is missing: no halving at all, everybody trains in full"
            )
        raise Wrong(
            text,
            hint="s runs from s_max, how many times R can be divided by eta and still be 1 or "
            "more, down to 0",
        )
    if all([pair[::-1] for pair in table[s]] in (right[s], other[s]) for s in right):
        raise Wrong(
            at + f"bracket {top} is {show(table[top])}",
            hint="a rung is (n, epochs): first how many train, then how long",
        )
    if all(table[top - s] in (right[s], other[s]) for s in right):
        raise Wrong(
            at + f"bracket {top} is {show(table[top])}",
            hint="s is how many times a bracket halves: the one that never halves, everybody in "
            "full, is bracket 0",
        )
    s = (
        next(s for s in right if table[s] not in (right[s], other[s]))
        if any(table[s] not in (right[s], other[s]) for s in right)
        else next(s for s in right if table[s] != right[s])
    )
    got, expected = table[s], right[s]
    text = at + f"bracket {s} is {show(got)}, not {show(expected)}"
    if len(got) != len(expected):
        raise Wrong(text, hint="bracket s halves s times, so it has s + 1 rungs")
    if [budget for _, budget in got] != [budget for _, budget in expected]:
        if got[-1][1] != max_budget:
            raise Wrong(text, hint="the last rung trains for exactly R")
        raise Wrong(text, hint="rung i of bracket s trains for R // eta**(s - i) epochs in total")
    n = got[0][0]
    if n == (top + 1) * eta**s // (s + 1) and n != expected[0][0]:
        raise Wrong(
            text, hint="Algorithm 1 rounds the first n up: ceil((s_max + 1) / (s + 1) * eta**s)"
        )
    if n == eta**s:
        raise Wrong(
            text,
            hint="every bracket gets the same budget, (s_max + 1) * R: shallow ones have more than "
            "eta**s configs",
        )
    if n in (expected[0][0], other[s][0][0]):
        raise Wrong(
            text,
            hint="in later rungs the paper rounds down: n // eta**i go on (rounding up is "
            "KerasTuner's way)",
        )
    raise Wrong(text, hint="bracket s starts with ceil((s_max + 1) / (s + 1) * eta**s) configs")

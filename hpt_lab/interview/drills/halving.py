"""Drills that stop early: successive halving, Hyperband's bracket table, ASHA's promotion rule."""

from __future__ import annotations

import math
from typing import Any

from hpt_lab.checks.core import Wrong, call, show
from hpt_lab.interview.drills.core import DRILLS, drill, hint_for, same
from hpt_lab.strategies.hyperband import brackets


def successive_halving(configs, loss, budget, eta):
    spent = 0
    trained = 0
    while True:
        spent += len(configs) * (budget - trained)
        if len(configs) == 1:
            return configs[0], spent
        ranked = sorted(configs, key=lambda config: loss(config, budget))
        configs = ranked[: max(1, len(ranked) // eta)]
        trained = budget
        budget *= eta


def _halve(configs, loss, budget, eta, keep=None, resume=True, rank=None):
    """Return what successive halving gives with one of its steps replaced."""
    keep = keep or (lambda n: max(1, n // eta))
    rank = rank or (lambda config, budget: loss(config, budget))
    spent = len(configs) * budget
    while len(configs) > 1:
        configs = sorted(configs, key=lambda config: rank(config, budget))[: keep(len(configs))]
        budget *= eta
        spent += len(configs) * (budget - (budget // eta if resume else 0))
    return configs[0], spent


def _from_scratch(configs, loss, budget, eta):
    return _halve(configs, loss, budget, eta, resume=False)


def _rounds_up(configs, loss, budget, eta):
    return _halve(configs, loss, budget, eta, keep=lambda n: math.ceil(n / eta))


def _keeps_worst(configs, loss, budget, eta):
    return _halve(configs, loss, budget, eta, rank=lambda config, budget: -loss(config, budget))


def _drops_one_in_eta(configs, loss, budget, eta):
    return _halve(configs, loss, budget, eta, keep=lambda n: n - max(1, n // eta))


def _judged_once(configs, loss, budget, eta):
    return _halve(configs, loss, budget, eta, rank=lambda config, _: loss(config, budget))


def _crossing(config, budget):
    """Return a loss whose order changes with the budget: fast learners end high."""
    return abs(config - 4) * 0.4 + config / budget


def _flat(config, budget):
    return 1.0


drill(
    successive_halving,
    title="Successive halving",
    lesson="06",
    statement="""
`loss(config, budget)` is a config's loss after `budget` epochs in all. Train all configs to
`budget` epochs, keep the best len // eta (at least one; the first of equals), multiply the budget
by eta, and so on, until a single config was trained to the budget of its rung. Return (that config,
the epochs spent by all). Training goes on where it stopped: 1 epoch and then 3 cost 3 together.""",
    cases=lambda: [
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], _crossing, 2, 3),
        (list(range(1, 28)), _crossing, 1, 3),
        ([4], _crossing, 5, 2),
        ([5, 6], _crossing, 1, 4),
        ([9, 8, 7, 6, 5, 4, 3, 2], _crossing, 1, 2),
        ([3, 1, 2, 5], _flat, 1, 2),
    ],
    mistakes={
        _from_scratch: "training goes on where it stopped: pay only for the epochs added",
        _rounds_up: "round down: len // eta, and at least one",
        _keeps_worst: "this is a loss: keep the smallest",
        _drops_one_in_eta: "keep one in eta, don't drop one in eta",
        _judged_once: "rank again at each rung, by the loss at that rung's budget",
    },
)


def bracket_table(max_budget, eta):
    most = 0
    while eta ** (most + 1) <= max_budget:
        most += 1
    table = []
    for s in range(most, -1, -1):
        n = math.ceil((most + 1) * eta**s / (s + 1))
        budget = max_budget // eta**s
        table.append([(n // eta**i, budget * eta**i) for i in range(s + 1)])
    return table


def _table(max_budget, eta, most=None, start=None):
    if most is None:
        most = round(math.log(max_budget) / math.log(eta))
    start = start or (lambda most, s: math.ceil((most + 1) * eta**s / (s + 1)))
    return [
        [(start(most, s) // eta**i, max_budget // eta ** (s - i)) for i in range(s + 1)]
        for s in range(most, -1, -1)
    ]


def _one_bracket(max_budget, eta):
    return _table(max_budget, eta)[:1]


def _bare_powers(max_budget, eta):
    return _table(max_budget, eta, start=lambda most, s: eta**s)


def _float_logarithm(max_budget, eta):
    return _table(max_budget, eta, most=int(math.log(max_budget) / math.log(eta)))


def _last_bracket_missing(max_budget, eta):
    return _table(max_budget, eta)[:-1]


def _nobody_cut(max_budget, eta):
    return [[(rungs[0][0], budget) for _, budget in rungs] for rungs in _table(max_budget, eta)]


def _judge_brackets(answer: Any) -> None:
    for number, (max_budget, eta) in enumerate(DRILLS["bracket_table"].cases()):
        got = call(answer, max_budget, eta)
        accepted = [
            [[(rung.n, rung.budget) for rung in rungs] for rungs in table.values()]
            for table in (
                brackets(max_budget, eta=eta),
                brackets(max_budget, eta=eta, rounding="table"),
            )
        ]
        if not any(same(table, got) for table in accepted):
            raise Wrong(
                f"bracket_table({max_budget}, {eta}) should give {show(accepted[0])}, "
                f"got {show(got)}",
                hint=hint_for(DRILLS["bracket_table"], number, got),
            )


drill(
    bracket_table,
    title="Hyperband's bracket table",
    lesson="06",
    statement="""
Return Hyperband's brackets for a largest budget that is a power of eta, eta**s_max: a list of
brackets, from s = s_max (many configs, briefly) down to 0, each a list of rungs (n, budget).
Bracket s starts n = ceil((s_max + 1) / (s + 1) * eta**s) configs at budget max_budget / eta**s (the
paper's other rounding passes as well: floor((s_max + 1) / (s + 1)) * eta**s); each rung keeps
n // eta of the one before and gives them eta times the budget.""",
    cases=lambda: [(81, 3), (9, 3), (243, 3), (16, 2), (64, 4), (1, 3), (2, 2)],
    judge=_judge_brackets,
    mistakes={
        _one_bracket: "that is one bracket only: Hyperband runs every s from s_max to 0",
        _bare_powers: "every bracket should cost about the same: mind the factor (s_max+1) / (s+1)",
        _float_logarithm: "log(243) / log(3) is 4.999...: find s_max with whole numbers",
        _last_bracket_missing: "s = 0 is a bracket too: plain random search at the full budget",
        _nobody_cut: "each rung keeps only n // eta of the rung before",
    },
)


def asha_promotable(losses, promoted, eta):
    reported = [(loss, trial) for trial, loss in losses.items() if not math.isnan(loss)]
    top = sorted(reported)[: len(losses) // eta]
    return [trial for _, trial in top if trial not in promoted]


def _promote(losses, promoted, eta, count):
    reported = [(loss, trial) for trial, loss in losses.items() if not math.isnan(loss)]
    return [trial for _, trial in sorted(reported)[:count] if trial not in promoted]


def _without_promoted(losses, promoted, eta):
    left = {trial: loss for trial, loss in losses.items() if trial not in promoted}
    return asha_promotable(left, promoted, eta)


def _rounded_up(losses, promoted, eta):
    return _promote(losses, promoted, eta, math.ceil(len(losses) / eta))


def _promoted_again(losses, promoted, eta):
    return asha_promotable(losses, (), eta)


def _failed_not_counted(losses, promoted, eta):
    finite = sum(not math.isnan(loss) for loss in losses.values())
    return _promote(losses, promoted, eta, finite // eta)


def _top_of_the_rest(losses, promoted, eta):
    rest = _promote(losses, promoted, eta, len(losses))
    return rest[: len(losses) // eta]


drill(
    asha_promotable,
    title="ASHA's promotion rule",
    lesson="07",
    statement="""
`losses` is a dict from a trial's number to its loss, for all that have reported at a rung so far;
`promoted` is the set of those already sent to the next rung. Return the list of trials that ASHA
may promote now, best first (of equals, the smaller number): those among the best len(losses) // eta
that were not promoted yet. A failed trial has loss NaN: it has reported, and is never promoted.""",
    cases=lambda: [
        (
            {
                4: 0.5,
                1: 0.3,
                7: 0.9,
                2: 0.1,
                5: 0.7,
                6: math.nan,
                3: 0.2,
                8: 0.95,
                9: 0.4,
                0: 0.6,
                10: 0.33,
                11: 0.99,
            },
            {2, 3},
            3,
        ),
        ({1: 0.2, 2: 0.1}, set(), 3),
        ({}, set(), 2),
        ({3: 0.5, 2: 0.5, 1: 0.5, 0: 0.5}, set(), 2),
        ({0: math.nan, 1: math.nan, 2: 0.1}, set(), 3),
        ({0: math.nan, 1: math.nan}, set(), 2),
        ({0: 3, 1: 2, 2: 1}, {2}, 3),
        ({0: 0.4, 1: 0.3, 2: 0.2, 3: 0.1, 4: math.nan, 5: math.nan}, {3}, 3),
    ],
    mistakes={
        _without_promoted: "those promoted before still count among the best and the reported",
        _rounded_up: "round down: with fewer than eta reports nothing may go on yet",
        _promoted_again: "leave out those that were promoted already",
        _failed_not_counted: "a failed trial has reported: it counts in len(losses) // eta",
        _top_of_the_rest: "take the best 1/eta of all first, and then leave out those promoted",
    },
)

"""ASHA against a trace worked by hand, and against synchronous halving."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hpt_lab.space import Float, Space
from hpt_lab.strategies.asha import asha
from hpt_lab.strategies.successive_halving import successive_halving
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.trial import Outcome, failure

SPACE = Space(x=Float(0, 1))


def ran(strategy, loss) -> list[tuple[int, float]]:
    """Run on one worker; loss(id, budget) is an Outcome or a number. Return (id, budget) in
    order."""
    ask_tell, trace = AskTell(strategy), []
    while (trial := ask_tell.ask()) is not None:
        trace.append((trial.id, trial.budget))
        told = loss(trial.id, trial.budget)
        ask_tell.tell(trial, told if isinstance(told, Outcome) else Outcome(told))
    return trace


def test_a_trace_worked_by_hand():
    # eta=2, budgets 1, 2, 4; four configs with losses .4, .3, .2, .1 at every budget
    loss = {0: 0.4, 1: 0.3, 2: 0.2, 3: 0.1}
    assert ran(asha(SPACE, max_budget=4, eta=2, trials=4), lambda id, budget: loss[id]) == [
        (0, 1),
        (1, 1),  # two have reported: the better half is {1}
        (1, 2),  # rung 1 has one: half of one is none
        (2, 1),  # rung 0 has three: half is one, now {2}, and 2 did not climb yet
        (2, 2),  # rung 1 has two, half is {2}: promote from the highest rung first
        (2, 4),
        (3, 1),  # rung 0 has four: the best two are {3, 2}, and 2 climbed already
        (3, 2),  # rung 1 has 1, 2, 3: half is one, {3}
        (3, 4),
    ]


def test_a_trace_with_two_workers_worked_by_hand():
    ask_tell = AskTell(asha(SPACE, max_budget=4, eta=2, trials=4))
    a, b = ask_tell.ask(), ask_tell.ask()
    assert [(t.id, t.budget, t.rung) for t in (a, b)] == [(0, 1, 0), (1, 1, 0)]
    ask_tell.tell(b, Outcome(0.5))
    c = ask_tell.ask()
    assert (c.id, c.budget) == (
        2,
        1,
    )  # one report: half of one is none, so a new trial; nobody waits for 0
    ask_tell.tell(c, Outcome(0.1))
    d = ask_tell.ask()
    assert (d.id, d.budget, d.rung) == (2, 2, 1)
    ask_tell.tell(a, Outcome(0.3))
    e = ask_tell.ask()
    assert (e.id, e.budget) == (3, 1)  # three reports: the best one is 2, which climbs already


def test_the_highest_rung_is_promoted_from_first():
    ask_tell = AskTell(asha(SPACE, max_budget=4, eta=2, trials=8))

    def ask(n):
        return [ask_tell.ask() for _ in range(n)]

    def tell(trials, losses):
        for trial, loss in zip(trials, losses, strict=True):
            ask_tell.tell(trial, Outcome(loss))

    tell(ask(4), [0.1, 0.2, 0.3, 0.4])
    climbing, new = ask(2), ask(2)
    assert [(t.id, t.budget) for t in climbing + new] == [(0, 2), (1, 2), (4, 1), (5, 1)]
    tell(climbing + new, [0.1, 0.2, 0.05, 0.9])  # now 0 may leave rung 1, and 4 rung 0
    assert [(t.id, t.budget) for t in ask(2)] == [(0, 4), (4, 2)]


def test_with_one_worker_and_the_best_first_it_runs_what_synchronous_halving_runs():
    settings = {"max_budget": 27, "eta": 3, "seed": 4}
    rising = lambda id, budget: float(id)  # noqa: E731
    assert sorted(ran(asha(SPACE, **settings), rising)) == sorted(
        ran(successive_halving(SPACE, **settings), rising)
    )


@settings(max_examples=40, deadline=None)
@given(st.permutations(range(27)))
def test_whatever_synchronous_halving_promotes_asha_promotes_too(quality):
    loss = lambda id, budget: float(quality[id])  # noqa: E731 -- ranks do not change with the budget
    both = [set(ran(make(SPACE, max_budget=27), loss)) for make in (asha, successive_halving)]
    assert both[0] >= both[1]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=27, max_size=27), st.sampled_from([2, 3, 4]))
def test_at_the_end_each_rung_has_promoted_exactly_its_best_or_more(losses, eta):
    ask_tell = AskTell(asha(SPACE, max_budget=27, eta=eta, trials=27))
    while (trial := ask_tell.ask()) is not None:
        ask_tell.tell(trial, Outcome(float(losses[trial.id])))
    rungs: dict[int, list[int]] = {}
    for record in ask_tell.history.records:
        rungs.setdefault(record.trial.rung, []).append(record.trial.id)
    assert len(rungs[0]) == 27
    for k, ids in rungs.items():
        best = sorted(ids, key=lambda id: (losses[id], id))[: len(ids) // eta]
        assert k == max(rungs) or set(best) <= set(rungs.get(k + 1, []))


def test_failed_trials_count_as_reported_but_never_climb():
    trace = ran(
        asha(SPACE, max_budget=9, trials=9),
        lambda id, budget: failure("diverged") if id != 4 else 1.0,
    )
    assert [step for step in trace if step[1] > 1] == [
        (4, 3)
    ]  # rung 1 has one: a third of one is none
    assert len(trace) == 10


def test_the_last_rung_trains_for_exactly_the_maximum_budget():
    trace = ran(asha(SPACE, max_budget=100, eta=3), lambda id, budget: float(id))
    assert sorted({budget for _, budget in trace}) == [1, 3, 11, 33, 100]


def test_with_few_trials_the_first_rung_is_a_later_one():
    trace = ran(asha(SPACE, max_budget=81, trials=9), lambda id, budget: float(id))
    assert sorted({budget for _, budget in trace}) == [9, 27, 81]

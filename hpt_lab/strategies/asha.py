"""ASHA, asynchronous successive halving (Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht
& Talwalkar, "A system for massively parallel hyperparameter tuning", MLSys 2020, algorithm 2).

Successive halving waits for the last trial of a rung before it promotes the first. ASHA promotes a
trial as soon as it is among the best 1/eta of those that have reported *so far*, and starts a new
one when there is none to promote: no worker ever waits, and a few trials climb that would not have.
Read `promotable` first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hpt_lab.history import History
from hpt_lab.space import Space
from hpt_lab.strategies.strategy import Propose, check_whole, draw, strategy
from hpt_lab.strategies.successive_halving import best, check_budgets, most_halvings, rungs_of
from hpt_lab.trial import Config, Trial


def promotable(history: History, rung: int, eta: int) -> list[Trial]:
    """List the best 1/eta of the trials that have reported at `rung`, without those that went on
    already.

    Best first, ties to the smaller id. A failed trial counts as reported but never goes on.
    """
    reported = [record for record in history.records if record.trial.rung == rung]
    climbed = {
        trial.id
        for trial in (*history.pending, *(record.trial for record in history.records))
        if trial.rung == rung + 1
    }
    top = best(
        [record.trial for record in reported],
        [record.outcome.rank_loss for record in reported],
        len(reported) // eta,
    )
    return [trial for trial in top if trial.id not in climbed]


@strategy
def asha(
    space: Space,
    *,
    max_budget: int,
    min_budget: int = 1,
    eta: int = 3,
    trials: int | None = None,
    seed: int = 0,
    first: Sequence[Config] = (),
) -> Propose:
    """Promote from the highest rung that has a trial to promote, else start one of `trials` random
    configs.

    `trials` defaults to as many as successive halving would start, eta**halvings; with fewer, the
    first rung is a later one, as there. The paper's search never ends; this one does when all have
    started and none is left to promote.
    """
    check_budgets(max_budget, min_budget, eta)
    halvings = most_halvings(max_budget, min_budget, eta)
    total = eta**halvings if trials is None else trials
    check_whole("trials", total, 1, hint=eta**halvings)
    halvings = min(halvings, most_halvings(total, 1, eta))
    budgets = [rung.budget for rung in rungs_of(total, max_budget, eta, halvings)]

    def get_job(history: History) -> Trial | None:
        for k in range(halvings - 1, -1, -1):
            ready = promotable(history, k, eta)
            if ready:
                return replace(ready[0], budget=budgets[k + 1], rung=k + 1)
        started = sum(
            trial.rung == 0
            for trial in (*history.pending, *(record.trial for record in history.records))
        )
        if started == total:
            return None
        return Trial(started, draw(space, seed, started, first), budgets[0], rung=0)

    return get_job

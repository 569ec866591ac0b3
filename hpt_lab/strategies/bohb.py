"""BOHB (Falkner, Klein & Hutter, "BOHB: robust and efficient hyperparameter optimization at scale",
ICML 2018).

Hyperband decides how long each config trains, TPE decides which configs there are: a new config
comes from the densities of what was learned so far, at the highest budget that has enough results.
Read `sample` first.

Hyperband is written here as a function of the history, not as a generator, so that a config is
drawn when a worker asks for it, with all that is known by then. Departures from the paper: the
densities are those of `tpe.py`; and a config that failed, at whatever budget, is among the bad ones
at every budget. Failures die on the lowest rung, so a model of a higher one would never hear of
them.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

import numpy as np

from hpt_lab.arguments import check_number
from hpt_lab.errors import StrategyError
from hpt_lab.history import History
from hpt_lab.space import Space
from hpt_lab.strategies.hyperband import Rounding, brackets
from hpt_lab.strategies.strategy import MOST_TRIALS, Propose, check_whole, draw, strategy
from hpt_lab.strategies.successive_halving import best
from hpt_lab.strategies.tpe import rank
from hpt_lab.trial import Config, Trial

GAMMA = 0.15  # the paper's q: the share of good trials


@strategy
def bohb(
    space: Space,
    *,
    max_budget: int,
    min_budget: int = 1,
    eta: int = 3,
    rounding: Rounding = "algorithm",
    iterations: int = 1,
    random_fraction: float = 1 / 3,
    candidates: int = 64,
    seed: int = 0,
    first: Sequence[Config] = (),
) -> Propose:
    """Run Hyperband's brackets on configs that TPE proposes; `first` configs enter the first
    bracket.

    iterations: how many rounds of all brackets; the model keeps what earlier rounds have taught.
    random_fraction: the paper's rho, the share drawn at random whatever was learned; Hyperband's
        guarantee rests on it.
    candidates: points that TPE ranks for one config.
    """
    table = brackets(max_budget, min_budget=min_budget, eta=eta, rounding=rounding)
    check_whole("candidates", candidates, 1, hint=64, most=MOST_TRIALS)
    check_number(
        "random_fraction", random_fraction, least=0, most=1, hint="1/3", error=StrategyError
    )
    check_whole("iterations", iterations, 1, hint=1, most=1000)
    order = list(table) * iterations  # the brackets in the order in which they open
    starts = list(accumulate((table[s][0].n for s in order), initial=0))  # the first id of each

    def propose(history: History) -> Trial | None:
        asked = defaultdict(list)  # trials by (place in `order`, rung)
        losses = {}  # by (id, rung)
        for trial in (*(record.trial for record in history.records), *history.pending):
            asked[bisect(starts, trial.id) - 1, trial.rung].append(trial)
        for record in history.records:
            losses[record.trial.id, record.trial.rung] = record.outcome.rank_loss

        for i, s in enumerate(
            order
        ):  # the first bracket with something to do; others do not wait for it
            for k, rung in enumerate(table[s]):
                n_asked, before = len(asked[i, k]), asked[i, k - 1]
                if k == 0 and n_asked < rung.n:
                    config, why = sample(history, starts[i] + n_asked)
                    return Trial(
                        starts[i] + n_asked, config, rung.budget, bracket=s, rung=0, why=why
                    )
                survivors = (
                    best(before, [losses[trial.id, k - 1] for trial in before], rung.n) if k else []
                )
                if n_asked < len(survivors):
                    return replace(survivors[n_asked], budget=rung.budget, rung=k)
                if any((trial.id, k) not in losses for trial in asked[i, k]):
                    break  # this rung is still running
        return None

    def sample(history: History, id: int) -> tuple[Config, object]:
        results = defaultdict(list)  # by budget
        failed = {
            record.trial.id: (record.config, math.inf)
            for record in history.records
            if record.outcome.failed
        }
        for record in history.records:
            if record.trial.id not in failed:
                results[record.budget].append((record.config, record.loss))
        enough = len(space) + 3  # the paper's N_min + 2, where N_min = d + 1
        rich = [budget for budget, tried in results.items() if len(tried) >= enough]
        rng = np.random.default_rng((seed, id, 1))  # not the stream of `draw`
        if id < len(first) or not rich or rng.random() < random_fraction:
            return draw(space, seed, id, first), None
        tried = results[max(rich)]
        n_good = max(len(space) + 1, math.ceil(GAMMA * len(tried)))
        configs, why = rank(
            space, [*tried, *failed.values()], n_good, candidates=candidates, rng=rng
        )
        return configs[0], why

    return propose

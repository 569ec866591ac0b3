"""Population-based training (Jaderberg et al., "Population based training of neural networks",
2017, algorithm 1).

Train a population side by side. Every few epochs the worst members copy the weights of the best
(exploit) and go on with slightly changed hyperparameters (explore). What comes out is not a config
but a *schedule*: the values that the winner and its ancestors trained with, one after another. Read
`search` first, then `schedule`.

Departure from the paper: members step together, where the paper lets each decide when it is ready;
steps of equal length make that nearly the same, and the search can be planned. Only hyperparameters
that may change while weights stay belong in the space: learning rate, momentum, dropout, weight
decay; not the number of layers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from hpt_lab.arguments import check_number
from hpt_lab.errors import StrategyError
from hpt_lab.history import History
from hpt_lab.space import Choice, Float, Int, Space
from hpt_lab.strategies.strategy import MOST_TRIALS, Batches, check_whole, draw, strategy
from hpt_lab.strategies.successive_halving import best
from hpt_lab.trial import Config, Trial

FACTORS = (0.8, 1.2)
STEP = 0.1  # of the range, from zero


@strategy
def population_based_training(
    space: Space,
    *,
    max_budget: int,
    interval: int = 5,
    population: int = 20,
    truncation: float = 0.2,
    resample: float = 0.25,
    seed: int = 0,
    first: Sequence[Config] = (),
) -> Batches:
    """Train `population` members to max_budget, looking at them every `interval` epochs.

    truncation: the share of members that is replaced at every look, by children of as large a share
        of the best.
    resample: the chance that a child's hyperparameter is drawn anew rather than multiplied by 0.8
        or 1.2.
    Members that failed are always replaced. A child is a new trial whose `parent` is the member it
    copies.
    """
    check_whole("max_budget", max_budget, 1, hint=50)
    check_whole("interval", interval, 1, hint=5)
    check_whole("population", population, 1, hint=20, most=MOST_TRIALS)
    check_number("truncation", truncation, above=0, most=0.5, hint=0.2, error=StrategyError)
    check_number("resample", resample, least=0, most=1, hint=0.25, error=StrategyError)

    def search() -> Batches:
        members = [
            Trial(id, draw(space, seed, id, first), min(interval, max_budget), rung=0)
            for id in range(population)
        ]
        ids = population
        n = math.ceil(truncation * population) if population > 1 else 0
        for step in range(1, -(-max_budget // interval)):
            losses = yield members
            ranked = best(members, losses, population)
            if not ranked:
                return  # nobody left to copy
            survivors = ranked[: population - n] if n else ranked
            donors = ranked[: max(n, 1)]
            budget = min((step + 1) * interval, max_budget)
            children = []
            for _ in range(population - len(survivors)):
                rng = np.random.default_rng((seed, ids))
                donor = donors[rng.integers(len(donors))]  # exploit
                children.append(
                    Trial(
                        ids,
                        explore(space, donor.config, resample, rng),
                        budget,
                        rung=step,
                        parent=donor.id,
                    )
                )
                ids += 1
            # children first: a single worker then copies each parent before it trains on
            members = children + [replace(member, budget=budget, rung=step) for member in survivors]
        yield members

    return search()


def explore(space: Space, config: Config, resample: float, rng: np.random.Generator) -> Config:
    """Return a changed copy of `config`: each number times 0.8 or 1.2, or, with chance `resample`,
    drawn anew.

    Numbers stay inside their range, an Int moves by at least one; a Choice is kept or drawn anew.
    No factor moves zero: it takes a step of STEP of its range instead, up or down as the factor
    would, and inwards at an end.
    """
    changed: Config = {}
    for name, domain in space.domains.items():
        if not space.is_active(name, changed):
            continue
        anew, u, factor = rng.random() < resample, rng.random(), FACTORS[rng.integers(2)]
        if anew or name not in config:
            changed[name] = domain.from_unit(u)
        elif isinstance(domain, Choice):
            changed[name] = config[name]
        elif config[name] == 0:
            changed[name] = from_zero(domain, up=factor > 1)
        else:
            value = config[name] * factor
            if domain.kind == "int":
                value = math.floor(value) if value < config[name] else math.ceil(value)
            changed[name] = domain.clean(min(max(value, domain.low), domain.high))
    return changed


def from_zero(domain: Float | Int, *, up: bool) -> float:
    """Return the value a step of the range above zero, or below, whichever the range has; an Int
    moves by at least one."""
    width = STEP * (domain.high / 2 - domain.low / 2) * 2
    step = max(round(width), 1) if isinstance(domain, Int) else width
    value = step if (up and domain.high > 0) or domain.low >= 0 else -step
    return domain.clean(min(max(value, domain.low), domain.high))


class Segment(NamedTuple):
    """The config that a lineage trained with, from `start` to `end` epochs, in trial `trial`."""

    start: float
    end: float
    config: Config
    trial: int


def schedule(history: History) -> list[Segment]:
    """Return the hyperparameter schedule behind the best record: its lineage, ancestors first. []
    if all failed."""
    segments: list[Segment] = []
    record = history.best
    id, end = (record.trial.id, record.budget) if record else (None, 0.0)
    while id is not None:
        trained = [r.trial for r in history.records if r.trial.id == id]
        parent, begin = trained[0].parent, min(trial.budget for trial in trained)
        start = max(
            (r.budget for r in history.records if r.trial.id == parent and r.budget < begin),
            default=0.0,
        )
        segments.insert(0, Segment(start, end, trained[0].config, id))
        id, end = parent, start
    return segments

"""What to do after a study: what its evidence supports, each statement with its number.

Three kinds of statement claim that something is no accident: the best trials crowd at an edge,
failures crowd somewhere, curves still fall. Each is an exact test: hypergeometric for the first
two, all corrected together (Holm, Scandinavian Journal of Statistics 1979), a sign test for the
third. So a study of pure noise gets one of them with a probability of at most CHANCE, if its
configs don't depend on its losses; for strategies that learn from losses a test counts.

Two kinds say that something can't be seen: a dimension without effect (only where the upper 95 %
bound of what it accounts for is small), and a best two that can't be told apart. Where evidence
is thin there is no statement: silence is no all-clear. Read `next_steps`.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import scipy  # its parts load when first used

from hpt_lab.domains import Choice
from hpt_lab.evidence import (
    Edge,
    Zone,
    edges,
    effects,
    ends,
    failure_zones,
    history_of,
    say,
    space_of,
)
from hpt_lab.history import History, Record
from hpt_lab.space import Space

Kind = Literal["edge", "budget", "failures", "seeds", "no effect"]

CHANCE = 0.02  # of any false claim in a study of pure noise: half for crowding, half for curves
SMALL = 0.1  # of the differences between ranks: what counts as no effect
UNSEEN = 0.2  # p above which a dimension shows no effect
FALL = 0.01  # by what part curves must still fall, in the median, to be worth more budget
STEADY = 6  # epochs that a curve needs to be judged
FEWEST = 4  # trainings beyond the first of their configs, to know the noise between seeds
NORMAL = 1.96 + 0.842  # quantiles of a test at 5 % with 80 % power


@dataclass(frozen=True, repr=False)
class Step:
    """One statement about a study: what was found, what to do, and the numbers behind it."""

    kind: Kind
    found: str
    do: str
    about: str | None = None  # the dimension
    numbers: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.found} {self.do}"

    def __repr__(self) -> str:
        return f"<{self.kind}: {self}>"

    def _repr_html_(self) -> str:
        return f"<p><b>{html.escape(self.found)}</b> {html.escape(self.do)}</p>"


def next_steps(study: Any, space: Space | None = None) -> list[Step]:
    """List what the evidence of a study supports; a bare History needs its `space`.

    Edges hit, a budget that is too short, failures that crowd, best trials that can't be told
    apart, dimensions without effect, in this order. Empty where the evidence is thin.

    >>> from hpt_lab import Float, random_search, tune
    >>> line = Space(x=Float(0, 1))
    >>> study = tune(lambda config: config["x"], random_search(line, trials=40, seed=0))
    >>> print(next_steps(study)[0])
    9 of the best 10 trials have x from 0 to 0.2, as 9 of all 40 do, and the very best has ...
    """
    history = history_of(study)
    space = space_of(study, space)
    kept = _holm([*edges(history, space), *failure_zones(history, space)])
    hit = [zone for zone in kept if isinstance(zone, Edge) and zone.hit]
    steps = [_edge_step(edge, history, space) for edge in hit]
    steps += _budget_steps(history)
    steps += [_failure_step(zone) for zone in _strongest(kept)]
    steps += _seed_steps(history)
    steps += _idle_steps(history, space, {edge.name for edge in hit})
    return steps


def _holm(zones: list[Zone]) -> list[Zone]:
    """Keep the zones whose crowding no chance explains, at CHANCE / 2 for all of them together."""
    kept = []
    for place, zone in enumerate(sorted(zones, key=lambda zone: zone.chance)):
        if zone.chance > CHANCE / 2 / (len(zones) - place):
            break
        kept.append(zone)
    return kept


def _strongest(zones: list[Zone]) -> list[Zone]:
    """Return each dimension's zone in which failures crowd most; `zones` come in that order."""
    first: dict[str, Zone] = {}
    for zone in zones:
        if not isinstance(zone, Edge):
            first.setdefault(zone.name, zone)
    return list(first.values())


def _edge_step(edge: Edge, history: History, space: Space) -> Step:
    domain = space[edge.name]
    best = history.best
    assert best is not None  # or there would be no edge
    end = ends(domain)[0 if edge.side == "lower" else 1]
    found = (
        f"{edge.hits} of the best {edge.marked} trials have {edge.name} {edge.where}, as "
        f"{edge.inside} of all {edge.trials} do, and the very best has "
        f"{say(best.config[edge.name])}, at the {edge.side} edge of its range "
        f"(budget {edge.budget:g}; {_by_chance(edge.chance)})."
    )
    more = "Add values" if isinstance(domain, Choice) else "Widen the range"
    do = (
        f"{more} beyond {say(end)} and search again, unless nothing "
        f"{'below' if edge.side == 'lower' else 'above'} {say(end)} makes sense."
    )
    return Step("edge", found, do, edge.name, {**_numbers(edge), "budget": edge.budget})


def _failure_step(zone: Zone) -> Step:
    found = (
        f"{zone.hits} of the {zone.marked} failed trials have {zone.name} {zone.where}, as "
        f"{zone.inside} of all {zone.trials} do ({_by_chance(zone.chance)})."
    )
    do = "Read their errors, then repair what breaks there or leave that part out of the space."
    return Step("failures", found, do, zone.name, _numbers(zone))


def _numbers(zone: Zone) -> dict[str, float]:
    return {
        "hits": zone.hits,
        "marked": zone.marked,
        "inside": zone.inside,
        "trials": zone.trials,
        "chance": zone.chance,
    }


def _by_chance(chance: float) -> str:
    return f"by chance {chance:.1g}" if chance >= 1e-6 else "by chance below one in a million"


def _budget_steps(history: History) -> list[Step]:
    """Say that curves still fall: in the last sixth of training against the sixth before.

    A trial without a trend falls or rises with equal chance, whatever its noise. Of 20 trials or
    more the better half is judged: better by what they had reached before those two sixths, for
    a choice by the end would find falls in noise.
    """
    largest = max((record.budget for record in history.records), default=0)
    name, curves = _full_curves(history.at_budget(largest))
    if len(curves) >= 20:
        curves = sorted(curves, key=lambda curve: curve[len(curve) * 2 // 3 - 1])[
            : len(curves) // 2
        ]
    falls = [fall for fall in map(_fall, curves) if fall != 0]
    falling = sum(fall > 0 for fall in falls)
    if not falls or np.median(falls) < FALL:
        return []
    chance = float(scipy.stats.binom.sf(falling - 1, len(falls), 0.5))
    if chance > CHANCE / 2:
        return []
    epochs = max(1, len(curves[0]) // 6)
    found = (
        f"{falling} of {len(falls)} fully trained trials still improve: from the last but one "
        f"sixth of training to the last, {name} falls by {np.median(falls):.1%} in the median "
        f"(budget {largest:g}; {_by_chance(chance)})."
    )
    do = "Give the trials more budget before you compare them further: the ranking may change."
    return [
        Step(
            "budget",
            found,
            do,
            None,
            {
                "falling": falling,
                "curves": len(falls),
                "median": float(np.median(falls)),
                "budget": largest,
                "epochs": epochs,
                "chance": chance,
            },
        )
    ]


def _full_curves(records: list[Record]) -> tuple[str, list[np.ndarray]]:
    """Return val_loss (or the only curve) of every trial that has it, finite to the end."""
    names = {name for record in records for name in record.outcome.curves}
    name = "val_loss" if "val_loss" in names or len(names) != 1 else names.pop()
    curves = [
        np.asarray(record.outcome.curves.get(name, []), float)
        for record in records
        if not record.outcome.failed
    ]
    return name, [curve for curve in curves if len(curve) >= STEADY and np.isfinite(curve).all()]


def _fall(curve: np.ndarray) -> float:
    """Return by what part of its size a curve falls from the last but one sixth to the last."""
    sixth = len(curve) // 6
    before = float(curve[-2 * sixth : -sixth].mean())
    after = float(curve[-sixth:].mean())
    return (before - after) / (abs(before) or 1.0)


def _seed_steps(history: History) -> list[Step]:
    """Say that the best two configs can't be told apart, where the noise of training is known."""
    runs = _runs(history)
    ranked = sorted(runs.values(), key=lambda its: float(np.mean([r.loss for r in its])))
    if len(ranked) < 2:
        return []
    losses = [np.array([record.loss for record in its]) for its in ranked]
    apart = float(losses[1].mean() - losses[0].mean())
    free = sum(len(its) - 1 for its in losses)
    if free >= FEWEST:
        squares = sum(float(((its - its.mean()) ** 2).sum()) for its in losses)
        noise = math.sqrt(squares / free)
        limit = float(scipy.stats.t.ppf(0.975, free))
        source = (
            f"trainings of one config differ by {noise:.2g} (standard deviation, {free} repeats)"
        )
    else:
        noise = _jitter(ranked[0][0])
        limit = 1.96
        source = f"the best one's own loss moves by {noise:.2g} from epoch to epoch at the end"
    error = noise * math.sqrt(1 / len(losses[0]) + 1 / len(losses[1]))
    if noise == 0 or apart >= limit * error:
        return []
    times = [len(losses[0]), len(losses[1])]
    trained = (
        "each trained once"
        if times == [1, 1]
        else f"trained {_times(times[0])} and {_times(times[1])}"
    )
    differ = (
        f"differ by {apart:.2g} in loss"
        if apart > 0
        else f"tie at a loss of {losses[0].mean():.3g}"
    )
    found = (
        f"The best two configs {differ}, {trained}; {source}. So which one is better is not known."
    )
    return [
        Step(
            "seeds",
            found,
            _seed_advice(apart, noise, repeated=free >= FEWEST),
            None,
            {
                "apart": apart,
                "noise": noise,
                "first": times[0],
                "second": times[1],
                "repeats": free,
            },
        )
    ]


def _runs(history: History) -> dict[str, list[Record]]:
    """Group the successful records of the largest budget by config."""
    done = [record for record in history.records if not record.outcome.failed]
    largest = max((record.budget for record in done), default=0)
    runs: dict[str, list[Record]] = {}
    for record in done:
        if record.budget == largest:
            runs.setdefault(json.dumps(record.config, sort_keys=True), []).append(record)
    return runs


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


def _seed_advice(apart: float, noise: float, *, repeated: bool) -> str:
    needed = 2 * (NORMAL * noise / apart) ** 2 if apart > 0 else math.inf
    if needed > 100:
        return "Take the simpler of the two: 100 trainings of each would hardly tell them apart."
    least = "about" if repeated else "at least"
    return (
        f"Train both with other seeds, {least} {max(2, math.ceil(needed))} times each, to see a "
        f"difference of that size (80 % power at 5 %), or take the simpler one."
    )


def _jitter(record: Record) -> float:
    """Return how much a trial's own loss moves from epoch to epoch at the end; 0 if unknown.

    From second differences, to which a trend adds nothing: those of steady noise have six times
    its variance.
    """
    for values in record.outcome.curves.values():
        curve = np.asarray(values, float)
        if len(curve) < 2 * STEADY or not np.isfinite(curve).all():
            continue
        if math.isclose(curve[-1], record.loss) or math.isclose(1 - curve[-1], record.loss):
            bends = np.diff(curve[-(len(curve) // 3) :], n=2)
            return float(np.sqrt((bends**2).mean() / 6))
    return 0.0


def _idle_steps(history: History, space: Space, edge: set[str]) -> list[Step]:
    """Name the dimensions that account for next to nothing, with the bound that says so."""
    steps = []
    for effect in effects(history, space):
        if effect.most > SMALL or effect.p < UNSEEN or effect.name in edge:
            continue
        found = (
            f"{effect.name} shows no effect: it accounts for at most {effect.most:.0%} of the "
            f"differences between the ranks of {effect.trials} losses (all such bounds together "
            f"hold with 95 %), on average over the other dimensions."
        )
        do = "Fix it for now, at its cheapest value, and look again once the others are narrowed."
        steps.append(
            Step(
                "no effect",
                found,
                do,
                effect.name,
                {
                    "most": effect.most,
                    "share": effect.share,
                    "p": effect.p,
                    "trials": effect.trials,
                },
            )
        )
    return steps

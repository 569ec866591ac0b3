"""What a finished study is evidence of: counts, and how likely chance alone would give them.

Every question is asked so that trials are compared with trials of the same budget, and so that
the answer for a study of pure noise is known. Where something crowds (the best trials at an edge
of the space, the failed ones in a part of it) the chance is hypergeometric: of `trials`, `inside`
lie in a zone; of `marked` trials picked without regard to the zone, at least `hits` would lie in
it with probability `chance` (Fisher's exact test, one-sided, given the configs that were tried).

Read `edges` first; `effects` bounds what a dimension can matter. `hpt_lab.study.next_steps`
corrects for asking many questions at once and says the answers in words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import scipy  # its parts load when first used

from hpt_lab.arguments import show
from hpt_lab.domains import Choice, Domain, Float
from hpt_lab.errors import HptError
from hpt_lab.history import History, Record
from hpt_lab.space import Space

Side = Literal["lower", "upper"]

ENOUGH = (
    20  # trials that make a budget worth comparing at, rather than a smaller one with more trials
)
OUTER = 0.2  # of the unit interval: an edge's zone
OUTERMOST = 0.1  # where the best trial must lie for its edge to be called hit
BEST = 4  # one in so many trials counts among the best
CUTS = (0.25, 0.5, 0.75)  # where a dimension is cut to look for failures on either side
LEVEL = 0.05  # one minus the confidence of all bounds of `effects` together
GROUPS = 4  # of a numeric dimension's values, equally many trials in each
FREE = 15  # degrees of freedom left, below which `effects` says nothing


@dataclass(frozen=True)
class Zone:
    """How many trials lie in a part of one dimension, and how many of the marked ones."""

    name: str  # of the dimension
    where: str  # the part, in words
    trials: int
    inside: int
    marked: int
    hits: int

    @cached_property
    def chance(self) -> float:
        """Probability of at least so many hits if the marked trials were any of them."""
        found = scipy.stats.hypergeom.sf(self.hits - 1, self.trials, self.inside, self.marked)
        return float(found)


@dataclass(frozen=True)
class Edge(Zone):
    """The best trials at one end of a dimension; `hit` if the study's best lies at its very end."""

    side: Side
    hit: bool
    budget: float


@dataclass(frozen=True)
class Effect:
    """How much of the differences between the losses' ranks one dimension accounts for.

    `share`: what it adds to the other dimensions in this study. `most`: the upper confidence
    bound. `p`: the probability of at least such a share if there were no effect.
    """

    name: str
    trials: int
    share: float
    most: float
    p: float


def history_of(study: Any) -> History:
    """Return the history of a Study, or a History itself."""
    history = getattr(study, "history", study)
    if not isinstance(history, History):
        raise HptError(
            f"study must be a Study or a History, got {show(study)}; give what tune() returns"
        )
    return history


def space_of(study: Any, space: Space | None = None) -> Space:
    """Return `space`, or a Study's own. Raises HptError for a bare History without it."""
    if space is None:
        space = getattr(getattr(study, "strategy", None), "space", None)
    if not isinstance(space, Space):
        raise HptError(
            f"space must be the Space of the configs, got {show(space)}; a Study knows it, "
            "a bare History needs space=..."
        )
    return space


def comparable(history: History) -> list[Record]:
    """List the records of one budget: the largest that ENOUGH trials have, else the commonest."""
    sizes: dict[float, int] = {}
    for record in history.records:
        sizes[record.budget] = sizes.get(record.budget, 0) + 1
    if not sizes:
        return []
    large = [budget for budget, size in sizes.items() if size >= ENOUGH]
    budget = max(large) if large else max(sizes, key=lambda budget: (sizes[budget], budget))
    return history.at_budget(budget)


def best_of(records: list[Record]) -> list[Record]:
    """List the best quarter, at least three; ties all in or all out, or none at all."""
    good = sorted(record.loss for record in records if not record.outcome.failed)
    wanted = max(3, len(records) // BEST)
    if len(good) < wanted:
        return []
    line = good[wanted - 1]
    for reached in (line, max((loss for loss in good if loss < line), default=-math.inf)):
        chosen = [r for r in records if r.outcome.rank_loss <= reached]
        if 3 <= len(chosen) <= len(records) // 2:
            return chosen
    return []


def has_edges(domain: Domain) -> bool:
    """Say whether a dimension has two ends with something between them."""
    return not (isinstance(domain, Choice) and not domain.ordered) and domain.size > 2


def edge_zone(domain: Domain, side: Side, part: float = OUTER) -> float:
    """Return how far into the unit interval an edge's zone reaches: `part`, or its last value."""
    low, high = ends(domain)
    last = domain.place_of(low) if side == "lower" else 1 - domain.place_of(high)
    return max(part, last + 1e-9)


def ends(domain: Domain) -> tuple[Any, Any]:
    """Return the first and the last value of a dimension."""
    if isinstance(domain, Choice):
        return domain.values[0], domain.values[-1]
    return domain.low, domain.high


def depth(domain: Domain, value: Any, side: Side) -> float:
    """Return how far `value` lies from that end, in the unit interval."""
    place = domain.place_of(value)
    return place if side == "lower" else 1 - place


def edges(history: History, space: Space) -> list[Edge]:
    """Count the best trials in the outer fifth at both ends of every ordered dimension."""
    best = history.best
    if best is None:
        return []
    found = []
    for name, domain in space.domains.items():
        records = [record for record in comparable(history) if name in record.config]
        top = best_of(records)
        if not has_edges(domain) or not top:
            continue
        for side in ("lower", "upper"):
            found.append(_edge(name, domain, side, records, top, best))  # type: ignore[arg-type]
    return found


def _edge(
    name: str, domain: Domain, side: Side, records: list[Record], top: list[Record], best: Record
) -> Edge:
    reach = edge_zone(domain, side)
    inside = [r for r in records if depth(domain, r.config[name], side) <= reach]
    hits = [r for r in top if depth(domain, r.config[name], side) <= reach]
    outermost = edge_zone(domain, side, OUTERMOST)
    hit = name in best.config and depth(domain, best.config[name], side) <= outermost
    return Edge(
        name,
        _edge_words(domain, side, reach),
        len(records),
        len(inside),
        len(top),
        len(hits),
        side,
        hit,
        records[0].budget,
    )


def _edge_words(domain: Domain, side: Side, reach: float) -> str:
    low, high = ends(domain)
    if not isinstance(domain, Float):
        values = domain.values if isinstance(domain, Choice) else range(domain.low, domain.high + 1)
        step = 1 if side == "lower" else -1
        inner = low if side == "lower" else high
        for value in values[::step]:
            if depth(domain, value, side) > reach:
                break
            inner = value
    else:
        inner = domain.from_unit(reach if side == "lower" else 1 - reach)
    if inner in (low, high):
        return f"= {say(inner)}"
    pair = (low, inner) if side == "lower" else (inner, high)
    return f"from {say(pair[0])} to {say(pair[1])}"


def failure_zones(history: History, space: Space) -> list[Zone]:
    """Count the failed trials in parts of each dimension: a Choice's value, a side of a cut."""
    last = {record.trial.id: record for record in history.records}
    for record in history.records:
        if record.outcome.failed:
            last[record.trial.id] = record
    found = []
    for name, domain in space.domains.items():
        records = [record for record in last.values() if name in record.config]
        failed = [record for record in records if record.outcome.failed]
        if not failed or len(failed) == len(records):
            continue
        for where, test in _parts(domain):
            inside = sum(test(record.config[name]) for record in records)
            hits = sum(test(record.config[name]) for record in failed)
            if 0 < inside < len(records):
                found.append(Zone(name, where, len(records), inside, len(failed), hits))
    return found


def _parts(domain: Domain) -> Iterator[tuple[str, Any]]:
    """Yield the parts of a dimension, in words, each with the test of whether a value is there."""
    if isinstance(domain, Choice) and not domain.ordered:
        for value in domain.values:
            yield f"= {say(value)}", lambda other, value=value: domain.clean(other) == value
        return
    seen = set()
    for cut in CUTS:
        at = domain.from_unit(cut)
        place = domain.place_of(at)
        if at in seen:
            continue
        seen.add(at)
        yield f"<= {say(at)}", lambda other, place=place: domain.place_of(other) <= place + 1e-9
        yield f">= {say(at)}", lambda other, place=place: domain.place_of(other) >= place - 1e-9


def effects(history: History, space: Space) -> list[Effect]:
    """Bound what each dimension accounts for, by analysis of variance on the losses' ranks.

    Each dimension's values form groups (quarters of a numeric one); a failed trial has the worst
    rank. Main effects only, over the whole range: one that shows only beside one value of another
    dimension is spread thin here. The upper bound inverts the noncentral F distribution (Steiger,
    Psychological Methods 2004, doi:10.1037/1082-989X.9.2.164), all bounds together hold with
    95 % (Bonferroni). Nothing where fewer than FREE degrees of freedom are left.
    """
    records = comparable(history)
    if len(records) < FREE:
        return []
    ranks = scipy.stats.rankdata([record.outcome.rank_loss for record in records])
    total = float(((ranks - ranks.mean()) ** 2).sum())
    columns = {name: _groups(domain, name, records) for name, domain in space.domains.items()}
    every = np.column_stack([np.ones(len(records)), *columns.values()])
    rest, rank = _unexplained(every, ranks)
    free = len(records) - rank
    if free < FREE or total == 0 or rest <= 0:
        return []
    found = []
    for name in columns:
        others = [column for other, column in columns.items() if other != name]
        left, fewer = _unexplained(np.column_stack([np.ones(len(records)), *others]), ranks)
        if fewer < rank:
            size = (rank - fewer, free)
            ratio = max(0.0, (left - rest) / size[0] / (rest / free))
            most = _largest(ratio, size, LEVEL / len(space)) * rest / free / total
            p = float(scipy.stats.f.sf(ratio, *size))
            found.append(Effect(name, len(records), max(0.0, left - rest) / total, most, p))
    return found


def _groups(domain: Domain, name: str, records: list[Record]) -> np.ndarray:
    """Return a column of zeros and ones per group of a dimension's values; absent is a group."""
    places = np.array(
        [domain.place_of(r.config[name]) if name in r.config else -1.0 for r in records]
    )
    levels = np.unique(places)
    if len(levels) > GROUPS + 1 and has_edges(domain):
        active = places[places >= 0]
        cuts = np.quantile(active, np.linspace(0, 1, GROUPS + 1)[1:-1])
        groups = np.where(places < 0, -1, np.searchsorted(cuts, places, side="left"))
    else:
        groups = np.searchsorted(levels, places)
    return (groups[:, None] == np.unique(groups)).astype(float)


def _unexplained(columns: np.ndarray, values: np.ndarray) -> tuple[float, int]:
    """Return the squares that a linear fit leaves, and its rank."""
    fit, _, rank, _ = np.linalg.lstsq(columns, values, rcond=None)
    return float(((values - columns @ fit) ** 2).sum()), int(rank)


def _largest(ratio: float, size: tuple[int, int], level: float) -> float:
    """Return the noncentrality under which an F of at most `ratio` has probability `level`.

    An F below 1, its value without any effect, counts as 1: by luck a bound gets no better.
    """

    def excess(noncentral: float) -> float:
        return float(scipy.special.ncfdtr(*size, noncentral, max(ratio, 1.0))) - level

    high = 10.0
    while excess(high) > 0:
        high *= 2
    return float(scipy.optimize.brentq(excess, 1e-9, high))


def say(value: Any) -> str:
    """Write a hyperparameter's value: three digits of a float, anything else as it is."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)

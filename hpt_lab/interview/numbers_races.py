"""Numbers for the questions of lessons 07 and 08: waiting, haste, ranks, and what a comparison
shows.

Every function works one example out in full. Start with `rung_of_four`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import binom, rankdata

from hpt_lab import experiments
from hpt_lab.experiments import lesson_08 as recordings
from hpt_lab.experiments.interview import halving_on_sixteen
from hpt_lab.interview.numbers import numbers

# Lesson 07


@numbers
def sixteen_workers() -> Mapping[str, Any]:
    """Read how long sixteen workers take, and how much of it they stand idle."""
    ran = halving_on_sixteen()
    return {
        "seconds": f"{ran.seconds:.1f}",
        "idle": round(100 * (1 - ran.utilisation)),
        "even": f"{ran.seconds * ran.utilisation:.1f}",
        "times": f"{1 / ran.utilisation:.1f}",
    }


@numbers
def rung_of_four() -> Mapping[str, Any]:
    """Share out nine equal runs of a rung on four workers, one run three times as long."""
    busy = 8 * 10 + 30
    end = 50  # the long run starts last, when two rounds of four are done
    early = 30  # it starts first: 30 minutes; the others do eight runs in 30
    return {
        "end": end,
        "idle": round(100 * (1 - busy / (4 * end))),
        "early": early,
        "early_idle": round(100 * (1 - busy / (4 * early))),
    }


@numbers
def slowest_of_many() -> Mapping[str, Any]:
    """Give the chance that a rung of 9, 27 or 81 runs contains one of the slowest 5 %."""
    return {f"of_{n}": round(100 * (1 - 0.95**n)) for n in (9, 27, 81)}


@numbers
def asha_of_seven() -> Mapping[str, Any]:
    """Follow ASHA's first rung, eta 3, for losses .5 .3 .6 .4 .2 .7 .1 as they report."""
    losses = (0.5, 0.3, 0.6, 0.4, 0.2, 0.7, 0.1)
    promoted: list[float] = []
    for n in range(1, len(losses) + 1):
        top = sorted(losses[:n])[: n // 3]
        promoted += [loss for loss in top if loss not in promoted]
    right = sorted(losses)[: len(losses) // 3]
    wrong = [loss for loss in promoted if loss not in right]
    return {
        "promoted": " and ".join(f"{loss:g}" for loss in promoted[:2]),
        "third": f"{promoted[2]:g}",
        "count": len(promoted),
        "wrong": f"{wrong[0]:g}",
    }


@numbers
def replayed() -> Mapping[str, Any]:
    """Read the replays on 30 fresh seeds: the schedule, the best fixed rate, the last rate."""
    found = experiments.load("lesson_07.replays")[:, :, 0]
    best = int(found[:, :7].mean(axis=0).argmin())
    gap = found[:, best] - found[:, 7]
    return {
        "schedule": f"{found[:, 7].mean():.3f}",
        "fixed": f"{found[:, best].mean():.3f}",
        "last": f"{found[:, 8].mean():.3f}",
        "gap": f"{gap.mean():.3f}",
        "error": f"{2.05 * gap.std(ddof=1) / math.sqrt(len(gap)):.3f}",
    }


@numbers
def front_of_five() -> Mapping[str, Any]:
    """Find the front of five models, and which of it a weighted sum can choose."""
    models = {"A": (1, 10.0), "B": (2, 8.9), "C": (4, 5.0), "D": (5, 6.0), "E": (8, 4.0)}
    front = [
        name
        for name, (cost, error) in models.items()
        if not any(c <= cost and e <= error and (c, e) != (cost, error) for c, e in models.values())
    ]
    line = 10.0 + (5.0 - 10.0) * (2 - 1) / (4 - 1)  # from A to C, at B's cost
    return {"front": ", ".join(front[:-1]) + " and " + front[-1], "line": f"{line:.1f}"}


@numbers
def mistakes_by_root() -> Mapping[str, Any]:
    """Carry 16 mistaken promotions in a rung of 729 to rungs of 81 and 6,561, by the root."""
    known = 16
    small = known * math.sqrt(81 / 729)
    large = known * math.sqrt(6561 / 729)
    return {
        "known": known,
        "small": round(small),
        "large": round(large),
        "small_share": f"{100 * small / 27:.0f}",
        "known_share": f"{100 * known / 243:.0f}",
        "large_share": f"{100 * large / 2187:.0f}",
    }


@numbers
def area_of_front() -> Mapping[str, Any]:
    """Give the area that three models dominate up to (10, 12), and what a fourth adds."""

    def area(front: list[tuple[float, float]]) -> float:
        ends = [cost for cost, _ in front[1:]] + [10]
        strips = zip(front, ends, strict=True)
        return sum((end - cost) * (12 - error) for (cost, error), end in strips)

    three: list[tuple[float, float]] = [(1, 10), (4, 5), (8, 4)]
    before = area(three)
    after = area(sorted([*three, (2, 8.9)]))
    return {"area": f"{before:g}", "added": f"{after - before:.1f}"}


@numbers
def random_third_fails() -> Mapping[str, Any]:
    """Give the share of failures that a third of random configs makes, if 40 % of them fail."""
    return {"floor": round(100 * 0.4 / 3)}


# Lesson 08


@numbers
def sign_of_ten() -> Mapping[str, Any]:
    """Give the chance that 7, 8 or 9 of ten paired seeds fall one way by chance, both sides."""
    return {f"of_{k}": f"{200 * binom.sf(k - 1, 10, 0.5):.0f}" for k in (7, 8, 9)}


@numbers
def ranks_and_points() -> Mapping[str, Any]:
    """Rank two methods on four seeds where one wins often by little and loses once by much."""
    losses = np.array([[3.0, 3.1, 2.9, 6.0], [3.1, 3.2, 3.0, 3.4]])
    ranks = rankdata(losses, axis=0).mean(axis=1)
    means = losses.mean(axis=1)
    return {
        "rank_a": f"{ranks[0]:.2f}",
        "rank_b": f"{ranks[1]:.2f}",
        "mean_a": f"{means[0]:.2f}",
        "mean_b": f"{means[1]:.2f}",
    }


@numbers
def starts_in_seconds() -> Mapping[str, Any]:
    """Price 81 starts of 28 epochs' worth for a first rung of one and of nine epochs."""
    start = 28
    one = 81 * (start + 1)
    full = 81 + start
    return {
        "one": f"{one:,}",
        "share": round(100 * 81 * start / one),
        "full": one // full,
        "nine": f"{9 * (start + 9):,}",
        "nine_share": round(100 * start / (start + 9)),
    }


@numbers
def leads_on_digits() -> Mapping[str, Any]:
    """Read ASHA's lead over random search at twice the budget, by validation and by test."""
    race = recordings.recorded("digits-mlp", "epochs")
    row = 100 * race.summary().loc["ASHA"]
    seen = 100 * race.losses()
    who = list(race.runs).index("ASHA")
    return {
        "seen": f"{(seen[-1] - seen[who]).mean():.2f}",
        "kept": f"{abs(row.test_ahead):.2f}",
        "low": f"{row.test_ahead_low:.2f}",
        "high": f"{row.test_ahead_high:.2f}",
    }


@numbers
def eight_intervals() -> Mapping[str, Any]:
    """Give the chance that one of eight 95 % intervals misses zero by luck, and the remedy."""
    return {"chance": round(100 * (1 - 0.95**8)), "level": f"{100 * (1 - 0.05 / 8):.1f}"}


@numbers
def paired_seeds() -> Mapping[str, Any]:
    """Compare 30 pairs whose errors correlate by 0.6 with unpaired seeds, one point apart."""
    paired = 2 * (1 - 0.6)
    ratio = 2 / paired
    return {
        "ratio": f"{ratio:g}",
        "unpaired": round(30 * ratio),
        "error": f"{math.sqrt(paired / 30):.2f}",
    }

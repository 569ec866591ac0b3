"""What lesson 01 claims of learning rates, batches, depth and optimizers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hpt_lab.claims.core import claim


def sweep(rates: np.ndarray, final: np.ndarray, good: np.ndarray) -> None:
    """Check the slope, the valley and the cliff. `final`: errors, (rates, seeds); `good`: the
    valley's rates."""
    medians = np.median(final, axis=1)
    claim("the valley is a power of ten wide", good.max() > 9 * good.min())
    claim("the default of 0.01 lies on the slope", medians[4] > medians.min() + 0.02)
    claim("ten times too low still gets four of five digits right", medians[3] < 0.25)
    claim("far too low is near chance", medians[0] > 0.6)
    claim("ten times too high breaks every run", final[rates > 2].min() > 0.8)


def curves(shown: Mapping[str, np.ndarray]) -> None:
    """Check the five kinds of curve. `shown`: errors, (seeds, epochs), from far too low to far too
    high."""
    crawl, slow, good, beyond, far = shown.values()
    creeping = np.median(crawl, axis=0)
    claim(
        "far too low creeps down and stays near chance",
        [creeping.min() > 0.8, creeping[-1] < creeping[0] - 0.02],
    )
    falling = np.median(slow, axis=0)
    claim("too low is still falling", falling[-1] < falling[0] - 0.1)
    claim("too low is not there yet", falling[-1] > 0.3)
    claim("a good rate bends early and stays low", np.median(good, axis=0)[5:].max() < 0.1)
    jumps = [np.diff(runs, axis=1).max(axis=1).clip(0).mean() for runs in (beyond, good)]
    claim("too high jumps upwards", [jumps[0] > 0.1, jumps[1] < 0.02])
    claim("far too high is flat near chance", np.median(far) > 0.8)


def cliff(curvature: np.ndarray, left: Mapping[float, np.ndarray]) -> None:
    """Check the parabola. `left`: {rate: distance left after 20 steps, by curvature}."""
    for rate, distance in left.items():
        claim(
            "the steepest direction sets the cliff",
            (distance[1] > 1) == (rate > 2 / curvature.max()),
        )
        claim("the flat direction still comes nearer", distance[0] < 1)


def scales(linear: np.ndarray, log: np.ndarray) -> None:
    """Check where draws land on the two scales."""
    claim("nine of ten linear draws lie above 0.1", (linear > 0.1).mean() > 0.85)
    claim("three of four log draws lie below it", 0.65 < (log < 0.1).mean() < 0.85)


def range_test(tests: Sequence[Any], good: np.ndarray) -> None:
    """Check the range tests against the sweep's valley."""
    suggestions = np.array([test.suggestion for test in tests])
    turns = np.array([test.rates[test.smoothed.argmin()] for test in tests])
    first = np.array([test.losses[0] for test in tests])
    claim(
        "every suggestion lies in the valley",
        (suggestions >= good.min()) & (suggestions <= good.max()),
    )
    claim("the loss turns at the edge of the cliff", (turns > 0.7) & (turns < 2))
    claim("the first loss is near ln(10)", np.abs(first - np.log(10)) < 0.4)


def batch(grid: np.ndarray, rates: np.ndarray, per_epoch: Sequence[int]) -> None:
    """Check batch size against learning rate. `grid`: median errors, (batch sizes, rates)."""
    useful = grid < 0.12
    lowest = np.array([rates[row][0] for row in useful])
    highest = np.array([rates[row][-1] for row in useful])
    claim("the lowest useful rate rises about 32 times", 20 < lowest[-1] / lowest[0] < 50)
    claim("the left end follows at every step", np.diff(lowest) > 0)
    claim("steps become 45 times fewer", round(per_epoch[0] / per_epoch[-1]) == 45)
    claim("the right end rises, then stops", [highest[0] < highest[1], highest[2] == highest[3]])
    claim(
        "rate 1 is among the best at 512, and ruin at 8",
        [grid[-1, 6] < grid[-1].min() + 0.02, grid[0, 6] > 0.5],
    )


def retuned(errors: np.ndarray, epoch_ms: Sequence[float]) -> None:
    """Check batch sizes, each at its best rate. `errors`: (sizes, seeds); `epoch_ms`: by size."""
    medians = np.median(errors, axis=1)
    claim("retuned, all four sizes lie within two points", np.ptp(medians) < 0.02)
    claim(
        "an epoch in batches of 512 is quicker than in batches of 8",
        epoch_ms[0] > 1.2 * epoch_ms[-1],
    )


def progress(rates: np.ndarray, medians: np.ndarray, beyond: np.ndarray) -> None:
    """Check that small steps follow one path. `medians`: (6 rates, epochs); `beyond`: errors at
    rate 1.4."""
    claim("0.001 after 20 epochs is like 0.01 after 2", abs(medians[1, -1] - medians[3, 1]) < 0.04)
    high = np.median(beyond, axis=0)
    claim("after one epoch 1.4 is far ahead of 0.01", high[0] < medians[3, 0] - 0.2)
    claim("after twenty it is ruined", high[-1] > 0.6 > 0.15 > medians[3, -1])


def depths(by_width: Mapping[int, np.ndarray], by_rate: Mapping[int, np.ndarray]) -> None:
    """Check one layer against four. By width (…, seeds) and, with 32 units, by rate (0.003, 0.01,
    0.03; seeds)."""
    one = np.median(by_width[1], axis=1)
    four = np.median(by_width[4], axis=1)
    claim(
        "with two units a layer, most networks of four layers only guess",
        (by_width[4][0] > 0.45).sum() >= 3,
    )
    claim("with two units four layers are worse", four[0] > one[0] + 0.05)
    claim("with eight or 32 they are better", [four[1] < one[1] - 0.1, four[2] < one[2] - 0.015])
    claim("128 units do no harm", one[3] < one[2] + 0.025)
    shallow = np.median(by_rate[1], axis=1)
    deep = np.median(by_rate[4], axis=1)
    claim("0.003 is too low for one layer", shallow[0] > shallow.min() + 0.1)
    claim("0.003 is fine for four", deep[0] < deep.min() + 0.03)
    claim(
        "each at its best rate, the gap is smaller than at 0.003",
        shallow.min() - deep.min() < shallow[0] - deep[0] - 0.05,
    )


def families(
    rates: np.ndarray, found: Mapping[str, np.ndarray], defaults: Mapping[str, float]
) -> None:
    """Check three optimizers. `found`: {name: errors, (rates, seeds)}."""
    middle = {name: np.median(errors, axis=1) for name, errors in found.items()}
    begin = {name: rates[: len(row)][row < 0.06][0] for name, row in middle.items()}
    bottom = {name: row.min() for name, row in middle.items()}
    at = {
        name: row[np.abs(np.log(rates[: len(row)] / defaults[name])).argmin()]
        for name, row in middle.items()
    }
    claim(
        "momentum's valley begins at a tenth of SGD's rate",
        5 < begin["sgd"] / begin["momentum"] < 20,
    )
    claim("Adam's begins lower still", begin["momentum"] / begin["adam"] > 3)
    claim("the valleys are equally deep", max(bottom.values()) - min(bottom.values()) < 0.015)
    claim("SGD's default is too slow", at["sgd"] > bottom["sgd"] + 0.02)
    claim(
        "with momentum, and for Adam, the default is good",
        [at[name] < bottom[name] + 0.015 for name in ("momentum", "adam")],
    )


def gains(found: Mapping[str, np.ndarray], before: float, after: float) -> None:
    """Check what tuning bought. `found`: points gained, (10 seeds,); `before`, `after`: SGD's mean
    errors."""
    sgd = found["sgd"]
    adam = found["adam"]
    claim("about half of SGD's errors are gone", 0.35 < after / before < 0.6)
    claim("SGD gains in at least nine of ten seeds", (sgd > 0).sum() >= 9)
    claim(
        "Adam gains nothing that ten seeds can see",
        abs(adam.mean()) < 2.5 * adam.std(ddof=1) / 10**0.5,
    )

"""What lesson 04, grid and random search, claims. Errors are in %, gains in points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from hpt_lab.claims.core import claim
from hpt_lab.curves import lessons
from hpt_lab.curves.table import Table


def leads(better: np.ndarray, worse: np.ndarray) -> bool:
    """Say whether `better` is lower by more than two standard errors, paired over the seeds."""
    gain = np.asarray(worse) - np.asarray(better)
    return bool(gain.mean() > 2 * gain.std(ddof=1) / len(gain) ** 0.5)


def bill(table: Table, grid: Sequence[Any], errors: np.ndarray, study: Any) -> None:
    """Check the cost of a grid, and that a search of 64 trials ends near the table's best."""
    claim("the full grid of digits has 1,944 configs", len(grid) == 1944 == len(table.configs))
    claim("three values of six knobs: 729 trainings, 30 days", round(3**6 / 24) == 30)
    claim("64 random trials end near the best of all", 100 * study.best.loss < errors.min() + 1)


def importance(digits: Table, spirals: Table, best_sets: Callable[[Table], Any]) -> None:
    """Check what functional ANOVA says of both tables."""
    shares, best = best_sets(digits)
    claim("90 % takes five of six knobs", len(lessons.effective_dimension(digits, 0.9)) == 5)
    claim("the loop agrees with the package", best[4] >= 0.9 > best[3])
    claim("on spirals four of five", len(lessons.effective_dimension(spirals, 0.9)) == 4)
    rate = sum(share for part, share in shares.items() if "learning_rate" in part)
    claim("learning rate has a part in 84 %", 0.83 < rate < 0.86)
    batch = sum(share for part, share in shares.items() if "batch_size" in part)
    claim("batch size alone explains almost nothing", shares[("batch_size",)] < 0.01)
    both = shares[("learning_rate", "batch_size")]
    claim("its share is the interaction with the learning rate", 0.5 * batch < both)


def window(part: np.ndarray, by_rate: float, points: Mapping[str, np.ndarray]) -> None:
    """Check the projection picture: the window (a, b), and how many rates a search tries."""
    claim("the learning rate explains 98 % in this window", 0.975 < by_rate < 0.99)
    tried = [len(np.unique(points[name][:, 0])) for name in ("grid", "random")]
    claim("three learning rates against nine", tried == [3, 9])
    claim("the window is the map up to an L2 factor of 0.01", part.shape == (25, 17))


def luck(grid: np.ndarray, chance: np.ndarray) -> None:
    """Check 64 trials on digits: (searches,) errors of two-value grids and random searches."""
    wins = (chance < grid).mean()
    claim("random search wins more often than not, in 57 of 100", 0.53 < wins < 0.62)
    claim("half a point on average", 0.4 < grid.mean() - chance.mean() < 0.7)
    claim("it is clear", leads(chance, grid))
    start = np.quantile(grid, 0.1) - np.quantile(chance, 0.1)
    tail = np.quantile(grid, 0.9) - np.quantile(chance, 0.9)
    claim("the curves start together, the difference is the tail", abs(start) < 0.2 < 0.4 < tail)


def knobs(
    counts: Sequence[int], idle: Mapping[str, Sequence[float]], one: Mapping[str, np.ndarray]
) -> None:
    """Check idle knobs, means by count, and a single knob, (trials, seeds) errors."""
    ends, middles, chance = (np.array(mean) for mean in idle.values())
    claim("six knobs, the last", counts[-1] == 6)
    claim("random search does not notice idle knobs", np.ptp(chance) < 1e-9)
    claim("the grid pays for each", (np.diff(middles) > 0.02) & (np.diff(ends) > 0.02))
    claim("two rates at the ends are useless", ends[-1] > 3 * chance[-1])
    grid, random = one.values()
    claim("with one knob and four trials the grid wins", leads(grid[1], random[1]))
    claim("and with two and eight", leads(grid[0], random[0]) and leads(grid[2], random[2]))


def scales(best: Mapping[str, np.ndarray]) -> None:
    """Check log against linear axes, (seeds,) best errors of 10 trials each."""
    log, rate, linear = best.values()
    claim("log axes win in 98 of 100 seeds", (len(log) == 100) & ((log < linear).sum() >= 95))
    claim("by 39 points", 34 < linear.mean() - log.mean() < 44)
    claim("against a linear learning rate alone 66", 60 <= (log < rate).sum() <= 72)
    claim("and that is clear", leads(log, rate))


def edge(cut: Mapping[float, tuple[np.ndarray, np.ndarray]], edges: Mapping[float, int]) -> None:
    """Check the search cut at 0.003, and in how many of 100 seeds the best is at the edge."""
    narrow, wide = (found for _, found in cut.values())
    claim("moving the edge finds better", wide.min() < narrow.min() - 4)
    inside, widened = edges.values()
    claim("cut, the best sits at the edge nearly always", inside >= 95)
    claim("widened, hardly ever", widened <= 12)


def lists(floors: np.ndarray, listed: np.ndarray, free: np.ndarray, gains: np.ndarray) -> None:
    """Check lists, floors (shifts,) and searches (seeds,), and coarse to fine, (seeds, 2)."""
    lead = listed - free
    error = lead.std(ddof=1) / len(lead) ** 0.5
    claim("with 20 trials a list can't be told from continuous draws", abs(lead.mean()) < 3 * error)
    claim("a list has a floor, and which one is luck", np.ptp(floors) > 0.25)
    validation, test = gains.T
    claim(
        "zooming in gains a tenth of a point of validation error", 0.06 < validation.mean() < 0.15
    )
    claim("more than its error", leads(-validation, np.zeros(len(validation))))
    claim("and less in test error", test.mean() < validation.mean())


def even(
    dims: Sequence[int],
    ratios: Mapping[str, np.ndarray],
    estimates: Mapping[str, np.ndarray],
    truth: float,
) -> None:
    """Check even points: (dims, 2) ratios with errors; (seeds,) estimates of an effect."""
    sobol, halton = (ratio[:, 0] for ratio in ratios.values())
    claim(
        "about half the distance with one knob", (0.4 < sobol[0] < 0.65) & (0.4 < halton[0] < 0.65)
    )
    claim("four fifths with two", (0.7 < sobol[1] < 0.9) & (0.7 < halton[1] < 0.9))
    for ratio in ratios.values():
        later = ratio[np.array(dims) >= 4]
        claim(
            "with four and more no difference that 200 seeds can tell",
            abs(later[:, 0] - 1) < 3 * later[:, 1],
        )
    off = {name: np.sqrt(np.mean((x - truth) ** 2)) for name, x in estimates.items()}
    claim("a quarter of the error", off["Sobol"] < 0.33 * off["independent"])
    claim("Halton: about half", off["Halton"] < 0.7 * off["independent"])
    zoomed = estimates["coarse to fine"]
    error = zoomed.std(ddof=1) / len(zoomed) ** 0.5
    claim("a search that zooms answers wrongly", abs(zoomed.mean() - truth) > 5 * error)


def promise(
    shares: Mapping[str, float], spaces: Mapping[str, Any], search: Callable[..., Any]
) -> None:
    """Check the top 5 %: shares in %, by noise; what the top 5 % is worth, by space."""
    clean, noisy, tested = shares.values()
    claim("without noise the promise is kept", clean > 95)
    claim("with one noisy training it is broken", 65 < noisy < 80)
    claim("on the test set it holds in under half", tested < 50)
    top = [np.quantile(search(space, 300, seed=1)[1], 0.05) for space in spaces.values()]
    claim("the top 5 % of linear axes is no good", top[2] > 3 * top[0])


def flat(
    ns: Sequence[int],
    promised: np.ndarray,
    kept: np.ndarray,
    foreseen: np.ndarray,
    spread: float,
    modules: Mapping[str, Any],
) -> None:
    """Check the expected best of n, and that nothing here has loaded TensorFlow."""
    at = {n: i for i, n in enumerate(ns)}
    gain = promised[at[20]] - promised[at[40]]
    gained = kept[at[20]] - kept[at[40]]
    claim("20 to 40 trials: a quarter of a point promised", 0.2 < gain < 0.3)
    claim("half of that in test error", 0.3 * gain < gained < 0.7 * gain)
    claim("a good config trained again varies by half a point", 0.4 < spread < 0.65)
    off = abs(foreseen[at[5] :] - promised[at[5] : len(foreseen)])
    claim("one study foresees the curve to 0.3 points", off < 0.4)
    claim("validation promises more than the test set keeps", kept > promised)
    claim("no TensorFlow was loaded", "tensorflow" not in modules)

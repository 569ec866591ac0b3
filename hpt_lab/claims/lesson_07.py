"""What lesson 07 says, held against what it computed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hpt_lab.claims.core import claim
from hpt_lab.curves import Table
from hpt_lab.history import History


def waiting(halving: Any) -> None:
    """Check the Gantt chart of synchronous halving on 16 workers."""
    busy = halving.utilisation
    claim("sixteen workers", halving.workers == 16)
    claim("41 % of the time is idle", 0.39 < 1 - busy < 0.43)
    claim("it takes 1.7 times the even share", 1.6 < 1 / busy < 1.8)
    claim("2.9 seconds", round(halving.seconds, 1) == 2.9)
    last = [span for span in halving.spans if span.trial.rung >= 3]
    claim("the last rungs have three runs, then one", len(last) == 4)


def brackets(halving: Any, hyperband: Any) -> None:
    """Check that open brackets fill the gaps."""
    claim("Hyperband's workers stand idle less", hyperband.utilisation > halving.utilisation + 0.05)
    opened = {span.trial.bracket: span.start for span in reversed(hyperband.spans)}
    claim(
        "no bracket waits for another to end",
        opened[3] < max(span.end for span in hyperband.spans if span.trial.bracket == 4),
    )


def many_workers(timed: np.ndarray, again: Sequence[Any], workers: Sequence[int]) -> None:
    """Check halving against ASHA on 8 to 500 workers; timed: (seeds, workers, strategies, 3)."""
    claim(
        "recorded and live agree",
        np.allclose(timed[: len(again), [0, -1]], np.array(again), rtol=1e-6),
    )
    claim(
        "8 to 500 workers, 30 seeds or more",
        [workers[0] == 8, workers[-1] == 500, len(timed) >= 30],
    )
    first, total, idle = np.moveaxis(timed.mean(axis=0), 2, 0)
    sooner = first[:, 0] / first[:, 1]
    claim(
        "the first answer comes about two to four times sooner",
        [sooner.min() > 1.8, sooner.max() < 5],
    )
    error = timed[:, :, :, 0].std(axis=0, ddof=1) / len(timed) ** 0.5
    claim("in every case by far more than noise", first[:, 0] - first[:, 1] > 5 * error.max(axis=1))
    claim("all work done, ASHA is only a little ahead", total[:, 1] > 0.5 * total[:, 0])
    claim("with 500 workers most stand idle in either case", idle[-1] > 0.5)


def mistakes(sizes: Sequence[int], counts: np.ndarray, table: Table) -> None:
    """Check mistaken promotions; counts: (sizes, seeds). And that the package's ASHA makes as many
    as the short loop."""
    from hpt_lab.strategies.asha import asha
    from hpt_lab.study.simulation import simulate

    mean = counts.mean(axis=1)
    slope = np.polyfit(np.log(sizes), np.log(mean), 1)[0]
    claim("about a dozen at 729", 7 < mean[list(sizes).index(729)] < 17)
    claim("the number grows about as the square root", 0.35 < slope < 0.75)
    claim("so the share shrinks", np.diff(mean / np.array(sizes)) < 0)
    made = []
    for seed in range(3):
        records = simulate(
            asha(table.space, max_budget=81, trials=81, seed=seed), table.objective(seed=seed)
        ).history.records
        made.append(sum(record.trial.rung == 1 for record in records) - 27)
    claim("the package promotes a few beyond the third too", [0 < np.mean(made) < 10])


def stopping(
    got: Mapping[str, np.ndarray], runs: np.ndarray, many: Mapping[str, np.ndarray]
) -> None:
    """Check the three schedules on 27 curves, and over seeds; many: (seeds, schedules, [epochs,
    points lost])."""
    spent = {name: int(epochs.sum()) for name, epochs in got.items()}
    best = int(np.argmin(runs[:, -1]))
    claim("halving spends 81", spent["successive_halving"] == 81)
    claim("promotion more, stopping most", 81 < spent["asha"] < spent["stopping"])
    claim("the cheapest dropped the best", got["successive_halving"][best] < 27)
    claim("the other two kept it", [got["asha"][best] == 27, got["stopping"][best] == 27])
    for found in many.values():
        epochs, lost = found.mean(axis=0).T
        claim("at least 30 seeds", len(found) >= 30)
        claim("in the mean too", [epochs[0] == 81, epochs[1] > 81, epochs[2] > 1.3 * 81])
        claim("stopping loses less than halving", lost[2] < lost[0])


def counting_ones(ones: np.ndarray, again: Sequence[Any]) -> None:
    """Check counting ones; ones: (seeds, [BOHB, Hyperband, TPE, random], marks)."""
    live = np.array(again)
    claim(
        "recorded and live agree",
        np.allclose(ones[: len(live), :, : live.shape[2]], live, atol=1e-6),
    )
    ahead = ones[:, 1] - ones[:, 0]
    mean, error = ahead.mean(axis=0), ahead.std(axis=0, ddof=1) / len(ones) ** 0.5
    claim("in the first round the model adds nothing", mean[:2] < 2 * error[:2])
    claim("late BOHB is ahead by 0.7 ones", [0.6 < mean[-1] < 0.9, mean[-1] > 5 * error[-1]])
    missing = ones.mean(axis=0)
    claim(
        "it misses 0.2 where Hyperband misses 0.9",
        [0.1 < missing[0, -1] < 0.3, 0.8 < missing[1, -1] < 1.1],
    )
    claim("random search misses 1.3", 1.1 < missing[3, -1] < 1.5)
    claim("TPE alone starts last or level with random search", missing[2, 0] > missing[:2, 0] + 0.5)
    gap = ones[:, 0, -1] - ones[:, 2, -1]
    claim("and ends a little ahead of BOHB", gap.mean() > 2 * gap.std(ddof=1) / len(gap) ** 0.5)


def toy(fixed: Sequence[Sequence[float]], scores: np.ndarray) -> None:
    """Check the toy of the PBT paper; scores: (seeds, steps)."""
    claim("each alone gets stuck at 0.39", [0.385 < scores_of[-1] < 0.4 for scores_of in fixed])
    claim("a population of two reaches the top, in every seed", scores[:, -1] > 1.15)


def replays(rows: np.ndarray, segments: Sequence[Any], history: History) -> None:
    """Check the Keras run; rows: (seeds, fixed rates + schedule + last rate, [loss, test
    error])."""
    claim("no TensorFlow", "tensorflow" not in sys.modules)
    rates = [segment.config["learning_rate"] for segment in segments]
    claim(
        "first a high rate, for 28 epochs, then a low one",
        [rates[0] > 5 * rates[-1], segments[0].end == 28],
    )
    claim("ten members, 40 epochs", [len(history.at_budget(40)) == 10, segments[-1].end == 40])
    loss = rows[:, :, 0]
    n = loss.shape[1] - 2
    best = int(loss[:, :n].mean(axis=0).argmin())
    for way, what in ((best, "the best fixed rate"), (n + 1, "the last rate alone")):
        gap = loss[:, way] - loss[:, n]
        error = gap.std(ddof=1) / len(gap) ** 0.5
        claim(f"the schedule ends below {what}", gap.mean() > 3 * error)
    for way, part, low, high in (
        (best, 0, 0.02, 0.032),
        (best, 1, 0.009, 0.017),
        (n + 1, 1, 0.01, 0.018),
    ):
        gap = (rows[:, way, part] - rows[:, n, part]).mean()
        claim("0.026 in loss, 1.3 points in test error; the last rate 1.4 points", low < gap < high)
    claim("its test error is the share of wrong labels", abs(rows[:, n, 1].mean() - 0.1) < 0.005)
    claim("no fixed rate matches it", loss[:, :n].mean(axis=0) > loss[:, n].mean())


def front(cost: np.ndarray, error: np.ndarray, pareto: np.ndarray, by_weights: np.ndarray) -> None:
    """Check the Pareto front by brute force, and that weighted sums find a part of it only."""
    for i in pareto:
        better = (cost <= cost[i]) & (error <= error[i]) & ((cost < cost[i]) | (error < error[i]))
        claim("nobody dominates a member of the front", not better.any())
    claim("weighted sums find less than two thirds", 2 <= len(by_weights) < 0.67 * len(pareto))
    claim("no TensorFlow", "tensorflow" not in sys.modules)


def failures(shown: Mapping[str, Sequence[float]]) -> None:
    """Check who avoids failing configs; shown: name -> [first third %, last third %, failures
    resumed]."""
    claim("nobody resumes a failure", [row[2] == 0 for row in shown.values()])
    for name in ("TPE", "Bayesian optimization", "population based training"):
        claim(
            f"{name} learns: at most half as many at the end", shown[name][1] < 0.5 * shown[name][0]
        )
    for name in ("random search", "successive halving", "Hyperband", "ASHA"):
        claim(f"{name} draws as before", 20 < shown[name][1] < 55)
    claim(
        "BOHB fails early and late about as often as its random third",
        [5 < share < 24 for share in shown["BOHB"][:2]],
    )

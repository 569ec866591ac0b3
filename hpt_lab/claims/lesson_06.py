"""What lesson 06 claims of halving and Hyperband: who is cut, what it costs, and when the bet
loses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hpt_lab.claims.core import claim
from hpt_lab.study import Plan


def splits(above: Mapping[str, np.ndarray]) -> None:
    """Check the U. `above`: {problem: points above the best, (1, 3, 9, 27 and 81 epochs,
    draws)}."""
    mean = {name: points.mean(axis=1) for name, points in above.items()}
    for name, points in mean.items():
        middle = min(points[2], points[3])
        claim(
            f"{name}: both extremes lose to 9 or 27 epochs",
            0.9 * min(points[0], points[4]) > middle,
        )
        claim(f"{name}: the bottom is flat", abs(points[2] - points[3]) < 0.15 * middle)
    claim("on digits few configs hurt most", mean["digits"][4] > 1.2 * mean["digits"][0])
    claim("on spirals few epochs hurt most", mean["spirals"][0] > 1.2 * mean["spirals"][4])


def crossing(runs: np.ndarray, left_at: np.ndarray, survivor: int, winner: int) -> None:
    """Check the 27 curves. `runs`: errors in %, (27, epochs)."""
    end = runs[:, -1] - runs[winner, -1]
    claim("the best is cut after one epoch", left_at[winner] == 1)
    claim("135 epochs with resuming", left_at.sum() == 135)
    claim("2,187 in full", 27 * runs.shape[1] == 2187)
    claim("the survivor ends 2.8 points above the best", round(end[survivor], 1) == 2.8)
    claim("the middle config ends 12.6 points above it", round(float(np.median(end)), 1) == 12.6)


def by_hand(asked: list[Any], loop: list[Any]) -> None:
    """Check that the package asks for what the loop handed out by hand."""
    claim("hpt.successive_halving asks for the same trainings", asked == loop)
    claim("40 of them", len(loop) == 40)


def brackets(plans: Mapping[tuple[int, int], Plan]) -> None:
    """Check the plans of (R, eta) = (81, 3), (80, 3), (81, 2)."""
    claim(
        "five, four and seven brackets",
        [len(plan.brackets) for plan in plans.values()] == [5, 4, 7],
    )
    claim("143 configs, or 49", [plans[81, 3].configs, plans[80, 3].configs] == [143, 49])
    claim("94 of them are gone", plans[81, 3].configs - plans[80, 3].configs == 94)
    share = plans[81, 2].epochs_resumed / plans[81, 3].epochs_resumed
    claim("eta = 2 costs 62 % more", round(100 * share) == 162)
    claim("1,581 epochs if trials resume", plans[81, 3].epochs_resumed == 1581)
    claim("the computer's logarithm stops short of 5", math.floor(math.log(243, 3)) == 4)


def resumed(plan: Plan, trained: int, climbed: float, in_one_go: float, without: float) -> None:
    """Check the real run: its epochs, and the losses of one trial trained in three ways."""
    claim("spent to the epoch", trained == plan.epochs_resumed == 357)
    claim(
        "resumed with everything it is the same training",
        math.isclose(climbed, in_one_go, rel_tol=1e-4),
    )
    claim("without the moments it is another", not math.isclose(climbed, without, rel_tol=1e-3))


def ends(rungs: Mapping[str, tuple[float, float]]) -> None:
    """Check the six rungs: (best that went on, best that was cut), losses in full."""
    claim("six rungs decide", len(rungs) == 6)
    claim("in none was a better one cut", [on <= cut for on, cut in rungs.values()])


def correlations(lines: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """Check rank correlations at 1, 3, 9, 27 and 81 epochs, by problem and group."""
    for name, found in lines.items():
        everyone, quarter, another = found.values()
        claim(f"{name}: after nine epochs all are sorted rather well", 0.62 < everyone[2] < 0.9)
        claim(f"{name}: among the best quarter below 0.32 then", quarter[2] < 0.32)
        claim(
            f"{name}: no rung knows more than another full training",
            another[4] >= max(another[:4]) - 0.02,
        )
    claim("on digits that is little", list(lines["digits"].values())[2][4] < 0.45)
    claim("on spirals it is much", list(lines["spirals"].values())[2][4] > 0.55)


def cut(share: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Check 1,000 brackets of 81. `share`: where the best was cut, %; `found`: frames of
    winner_cut."""
    for name, bracket in found.items():
        claim(f"{name}: the best survives in about one of five", 15 < share[name]["survives"] < 26)
        for part, rival in (("gap", "in_full"), ("test_gap", "full_test")):
            ahead = bracket[rival] - bracket[part]
            clearly = ahead.mean() > 4 * ahead.std() / len(ahead) ** 0.5
            claim(f"{name}: nearer to the best than five full trainings ({part})", clearly)
    points = [
        100 * found[name][column].mean()
        for name in ("digits", "spirals")
        for column in ("test_gap", "full_test")
    ]
    claim(
        "in test error 0.1 against 1.7, and 2.0 against 3.8",
        np.abs(np.array(points) - [0.1, 1.7, 2.0, 3.8]) < 0.06,
    )


def schedules(losses: np.ndarray) -> None:
    """Check two constant rates, a cosine, one with a restart. `losses`: (4, seeds, 27 epochs)."""
    middle = np.median(losses, axis=1)
    last = (losses[2, :, 8] > losses[:2, :, 8].max(axis=0)).sum()
    claim("in most seeds the long cosine is last at the rung", last >= 6)
    claim(
        "the long cosine: last at 9, first at 27",
        [middle[2, 8] > middle[:2, 8].max(), middle[2, 26] < middle[:2, 26].min()],
    )
    claim(
        "the restart is first at both",
        [middle[3, 8] < middle[:2, 8].min(), middle[3, 26] < middle[:2, 26].min()],
    )
    claim("it ends where the long cosine ends", abs(middle[3, 26] - middle[2, 26]) < 0.01)
    claim(
        "the rate after nine epochs is 0.11",
        round(0.15 * (1 + math.cos(math.pi * 9 / 27)) / 2, 2) == 0.11,
    )
    claim("the gain is small", middle[:2, 26].min() - middle[2, 26] < 0.03)


def race(errors: Mapping[tuple[str, str], np.ndarray]) -> None:
    """Check the race. `errors`: %, (halving from 1, from 9, Hyperband, random, random x 2;
    seeds)."""

    def behind(i: int, j: int, *where: str) -> bool:
        gap = errors[where[0], where[1]][i] - errors[where[0], where[1]][j]
        return bool(gap.mean() > 2 * gap.std(ddof=1) / len(gap) ** 0.5)

    for name in ("digits", "spirals"):
        claim(
            f"{name}: by validation error daring leads",
            [behind(i, 0, name, "validation") for i in (2, 3)],
        )
        told_apart = [behind(4, 2, name, "test"), behind(2, 4, name, "test")]
        claim(
            f"{name}: random search at twice the budget can't be told from Hyperband",
            not any(told_apart),
        )
    claim(
        "by test error it leads on spirals", [behind(i, 0, "spirals", "test") for i in (1, 2, 3, 4)]
    )
    leads = [behind(i, j, "digits", "test") for i in range(5) for j in range(5)]
    claim("on digits nobody leads", not any(leads))


def narrow(behind: np.ndarray) -> None:
    """Check the narrow space: points behind random search, (seeds, as it is, trained on, crowned;
    parts)."""
    mean = behind.mean(axis=0)
    error = behind.std(axis=0, ddof=1) / len(behind) ** 0.5
    claim("as it is, it promises more", mean[0, 0] < -2 * error[0, 0])
    claim("and delivers less", mean[0, 1] > 2 * error[0, 1])
    claim("trained on, or crowned at 81, the loss is gone", np.abs(mean[1:, 1]) < 2 * error[1:, 1])


def roundings(bills: Mapping[str, np.ndarray]) -> None:
    """Check the three tables' epochs for R = 81: with resuming and from scratch."""
    right = {"Algorithm 1": [1581, 1902], "Table 1": [1404, 1701], "KerasTuner": [1767, 2181]}
    claim("three bills", [list(bills[name]) == bill for name, bill in right.items()])

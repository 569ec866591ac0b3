"""What lesson 08 claims. `races`: by (table, unit), recorded `curves.Race`s; errors in %, unless
they are a race's own."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from hpt_lab.claims.core import claim
from hpt_lab.curves.racing import LINE, Race

Races = Mapping[tuple[str, str], Race]
RANDOM, TPE, BAYES = "random search", "TPE", "Bayesian optimization"
HALVING = ("ASHA", "successive halving", "Hyperband", "BOHB")


def _mean(race: Race, who: str, part: str = "test_error") -> float:
    return float(100 * race.summary()[part][who])


def track(widget: Any) -> None:
    """Check what the opening says of one seed on digits."""
    ahead = widget._loss("BOHB")
    rows = 360 * (widget._loss(RANDOM) - ahead)
    second = [name for name in widget.field if widget._loss(name) == widget._loss(RANDOM)]
    claim("BOHB is first", widget._leaders() == ["BOHB"])
    claim("by one validation row of 360", abs(rows - 1) < 1e-6)
    claim("ahead of five, both random searches among them", len(second) == 5 and LINE in second)
    behind = [widget._loss(name) > widget._loss(RANDOM) for name in ("Hyperband", "ASHA")]
    claim("Hyperband and ASHA are behind", behind)


def loop(mine: list[tuple[float, float]], its: list[tuple[float, float]]) -> None:
    """Check that the loop in ten lines ends where the package's ends."""
    claim("ten lines find what the package's race finds", np.allclose(mine, its))
    claim("no TensorFlow was loaded", "tensorflow" not in sys.modules)


def live(races: Races, again: Races, shares: np.ndarray) -> None:
    """Check that the first three seeds, raced live, agree with the recording at every recorded
    moment."""
    compared = 0
    for key, race in again.items():
        for who, runs in race.runs.items():
            for seed, run in zip(race.seeds, runs, strict=True):
                recorded = races[key].runs[who][seed]
                found = np.array([run.at(race.budget * share) for share in shares])
                told = np.transpose([recorded.losses, recorded.test_errors])
                claim(
                    f"seed {seed} of {who} agrees with the recording",
                    np.allclose(found, told, atol=1e-9, equal_nan=True),
                )
                compared += 1
    claim("three seeds of six or more entrants on four races", compared >= 3 * 6 * 4)


def early(found: Mapping[tuple[str, str], tuple[float, float, float]]) -> None:
    """Check how many epochs random search needs to be where ASHA was after 170: (epochs, low,
    high)."""
    claim("on digits some 1,240 epochs", abs(found["digits", "losses"][0] - 1240) < 120)
    claim("in test error some 950", abs(found["digits", "test_errors"][0] - 950) < 100)
    claim("on spirals 490, three times", abs(found["spirals", "test_errors"][0] - 490) < 60)
    claim("at least twice as many everywhere", [low > 340 for _, low, _ in found.values()])


def ranks(races: Races) -> None:
    """Check the order by validation error after 1,620 epochs."""
    order = {name: list(races[name, "epochs"].summary().index) for name in ("digits", "spirals")}
    claim(
        "ASHA and successive halving have the best ranks on both",
        [set(found[:2]) == {"ASHA", "successive halving"} for found in order.values()],
    )
    claim("Hyperband and BOHB follow on digits", set(order["digits"][2:4]) == {"Hyperband", "BOHB"})
    claim("random x 2 is seventh on spirals", order["spirals"][6] == LINE)


def test(races: Races) -> None:
    """Check what is left of the lead in test error, in points."""
    digits = 100 * races["digits", "epochs"].summary().drop(index=LINE)
    spirals = 100 * races["spirals", "epochs"].summary().drop(index=LINE)
    claim(
        "on digits ASHA ends 0.34 points of validation error below",
        round(digits["ahead"]["ASHA"], 2) == 0.34,
    )
    claim("clearly so", digits["ahead_low"]["ASHA"] > 0.1)
    claim("nobody beats the line in test error on digits", digits["test_ahead_low"] < 0)
    claim("ASHA is 0.17 points above it", round(digits["test_ahead"]["ASHA"], 2) == -0.17)
    claim("within the interval", digits["test_ahead_high"]["ASHA"] > 0.03)
    for who, points in (("ASHA", 1.37), ("successive halving", 1.23), ("BOHB", 0.68)):
        claim(
            f"on spirals {who} is {points} points ahead",
            abs(spirals["test_ahead"][who] - points) < 0.006,
        )
        claim("and the interval leaves zero", spirals["test_ahead_low"][who] > 0.05)
    claim(
        "ASHA's interval is 0.86 to 1.86",
        np.allclose(
            spirals.loc["ASHA", ["test_ahead_low", "test_ahead_high"]].astype(float),
            [0.86, 1.86],
            atol=0.02,
        ),
    )


def seconds(races: Races, mended: Mapping[str, np.ndarray]) -> None:
    """Check what changes when seconds are paid; `mended`: test errors of halving from nine epochs,
    (seeds,)."""
    for name, errors in mended.items():
        race = races[name, "seconds"]
        table = race.table
        claim(
            "a start costs 28 or 29 epochs",
            round(table.trace_seconds.mean() / table.epoch_seconds.mean()) in (28, 29),
        )
        claim("81 starts take the whole budget", 81 * table.trace_seconds.mean() > race.budget)
        claim(
            "halving and Hyperband are last",
            set(race.summary().index[-2:]) == {"successive halving", "Hyperband"},
        )
        claim(
            "and worse than the line",
            race.summary()["test_ahead_high"][["successive halving", "Hyperband"]] < -0.03,
        )
        gap = errors - 100 * race.test_errors()[-1, : len(errors)]
        claim("from nine epochs halving is not told apart from the line", not told_apart(gap))
        from_one = _mean(race, "successive halving")
        claim("that gains more than five points", from_one - errors.mean() > 5)


def told_apart(gap: np.ndarray) -> bool:
    """Return whether paired differences (seeds,) are more than two standard errors from zero on
    average."""
    return bool(abs(gap.mean()) > 2 * gap.std(ddof=1) / np.sqrt(len(gap)))


def one_seed(asha: np.ndarray, chance: np.ndarray, seed: int) -> None:
    """Check what single races say: test errors in %, (seeds,)."""
    claim("random search is better in 36 of 100 races", abs(int((chance < asha).sum()) - 36) <= 1)
    claim("equal in 23", abs(int((chance == asha).sum()) - 23) <= 1)
    claim(
        "on average both end near 3.6 %", abs(np.array([asha.mean(), chance.mean()]) - 3.64) < 0.05
    )
    claim("the loudest seed is off by more than two points", asha[seed] - chance[seed] > 1.5)


def spaces(whole: Mapping[str, np.ndarray], trim: np.ndarray, tpe: np.ndarray) -> None:
    """Check what a narrow space does: test errors in %, (seeds,), in the whole space and in the
    narrow one."""
    claim(
        "Trim beats itself", told_apart(whole[RANDOM] - trim) and trim.mean() < whole[RANDOM].mean()
    )
    claim("and draws level with TPE", not told_apart(whole[TPE] - trim))
    claim("given the same hint TPE is ahead", told_apart(trim - tpe) and tpe.mean() < trim.mean())


def trials(by_trials: np.ndarray, at_equal: Mapping[str, np.ndarray]) -> None:
    """Check both ways of counting. by_trials: (seeds, random and halving, (test error, epochs));
    at_equal: errors in %."""
    gap = by_trials[:, 1, 0] - by_trials[:, 0, 0]
    claim("with 81 configs each random search wins", told_apart(gap) and gap.mean() > 0)
    spent = by_trials[:, :, 1].mean(axis=0)
    claim("and pays more than 20 times the epochs", spent[0] > 20 * spent[1])
    other = at_equal[RANDOM] - at_equal["successive halving"]
    claim("at equal epochs it is far behind", told_apart(other) and other.mean() > 1)


def tuner(tuned: np.ndarray, again: np.ndarray, promised: Any, kept: Any, of_ten: Any) -> None:
    """Check the tuned tuner. tuned: errors in %, (seeds, settings); again: three seeds live; then
    gains in points."""
    claim(
        "three seeds live agree with the recording",
        np.allclose(100 * again[..., 0], tuned[: len(again)], atol=1e-7),
    )
    claim(
        "the gain on the tuning seeds is larger than on fresh ones",
        np.mean(promised) > np.mean(kept) + 0.02,
    )
    claim("tuned on three seeds it gains 0.10 points there", abs(np.mean(promised) - 0.10) < 0.006)
    claim("and is worse than the default on fresh seeds", np.mean(kept) < -0.02)
    claim("tuned on ten it promises 0.02", abs(np.mean(of_ten) - 0.025) < 0.006)


def evidence(points: np.ndarray, told: np.ndarray, names: list[str], columns: list[str]) -> None:
    """Check the decision picture: (strategies, settings)."""
    claim("no strategy is better than the line everywhere", (told < 1).any(axis=1))
    claim("the signs are those of the points", np.sign(points)[told != 0] == told[told != 0])
    asha = dict(zip(columns, told[names.index("ASHA")], strict=True))
    claim(
        "ASHA is better on both problems after 170 epochs",
        [says == 1 for column, says in asha.items() if "170" in column],
    )
    grid = told[names.index("grid search")]
    claim("the grid is worse than the line everywhere", grid == -1)

"""What lesson 00 claims: a plan's price, a leaderboard's blind spot, and a gain that is mostly
luck."""

from __future__ import annotations

from typing import Any

import numpy as np

from hpt_lab.claims.core import claim
from hpt_lab.study import Plan, Study


def price(plan: Plan, in_full: int) -> None:
    """Check the plan of Hyperband with R = 27. `in_full`: epochs of all its configs, trained one by
    one."""
    claim("49 configs in full cost 1,323 epochs", (plan.configs, in_full) == (49, 1323))
    claim(
        "the plan has 69 runs and costs 357 epochs", (plan.runs, plan.epochs_resumed) == (69, 357)
    )
    claim("for that price 13 configs could train in full", plan.epochs_resumed // 27 == 13)


def kinds(model: Any) -> None:
    """Check where batch normalisation's statistics belong. `model`: one Dense and one such layer,
    built."""
    weights = [variable.name for variable in model.trainable_weights]
    state = [variable.name for variable in model.non_trainable_weights]
    claim(
        "gradient descent learns kernel, bias, scale and shift",
        weights[:4] == ["kernel", "bias", "gamma", "beta"],
    )
    claim("the moving statistics are no weights", state == ["moving_mean", "moving_variance"])


def spent(study: Study, plan: Plan) -> None:
    """Check that what ran is what was planned."""
    claim("what ran is what was planned", study.epochs == plan.epochs_resumed)
    claim("69 runs", len(study.history.records) == plan.runs == 69)


def cut(
    study: Study,
    went_on: list[Any],
    close: list[Any],
    late: dict[int, float],
    rates: tuple[float, float],
) -> None:
    """Check who was cut in the first rung. `late`: losses in full; `rates`: medians of went_on,
    close."""
    best_cut = min(late[record.trial.id] for record in close)
    least = study.best.loss  # type: ignore[union-attr]
    poor = [record for record in went_on if late[record.trial.id] > least + 0.03]
    claim("several good ones were cut", 3 <= len(close) <= 9)
    claim("they have the small learning rates", rates[1] < rates[0] / 3)
    claim("no triangle ended below the star", best_cut > least)
    claim("it kept a few that only started well", len(poor) >= 2)


def board(shown: Any, best_cut: tuple[float, float], default: float, baseline: float) -> None:
    """Check the leaderboard. `best_cut`: rate and accuracy in full of the best config that was
    cut."""
    rates = shown["learning_rate"]
    scores = shown["accuracy"].to_numpy()
    claim("five rates within one power of ten", rates.max() < 10 * rates.min())
    claim(
        "widths and depths all over the place",
        min(shown["units"].nunique(), shown["layers"].nunique()) > 1,
    )
    claim(
        "the best that was cut and the default have smaller rates",
        max(best_cut[0], default) < rates.min(),
    )
    claim("each of the two would be second", min(best_cut[1], baseline) >= scores[1])
    claim(
        "places two to four tie, or are a digit or two of 360 apart",
        scores[1] - scores[3] < 2.5 / 360,
    )


def repeats(once: dict[str, float], again: dict[str, np.ndarray], error: float) -> None:
    """Check what ten new seeds say. `error`: the standard error of the difference of the two
    means."""
    tuned = again["the winner"]
    defaults = again["the defaults"]
    claim(
        "ten seeds can't tell the gain from nothing",
        abs(tuned.mean() - defaults.mean()) < 2 * error,
    )
    claim("both shrink", all(again[name].mean() < once[name] - 0.005 for name in once))
    claim(
        "the defaults' first score was as good as the best of ten",
        once["the defaults"] >= defaults.max(),
    )
    claim("the winner varies more", tuned.std() > 1.2 * defaults.std())
    claim("the winner has the worst of the twenty", tuned.min() < defaults.min())


def sealed(reveals: int, test: float, error: float, winner: float, repeated: float) -> None:
    """Check the test score. `error`: its standard error; `winner`: the score that was chosen by."""
    claim("opened once", reveals == 1)
    claim("the test score agrees with the ten repeats", abs(test - repeated) < error)
    claim("it lies more than a standard error below the score that won", test < winner - error)

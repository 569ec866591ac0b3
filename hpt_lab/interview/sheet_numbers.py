"""The cheat sheet's numbers: every one computed from the package's own functions and recordings,
none typed in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hpt_lab import curves
from hpt_lab.curves import lessons
from hpt_lab.curves.racing import bootstrap
from hpt_lab.strategies.hyperband import Rounding, brackets
from hpt_lab.strategies.successive_halving import Rung

R = 81


def tables() -> Mapping[str, Mapping[int, list[Rung]]]:
    """Return Hyperband's brackets for R = 81, eta = 3, by rounding."""
    names: Mapping[str, Rounding] = {
        "Algorithm 1 (the default here)": "algorithm",
        "Table 1 of the paper": "table",
    }
    return {words: brackets(R, rounding=rounding) for words, rounding in names.items()}


def importance() -> Mapping[str, Mapping[str, float]]:
    """Return what each hyperparameter explains alone, by exact functional ANOVA over each table."""
    found = {}
    for name in ("digits-mlp", "spirals-mlp"):
        shares = lessons.anova(curves.load(name))
        alone = {part[0]: share for part, share in shares.items() if len(part) == 1}
        found[name.removesuffix("-mlp")] = {**alone, "together": 1 - sum(alone.values())}
    return found


def correlations() -> Mapping[str, Mapping[str, np.ndarray]]:
    """Return the mean rank correlation of each rung with the end, of all configs and of the best
    quarter."""
    found = {}
    for name in ("digits-mlp", "spirals-mlp"):
        table = curves.load(name)
        found[name.removesuffix("-mlp")] = {
            "all": lessons.rank_correlation(table).mean(axis=1).to_numpy(),
            "best quarter": lessons.rank_correlation(table, between=(0, 0.25))
            .mean(axis=1)
            .to_numpy(),
        }
    return found


def leads() -> Mapping[str, Mapping[str, tuple[float, float, float]]]:
    """Return test points ahead of random search at twice the budget, (mean, low, high), by setting
    and strategy."""
    from hpt_lab.experiments import lesson_08

    early = float(lesson_08.SHARES[46])
    settings = {
        "digits, early": ("digits-mlp", "epochs", early),
        "spirals, early": ("spirals-mlp", "epochs", early),
        "digits": ("digits-mlp", "epochs", 1.0),
        "spirals": ("spirals-mlp", "epochs", 1.0),
        "digits, seconds": ("digits-mlp", "seconds", 1.0),
    }
    found = {}
    for words, (name, unit, share) in settings.items():
        race = lesson_08.recorded(name, unit)  # type: ignore[arg-type]
        errors = 100 * race.test_errors(race.budget * share)
        ahead = errors[-1] - errors[:-1]
        low, high = bootstrap(ahead, 0.05 / 8)  # eight strategies are compared with one line
        found[words] = {
            who: (float(mean), float(a), float(b))
            for who, mean, a, b in zip(race.runs, ahead.mean(axis=1), low, high, strict=False)
        }
    return found


def ten(ranks: Mapping[str, Mapping[str, np.ndarray]]) -> list[tuple[str, str]]:
    """Return ten numbers worth knowing, each with what it says."""
    from scipy.stats import t

    from hpt_lab.interview.numbers_a import _largest_normal

    sizes = brackets(R)
    configs = sum(rungs[0].n for rungs in sizes.values())
    epochs = sum(_resumed(rungs) for rungs in sizes.values())
    first = sizes[max(sizes)]
    trials = math.ceil(math.log(0.05) / math.log(0.95))
    error = math.sqrt(0.9 * 0.1 / 1000)
    digits = ranks["digits"]
    return [
        (
            f"{trials}",
            "random trials have one in the top 5 % with 95 % chance: the top of your space, not of "
            "all",
        ),
        (
            f"{epochs:,}",
            f"epochs for Hyperband with R = {R}, η = 3: {configs} configs, in full {configs * R:,}",
        ),
        (
            f"{_resumed(first)}",
            f"epochs for the bracket 81 → 1 if trials resume, {sum(r.n * r.budget for r in first)} "
            f"from scratch, {first[0].n * R:,} in full",
        ),
        (
            f"{100 * error:.2f}",
            "points: one standard error of 90 % accuracy on 1,000 rows; half needs four times the "
            "rows",
        ),
        (
            f"{_largest_normal(20):.2f}",
            "standard errors: what the best of 20 equal models flatters itself by",
        ),
        (
            f"{t.ppf(0.975, 2):.1f}",
            f"standard errors to either side for three seeds; {t.ppf(0.975, 4):.1f} for five, not "
            "1.96",
        ),
        (
            f"{digits['all'][2]:.2f}",
            f"rank correlation of epoch 9 with epoch 81 on digits; {digits['best quarter'][2]:.2f} "
            "among "
            "the best quarter, where it matters",
        ),
        (
            f"{1 / (1 - 0.9):.0f}",
            f"times the step from momentum 0.9 on a steady gradient; {1 / (1 - 0.99):.0f} from "
            "0.99",
        ),
        (
            f"{math.log(10):.1f}",
            "= ln 10: the first loss of a network for ten classes; far above it, look at the start",
        ),
        (
            f"{5 * (30 * 4 + 1)}",
            "trainings for nested validation: 5 outer folds, 4 inner, 30 configs, one refit each",
        ),
    ]


def _resumed(rungs: list[Rung]) -> int:
    """Return a bracket's epochs if every promoted trial goes on from where it stopped."""
    total = 0
    before: Any = 0
    for rung in rungs:
        total += rung.n * (rung.budget - before)
        before = rung.budget
    return int(total)

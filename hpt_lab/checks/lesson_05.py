"""Check the exercises of lesson 05: the length scale by marginal likelihood, expected improvement,
and which model when."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import ndtr

from hpt_lab.checks.core import Wrong, call, check, choice, number, numbers
from hpt_lab.surrogates.acquisition import expected_improvement
from hpt_lab.surrogates.gaussian_process import condition, matern52

LENGTHS = [0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6]
CASES = (
    (12, 0.1, 0.01),
    (15, 0.4, 0.01),
    (25, 0.2, 0.1),
    (30, 0.05, 0.3),
    (8, 0.8, 0.01),
)  # points, length, noise
METHODS = ("random search", "TPE", "Gaussian process")


@check
def check_fit_length(fit_length: Any) -> str:
    """Return the verdict on `fit_length(X, y, lengths, noise)`, which returns the length of the
    highest likelihood."""
    answers = []
    for n, true, noise in CASES:
        X, y = _sampled(n, true, noise)
        answers.append(number(call(fit_length, X, y, LENGTHS, noise), "the length scale"))
    right = _chosen(lambda fit, cost: fit + cost)
    wrong = [
        i
        for i, (got, wanted) in enumerate(zip(answers, right, strict=True))
        if not math.isclose(got, wanted)
    ]
    if wrong:
        n, true, noise = CASES[wrong[0]]
        text = (
            f"for {n} points drawn with length scale {true:g} and noise {noise:g} it returns "
            f"{answers[wrong[0]]:g}"
        )
        raise Wrong(f"{text}, not {right[wrong[0]]:g}", hint=_length_hint(answers))
    return "Fit and complexity weighed in one number: no validation set, no grid of folds."


def _sampled(n: int, length: float, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw n points and their results from a process of this length scale."""
    rng = np.random.default_rng((5, n))
    X = rng.random(n)
    return X, np.linalg.cholesky(_covariance(X, length, noise)) @ rng.standard_normal(n)


def _covariance(X: np.ndarray, length: float, noise: float) -> np.ndarray:
    return matern52(((X[:, None] - X) / length) ** 2) + noise * np.eye(len(X))


def _terms(X: np.ndarray, y: np.ndarray, length: float, noise: float) -> tuple[float, float]:
    """Return the two terms that depend on the length: how well it fits, and what its flexibility
    costs."""
    process = condition(X[:, None], y, np.zeros(1, int), np.log([length, 1.0, noise]))
    return float(-0.5 * y @ process.alpha), float(-np.log(np.diag(process.L)).sum())


def _chosen(score: Callable[[float, float], float], floor: float | None = None) -> list[float]:
    """Return the length that maximises `score(fit, cost)` in each case; `floor` replaces the
    noise."""
    chosen = []
    for n, true, noise in CASES:
        X, y = _sampled(n, true, noise)
        scores = [score(*_terms(X, y, length, floor or noise)) for length in LENGTHS]
        chosen.append(LENGTHS[int(np.argmax(scores))])
    return chosen


def _length_hint(answers: list[float]) -> str:
    if not set(answers) <= set(LENGTHS):
        return "return one of `lengths`, not its index and not a likelihood"
    slips: dict[str, Callable[[float, float], float]] = {
        "this is the *lowest* likelihood: a log likelihood is to be maximised": lambda fit, cost: (
            -fit - cost
        ),
        "only the first term: it rewards fitting alone. The other, -log det(K) / 2, is what "
        "flexibility costs": lambda fit, cost: fit,
        "the determinant counts half, as the fit does: -log det(K) / 2": lambda fit, cost: (
            fit + 2 * cost
        ),
        "the fit counts half: -y @ inv(K) @ y / 2": lambda fit, cost: 2 * fit + cost,
        "the determinant is subtracted: a large one means a model that could have said "
        "anything": lambda fit, cost: fit - cost,
    }
    for hint, score in slips.items():
        if answers == _chosen(score):
            return hint
    if answers == _chosen(lambda fit, cost: fit + cost, floor=1e-6):
        return "add `noise` to the diagonal of K"
    return (
        "K = kernel(X, X, length) + noise * eye; take -y @ inv(K) @ y / 2 - log det(K) / 2; "
        "return the best length"
    )


@check
def check_improvement(improvement: Any) -> str:
    """Return the verdict on `improvement(mean, std, best)`: expected improvements, one a point."""
    rng = np.random.default_rng(1998)
    for m in (5, 40):
        mean = rng.uniform(-1, 1, m)
        std = rng.uniform(0.1, 1, m)
        for best in (-0.5, 0.6):
            answer = call(improvement, mean, std, best)
            shape = np.shape(answer)
            if len(shape) == 2:
                raise Wrong(
                    f"for {m} points it returns an array of shape {shape}",
                    hint="(m,) with (m, 1) broadcasts to (m, m): every mean met every deviation. "
                    "Keep all of them (m,)",
                )
            got = numbers(answer, "the improvement", one=True)
            right = expected_improvement(mean, std, best)
            if got.shape != right.shape:
                raise Wrong(
                    f"for {m} points it returns {got.size} numbers",
                    hint="one number a point; no sum, no maximum",
                )
            if not np.allclose(got, right, atol=1e-6):
                raise Wrong(
                    f"at mean {mean[0]:.2f}, deviation {std[0]:.2f}, best {best:g} it returns "
                    f"{got[0]:.4f}, "
                    f"not {right[0]:.4f}",
                    hint=_improvement_hint(got, mean, std, best),
                )
    column = np.full((4, 1), 0.5)
    if np.shape(call(improvement, np.zeros(4), column, 0.0)) == (4, 4):
        raise Wrong(
            "with std of shape (4, 1), as some models return it, 4 points become 16 numbers",
            hint="(m,) with (m, 1) broadcasts to (m, m), and argmax then points anywhere: begin "
            "with np.ravel(std)",
        )
    return (
        "The mean counts where it is low, the deviation where it is high: exploration without "
        "a knob for it."
    )


def _improvement_hint(got: np.ndarray, mean: np.ndarray, std: np.ndarray, best: float) -> str:
    z = (best - mean) / std
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    slips = {
        "losses are minimised: an improvement is best - loss": expected_improvement(
            -mean, std, -best
        ),
        "this is the *probability* of an improvement; how large it is counts too": ndtr(z),
        "this is the improvement of the mean: the average over the band's lower part is "
        "missing": np.maximum(best - mean, 0),
        "the density needs the factor std: std * pdf(z)": (best - mean) * ndtr(z) + density,
        "the first term is (best - mean) * cdf(z), with the deviation": std * density,
        "z is divided by the deviation, not by its square": _with_variance(mean, std, best),
    }
    return next(
        (hint for hint, wrong in slips.items() if np.allclose(got, wrong, atol=1e-6)),
        "(best - mean) * cdf(z) + std * pdf(z), with z = (best - mean) / std",
    )


def _with_variance(mean: np.ndarray, std: np.ndarray, best: float) -> np.ndarray:
    z = (best - mean) / std**2
    return (best - mean) * ndtr(z) + std * np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)


@check
def check_method(few_and_dear: Any, many_and_conditional: Any, one_batch: Any) -> str:
    """Return the verdict on which method fits three searches; each one of METHODS."""
    given = [
        choice(answer, METHODS, "the method")
        for answer in (few_and_dear, many_and_conditional, one_batch)
    ]
    right = ["Gaussian process", "TPE", "random search"]
    hints = [
        "30 trials of four smooth knobs: the more a trial costs, the more thinking about it is "
        "worth",
        "10,000 trials: n³ forbids the Gaussian process; and every optimizer has knobs of its own",
        "all 200 run before the first result is in: whatever looks at results has nothing to look "
        "at",
    ]
    for place, answer, wanted, hint in zip(
        ("first", "second", "third"), given, right, hints, strict=True
    ):
        if answer != wanted:
            raise Wrong(f"{answer} is not the best fit for the {place} search", hint=hint)
    return (
        "Few and dear: model it well. Many and branching: densities. Blind: draw at random, or "
        "Sobol points."
    )

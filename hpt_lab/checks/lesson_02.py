"""Checks of lesson 02, underfitting and overfitting, and the networks of its diagnosis drill. Read
`ward` first."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hpt_lab.checks.core import Unanswered, Wrong, call, check, choice, number, numbers, show

# What is wrong with a patient, and where to look if you got it wrong.
CONDITIONS = {
    "underfitting": "both curves lie flat, next to each other, and far above the dotted line: "
    "could it ever do better?",
    "overfitting": "compare the two curves at the end, and the validation curve with its own "
    "lowest point",
    "good fit": "both curves are smooth, flat, close together, and close to the dotted line",
    "learning rate too high": "is the *training* curve smooth? It has no excuse for jumping about",
    "not trained long enough": "look at the slope of the training curve in the last epochs",
    "validation set too easy": "unseen rows should not be easier than training rows: compare the "
    "heights of the curves",
}


class Ward(Mapping[str, dict[str, list[float]]]):
    """The curves of six networks, "A" to "F": {"loss": [...], "val_loss": [...]}.

    Of their conditions it keeps digests only, so that looking at the ward does not tell what the
    drill asks.
    """

    def __init__(
        self,
        curves: dict[str, dict[str, list[float]]],
        conditions: Mapping[str, str],
        *,
        seed: int = 0,
    ):
        self._curves = curves
        self._seed = seed
        self._digests = {
            name: self._digest(name, condition) for name, condition in conditions.items()
        }

    def _digest(self, name: str, condition: str) -> str:
        return hashlib.sha256(f"{self._seed}:{name}:{condition}".encode()).hexdigest()

    def has(self, name: str, condition: str) -> bool:
        """Tell whether patient `name` has this condition."""
        return self._digests[name] == self._digest(name, condition)

    def __getitem__(self, name: str) -> dict[str, list[float]]:
        return self._curves[name]

    def __iter__(self) -> Any:
        return iter(self._curves)

    def __len__(self) -> int:
        return len(self._curves)

    def __repr__(self) -> str:
        return f"Ward of patients {', '.join(self)}; look at their curves, not in here"


def ward(*, seed: int = 0) -> Ward:
    """Train six networks on spirals, one of each of CONDITIONS, and shuffle them.

    Exactly a tenth of the labels is wrong in every network's training rows and in the validation
    rows, so that the truth has the same loss, 0.325, on all of them. The easy validation set is
    those same rows with their labels put right.
    """
    import keras
    from keras import layers

    from hpt_lab.datasets import spirals
    from hpt_lab.training.objective import build_model
    from hpt_lab.training.stacked import train_together

    data = spirals(n=2500, noise=0.05, turns=0.8, seed=100 + seed)

    def noisy(y: np.ndarray) -> np.ndarray:
        """Flip the first tenth; the rows are in random order."""
        return np.where(np.arange(len(y)) < len(y) // 10, 1 - y, y)

    def build(config: dict[str, Any]) -> keras.Model:
        model = keras.Sequential(
            [layers.Dense(config["units"], activation=config["activation"]) for _ in range(2)]
        )
        model.add(layers.Dense(1, activation="sigmoid"))
        model.compile(
            keras.optimizers.Adam(config["learning_rate"]),
            "binary_crossentropy",
            metrics=["accuracy"],
        )
        return model

    patients: dict[str, tuple[int, float, int]] = {  # units, learning rate, training rows
        "underfitting": (1, 0.01, 800),
        "overfitting": (64, 0.01, 80),
        "good fit": (64, 0.003, 800),
        "learning rate too high": (64, 0.3, 800),
        "not trained long enough": (64, 0.00001, 800),
        "validation set too easy": (64, 0.003, 800),
    }
    rows = [(data.x_train[:n], noisy(data.y_train[:n])) for *_, n in patients.values()]
    models = [
        build_model(
            build,
            {"units": units, "learning_rate": rate, "activation": "elu" if units == 1 else "relu"},
            seed=(seed, i),
            x=rows[0][0],
        )  # a lone ReLU may be dead
        for i, (units, rate, _) in enumerate(patients.values())
    ]
    honest, easy = (
        (data.x_validation, labels) for labels in (noisy(data.y_validation), data.y_validation)
    )
    trained = train_together(
        models,
        rows,
        epochs=80,
        seeds=[(seed, i) for i in range(len(models))],
        batch_size=40,
        jit=False,
        validation=[easy if name == "validation set too easy" else honest for name in patients],
    )
    assert trained is not None  # nobody can stop it
    order = np.random.default_rng(seed).permutation(len(models))
    conditions = dict(zip("ABCDEF", (list(patients)[i] for i in order), strict=True))
    curves = {
        name: {part: list(trained[i].curves[part]) for part in ("loss", "val_loss")}
        for name, i in zip("ABCDEF", order, strict=True)
    }
    return Ward(curves, conditions, seed=seed)


@check
def check_diagnosis(patients: Ward, answers: Mapping[str, str]) -> str:
    """Return the verdict on the diagnoses {"A": condition, ...} of a ward's patients."""
    if not isinstance(answers, Mapping):
        raise Wrong(
            f"your answer should be a dict from letters to conditions, got {show(answers)}",
            hint='like {"A": "overfitting", "B": ...}',
        )
    open_ones = [name for name in patients if answers.get(name) in (None, ...)]
    given = {
        name: choice(answers[name], list(CONDITIONS), f"patient {name}")
        for name in patients
        if name not in open_ones
    }
    wrong = [name for name in given if not patients.has(name, given[name])]
    if wrong:
        first = wrong[0]
        raise Wrong(
            f"{len(given) - len(wrong)} of {len(patients)} are right; patient {first} is no case "
            f"of {given[first]}",
            hint=next(
                hint for condition, hint in CONDITIONS.items() if patients.has(first, condition)
            ),
        )
    if open_ones:
        so_far = f"{len(given)} of {len(patients)} are right so far. " if given else ""
        raise Unanswered(
            f"{so_far}Put a condition in the place of the dots for {', '.join(open_ones)}."
        )
    return "All six. What would you turn for each of them?"


@check
def check_early_stopping(early_stopping: Any) -> str:
    """Return the verdict on a function (val_losses, patience) -> (best epoch, epochs trained),
    epochs counted from 1."""
    runs: list[tuple[list[float], int]] = [
        (
            [0.9, 0.7, 0.5, 0.6, 0.7, 0.8, 0.9, 0.8],
            2,
        ),  # best is 3: the answer 2 can only come from counting from 0
        ([0.9, 0.8, 0.7], 2),
        ([0.9, 0.5, 0.6, 0.7, 0.1, 0.2], 2),
        ([0.5, 0.5, 0.6, 0.6], 2),
        ([0.9, 0.5, 0.7, 0.6, 0.8, 0.7], 2),
        ([0.5, 0.6, 0.4, 0.5, 0.3, 0.4, 0.5], 2),
        ([0.3, 0.4], 1),
        ([0.7], 3),
    ]
    rng = np.random.default_rng(0)
    runs += [
        (list(np.round(rng.random(n), 1)), patience) for n in (8, 15, 30) for patience in (1, 3, 5)
    ]
    for losses, patience in runs:
        result = call(early_stopping, losses, patience)
        pair = numbers(result, "what it returns", one=True)
        if pair.size != 2:
            raise Wrong(
                f"it should return two numbers, got {show(result)}",
                hint="return best_epoch, epochs_trained",
            )
        best, trained = _stop(losses, patience)
        if tuple(pair) == (best, trained):
            continue
        wanted = (
            f"losses {show(losses)}, patience {patience}: expected {(best, trained)}, got "
            f"{show(result)}"
        )
        raise Wrong(wanted, hint=_early_stopping_hint(losses, patience, pair, best, trained))
    return (
        "Keras stops at the same epochs. restore_best_weights=True is what makes it go back; "
        "the default does not."
    )


def _stop(losses: list[float], patience: int) -> tuple[int, int]:
    """Find the first epoch whose `patience` successors hold nothing better, by looking at every
    epoch (brute force)."""
    for t in range(1, len(losses) + 1):
        best = losses.index(min(losses[:t])) + 1
        if t - best >= patience:
            return best, t
    return losses.index(min(losses)) + 1, len(losses)


def _stop_by_the_epoch_before(losses: list[float], patience: int) -> int:
    """Count the epochs that are trained if one that is better than the epoch before it, not than
    the best, counts as better."""
    waited = 0
    for t in range(1, len(losses)):
        waited = 0 if losses[t] < losses[t - 1] else waited + 1
        if waited == patience:
            return t + 1
    return len(losses)


def _early_stopping_hint(
    losses: list[float], patience: int, pair: np.ndarray, best: int, trained: int
) -> str:
    if tuple(pair) == (trained, best):
        return "the other way round: first the epoch it goes back to, then how many were trained"
    if tuple(pair + 1) == (best, trained) or pair[0] == best - 1:
        return "count epochs from 1: the first loss belongs to epoch 1"
    if pair[0] == pair[1] == trained:
        return (
            "the first number is the epoch it goes back to, the best one; the second is the "
            "one it ended with"
        )
    if pair[0] in (0, 1) and best > 2:
        return (
            "the best epoch has stayed where it began; move it whenever a loss is lower than "
            "the best so far"
        )
    if pair[0] == losses.index(min(losses)) + 1 and pair[0] > trained:
        return "training had ended before that epoch; early stopping can't see the future"
    if (
        pair[0] != best
        and pair[0] in range(1, len(losses) + 1)
        and losses[int(pair[0]) - 1] == losses[best - 1]
    ):
        return "an equal loss is not better: only a strictly lower one counts"
    if pair[1] > len(losses):
        return (
            f"there are only {len(losses)} epochs; if patience doesn't end training before, "
            "all of them are trained"
        )
    if pair[1] == _stop_by_the_epoch_before(losses, patience):
        return "compare every epoch with the best one so far, not with the epoch before it"
    if pair[1] == len(losses) and trained < len(losses):
        return (
            f"it never stopped; after {patience} epochs in a row without a new best, training ends"
        )
    if pair[0] == best and abs(pair[1] - trained) == 1:
        return (
            f"it ends with the epoch that makes {patience} in a row without a new best: not "
            "one earlier, not one later"
        )
    return (
        "count the epochs since the best one, and start counting anew whenever there is a new best"
    )


@check
def check_one_standard_error(one_standard_error: Any) -> str:
    """Return the verdict on a function (sizes, scores) -> the smallest size within one standard
    error of the best."""
    rng = np.random.default_rng(0)
    cases: list[tuple[list[int], list[list[float]]]] = [
        (
            [8, 16, 32],
            [[0.65, 0.85, 0.75], [0.796, 0.797, 0.798], [0.79, 0.80, 0.81]],
        ),  # the smallest's own error is wide
        (
            [8, 16, 32, 64],
            [
                [0.79, 0.80, 0.78, 0.79],
                [0.81, 0.82, 0.80, 0.81],
                [0.80, 0.84, 0.78, 0.86],
                [0.70, 0.72, 0.71, 0.69],
            ],
        ),
        ([8, 16, 32], [[0.70, 0.71, 0.69], [0.80, 0.81, 0.79], [0.90, 0.91, 0.89]]),
        ([8, 16], [[0.789, 0.79, 0.79], [0.78, 0.80, 0.82]]),
    ]  # 0.0103 below: within 0.0115 (ddof=1), not 0.0094 (ddof=0)
    for runs in (4, 6, 10):
        sizes = [8, 16, 32, 64, 128]
        true = np.array([0.6, 0.7, 0.74, 0.745, 0.75])
        cases.append(
            (sizes, np.round(true[:, None] + 0.04 * rng.standard_normal((5, runs)), 3).tolist())
        )
    for sizes, scores in cases:
        answer = number(call(one_standard_error, sizes, scores), "what it returns")
        means, spread = (
            [math.fsum(runs) / len(runs) for runs in scores],
            [float(np.std(runs, ddof=1)) for runs in scores],
        )
        best = int(np.argmax(means))
        error = spread[best] / math.sqrt(len(scores[best]))
        right = sizes[
            next(i for i, mean in enumerate(means) if mean >= means[best] - error - 1e-12)
        ]
        if answer == right:
            continue
        flat = float(np.std(scores[best]) / math.sqrt(len(scores[best])))
        within, narrow = (
            sizes[next(i for i, mean in enumerate(means) if mean >= means[best] - width)]
            for width in (spread[best], flat)
        )
        own = sizes[
            next(
                i
                for i, mean in enumerate(means)
                if mean + spread[i] / math.sqrt(len(scores[i])) >= means[best] - 1e-12
            )
        ]
        hint = (
            f"the best mean is {means[best]:.4f} (size {sizes[best]}), one standard error "
            f"{error:.4f}"
        )
        if answer not in sizes:
            hint = "return a size, not its position or its score"
        elif answer == narrow and len(sizes) == 2:
            hint = f"{hint}; np.std divides by n unless you say ddof=1"
        elif answer == sizes[best]:
            hint = (
                f"that is the best mean itself; {hint}: which is the smallest size that "
                f"reaches {means[best] - error:.4f}?"
            )
        elif answer == own:
            hint = (
                f"{hint}: it is the error of the best size that counts, for all sizes, and not "
                "each size's own"
            )
        elif answer == within:
            hint = (
                "that is one standard *deviation*; divide it by the square root of the number "
                "of runs"
            )
        raise Wrong(
            f"sizes {show(sizes)} with means {[round(mean, 3) for mean in means]}: expected "
            f"{right}, got {answer:g}",
            hint=hint,
        )
    return "A tie within the noise goes to the simpler model."

"""Check the exercises of lesson 01: draw a learning rate, take a step with momentum, tune on a
budget."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hpt_lab.checks.core import Unanswered, Wrong, call, check, number, show
from hpt_lab.curves import load

LOW, HIGH = 1e-4, 1.0  # the range of learning rates
EPOCHS = 20  # of a training, as in the lesson's sweep
TRAININGS = 12  # that a tuner may spend
REPEATS = 40
DEFAULT = {
    "learning_rate": 0.003,
    "batch_size": 512,
    "units": 64,
    "layers": 2,
    "dropout": 0.2,
    "optimizer": "sgd",
}


@check
def check_draw_learning_rate(draw: Any) -> str:
    """Return the verdict on `draw(u)`, which turns u in [0, 1] into a log-uniform rate from 0.0001
    to 1."""
    for u in (0.5, 0.25, 0.75, 0.0, 1.0):
        got, right = number(call(draw, u), f"draw({u})"), LOW * (HIGH / LOW) ** u
        if math.isclose(got, right, rel_tol=1e-6):
            continue
        if got != number(call(draw, u), "draw"):
            raise Wrong(
                f"draw({u}) is different every time",
                hint="u is the random number already; only stretch it",
            )
        if math.isclose(got, LOW + (HIGH - LOW) * u, rel_tol=1e-3):
            raise Wrong(
                f"draw({u}) is {got:.4g}: that is uniform on a linear axis, where half of all "
                "draws land above 0.5",
                hint="draw the exponent instead: it is uniform from -4 to 0",
            )
        if math.isclose(got, math.log10(right), abs_tol=1e-6) or math.isclose(
            got, math.log(right), abs_tol=1e-6
        ):
            raise Wrong(
                f"draw({u}) is {got:.4g}: that is the logarithm of the learning rate",
                hint="go back from the logarithm: 10 ** ... or math.exp(...), whichever you took",
            )
        if math.isclose(got, LOW * (HIGH / LOW) ** (1 - u), rel_tol=1e-6):
            raise Wrong(
                f"draw({u}) is {got:.4g}: your axis runs backwards",
                hint="u = 0 should give 0.0001 and u = 1 should give 1",
            )
        if math.isclose(got, math.exp(math.log10(right)), rel_tol=1e-6) or math.isclose(
            got, 10 ** math.log(right), rel_tol=1e-6
        ):
            raise Wrong(
                f"draw({u}) is {got:.4g}: two bases of logarithm are mixed",
                hint="10 ** belongs to log10, exp to log",
            )
        raise Wrong(
            f"draw({u}) is {got:.4g}, it should be {right:.4g}",
            hint="u = 0 gives 0.0001, u = 1 gives 1, and every quarter of the way multiplies by 10",
        )
    return (
        "Half of your draws are below 0.01, a quarter in each power of ten. This is what "
        "Float(..., log=True) does."
    )


@check
def check_tuner(tuner: Any) -> str:
    """Return the verdict on `tuner(train, default)`, which may train twelve configs and returns the
    one to ship.

    Judged on the recorded table of digits, where a training is looked up: over 40 repeats, by the
    mean error of what it returns, beside the default's and that of random search with as many
    trainings.
    """
    table = load("digits-mlp")
    errors = np.nan_to_num(
        table.losses("accuracy")[:, :, EPOCHS - 1], nan=1.0
    )  # (configs, trainings)
    rows = {
        tuple(config[name] for name in table.space): i for i, config in enumerate(table.configs)
    }
    random = np.array([_random_search(errors, seed) for seed in range(REPEATS)])
    tuned = np.array(
        [_tuned(tuner, list(table.space), rows, errors, seed) for seed in range(REPEATS)]
    )
    default = errors[rows[tuple(DEFAULT[name] for name in table.space)]].mean()
    told = (
        f"on average {tuned.mean():.1%} wrong; the default {default:.1%}, "
        f"random search with {TRAININGS} trainings {random.mean():.1%}"
    )
    if tuned.mean() > default - 0.01:
        raise Wrong(
            told,
            hint="the default's learning rate is the knob that does not fit: try it on a log scale "
            "first",
        )
    if tuned.mean() > random.mean():
        raise Wrong(
            told,
            hint="you beat the default, but not chance: find the rate first, in factors of about "
            "three, then "
            "spend what is left on the other knobs around it",
        )
    return told + ". You knew which knob matters most; random search did not."


def _tuned(
    tuner: Any, names: list[str], rows: dict[tuple[Any, ...], int], errors: np.ndarray, seed: int
) -> float:
    """Return the mean error, over all its trainings, of the config that the tuner returns."""
    rng = np.random.default_rng(seed)
    asked: list[int] = []

    def train(config: Any) -> float:
        asked.append(_row(config, names, rows))
        if len(asked) > TRAININGS:
            raise Wrong(
                f"that is training number {len(asked)}", hint=f"the budget is {TRAININGS} trainings"
            )
        return float(errors[asked[-1], rng.integers(errors.shape[1])])

    if not callable(tuner):
        call(tuner)
    answer = tuner(train, dict(DEFAULT))
    if answer is None or answer is ...:
        raise Unanswered(
            "tuner(train, default) returns nothing so far. Write its body; end with return."
        )
    chosen = _row(answer, names, rows)
    if chosen not in asked:
        raise Wrong(
            f"it returns {show(answer)}, which it never trained",
            hint="return a config that you have seen trained",
        )
    return float(errors[chosen].mean())


def _row(config: Any, names: list[str], rows: dict[tuple[Any, ...], int]) -> int:
    if not isinstance(config, dict) or set(config) != set(names):
        raise Wrong(
            f"a config is a dict with the keys {names}, got {show(config)}",
            hint='start from the default: {**default, "learning_rate": 0.1}',
        )
    key = tuple(config[name] for name in names)
    if key not in rows:
        raise Wrong(
            f"{show(config)} was not recorded",
            hint="use the values printed above: the table holds no others",
        )
    return rows[key]


def _random_search(errors: np.ndarray, seed: int) -> float:
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(errors), size=TRAININGS)
    seen = errors[drawn, rng.integers(errors.shape[1], size=TRAININGS)]
    return float(errors[drawn[np.argmin(seen)]].mean())


@check
def check_momentum_step(momentum_step: Any) -> str:
    """Return the verdict on `momentum_step(weight, velocity, gradient, learning_rate, momentum)` ->
    (weight, velocity).

    The velocity may hold the step (Keras) or the summed gradients (PyTorch): the weights are the
    same.
    """
    gradients, rate, momentum = (1.0, 1.0, -2.0, 0.5), 0.1, 0.9
    weight, velocity, weights = 3.0, 0.0, []
    for gradient in gradients:
        result = call(momentum_step, weight, velocity, gradient, rate, momentum)
        if (
            not isinstance(result, tuple | list | np.ndarray)
            or getattr(result, "ndim", 1) == 0
            or len(result) != 2
        ):
            raise Wrong(
                f"momentum_step should return two numbers, (weight, velocity), got {show(result)}",
                hint="the velocity is needed at the next step: return weight, velocity",
            )
        weight, velocity = (
            number(result[0], "the new weight"),
            number(result[1], "the new velocity"),
        )
        weights.append(weight)
    if np.allclose(weights, _path(gradients, rate, momentum), rtol=1e-5):
        return (
            "Four gradients in a row come out as in Keras. A constant gradient would add up to "
            "10 times one plain step."
        )
    wrong = (
        "after gradients 1, 1, -2, 0.5 from weight 3 the weights are "
        f"{', '.join(f'{w:.4g}' for w in weights)}"
    )
    if weights[0] > 3:
        raise Wrong(wrong, hint="the first step goes uphill: the weight moves against the gradient")
    if np.allclose(weights, _path(gradients, rate, 0.0)):
        raise Wrong(
            wrong,
            hint="that is plain gradient descent: the old velocity, times momentum, belongs into "
            "the new one",
        )
    if np.allclose(weights, _path(gradients, rate * (1 - momentum), momentum)):
        raise Wrong(
            wrong,
            hint="an average of gradients, with 1 - momentum before the gradient, isn't what "
            "Keras' SGD takes: "
            "it adds the whole gradient",
        )
    if np.allclose(weights, _path(gradients, rate, 1.0)):
        raise Wrong(wrong, hint="nothing slows the velocity down: multiply the old one by momentum")
    if np.allclose(weights, _path(gradients, rate, momentum, nesterov=True)):
        raise Wrong(
            wrong,
            hint="this looks one step ahead (Nesterov's variant): the weight changes by the new "
            "velocity itself",
        )
    if np.allclose(weights, _stale(gradients, rate, momentum)):
        raise Wrong(wrong, hint="the weight uses the old velocity: compute the new velocity first")
    raise Wrong(
        wrong,
        hint="velocity = momentum * velocity - learning_rate * gradient, then weight + velocity",
    )


def _path(gradients: Any, rate: float, momentum: float, *, nesterov: bool = False) -> list[float]:
    """Return the weights after each gradient, from weight 3 and velocity 0 (Keras' SGD)."""
    weight, velocity, path = 3.0, 0.0, []
    for gradient in gradients:
        velocity = momentum * velocity - rate * gradient
        weight += momentum * velocity - rate * gradient if nesterov else velocity
        path.append(weight)
    return path


def _stale(gradients: Any, rate: float, momentum: float) -> list[float]:
    return [3.0, *_path(gradients, rate, momentum)[:-1]]

"""Check the exercises of lesson 01: draw a learning rate, count gradient steps, take a step with momentum."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hpt_lab.checks.core import Wrong, call, check, number, show

LOW, HIGH = 1e-4, 1.0  # the range of learning rates
ROWS = 1077  # training rows of digits


@check
def check_draw_learning_rate(draw: Any) -> str:
    """Return the verdict on `draw(u)`, which turns u in [0, 1] into a log-uniform rate from 0.0001 to 1."""
    for u in (0.5, 0.25, 0.75, 0.0, 1.0):
        got, right = number(call(draw, u), f"draw({u})"), LOW * (HIGH / LOW) ** u
        if math.isclose(got, right, rel_tol=1e-6):
            continue
        if got != number(call(draw, u), "draw"):
            raise Wrong(f"draw({u}) is different every time", hint="u is the random number already; only stretch it")
        if math.isclose(got, LOW + (HIGH - LOW) * u, rel_tol=1e-3):
            raise Wrong(f"draw({u}) is {got:.4g}: that is uniform on a linear axis, where half of all draws land above 0.5",
                        hint="draw the exponent instead: it is uniform from -4 to 0")
        if math.isclose(got, math.log10(right), abs_tol=1e-6) or math.isclose(got, math.log(right), abs_tol=1e-6):
            raise Wrong(f"draw({u}) is {got:.4g}: that is the logarithm of the learning rate", hint="go back from the logarithm: "
                        "10 ** ... or math.exp(...), whichever you took")
        if math.isclose(got, LOW * (HIGH / LOW) ** (1 - u), rel_tol=1e-6):
            raise Wrong(f"draw({u}) is {got:.4g}: your axis runs backwards",
                        hint="u = 0 should give 0.0001 and u = 1 should give 1")
        if math.isclose(got, math.exp(math.log10(right)), rel_tol=1e-6) or math.isclose(got, 10 ** math.log(right), rel_tol=1e-6):
            raise Wrong(f"draw({u}) is {got:.4g}: two bases of logarithm are mixed", hint="10 ** belongs to log10, exp to log")
        raise Wrong(f"draw({u}) is {got:.4g}, it should be {right:.4g}",
                    hint="u = 0 gives 0.0001, u = 1 gives 1, and every quarter of the way multiplies by 10")
    return "Half of your draws are below 0.01, a quarter in each power of ten. This is what Float(..., log=True) does."


@check
def check_gradient_steps(gradient_steps: Any) -> str:
    """Return the verdict on `gradient_steps(rows, batch_size, epochs)`: how often training changes the weights."""
    for rows, batch_size, epochs in ((1000, 100, 1), (1000, 100, 7), (ROWS, 32, 20), (5, 32, 3), (33, 32, 4)):
        got = number(call(gradient_steps, rows, batch_size, epochs), "the number of steps")
        each, asked = math.ceil(rows / batch_size), f"{rows} rows, batches of {batch_size}, {epochs} epochs: "
        if got == each * epochs:
            continue
        asked += f"{got:g} is not the number of steps"
        if got == each:
            raise Wrong(asked, hint="these are the steps of one epoch")
        if got == rows // batch_size * epochs:
            raise Wrong(asked, hint="the rows left over form a last, smaller batch, and it makes a step too")
        if got in (math.ceil(rows * epochs / batch_size), rows * epochs // batch_size) or (
                math.isclose(got, rows * epochs / batch_size)):
            raise Wrong(asked, hint="a batch doesn't reach over the end of an epoch: round up within one epoch, then multiply")
        if got == rows * epochs:
            raise Wrong(asked, hint="these are rows seen; a step is made once per batch")
        raise Wrong(asked, hint=f"one epoch has {rows} / {batch_size} batches, rounded up")
    small, large = (math.ceil(ROWS / batch_size) for batch_size in (32, 512))
    return ("Batches per epoch, rounded up, times epochs. At equal epochs, larger batches mean fewer steps: "
            f"on digits {small} an epoch with 32 rows each, {large} with 512.")


@check
def check_momentum_step(momentum_step: Any) -> str:
    """Return the verdict on `momentum_step(weight, velocity, gradient, learning_rate, momentum)` -> (weight, velocity).

    The velocity may hold the step (Keras) or the summed gradients (PyTorch): the weights are the same.
    """
    gradients, rate, momentum = (1.0, 1.0, -2.0, 0.5), 0.1, 0.9
    weight, velocity, weights = 3.0, 0.0, []
    for gradient in gradients:
        result = call(momentum_step, weight, velocity, gradient, rate, momentum)
        if not isinstance(result, tuple | list | np.ndarray) or getattr(result, "ndim", 1) == 0 or len(result) != 2:
            raise Wrong(f"momentum_step should return two numbers, (weight, velocity), got {show(result)}",
                        hint="the velocity is needed at the next step: return weight, velocity")
        weight, velocity = number(result[0], "the new weight"), number(result[1], "the new velocity")
        weights.append(weight)
    if np.allclose(weights, _path(gradients, rate, momentum), rtol=1e-5):
        return "Four gradients in a row come out as in Keras. A constant gradient would add up to 10 times one plain step."
    wrong = f"after gradients 1, 1, -2, 0.5 from weight 3 the weights are {', '.join(f'{w:.4g}' for w in weights)}"
    if weights[0] > 3:
        raise Wrong(wrong, hint="the first step goes uphill: the weight moves against the gradient")
    if np.allclose(weights, _path(gradients, rate, 0.0)):
        raise Wrong(wrong, hint="that is plain gradient descent: the old velocity, times momentum, belongs into the new one")
    if np.allclose(weights, _path(gradients, rate * (1 - momentum), momentum)):
        raise Wrong(wrong, hint="an average of gradients, with 1 - momentum before the gradient, isn't what Keras' SGD takes: "
                    "it adds the whole gradient")
    if np.allclose(weights, _path(gradients, rate, 1.0)):
        raise Wrong(wrong, hint="nothing slows the velocity down: multiply the old one by momentum")
    if np.allclose(weights, _path(gradients, rate, momentum, nesterov=True)):
        raise Wrong(wrong, hint="this looks one step ahead (Nesterov's variant): the weight changes by the new velocity itself")
    if np.allclose(weights, _stale(gradients, rate, momentum)):
        raise Wrong(wrong, hint="the weight uses the old velocity: compute the new velocity first")
    raise Wrong(wrong, hint="velocity = momentum * velocity - learning_rate * gradient, then weight + velocity")


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

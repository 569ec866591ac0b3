"""Lesson 01: right answers pass in several spellings, and each typical mistake gets its own hint."""

import math

import numpy as np
import pytest

from hpt_lab.checks.lesson_01 import ROWS, check_draw_learning_rate, check_gradient_steps, check_momentum_step
from hpt_lab.datasets import digits
from hpt_lab.space import Float


def stub(*_): ...


@pytest.mark.parametrize("check", [check_draw_learning_rate, check_gradient_steps, check_momentum_step])
@pytest.mark.parametrize("nothing", [stub, ..., None])
def test_stubs_are_not_answered_yet(check, nothing):
    assert check(nothing).status == "unanswered"


@pytest.mark.parametrize("draw", [
    lambda u: 10 ** (4 * u - 4), lambda u: 1e-4 * 1e4 ** u, lambda u: math.exp((1 - u) * math.log(1e-4)),
    lambda u: np.power(10.0, np.interp(u, [0, 1], [-4, 0])), lambda u: np.array([10 ** (-4 * (1 - u))]),
    lambda u: np.float32(10 ** (4 * u - 4)),
    Float(1e-4, 1, log=True).from_unit])
def test_drawing_the_exponent_evenly_passes(draw):
    assert check_draw_learning_rate(draw)


@pytest.mark.parametrize(("draw", "hint"), [
    (lambda u: 1e-4 + u * (1 - 1e-4), "exponent"), (lambda u: u, "exponent"), (lambda u: 4 * u - 4, "go back"),
    (lambda u: np.random.uniform(1e-4, 1), "already"),
    (lambda u: 10 ** (-4 * u), "u = 0"), (lambda u: math.exp(4 * u - 4), "belongs"), (lambda u: 1e-4, "multiplies"),
    (lambda u: 0.0, "multiplies"), (0.01, "name"), (lambda u: "0.01", "quotes"), (lambda: 1, "cell")])
def test_a_wrong_draw_gets_its_hint(draw, hint):
    verdict = check_draw_learning_rate(draw)
    assert verdict.status == "wrong" and hint in verdict.hint


@pytest.mark.parametrize("steps", [
    lambda rows, batch_size, epochs: math.ceil(rows / batch_size) * epochs,
    lambda n, b, e: -(-n // b) * e, lambda n, b, e: len(range(0, n, b)) * e,
    lambda n, b, e: np.ceil(n / b) * e, lambda n, b, e: sum(1 for _ in range(e) for _ in range(0, n, b))])
def test_counting_the_last_batch_passes(steps):
    verdict = check_gradient_steps(steps)
    assert verdict and "34 an epoch with 32 rows each, 3 with 512" in verdict.text


def test_the_steps_of_digits_are_counted_on_its_training_rows():
    assert len(digits().x_train) == ROWS


@pytest.mark.parametrize(("steps", "hint"), [
    (lambda n, b, e: n // b * e, "left over"), (lambda n, b, e: math.ceil(n / b), "one epoch"),
    (lambda n, b, e: math.ceil(n * e / b), "round up"), (lambda n, b, e: n / b * e, "round up"),
    (lambda n, b, e: n * e, "rows seen"), (lambda n, b, e: b * e, "rounded up"), (35, "name"),
    (lambda n, b: n, "cell")])
def test_a_wrong_count_gets_its_hint(steps, hint):
    verdict = check_gradient_steps(steps)
    assert verdict.status == "wrong" and hint in verdict.hint


def keras_step(weight, velocity, gradient, learning_rate, momentum):
    velocity = momentum * velocity - learning_rate * gradient
    return weight + velocity, velocity


def torch_step(weight, velocity, gradient, learning_rate, momentum):
    velocity = momentum * velocity + gradient
    return [np.float64(weight - learning_rate * velocity), np.array([velocity])]


def negated_step(weight, velocity, gradient, learning_rate, momentum):
    velocity = momentum * velocity + learning_rate * gradient
    return weight - velocity, velocity


def array_step(*arguments):
    return np.array(keras_step(*arguments))


@pytest.mark.parametrize("step", [keras_step, torch_step, negated_step, array_step])
def test_momentum_passes_in_every_convention(step):
    assert check_momentum_step(step)


def test_the_expected_path_is_that_of_keras():
    import keras

    weight = keras.Variable(3.0)
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    path = []
    for gradient in (1.0, 1.0, -2.0, 0.5):
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weight])
        path.append(float(weight))
    w, v = 3.0, 0.0
    for gradient, expected in zip((1.0, 1.0, -2.0, 0.5), path, strict=True):
        w, v = keras_step(w, v, gradient, 0.1, 0.9)
        assert w == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("step", "hint"), [
    (lambda w, v, g, lr, m: (w + m * v + lr * g, m * v + lr * g), "uphill"),
    (lambda w, v, g, lr, m: (w - lr * g, v), "plain"),
    (lambda w, v, g, lr, m: (w + m * v - lr * (1 - m) * g, m * v - lr * (1 - m) * g), "1 - momentum"),
    (lambda w, v, g, lr, m: (w + v - lr * g, v - lr * g), "slows"),
    (lambda w, v, g, lr, m: (w + m * (m * v - lr * g) - lr * g, m * v - lr * g), "Nesterov"),
    (lambda w, v, g, lr, m: (w + v, m * v - lr * g), "old velocity"),
    (lambda w, v, g, lr, m: (m * v - lr * g, w + m * v - lr * g), "then weight"),
    (lambda w, v, g, lr, m: w - lr * g, "return weight"), (lambda w, v, g, lr, m: np.array(w - lr * g), "return weight"),
    (lambda w, v, g, lr, m: np.array([w, v, g]), "return weight"), (0.1, "name"), (lambda w: w, "cell")])
def test_a_wrong_step_gets_its_hint(step, hint):
    verdict = check_momentum_step(step)
    assert verdict.status == "wrong" and hint in verdict.hint

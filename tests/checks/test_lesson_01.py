"""Lesson 01: right answers pass in several spellings, and each typical mistake gets its own
hint."""

import math

import numpy as np
import pytest

from hpt_lab.checks.lesson_01 import check_draw_learning_rate, check_momentum_step, check_tuner
from hpt_lab.space import Float


def stub(*_): ...


@pytest.mark.parametrize("check", [check_draw_learning_rate, check_tuner, check_momentum_step])
@pytest.mark.parametrize("nothing", [stub, ..., None])
def test_stubs_are_not_answered_yet(check, nothing):
    assert check(nothing).status == "unanswered"


@pytest.mark.parametrize(
    "draw",
    [
        lambda u: 10 ** (4 * u - 4),
        lambda u: 1e-4 * 1e4**u,
        lambda u: math.exp((1 - u) * math.log(1e-4)),
        lambda u: np.power(10.0, np.interp(u, [0, 1], [-4, 0])),
        lambda u: np.array([10 ** (-4 * (1 - u))]),
        lambda u: np.float32(10 ** (4 * u - 4)),
        Float(1e-4, 1, log=True).from_unit,
    ],
)
def test_drawing_the_exponent_evenly_passes(draw):
    assert check_draw_learning_rate(draw)


@pytest.mark.parametrize(
    ("draw", "hint"),
    [
        (lambda u: 1e-4 + u * (1 - 1e-4), "exponent"),
        (lambda u: u, "exponent"),
        (lambda u: 4 * u - 4, "go back"),
        (lambda u: np.random.uniform(1e-4, 1), "already"),
        (lambda u: 10 ** (-4 * u), "u = 0"),
        (lambda u: math.exp(4 * u - 4), "belongs"),
        (lambda u: 1e-4, "multiplies"),
        (lambda u: 0.0, "multiplies"),
        (0.01, "name"),
        (lambda u: "0.01", "quotes"),
        (lambda: 1, "cell"),
    ],
)
def test_a_wrong_draw_gets_its_hint(draw, hint):
    verdict = check_draw_learning_rate(draw)
    assert verdict.status == "wrong" and hint in verdict.hint


def first_the_rate(train, default, rates=(0.003, 0.01, 0.03, 0.1, 0.3, 1.0)):
    """Find the rate, then change one knob at a time around it."""
    seen = []

    def tried(**change):
        config = {**default, **change}
        seen.append((train(config), len(seen), config))

    for rate in rates:
        tried(learning_rate=rate)
    best = min(seen)[2]["learning_rate"]
    for change in (
        {"dropout": 0.0},
        {"layers": 1},
        {"layers": 3},
        {"batch_size": 128},
        {"batch_size": 32},
    ):
        tried(learning_rate=best, **change)
    return min(seen)[2]


def small_batches_first(train, default):
    return first_the_rate(train, {**default, "batch_size": 128}, rates=(0.01, 0.03, 0.1, 0.3))


def rates_only(train, default):
    return min(
        ({**default, "learning_rate": rate} for rate in (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)),
        key=train,
    )


def too_many(train, default):
    return min([default] * 20, key=train)


@pytest.mark.parametrize("tuner", [first_the_rate, small_batches_first])
def test_a_tuner_that_finds_the_rate_first_passes(tuner):
    verdict = check_tuner(tuner)
    assert verdict and "random search with 12 trainings" in verdict.text


@pytest.mark.parametrize(
    ("tuner", "text", "hint"),
    [
        (lambda train, default: min([default], key=train), "the default", "does not fit"),
        (
            lambda train, default: min(({**default, "units": n} for n in (16, 32, 64)), key=train),
            "wrong",
            "does not fit",
        ),
        (rates_only, "wrong", "not chance"),
        (too_many, "number 13", "budget"),
        (lambda train, default: default, "never trained", "seen trained"),
        (lambda train, default: {"learning_rate": 0.1}, "keys", "default"),
        (
            lambda train, default: min([{**default, "learning_rate": 0.05}], key=train),
            "not recorded",
            "printed",
        ),
        (3, "function", "name"),
    ],
)
def test_a_wrong_tuner_gets_its_hint(tuner, text, hint):
    verdict = check_tuner(tuner)
    assert verdict.status == "wrong" and text in verdict.text and hint in verdict.hint, verdict


def test_no_answer_leaks_from_one_repeat_to_the_next():
    assert check_tuner(first_the_rate) == check_tuner(first_the_rate)


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


@pytest.mark.parametrize(
    ("step", "hint"),
    [
        (lambda w, v, g, lr, m: (w + m * v + lr * g, m * v + lr * g), "uphill"),
        (lambda w, v, g, lr, m: (w - lr * g, v), "plain"),
        (
            lambda w, v, g, lr, m: (w + m * v - lr * (1 - m) * g, m * v - lr * (1 - m) * g),
            "1 - momentum",
        ),
        (lambda w, v, g, lr, m: (w + v - lr * g, v - lr * g), "slows"),
        (lambda w, v, g, lr, m: (w + m * (m * v - lr * g) - lr * g, m * v - lr * g), "Nesterov"),
        (lambda w, v, g, lr, m: (w + v, m * v - lr * g), "old velocity"),
        (lambda w, v, g, lr, m: (m * v - lr * g, w + m * v - lr * g), "then weight"),
        (lambda w, v, g, lr, m: w - lr * g, "return weight"),
        (lambda w, v, g, lr, m: np.array(w - lr * g), "return weight"),
        (lambda w, v, g, lr, m: np.array([w, v, g]), "return weight"),
        (0.1, "name"),
        (lambda w: w, "cell"),
    ],
)
def test_a_wrong_step_gets_its_hint(step, hint):
    verdict = check_momentum_step(step)
    assert verdict.status == "wrong" and hint in verdict.hint

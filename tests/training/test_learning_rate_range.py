"""Claims about the learning rate range test: its curve, its suggestion, and the untouched model."""

import keras
import numpy as np
import pytest

from hpt_lab.errors import HptError
from hpt_lab.training.learning_rate_range import learning_rate_range

X = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
Y = X @ np.array([1.0, -2.0, 0.5], dtype="float32")


def model():
    keras.utils.set_random_seed(0)
    net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    net.compile(keras.optimizers.SGD(0.5, momentum=0.9), "mse")
    return net


def test_the_suggestion_is_below_where_gradient_descent_provably_diverges():
    found = learning_rate_range(model(), X, Y, lowest=1e-4, highest=100.0, steps=60)
    steepest = 2 * np.linalg.eigvalsh(X.T @ X / len(X)).max()  # curvature of the mean squared error
    assert found.suggestion < 2 * (1 + 0.9) / steepest  # heavy ball's limit, Polyak 1964
    assert (
        len(found.rates) == len(found.losses) == len(found.smoothed) < 60
    )  # ended early, diverging
    assert np.allclose(np.diff(np.log(found.rates)), np.log(1e6) / 59)
    assert found.smoothed[0] == pytest.approx(found.losses[0])


def test_the_model_is_left_as_it_was():
    net = model()
    net.train_on_batch(X, Y)  # so that there is momentum to lose
    before = [v.numpy() for v in [*net.variables, *net.optimizer.variables]]
    learning_rate_range(net, X, Y, steps=20)
    assert all(
        np.array_equal(a, b.numpy())
        for a, b in zip(before, [*net.variables, *net.optimizer.variables], strict=True)
    )


def test_bad_arguments_are_refused():
    with pytest.raises(HptError, match="0 < lowest < highest"):
        learning_rate_range(model(), X, Y, lowest=1.0, highest=0.1)

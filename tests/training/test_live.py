"""A live training equals plain Keras, starts over as if it were new, and changes its knobs while it
runs."""

import keras
import numpy as np
import pytest

from hpt_lab import datasets
from hpt_lab.errors import HptError
from hpt_lab.training import live
from hpt_lab.training.epochs import batch_order
from hpt_lab.training.live import LiveTraining, Network

NETWORK = Network(2, 2, 1, 8)
DATA = datasets.two_moons()
ROWS = {"x": DATA.x_train, "y": DATA.y_train, "validation": (DATA.x_validation, DATA.y_validation)}


def train(seed=0, epochs=4, network=NETWORK, **knobs):
    training = LiveTraining(network, **ROWS, seed=seed)
    training.tune(**({"learning_rate": 0.01, "dropout": 0.0, "l2": 0.0} | knobs))
    for _ in range(epochs):
        training.epoch()
    curves = {name: list(values) for name, values in training.curves.items()}
    training.release()
    return curves


def test_curves_equal_those_of_keras_fit_with_the_penalty_taken_off():
    training = LiveTraining(NETWORK, **ROWS, seed=3)
    training.tune(learning_rate=0.01, dropout=0.0, l2=0.001)
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(8, "relu", kernel_regularizer=keras.regularizers.L2(0.001)),
            keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.001)),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.set_weights(
        [
            w
            for layer in training._model.layers
            for w in layer.get_weights()
            if w.dtype == np.float32
        ]
    )
    for epoch in range(3):
        training.epoch()
        order = batch_order(len(DATA.x_train), seed=3, epoch=epoch)
        model.fit(DATA.x_train[order], DATA.y_train[order], batch_size=32, shuffle=False, verbose=0)
        loss, accuracy = model.evaluate(*ROWS["validation"], verbose=0)
        assert training.curves["val_loss"][-1] == pytest.approx(
            loss - float(sum(model.losses)), abs=1e-5
        )
        assert training.curves["val_accuracy"][-1] == pytest.approx(accuracy)
    training.release()


def test_starting_over_gives_the_same_curves_as_a_new_process_would():
    first, other, again = train(0), train(1), train(0)
    assert first == again and first != other
    live._SPARE.clear()
    assert train(0) == first


def test_dropout_and_optimizer_state_are_forgotten_on_starting_over():
    assert train(0, dropout=0.5) == train(0, dropout=0.5)
    assert train(0, dropout=0.5) != train(0, dropout=0.2)


def test_knobs_changed_while_it_runs_count_from_the_next_epoch_on():
    steady = train(epochs=4)
    training = LiveTraining(NETWORK, **ROWS)
    for epoch in range(4):
        training.tune(learning_rate=0.01 if epoch < 2 else 0.0, dropout=0.0, l2=0.0)
        training.epoch()
    assert training.curves["loss"][:2] == steady["loss"][:2]
    assert training.curves["loss"][1] == training.curves["loss"][2] == training.curves["loss"][3]
    training.release()


def test_a_diverged_training_says_so_and_stays_where_it_is():
    training = LiveTraining(Network(2, 2, 2, 8, "relu", "sgd"), **ROWS)
    training.tune(learning_rate=1e20, dropout=0.0, l2=0.0)
    for _ in range(6):
        training.epoch()
    assert (
        training.diverged
        and np.isnan(training.curves["loss"][-1])
        and len(training.curves["loss"]) < 6
    )
    training.release()


def test_a_released_training_can_not_go_on_and_two_at_once_do_not_share_a_model():
    one, two = LiveTraining(NETWORK, **ROWS), LiveTraining(NETWORK, **ROWS)
    for training in (one, two):
        training.tune(learning_rate=0.01, dropout=0.0, l2=0.0)
    one.epoch()
    two.epoch()
    assert one.curves == two.curves
    one.release()
    with pytest.raises(HptError, match="released"):
        one.probabilities(DATA.x_train)
    two.release()


def test_probabilities_are_those_of_the_curves():
    training = LiveTraining(NETWORK, **ROWS)
    training.tune(learning_rate=0.01, dropout=0.3, l2=0.01)
    training.epoch()
    p = training.probabilities(DATA.x_validation)
    assert np.allclose(p.sum(1), 1)
    assert -np.log(p[np.arange(len(p)), DATA.y_validation]).mean() == pytest.approx(
        training.curves["val_loss"][-1], abs=1e-6
    )
    training.release()

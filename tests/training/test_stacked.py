"""Claims about models trained together: each ends where `model.fit` on the same batches would have
taken it."""

import math
import threading
from threading import Event

import keras
import numpy as np
import pytest
import tensorflow as tf

from hpt_lab.errors import DataError, HptError
from hpt_lab.training import graph_cache, graphs, stacked
from hpt_lab.training.epochs import batch_order
from hpt_lab.training.philox import uniform
from hpt_lab.training.stacked import can_stack, train_together

layers, optimizers = keras.layers, keras.optimizers
RNG = np.random.default_rng(0)
X = RNG.normal(size=(75, 6)).astype("float32")
Y = (X[:, 0] + X[:, 1] > 0).astype("int32") + (X[:, 2] > 1)
LENGTHS = 70, 60, 64  # 5, 4 and 4 batches of 16, the last ones short: of 6, 12 and 16
RATES = 0.003, 0.01, 0.02
OPTIMIZERS = {
    "sgd": lambda rate: optimizers.SGD(rate),
    "momentum": lambda rate: optimizers.SGD(rate, momentum=0.9),
    "nesterov": lambda rate: optimizers.SGD(rate, momentum=0.9, nesterov=True),
    "rmsprop": lambda rate: optimizers.RMSprop(rate, momentum=0.5),
    "adam": lambda rate: optimizers.Adam(rate),
    "adamw": lambda rate: optimizers.AdamW(rate, weight_decay=10 * rate),
}


def model(optimizer, rate, seed, *, between=()):
    """Build a small net with L2 and dropout whose strengths depend on `rate`."""
    keras.utils.set_random_seed(seed)
    net = keras.Sequential(
        [
            keras.Input((6,), name="x"),
            layers.Dense(8, "relu", kernel_regularizer=keras.regularizers.L2(rate), name="a"),
            *between,
            layers.Dropout(10 * rate, name="d"),
            layers.Dense(3, "softmax", name="b"),
        ],
        name="net",
    )
    net.compile(optimizer(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return net


def fitted(net, rows, seed, validation):
    """Train by model.fit on the batches that `train_together` uses; return its curves."""
    curves = {}
    for epoch in range(3):
        order = batch_order(len(rows[0]), seed=seed, epoch=epoch)
        logs = net.fit(
            rows[0][order],
            rows[1][order],
            batch_size=16,
            shuffle=False,
            verbose=0,
            validation_data=validation,
        )
        for name, values in logs.history.items():
            curves.setdefault(name, []).extend(values)
    return curves


def difference(a, b):
    return max(
        np.abs(p.numpy() - q.numpy()).max()
        for p, q in zip(
            [*a.weights, *a.optimizer.variables], [*b.weights, *b.optimizer.variables], strict=True
        )
    )


ROWS = [(X[:n], Y[:n]) for n in LENGTHS]
VALIDATION = [(X[n:], Y[n:]) for n in LENGTHS]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_member_ends_where_model_fit_would_have_taken_it(name):
    nets, alone = (
        [model(OPTIMIZERS[name], rate, i) for i, rate in enumerate(RATES)] for _ in range(2)
    )
    assert all(map(can_stack, nets))
    together = set()
    trained = train_together(
        nets,
        ROWS,
        epochs=3,
        seeds=range(3),
        batch_size=16,
        validation=VALIDATION,
        jit=name == "adam",
        on_epoch=lambda _, values: together.add(tuple(values)),
    )
    assert together == {(0, 1, 2)}  # one stack of three, not three of one
    for i in range(3):
        curves = fitted(alone[i], ROWS[i], i, VALIDATION[i])
        assert difference(nets[i], alone[i]) < 1e-5
        assert trained[i].curves.keys() == curves.keys()
        for key, values in curves.items():
            assert trained[i].curves[key] == pytest.approx(values, abs=1e-5)
        predicted = alone[i].predict(VALIDATION[i][0], verbose=0)
        assert trained[i].predictions == pytest.approx(predicted, abs=1e-5)


def test_what_cannot_be_stacked_is_trained_one_by_one_with_the_result_of_model_fit():
    nets, alone = (
        [
            model(OPTIMIZERS["adam"], rate, i, between=[layers.BatchNormalization(name="n")])
            for i, rate in enumerate(RATES[:2])
        ]
        for _ in range(2)
    )
    assert not any(map(can_stack, nets))
    seen = []
    trained = train_together(
        nets,
        ROWS[:2],
        epochs=3,
        seeds=range(2),
        batch_size=16,
        validation=VALIDATION[:2],
        test=(X, Y),
        on_epoch=lambda epoch, values: seen.append((epoch, tuple(values))),
    )
    for i in range(2):
        curves = fitted(alone[i], ROWS[i], i, VALIDATION[i])
        assert difference(nets[i], alone[i]) < 1e-5
        assert trained[i].curves["val_loss"] == pytest.approx(curves["val_loss"], abs=1e-5)
        assert len(trained[i].curves["test_accuracy"]) == 3
    assert [epoch for epoch, members in seen if members == (0,)] == [1, 2, 3]
    assert sorted(seen) == [
        (epoch, (i,)) for epoch in (1, 2, 3) for i in range(2)
    ]  # an epoch each in turn
    assert max(at - epoch for epoch, (at, _) in zip((1, 1, 2, 2, 3, 3), seen, strict=True)) <= 1


def test_stackable_models_with_many_batches_train_side_by_side_with_the_result_of_model_fit(
    monkeypatch,
):
    monkeypatch.setattr(stacked, "FEW", 3)
    nets, alone = (
        [model(OPTIMIZERS["adam"], rate, i) for i, rate in enumerate(RATES)] for _ in range(2)
    )
    seen = set()
    train_together(
        nets,
        ROWS,
        epochs=3,
        seeds=range(3),
        batch_size=16,
        jit=False,
        on_epoch=lambda _, values: seen.add(tuple(values)),
    )
    assert seen == {(0,), (1,), (2,)}
    for i in range(3):
        fitted(alone[i], ROWS[i], i, None)
        assert difference(nets[i], alone[i]) < 1e-5


def test_models_that_are_not_stacked_share_what_was_traced(monkeypatch):
    traced, real = [], graphs.Traced.__init__
    monkeypatch.setattr(
        graphs.Traced, "__init__", lambda self, *a, **k: (traced.append(1), real(self, *a, **k))[1]
    )
    graph_cache.GRAPHS.clear()
    nets = [
        model(OPTIMIZERS["adam"], rate, i, between=[layers.BatchNormalization(name="n")])
        for i, rate in enumerate(RATES)
    ]
    train_together(nets, ROWS, epochs=2, seeds=range(3), batch_size=16)
    assert len(traced) == 1


def test_an_error_in_one_thread_reaches_the_caller(monkeypatch):
    monkeypatch.setattr(stacked, "FEW", 3)
    nets = [model(OPTIMIZERS["adam"], rate, i) for i, rate in enumerate(RATES)]

    def report(epoch, values):
        if 2 in values:
            raise KeyError("from on_epoch")

    with pytest.raises(KeyError, match="from on_epoch"):
        train_together(
            nets, ROWS, epochs=50, seeds=range(3), batch_size=16, jit=False, on_epoch=report
        )


def test_models_from_a_generator_are_built_by_the_caller_while_others_train(monkeypatch):
    monkeypatch.setattr(stacked, "FEW", 3)
    monkeypatch.setattr(stacked, "CORES", 2)
    nets, alone = (
        [model(OPTIMIZERS["adam"], rate, i) for i, rate in enumerate(RATES)] for _ in range(2)
    )
    under_way, builders = Event(), set()

    def built():
        for i, net in enumerate(nets):
            builders.add(threading.current_thread())
            assert i == 0 or under_way.wait(60)
            yield net

    trained = train_together(
        built(),
        ROWS,
        epochs=3,
        seeds=range(3),
        batch_size=16,
        validation=VALIDATION,
        jit=False,
        on_epoch=lambda *_: under_way.set(),
    )
    assert builders == {threading.current_thread()}
    for i in range(3):
        curves = fitted(alone[i], ROWS[i], i, VALIDATION[i])
        assert difference(nets[i], alone[i]) < 1e-5
        assert trained[i].curves["val_loss"] == pytest.approx(curves["val_loss"], abs=1e-5)


def test_models_from_a_generator_are_stacked_where_that_pays():
    nets, together = [model(OPTIMIZERS["adam"], rate, i) for i, rate in enumerate(RATES)], set()
    train_together(
        (net for net in nets),
        ROWS,
        epochs=2,
        seeds=range(3),
        batch_size=16,
        on_epoch=lambda _, values: together.add(tuple(values)),
    )
    assert together == {(0, 1, 2)}


def test_a_model_that_cannot_be_built_ends_the_training_of_those_before(monkeypatch):
    monkeypatch.setattr(stacked, "FEW", 3)
    epochs = []

    def built():
        yield model(OPTIMIZERS["adam"], 0.01, 0)
        raise KeyError("from build")

    with pytest.raises(KeyError, match="from build"):
        train_together(
            built(),
            ROWS[:2],
            epochs=10**6,
            seeds=range(2),
            batch_size=16,
            jit=False,
            on_epoch=lambda *_: epochs.append(1),
        )
    assert len(epochs) < 10**6


def test_members_of_one_seed_agree_and_members_of_another_do_not():
    nets = [model(OPTIMIZERS["adam"], 0.01, seed) for seed in (0, 0, 1)]
    nets[2].set_weights(
        nets[0].get_weights()
    )  # what differs is dropout masks and batch order alone
    a, b, c = train_together(nets, (X, Y), epochs=1, seeds=[5, 5, 5], batch_size=16, jit=True)
    assert a.curves == b.curves and a.curves != c.curves


@pytest.mark.parametrize("jit", [True, False])
def test_epochs_in_two_calls_equal_epochs_in_one(jit):
    whole, parts = (
        [model(OPTIMIZERS["adamw"], rate, i) for i, rate in enumerate(RATES)] for _ in range(2)
    )
    train_together(whole, ROWS, epochs=3, seeds=range(3), batch_size=16, jit=jit)
    train_together(parts, ROWS, epochs=1, seeds=range(3), batch_size=16, jit=jit)
    train_together(parts, ROWS, epochs=3, start=1, seeds=range(3), batch_size=16, jit=jit)
    assert all(difference(a, b) == 0 for a, b in zip(whole, parts, strict=True))


def test_a_diverged_member_spoils_no_other():
    nets, calm = (
        [model(OPTIMIZERS["sgd"], 0.01, i) for i in range(2)],
        model(OPTIMIZERS["sgd"], 0.01, 1),
    )
    nets[0].optimizer.learning_rate = 1e30
    trained = train_together(
        nets, (X, Y), epochs=2, seeds=[0, 1], batch_size=16, validation=(X, Y), jit=True
    )
    alone = train_together(
        [calm], (X, Y), epochs=2, seeds=[1], batch_size=16, validation=(X, Y), jit=False
    )
    assert math.isnan(trained[0].curves["loss"][-1]) and math.isnan(
        trained[0].curves["val_accuracy"][-1]
    )
    assert trained[1].curves["val_loss"] == pytest.approx(alone[0].curves["val_loss"], abs=1e-6)


def test_stopping_gives_none_and_leaves_stacked_models_as_they_were():
    nets, stop = [model(OPTIMIZERS["adam"], rate, i) for i, rate in enumerate(RATES)], Event()
    before = [net.get_weights() for net in nets]
    answer = train_together(
        nets,
        ROWS,
        epochs=50,
        seeds=range(3),
        batch_size=16,
        jit=True,
        stop=stop,
        on_epoch=lambda epoch, values: stop.set(),
    )
    assert answer is None
    assert all(
        np.array_equal(a, b)
        for net, old in zip(nets, before, strict=True)
        for a, b in zip(net.get_weights(), old, strict=True)
    )


@pytest.mark.parametrize("jit", [True, False])
@pytest.mark.parametrize("shape", [(3, 7), (32, 64)])
def test_philox_draws_what_tensorflow_draws_with_and_without_xla(shape, jit):
    for seed in ((0, 0), (2**31 - 3, 41)):
        drawn = tf.function(uniform, jit_compile=jit)(tf.constant(seed, tf.int64), shape)
        assert np.array_equal(
            drawn, tf.random.stateless_uniform(shape, tf.constant(seed, tf.int32))
        )


def test_bad_arguments_are_refused_with_a_remedy():
    net = model(OPTIMIZERS["sgd"], 0.01, 0)
    with pytest.raises(HptError, match="one for each model"):
        train_together([net], (X, Y), epochs=1, seeds=[])
    with pytest.raises(HptError, match="different objects"):
        train_together([net, net], (X, Y), epochs=1, seeds=[0, 1])
    with pytest.raises(DataError, match="validation must be a tuple"):
        train_together([net], (X, Y), epochs=1, seeds=[0], validation=[])


@pytest.mark.parametrize(
    "between", [(), (layers.BatchNormalization(name="n"),)], ids=["stacked", "alone"]
)
def test_rows_may_have_weights_stacked_or_alone(between):
    weight = np.linspace(0.1, 2.0, len(X)).astype("float32")
    fresh = [layer.__class__.from_config(layer.get_config()) for layer in between]
    nets = [model(OPTIMIZERS["sgd"], 0.0, 1, between=fresh)]
    again = [layer.__class__.from_config(layer.get_config()) for layer in between]
    alone = model(OPTIMIZERS["sgd"], 0.0, 1, between=again)
    got = train_together(
        nets, [(X, Y, weight)], epochs=3, batch_size=len(X), seeds=[0], validation=(X, Y)
    )
    truth = alone.fit(
        X, Y, sample_weight=weight, epochs=3, batch_size=len(X), verbose=0, validation_data=(X, Y)
    )
    assert got[0].curves["val_loss"] == pytest.approx(truth.history["val_loss"], rel=1e-5)

"""What a trial computes never depends on which graphs other trials left behind, whatever its model
is made of."""

from __future__ import annotations

import functools

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import layers  # noqa: E402

from hpt_lab import datasets  # noqa: E402
from hpt_lab.training import graph_cache  # noqa: E402
from hpt_lab.training.compiled import everything  # noqa: E402
from hpt_lab.training.description import describe  # noqa: E402
from hpt_lab.training.objective import KerasObjective, build_model  # noqa: E402
from hpt_lab.training.stacked import train_together  # noqa: E402
from hpt_lab.trial import Trial  # noqa: E402

DATA = datasets.two_moons(n=100)
X, Y = DATA.x_train, DATA.y_train
READ = {"factor": 1.0}


class Scale(layers.Layer):
    factor = 1.0

    def call(self, x):
        return x * self.factor


class Reader(layers.Layer):
    def call(self, x):
        return x * READ["factor"]


@keras.saving.register_keras_serializable(package="keras", name="Dense")
class Dense(layers.Dense):
    """Has the name, the registration and the config of Keras' own layer, but not its arithmetic."""

    factor = 1.0

    def call(self, inputs, training=None):
        return super().call(inputs) * self.factor


class Cell(layers.SimpleRNNCell):
    factor = 1.0

    def call(self, inputs, states, training=False):
        out, new = super().call(inputs, states)
        return out * self.factor, new


class Network(keras.Model):
    def __init__(self, factor):
        super().__init__()
        self.factor, self.out = factor, layers.Dense(2, activation="softmax")

    def call(self, x):
        return self.out(x * self.factor)


class Penalty(keras.regularizers.Regularizer):
    factor = 0.0

    def __call__(self, w):
        return self.factor * keras.ops.sum(w * w)


class Positive(keras.constraints.Constraint):
    factor = 1.0

    def __call__(self, w):
        return keras.ops.clip(w, -self.factor, self.factor)


class Loss(keras.losses.SparseCategoricalCrossentropy):
    factor = 1.0

    def call(self, y_true, y_pred):
        return self.factor * super().call(y_true, y_pred)


class Slower(keras.optimizers.SGD):
    factor = 1.0

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient * self.factor, variable, learning_rate)


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    factor = 1.0

    def __call__(self, step):
        return 0.1 * self.factor


def net(*before, loss="sparse_categorical_crossentropy", optimizer=None, last=None, **options):
    model = keras.Sequential(
        [keras.Input((2,)), *before, last or layers.Dense(2, activation="softmax")]
    )
    model.compile(optimizer or keras.optimizers.SGD(0.1), loss, **options)
    return model


def having(thing, factor):
    thing.factor = factor
    return thing


def changed(model, change):
    change(model)
    return model


def bound(f):
    layer = layers.Dense(3)
    call = layer.call
    layer.call = lambda x, training=None: call(x) * f
    return net(layer)


def from_global(f):
    READ["factor"] = f
    return net(Reader())


def nested(f):
    inside = keras.Sequential([keras.Input((2,)), having(Scale(), f), layers.Dense(3)])
    return net(inside)


def functional_lambda(f):
    inputs = keras.Input((2,))
    out = layers.Dense(2, activation="softmax")(layers.Lambda(lambda x: x * f)(inputs))
    model = keras.Model(inputs, out)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def own_compute_loss(f):
    class Own(keras.Sequential):
        def compute_loss(self, *args, **options):
            return f * super().compute_loss(*args, **options)

    model = Own([keras.Input((2,)), layers.Dense(2, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def subclassed(f):
    model = Network(f)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def weight_decay_excluded(f):
    optimizer = keras.optimizers.AdamW(0.05, weight_decay=0.5)
    if f > 1:
        optimizer.exclude_from_weight_decay(var_names=["kernel"])
    return net(layers.Dense(3), optimizer=optimizer)


def set_epsilon(f):
    keras.config.set_epsilon(1e-7 if f == 1 else 0.3)  # a constant of the clipped cross-entropy
    return net()


def wrapped(f):
    rows = layers.Reshape((2, 1))
    return net(rows, layers.RNN(having(Cell(3), f)))


def frozen(f):
    model = net(layers.Dense(3, name="first"))
    model.get_layer("first").trainable = f == 1
    return model


def activation(f):
    return lambda x: f * x


ZOO = {
    "an attribute set later": lambda f: net(having(Scale(), f)),
    "a global": from_global,
    "a name and a registration like Keras'": lambda f: net(having(Dense(3), f)),
    "a bound call": bound,
    "a nested model": nested,
    "inside TimeDistributed": lambda f: net(
        layers.Reshape((2, 1)), layers.TimeDistributed(having(Dense(3), f)), layers.Flatten()
    ),
    "a cell of a recurrent layer": wrapped,
    "a Lambda layer": functional_lambda,
    "an activation that closes over": lambda f: net(layers.Dense(3, activation=activation(f))),
    "a partial as activation": lambda f: net(
        layers.Dense(3, functools.partial(keras.activations.leaky_relu, negative_slope=f))
    ),
    "a subclassed model": subclassed,
    "a regularizer": lambda f: net(layers.Dense(3, kernel_regularizer=having(Penalty(), f))),
    "a constraint": lambda f: net(layers.Dense(3, kernel_constraint=having(Positive(), f / 100))),
    "a loss": lambda f: net(loss=having(Loss(), f)),
    "a loss function": lambda f: net(
        loss=lambda y, p: f * keras.losses.sparse_categorical_crossentropy(y, p)
    ),
    "an optimizer": lambda f: net(optimizer=having(Slower(0.1), f)),
    "a schedule": lambda f: net(optimizer=keras.optimizers.SGD(having(Schedule(), f))),
    "compute_loss": own_compute_loss,
    "Keras' layer, activation set later": lambda f: changed(
        net(layers.Dense(3)), lambda m: setattr(m.layers[0], "activation", activation(f))
    ),
    "Keras' layer, Keras' activation set later": lambda f: changed(
        net(layers.Dense(3)),
        lambda m: setattr(
            m.layers[0], "activation", keras.activations.relu if f == 1 else keras.activations.tanh
        ),
    ),
    "a slope set later": lambda f: changed(
        net(layers.LeakyReLU()), lambda m: setattr(m.layers[0], "negative_slope", f)
    ),
    "a rate set later": lambda f: changed(
        net(layers.Dense(9), layers.Dropout(0.1)), lambda m: setattr(m.layers[1], "rate", 0.8 / f)
    ),
    "frozen": frozen,
    "an optimizer's attribute set later": lambda f: changed(
        net(optimizer=keras.optimizers.Adam(0.1)), lambda m: setattr(m.optimizer, "beta_1", 0.9 / f)
    ),
    "weights without decay": weight_decay_excluded,
    "a setting of Keras": set_epsilon,
    "what Normalization adapted to": lambda f: net(
        layers.Normalization(mean=[0.0, 0.0], variance=[f, 1.0])
    ),
}


@pytest.fixture(autouse=True)
def settings():
    yield
    keras.config.set_epsilon(1e-7)


@pytest.mark.parametrize("kind", ZOO)
@pytest.mark.filterwarnings("error:training")
def test_no_trial_gets_what_another_trials_graph_computes(kind):
    def run(objective, id, factor):
        return objective.run(Trial(id, {"factor": factor}, 2))

    def build(config):
        return ZOO[kind](config["factor"])

    def objective():
        return KerasObjective(build, DATA, metric="loss")

    graph_cache.GRAPHS.clear()
    alone = run(objective(), 1, 4.0)
    graph_cache.GRAPHS.clear()
    shared = objective()
    first = run(shared, 0, 1.0)
    second = run(shared, 1, 4.0)
    assert (second.error, second.curves) == (alone.error, alone.curves)
    assert first.curves != second.curves


@pytest.mark.parametrize("kind", ZOO)
def test_models_trained_together_are_trained_as_if_alone(kind):
    if kind in ("a global", "a setting of Keras"):
        pytest.skip("all of them read the last value when they are traced, under model.fit too")

    def models():
        return [
            build_model(lambda c: ZOO[kind](c["factor"]), {"factor": f}, seed=[i], x=X)
            for i, f in enumerate((1.0, 4.0))
        ]

    together = train_together(models(), (X, Y), epochs=2, seeds=[0, 1], validation=(X, Y))
    for i, model in enumerate(models()):
        graph_cache.GRAPHS.clear()
        alone = train_together([model], (X, Y), epochs=2, seeds=[i], validation=(X, Y))
        for name, values in alone[0].curves.items():
            np.testing.assert_allclose(together[i].curves[name], values, rtol=1e-4, atol=1e-5)


def test_patched_method_of_keras_own_class_shares_nothing(monkeypatch):
    model = build_model(lambda c: net(layers.Dense(3)), {}, seed=[0], x=X)
    assert describe(model, everything(model)).foreign is None
    monkeypatch.setattr(layers.Dense, "call", lambda self, x, training=None: x)
    assert describe(model, everything(model)).foreign is not None


OWN = {
    "dense": lambda: net(layers.Dense(4, "relu", kernel_regularizer="l2"), layers.Dropout(0.2)),
    "batch norm": lambda: net(
        layers.Dense(4), layers.BatchNormalization(), layers.Activation("gelu")
    ),
    "convolution": lambda: net(
        layers.Reshape((2, 1)), layers.Conv1D(3, 2, padding="same"), layers.Flatten()
    ),
    "recurrent": lambda: net(layers.Reshape((2, 1)), layers.Bidirectional(layers.LSTM(3))),
    "attention": lambda: net(
        layers.Reshape((2, 1)), layers.TimeDistributed(layers.Dense(2)), layers.GRU(3)
    ),
    "schedule": lambda: net(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 9))
    ),
    "weight decay": lambda: weight_decay_excluded(4),
    "metrics": lambda: net(metrics=["accuracy", keras.metrics.SparseTopKCategoricalAccuracy(1)]),
    "loss object": lambda: net(loss=keras.losses.SparseCategoricalCrossentropy()),
}


@pytest.mark.parametrize("kind", OWN)
def test_keras_own_parts_are_described_the_same_in_every_trial(kind):
    """Else every trial would trace a graph of its own."""
    found = set()
    for seed in (0, 1):
        model = build_model(lambda c: OWN[kind](), {}, seed=[seed], x=X)
        rows = DATA.x_train, DATA.y_train
        from hpt_lab.training.compiled import make_metrics

        make_metrics(model, rows)
        described = describe(model, everything(model))
        assert described.foreign is None
        found.add(described.digest)
    assert len(found) == 1

"""One epoch as one graph call, against the oracle: `model.fit` fed the same batches."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest

keras = pytest.importorskip("keras")
import tensorflow as tf  # noqa: E402
from keras import layers  # noqa: E402

from hpt_lab.errors import BuildError, DataError, HptError  # noqa: E402
from hpt_lab.training import graphs  # noqa: E402
from hpt_lab.training.epochs import Trainer, as_rows, batch_order, fit  # noqa: E402
from hpt_lab.training.objective import build_model  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(101, 16)).astype(np.float32)  # 101 rows: with batches of 32 the last one has 5
Y = (X[:, 0] + X[:, 1] > 0).astype(np.int32) + (X[:, 2] > 0.5)  # three classes
XV, YV = RNG.normal(size=(40, 16)).astype(np.float32), RNG.integers(0, 3, 40).astype(np.int32)
EPOCHS = 3


def mlp(
    *extra,
    optimizer=None,
    loss="sparse_categorical_crossentropy",
    units=3,
    activation="softmax",
    **dense,
):
    def build(config=None):
        model = keras.Sequential(
            [
                layers.Dense(12, activation="relu", **dense),
                *[make() for make in extra],
                layers.Dense(units, activation=activation),
            ]
        )
        model.compile(
            optimizer() if optimizer else keras.optimizers.Adam(0.01), loss, jit_compile=False
        )
        return model

    return build


class Activity(layers.Layer):
    """A layer whose loss depends on what flows through it."""

    def call(self, x):
        self.add_loss(0.01 * keras.ops.mean(keras.ops.square(x)))
        return x


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden, self.drop, self.out = (
            layers.Dense(9, activation="tanh"),
            layers.Dropout(0.2),
            layers.Dense(3),
        )

    def call(self, x, training=False):
        return self.out(self.drop(self.hidden(x), training=training))


def functional(config=None):
    inputs = keras.Input((16,))
    a, b = layers.Dense(8, activation="relu")(inputs), layers.Dense(8, activation="tanh")(inputs)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(layers.Concatenate()([a, b])))
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
    return model


class Unused(layers.Layer):
    """A layer with a weight that has no gradient; Keras leaves it alone, weight decay included."""

    def build(self, shape):
        self.weight = self.add_weight(shape=(5,), initializer="ones")

    def call(self, x):
        return x


def functional_unused(config=None):
    return mlp(Unused, optimizer=lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1))()


def subclassed(config=None):
    model = Subclassed()
    model.compile(
        "adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False
    )
    return model


def cnn(config=None):
    model = keras.Sequential(
        [
            layers.Reshape((4, 4, 1)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", jit_compile=False)
    return model


def schedule():
    return keras.optimizers.SGD(
        keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=4, decay_rate=0.5)
    )


class Rotate(layers.Layer):
    """A layer that calls a function traced earlier, whose loop was made for many threads."""

    @staticmethod
    @tf.function(input_signature=[tf.TensorSpec([None, 12])])
    def turned(x):
        return tf.while_loop(
            lambda i, _: i < 3, lambda i, x: (i + 1, tf.roll(x, 1, axis=1)), [0, x]
        )[1]

    def call(self, x):
        return self.turned(x)


Rotate.turned(tf.zeros([1, 12]))


CASES = {
    "adam": (mlp(), Y, None),
    "a function traced before": (mlp(Rotate), Y, None),
    "an unused weight": (functional_unused, Y, None),
    "SGD with momentum": (mlp(optimizer=lambda: keras.optimizers.SGD(0.05, momentum=0.9)), Y, None),
    "RMSprop": (mlp(optimizer=lambda: keras.optimizers.RMSprop(0.005)), Y, None),
    "AdamW with clipping": (
        mlp(optimizer=lambda: keras.optimizers.AdamW(0.01, weight_decay=0.01, clipnorm=1.0)),
        Y,
        None,
    ),
    "loss scaling, conditions in a condition": (
        mlp(optimizer=lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01))),
        Y,
        None,
    ),
    "learning-rate schedule": (mlp(optimizer=schedule), Y, None),
    "batch norm": (mlp(layers.BatchNormalization), Y, None),
    "dropout": (mlp(lambda: layers.Dropout(0.3)), Y, None),
    "L2": (mlp(kernel_regularizer=keras.regularizers.L2(0.01)), Y, None),
    "L1 and L2 at once": (
        mlp(kernel_regularizer=keras.regularizers.L1L2(0.01, 0.01), bias_regularizer="l1"),
        Y,
        None,
    ),
    "add_loss": (mlp(Activity), Y, None),
    "sample weights": (mlp(), Y, RNG.random(101).astype(np.float32)),
    "one-hot labels": (mlp(loss="categorical_crossentropy"), np.eye(3, dtype=np.float32)[Y], None),
    "regression": (mlp(loss="mse", units=1, activation=None), X[:, 3] * 2, None),
    "binary logits": (
        mlp(loss=keras.losses.BinaryCrossentropy(from_logits=True), units=1, activation=None),
        Y > 0,
        None,
    ),
    "functional": (functional, Y, None),
    "subclassed": (subclassed, Y, None),
    "convolution": (cnn, Y, None),
}


def model_fit(model, x, y, weight, *, validation, batch_size=32, seed=0):
    """Train with Keras' own loop on the batches that `batch_order` names."""
    curves: dict[str, list[float]] = {}
    for epoch in range(EPOCHS):
        order = batch_order(len(x), seed=seed, epoch=epoch)
        history = model.fit(
            x[order],
            y[order],
            sample_weight=None if weight is None else weight[order],
            verbose=0,
            batch_size=batch_size,
            shuffle=False,
            validation_data=validation,
        ).history
        for name, values in history.items():
            curves.setdefault(name, []).extend(values)
    return curves


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.filterwarnings("error:training")  # none of them may fall back to model.fit
def test_weights_and_losses_equal_model_fit(case, jit):
    build, y, weight = CASES[case]
    if jit and case not in ("adam", "dropout", "batch norm"):
        pytest.skip(
            "XLA compiles for seconds: the last short batch and the stateful layers are enough"
        )
    validation = (XV, y[:40])
    ours, theirs = (build_model(build, {}, seed=[7], x=X) for _ in range(2))
    if jit and case == "dropout":  # XLA draws other random numbers
        for model in (ours, theirs):
            model.layers[1].rate = 0.0
    curves = fit(ours, X, y, epochs=EPOCHS, validation=validation, sample_weight=weight, jit=jit)
    expected = model_fit(theirs, X, y, weight, validation=validation)
    for mine, keras_own in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(np.array(mine), np.array(keras_own), atol=1e-5)
    np.testing.assert_allclose(curves["loss"], expected["loss"], atol=1e-5)
    np.testing.assert_allclose(curves["val_loss"], expected["val_loss"], atol=1e-5)


@pytest.mark.parametrize(
    "optimizer", [keras.optimizers.Adam, keras.optimizers.RMSprop, keras.optimizers.SGD]
)
def test_embeddings_whose_gradients_are_sparse_equal_model_fit(optimizer):
    """Keras squares the parts of a sparse gradient one by one, so a dense one would give another
    Adam."""
    x = np.random.default_rng(0).integers(0, 12, (101, 5)).astype(np.int32)

    def build(config):
        model = keras.Sequential(
            [layers.Embedding(20, 4), layers.Flatten(), layers.Dense(3, activation="softmax")]
        )
        model.compile(optimizer(0.01), "sparse_categorical_crossentropy", jit_compile=False)
        return model

    ours, theirs = (build_model(build, {}, seed=[1], x=x) for _ in range(2))
    fit(ours, x, Y, epochs=EPOCHS)
    model_fit(theirs, x, Y, None, validation=None)
    for mine, keras_own in zip(
        [*ours.weights, *ours.optimizer.variables],
        [*theirs.weights, *theirs.optimizer.variables],
        strict=True,
    ):
        np.testing.assert_allclose(np.array(mine), np.array(keras_own), atol=1e-5)


def test_accuracies_equal_keras_metric():
    for build, y in (
        (mlp(), Y),
        (mlp(loss="categorical_crossentropy"), np.eye(3, dtype=np.float32)[Y]),
        (mlp(loss="binary_crossentropy", units=1, activation="sigmoid"), (Y > 0).astype(np.int32)),
    ):
        model = build_model(build, {}, seed=[1], x=X)
        trainer = Trainer(model, X, y, validation=(X, y))
        logs = trainer.epoch()
        model.compile(model.optimizer, model.loss, metrics=["accuracy"])
        assert logs["val_accuracy"] == pytest.approx(
            model.evaluate(X, y, verbose=0, return_dict=True)["accuracy"], abs=1e-6
        )


def test_regression_has_no_accuracy():
    model = build_model(mlp(loss="mse", units=1, activation=None), {}, seed=[0], x=X)
    assert set(fit(model, X, X[:, 0], epochs=1, validation=(XV, XV[:, 0]))) == {"loss", "val_loss"}


def test_chunks_of_an_epoch_change_no_bit(monkeypatch):
    """How often an epoch's graph call is interrupted depends on the clock, so it must not
    matter."""
    results = []
    for first_steps, seconds in ((1, 1e-9), (1000, 10.0)):
        monkeypatch.setattr(graphs, "FIRST_STEPS", first_steps)
        monkeypatch.setattr(graphs, "CALL_SECONDS", seconds)
        model = build_model(mlp(lambda: layers.Dropout(0.3)), {}, seed=[0], x=X)
        curves = fit(model, X, Y, epochs=3, validation=(XV, YV), batch_size=8)
        results.append((curves, [np.array(w).tobytes() for w in model.weights]))
    assert results[0] == results[1]


def test_learning_rate_dropout_and_l2_change_without_a_new_trace():
    def build(config):
        return mlp(
            lambda: layers.Dropout(config["rate"]),
            kernel_regularizer=keras.regularizers.L2(config["l2"]),
        )()

    changed = build_model(build, {"rate": 0.5, "l2": 0.1}, seed=[0], x=X)
    trainer = Trainer(changed, X, Y)
    graph = trainer.graph
    changed.layers[1].rate, changed.layers[0].kernel_regularizer.l2 = 0.2, 0.01
    changed.optimizer.learning_rate.assign(0.003)
    trainer.epoch()
    fresh = build_model(build, {"rate": 0.2, "l2": 0.01}, seed=[0], x=X)
    fresh.optimizer.learning_rate.assign(0.003)
    expected = Trainer(fresh, X, Y).epoch()
    assert trainer.curves["loss"] == [expected["loss"]]
    assert trainer.graph is graph
    assert changed.layers[1].rate == 0.2  # still a plain number to whoever looks


def test_model_with_its_own_train_step_falls_back_to_model_fit_with_one_warning():
    class Own(keras.Sequential):
        def train_step(self, data):
            return super().train_step(data)

    def build(config):
        model = Own([layers.Dense(3, activation="softmax")])
        model.compile(
            "adam", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False
        )
        return model

    def plain(config):
        model = keras.Sequential([layers.Dense(3, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
        return model

    with pytest.warns(UserWarning, match="its own train_step") as caught:
        slow = fit(build_model(build, {}, seed=[0], x=X), X, Y, epochs=2, validation=(XV, YV))
    assert len(caught) == 1
    fast = fit(build_model(plain, {}, seed=[0], x=X), X, Y, epochs=2, validation=(XV, YV))
    assert set(slow) == set(fast)
    for name in fast:
        np.testing.assert_allclose(slow[name], fast[name], atol=1e-5)


def test_untraceable_model_is_trained_eagerly_as_it_was_compiled():
    class Peeking(layers.Layer):
        def call(self, x):
            return x * float(
                np.sign(keras.ops.convert_to_numpy(x)[0, 0] ** 2 + 1)
            )  # needs values: no graph has them

    model = keras.Sequential([Peeking(), layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
    with pytest.warns(UserWarning, match="run_eagerly"):
        assert len(fit(model, X, Y, epochs=1)["loss"]) == 1


def test_stop_is_obeyed_within_a_fifth_of_a_second_inside_an_epoch():
    x = np.repeat(X, 4000, axis=0)  # one epoch in batches of 2 takes minutes
    stop = threading.Event()
    trainer = Trainer(build_model(mlp(), {}, seed=[0], x=X), x, np.repeat(Y, 4000), batch_size=2)
    threading.Timer(0.5, stop.set).start()
    assert trainer.run(1, stop=stop) is False
    assert trainer.epochs_done == 0
    assert (
        trainer.graph.seconds_per_step
        * max(1, int(graphs.CALL_SECONDS / trainer.graph.seconds_per_step))
        < 0.2
    )


def test_divergence_ends_training_and_says_so():
    build = mlp(optimizer=lambda: keras.optimizers.SGD(1e30), loss="mse", units=1, activation=None)
    model = build_model(build, {}, seed=[0], x=X)
    trainer = Trainer(model, X, X[:, 0], validation=(XV, XV[:, 0]))
    assert trainer.run(50) is True
    assert "smaller learning rate" in trainer.ended
    assert trainer.epochs_done < 5
    assert math.isnan(trainer.curves["loss"][-1])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
@pytest.mark.parametrize("part", ["x", "y", "sample_weight", "validation", "tensor", "dictionary"])
def test_missing_values_are_refused_rather_than_blamed_on_the_learning_rate(part, value):
    def spoiled(array):
        array = np.array(array, dtype=float)
        array.reshape(-1)[-2] = value
        return array

    x, y, more = X, Y, {}
    if part == "y":
        y = spoiled(y)
    elif part == "sample_weight":
        more = {part: spoiled(np.ones(len(x)))}
    elif part == "validation":
        more = {part: (spoiled(XV), YV)}
    elif part == "tensor":
        x = tf.constant(spoiled(x), tf.float32)
    elif part == "dictionary":
        x = {"a": x, "b": spoiled(x)}
    else:
        x = spoiled(x)
    name = part if part in ("y", "sample_weight") else "x"
    with pytest.raises(
        DataError,
        match=rf"^{name}.* NaN or infinite values in 1 rows, the first in row \d+.*impute or drop",
    ):
        fit(mlp()(), x, y, epochs=1, **more)


def test_large_values_whose_sum_overflows_are_no_missing_ones():
    rows = as_rows(np.full((4, 2), 3e38, np.float32), np.zeros(4))
    assert np.isfinite(rows[0].numpy()).all()


def test_early_stopping_and_plateau_and_csv_logger_do_as_under_model_fit(tmp_path):
    def callbacks(path):
        return [
            keras.callbacks.ReduceLROnPlateau(
                monitor="val_loss", patience=1, factor=0.1, min_delta=10.0
            ),
            keras.callbacks.EarlyStopping(
                monitor="val_loss", patience=3, min_delta=10.0, restore_best_weights=True
            ),
            keras.callbacks.CSVLogger(path),
        ]

    ours, theirs = (build_model(mlp(), {}, seed=[3], x=X) for _ in range(2))
    curves = fit(
        ours,
        X[:32],
        Y[:32],
        epochs=20,
        validation=(XV, YV),
        callbacks=callbacks(tmp_path / "ours.csv"),
    )
    history = theirs.fit(
        X[:32],
        Y[:32],
        epochs=20,
        verbose=0,
        validation_data=(XV, YV),
        callbacks=callbacks(tmp_path / "theirs.csv"),
    )
    assert len(curves["val_loss"]) == len(history.history["val_loss"]) == 4
    np.testing.assert_allclose(
        curves["val_loss"], history.history["val_loss"], atol=1e-5
    )  # one batch: order is moot
    assert float(ours.optimizer.learning_rate) == pytest.approx(
        float(theirs.optimizer.learning_rate)
    )
    for mine, keras_own in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(
            np.array(mine), np.array(keras_own), atol=1e-5
        )  # both restored to epoch 1
    assert len((tmp_path / "ours.csv").read_text().splitlines()) == 5


def test_batch_order_depends_on_every_seed_and_the_epoch():
    orders = [
        batch_order(50, seed=seed, epoch=epoch).tolist()
        for seed in (0, 1, (0, 1), (1, 2))
        for epoch in (0, 1)
    ]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({tuple(order) for order in orders}) == len(orders)


def test_bad_arguments_are_named():
    model = mlp()()
    with pytest.raises(HptError, match="batch_size must be"):
        Trainer(model, X, Y, batch_size=0)
    with pytest.raises(DataError, match="same number of rows"):
        Trainer(model, X, Y[:5])
    with pytest.raises(HptError, match="epochs must be"):
        fit(model, X, Y, epochs=0)
    with pytest.raises(HptError, match="jit must be"):
        fit(model, X, Y, epochs=1, jit="always")
    with pytest.raises(DataError, match="no validation data"):
        Trainer(model, X, Y).evaluate()
    with pytest.raises(BuildError, match=r"model\.compile"):
        Trainer(keras.Sequential([layers.Dense(3)]), X, Y)
    with pytest.raises(BuildError, match="drop use_ema"):
        Trainer(mlp(optimizer=lambda: keras.optimizers.Adam(use_ema=True))(), X, Y)


def test_xla_is_chosen_for_long_dense_trainings_alone():
    dense, conv = build_model(mlp(), {}, seed=[0], x=X), build_model(cnn, {}, seed=[0], x=X)
    assert graphs.use_xla(dense, "auto", steps=20_000)
    assert not graphs.use_xla(dense, "auto", steps=19_999)
    assert not graphs.use_xla(conv, "auto", steps=10**6)
    assert graphs.use_xla(conv, True, steps=1)
    assert not graphs.use_xla(dense, False, steps=10**6)


def test_a_trainer_runs_on_after_a_run_with_its_callbacks_told_of_both():
    class Ends(keras.callbacks.Callback):
        began = ended = 0

        def on_train_begin(self, logs=None):
            self.began += 1

        def on_train_end(self, logs=None):
            self.ended += 1

    ends = Ends()
    twice = Trainer(build_model(mlp(), {}, seed=[7], x=X), X, Y, callbacks=[ends])
    assert twice.run(2) and twice.run(5)
    once = fit(build_model(mlp(), {}, seed=[7], x=X), X, Y, epochs=5)
    assert twice.curves == once and (ends.began, ends.ended) == (2, 2)

"""What a model was compiled with is measured as under `model.fit`, under the same names."""

from __future__ import annotations

import threading

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import layers, metrics  # noqa: E402

from hpt_lab import datasets  # noqa: E402
from hpt_lab.errors import BuildError, HptError  # noqa: E402
from hpt_lab.training.epochs import Trainer, batch_order, fit  # noqa: E402
from hpt_lab.training.objective import KerasObjective, build_model  # noqa: E402
from hpt_lab.trial import Trial  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(101, 6)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int32)
XV, YV = RNG.normal(size=(75, 6)).astype(np.float32), RNG.integers(0, 2, 75).astype(np.int32)
DATA = datasets.two_moons(n=200)
EPOCHS = 2


def root_mean_square(y, p):
    """A metric that is no mean over rows: it depends on how they are cut into batches."""
    return keras.ops.sqrt(
        keras.ops.mean(keras.ops.square(keras.ops.cast(keras.ops.reshape(y, (-1, 1)), p.dtype) - p))
    )


class Entropy(layers.Layer):
    """A layer that measures something itself."""

    def __init__(self):
        super().__init__()
        self.mean = metrics.Mean(name="spread")

    def call(self, x):
        self.mean.update_state(keras.ops.std(x))
        return x


class Tracked(keras.Model):
    """The example of Keras' documentation: a model with its own loss and the tracker of it."""

    def __init__(self):
        super().__init__()
        self.out, self.tracker = layers.Dense(1, "sigmoid"), metrics.Mean(name="own_loss")

    def call(self, x):
        return self.out(x)

    def compute_loss(self, x, y, y_pred, sample_weight, training=True):
        loss = keras.ops.mean(
            keras.ops.square(y_pred - keras.ops.cast(keras.ops.reshape(y, (-1, 1)), "float32"))
        )
        self.tracker.update_state(loss)
        return loss


class Steps(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


class Results(keras.Sequential):
    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, y, y_pred, sample_weight) | {"seven": 7.0}


def binary(
    *before, last="sigmoid", kind=keras.Sequential, loss="binary_crossentropy", units=1, **options
):
    def build(config=None):
        model = kind([keras.Input((6,)), *[make() for make in before], layers.Dense(units, last)])
        model.compile(keras.optimizers.Adam(0.02), loss, jit_compile=False, **options)
        return model

    return build


def tracked(config=None):
    model = Tracked()
    model.compile("adam", metrics=["mae"], jit_compile=False)
    return model


def two_outputs(config=None):
    inputs = keras.Input((6,))
    model = keras.Model(
        inputs,
        {"a": layers.Dense(1, "sigmoid", name="a")(inputs), "b": layers.Dense(1, name="b")(inputs)},
    )
    model.compile(
        "adam",
        {"a": "binary_crossentropy", "b": "mse"},
        loss_weights={"a": 1.0, "b": 0.5},
        metrics={"a": ["accuracy", "auc"], "b": "mae"},
        jit_compile=False,
    )
    return model


def stepping(config=None):
    inputs = keras.Input((6,))
    model = Steps(inputs, layers.Dense(1, "sigmoid")(inputs))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", "auc"], jit_compile=False)
    return model


CASES = {
    "none": binary(),
    "accuracy": binary(metrics=["accuracy"]),
    "acc": binary(metrics=["acc"]),
    "AUC": binary(metrics=[metrics.AUC], last="sigmoid"),
    "several": binary(metrics=["accuracy", "mae", metrics.Precision, metrics.Recall]),
    "accuracy of logits": binary(
        last=None, loss=keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"]
    ),
    "softmax": binary(
        units=2, last="softmax", loss="sparse_categorical_crossentropy", metrics=["accuracy", "acc"]
    ),
    "a function": binary(metrics=[root_mean_square]),
    "weighted": binary(weighted_metrics=["accuracy", "mse"], metrics=["accuracy"]),
    "mse as loss and as metric": binary(loss="mse", metrics=["mse"]),
    "a layer's own": binary(Entropy),
    "a loss in a list": binary(loss=["binary_crossentropy"], metrics=[["accuracy"]]),
    "an activity penalty": binary(
        lambda: layers.Dense(4, activity_regularizer="l2"), metrics=["mae"]
    ),
    "dice": binary(loss="dice", metrics=["mae"]),
    "compute_loss": tracked,
    "two outputs": two_outputs,
    "train_step": stepping,
    "compute_metrics": binary(kind=Results),
}


def fresh(build):
    """Metric classes become objects inside build, as they must."""

    def made(config=None):
        model = build(config)
        asked = model._compile_metrics._user_metrics if model._compile_metrics else None
        if isinstance(asked, list) and any(isinstance(m, type) for m in asked):
            model.compile(
                model.optimizer,
                model.loss,
                jit_compile=False,
                metrics=[m(name=m.__name__) if isinstance(m, type) else m for m in asked],
            )
        return model

    return made


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.filterwarnings("ignore:training")
def test_names_and_values_equal_model_fit(case, weighted):
    build = fresh(CASES[case])
    weight = RNG.random(101).astype(np.float32) if weighted else None
    y, yv = ({"a": Y, "b": X[:, 1]}, {"a": YV, "b": XV[:, 1]}) if case == "two outputs" else (Y, YV)
    if weighted and case in ("two outputs", "compute_loss"):
        pytest.skip("weights for several outputs are Keras' own affair")
    ours, theirs = (build_model(build, {}, seed=[7], x=X) for _ in range(2))
    curves = fit(ours, X, y, epochs=EPOCHS, validation=(XV, yv), sample_weight=weight)
    for epoch in range(EPOCHS):
        order = batch_order(101, seed=0, epoch=epoch)
        shuffled = (
            {name: part[order] for name, part in y.items()} if isinstance(y, dict) else y[order]
        )
        expected = theirs.fit(
            X[order],
            shuffled,
            sample_weight=None if weight is None else weight[order],
            shuffle=False,
            verbose=0,
            validation_data=(XV, yv),
        ).history
        assert set(expected) <= set(curves)
        for name, values in expected.items():
            assert curves[name][epoch] == pytest.approx(values[0], abs=1e-5), name


@pytest.mark.parametrize(
    ("callback", "epochs"),
    [
        (lambda: keras.callbacks.EarlyStopping("val_auc", mode="max", patience=2), 40),
        (
            lambda: keras.callbacks.ReduceLROnPlateau(
                "val_auc", mode="max", patience=1, factor=0.1
            ),
            8,
        ),
    ],
)
def test_callbacks_that_watch_a_compiled_metric_act_as_under_model_fit(callback, epochs):
    def build(config):
        return fresh(binary(metrics=[metrics.AUC]))()

    ours, theirs = (build_model(build, {}, seed=[1], x=X) for _ in range(2))
    for model in (ours, theirs):
        model.compile(model.optimizer, model.loss, metrics=[metrics.AUC(name="auc")])
    curves = fit(
        ours, X, Y, epochs=epochs, validation=(X, Y), callbacks=[callback()], batch_size=101
    )
    order = batch_order(101, seed=0, epoch=0)  # whole batches: the order of rows is no matter
    expected = theirs.fit(
        X[order],
        Y[order],
        epochs=epochs,
        batch_size=101,
        shuffle=False,
        verbose=0,
        validation_data=(X, Y),
        callbacks=[callback()],
    ).history
    np.testing.assert_allclose(curves["val_auc"], expected["val_auc"], atol=1e-5)
    assert float(ours.optimizer.learning_rate) == pytest.approx(
        float(theirs.optimizer.learning_rate)
    )


def moons(config, **options):
    model = keras.Sequential([layers.Dense(8, "relu"), layers.Dense(1, "sigmoid")])
    model.compile(
        keras.optimizers.Adam(0.02),
        "binary_crossentropy",
        metrics=[metrics.AUC(name="auc")],
        **options,
    )
    return model


def test_compiled_metrics_reach_curves_and_outcomes_with_and_without_folds():
    one = KerasObjective(moons, DATA).run(Trial(0, {}, 3))
    assert len(one.curves["val_auc"]) == 3 and one.metrics["val_auc"] == pytest.approx(
        one.curves["val_auc"][-1]
    )
    folds = KerasObjective(moons, DATA, folds=3).run(Trial(0, {}, 2))
    assert folds.metrics["val_auc"] == pytest.approx(
        np.mean([folds.metrics[f"val_auc_fold_{i}"] for i in range(3)])
    )


def test_resumed_metrics_start_from_nothing_in_every_epoch():
    whole = KerasObjective(moons, DATA).run(Trial(0, {}, 4))
    resumed = KerasObjective(moons, DATA)
    resumed.run(Trial(0, {}, 1))
    assert resumed.run(Trial(0, {}, 4)).curves == whole.curves


def test_monitor_of_what_nobody_measures_is_refused_and_told_what_is():
    stop = lambda: [keras.callbacks.EarlyStopping("val_f1")]  # noqa: E731
    with pytest.raises(
        HptError, match=r"monitors 'val_f1'.*measured: loss, accuracy, auc, val_loss.*val_auc"
    ):
        KerasObjective(moons, DATA, callbacks=stop).run(Trial(0, {}, 3))


class Custom(keras.Model):
    """A train_step that is written out, and reports only what it likes."""

    def train_step(self, data):
        logs = super().train_step(data)
        return {"loss": logs["loss"], "twice": 2 * logs["loss"]}


class Silent(keras.Model):
    def train_step(self, data):
        super().train_step(data)
        return {"generator": 1.0}


def custom(kind):
    def build(config):
        inputs = keras.Input((2,))
        model = kind(inputs, layers.Dense(1, "sigmoid")(inputs))
        model.compile("adam", "binary_crossentropy")
        return model

    return build


@pytest.mark.filterwarnings("ignore:training")
def test_own_train_step_works_alone_in_folds_and_with_stop():
    objective = KerasObjective(custom(Custom), DATA, metric="log_loss")
    seen = []
    outcome = objective.run(
        Trial(0, {}, 2), on_epoch=lambda epoch, logs: seen.append(logs["twice"])
    )
    assert (
        seen
        == outcome.curves["twice"]
        == pytest.approx([2 * loss for loss in outcome.curves["loss"]])
    )
    folds = KerasObjective(custom(Custom), DATA, folds=3).run(Trial(0, {}, 2))
    assert folds.error is None and len(folds.curves["loss_fold_2"]) == 2
    stop = threading.Event()
    stopped = objective.run(
        Trial(1, {}, 50), stop=stop, on_epoch=lambda epoch, _: epoch == 2 and stop.set()
    )
    assert "stopped" in stopped.error and len(stopped.curves["loss"]) == 2


@pytest.mark.filterwarnings("ignore:training")
def test_train_step_that_reports_no_loss_is_told_to():
    with pytest.raises(BuildError, match=r"Silent.train_step must return .*'loss', got generator"):
        KerasObjective(custom(Silent), DATA).run(Trial(0, {}, 1))


def test_output_that_is_no_row_of_classes_has_no_made_up_accuracy():
    model = keras.Sequential(
        [keras.Input((6,)), layers.Reshape((3, 2)), layers.Dense(2, "softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    trainer = Trainer(model, X, np.zeros((101, 3), np.int32))
    assert set(trainer.epoch()) == {"loss"}

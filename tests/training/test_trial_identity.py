"""Checkpoints and models: none is ever taken for that of other code, another study, or another
trial."""

from __future__ import annotations

import functools
import json
import warnings

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import layers  # noqa: E402

from hpt_lab import datasets  # noqa: E402
from hpt_lab.errors import BuildError, HptError  # noqa: E402
from hpt_lab.space import Float, Space  # noqa: E402
from hpt_lab.strategies import hyperband, population_based_training  # noqa: E402
from hpt_lab.study import tune  # noqa: E402
from hpt_lab.training import checkpoint  # noqa: E402
from hpt_lab.training.objective import KerasObjective  # noqa: E402
from hpt_lab.training.store import Store  # noqa: E402
from hpt_lab.trial import Trial  # noqa: E402

DATA = datasets.two_moons(n=100)
SPACE = Space(rate=Float(1e-3, 1e-1, log=True))
ACTIVATION = "relu"


def build(config, activation=None):
    model = keras.Sequential(
        [layers.Dense(6, activation or ACTIVATION), layers.Dense(1, "sigmoid")]
    )
    model.compile(keras.optimizers.Adam(config.get("rate", 0.02)), "binary_crossentropy")
    return model


def with_activation(name):
    return lambda config: build(config, name)


def objective(made=build, **options):
    return KerasObjective(made, DATA, metric="log_loss", **options)


def population(seed, interval):
    return population_based_training(
        SPACE, max_budget=6, interval=interval, population=4, seed=seed
    )


def bits(outcome):
    assert outcome.error is None
    return outcome.loss, outcome.curves


def test_edited_build_retrains_and_says_how_to_go_on(tmp_path, monkeypatch):
    trial = Trial(0, {}, 2)
    old = bits(objective(checkpoints=tmp_path).run(trial))
    monkeypatch.setitem(globals(), "ACTIVATION", "tanh")
    with pytest.warns(UserWarning, match=r"made by other code.*version='") as said:
        new = bits(objective(checkpoints=tmp_path).run(trial))
    assert new == bits(objective().run(trial)) != old
    name = str(said[0].message).partition("version='")[2].partition("'")[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        taken = objective(checkpoints=tmp_path, version=name).run(trial)
        assert (
            taken.curves == old[1]
        )  # the old weights, though this edit does change what they mean
        assert bits(objective(checkpoints=tmp_path).run(trial)) == new  # both are there now


@pytest.mark.parametrize(
    "make", [with_activation, lambda a: functools.partial(build, activation=a)]
)
def test_values_that_build_carries_tell_checkpoints_apart(tmp_path, make):
    first, second = (
        bits(objective(make(a), checkpoints=tmp_path).run(Trial(0, {}, 2)))
        for a in ("relu", "tanh")
    )
    assert second == bits(objective(make("tanh")).run(Trial(0, {}, 2))) != first


def test_second_population_on_one_objective_inherits_nothing_of_the_first():
    used = objective()
    tune(used, population(1, 2))
    for seed, interval in ((0, 3), (2, 2), (1, 2)):
        assert (
            tune(used, population(seed, interval)).digest
            == tune(objective(), population(seed, interval)).digest
        )


def test_heir_without_any_checkpoint_left_is_trained_again_from_its_ancestors(tmp_path):
    whole = objective(checkpoints=tmp_path)
    study = tune(whole, population(0, 1))
    heirs = [r for r in study.history.records if r.trial.origin is not None]
    oldest = max(heirs, key=lambda r: _generations(r.trial))
    assert _generations(oldest.trial) >= 2
    for path in tmp_path.iterdir():
        path.unlink()
    assert bits(whole.run(oldest.trial)) == bits(oldest.outcome)


def _generations(trial):
    return 0 if trial.origin is None else 1 + _generations(trial.origin)


@pytest.mark.parametrize(
    "strategy", [population(0, 2), hyperband(SPACE, max_budget=9, eta=3, seed=0)]
)
def test_every_record_has_its_model_after_the_study(strategy):
    trained = objective()
    study = tune(trained, strategy)
    for record in study.history.records:
        model = trained.model(record.trial)
        loss = model.evaluate(DATA.x_validation, DATA.y_validation, verbose=0)
        assert loss == pytest.approx(record.metrics["val_loss"], abs=1e-5)


def test_checkpoint_of_a_lower_rung_is_there_once_it_was_saved(tmp_path):
    store = Store(tmp_path)
    for epochs in (
        9,
        27,
        81,
        3,
    ):  # the last one is retrained: `model` of a record that stopped at the first rung
        store.keep(0, checkpoint.Checkpoint(epochs, [], [], [], {}), {"config": {}})
        assert store.newest(0, epochs, {"config": {}}).epoch == epochs


def test_test_part_is_scored_for_every_record_at_any_rung():
    trained = objective()
    study = tune(trained, hyperband(SPACE, max_budget=9, eta=3, seed=0))
    lowest = [record for record in study.history.records if record.budget == 1]
    assert any(r.trial.id == low.trial.id for low in lowest for r in study.history.at_budget(9))
    x, y = DATA.reveal_test()
    for record in lowest:
        loss = trained.model(record.trial).evaluate(x, y, verbose=0)
        assert trained.test(record.trial)["log_loss"] == pytest.approx(loss, abs=1e-5)


def test_model_needs_no_directory_to_write_into(tmp_path):
    trained = objective(checkpoints=tmp_path / "there")
    expected = bits(trained.run(Trial(0, {}, 3)))
    for path in trained.checkpoints.iterdir():
        path.unlink()
    trained.checkpoints.rmdir()
    trained.checkpoints.write_text("a file in its place")
    loss = trained.model(Trial(0, {}, 3)).evaluate(DATA.x_validation, DATA.y_validation, verbose=0)
    assert loss == pytest.approx(expected[1]["val_loss"][-1], abs=1e-5)


def test_parent_that_could_be_either_of_two_is_asked_about(tmp_path):
    shared = objective(checkpoints=tmp_path)
    for rate in (0.01, 0.05):
        shared.run(Trial(0, {"rate": rate}, 1))
    with pytest.raises(HptError, match="2 different trials with the id 0"):
        shared.run(Trial(1, {"rate": 0.02}, 2, parent=0))


ADAM, DENSE, AUC = keras.optimizers.Adam(0.01), layers.Dense(4), keras.metrics.AUC(name="auc")
DROPOUT, BASE = layers.Dropout(0.3), keras.Sequential([keras.Input((2,)), layers.Dense(5)])
DENSE.build((None, 2))
FROZEN = keras.Sequential(
    [keras.Input((2,)), layers.Dense(5), layers.BatchNormalization()], name="base"
)
FROZEN.trainable = False
ADAPTED = layers.Normalization(name="adapted")
ADAPTED.adapt(DATA.x_train)


def net(*before, optimizer=None, loss="binary_crossentropy", **options):
    model = keras.Sequential([*before, layers.Dense(1, "sigmoid", name="last")])
    model.compile(optimizer or keras.optimizers.Adam(0.01), loss, **options)
    return model


class Counting(keras.losses.Loss):
    def __init__(self):
        super().__init__()
        self.seen = keras.Variable(0.0)

    def call(self, y_true, y_pred):
        self.seen.assign_add(1.0)
        return keras.ops.square(y_pred - y_true) * self.seen


COUNTING, WHOLE = Counting(), net(keras.Input((2,)))
WHOLE.optimizer.build(WHOLE.trainable_variables)


@functools.cache
def cached():
    return keras.optimizers.SGD(0.1)


OUTSIDE = {
    "the optimizer": lambda: net(optimizer=ADAM),
    "the layer 'dense": lambda: net(DENSE),
    "the AUC": lambda: net(metrics=[AUC]),
    "the layer 'dropout": lambda: net(DROPOUT),
    "the layer '": lambda: net(BASE),
    "the Counting": lambda: net(loss=COUNTING),
    "was there before": lambda: WHOLE,
}


@pytest.mark.parametrize("part", OUTSIDE)
def test_parts_made_outside_build_are_refused_for_the_first_trial_already(part):
    with pytest.raises(BuildError, match=f"(?s){part}.*inside build"):
        objective(lambda config: OUTSIDE[part]()).run(Trial(0, {}, 1))


def test_cached_optimizer_is_refused_in_the_second_trial():
    shared = objective(lambda config: net(optimizer=cached()))
    assert shared.run(Trial(0, {}, 1)).error is None
    with pytest.raises(BuildError, match=r"the optimizer 'sgd'.*inside build"):
        shared.run(Trial(1, {}, 1))


@pytest.mark.parametrize("part", [lambda: FROZEN, lambda: ADAPTED, lambda: layers.Rescaling(2.0)])
def test_what_training_never_changes_may_be_shared(part):
    shared = objective(lambda config: net(part()))
    before = [np.array(v) for v in part().weights]
    first = [bits(shared.run(Trial(i, {}, 2))) for i in (0, 1)]
    assert first == [
        bits(objective(lambda config: net(part())).run(Trial(i, {}, 2))) for i in (0, 1)
    ]
    assert all(np.array_equal(a, b) for a, b in zip(before, part().weights, strict=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"build": WHOLE}, "build must be a function.*got Sequential"),
        ({"build": None}, "build must be a function"),
        ({"callbacks": [keras.callbacks.History()]}, r"callbacks must be a function.*lambda: \["),
        ({"callbacks": keras.callbacks.History()}, "callbacks must be a function"),
        ({"version": 2}, "version must be a text"),
    ],
)
def test_what_is_no_function_is_refused_before_anything_is_trained(options, message):
    with pytest.raises(HptError, match=message):
        objective(options.pop("build", build), **options)


def test_logits_in_a_list_of_losses_are_logits():
    def logits(config):
        model = keras.Sequential([layers.Dense(1)])
        model.compile("adam", [keras.losses.BinaryCrossentropy(from_logits=True)])
        return model

    outcome = objective(logits).run(Trial(0, {}, 1))
    assert outcome.loss == pytest.approx(outcome.metrics["val_loss"], abs=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": "three"},
        {"curves": [1]},
        {"curves": {"loss": ["low"]}},
        {"counts": {"weights": -1}},
        {"counts": 3},
        {"about": 3},
    ],
)
def test_checkpoint_of_wrong_types_is_no_checkpoint(tmp_path, change, monkeypatch):
    path = tmp_path / "c.npz"
    state = checkpoint.Checkpoint(1, [np.zeros(2)], [], [], {"loss": [1.0]})
    real = json.dumps
    monkeypatch.setattr(
        checkpoint.json,
        "dumps",
        lambda notes: real({**notes, **change} if "epoch" in notes else notes),
    )
    checkpoint.save(path, state, {"trial": 0})
    assert checkpoint.load(path, {"trial": 0}) is None

"""The Keras objective: same bits resumed or retrained, in whatever order, thread or process."""

from __future__ import annotations

import gc
import json
import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import layers  # noqa: E402

from hpt_lab import datasets  # noqa: E402
from hpt_lab.errors import BuildError, DataError, HptError  # noqa: E402
from hpt_lab.training import graph_cache, graphs  # noqa: E402
from hpt_lab.training.epochs import batch_order  # noqa: E402
from hpt_lab.training.objective import KerasObjective, build_model  # noqa: E402
from hpt_lab.trial import Trial  # noqa: E402

DATA = datasets.two_moons(n=200)
CONFIG = {"learning_rate": 0.01, "units": 8, "dropout": 0.2}


def build(config):
    """Everything with a state: batch norm's averages, dropout's seeds, Adam's moments."""
    model = keras.Sequential(
        [
            layers.Dense(config["units"], activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(config["dropout"]),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(config["learning_rate"]), "sparse_categorical_crossentropy")
    return model


def objective(**options):
    return KerasObjective(options.pop("build", build), options.pop("data", DATA), **options)


def bits(outcome):
    assert outcome.error is None
    return outcome.loss, dict(outcome.metrics), outcome.curves


@pytest.fixture(scope="module")
def nine():
    """Outcome of trial 0 trained for 9 epochs at once."""
    graph_cache.GRAPHS.clear()
    return objective().run(Trial(0, CONFIG, budget=9))


def test_three_then_six_epochs_equal_nine_bit_for_bit(nine):
    resumed = objective()
    three = resumed.run(Trial(0, CONFIG, budget=3))
    trained = []
    assert bits(
        resumed.run(Trial(0, CONFIG, budget=9), on_epoch=lambda epoch, logs: trained.append(epoch))
    ) == bits(nine)
    assert trained == [4, 5, 6, 7, 8, 9]
    assert three.curves["val_loss"] == nine.curves["val_loss"][:3]
    assert {name: len(values) for name, values in nine.curves.items()} == dict.fromkeys(
        ("loss", "accuracy", "val_loss", "val_accuracy"), 9
    )


def test_result_does_not_depend_on_what_ran_before(nine):
    other = objective()
    other.run(
        Trial(5, {**CONFIG, "dropout": 0.5, "learning_rate": 0.1}, budget=2)
    )  # leaves its graph behind
    np.random.seed(3)
    keras.layers.Dense(3)  # takes a name
    assert bits(other.run(Trial(0, CONFIG, budget=9))) == bits(nine)


def test_same_budget_again_reports_the_same_without_training(nine):
    again = objective()
    again.run(Trial(0, CONFIG, budget=9))
    assert bits(
        again.run(Trial(0, CONFIG, budget=9), on_epoch=lambda *_: pytest.fail("trained"))
    ) == bits(nine)


def test_checkpoint_beyond_the_budget_is_not_used(nine):
    late = objective()
    late.run(Trial(0, CONFIG, budget=9))
    late.run(Trial(0, CONFIG, budget=12))
    assert late.run(Trial(0, CONFIG, budget=3)).curves["loss"] == nine.curves["loss"][:3]


def test_damaged_checkpoint_is_retrained(nine, tmp_path):
    first = objective(checkpoints=tmp_path)
    first.run(Trial(0, CONFIG, budget=3))
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:-100])
    assert bits(first.run(Trial(0, CONFIG, budget=9))) == bits(nine)


def test_checkpoint_of_another_seed_config_or_data_is_not_used(tmp_path):
    objective(checkpoints=tmp_path).run(Trial(0, CONFIG, budget=2))
    noisier = datasets.two_moons(n=200, noise=0.3)
    for change, config in (
        ({"seed": 1}, CONFIG),
        ({}, {**CONFIG, "units": 4}),
        ({"data": noisier}, CONFIG),
    ):
        expected = objective(**change).run(Trial(0, config, budget=3))
        assert bits(
            objective(checkpoints=tmp_path, **change).run(Trial(0, config, budget=3))
        ) == bits(expected)


def test_other_process_and_its_checkpoints_give_the_same_bits(nine):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        mine = objective()
        mine.run(Trial(0, CONFIG, budget=3))
        resumed_there = pool.submit(mine.run, Trial(0, CONFIG, budget=9))
        trained_there = pool.submit(objective().run, Trial(1, CONFIG, budget=4))
        assert bits(resumed_there.result()) == bits(nine)
        assert bits(trained_there.result()) == bits(objective().run(Trial(1, CONFIG, budget=4)))
    assert any(
        "epoch_9" in path.name for path in mine.checkpoints.iterdir()
    )  # the child wrote into the owner's directory


def test_threads_give_the_same_bits():
    trials = [
        Trial(i, {**CONFIG, "units": 4 + i % 2, "dropout": 0.1 * i}, budget=3) for i in range(6)
    ]
    serial = [bits(objective().run(trial)) for trial in trials]
    shared = objective()
    with ThreadPoolExecutor(3) as pool:
        assert [bits(outcome) for outcome in pool.map(shared.run, trials)] == serial


def test_default_checkpoints_vanish_with_their_owner_alone():
    import pickle

    owner = objective()
    owner.run(Trial(0, CONFIG, budget=1))
    directory = owner.checkpoints
    copy = pickle.loads(pickle.dumps(owner))
    del copy
    gc.collect()
    assert list(directory.iterdir())
    del owner
    gc.collect()
    assert not directory.exists()


def test_widths_rates_and_seeds_share_a_graph_and_another_depth_does_not(monkeypatch):
    traced = []
    real = graphs.Traced.__init__
    monkeypatch.setattr(
        graphs.Traced, "__init__", lambda self, *a, **k: (traced.append(1), real(self, *a, **k))[1]
    )
    graph_cache.GRAPHS.clear()
    shared = objective()
    for i, (units, dropout, rate) in enumerate([(8, 0.2, 0.01), (16, 0.3, 0.1), (5, 0.4, 0.001)]):
        shared.run(Trial(i, {"units": units, "dropout": dropout, "learning_rate": rate}, budget=1))
    assert len(traced) == 1
    shared.run(Trial(9, {**CONFIG, "dropout": 0.0}, budget=1))  # no seeds: another architecture
    assert len(traced) == 2


@pytest.mark.parametrize("units", [4, 9])
def test_model_living_in_a_shared_graph_trains_as_under_model_fit(units):
    """The graph was traced for another width, dropout and learning rate."""
    shared, trial = objective(), Trial(1, {**CONFIG, "units": units}, budget=3)
    shared.run(Trial(0, {"units": 7, "dropout": 0.5, "learning_rate": 0.1}, budget=1))
    curves = shared.run(trial).curves
    model = build_model(build, trial.config, seed=(0, 1), x=DATA.x_train)
    for epoch in range(3):
        order = batch_order(len(DATA.x_train), seed=(0, 1), epoch=epoch)
        history = model.fit(
            DATA.x_train[order],
            DATA.y_train[order],
            shuffle=False,
            verbose=0,
            validation_data=(DATA.x_validation, DATA.y_validation),
        ).history
        assert curves["loss"][epoch] == pytest.approx(history["loss"][0], abs=1e-5)
        assert curves["val_loss"][epoch] == pytest.approx(history["val_loss"][0], abs=1e-5)


def test_functions_that_only_look_alike_do_not_share_a_graph():
    def with_slope(config):
        def activation(x):
            return config["slope"] * keras.ops.relu(x)

        model = keras.Sequential(
            [layers.Dense(4, activation=activation), layers.Dense(2, activation="softmax")]
        )
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    shared = objective(build=with_slope)
    losses = [
        shared.run(Trial(0, {"slope": slope}, budget=1)).curves["loss"] for slope in (1.0, 0.0)
    ]
    assert (
        losses[0]
        != losses[1]
        == objective(build=with_slope).run(Trial(0, {"slope": 0.0}, budget=1)).curves["loss"]
    )


def test_graph_cache_is_bounded_and_drops_the_oldest():
    cache = graph_cache.GraphCache(2)
    rows = objective()._rows()[0]
    for depth in (1, 2, 1, 3):
        model = keras.Sequential(
            [*[layers.Dense(3) for _ in range(depth)], layers.Dense(2, activation="softmax")]
        )
        model.compile("sgd", "sparse_categorical_crossentropy")
        graphs.build_variables(model, rows[0])
        with cache.borrow(model, rows, batch_size=32, xla=False) as graph:
            assert graph.model is model
        assert graph.model is None  # holds on to no trial
    assert len(cache._traced) == 2
    assert {key[1].count(layers.Dense) for key in cache._traced} == {
        1 + 1,
        3 + 1,
    }  # one and three hidden layers
    assert not +cache._users


def test_threads_share_a_graph_and_it_lives_until_the_last_of_them_is_done():
    """Two models of an architecture train at once on what was traced once, though the cache has
    dropped it meanwhile."""
    rows = objective()._rows()[0]

    def model():
        return build_model(build, CONFIG, seed=(0,), x=rows[0])

    def curve(graph):
        return [
            graph.train(rows, batch_order(len(rows[0]), seed=0, epoch=e), 16, None)
            for e in range(8)
        ]

    cache = graph_cache.GraphCache(1)
    with (
        cache.borrow(model(), rows, batch_size=16, xla=False) as first,
        cache.borrow(model(), rows, batch_size=16, xla=False) as second,
    ):
        assert first.traced is second.traced
        cache.clear()
        with ThreadPoolExecutor(2) as pool:
            a, b = pool.map(curve, (first, second))
    assert a == b
    assert first.traced.calls == []  # destroyed when nobody was left


def test_dropped_graph_leaves_nothing_traced_behind():
    """A graph and the body of its loop hold on to each other where the collector can't see; that
    cost megabytes each."""

    def traced():
        gc.collect()
        return sum(
            type(thing).__name__ in ("SymbolicTensor", "Operation") for thing in gc.get_objects()
        )

    graph_cache.GRAPHS.clear()
    before = traced()
    objective().run(Trial(0, CONFIG, budget=1))
    waiting = traced() - before
    graph_cache.GRAPHS.clear()
    assert traced() - before < waiting / 3


def test_resuming_under_xla_changes_no_bit():
    once, resumed = objective(jit=True), objective(jit=True)
    resumed.run(Trial(0, CONFIG, budget=1))
    assert bits(resumed.run(Trial(0, CONFIG, budget=3))) == bits(
        once.run(Trial(0, CONFIG, budget=3))
    )


def test_batch_size_comes_from_the_config_if_it_has_one():
    small, large = (objective(batch_size=size).run(Trial(0, CONFIG, budget=1)) for size in (8, 64))
    assert (
        bits(objective().run(Trial(0, {**CONFIG, "batch_size": 8}, budget=1)))
        == bits(small)
        != bits(large)
    )


def test_heir_starts_from_its_parents_weights_before_the_parent_trained_on():
    population = objective()
    population.run(Trial(0, CONFIG, budget=3))
    population.run(Trial(0, CONFIG, budget=6))  # the parent's own next step may come first
    heir = Trial(1, {**CONFIG, "learning_rate": 1e-9}, budget=6, parent=0)
    outcome = population.run(heir)
    parent = population.run(Trial(0, CONFIG, budget=6))
    assert outcome.curves["loss"][:3] == parent.curves["loss"][:3]
    assert len(outcome.curves["loss"]) == 6
    assert outcome.curves["loss"][3:] != parent.curves["loss"][3:]
    assert (
        abs(outcome.curves["loss"][5] - parent.curves["loss"][2]) < 0.1
    )  # a learning rate of its own: it stands still
    fresh = objective(
        checkpoints=population.checkpoints
    )  # the heir again, without a checkpoint of its own
    for path in population.checkpoints.glob("trial_1_*"):
        path.unlink()
    assert bits(fresh.run(heir)) == bits(outcome)


def test_orphan_is_an_error_that_names_the_remedy():
    with pytest.raises(HptError, match="checkpoints=DIR"):
        objective().run(Trial(1, CONFIG, budget=2, parent=0))


def test_stopped_trial_keeps_its_curves_and_resumes_from_its_last_checkpoint(nine):
    stop, stopped = threading.Event(), objective()
    stopped.run(Trial(0, CONFIG, budget=3))
    outcome = stopped.run(
        Trial(0, CONFIG, budget=9), stop=stop, on_epoch=lambda epoch, _: epoch == 5 and stop.set()
    )
    assert outcome.failed and "stopped after 5 of 9" in outcome.error
    assert outcome.curves["loss"] == nine.curves["loss"][:5]
    assert bits(stopped.run(Trial(0, CONFIG, budget=9))) == bits(nine)


def test_divergence_is_an_error_with_curves():
    outcome = objective().run(Trial(0, {**CONFIG, "learning_rate": 1e38}, budget=5))
    assert outcome.failed and "diverged" in outcome.error
    assert 1 <= len(outcome.curves["loss"]) < 5


def test_early_stopping_ends_a_trial_the_same_way_at_every_rung():
    def patient():
        return [
            keras.callbacks.EarlyStopping(
                monitor="val_loss", patience=2, min_delta=10.0, restore_best_weights=True
            )
        ]

    stopping = objective(callbacks=patient)
    lengths = [
        len(stopping.run(Trial(0, CONFIG, budget=budget)).curves["loss"]) for budget in (2, 9)
    ]
    again = stopping.run(Trial(0, CONFIG, budget=9))
    assert lengths == [2, 3] and bits(again) == bits(
        objective(callbacks=patient).run(Trial(0, CONFIG, budget=9))
    )
    assert again.metrics["val_loss"] == pytest.approx(
        again.curves["val_loss"][0]
    )  # best weights: those of epoch 1


@pytest.mark.parametrize(
    "metric", ["accuracy", "f1", "f1_macro", "roc_auc", "average_precision", "log_loss", "loss"]
)
def test_every_metric_can_be_the_loss(metric, nine):
    outcome = objective(metric=metric).run(Trial(0, CONFIG, budget=9))
    expected = {
        "loss": outcome.metrics["val_loss"],
        "log_loss": outcome.metrics.get("log_loss"),
    }.get(metric)
    assert outcome.loss == (1 - outcome.metrics[metric] if expected is None else expected)
    assert {"val_loss", "accuracy", "f1_macro"} <= set(outcome.metrics)
    assert outcome.metrics["accuracy"] == pytest.approx(nine.curves["val_accuracy"][-1])
    assert outcome.metrics["val_loss"] == nine.curves["val_loss"][-1]
    if metric == "log_loss":
        assert outcome.loss == pytest.approx(outcome.metrics["val_loss"], abs=1e-5)


def test_regression_is_scored_by_its_squared_error():
    x = np.random.default_rng(0).normal(size=(120, 3))
    data = datasets.Data(x, x @ [1.0, 2.0, 3.0], name="line", task="regression")

    def linear(config):
        model = keras.Sequential([layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.05), "mse")
        return model

    outcome = objective(build=linear, data=data, metric="mse").run(Trial(0, {}, budget=20))
    assert outcome.loss == pytest.approx(outcome.metrics["val_loss"], rel=1e-5)
    assert outcome.metrics["r2"] > 0.99


def test_settings_are_json_and_tell_data_apart():
    settings = objective(seed=0).settings
    assert json.loads(json.dumps(settings)) == settings
    assert settings["seed"] == 0 and settings["data"] == "two_moons"
    assert objective(data=datasets.two_moons(n=200, noise=0.3)).settings != settings


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (lambda c: None, "forget `return model`"),
        (lambda c: "model", "got str"),
        (lambda c: keras.Sequential([layers.Dense(2)]), r"model\.compile"),
    ],
)
def test_build_that_returns_no_compiled_model_is_named(result, message):
    with pytest.raises(BuildError, match=message):
        objective(build=result).run(Trial(0, {}, budget=1))


@pytest.mark.parametrize("budget", [0, 0.5, 2.5, -1, float("nan"), float("inf")])
def test_budget_that_is_no_whole_number_of_epochs_is_refused(budget):
    with pytest.raises(HptError, match=r"whole number of epochs|budget must be a number"):
        objective().run(Trial(0, CONFIG, budget=budget))


def test_unknown_metrics_and_seeds_are_refused():
    with pytest.raises(DataError, match="metric must be one of"):
        objective(metric="recall")
    with pytest.raises(DataError, match="metric must be one of"):
        objective(metric="mse")
    with pytest.raises(HptError, match="seed must be"):
        objective(seed=-1)


def test_global_generators_are_left_as_they_were():
    import random

    before = random.getstate(), np.random.get_state()[1].tolist()
    build_model(build, CONFIG, seed=(0, 1), x=DATA.x_train)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before

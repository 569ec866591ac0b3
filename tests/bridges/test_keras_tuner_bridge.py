"""A `build(hp)` gets from us what KerasTuner would give it, and its tuners' directories read as
what they did."""

import itertools
import json
import os
from collections import Counter

import numpy as np
import pytest
from scipy import stats

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import hpt_lab as hpt
from hpt_lab.bridges import keras_tuner as bridge
from hpt_lab.errors import HptError, SpaceError
from hpt_lab.fingerprint import fingerprint

kt = pytest.importorskip("keras_tuner")


def everything(hp):
    """Define one of each, and return what came."""
    got = {
        "int": hp.Int("int", 2, 9),
        "int step": hp.Int("int step", 32, 128, step=32),
        "int log": hp.Int("int log", 2, 64, sampling="log"),
        "int powers": hp.Int("int powers", 2, 64, step=2, sampling="log"),
        "float": hp.Float("float", -1.0, 2.0),
        "float step": hp.Float("float step", 0.0, 0.5, step=0.1),
        "log": hp.Float("log", 1e-4, 1e-1, sampling="log"),
        "powers": hp.Float("powers", 1e-3, 10.0, step=10, sampling="log"),
        "reverse": hp.Float("reverse", 0.9, 0.99, sampling="reverse_log"),
        "int reverse": hp.Int("int reverse", 1, 50, sampling="reverse_log"),
        "choice": hp.Choice("choice", ["a", "b", "c"]),
        "numbers": hp.Choice("numbers", [1.0, 4.0, 2.0]),
        "boolean": hp.Boolean("boolean"),
        "fixed": hp.Fixed("fixed", 7),
    }
    return got | {"got": hp.get("int")}


ONE_NAME = True  # in two scopes: KerasTuner 1.4.8's own exploration stops at it with a KeyError


def nested(hp):
    """Scopes in scopes, one name in two of them, names in scopes of names, and a parent by
    argument."""
    kind = hp.Choice("kind", ["mlp", "cnn"])
    got = {
        "kind": kind,
        "filters": hp.Int("filters", 4, 8, parent_name="kind", parent_values=["cnn"]),
    }
    with hp.name_scope("head"):
        got["head/units"] = hp.Int("units", 8, 10)
        with hp.conditional_scope("units", [9, 10]):
            got["head/extra"] = hp.Boolean("extra")
    with hp.conditional_scope("kind", ["mlp"]):
        got["deep"] = hp.Boolean("deep", default=True)
        got["rate mlp"] = hp.Float("rate", 0.0, 1.0, default=0.25)
        with hp.conditional_scope("deep", [True]):
            got["depth"] = hp.Int("depth", 3, 5)
    with hp.conditional_scope("kind", ["cnn"]):
        got["rate cnn"] = hp.Float("rate" if ONE_NAME else "other rate", 2.0, 3.0)
    return got


def loop(hp):
    return [hp.Int(f"units_{i}", 1, 4) for i in range(hp.Int("layers", 1, 5))]


def theirs(function, n, seed=0):
    """Return what n random draws of KerasTuner's give the function, their space explored first."""
    tuner = Recorded(
        kt.oracles.RandomSearchOracle(kt.Objective("score", "max"), max_trials=n, seed=seed),
        function,
    )
    space = tuner.oracle.get_space()
    results = []
    for i in range(n):
        hp = space.copy()
        hp.values = {}
        for one in hp.space:
            if hp.is_active(one):
                hp.values[one.name] = one.random_sample(1000 * seed + i + hash_of(one.name))
        results.append(function(hp))
    return results


def hash_of(name):
    return sum(ord(letter) * 7919**place for place, letter in enumerate(name)) % 10**6


class Recorded(kt.Tuner):
    """A tuner whose training is arithmetic."""

    def __init__(self, oracle, function, **options):
        self.function = function
        super().__init__(oracle, function, **options)

    def run_trial(self, trial, **_):
        values = trial.hyperparameters.values
        if values.get("int") == 5:
            raise kt.errors.FailedTrialError("out of memory")
        return {
            "score": 0.5 + values["float"] / 10 + values.get("tuner/epochs", 1) / 100,
            "other": 1.0,
        }


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a tuner writes into the directory it is in, unless told


def ours(function, n):
    space, build = bridge.convert(function)
    return [build(space.sample((0, i))) for i in range(n)]


def test_every_kind_is_drawn_as_keras_tuner_draws_it():
    n = 600
    here, there = ours(everything, n), theirs(everything, n)
    for name in ("float", "log", "reverse", "int log", "int reverse", "int"):
        assert (
            stats.ks_2samp([got[name] for got in here], [got[name] for got in there]).pvalue > 0.001
        ), name
    for name in (
        "int step",
        "int powers",
        "float step",
        "powers",
        "choice",
        "numbers",
        "boolean",
        "fixed",
        "int",
    ):
        mine, its = Counter(got[name] for got in here), Counter(got[name] for got in there)
        assert (
            sorted(mine, key=str) == pytest.approx(sorted(its, key=str))
            if name in ("float step", "powers")
            else mine.keys() == its.keys()
        ), name
        assert next(type(value) for value in mine) is next(type(value) for value in its)
        assert max(mine.values()) < 1.5 * n / len(mine), name  # all equally likely
    assert all(got["got"] == got["int"] for got in here)


def test_reverse_log_is_dense_at_the_upper_end():
    values = np.array([got["reverse"] for got in ours(everything, 300)])
    assert values.min() >= 0.9 and values.max() <= 0.99
    space, build = bridge.convert(everything)
    assert "1.89 - reverse" in space
    config = build.default
    assert build({**config, "1.89 - reverse": 0.91})["reverse"] == 0.98


def test_scopes_become_conditions_and_what_is_inactive_is_none():
    space, build = bridge.convert(nested)
    assert space["filters"].when == {"kind": ("cnn",)}
    assert space["depth"].when == {"kind": ("mlp",), "deep": (True,)}
    assert space["head/extra"].when == {"head/units": (9, 10)}
    for i in range(200):
        config = space.sample((0, i))
        got = build(config)
        mlp = config["kind"] == "mlp"
        assert (got["filters"] is None) == mlp and (got["deep"] is None) != mlp
        assert (got["depth"] is not None) == (mlp and config["deep"])
        assert (got["head/extra"] is None) == (config["head/units"] == 8)
        assert got["rate mlp"] is None or 0 <= got["rate mlp"] <= 1
        assert got["rate cnn"] is None or 2 <= got["rate cnn"] <= 3
        assert (got["rate mlp"] is None) != mlp and (got["rate cnn"] is None) == mlp


def test_a_name_in_two_scopes_is_two_dimensions():
    space, _ = bridge.convert(nested)
    assert space["rate"] == hpt.Float(0.0, 1.0, when={"kind": ("mlp",)})
    assert space["rate (kind=cnn)"] == hpt.Float(2.0, 3.0, when={"kind": ("cnn",)})


def test_a_name_defined_twice_in_one_place_keeps_its_first_range():
    space, build = bridge.convert(lambda hp: (hp.Int("units", 1, 4), hp.Int("units", 7, 9)))
    assert space["units"] == hpt.Int(1, 4) and build({"units": 3}) == (3, 3)


def test_a_loop_over_layers_is_walked_to_its_longest():
    space, build = bridge.convert(loop)
    assert list(space) == ["layers", *(f"units_{i}" for i in range(5))]
    assert build(space.clean({"layers": 2, **{f"units_{i}": i % 4 + 1 for i in range(5)}})) == [
        1,
        2,
    ]


@pytest.mark.parametrize("function", [everything, nested, loop])
def test_all_that_keras_tuner_finds_is_found(function, monkeypatch):
    monkeypatch.setitem(globals(), "ONE_NAME", False)
    tuner = Recorded(
        kt.oracles.RandomSearchOracle(kt.Objective("score", "max"), max_trials=1), function
    )
    assert {hp.name for hp in tuner.oracle.get_space().space} <= {
        hp.name for hp in bridge.discover(function)
    }


def test_defaults_are_a_config():
    space, build = bridge.convert(nested)
    config = build.default
    space.check(config)
    assert build(config) == nested(kt.HyperParameters())


def test_a_dry_run_that_fails_tells_what_it_defined_and_the_first_must_not_fail():
    def function(hp):
        if hp.Int("layers", 1, 3) == 3:
            hp.Int("units", 1, 5)
            raise MemoryError("too large")

    assert list(bridge.convert(function)[0]) == ["layers", "units"]
    with pytest.raises(ZeroDivisionError):
        bridge.convert(lambda hp: (hp.Int("x", 0, 3) and 0) or 1 / 0)


def test_what_cannot_be_converted_says_why(monkeypatch):
    monkeypatch.setattr(bridge, "MOST_RUNS", 50)

    def endless(hp):
        for i in itertools.count():
            if not hp.Boolean(f"more_{i}"):
                return

    class OwnFit(kt.HyperModel):
        def build(self, hp):
            return hp.Int("x", 0, 3)

        def fit(self, hp, model, *args, **kwargs):
            return model

    def on_a_real(hp):
        hp.Float("x", 0.0, 1.0)
        with hp.conditional_scope("x", [0.5]):
            hp.Int("y", 0, 3)

    for function, error, told in [
        (lambda hp: None, SpaceError, "defines no hyperparameter"),
        (endless, SpaceError, "dry runs"),
        (OwnFit(), HptError, "fit of its own"),
        ({}, HptError, "function of hp"),
        (on_a_real, SpaceError, "Float has any one value"),
    ]:
        with pytest.raises(error, match=told):
            bridge.convert(function)


def test_a_hypermodel_is_as_good_as_a_function():
    class Model(kt.HyperModel):
        def build(self, hp):
            return hp.Int("x", 0, 3)

    space, build = bridge.convert(Model())
    assert build(space.sample(0)) == space.sample(0)["x"]


def test_a_journal_knows_one_converted_function_from_another():
    prints = [
        fingerprint(bridge.convert(f)[1])
        for f in (lambda hp: hp.Int("x", 1, 3), lambda hp: hp.Int("x", 1, 3) + 1, loop)
    ]
    assert len(set(prints)) == 3 and "unknown" not in prints


def test_a_guide_like_function_trains_unchanged():
    from tests.benchmarks.bench_bridges import build

    space, build_config = bridge.convert(build)
    assert space["dropout_rate"].when == {"dropout": (True,)}
    data = hpt.datasets.digits()
    study = hpt.tune(
        hpt.KerasObjective(build_config, data),
        hpt.random_search(space, trials=2, budget=2, seed=0),
        progress=False,
    )
    assert (
        not any(record.outcome.failed for record in study.history.records) and study.best.loss < 0.6
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Let KerasTuner's Hyperband run, with arithmetic for training."""
    folder = tmp_path_factory.mktemp("tuner")
    oracle = kt.oracles.HyperbandOracle(
        kt.Objective("score", "max"), max_epochs=9, factor=3, seed=0
    )
    tuner = Recorded(oracle, everything, directory=str(folder), project_name="it")
    tuner.search(verbose=0)
    return folder / "it", tuner.oracle


def test_a_project_directory_is_a_history(project):
    folder, oracle = project
    past = bridge.history(folder)
    assert len(past.records) == len(oracle.end_order) > 15
    for name, record in zip(oracle.end_order, past.records, strict=True):
        trial = oracle.trials[name]
        values = trial.hyperparameters.values
        assert record.config == {
            key: value for key, value in values.items() if not key.startswith("tuner/")
        }
        assert (record.budget, record.trial.bracket) == (
            values["tuner/epochs"],
            values["tuner/bracket"],
        )
        if trial.status == "COMPLETED":
            assert record.loss == 1 - trial.score and record.outcome.metrics["other"] == 1.0
        else:
            assert "out of memory" in record.outcome.error
    assert any(record.outcome.failed for record in past.records)


def test_what_keras_tuner_resumed_is_one_trial_here(project):
    folder, oracle = project
    past = bridge.history(folder)
    ids = dict(zip(oracle.end_order, (record.trial.id for record in past.records), strict=True))
    went_on = [
        (name, trial.hyperparameters.values["tuner/trial_id"])
        for name, trial in oracle.trials.items()
        if "tuner/trial_id" in trial.hyperparameters.values
    ]
    assert went_on and all(ids[name] == ids[before] for name, before in went_on)
    assert len(set(ids.values())) == len(ids) - len(went_on)
    initial = sum(
        t.hyperparameters.values["tuner/epochs"] - t.hyperparameters.values["tuner/initial_epoch"]
        for t in oracle.trials.values()
    )
    assert past.incumbent()[0][-1] == initial


def test_files_are_data_and_bad_ones_are_named(project, tmp_path):
    folder, _oracle = project
    with pytest.raises(HptError, match=r"oracle\.json"):
        bridge.history(tmp_path)
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "oracle.json").write_text("{")
    with pytest.raises(HptError, match="no JSON"):
        bridge.history(copy)
    (copy / "oracle.json").write_text(json.dumps({"end_order": ["0000", "../0001"]}))
    (copy / "trial_0000").mkdir()
    (copy / "trial_0000" / "trial.json").write_text(json.dumps({"score": 1.0}))
    with pytest.raises(HptError, match=r"trial_0001"):  # never outside of the project
        bridge.history(copy)
    (copy / "oracle.json").write_text(json.dumps({"end_order": ["0000"]}))
    with pytest.raises(HptError, match="lacks or garbles"):
        bridge.history(copy)
    assert bridge.history(folder, objective="score").best.loss == bridge.history(folder).best.loss
    with pytest.raises(HptError, match="objective must be one of"):
        bridge.history(folder, objective="val_accuracy")

"""Whatever the public functions are given, they answer rightly or refuse with the package's own
errors.

Every function is called with one and with two arguments replaced by odd values, at least 200 times;
what it accepts is checked against an oracle.
"""

import datetime
import functools
import itertools
import json
import math
import random
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import hpt_lab as hpt
from hpt_lab import curves, datasets, honesty, widgets
from hpt_lab.errors import DataError, HptError, StrategyError, StudyError
from hpt_lab.history import History, increments
from hpt_lab.strategies.hyperband import brackets
from hpt_lab.strategies.population_based_training import schedule
from hpt_lab.strategies.strategy import STRATEGIES
from hpt_lab.study.simulation import simulate
from hpt_lab.trial import Outcome, Trial

CALLS = 200


class Ugly:
    """A value that can't even be shown."""

    def __repr__(self):
        raise RuntimeError("no repr")


SPACE = hpt.Space(
    x=hpt.Float(0.1, 1, log=True),
    n=hpt.Int(1, 4),
    kind=hpt.Choice(["a", "b"]),
    m=hpt.Float(0, 1, when={"kind": "a"}),
)
STRATEGY = hpt.random_search(SPACE, trials=2)
ODD = [
    None,
    True,
    False,
    0,
    1,
    2,
    3,
    -1,
    7,
    2.5,
    0.5,
    1e-320,
    1e308,
    -0.0,
    math.nan,
    math.inf,
    -math.inf,
    2**53 + 1,
    10**20,
    10**400,
    "",
    "a",
    "loss",
    "hyperband",
    "accuracy",
    "nan",
    b"bytes",
    [],
    [1],
    [[1]],
    [None],
    (),
    (1, 2),
    ("a",),
    {},
    {"a": 1},
    {"x": 0.5},
    {1: 2},
    set(),
    {"a", "b"},
    frozenset([1]),
    range(3),
    object(),
    Ugly(),
    int,
    len,
    print,
    np.int64(3),
    np.int8(-3),
    np.uint64(2**63),
    np.float32(0.5),
    np.float64("nan"),
    np.bool_(True),
    np.str_("a"),
    np.array(2),
    np.array(0.5),
    np.array([1.0]),
    np.array([1, 2]),
    np.array("a"),
    np.array([]),
    np.datetime64("2020"),
    Decimal("0.5"),
    Fraction(1, 2),
    1j,
    ...,
    NotImplemented,
    datetime.date(2020, 1, 1),
    Path("x"),
    SPACE,
    STRATEGY,
    hpt.Float(0, 1),
    hpt.Choice(["a"]),
    Trial(0, {}),
    Outcome(0.5),
]


def calls(function, *, at_least=CALLS, odd=ODD, **usual):
    """Call `function` with one, then two of its usual keyword arguments replaced; yield what it
    accepted."""
    rng, made = random.Random(0), 0
    changes = [{name: value} for name in usual for value in odd]
    pairs = (
        {name: rng.choice(odd) for name in rng.sample(list(usual), min(2, len(usual)))}
        for _ in itertools.count()
    )
    for change in itertools.chain(
        changes, itertools.islice(pairs, max(0, at_least - len(changes)))
    ):
        made += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                result = function(**{**usual, **change})
        except HptError as error:
            assert len(str(error)) < 2500 and str(error)
            continue
        except Exception as error:
            raise AssertionError(
                f"{function} with {_shown(change)}: {type(error).__name__}: {error}"
            ) from error
        yield {**usual, **change}, result
    assert made >= at_least


def _shown(change):
    return {name: "Ugly" if isinstance(value, Ugly) else value for name, value in change.items()}


def plain(value):
    return type(value) in (int, float, str, bool, type(None))


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("kind", [hpt.Float, hpt.Int])
def test_ranges(kind, log):
    number = float if kind is hpt.Float else int
    made = 0
    for given, domain in calls(kind, low=1, high=4, log=log, when=None):
        made += 1
        assert (
            domain.low == number(given["low"])
            and domain.high == number(given["high"])
            and plain(domain.low)
            and plain(domain.high)
        )
        for u in (0.0, 0.25, 1 / 3, 0.999, 1.0):
            value = domain.from_unit(u)
            assert value in domain and type(value) is {"float": float, "int": int}[domain.kind]
            assert domain.from_unit(domain.to_unit(value)) == value
        assert domain.from_unit(0.0) == domain.low and domain.from_unit(1.0) == domain.high
        assert domain.grid(2)[0] == domain.low and domain.grid(2)[-1] == domain.high
    assert made


def test_choices():
    for _, domain in calls(hpt.Choice, values=["a", 2], when=None, ordered=False):
        assert all(plain(value) for value in domain.values) and json.dumps(
            domain.values, allow_nan=False
        )
        assert [domain.from_unit(domain.to_unit(value)) for value in domain.values] == list(
            domain.values
        )
    for value in ODD:
        for inner, result in calls(
            lambda inner: hpt.Choice([inner]), at_least=1, odd=[value], inner="a"
        ):
            assert result.values[0] == inner["inner"]


@pytest.mark.parametrize(
    "domain", [hpt.Float(0, 1), hpt.Int(1, 9, log=True), hpt.Choice(["a", 1, None])]
)
def test_methods_of_domains(domain):
    for given, value in calls(domain.from_unit, u=0.5):
        assert value in domain and 0 <= given["u"] <= 1
    for given, u in calls(domain.to_unit, value=domain.from_unit(0.0)):
        back = domain.from_unit(u)
        assert 0 <= u <= 1 and (
            math.isclose(back, given["value"], abs_tol=1e-11)
            if domain.kind == "float"
            else back == given["value"]
        )
    for given, values in calls(domain.grid, n=2):
        assert (
            given["n"] >= 1
            and len(set(values)) == len(values)
            and all(value in domain for value in values)
        )
    for value in ODD:
        assert isinstance(value in domain, bool)


def test_spaces():
    for given, space in calls(
        lambda **domains: hpt.Space(**domains), a=hpt.Int(1, 2), b=hpt.Choice(["x"])
    ):
        assert (
            list(space) == list(given)
            and hpt.Space.from_spec(json.loads(json.dumps(space.spec()))) == space
        )
    for _, space in calls(hpt.Space.from_spec, spec=SPACE.spec()):
        assert hpt.Space.from_spec(space.spec()) == space
    entry = {"kind": "int", "low": 1, "high": 3}
    for _, space in calls(lambda **entry: hpt.Space.from_spec({"x": entry}), **entry):
        assert hpt.Space.from_spec(space.spec()) == space


def test_methods_of_spaces():
    config = {"x": 0.5, "n": 2, "kind": "a", "m": 0.5}
    for given, _ in calls(lambda **config: SPACE.check(config), **config):
        clean = SPACE.clean(given)
        assert clean == given and all(map(plain, clean.values()))
        assert SPACE.from_unit(np.nan_to_num(SPACE.to_unit(given))).keys() == clean.keys()
    for method in (SPACE.check, SPACE.to_unit, SPACE.clean):
        for given, _ in calls(method, config=config):
            assert given["config"] == config
    for _, found in calls(SPACE.from_unit, u=[0.5] * 4):
        SPACE.check(found)
    for given, found in calls(SPACE.sample, seed=3):
        assert SPACE.sample(given["seed"]) == found or isinstance(
            given["seed"], np.random.Generator
        )
    for _, found in calls(SPACE.grid, n=2):
        assert len(found) == len({tuple(c.items()) for c in found}) and all(
            SPACE.check(c) is None for c in found
        )
    for _, active in calls(SPACE.is_active, name="m", config=config):
        assert isinstance(active, bool)
    for given, domain in calls(SPACE.__getitem__, name="m"):
        assert domain is SPACE.domains[given["name"]]


USUAL = {
    "random_search": {"trials": 5, "budget": 1, "points": "sobol"},
    "grid_search": {"n": 2, "budget": 1},
    "successive_halving": {"max_budget": 9, "min_budget": 1, "eta": 3, "configs": 9},
    "hyperband": {"max_budget": 9, "min_budget": 1, "eta": 3, "rounding": "table"},
    "asha": {"max_budget": 9, "min_budget": 1, "eta": 3, "trials": 9},
    "bohb": {
        "max_budget": 9,
        "min_budget": 1,
        "eta": 3,
        "rounding": "table",
        "random_fraction": 0.5,
        "candidates": 8,
    },
    "tpe": {"trials": 5, "budget": 1, "startup": 2, "gamma": 0.2, "candidates": 8},
    "bayesian_optimization": {"trials": 5, "acquisition": "ei", "initial": 3, "budget": 1},
    "population_based_training": {
        "max_budget": 6,
        "interval": 2,
        "population": 4,
        "truncation": 0.2,
        "resample": 0.5,
    },
}


@pytest.mark.parametrize("name", USUAL)
def test_strategies(name):
    more = {} if name == "grid_search" else {"seed": 0, "first": []}
    for _, made in calls(STRATEGIES[name], space=SPACE, **USUAL[name], **more):
        described = json.loads(json.dumps(made.describe(), allow_nan=False))
        settings = {
            **described["settings"],
            "space": hpt.Space.from_spec(described["settings"]["space"]),
        }
        one, other = hpt.AskTell(made), hpt.AskTell(STRATEGIES[name](**settings))
        small = all(not isinstance(value, int) or value < 1000 for value in made.settings.values())
        for _ in range(2 if small else 0):
            trial = one.ask()
            assert trial == other.ask()
            if trial is None:  # a single trial, or none before the first result
                break
            made.space.check(trial.config)
            assert (
                all(map(plain, trial.config.values())) and plain(trial.budget) and trial.budget > 0
            )
    assert set(STRATEGIES) >= set(USUAL)


def test_brackets_and_plans():
    for given, table in calls(brackets, max_budget=81, min_budget=1, eta=3, rounding="algorithm"):
        assert all(rungs[-1].budget == given["max_budget"] for rungs in table.values())
    for _, planned in calls(hpt.plan, strategy=STRATEGY, seconds_per_epoch=1.0):
        assert planned.runs == 2 and str(planned)
    for given, _ in calls(hpt.AskTell, strategy=STRATEGY):
        assert given["strategy"] is STRATEGY


def test_tune(tmp_path):
    usual = {
        "objective": lambda config: config["x"],
        "strategy": STRATEGY,
        "journal": tmp_path / "j.jsonl",
        "executor": None,
        "callbacks": (),
        "max_failures": 3,
        "progress": False,
    }
    odd = [
        value for value in ODD if not isinstance(value, str | Path) or value == ""
    ]  # those name files
    for _, study in calls(hpt.tune, odd=odd, **usual):
        assert study.stopped == "finished" and len(study.history.records) == 2
        assert study.frame().sort_values("loss").iloc[0]["trial"] == study.best.trial.id


def test_what_an_objective_returns(tmp_path):
    def study_of(answer):
        (tmp_path / "j.jsonl").unlink(missing_ok=True)
        try:
            return hpt.tune(
                lambda config: answer,
                STRATEGY,
                journal=tmp_path / "j.jsonl",
                progress=False,
                version="any",
            )
        except StudyError as error:
            return error.study

    for answer in ODD:
        one, again = study_of(answer), None
        try:
            again = hpt.resume(
                tmp_path / "j.jsonl", lambda config: 1 / 0, progress=False, version="any"
            )
        except StudyError as error:
            again = error.study
        assert one.digest == again.digest and len(one.history.records) == 2
        for before, after in zip(one.history.records, again.history.records, strict=True):
            loss = before.loss if math.isfinite(before.loss) else math.nan  # JSON has no infinity
            np.testing.assert_equal(vars(after.outcome), {**vars(before.outcome), "loss": loss})
            if not before.outcome.failed:
                assert type(before.loss) is float and (
                    isinstance(answer, Outcome) or before.loss == float(answer)
                )


def test_outcomes_and_trials(tmp_path):
    for _, outcome in calls(
        Outcome, loss=0.5, metrics={"a": 1.0}, seconds=1.0, error=None, curves={"loss": [0.5]}
    ):
        assert json.dumps(
            [outcome.loss, outcome.metrics, outcome.seconds, outcome.error, outcome.curves]
        )
        assert type(outcome.loss) is type(outcome.seconds) is float and isinstance(
            outcome.failed, bool
        )
        assert all(type(value) is float for value in outcome.metrics.values())
    for value in ODD:
        for _, outcome in calls(lambda v: Outcome(0.5, {"a": v}), at_least=1, odd=[value], v=1.0):
            assert type(outcome.metrics["a"]) is float
        for _, outcome in calls(
            lambda v: Outcome(0.5, curves={"a": [v, 0.5]}), at_least=1, odd=[value], v=1.0
        ):
            assert type(outcome.curves["a"][0]) is float
    for _, trial in calls(Trial, id=3, config={"x": 1}, budget=2):
        assert type(trial.id) is int and math.isfinite(trial.budget)


def test_histories():
    def told(trial, outcome):
        history = History()
        history.ask(Trial(0, {}))
        history.tell(trial, outcome)
        return history

    for _, history in calls(told, trial=Trial(0, {}), outcome=Outcome(0.5)):
        assert (
            history.best.loss == 0.5
            and len(history.frame()) == 1
            and increments(r.trial for r in history.records) == [1]
        )
        assert schedule(history)[0].trial == 0
    for _, history in calls(lambda trial: History().ask(trial), trial=Trial(0, {})):
        assert history is None

    def drive(trial, outcome):
        ask_tell = hpt.AskTell(STRATEGY)
        asked = ask_tell.ask()
        ask_tell.tell(asked if isinstance(trial, str) and trial == "asked" else trial, outcome)
        return ask_tell

    for _, driven in calls(drive, trial="asked", outcome=Outcome(0.5)):
        assert len(driven.history.records) == 1


def test_honesty():
    for name, leak in honesty.LEAKS.items():
        for given, score in calls(
            functools.partial(leak, leak=True),
            at_least=30,
            odd=[value for value in ODD if type(value) is not int or value in (1, -1, 10**20)][
                :60:2
            ],
            seed=0,
        ):
            assert 0 <= score <= 1, (name, given)
    for given, (x, y) in calls(honesty.random_labels, rows=10, columns=3, seed=0):
        assert x.shape == (given["rows"], given["columns"]) and len(y) == given["rows"]
    scores = [0.1, 0.5, 0.3]
    for given, (promised, kept) in calls(
        honesty.winners_curse, validation=scores, truth=scores, trials=[1, 2, 3]
    ):
        assert len(promised) == len(kept) == len(given["trials"])
        assert np.all(promised <= np.max(given["validation"]) + 1e-12)
    for _, found in calls(
        honesty.few_rows,
        at_least=100,
        odd=ODD[::3],
        seed=0,
        rows=20,
        candidates=2,
        signal=0.0,
    ):
        assert found.x.shape == (len(found.y), 100)


def test_curves():
    table = curves.load("digits-mlp")
    for _, found in calls(curves.load, name="digits-mlp"):
        assert found is table
    config = table.configs[0]
    for given, objective in calls(table.objective, seed=0, metric="accuracy"):
        assert (
            objective.run(Trial(0, config, 3)).loss
            == table.objective(**given).run(Trial(0, config, 3)).loss
        )
    for _, outcome in calls(
        lambda trial: table.objective(seed=0).run(trial), trial=Trial(0, config, 3)
    ):
        assert 0 <= outcome.loss <= 1
    for _, row in calls(table.row, config=config):
        assert row == 0
    for _, field in calls(curves.contestants, table=table, eta=3):
        assert len(field) == 8
    strategies = {"random": hpt.random_search(table.space, trials=2, budget=81)}
    for _, run in calls(
        curves.race,
        at_least=40,
        odd=ODD[::3],
        strategies=strategies,
        table=table,
        budget=81,
        seeds=2,
        unit="epochs",
        metric="accuracy",
        workers=1,
        processes=1,
    ):
        assert run.losses().shape[1] == len(run.seeds)
    objective = table.objective(seed=0)
    search = hpt.random_search(table.space, trials=2, budget=3)
    for _, ran in calls(
        simulate, strategy=search, objective=objective, workers=1, max_seconds=1e9, max_epochs=1e9
    ):
        assert len(ran.history.records) <= 2 and 0 <= ran.utilisation <= 1


@pytest.mark.parametrize(
    ("lesson", "usual"),
    [
        (curves.lessons.anova, {"epoch": 3, "metric": "loss", "values": None}),
        (curves.lessons.marginal, {"name": "units", "epoch": 3}),
        (curves.lessons.rank_correlation, {"rungs": [1], "between": (0, 1)}),
        (curves.lessons.slipped, {"rungs": [1], "eta": 3}),
        (curves.lessons.winner_cut, {"rungs": [1], "configs": 3, "eta": 3, "draws": 2, "seed": 0}),
        (curves.lessons.crossings, {"pairs": 10, "seed": 0}),
        (curves.lessons.oracle_regret, {"trials": [1, 2], "draws": 3, "seed": 0}),
        (curves.lessons.effective_dimension, {"share": 0.5, "epoch": 3}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_lessons(lesson, usual):
    table = curves.load("spirals-mlp")
    values = [value for value in ODD if not isinstance(value, int) or abs(value) < 1e6]
    for _, found in calls(lesson, odd=values, table=table, **usual):
        assert found is not None


MADE = {
    "two_moons": {"noise": 0.2},
    "circles": {"noise": 0.1},
    "xor": {"noise": 0.1},
    "spirals": {"noise": 0.1, "turns": 1.5, "label_noise": 0.1},
}


@pytest.mark.parametrize("name", MADE)
def test_made_up_data(name):
    for given, data in calls(getattr(datasets, name), n=60, seed=0, **MADE[name]):
        rows = len(data.x_train) + len(data.x_validation) + len(data.reveal_test()[0])
        assert rows == given["n"] and data.n_classes == 2 and np.isfinite(data.x_train).all()
        again = getattr(datasets, name)(**{key: plain_value(value) for key, value in given.items()})
        np.testing.assert_array_equal(data.x_train, again.x_train)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_data(task):
    x = np.random.default_rng(0).normal(size=(40, 2))
    y = np.arange(40) % 2 + (0.5 if task == "regression" else 0)
    more = {"name": "mine", "task": task, "groups": None, "scaler": "auto", "class_names": None}
    for given, data in calls(datasets.Data, x=x, y=y, time_ordered=False, seed=0, **more):
        sealed = data.reveal_test()[0]
        assert len(data.x) + len(sealed) == 40 and len(data.x_train) and len(data.x_validation)
        assert not given["time_ordered"] or data.rows[-1] == len(data.x) - 1
    with pytest.raises(DataError, match="class_names must be 2 different names"):
        datasets.Data(x, np.arange(40) % 2, name="mine", class_names={"a", "b"})  # in what order?


def plain_value(value):
    return value.item() if isinstance(value, np.ndarray | np.generic) else value


WIDGETS = {
    "BayesExplorer": {"run": False},
    "BracketExplorer": {"run": False, "table": None},
    "FoldExplorer": {"run": False},
    "RaceTrack": {"run": False, "table": None},
    "SearchExplorer": {"run": False},
    "Playground": {"preset": None, "share": None, "epochs": 0},
    "FitDoctor": {"epochs": 0},
}


@pytest.mark.parametrize("name", WIDGETS)
def test_widgets(name):
    """A widget takes what its controls take: the constructor a few odd values, for it draws; its
    controls all."""
    make = getattr(widgets, name)
    widget = make()
    knobs = widget.controls.defaults
    rng = random.Random(0)
    refused = 0
    for argument in (*WIDGETS[name], rng.choice(list(knobs)), "no_such_control"):
        for value in rng.sample([v for v in ODD if type(v) is not int and not _trains(v)], 2):
            try:
                made = make(**{argument: value})
                assert made._error.value == "" and argument != "no_such_control"
            except HptError as error:
                refused += 1
                assert str(error)
    assert refused

    for given, checked in calls(lambda **values: widget.controls.check(values), **knobs):
        for key, value in checked.items():
            assert value == given[key] and plain(value)
    for given, read in calls(widget.controls.from_text, text=widget.controls.to_text()):
        assert read == knobs and isinstance(given["text"], str)
    assert widget.controls.values == knobs


def _trains(value):
    """Tell whether a widget would take this for a number of epochs, or for run=True."""
    return isinstance(value, np.integer | np.bool_ | bool) or (
        isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind == "i"
    )


def test_plots():
    study = hpt.tune(
        lambda config, budget: config["x"] / budget,
        hpt.hyperband(SPACE, max_budget=3),
        progress=False,
    )
    plots, drawn = hpt.plots, 0
    late = {record.trial.id: 0.5 for record in study.history.records}
    odd = ODD[::2]
    for plot, usual in (
        (plots.brackets, {"log": None}),
        (plots.history, {"log": None}),
        (plots.parallel_coordinates, {"space": SPACE}),
        (plots.hindsight, {"late": late, "budget": 3, "within": 0.1, "colour": "x"}),
    ):
        for ax in odd:
            for _, axes in calls(plot, at_least=1, odd=[ax], study=study, ax=None, **usual):
                axes.figure.clear()
                drawn += 1
                import matplotlib.pyplot as plt

                plt.close("all")
    assert drawn
    for _, text in calls(plots.describe, drawn=Figure()):
        assert isinstance(text, str)
    for _, nothing in calls(plots.alt, drawn=Figure(), text="x"):
        assert nothing is None


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("hyperband", r"hpt.hyperband\(space, max_budget=27, seed=0\)"),
        (hpt.random_search, r"hpt.random_search\(space, trials=20"),
        ("grid search", r"hpt.grid_search\(space, n=3\)"),
        (SPACE, "strategy must be a Strategy"),
        (None, "strategy must be a Strategy"),
    ],
)
def test_a_strategy_that_is_none_is_told_how_to_become_one(wrong, says):
    with pytest.raises(StrategyError, match=says):
        hpt.tune(lambda config: 1.0, wrong)
    with pytest.raises(StrategyError, match=says):
        hpt.plan(wrong)


def test_swapped_arguments_are_named():
    with pytest.raises(
        HptError, match=r"objective comes first, then the strategy.*tune\(objective, strategy\)"
    ):
        hpt.tune(STRATEGY, STRATEGY)
    with pytest.raises(StrategyError, match="may be swapped"):
        hpt.tune(STRATEGY, lambda config: 1.0)

"""How an objective is called, what it may answer, and what a study says when nothing came of it."""

import asyncio
import functools
import math
import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import hpt_lab as hpt
from hpt_lab.errors import HptError, StudyError
from hpt_lab.study.evaluation import calling, evaluate
from hpt_lab.trial import Outcome, Trial

SPACE = hpt.Space(x=hpt.Float(-2, 2), loss=hpt.Choice(["mse", "mae"]))
TRIAL = Trial(3, {"x": 0.5}, budget=9)
target = 7.0


def plain(config):
    return config["x"]


def second(config, epochs):
    return config["x"] + epochs


def named(config, data=1.0, budget=None):
    return config["x"] + data + budget


def keyword(config, *, budget):
    return config["x"] + budget


def everything(*args, **kwargs):
    return args[0]["x"] + len(args) + len(kwargs)


def passes_on(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


def always_ten(function):
    @functools.wraps(function)
    def inner(config):
        return function(config, 10)

    return inner


class Callable:
    scale = 2

    def __call__(self, config, budget):
        return self.scale * config["x"] + budget

    def method(self, config):
        return self.scale * config["x"]

    def method_of_two(self, config, epochs):
        return config["x"] + epochs


class Runs:
    def run(self, trial):
        return Outcome(trial.config["x"] + trial.budget)


@pytest.mark.parametrize(
    ("objective", "loss"),
    [
        (plain, 0.5),
        (second, 9.5),
        (named, 10.5),
        (keyword, 9.5),
        (everything, 1.5),
        (len, 1.0),
        (Runs(), 9.5),
        (lambda config, t=target: config["x"] + t, 7.5),
        (lambda c, *, t=target: c["x"] + t, 7.5),
        (lambda config, **kwargs: config["x"] + len(kwargs), 0.5),
        (lambda config, *rest: config["x"] + len(rest), 0.5),
        (lambda config, t=target, *, budget: config["x"] + t + budget, 16.5),
        (lambda config, /, budget=1: config["x"] + budget, 9.5),
        (lambda config, budget, /: config["x"] + budget, 9.5),
        (functools.partial(second, epochs=1.0), 1.5),
        (functools.partial(lambda data, config: config["x"] + data, 2.0), 2.5),
        (functools.partial(named, data=2.0), 11.5),
        (functools.partial(lambda config, data, budget: config["x"] + data + budget, data=1), 10.5),
        (passes_on(plain), 0.5),
        (passes_on(second), 9.5),
        (passes_on(named), 10.5),
        (always_ten(second), 10.5),
        (Callable(), 10.0),
        (Callable().method, 1.0),
        (Callable().method_of_two, 9.5),
        (passes_on(passes_on(second)), 9.5),
    ],
)
def test_the_budget_goes_only_to_a_required_second_parameter_or_one_named_budget(objective, loss):
    assert evaluate(objective, TRIAL).loss == loss


async def asynchronous(config):
    return 1.0


def generator(config):
    yield 1.0


class Asynchronous:
    async def __call__(self, config):
        return 1.0


@pytest.mark.parametrize(
    ("objective", "says"),
    [
        (None, "can't be called"),
        (3, "can't be called"),
        (Callable, "the class Callable; make one of it"),
        (Runs, "the class Runs"),
        (asynchronous, "asynchronous or a generator"),
        (Asynchronous(), "asynchronous"),
        (generator, "asynchronous or a generator"),
        (functools.partial(asynchronous), "asynchronous"),
        (lambda: 1.0, "takes no config"),
        (lambda **config: 1.0, "takes no config"),
        (lambda config, a, b: 1.0, "nobody gives it b"),
        (lambda config, *, data: 1.0, "nobody gives it data"),
        (lambda budget, config: 1.0, "first parameter is named budget"),
        (lambda a, b, budget: 1.0, "nobody gives it b"),
        (lambda x, loss: 1.0, "'loss' is one of them"),
        (type("Bad", (), {"run": 3})(), "no method"),
    ],
)
def test_an_objective_that_can_not_be_called_is_refused_before_anything_is_spent(objective, says):
    with pytest.raises(HptError, match=says):
        hpt.tune(objective, hpt.random_search(SPACE, trials=3), progress=False)


class Tensor:
    """What TensorFlow and PyTorch have in common."""

    def __init__(self, value, shape=()):
        self.value, self.shape = value, shape

    def __float__(self):
        return float(self.value)


@pytest.mark.parametrize(
    "answer",
    [
        1,
        1.5,
        np.float32(0.5),
        np.int64(3),
        np.array(0.25),
        Decimal("0.5"),
        Fraction(1, 4),
        Tensor(0.75),
        Outcome(0.5),
        10**20,
    ],
)
def test_a_loss_may_be_one_number_of_any_library(answer):
    outcome = evaluate(lambda config: answer, TRIAL)
    assert outcome.error is None and type(outcome.loss) is float
    assert outcome.loss == float(getattr(answer, "loss", answer))


async def coroutine():
    return 1.0


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "returned None; end it with `return loss`"),
        ({"loss": 1.0}, "must return its loss, one number, or hpt.Outcome"),
        ((0.5, {"auc": 1}), "must return its loss"),
        ([0.5], "must return its loss"),
        ("0.5", "must return its loss"),
        (np.array([0.5]), r"of shape \(1,\); take its one number with .item\(\)"),
        (Tensor(0.5, (1,)), r"of shape \(1,\)"),
        (True, "must be a number, got True"),
        (np.True_, "must be a number"),
        (1j, "must be a number"),
        (10**400, "must be a number"),
        (object(), "must be a number"),
        (Decimal("sNaN"), "must be a number"),
        (b"1", "must return its loss"),
    ],
)
def test_any_other_answer_is_that_trial_s_failure_and_says_what_to_return(answer, says):
    outcome = evaluate(lambda config: answer, TRIAL)
    assert outcome.failed
    with pytest.raises(AssertionError, match=says):
        raise AssertionError(outcome.error)


def test_an_awaitable_is_no_answer_and_leaves_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "must return its loss" in evaluate(lambda config: coroutine(), TRIAL).error
    assert asyncio.run(coroutine()) == 1.0


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"loss": None}, "an Outcome's loss must be a number, got None"),
        ({"loss": "low"}, "an Outcome's loss"),
        (
            {"metrics": {"auc": None, "note": "mlp"}},
            "the metric 'auc' must be a number, got None; leave it out",
        ),
        ({"metrics": {"note": "mlp"}}, "the metric 'note'"),
        ({"metrics": None}, "metrics must be a dict"),
        ({"metrics": [0.5]}, "metrics must be a dict"),
        ({"metrics": {1: 0.5}}, "metrics must be a dict"),
        ({"metrics": {"a": {"b": 1.0}}}, "the metric 'a'"),
        ({"metrics": {"a": np.array([1.0])}}, "the metric 'a'"),
        ({"seconds": None}, "seconds must be a number"),
        ({"seconds": "1"}, "seconds must be a number"),
        ({"seconds": -1}, "seconds must be finite and >= 0"),
        ({"seconds": math.inf}, "seconds must be finite"),
        ({"error": ValueError("x")}, r"error must be None or a string.*try str\(error\)"),
        ({"error": 3}, "error must be"),
        ({"curves": None}, "curves must be a dict"),
        ({"curves": {"loss": 0.5}}, "the curve 'loss' must be a list"),
        ({"curves": {"loss": "abc"}}, "the curve 'loss'"),
        ({"curves": {"loss": [None]}}, "every value of the curve 'loss'"),
        ({"curves": {"loss": [[0.5]]}}, "every value of the curve 'loss'"),
    ],
)
def test_outcomes_of_wrong_types_fail_their_trial_and_lose_no_study(fields, says, tmp_path):
    def objective(config):
        return Outcome(**{"loss": 0.5, **fields}) if config["x"] > 0 else 1.0

    strategy = hpt.random_search(SPACE, trials=8)
    study = hpt.tune(objective, strategy, journal=tmp_path / "j.jsonl", progress=False)
    failed = [record for record in study.history.records if record.config["x"] > 0]
    assert failed and all(record.outcome.failed for record in failed) and study.best.loss == 1.0
    with pytest.raises(AssertionError, match=says):
        raise AssertionError(failed[0].outcome.error)
    assert hpt.resume(tmp_path / "j.jsonl", objective, progress=False).digest == study.digest


def test_every_accepted_outcome_is_read_back_equal(tmp_path):
    given = Outcome(
        np.float32(0.1),
        {"a": np.float64(0.1), "b": True, "e": math.nan, np.str_("f"): Decimal("0.1")},
        np.float32(1.5),
        None,
        {"loss": (1, np.float32(0.1)), "z": np.array([0.1, math.nan]), "none": []},
    )
    study = hpt.tune(
        lambda config: given,
        hpt.random_search(SPACE, trials=1),
        journal=tmp_path / "j.jsonl",
        progress=False,
        version="any",
    )
    again = hpt.resume(tmp_path / "j.jsonl", lambda config: 1 / 0, progress=False, version="any")
    np.testing.assert_equal(
        vars(again.history.records[0].outcome), vars(study.history.records[0].outcome)
    )
    assert type(again.best.loss) is float


@pytest.mark.parametrize("trials", [1, 3, 12])
def test_a_study_in_which_every_trial_failed_says_so(trials):
    with pytest.raises(
        StudyError, match=f"every trial failed, all {trials} of them.*ZeroDivisionError"
    ) as caught:
        hpt.tune(
            lambda config: 1 / 0,
            hpt.random_search(SPACE, trials=trials),
            progress=False,
            max_failures=99,
        )
    assert len(caught.value.study.history.records) == trials and caught.value.study.best is None


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no message")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (SystemExit(1), "SystemExit: 1"),
        (Unprintable(), r"Unprintable: \(its message can't be shown\)"),
        (asyncio.CancelledError("x"), "CancelledError: x"),
        (StopIteration(3), "StopIteration: 3"),
    ],
)
def test_whatever_an_objective_raises_is_its_trial_s_failure(error, says):
    def objective(config):
        raise error

    outcome = evaluate(objective, TRIAL)
    with pytest.raises(AssertionError, match=says):
        raise AssertionError(outcome.error)


def test_result_columns_keep_their_names_whatever_the_hyperparameters_are_called():
    names = [
        "loss",
        "budget",
        "trial",
        "error",
        "seconds",
        "bracket",
        "rung",
        "auc",
        "config.loss",
        "metric.loss",
    ]
    space = hpt.Space(
        **{name: hpt.Choice(["p", "q", "r"]) for name in names}, lr=hpt.Float(1e-4, 1e-1, log=True)
    )
    study = hpt.tune(
        lambda c: Outcome(c["lr"], {"auc": 1 - c["lr"], "loss": 5.0, "trial": 6.0}),
        hpt.random_search(space, trials=9),
        progress=False,
    )
    frame = study.frame()
    best = frame.sort_values("loss").iloc[0]
    assert (
        best["trial"] == study.best.trial.id
        and best["loss"] == study.best.loss
        and best["lr"] == study.best.config["lr"]
    )
    assert best["auc"] == study.best.metrics["auc"] and best["metric.trial"] == 6.0
    assert frame.columns.is_unique and len(frame.columns) == 7 + 3 + len(names) + 1
    for name in names:
        column = next(
            c
            for c in frame.columns
            if c != "metric.loss"
            and c.endswith(name)
            and best[c] in ("p", "q", "r")
            and c.removesuffix(name).replace("config.", "") == ""
        )
        assert best[column] == study.best.config[name]


def test_a_failed_trial_never_sorts_first_in_the_frame():
    study = hpt.tune(
        lambda c: -math.inf if c["x"] > 0 else Outcome(-5.0, error="no") if c["x"] > -1 else 1.0,
        hpt.random_search(SPACE, trials=20),
        progress=False,
        max_failures=99,
    )
    assert study.frame().sort_values("loss").iloc[0]["trial"] == study.best.trial.id
    assert list(hpt.History().frame().columns) == [
        "trial",
        "bracket",
        "rung",
        "budget",
        "loss",
        "seconds",
        "error",
    ]


class Trains:
    """Counts its budget in epochs, as KerasObjective does."""

    budget_unit = "epochs"

    def run(self, trial):
        return Outcome(1 / trial.budget)


@pytest.mark.parametrize("name", ["epochs", "n_epochs", "Epochs"])
def test_epochs_in_the_space_are_refused_where_the_budget_counts_them(name):
    space = hpt.Space(**{name: hpt.Int(1, 50), "x": hpt.Float(0, 1)})
    with pytest.raises(HptError, match=f"the space has '{name}'.*rename it"):
        hpt.tune(Trains(), hpt.random_search(space, trials=2, budget=3), progress=False)
    study = hpt.tune(
        lambda config: config[name], hpt.random_search(space, trials=2), progress=False
    )
    assert study.best.loss == study.best.config[name]


def test_a_strategy_that_trains_every_trial_for_one_epoch_says_so():
    with pytest.warns(
        UserWarning, match=r"each trains for one epoch.*random_search\(\.\.\., budget=30\)"
    ):
        hpt.tune(Trains(), hpt.random_search(SPACE, trials=2), progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hpt.tune(Trains(), hpt.random_search(SPACE, trials=2, budget=3), progress=False)
        hpt.tune(Trains(), hpt.hyperband(SPACE, max_budget=3), progress=False)
        hpt.tune(plain, hpt.random_search(SPACE, trials=2), progress=False)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"max_failures": 0}, "max_failures must be an integer >= 1"),
        ({"max_failures": -1}, "max_failures"),
        ({"max_failures": 2.5}, "max_failures"),
        ({"callbacks": print}, r"try callbacks=\[function\]"),
        ({"callbacks": [3]}, "callbacks must be"),
        ({"journal": 3}, "journal must be the path"),
        ({"executor": 4}, "executor must be"),
        ({"progress": "no"}, "progress must be"),
    ],
)
def test_options_are_checked_before_anything_is_spent(options, says):
    calls = []
    with pytest.raises(HptError, match=says):
        hpt.tune(lambda config: calls.append(config), hpt.random_search(SPACE, trials=2), **options)
    assert not calls


def test_calling_is_a_word_for_each_way():
    assert [calling(f) for f in (plain, second, keyword, Runs())] == [
        "config",
        "config, budget",
        "config, budget=budget",
        "run",
    ]

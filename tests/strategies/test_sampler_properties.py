"""What users may expect of any sampler, whatever the space: the properties that Optuna tests its
own samplers for.

Values stay within their bounds and have Python's own types; a domain of one value gives that one;
the same seed gives the same trials; NaN, infinite and failed results are survived; a batch of
trials in flight is no problem; and NumPy's numbers, as bounds, choices, settings or losses, change
nothing.
"""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import hpt_lab as hpt
from hpt_lab.domains import Choice, Float, Int
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.trial import Outcome, failure

ONE = {
    "lr": Float(1e-4, 1e-1, log=True)
}  # beside every domain below, so that no space is a single point
DOMAINS = {
    "float": Float(-1.5, 2.5),
    "float, log": Float(1e-7, 10, log=True),
    "float, tiny": Float(0, 1e-300),
    "float, huge": Float(-1e308, 1e308),
    "float, far": Float(1e6, 1e6 + 1e-3),
    "float, negative": Float(-3, -1),
    "int": Int(-3, 7),
    "int, log": Int(1, 1000, log=True),
    "int, huge": Int(-(10**15), 10**15),
    "int, huge log": Int(1, 10**12, log=True),
    "int, single": Int(5, 5),
    "int, single log": Int(5, 5, log=True),
    "choice": Choice(["a", "b", "c"]),
    "choice, mixed": Choice([1, 2.5, "x", None, False]),
    "choice, ordered": Choice([16, 64, 256], ordered=True),
    "choice, single": Choice([None]),
}
TYPES = {"float": (float,), "int": (int,), "choice": (str, int, float, bool, type(None))}

SAMPLERS = {
    "grid": lambda space, **more: hpt.grid_search(space, n=2),
    "random": lambda space, **more: hpt.random_search(space, trials=12, **more),
    "sobol": lambda space, **more: hpt.random_search(space, trials=12, points="sobol", **more),
    "successive halving": lambda space, **more: hpt.successive_halving(space, max_budget=9, **more),
    "hyperband": lambda space, **more: hpt.hyperband(space, max_budget=9, **more),
    "asha": lambda space, **more: hpt.asha(space, max_budget=9, trials=12, **more),
    "bohb": lambda space, **more: hpt.bohb(space, max_budget=9, **more),
    "tpe": lambda space, **more: hpt.tpe(space, trials=14, startup=4, **more),
    "bayesian optimization": lambda space, **more: hpt.bayesian_optimization(
        space, trials=8, initial=4, **more
    ),
    "pbt": lambda space, **more: hpt.population_based_training(
        space, max_budget=6, interval=2, population=5, **more
    ),
}
every_sampler = pytest.mark.parametrize("name", SAMPLERS)
every_domain = pytest.mark.parametrize("kind", DOMAINS)


def run(strategy, loss=lambda trial: float(trial.id % 5), workers=1):
    """Drive a strategy to its end and return its trials, in the order in which they were asked."""
    ask_tell = AskTell(strategy)
    trials, running = [], []
    while True:
        while len(running) < workers and (trial := ask_tell.ask()) is not None:
            trials.append(trial)
            running.append(trial)
        if not running:
            return trials
        trial = running.pop(0)
        answer = loss(trial)
        ask_tell.tell(trial, answer if isinstance(answer, Outcome) else Outcome(answer))
        assert len(trials) < 500, "a search must end"


@every_sampler
@every_domain
def test_values_stay_in_bounds_and_have_python_types(name, kind):
    domain = DOMAINS[kind]
    for trial in run(SAMPLERS[name](hpt.Space(**ONE, p=domain), **seeded(name))):
        value = trial.config["p"]
        assert value in domain and type(value) in TYPES[domain.kind]
        if kind.endswith("single"):
            assert value == domain.from_unit(0.5)
        if domain.kind != "choice":
            assert domain.low <= value <= domain.high
        assert json.loads(json.dumps(trial.config)) == trial.config


def seeded(name, seed=0):
    return {} if name == "grid" else {"seed": seed}


@every_sampler
def test_the_same_seed_gives_the_same_trials_whatever_the_type_of_the_seed(name):
    space = hpt.Space(**ONE, n=Int(1, 9), c=Choice(["a", "b"]))
    once = run(SAMPLERS[name](space, **seeded(name)))
    assert once == run(SAMPLERS[name](space, **seeded(name)))
    assert once == run(SAMPLERS[name](space, **seeded(name, np.int64(0))))


@every_sampler
def test_numpy_numbers_change_nothing(name):
    plain = hpt.Space(
        x=Float(0.25, 2, log=True),
        n=Int(1, 9),
        k=Choice([16, 32]),
        s=Choice(["a", "b"]),
        m=Int(2, 4, when={"k": 32}),
    )
    numpy = hpt.Space(
        x=Float(np.float32(0.25), np.int64(2), log=np.True_),
        n=Int(np.int8(1), np.uint16(9)),
        k=Choice(np.array([16, 32])),
        s=Choice(np.array(["a", "b"])),
        m=Int(2, np.array(4), when={"k": np.int32(32)}),
    )
    assert json.loads(json.dumps(numpy.spec())) == plain.spec() and numpy == plain
    first = {"x": 0.5, "n": 2, "k": 32, "s": "b", "m": 3}
    odd = {
        "x": np.float32(0.5),
        "n": np.int64(2),
        "k": np.int16(32),
        "s": np.str_("b"),
        "m": np.array(3),
    }
    more = [{}, {}] if name == "grid" else [{"first": [first]}, {"first": [odd]}]
    one = run(SAMPLERS[name](plain, **more[0]))
    other = run(SAMPLERS[name](numpy, **more[1]), lambda trial: np.float64(trial.id % 5))
    assert one == other
    described = json.dumps(SAMPLERS[name](numpy, **more[1]).describe())
    assert described == json.dumps(SAMPLERS[name](plain, **more[0]).describe())
    for trial in other:
        assert all(type(value) in (int, float, str) for value in trial.config.values())


@every_sampler
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, "failed"])
@pytest.mark.parametrize("workers", [1, 3])
def test_bad_results_are_survived(name, bad, workers):
    def loss(trial):
        if trial.id % 2:
            return failure("boom") if bad == "failed" else bad
        return float(trial.id)

    space = hpt.Space(**ONE, c=Choice(["a", "b"]), m=Float(0, 1, when={"c": "a"}))
    trials = run(SAMPLERS[name](space, **seeded(name)), loss, workers)
    asked_again = [trial.id for trial in trials if trial.rung]
    assert trials and all(id % 2 == 0 or name == "pbt" for id in asked_again)


@every_sampler
@pytest.mark.parametrize("loss", [0.0, -1e300, 1e300, 1e-300])
def test_losses_that_are_all_the_same_or_huge_are_survived(name, loss):
    space = hpt.Space(**ONE, n=Int(1, 3))
    for trial in run(
        SAMPLERS[name](space, **seeded(name)), lambda trial: loss * (1 + trial.id % 2)
    ):
        space.check(trial.config)


@every_sampler
@pytest.mark.parametrize("workers", [2, 50])
def test_a_batch_in_flight_holds_different_trials(name, workers):
    trials = run(SAMPLERS[name](hpt.Space(**ONE, n=Int(1, 3)), **seeded(name)), workers=workers)
    asked = [(trial.id, trial.budget) for trial in trials]
    assert len(asked) == len(set(asked))
    configs = [tuple(trial.config.items()) for trial in trials if not trial.rung]
    assert len(set(configs)) == len(configs) or name == "pbt"


@pytest.mark.parametrize("name", ["random", "tpe", "bayesian optimization"])
def test_a_config_that_is_drawn_once_in_a_billion_is_found_when_it_is_the_last_one(name):
    """Thirty switches, each of which exists only if the one before is on: 31 configs, of very
    different chances."""
    chain = {"s0": Choice([0, 1])}
    for i in range(1, 30):
        chain[f"s{i}"] = Choice([0, 1], when={f"s{i - 1}": 1})
    space = hpt.Space(**chain)
    assert space.size == 31
    strategy = {
        "random": hpt.random_search,
        "tpe": hpt.tpe,
        "bayesian optimization": hpt.bayesian_optimization,
    }[name]
    trials = run(strategy(space, trials=60))
    assert len({tuple(trial.config.items()) for trial in trials}) == len(trials) == 31


def test_a_float_of_two_values_ends_every_search():
    space = hpt.Space(x=Float(0, 5e-324))
    assert len(run(hpt.tpe(space, trials=6, startup=2))) == 6
    assert len(run(hpt.random_search(space, trials=6))) == 6

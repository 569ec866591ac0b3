"""The one contract that every strategy passes."""

from __future__ import annotations

import ast
import inspect
import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import hpt_lab.strategies
from hpt_lab.errors import StrategyError
from hpt_lab.history import History
from hpt_lab.space import Choice, Float, Int, Space
from hpt_lab.strategies.asha import asha
from hpt_lab.strategies.bayesian_optimization import bayesian_optimization
from hpt_lab.strategies.bohb import bohb
from hpt_lab.strategies.grid_search import grid_search
from hpt_lab.strategies.hyperband import hyperband
from hpt_lab.strategies.population_based_training import population_based_training
from hpt_lab.strategies.random_search import random_search
from hpt_lab.strategies.strategy import STRATEGIES
from hpt_lab.strategies.successive_halving import successive_halving
from hpt_lab.strategies.tpe import tpe
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.plan import plan
from hpt_lab.study.study import resume, tune
from hpt_lab.trial import Outcome, Trial, failure

MIXED = Space(rate=Float(1e-4, 1, log=True), layers=Int(1, 4), kind=Choice(["a", "b", "c"]))
CONDITIONAL = Space(
    optimizer=Choice(["adam", "sgd"]),
    momentum=Float(0, 1, when={"optimizer": "sgd"}),
    layers=Int(1, 3),
    second=Int(4, 64, log=True, when={"layers": (2, 3)}),
    third=Choice(["x", "y"], when={"layers": 3}),
)
FINITE = Space(layers=Int(1, 3), kind=Choice(["a", "b"]))  # six configs
POINT = Space(layers=Int(3, 3), kind=Choice(["only"]))

CASES = {
    "grid": lambda space, seed=0: grid_search(space, n=3),
    "random": lambda space, seed=0: random_search(space, trials=12, seed=seed),
    "sobol": lambda space, seed=0: random_search(space, trials=12, points="sobol", seed=seed),
    "successive halving": lambda space, seed=0: successive_halving(space, max_budget=9, seed=seed),
    "hyperband": lambda space, seed=0: hyperband(space, max_budget=9, seed=seed),
    "hyperband, table": lambda space, seed=0: hyperband(
        space, max_budget=9, rounding="table", seed=seed
    ),
    "hyperband, twice": lambda space, seed=0: hyperband(
        space, max_budget=4, iterations=2, seed=seed
    ),
    "bayesian optimization": lambda space, seed=0: bayesian_optimization(
        space, trials=9, seed=seed
    ),
    "tpe": lambda space, seed=0: tpe(space, trials=14, startup=5, seed=seed),
    "bohb": lambda space, seed=0: bohb(space, max_budget=9, seed=seed),
    "bohb, twice": lambda space, seed=0: bohb(space, max_budget=4, iterations=2, seed=seed),
    "asha": lambda space, seed=0: asha(space, max_budget=9, trials=12, seed=seed),
    "pbt": lambda space, seed=0: population_based_training(
        space, max_budget=6, interval=2, population=5, seed=seed
    ),
}
NO_REPEATS = [
    "grid",
    "random",
    "sobol",
    "bayesian optimization",
    "tpe",
]  # the others resume, or need their n configs
every_strategy = pytest.mark.parametrize("name", CASES)
spaces = pytest.mark.parametrize(
    "space", [MIXED, CONDITIONAL, FINITE, POINT], ids=["mixed", "conditional", "finite", "point"]
)


def train(trial: Trial, space: Space = MIXED) -> Outcome:
    return Outcome(float(np.nansum((space.to_unit(trial.config) - 0.3) ** 2) + 1 / trial.budget))


def run(
    strategy, outcome=train, *, workers: int = 1, order: int = 0
) -> tuple[list[Trial | tuple[Trial, Outcome]], History]:
    """Drive the strategy to its end; of the running trials a random one finishes next. Return
    events and history."""
    ask_tell, rng = AskTell(strategy), np.random.default_rng(order)
    events: list[Trial | tuple[Trial, Outcome]] = []
    running: list[Trial] = []
    while True:
        while len(running) < workers and (trial := ask_tell.ask()) is not None:
            events.append(trial)
            running.append(trial)
        if not running:
            return events, ask_tell.history
        trial = running.pop(rng.integers(len(running)))
        told = outcome(trial)
        events.append((trial, told))
        ask_tell.tell(trial, told)
        assert len(events) < 500, "a search must end"


def trials(events) -> list[Trial]:
    return [event for event in events if isinstance(event, Trial)]


@every_strategy
def test_the_same_seed_gives_the_same_trials_and_zero_is_a_seed(name):
    strategy = CASES[name](MIXED, 0)
    once = trials(run(strategy)[0])
    assert once == trials(run(strategy)[0]) == trials(run(CASES[name](MIXED, 0))[0])
    if name != "grid":
        assert [t.config for t in once] != [t.config for t in trials(run(CASES[name](MIXED, 1))[0])]


@every_strategy
@spaces
def test_every_config_belongs_to_its_space_and_every_trial_is_asked_once(name, space):
    events, history = run(CASES[name](space), lambda trial: train(trial, space), workers=3)
    assert events and not history.pending
    for trial in trials(events):
        space.check(trial.config)
    assert max(Counter((trial.id, trial.budget) for trial in trials(events)).values()) == 1


@every_strategy
@pytest.mark.parametrize("order", [0, 1])
def test_results_may_arrive_in_any_order(name, order):
    events, history = run(CASES[name](MIXED), workers=4, order=order)
    assert len(history.records) == len(trials(events)) and not history.pending
    budgets: dict[int, float] = {}
    for trial in trials(events):  # the same id always has the same config and only ever trains on
        assert trial.budget > budgets.get(trial.id, 0)
        budgets[trial.id] = trial.budget


@every_strategy
def test_the_same_results_in_the_same_order_give_the_same_trials(name):
    strategy = CASES[name](CONDITIONAL)
    events, _ = run(strategy, lambda trial: train(trial, CONDITIONAL), workers=3, order=5)
    replay = AskTell(strategy)
    for event in events:
        if isinstance(event, Trial):
            assert replay.ask() == event
        else:
            replay.tell(*event)
    assert replay.ask() is None


@every_strategy
def test_some_failures_are_tolerated_and_never_rewarded(name):
    def sometimes(trial: Trial) -> Outcome:
        return failure("out of memory") if trial.id % 3 == 1 else train(trial)

    events, history = run(CASES[name](MIXED), sometimes, workers=2)
    assert not history.pending and history.best is not None and history.best.trial.id % 3 != 1
    failed = [trial.id for trial in trials(events) if trial.id % 3 == 1]
    assert len(failed) == len(set(failed)), "a failed trial must not be resumed"


@every_strategy
@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_search_in_which_everything_fails_ends(name, loss):
    events, history = run(CASES[name](MIXED), lambda trial: Outcome(loss), workers=2)
    assert trials(events) and history.best is None and not history.pending


@every_strategy
def test_killed_at_any_moment_it_resumes_identically_from_its_journal(name, tmp_path):
    def objective(config, budget):
        return float(np.nansum((MIXED.to_unit(config) - 0.3) ** 2) + 1 / budget)

    whole = tune(objective, CASES[name](MIXED), journal=tmp_path / "whole.jsonl", progress=False)
    lines = (tmp_path / "whole.jsonl").read_text().splitlines(keepends=True)
    told = [json.loads(line).get("ask") for line in lines[1:]]
    for n in range(1, len(lines)):
        killed = tmp_path / "killed.jsonl"
        killed.write_text("".join(lines[:n]))
        study = resume(killed, objective, progress=False)
        assert study.digest == whole.digest
        assert [json.loads(line).get("ask") for line in killed.read_text().splitlines()[1:]] == told


@every_strategy
def test_what_runs_is_what_was_planned(name):
    strategy = CASES[name](MIXED)
    if name == "asha":
        with pytest.raises(StrategyError, match="no plan"):
            plan(strategy)
        return
    ran = Counter((trial.bracket, trial.budget) for trial in trials(run(strategy, workers=3)[0]))
    assert ran == {
        (s, budget): n for s, rungs in plan(strategy).brackets.items() for n, budget in rungs
    }


@pytest.mark.parametrize("name", NO_REPEATS)
@pytest.mark.parametrize("workers", [1, 4])
def test_a_finite_space_is_tried_once_each_and_then_the_search_ends(name, workers):
    events, _ = run(CASES[name](FINITE), lambda trial: train(trial, FINITE), workers=workers)
    configs = [tuple(trial.config.items()) for trial in trials(events)]
    assert len(configs) == len(set(configs)) == 6


@every_strategy
def test_first_configs_are_tried_first(name):
    if name == "grid":
        assert "first" not in CASES[name](MIXED).settings
        return
    first = [{"rate": 0.5, "layers": 4, "kind": "c"}, {"rate": 0.25, "layers": 1, "kind": "a"}]
    settings = {**CASES[name](MIXED).settings, "first": first}
    strategy = STRATEGIES[CASES[name](MIXED).name](**settings)
    assert [trial.config for trial in trials(run(strategy)[0])[:2]] == first


@every_strategy
def test_settings_are_keywords_and_plain_json(name):
    strategy = CASES[name](MIXED)
    parameters = inspect.signature(STRATEGIES[strategy.name]).parameters
    assert [p for p in parameters.values() if p.kind is not p.KEYWORD_ONLY] == [parameters["space"]]
    described = json.loads(json.dumps(strategy.describe()))
    described["settings"]["space"] = Space.from_spec(described["settings"]["space"])
    again = STRATEGIES[described["strategy"]](**described["settings"])
    assert trials(run(again)[0]) == trials(run(strategy)[0])


@pytest.mark.parametrize(
    "path",
    sorted(Path(hpt_lab.strategies.__file__).parent.glob("*.py")),
    ids=lambda path: path.name,
)
def test_a_strategy_has_at_most_90_statements(path):
    assert statements(path.read_text()) <= 90  # 100 lines, before a formatter unfolded them


def statements(source: str) -> int:
    """Count what the formatter can't change: statements, docstrings left out."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    return sum(not is_text(node) for node in nodes)


def is_text(node: ast.stmt) -> bool:
    """Tell whether a statement is a bare constant: a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_statements_are_counted_without_comments_and_docstrings():
    source = (
        '"""Doc.\n\nMore."""\n\n# why\nx = 1  # one\n\ndef f(\n    a,\n):\n    """Doc."""\n  '
        '  return """a\nb"""\n'
    )
    assert statements(source) == 3  # x, f, and what it returns

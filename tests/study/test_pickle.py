"""Studies, strategies and drivers can be copied and stored: pickle, joblib, cloudpickle,
deepcopy."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys

import cloudpickle
import joblib
import pytest

import hpt_lab as hpt
from hpt_lab.strategies.strategy import STRATEGIES

SPACE = hpt.Space(
    x=hpt.Float(-2, 2), kind=hpt.Choice(["a", "b"]), n=hpt.Int(1, 3, when={"kind": "a"})
)
SETTINGS = {
    "grid_search": {"n": 2},
    "random_search": {"trials": 6, "points": "sobol"},
    "successive_halving": {"max_budget": 9},
    "hyperband": {"max_budget": 9},
    "bayesian_optimization": {"trials": 10},
    "tpe": {"trials": 12},
    "bohb": {"max_budget": 9},
    "asha": {"max_budget": 9},
    "population_based_training": {"max_budget": 6, "population": 4},
}


def with_joblib(thing):
    file = io.BytesIO()
    joblib.dump(thing, file)
    file.seek(0)
    return joblib.load(file)


COPIES = {
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
    "oldest protocol": lambda thing: pickle.loads(pickle.dumps(thing, 0)),
    "joblib": with_joblib,
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
    "cloudpickle": lambda thing: pickle.loads(cloudpickle.dumps(thing)),
}
strategies = pytest.mark.parametrize("name", SETTINGS)
copies = pytest.mark.parametrize("how", COPIES)


def bowl(config, budget):
    return config["x"] ** 2 / budget


def test_every_strategy_is_here():
    assert STRATEGIES.keys() >= SETTINGS.keys() and len(SETTINGS) == 9


@strategies
@copies
def test_a_copy_of_a_strategy_asks_for_the_same_trials(name, how):
    strategy = STRATEGIES[name](SPACE, **SETTINGS[name])
    again = COPIES[how](strategy)
    assert repr(again) == repr(strategy) and again.describe() == strategy.describe()
    expected = hpt.tune(bowl, strategy, progress=False)
    study = hpt.tune(bowl, again, progress=False)
    assert [record.trial for record in study.history.records] == [
        record.trial for record in expected.history.records
    ]


@strategies
@copies
def test_a_copy_of_a_study_holds_the_same(name, how):
    study = hpt.tune(bowl, STRATEGIES[name](SPACE, **SETTINGS[name]), progress=False)
    again = COPIES[how](study)
    assert (again.digest, again.stopped, again.epochs, again.best) == (
        study.digest,
        study.stopped,
        study.epochs,
        study.best,
    )
    assert again.frame().equals(study.frame())
    assert hpt.tune(bowl, again.strategy, progress=False).digest == study.digest


@strategies
@copies
def test_a_copy_of_a_search_under_way_goes_on_alike(name, how):
    ask_tell = hpt.AskTell(STRATEGIES[name](SPACE, **SETTINGS[name]))
    out = [ask_tell.ask() for _ in range(3)]
    ask_tell.tell(out[1], hpt.Outcome(0.5))
    again = COPIES[how](ask_tell)
    for search in (ask_tell, again):
        for trial in list(search.history.pending):
            search.tell(trial, hpt.Outcome(bowl(trial.config, trial.budget)))
    rest = [drain(search) for search in (ask_tell, again)]
    assert rest[0] == rest[1] != []


def drain(ask_tell):
    trials = []
    while (trial := ask_tell.ask()) is not None:
        trials.append(trial)
        ask_tell.tell(trial, hpt.Outcome(bowl(trial.config, trial.budget)))
    return trials


def test_another_process_reads_a_study_and_goes_on(tmp_path):
    study = hpt.tune(bowl, hpt.hyperband(SPACE, max_budget=9), progress=False)
    joblib.dump(study, tmp_path / "study")
    code = (
        f"import joblib; s = joblib.load({str(tmp_path / 'study')!r}); print(s.digest, "
        "len(list(s.strategy.start())))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [study.digest, "3"]


def test_a_strategy_of_a_script_of_ones_own_can_be_sent_with_cloudpickle():
    @hpt.strategies.strategy
    def mine(space, *, seed=0):
        def search():
            yield [hpt.Trial(0, space.sample((seed, 0)))]

        return search()

    again = pickle.loads(cloudpickle.dumps(mine(SPACE, seed=3)))
    assert hpt.AskTell(again).ask() == hpt.AskTell(mine(SPACE, seed=3)).ask()

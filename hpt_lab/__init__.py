"""hpt_lab: learn hyperparameter tuning for deep learning by doing it.

    import hpt_lab as hpt

    space = hpt.Space(learning_rate=hpt.Float(1e-4, 1e-1, log=True), units=hpt.Int(16, 256,
    log=True)) strategy = hpt.hyperband(space, max_budget=27, seed=0)
    print(hpt.plan(strategy))
    study = hpt.tune(hpt.KerasObjective(build, hpt.datasets.digits()), strategy)

Start reading at `hpt_lab.strategies.successive_halving`. TensorFlow, Matplotlib and ipywidgets are
imported when a name that needs them is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hpt_lab.errors import HptError
from hpt_lab.history import History, Record
from hpt_lab.space import Choice, Float, Int, Space
from hpt_lab.strategies import (
    asha,
    bayesian_optimization,
    bohb,
    grid_search,
    hyperband,
    population_based_training,
    random_search,
    successive_halving,
    tpe,
)
from hpt_lab.study import AskTell, Plan, Study, plan, recommend, resume, tune
from hpt_lab.trial import Config, Outcome, Trial

if TYPE_CHECKING:
    from hpt_lab import bridges, checks, curves, datasets, interview, plots, training, widgets
    from hpt_lab.training import KerasObjective

__version__ = "0.1.0"

__all__ = [
    "AskTell",
    "Choice",
    "Config",
    "Float",
    "History",
    "HptError",
    "Int",
    "KerasObjective",
    "Outcome",
    "Plan",
    "Record",
    "Space",
    "Study",
    "Trial",
    "asha",
    "bayesian_optimization",
    "bohb",
    "bridges",
    "checks",
    "curves",
    "datasets",
    "grid_search",
    "hyperband",
    "interview",
    "plan",
    "plots",
    "population_based_training",
    "random_search",
    "recommend",
    "resume",
    "successive_halving",
    "tpe",
    "training",
    "tune",
    "widgets",
]

_LAZY = ("bridges", "checks", "curves", "datasets", "interview", "plots", "training", "widgets")


def __getattr__(name: str) -> Any:
    if name == "KerasObjective":
        return import_module("hpt_lab.training").KerasObjective
    if name in _LAZY:
        return import_module(f"hpt_lab.{name}")
    raise AttributeError(f"module 'hpt_lab' has no attribute {name!r}")

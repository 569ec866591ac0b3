"""Recorded learning curves: train once, replay in milliseconds, race strategies fairly.

    table = curves.load("digits-mlp")
    study = hpt.tune(table.objective(seed=0), hpt.hyperband(table.space, max_budget=81, seed=0))

    print(curves.race(curves.contestants(table), table, budget=20 * table.epochs,
    seeds=20).verdict())

`table` holds the curves, `replay` makes an objective of them, `racing` compares strategies on many
seeds, `lessons` says what the curves teach. `dense_map` holds trainings on a fine grid of two
hyperparameters, for what needs every value. Only `recorder` and `map_recorder` train, and only they
need TensorFlow.
"""

from hpt_lab.curves import lessons
from hpt_lab.curves.dense_map import Map, load_map
from hpt_lab.curves.racing import LINE, Race, contestants, race
from hpt_lab.curves.replay import Replay
from hpt_lab.curves.table import Table, load, names

__all__ = [
    "LINE",
    "Map",
    "Race",
    "Replay",
    "Table",
    "contestants",
    "lessons",
    "load",
    "load_map",
    "names",
    "race",
]

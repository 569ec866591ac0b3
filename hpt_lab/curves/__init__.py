"""Recorded learning curves: train once, replay in milliseconds, race strategies fairly.

    table = curves.load("digits-mlp")
    study = hpt.tune(table.objective(seed=0), hpt.hyperband(table.space, max_budget=81, seed=0))

`table` holds the curves, `replay` makes an objective of them, `race` compares strategies on many seeds, `lessons` says
what the curves teach. Only `recorder` trains, and only it needs TensorFlow.
"""

from hpt_lab.curves.replay import Replay
from hpt_lab.curves.table import Table, load, names

__all__ = ["Replay", "Table", "load", "names"]

"""Optuna: put a study into its storage, read one of its studies, sample its trials with our
strategies.

    to_storage(study, "sqlite:///digits.db", name="digits")   # then: optuna-dashboard
    sqlite:///digits.db optuna.create_study(sampler=sampler(hpt.tpe(space, trials=40, seed=0)))
    hpt.plots.history(history(optuna.load_study(...)))

What doesn't translate, and what becomes of it. Optuna knows no trial that was resumed: ours is one
trial there, with the loss at each budget as an intermediate value; one that ended short of the
largest budget is PRUNED. It keeps one value per trial: metrics are user attributes. Optuna
maximises too; here everything is minimised, so that a score becomes 1 - score.
"""

from hpt_lab.bridges.optuna.reading import history, space
from hpt_lab.bridges.optuna.sampler import sampler
from hpt_lab.bridges.optuna.storage import to_storage

__all__ = ["history", "sampler", "space", "to_storage"]

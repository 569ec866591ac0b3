"""Replay: recorded learning curves as an objective that answers at once.

To a strategy it is a Keras objective: it takes whole epochs, resumes, diverges, and says how many
seconds the training took, trace included. `study.simulate` turns those seconds into any number of
workers. Read `Replay.run`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hpt_lab.arguments import check_seed, show
from hpt_lab.curves.table import Table
from hpt_lab.errors import HptError, StrategyError
from hpt_lab.trial import Outcome, Trial


class Replay:
    """Look a trial's training up in `table`; made by `Table.objective`.

    A trial's seconds are `trace_seconds` when it first runs, as in a fresh worker, plus
    `epoch_seconds` for every epoch that it had not been trained for yet. Not for two studies at
    once: it remembers how far each trial has got.
    """

    def __init__(self, table: Table, *, seed: int = 0, metric: str = "accuracy"):
        seed = check_seed(seed, error=HptError)
        self.table, self.seed, self.metric = table, seed, metric
        self._losses = table.losses(metric)
        self._lasted = table.lasted
        self._had: dict[int, int] = {}
        self._seeds: dict[int, int] = {}
        self.epochs = 0  # trained so far, over all trials; a run that diverged stopped there

    @property
    def settings(self) -> dict[str, Any]:
        """What a result depends on besides the trial, in plain JSON types."""
        return {
            "table": self.table.name,
            "table_digest": self.table.digest,
            "metric": self.metric,
            "seed": self.seed,
        }

    def run(self, trial: Trial) -> Outcome:
        """Return what training `trial` up to its budget gave, in no time."""
        row, seed, epochs = self.where(trial)
        lasted = int(self._lasted[row, seed])
        ran = min(epochs, lasted + 1)  # a run that diverges is stopped in that epoch
        had = self._had.get(trial.id, 0)
        self._had[trial.id] = max(had, ran)
        self.epochs += max(0, ran - had)
        seconds = max(0, ran - had) * float(self.table.epoch_seconds[row])
        if had == 0:
            seconds += float(self.table.trace_seconds[row])
        curves = {
            name: self.table.curves[name][row, seed, :ran].tolist()
            for name in ("loss", "val_loss", "val_accuracy")
        }
        if ran > lasted:
            return Outcome(
                math.nan,
                error=f"diverged: the loss is no longer finite in epoch {ran}; try a smaller "
                "learning rate",
                seconds=seconds,
                curves=curves,
            )
        return Outcome(
            float(self._losses[row, seed, epochs - 1]),
            {"val_loss": curves["val_loss"][-1], "accuracy": curves["val_accuracy"][-1]},
            seconds,
            None,
            curves,
        )

    def test(self, trial: Trial) -> dict[str, float]:
        """Return the test accuracy of `trial` after its budget; NaN if it diverged before."""
        row, seed, epochs = self.where(trial)
        return {"accuracy": float(self.table.curves["test_accuracy"][row, seed, epochs - 1])}

    def where(self, trial: Trial) -> tuple[int, int, int]:
        """Return a trial's place in the arrays: its config's row, its recorded training seed, and
        its epochs so far."""
        if not isinstance(trial, Trial):
            raise HptError(
                f"an objective runs a Trial, got {show(trial)}; try Trial(0, config, budget=9)"
            )
        if trial.parent is not None:
            raise StrategyError(
                f"trial {trial.id} starts from the weights of trial {trial.parent}; a table holds "
                "no such "
                "training, so population-based training needs a real objective"
            )
        epochs = int(trial.budget)
        if epochs != trial.budget or not 1 <= epochs <= self.table.epochs:
            raise HptError(
                f"budget must be a whole number of epochs from 1 to {self.table.epochs}, got "
                f"{trial.budget!r}; "
                f"choose max_budget={self.table.epochs}"
            )
        if (
            trial.id not in self._seeds
        ):  # the 1 keeps this draw apart from the config's own, space.sample((seed, id))
            self._seeds[trial.id] = int(
                np.random.default_rng((self.seed, trial.id, 1)).integers(self.table.seeds)
            )
        return self.table.row(trial.config), self._seeds[trial.id], epochs

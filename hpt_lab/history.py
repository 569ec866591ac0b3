"""What is known so far: every finished trial in the order it finished, and those still running.

Model-based strategies read it to choose, plots read it to draw, and `best` is what everybody wants
from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpt_lab.arguments import show
from hpt_lab.errors import HptError
from hpt_lab.trial import Config, Outcome, Trial

FIXED = ("trial", "bracket", "rung", "budget", "loss", "seconds", "error")  # columns of every frame

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Record:
    """A trial and what came of it."""

    trial: Trial
    outcome: Outcome

    @property
    def config(self) -> Config:
        return self.trial.config

    @property
    def budget(self) -> float:
        return self.trial.budget

    @property
    def loss(self) -> float:
        return self.outcome.loss

    @property
    def metrics(self) -> Mapping[str, float]:
        return self.outcome.metrics


class History:
    """Finished records in order of completion, `pending` trials in order of asking, and how many
    were `asked`."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.pending: list[Trial] = []
        self.asked = 0
        self._best: Record | None = (
            None  # of the first `_ranked` records: asked for after every trial
        )
        self._ranked = 0

    def ask(self, trial: Trial) -> None:
        """Note that `trial` was handed out."""
        if not isinstance(trial, Trial):
            raise HptError(f"ask needs a Trial, got {show(trial)}")
        self.pending.append(trial)
        self.asked += 1

    def tell(self, trial: Trial, outcome: Outcome) -> None:
        """Move `trial` from pending to finished. Raises HptError for a trial that is not
        pending."""
        if not isinstance(outcome, Outcome):
            raise HptError(f"tell needs an Outcome, got {show(outcome)}; try Outcome(loss)")
        if not isinstance(trial, Trial) or trial not in self.pending:
            raise HptError(f"tell needs a trial that was asked and not told yet, got {show(trial)}")
        self.pending.remove(trial)
        self.records.append(Record(trial, outcome))

    @property
    def best(self) -> Record | None:
        """The smallest loss seen at any budget (Hyperband's own rule); the earlier one on a tie;
        None if all failed."""
        best = self._best
        for record in self.records[self._ranked :]:
            if not record.outcome.failed and (best is None or record.loss < best.loss):
                best = record
        self._best = best
        self._ranked = len(self.records)
        return best

    def at_budget(self, budget: float) -> list[Record]:
        """List the records that reported at exactly this budget, in order of completion."""
        return [record for record in self.records if record.budget == budget]

    def incumbent(self) -> tuple[list[float], list[float]]:
        """Return (epochs spent so far, best loss so far), one entry per record; +inf until
        something succeeds.

        Epochs count resumed training once, as it was spent.
        """
        spent, best, epochs, losses = 0.0, math.inf, [], []
        for record, more in zip(
            self.records, increments(record.trial for record in self.records), strict=True
        ):
            spent, best = spent + more, min(best, record.outcome.rank_loss)
            epochs.append(spent)
            losses.append(best)
        return epochs, losses

    def frame(self) -> pandas.DataFrame:
        """Return one row per record: trial, bracket, rung, budget, loss, metrics, seconds, error,
        then the config.

        A result keeps its name always: a hyperparameter of the same name stands in `config.NAME`, a
        metric that is called like one of the other columns in `metric.NAME`. The loss of a failed
        trial is NaN, `error` says why.
        """
        import pandas

        metrics = _columns(
            {name for r in self.records for name in r.metrics}, "metric.", set(FIXED)
        )
        taken = {*FIXED, *metrics.values()}
        configs = _columns({name for r in self.records for name in r.config}, "config.", taken)
        rows = [
            {
                "trial": r.trial.id,
                "bracket": r.trial.bracket,
                "rung": r.trial.rung,
                "budget": r.budget,
                "loss": math.nan if r.outcome.failed else r.loss,
                **{metrics[name]: value for name, value in r.metrics.items()},
                "seconds": r.outcome.seconds,
                "error": r.outcome.error,
                **{configs[name]: value for name, value in r.config.items()},
            }
            for r in self.records
        ]
        return pandas.DataFrame(rows, columns=None if rows else list(FIXED))


def _columns(names: Iterable[str], prefix: str, taken: set[str]) -> dict[str, str]:
    """Give every name its column: itself, or with as many prefixes as make it differ from those
    taken."""
    columns = {}
    every = set(names)
    for name in every:
        column = name
        while column in taken or (column != name and column in every):
            column = prefix + column
        columns[name] = column
    return columns


def increments(trials: Iterable[Trial]) -> list[float]:
    """For each trial, in order, give the training it adds to what it (or its parent) has had
    already."""
    had: dict[int | None, list[float]] = {}
    added = []
    for trial in trials:  # the parent may have trained on before its child reports
        before = had.get(trial.id) or [
            budget for budget in had.get(trial.parent, []) if budget < trial.budget
        ]
        added.append(trial.budget - max(before, default=0))
        had.setdefault(trial.id, []).append(trial.budget)
    return added

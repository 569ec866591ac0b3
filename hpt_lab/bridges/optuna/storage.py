"""A study of ours in Optuna's storage. Read `to_storage`, then `_frozen`."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hpt_lab.arguments import is_number, show
from hpt_lab.bridges import library
from hpt_lab.errors import HptError
from hpt_lab.history import Record
from hpt_lab.space import Domain, Float, Int
from hpt_lab.study.reading import read_study
from hpt_lab.study.study import Study

optuna = library("optuna", "Optuna")


def to_storage(study: Study | str | Path, storage: Any, *, name: str = "hpt_lab") -> Any:
    """Write a study, or the one in a journal, into `storage` as Optuna's study `name`; return that.

    storage: whatever Optuna takes, such as "sqlite:///digits.db" or a JournalStorage, or the path
        of a file: SQLite if it ends in .db, .sqlite or .sqlite3, else a journal of Optuna's.

    Times are the trials' own in length, laid end to end until now: when they began is not recorded.
    """
    if isinstance(study, str | Path):
        study = read_study(study)
    if not isinstance(study, Study):
        raise HptError(
            f"study must be a Study or a journal's path, got {show(study)}; try what tune returned"
        )
    distributions = {
        key: distribution(domain) for key, domain in study.strategy.space.domains.items()
    }
    settings = study.strategy.settings
    records = study.history.records
    full = settings.get("max_budget", settings.get("budget", 0)) or max(
        (r.budget for r in records), default=1
    )
    trials = _by_trial(records)
    steps = _steps(records)
    clock = datetime.datetime.now() - datetime.timedelta(seconds=study.seconds)
    frozen = []
    for reports in trials:
        frozen.append(_frozen(reports, distributions, full, steps))
        frozen[-1].datetime_start = clock
        clock += datetime.timedelta(seconds=sum(record.outcome.seconds for record in reports))
        frozen[-1].datetime_complete = clock
    try:
        made = optuna.create_study(study_name=name, storage=_storage(storage), direction="minimize")
    except optuna.exceptions.DuplicatedStudyError:
        raise HptError(
            f"{show(storage)} has a study {name!r} already, and nothing is overwritten; "
            "give this one another name="
        ) from None
    made.set_user_attr("strategy", study.strategy.name)
    made.add_trials(frozen)
    return made


def _storage(storage: Any) -> Any:
    """Return a storage for the path of a file; anything else is Optuna's to judge."""
    if isinstance(storage, str) and "://" not in storage:
        storage = Path(storage)
    if not isinstance(storage, Path):
        return storage
    path = storage.expanduser()
    if path.suffix in (".db", ".sqlite", ".sqlite3"):
        return f"sqlite:///{path}"
    journal = optuna.storages.journal
    return optuna.storages.JournalStorage(journal.JournalFileBackend(str(path)))


def _by_trial(records: Iterable[Record]) -> list[list[Record]]:
    """Gather each trial's records; trials in the order of their ids, as Optuna numbers them."""
    trials: dict[int, list[Record]] = {}
    for record in records:
        trials.setdefault(record.trial.id, []).append(record)
    return [trials[id] for id in sorted(trials)]


def _steps(records: Sequence[Record]) -> dict[float, int]:
    """Return Optuna's step, a whole number, for every budget: itself, or else its place among
    all."""
    budgets = sorted({record.budget for record in records})
    if all(float(budget).is_integer() for budget in budgets):
        return {budget: int(budget) for budget in budgets}
    return {budget: place for place, budget in enumerate(budgets)}


def _frozen(
    reports: Sequence[Record], distributions: dict[str, Any], full: float, steps: dict[float, int]
) -> Any:
    """Return one of our trials as Optuna's."""
    state = optuna.trial.TrialState
    last = reports[-1]
    config = last.config
    ended = state.COMPLETE if last.budget >= full else state.PRUNED
    about = {
        "id": last.trial.id,
        "budget": last.budget,
        "bracket": last.trial.bracket,
        "parent": last.trial.parent,
        "error": last.outcome.error,
        "seconds": sum(record.outcome.seconds for record in reports),
    }
    told = {key: value for key, value in about.items() if value is not None}
    return optuna.trial.create_trial(
        state=state.FAIL if last.outcome.failed else ended,
        value=None if last.outcome.failed else last.loss,
        params=config,
        distributions={key: distributions[key] for key in config},
        intermediate_values={steps[r.budget]: r.loss for r in reports if not r.outcome.failed},
        user_attrs={**{key: value for key, value in last.outcome.metrics.items()}, **told},
    )


def distribution(domain: Domain) -> Any:
    """Return the distribution of Optuna that has a domain's values; evenly spaced ones have a
    step."""
    if isinstance(domain, Float):
        return optuna.distributions.FloatDistribution(domain.low, domain.high, log=domain.log)
    if isinstance(domain, Int):
        return optuna.distributions.IntDistribution(domain.low, domain.high, log=domain.log)
    values = domain.values
    numbers = domain.ordered and len(values) > 1 and all(map(is_number, values))
    if numbers and len({type(value) for value in values}) == 1:
        gaps = np.diff(values)
        if gaps[0] > 0 and np.allclose(gaps, gaps[0]):
            kind = (
                optuna.distributions.IntDistribution
                if isinstance(values[0], int)
                else optuna.distributions.FloatDistribution
            )
            return kind(values[0], values[-1], step=gaps[0].item())
    return optuna.distributions.CategoricalDistribution(values)

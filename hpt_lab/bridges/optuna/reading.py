"""A study of Optuna's as a history and a space of ours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hpt_lab.arguments import is_number, show
from hpt_lab.bridges import library
from hpt_lab.errors import HptError, SpaceError
from hpt_lab.history import History, Record
from hpt_lab.space import Choice, Domain, Float, Int, Space
from hpt_lab.trial import Config, Outcome, Trial, failure, number

optuna = library("optuna", "Optuna")

OURS = (
    "id",
    "budget",
    "bracket",
    "parent",
    "seconds",
)  # attributes that `to_storage` sets: no metrics


def history(study: Any) -> History:
    """Return the history of Optuna's study, in the order of its trials' numbers.

    Each intermediate value is a record at the budget of its step (one more where steps begin at
    zero), the trial's value the last. Trials that still wait or run are left out.
    """
    check_study(study)
    past = History()
    trials = [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]
    shift = int(any(0 in trial.intermediate_values for trial in trials))
    for trial in trials:
        for told in reports_of(trial, study.direction.name, shift):
            past.ask(told.trial)
            past.tell(told.trial, told.outcome)
    return past


def reports_of(trial: Any, direction: str, shift: int = 0) -> list[Record]:
    """Return the records of one of Optuna's trials, the last with its value, metrics and end."""
    losses = {
        step + shift: loss_of(value, direction)
        for step, value in sorted(trial.intermediate_values.items())
    }
    last = max(losses, default=0)
    reports = {budget: Outcome(loss) for budget, loss in losses.items()}
    seconds = trial.duration.total_seconds() if trial.duration else 0.0
    about = trial.user_attrs
    if trial.state == optuna.trial.TrialState.FAIL:  # after its last report
        end = max(last + 1, about.get("budget", 1))
        reports[end] = failure(str(about.get("error", "Optuna says FAIL")), seconds)
    else:
        metrics = {
            key: float(value)
            for key, value in about.items()
            if is_number(value) and key not in OURS
        }
        loss = loss_of(trial.values[0], direction) if trial.values else losses.get(last, math.nan)
        reports[last or 1] = Outcome(loss, metrics, seconds)
    return [
        Record(Trial(trial.number, dict(trial.params), budget), outcome)
        for budget, outcome in reports.items()
    ]


def loss_of(value: float, direction: str) -> float:
    """Return what is minimised: the value, or 1 - value of one that is maximised."""
    value = number("a trial's value", value)
    return 1 - value if direction == "MAXIMIZE" else value


def check_study(study: Any) -> None:
    if not isinstance(study, optuna.study.Study):
        raise HptError(f"study must be Optuna's, got {show(study)}; try optuna.load_study(...)")
    if len(study.directions) != 1:
        raise HptError(
            f"the study {study.study_name!r} has {len(study.directions)} objectives, and a "
            "trial here has one loss; make a study of one of them"
        )


def space(study: Any) -> Space:
    """Return the space that the trials of Optuna's study were drawn from, as far as they show.

    Optuna's conditions are in the objective's code. A parameter that some trials lack gets the
    condition that explains it, one earlier choice or whole number; SpaceError where none does.
    """
    check_study(study)
    trials = [trial for trial in study.get_trials(deepcopy=False) if trial.params]
    found: dict[str, Any] = {}
    for trial in sorted(trials, key=lambda trial: -len(trial.params)):
        found = {**found, **{k: v for k, v in trial.distributions.items() if k not in found}}
    domains: dict[str, Domain] = {}
    for key in sorted(found, key=lambda key: -sum(key in trial.params for trial in trials)):
        domains[key] = _domain(
            found[key], _condition(key, domains, [trial.params for trial in trials])
        )
    return Space(**domains)


def _condition(
    key: str, earlier: dict[str, Domain], configs: Sequence[Config]
) -> dict[str, tuple] | None:
    """Return the values of one earlier parameter with which, and only with which, `key` is
    there."""
    if all(key in config for config in configs):
        return None
    for parent, domain in earlier.items():
        there = {config[parent] for config in configs if key in config and parent in config}
        without = {config.get(parent) for config in configs if key not in config}
        if not isinstance(domain, Float) and there and not there & without:
            return {parent: tuple(sorted(there, key=repr))}
    raise SpaceError(
        f"some trials lack {key!r}, and no choice or whole number before it says which; "
        "write the Space by hand"
    )


def _domain(of: Any, when: dict[str, tuple] | None) -> Domain:
    """Return the domain that has the values of Optuna's distribution."""
    if isinstance(of, optuna.distributions.CategoricalDistribution):
        return Choice(of.choices, when)
    whole = isinstance(of, optuna.distributions.IntDistribution)
    step = of.step or 0
    if of.single():
        return Choice([of.low], when)
    if step and not (whole and step == 1):
        count = round((of.high - of.low) / step) + 1
        values = [of.low + place * step for place in range(count)]
        return Choice(
            values if whole else [round(value, 12) for value in values], when, ordered=True
        )
    return Int(of.low, of.high, of.log, when) if whole else Float(of.low, of.high, of.log, when)

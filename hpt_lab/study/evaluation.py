"""Run one trial on an objective and return its outcome, whatever happens. Read `evaluate`.

An objective is anything with `run(trial)`, or a plain function of the config. How a function is
called follows from its signature alone (`calling`): the budget goes to a parameter named `budget`,
or to a second one that has no default, and to no other. `check_objective` says so before anything
is spent.
"""

from __future__ import annotations

import functools
import inspect
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, Protocol

from hpt_lab.arguments import is_listing, show
from hpt_lab.errors import HptError
from hpt_lab.strategies.strategy import Strategy
from hpt_lab.study.faults import failed
from hpt_lab.trial import Config, Outcome, Trial, number


class Objective(Protocol):
    """Anything that can train a trial up to its budget."""

    def run(self, trial: Trial) -> Outcome: ...


AnyObjective = (
    Objective | Callable[[Config], float | Outcome] | Callable[[Config, float], float | Outcome]
)
Calling = Literal["run", "config", "config, budget", "config, budget=budget"]

EPOCHS = (
    "epochs",
    "epoch",
    "n_epochs",
    "num_epochs",
    "nb_epochs",
    "nb_epoch",
    "max_epochs",
    "training_epochs",
)
WANTED = "write `def objective(config): ... return loss`, or `def objective(config, budget)`"


def evaluate(objective: AnyObjective, trial: Trial, how: Calling | None = None) -> Outcome:
    """Run one trial and return its outcome: what the objective answers, or the failure that it was.

    A function answers with its loss, one number of whatever library, or with an Outcome. `how`: as
    `calling` says.
    """
    start = time.perf_counter()
    try:
        outcome = as_outcome(_answer(objective, trial, how or calling(objective)), start)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 -- sys.exit() too: recorded and counted
        return failed(error, time.perf_counter() - start)
    if outcome.error is None and not math.isfinite(outcome.loss):
        outcome = replace(outcome, error=f"the loss is {outcome.loss}")
    return outcome if outcome.seconds else replace(outcome, seconds=time.perf_counter() - start)


def _answer(objective: Any, trial: Trial, how: Calling) -> Any:
    config = dict(trial.config)  # a copy: what the objective does to its config stays with it
    if how == "run":
        return objective.run(replace(trial, config=config))
    if how == "config":
        return objective(config)
    return (
        objective(config, trial.budget)
        if how == "config, budget"
        else objective(config, budget=trial.budget)
    )


def as_outcome(answer: Any, start: float) -> Outcome:
    """Return an objective's answer as an Outcome, a number with the seconds since `start`.

    Raises HptError, which says what to return, if it is none.
    """
    if type(answer) is float:
        return Outcome(answer, seconds=time.perf_counter() - start)
    if isinstance(answer, Outcome):
        if not 0 <= answer.seconds < math.inf:
            raise HptError(
                f"an Outcome's seconds must be finite and >= 0, got {answer.seconds}; leave them "
                "out, and "
                "they are measured"
            )
        return answer
    if answer is None:
        raise HptError("the objective returned None; end it with `return loss`")
    if inspect.iscoroutine(answer):
        answer.close()
    if isinstance(answer, dict | list | tuple | set | str | bytes) or inspect.isawaitable(answer):
        raise HptError(
            f"the objective must return its loss, one number, or hpt.Outcome(loss, metrics), got "
            f"{show(answer)}"
        )
    loss = number("what the objective returns, its loss,", answer)
    return Outcome(loss, seconds=time.perf_counter() - start)


def check_objective(objective: Any, strategy: Strategy) -> None:
    """Raise HptError, before anything is spent, for an objective that can't work; warn of one-epoch
    trainings."""
    if isinstance(objective, Strategy):
        raise HptError(
            f"objective comes first, then the strategy, got the strategy {objective.name}; "
            "try tune(objective, strategy)"
        )
    how = calling(objective)
    names = (
        [] if how == "run" else [parameter.name for parameter in _required(_signature(objective))]
    )
    if named := [name for name in names[1:] if name in strategy.space.domains]:
        raise HptError(
            f"the objective gets all hyperparameters in one dict, and its parameter {named[0]!r} "
            "is one of "
            f"them: {WANTED}, and read config[{named[0]!r}]"
        )
    if getattr(objective, "budget_unit", None) == "epochs":
        _check_epochs(strategy)


def _check_epochs(strategy: Strategy) -> None:
    """Refuse epochs as a hyperparameter of an objective whose budget counts them; warn if each
    trial trains for one."""
    for name in strategy.space:
        if name.lower() in EPOCHS:
            raise HptError(
                f"the space has {name!r}, but for how many epochs a trial trains is its budget: "
                "take it out "
                "and give the strategy a budget, as in random_search(space, trials=20, budget=30) "
                "or "
                f"hyperband(space, max_budget=27); if build(config) uses it otherwise, rename it"
            )
    if strategy.settings.get("budget") == 1:
        warnings.warn(
            f"{strategy.name} gives every trial a budget of 1: each trains for one epoch. Say for "
            "how many "
            f"they shall train: {strategy.name}(..., budget=30)",
            stacklevel=4,
        )


def calling(objective: Any) -> Calling:
    """Say how `objective` is called. Raises HptError if it can't be called with a config, nor with
    a budget too."""
    if inspect.isclass(objective):
        raise HptError(
            f"objective must be a function or an object, got the class {objective.__name__}; make "
            "one of it"
        )
    if hasattr(objective, "run"):
        return "run" if callable(objective.run) else _refuse(objective, "its `run` is no method")
    if not callable(objective):
        return _refuse(objective, "it can't be called")
    inner = _innermost(objective)
    called = getattr(inner, "__call__", None)  # noqa: B004 -- an object's own __call__
    kinds = (
        inspect.iscoroutinefunction,
        inspect.isgeneratorfunction,
        inspect.isasyncgenfunction,
    )
    if any(kind(inner) or kind(called) for kind in kinds):
        return _refuse(
            objective,
            "it is asynchronous or a generator, and answers no number; call it inside a plain "
            "function",
        )
    signature = _signature(objective)
    return "config" if signature is None else _by_signature(objective, signature)


def _by_signature(objective: Any, signature: inspect.Signature) -> Calling:
    parameters = list(signature.parameters.values())
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    budget = next(
        (p for p in parameters if p.name == "budget" and (p in places or p.kind is p.KEYWORD_ONLY)),
        None,
    )
    if not places and not any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return _refuse(objective, "it takes no config")
    if places and places[0] is budget:
        return _refuse(objective, "its first parameter is named budget, and gets the config")
    second = (
        places[1]
        if len(places) > 1 and (places[1] is budget or places[1].default is inspect.Parameter.empty)
        else None
    )
    given = [*places[:1], budget or second]
    if left := [p.name for p in _required(signature) if p not in given]:
        return _refuse(
            objective,
            f"nobody gives it {', '.join(left)}; bind them with functools.partial or a default",
        )
    if second is not None:
        return "config, budget"
    return (
        "config, budget=budget"
        if budget is not None and budget.kind is not budget.POSITIONAL_ONLY
        else "config"
    )


def _required(signature: inspect.Signature | None) -> list[inspect.Parameter]:
    """List the parameters that have no default."""
    return [
        p
        for p in (signature.parameters.values() if signature else ())
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]


def _signature(function: Any) -> inspect.Signature | None:
    """Return the signature by which `function` is called; None if it has none to show, as some
    functions written in C.

    A decorator's own wrapper counts, `functools.wraps` or not; only one that passes on whatever it
    gets, (*args), is looked through.
    """
    try:
        signature = inspect.signature(function, follow_wrapped=False)
    except (ValueError, TypeError):
        return None
    passes_on = any(p.kind is p.VAR_POSITIONAL for p in signature.parameters.values())
    inner = getattr(function, "__wrapped__", None)
    return _signature(inner) if passes_on and callable(inner) else signature


def _innermost(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _refuse(objective: Any, why: str) -> Any:
    raise HptError(
        f"objective must be a function of a config, or have run(trial), got {show(objective)}: "
        f"{why}; {WANTED}"
    )


def check_callbacks(callbacks: Any) -> tuple[Callable[..., Any], ...]:
    """Return a study's callbacks as a tuple. Raises HptError unless they are functions in a
    list."""
    if callable(callbacks) or not is_listing(callbacks):
        raise HptError(
            f"callbacks must be a list of functions of (study, record), got {show(callbacks)}; "
            "try callbacks=[function]"
        )
    listed = tuple(callbacks)
    for callback in listed:
        if not callable(callback):
            raise HptError(
                f"callbacks must be functions of (study, record), got {show(callback)}; Keras' own "
                "belong to "
                "KerasObjective(callbacks=...)"
            )
    return listed

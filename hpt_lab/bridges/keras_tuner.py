"""KerasTuner: run its `build(hp)` functions unchanged, and read what its tuners left on disk.

    space, build = convert(build_hp)
    study = hpt.tune(hpt.KerasObjective(build, data), hpt.hyperband(space, max_budget=27))

KerasTuner learns a search space by running the function, and so does `discover`: once with the
defaults, then with what opens each `conditional_scope` that stayed closed, and with the ends of
every range and the values of every choice, for a loop over `hp.Int("layers", 1, 3)` defines more
with more layers. What is defined in a closed scope becomes a dimension with `when=`. A name that a
loop defines has no condition in KerasTuner, and has none here: it is drawn always, used sometimes.
Read `discover`, then `_dimension`.

A range with `step` becomes an ordered Choice. `sampling="reverse_log"`, dense at the upper end, is
drawn as its mirror image on a log scale, in a dimension named by the formula: "1.89 - momentum".
"""

from __future__ import annotations

import functools
import itertools
import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpt_lab.arguments import check_among, show
from hpt_lab.bridges import library
from hpt_lab.errors import HptError, SpaceError
from hpt_lab.history import History
from hpt_lab.space import Choice, Domain, Float, Int, Space
from hpt_lab.trial import Config, Outcome, Trial, failure

MOST_RUNS = 1000  # of a function whose names never end
FEW = 10  # values of an Int that are all tried; of more, both ends
DIGITS = 12  # of a mirrored number


@dataclass(frozen=True)
class Dimension:
    """Which hyperparameter of KerasTuner a dimension stands for.

    `mirror`: low + high of a reverse_log range, whose value is `mirror - config[...]`.
    """

    name: str
    domain: Domain
    default: Any
    mirror: float | None = None
    conditions: Sequence[Any] = ()


def convert(build: Any) -> tuple[Space, Any]:
    """Return the space that `build(hp)` defines, and a `build(config)` that calls it.

    build: a function of KerasTuner's `hp`, or a HyperModel that leaves `fit` alone. Its defaults
        are what is returned's `.default`, a config: `hyperband(space, first=[build.default])`.

    Raises SpaceError for what has no place in a Space, such as a scope that hangs on a range of
    reals, and whatever `build` raises with its defaults.
    """
    function = _function(build)
    dimensions: dict[str, Dimension] = {}
    for hp in discover(function):
        when = _when(hp, dimensions)
        dimension = _dimension(hp, when)
        name = hp.name if dimension.mirror is None else f"{dimension.mirror:.{DIGITS}g} - {hp.name}"
        if name in dimensions:  # in another scope
            told = [f"{parent}={'|'.join(map(str, values))}" for parent, values in when.items()]
            name = f"{name} ({', '.join(told) or 'always'})"
        dimensions[name] = dimension
    if not dimensions:
        raise SpaceError(
            f"{show(build)} defines no hyperparameter: there is nothing to tune; "
            'try hp.Float("learning_rate", 1e-4, 1e-1, sampling="log")'
        )
    space = Space(**{name: dimension.domain for name, dimension in dimensions.items()})
    names = {name: (dimension.name, dimension.mirror) for name, dimension in dimensions.items()}
    build_config: Any = functools.partial(_build, function, names)
    build_config.default = _default_config(space, dimensions)
    return space, build_config


def _default_config(space: Space, dimensions: Mapping[str, Dimension]) -> Config:
    """Return the defaults as a config, the first value where a default is none of the values."""
    config: Config = {}
    for name, dimension in dimensions.items():
        if space.is_active(name, config):
            value = reflect(dimension.default, dimension.mirror)
            config[name] = value if value in dimension.domain else dimension.domain.from_unit(0.0)
    return config


def reflect(value: Any, mirror: float | None) -> Any:
    """Turn a value of KerasTuner's into ours, or back: the same, or its mirror image."""
    if mirror is None:
        return value
    return mirror - value if isinstance(value, int) else round(mirror - value, DIGITS)


def discover(function: Callable[[Any], Any]) -> list[Any]:
    """List all hyperparameters, KerasTuner's own objects, that `function(hp)` defines by dry runs.

    A run with other values than the defaults may fail: it then tells what it defined until there.
    """
    kt = library("keras_tuner", "KerasTuner")
    found: list[Any] = []
    opened: list[Any] = []
    runs: deque[dict[str, Any]] = deque([{}])
    for number in itertools.count():
        if not runs:
            return found
        if number == MOST_RUNS:
            raise SpaceError(
                f"{show(function)} still defines new hyperparameters after {MOST_RUNS} "
                "dry runs; don't make their names of continuous values"
            )
        hp = kt.HyperParameters()
        hp.values = _active(runs.popleft(), found)
        try:
            function(hp)
        except Exception:  # a config that can't be built will be a failed trial, when it is met
            if number == 0:
                raise
        for new in hp.space:
            if not any(new.name == old.name and new.conditions == old.conditions for old in found):
                found.append(new)
                runs.extend({**hp.values, new.name: value} for value in _probes(new))
        for scope in hp.inactive_scopes:
            if scope not in opened:
                opened.append(scope)
                runs.append({**hp.values, **{one.name: one.values[0] for one in scope}})
    raise AssertionError("itertools.count ends never")


def _function(build: Any) -> Callable[[Any], Any]:
    """Return the function to call, of a HyperModel its `build`."""
    kt = library("keras_tuner", "KerasTuner")
    if isinstance(build, kt.HyperModel):
        if type(build).fit is not kt.HyperModel.fit:
            raise HptError(
                f"{type(build).__name__} has a fit of its own, and training is the "
                "objective's here; put what it does into build, or into callbacks"
            )
        return build.build
    if isinstance(build, type) or not callable(build):
        raise HptError(f"build must be a function of hp, or a HyperModel, got {show(build)}")
    return build


def _active(values: Mapping[str, Any], found: Iterable[Any]) -> dict[str, Any]:
    """Leave out the values of hyperparameters that are known, and inactive with these values."""
    known = {hp.name for hp in found}
    active = {hp.name for hp in found if all(one.is_active(values) for one in hp.conditions)}
    return {name: value for name, value in values.items() if name in active or name not in known}


def _probes(hp: Any) -> list[Any]:
    """List values whose dry runs may define more."""
    kind = type(hp).__name__
    if kind == "Fixed":
        return []
    if kind == "Boolean":
        return [False, True]
    values = list(hp.values) if kind == "Choice" or _stepped(hp) else [hp.min_value, hp.max_value]
    if kind == "Int" and not _stepped(hp) and hp.max_value - hp.min_value < FEW:
        values = list(range(hp.min_value, hp.max_value + 1))
    return values if len(values) <= FEW or kind == "Choice" else [values[0], values[-1]]


def _stepped(hp: Any) -> bool:
    """Say whether a range has values left out; every whole number is a step of 1."""
    return bool(hp.step) and not (type(hp).__name__ == "Int" and hp.step == 1)


def _when(hp: Any, so_far: Mapping[str, Dimension]) -> dict[str, tuple]:
    """Return a hyperparameter's conditions in terms of dimensions.

    KerasTuner wants a parent defined where the scope is opened, so in the scopes around that.
    """
    when = {}
    for depth, condition in enumerate(hp.conditions):
        around = hp.conditions[:depth]
        name, parent = next(
            (name, old)
            for name, old in so_far.items()
            if old.name == condition.name and old.conditions == around
        )
        when[name] = tuple(reflect(value, parent.mirror) for value in condition.values)
    return when


def _dimension(hp: Any, when: dict[str, tuple]) -> Dimension:
    """Return the domain that draws what KerasTuner would draw."""
    mirror = None
    domain: Domain
    kind = type(hp).__name__
    number = int if kind == "Int" else float
    if kind == "Fixed":
        domain = Choice([hp.value], when)
    elif kind == "Boolean":
        domain = Choice([False, True], when)
    elif kind == "Choice":
        domain = Choice(hp.values, when, ordered=bool(hp.ordered))
    elif hp.min_value == hp.max_value:
        domain = Choice([number(hp.min_value)], when)
    elif _stepped(hp):
        domain = Choice(list(dict.fromkeys(map(number, hp.values))), when, ordered=True)
    else:
        log = hp.sampling != "linear"
        domain = (Int if kind == "Int" else Float)(hp.min_value, hp.max_value, log, when)
        mirror = hp.min_value + hp.max_value if hp.sampling == "reverse_log" else None
    return Dimension(hp.name, domain, hp.default, mirror, hp.conditions)


def _build(
    function: Callable[[Any], Any], names: Mapping[str, tuple[str, float | None]], config: Config
) -> Any:
    """Call KerasTuner's function with the values of our config; of one name, the last counts."""
    hp = library("keras_tuner", "KerasTuner").HyperParameters()
    for dimension, value in config.items():
        name, mirror = names[dimension]
        hp.values[name] = reflect(value, mirror)
    return function(hp)


def history(project: str | Path, *, objective: str | None = None) -> History:
    """Read the trials of a tuner's project directory, `directory/project_name`, as a history.

    Budgets are the epochs that Hyperband notes, else 1. A Hyperband trial that went on is several
    in KerasTuner, each naming the one before; here they are one, resumed. Trials that still ran are
    left out. Scores to be maximised become losses as everywhere here: 1 - score.

    objective: the metric that was tuned, if the files leave it open.
    """
    folder = Path(project).expanduser()
    order = _load(folder / "oracle.json").get("end_order")
    if not isinstance(order, list):
        raise HptError(f"{folder / 'oracle.json'} lists no end_order; it is none of KerasTuner's")
    trials = {str(id): _load(folder / f"trial_{Path(str(id)).name}" / "trial.json") for id in order}
    past = History()
    ids: dict[str, int] = {}
    try:
        direction = _direction(list(trials.values()), objective)
        for name, state in trials.items():
            before = state["hyperparameters"]["values"].get("tuner/trial_id")
            ids[name] = ids[before] if before in ids else len(set(ids.values()))
            trial = _trial(ids[name], state["hyperparameters"]["values"])
            past.ask(trial)
            past.tell(trial, _outcome(state, direction))
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise HptError(
            f"{folder}: a trial.json lacks or garbles a field ({error!r:.100}); it was "
            "edited, or written by another version of KerasTuner"
        ) from None
    return past


def _load(path: Path) -> dict[str, Any]:
    """Read one of the files: data, parsed as JSON and never anything else."""
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise HptError(
            f"can't read {path}: {error.strerror}; give the folder that a tuner wrote, "
            "directory/project_name"
        ) from None
    except (ValueError, RecursionError) as error:
        raise HptError(f"{path} is no JSON: {show(error)}; it was cut or edited") from None
    if not isinstance(found, dict):
        raise HptError(f"{path} holds no object, so it is none of KerasTuner's")
    return found


def _direction(states: list[dict[str, Any]], objective: str | None) -> str:
    """Return "max" or "min": that of `objective`, or of the metrics that equal every score."""
    metrics = [
        (state["score"], state["metrics"]["metrics"])
        for state in states
        if state["score"] is not None
    ]
    names = [
        name
        for name in (metrics[0][1] if metrics else ())
        if all(score == _values(each[name])[0] for score, each in metrics)
    ]
    if objective is not None and metrics:
        names = [check_among("objective", objective, metrics[0][1])]
    directions = {metrics[0][1][name]["direction"] for name in names}
    if metrics and len(directions) != 1:
        known = sorted(metrics[0][1])
        raise HptError(
            "which metric was tuned does not follow from the scores; say objective=..., one of "
            f"{known}"
        )
    return directions.pop() if directions else "min"


def _values(metric: Mapping[str, Any]) -> list[float]:
    return metric["observations"][-1]["value"]


def _trial(id: int, values: Mapping[str, Any]) -> Trial:
    config = {name: value for name, value in values.items() if not name.startswith("tuner/")}
    return Trial(
        id,
        config,
        values.get("tuner/epochs", 1),
        values.get("tuner/bracket"),
        values.get("tuner/round"),
    )


def _outcome(state: Mapping[str, Any], direction: str) -> Outcome:
    """Return the outcome of a trial that ended, well or not."""
    if state["status"] != "COMPLETED" or state["score"] is None:
        lines = (state.get("message") or "").strip().splitlines()
        return failure(lines[-1] if lines else f"KerasTuner says {state['status']}")
    score = state["score"]
    metrics = {name: _values(metric)[0] for name, metric in state["metrics"]["metrics"].items()}
    return Outcome(1 - score if direction == "max" else score, metrics)

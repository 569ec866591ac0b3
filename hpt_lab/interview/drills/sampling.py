"""Drills that search without a model: log-uniform sampling, grid, random search.

All are judged by properties: random answers differ, and a grid may come in any order.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hpt_lab.checks.core import Wrong, call, number, show
from hpt_lab.interview.drills.core import drill

OUTSIDE = "draw the logarithm between log(low) and log(high), then take its exponential"
LINEAR = "every decade should get the same share: be uniform in the logarithm"
OWN_RANDOM = "draw from `rng` and from nothing else, so that a seed gives the same search again"
CONSTANT = "the draws are too alike: use the whole range from low to high"


def log_uniform(low, high, rng):
    return low * (high / low) ** rng.random()


def _linear(low, high, rng):
    return rng.uniform(low, high)


def _exponent_forgotten(low, high, rng):
    return rng.uniform(math.log(low), math.log(high))


def _own_random(low, high, rng):
    return low * (high / low) ** np.random.default_rng().random()


def _decades_only(low, high, rng):
    return float(10.0 ** rng.integers(math.log10(low), math.log10(high), endpoint=True))


def _judge_log_uniform(answer: Any) -> None:
    for low, high in [(1e-4, 1e-1), (2.0, 3.0), (0.5, 512.0)]:
        rng = np.random.default_rng(0)
        drawn = [number(call(_with(answer, rng), low, high), "the draw") for _ in range(1500)]
        again = number(call(_with(answer, np.random.default_rng(0)), low, high), "the draw")
        if min(drawn) < low * (1 - 1e-9) or max(drawn) > high * (1 + 1e-9):
            raise Wrong(
                f"between {low} and {high} it drew {min(drawn):g} and {max(drawn):g}", hint=OUTSIDE
            )
        if again != drawn[0]:
            raise Wrong("the same generator state gave two different draws", hint=OWN_RANDOM)
        share = np.log(np.array(drawn) / low) / math.log(high / low)
        if abs(np.mean(share < 0.5) - 0.5) > 0.06:
            raise Wrong(
                f"{np.mean(share < 0.5):.0%} of the draws are below "
                f"{math.sqrt(low * high):g}, the middle on the log scale",
                hint=LINEAR,
            )
        counts = np.histogram(share, bins=10, range=(0, 1))[0]
        if counts.min() < 90 or counts.max() > 220:
            raise Wrong(f"tenths of the log scale got {counts.tolist()} draws", hint=CONSTANT)


def _with(answer: Any, rng: np.random.Generator) -> Any:
    """Hand the generator itself over; `call` copies what it is given."""
    if not callable(answer):
        return answer

    def log_uniform(low: float, high: float) -> Any:
        return answer(low, high, rng)

    return log_uniform


drill(
    log_uniform,
    title="Log-uniform sampling",
    lesson="04",
    statement="""
Draw one number between low and high (both > 0), uniform on a log scale, from the NumPy generator
`rng`: 0.001 ... 0.01 should be as likely as 0.01 ... 0.1.""",
    cases=lambda: [],
    judge=_judge_log_uniform,
    mistakes={
        _linear: LINEAR,
        _exponent_forgotten: OUTSIDE,
        _own_random: OWN_RANDOM,
        _decades_only: CONSTANT,
    },
)

PAIRED = "combine every value of one name with every value of the others, don't walk in step"
ONE_AT_A_TIME = "vary all names together: a grid has the product of the numbers of values"
EMPTY = "with no names there is one config, the empty one"
NOT_DICTS = "each config is a dict from all names to one value each"


def grid(space):
    configs = [{}]
    for name, values in space.items():
        configs = [{**config, name: value} for config in configs for value in values]
    return configs


def _in_step(space):
    return [dict(zip(space, values, strict=False)) for values in zip(*space.values(), strict=False)]


def _one_at_a_time(space):
    first = {name: values[0] for name, values in space.items()}
    return [{**first, name: value} for name, values in space.items() for value in values]


def _bare_tuples(space):
    return [tuple(config.values()) for config in grid(space)]


def _no_empty(space):
    return grid(space) if space else []


def _judge_grid(answer: Any) -> None:
    spaces: list[dict[str, list[Any]]] = [
        {"rate": [0.1, 0.01, 0.001], "units": [16, 32]},
        {"a": [1, 2, 3]},
        {"a": [1, 2], "b": ["x"], "c": [True, False]},
        {"a": [1], "b": []},
        {},
    ]
    for space in spaces:
        wanted = grid(space)
        got = call(answer, space)
        told = f"for {space} got {show(got)}"
        if got == [] and wanted:
            raise Wrong(told, hint=EMPTY if not space else NOT_DICTS)
        if not isinstance(got, list) or any(not isinstance(config, dict) for config in got):
            raise Wrong(told, hint=NOT_DICTS)
        if any(config.keys() != space.keys() for config in got):
            raise Wrong(told, hint=NOT_DICTS)
        if len(got) == min(map(len, space.values()), default=1) < len(wanted):
            raise Wrong(told, hint=PAIRED)
        if len(got) != len(wanted) or any(config not in got for config in wanted):
            raise Wrong(told, hint=ONE_AT_A_TIME)


drill(
    grid,
    title="Grid",
    lesson="04",
    statement="""
`space` is a dict from a name to the list of its values. Return the list of all configs, each a
dict from every name to one value, in any order. An empty space has one config: {}.""",
    cases=lambda: [],
    judge=_judge_grid,
    mistakes={
        _in_step: PAIRED,
        _one_at_a_time: ONE_AT_A_TIME,
        _bare_tuples: NOT_DICTS,
        _no_empty: EMPTY,
    },
)

LAST = "remember the best config so far; the last one is just the last"
WORST = "this is a loss: smaller is better"
CRASHED = "NaN compares as False with everything: a failed trial must not become the best"
IN_STEP = "draw each name's value by itself: one index for all names sees the diagonal only"
COUNT = "call `loss` once for each trial, with the config that was drawn"


def random_search(space, loss, trials, rng):
    best = (None, math.inf)
    for _ in range(trials):
        config = {name: values[rng.integers(len(values))] for name, values in space.items()}
        result = loss(config)
        if result < best[1]:
            best = (config, result)
    return best


def _search(space, loss, trials, rng):
    configs = [
        {name: values[rng.integers(len(values))] for name, values in space.items()}
        for _ in range(trials)
    ]
    return [(config, loss(config)) for config in configs]


def _last(space, loss, trials, rng):
    return _search(space, loss, trials, rng)[-1]


def _largest(space, loss, trials, rng):
    return max(_search(space, loss, trials, rng), key=lambda pair: pair[1])


def _nan_wins(space, loss, trials, rng):
    best = None
    for config, result in _search(space, loss, trials, rng):
        if best is None or not result >= best[1]:
            best = (config, result)
    return best


def _diagonal(space, loss, trials, rng):
    results = []
    for _ in range(trials):
        index = rng.integers(min(map(len, space.values())))
        config = {name: values[index] for name, values in space.items()}
        results.append((config, loss(config)))
    return min(results, key=lambda pair: math.inf if math.isnan(pair[1]) else pair[1])


def _twice(space, loss, trials, rng):
    best = min(_search(space, loss, trials, rng), key=lambda pair: np.nan_to_num(pair[1], nan=99))
    return best[0], loss(best[0])


def _judge_random_search(answer: Any) -> None:
    space = {"a": [1, 2, 3, 4, 5], "b": [10, 20, 30, 40, 50]}
    for seed, trials in [(4, 61), (1, 1), (2, 6), (3, 201)]:
        calls: list[tuple[dict[str, int], float]] = []

        def loss(config: dict[str, int], calls: list[Any] = calls) -> float:
            result = (config["a"] - 2.2) ** 2 + abs(config["b"] - 27) / 10
            calls.append((dict(config), math.nan if len(calls) % 9 == 3 else result))
            return calls[-1][1]

        rng = np.random.default_rng(seed)
        got = call(
            lambda space, trials, loss=loss, rng=rng: answer(space, loss, trials, rng),
            space,
            trials,
        )
        _judge_found(got, calls, trials)
        seen = {(config["a"], config["b"]) for config, _ in calls}
        if len(seen) < (trials / 5 if trials < 60 else 17):
            raise Wrong(f"{trials} trials saw only {len(seen)} of 25 configs", hint=IN_STEP)


def _judge_found(got: Any, calls: list[tuple[dict[str, int], float]], trials: int) -> None:
    if len(calls) != trials:
        raise Wrong(f"{trials} trials, but loss was called {len(calls)} times", hint=COUNT)
    finite = [pair for pair in calls if not math.isnan(pair[1])]
    config, result = got
    if result == min(loss for _, loss in finite) and (config, result) in finite:
        return
    told = f"got {show(got)}, but the smallest of {trials} losses was {min(x for _, x in finite)}"
    last_failed = max((i for i, pair in enumerate(calls) if math.isnan(pair[1])), default=-1)
    since_failed = min((loss for _, loss in calls[last_failed + 1 :]), default=math.nan)
    if math.isnan(result) or (result == since_failed and (config, result) != calls[-1]):
        raise Wrong(told, hint=CRASHED)
    if result == max(loss for _, loss in finite):
        raise Wrong(told, hint=WORST)
    raise Wrong(told, hint=LAST)


drill(
    random_search,
    title="Random search",
    lesson="04",
    statement="""
`space` is a dict from a name to the list of its values; `loss(config)` takes a dict from every name
to one value. Try `trials` configs, every value drawn by itself with the NumPy generator `rng`, and
return (best config, its loss). A failed trial's loss is NaN: it counts, and never wins. The first
trial does not fail.""",
    cases=lambda: [],
    judge=_judge_random_search,
    mistakes={_last: LAST, _largest: WORST, _nan_wins: CRASHED, _diagonal: IN_STEP, _twice: COUNT},
)

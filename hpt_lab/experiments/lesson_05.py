"""Lesson 05's experiments: what Bayesian optimization and TPE are worth, and where they fail.

Every function takes a seed and returns numbers in a fixed shape; regret is the loss above the
lowest there is. Objectives are closed forms, whose lowest loss is known, or recorded tables. Read
`race` first: the others vary one thing each.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from hpt_lab import curves
from hpt_lab.curves.lessons import bounded
from hpt_lab.history import History
from hpt_lab.space import Choice, Float, Int, Space, sobol
from hpt_lab.strategies import bayesian_optimization, random_search, tpe
from hpt_lab.strategies.strategy import Strategy
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.recommendation import recommend
from hpt_lab.surrogates.acquisition import expected_improvement
from hpt_lab.surrogates.gaussian_process import fit
from hpt_lab.surrogates.parzen import ParzenEstimator
from hpt_lab.trial import Config, Outcome

TRIALS = 30
BRANIN = Space(x=Float(-5, 10), y=Float(0, 15))
LOWEST = 0.39788735772973816  # of Branin, at three places
LINE = Space(x=Float(0, 1))
PLANE = Space(x=Float(0, 1), y=Float(0, 1))
MESH = np.stack(np.meshgrid(*[np.linspace(0, 1, 51)] * 2), axis=-1).reshape(
    -1, 2
)  # points of the plane, (2601, 2)
TABLES = ("digits-mlp", "spirals-mlp")
RULES = ("ei", "pi", "ucb", "thompson")
DIMENSIONS = (2, 5, 10, 20)
LOG_AXIS = Space(learning_rate=Float(1e-5, 1, log=True))
LINEAR_AXIS = Space(learning_rate=Float(1e-5, 1))
NOISES = (0.0, 15.0, 30.0)
Loss = Callable[[Config], float]


def branin(config: Config) -> float:
    """Return the loss of Branin and Hoo (1972): two knobs, three equal minima."""
    x, y = config["x"], config["y"]
    valley = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def search(loss: Loss, strategy: Strategy) -> History:
    """Run `strategy` to its end, one trial after another, and return its history."""
    study = AskTell(strategy)
    while (trial := study.ask()) is not None:
        study.tell(trial, Outcome(loss(trial.config)))
    return study.history


def best_so_far(history: History) -> list[float]:
    """Return the smallest loss after each trial."""
    return history.incumbent()[1]


def race(seed: int) -> list[list[float]]:
    """Return the regret on Branin after each trial: random search, Sobol points, TPE, a Gaussian
    process; (4, trials)."""
    strategies = [
        random_search(BRANIN, trials=TRIALS, seed=seed),
        random_search(BRANIN, trials=TRIALS, points="sobol", seed=seed),
        tpe(BRANIN, trials=TRIALS, seed=seed),
        bayesian_optimization(BRANIN, trials=TRIALS, seed=seed),
    ]
    return [
        [best - LOWEST for best in best_so_far(search(branin, strategy))] for strategy in strategies
    ]


def rules(seed: int) -> list[float]:
    """Return the regret on Branin at the end by EI, PI, LCB and Thompson sampling, (4,)."""
    return [
        best_so_far(
            search(
                branin, bayesian_optimization(BRANIN, trials=TRIALS, acquisition=rule, seed=seed)
            )
        )[-1]
        - LOWEST
        for rule in RULES
    ]


@cache
def table(name: str) -> curves.Table:
    """Load a recorded table once."""
    return curves.load(name)


def on_table(name: str, seed: int) -> list[list[list[float]]]:
    """Return the errors in % of the best trial so far, in full trainings: (3 strategies, trials,
    validation and test)."""
    recorded = table(name)
    settings: dict[str, Any] = {"trials": TRIALS, "budget": recorded.epochs, "seed": seed}
    rows = []
    for make in (random_search, tpe, bayesian_optimization):
        objective, study = recorded.objective(seed=seed), AskTell(make(recorded.space, **settings))
        row = []
        while (trial := study.ask()) is not None:
            study.tell(trial, objective.run(trial))
            best = study.history.best
            validation = best.loss if best else 1.0
            test = objective.test(best.trial)["accuracy"] if best else 0.0
            row.append([100 * validation, 100 * (1 - test)])
        rows.append(row)
    return rows


def digits(seed: int) -> list[list[list[float]]]:
    """Return `on_table` for digits, (3, trials, 2)."""
    return on_table("digits-mlp", seed)


def spirals(seed: int) -> list[list[list[float]]]:
    """Return `on_table` for spirals, (3, trials, 2)."""
    return on_table("spirals-mlp", seed)


def starts(seed: int) -> list[float]:
    """Return the regret on Branin with 2, 8 and 16 Sobol points first, and with 8 independent ones,
    (4,)."""
    drawn = [BRANIN.sample((seed, i)) for i in range(8)]
    designs: list[dict[str, Any]] = [
        {"initial": 2},
        {"initial": 8},
        {"initial": 16},
        {"initial": 8, "first": drawn},
    ]
    return [
        best_so_far(
            search(branin, bayesian_optimization(BRANIN, trials=TRIALS, seed=seed, **design))
        )[-1]
        - LOWEST
        for design in designs
    ]


def dimensions(seed: int) -> list[list[float]]:
    """Minimise a bowl of 2, 5, 10 and 20 knobs in 60 trials, and return for each, (4, 3):

    random search's regret, the Gaussian process's, and the share of coordinates that it put on an
    edge of the space.
    """
    rows = []
    for d in DIMENSIONS:
        space = Space(**{f"x{j}": Float(0, 1) for j in range(d)})
        center = np.random.default_rng((seed, d)).uniform(0.2, 0.8, d)

        def bowl(config: Config, center: np.ndarray = center) -> float:
            return float(((np.array(list(config.values())) - center) ** 2).mean())

        at_random = search(bowl, random_search(space, trials=60, seed=seed))
        modelled = search(bowl, bayesian_optimization(space, trials=60, seed=seed))
        proposed = np.array([space.to_unit(record.config) for record in modelled.records[8:]])
        at_edge = ((proposed < 1e-3) | (proposed > 1 - 1e-3)).mean()
        rows.append([best_so_far(at_random)[-1], best_so_far(modelled)[-1], at_edge])
    return rows


def rate_loss(config: Config) -> float:
    """Return a loss that depends on a learning rate as training does: too small learns slowly, too
    large diverges."""
    u = math.log10(config["learning_rate"])
    return 0.1 + 0.9 / (1 + math.exp(-2 * (-u - 3.5))) + 0.9 / (1 + math.exp(-6 * (u + 1.5)))


def axis(seed: int) -> list[float]:
    """Return the regret over a learning rate: random and the model on the log axis, both on the
    linear one; (4,)."""
    lowest = min(rate_loss({"learning_rate": rate}) for rate in np.geomspace(1e-5, 1, 2001))
    return [
        best_so_far(search(rate_loss, make(space, trials=20, seed=seed)))[-1] - lowest
        for space in (LOG_AXIS, LINEAR_AXIS)
        for make in (random_search, bayesian_optimization)
    ]


def batches(seed: int) -> list[list[float]]:
    """Return the regret on Branin after 8 + 24 trials, asked for 1, 4 or 12 at a time, by what each
    believes, (3, 4).

    Beliefs about the pending: nothing (all look alike), the lowest loss so far, the posterior mean;
    and Thompson sampling.
    """
    return [
        [in_batches(seed, size, belief) for belief in ("nothing", "liar", "mean", "thompson")]
        for size in (1, 4, 12)
    ]


@threadpool_limits.wrap(limits=1, user_api="blas")
def in_batches(seed: int, size: int, belief: str) -> float:
    """Return the regret of 24 trials in batches after 8 Sobol points, chosen among 512
    candidates."""
    cube = sobol(2, 512, seed)  # (512, 2)
    losses = np.array([branin(BRANIN.from_unit(u)) for u in cube])
    chosen = list(range(8))
    while len(chosen) < 32:
        process = fit(cube[chosen], losses[chosen])
        best = process.posterior(process.X)[0].min()
        pending: list[int] = []
        for i in range(size):
            rng = np.random.default_rng((seed, len(chosen) + i))
            if belief == "thompson":
                worth = -process.sample(cube, rng)
            else:
                worth = expected_improvement(*process.posterior(cube), best)
            worth[chosen + pending] = -np.inf
            pick = int(np.argmax(worth))
            pending.append(pick)
            if belief == "liar":
                process = process.believing(cube[[pick]], losses[chosen].min(keepdims=True))
            elif belief == "mean":
                process = process.believing(cube[[pick]], process.posterior(cube[[pick]])[0])
        chosen += pending
    return float(losses[chosen].min() - losses.min())


def valley(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return a loss whose valley lies on the diagonal: each knob's best value depends on the
    other's."""
    return np.abs(x - y)


def blind(seed: int) -> list[float]:
    """Return the mean loss in the `valley` where TPE's ratio is among its top 2 %, after 60 random
    trials; (2,).

    By a ratio per knob, multiplied (as published in 2011), and by one ratio over both (the
    package's).
    """
    top = []
    for ratio in ratios(np.random.default_rng(seed).random((60, 2))):
        best = np.argsort(-ratio, kind="stable")[: len(ratio) // 50]
        top.append(float(valley(*MESH[best].T).mean()))
    return top


def ratios(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both ratios at `MESH` after the trials at `X`, (n, 2), of which the best tenth is
    good: per knob and joint."""
    order = np.argsort(valley(*X.T), kind="stable")
    good, bad = X[order[: len(X) // 10]], X[order[len(X) // 10 :]]
    per_knob = np.ones(len(MESH))
    for j in range(2):
        knob = slice(j, j + 1)
        densities = [
            ParzenEstimator(LINE, part[:, knob]).density(MESH[:, knob]) for part in (good, bad)
        ]
        per_knob *= densities[0] / densities[1]
    joint = ParzenEstimator(PLANE, good).density(MESH) / ParzenEstimator(PLANE, bad).density(MESH)
    return per_knob, joint


MIXED = Space(
    optimizer=Choice(["sgd", "momentum", "adam", "rmsprop"]),
    rate=Float(1e-5, 1e-1, log=True),
    momentum=Float(0.0, 0.99, when={"optimizer": "momentum"}),
    beta=Float(0.8, 0.999, when={"optimizer": ("adam", "rmsprop")}),
    layers=Int(1, 6),
    activation=Choice(["relu", "tanh", "gelu"]),
)
RATES = {"sgd": -1.5, "momentum": -2.0, "adam": -3.0, "rmsprop": -3.5}
HANDICAPS = {"sgd": 0.15, "momentum": 0.05, "adam": 0.0, "rmsprop": 0.1}


def mixed_loss(config: Config) -> float:
    """Return a tuning problem in miniature, 0 at its optimum: the best rate and what else there is
    depend on the optimizer."""
    off = math.log10(config["rate"]) - RATES[config["optimizer"]]
    own = 0.5 * abs(config.get("momentum", 0.9) - 0.9) + 2 * abs(config.get("beta", 0.9) - 0.9)
    shape = (
        0.1 * abs(config["layers"] - 3)
        + {"relu": 0.05, "tanh": 0.1, "gelu": 0.0}[config["activation"]]
    )
    return 0.5 * off**2 + own + shape + HANDICAPS[config["optimizer"]]


def mixed(seed: int) -> list[float]:
    """Return the regret on `mixed_loss` after 40 trials: random search, TPE, a Gaussian process,
    (3,)."""
    return [
        best_so_far(search(mixed_loss, make(MIXED, trials=40, seed=seed)))[-1]
        for make in (random_search, tpe, bayesian_optimization)
    ]


def luck(seed: int) -> list[list[list[float]]]:
    """Return the true regrets of what 40 noisy trials recommend, (noises, 2 strategies, luckiest
    and lowest mean)."""
    return [
        [recommended(make, noise, seed) for make in (random_search, bayesian_optimization)]
        for noise in NOISES
    ]


def recommended(make: Callable[..., Strategy], noise: float, seed: int) -> list[float]:
    """Return the regret on Branin, without noise, of the luckiest trial and of the recommended
    one."""
    rng = np.random.default_rng((seed, 7))
    history = search(
        lambda config: branin(config) + noise * rng.standard_normal(),
        make(BRANIN, trials=40, seed=seed),
    )
    chosen = (history.best, recommend(history, BRANIN))
    return [branin(record.config) - LOWEST for record in chosen if record is not None]


def luck_on_tables(seed: int) -> list[list[float]]:
    """Return what two tables' 40 random trials recommend, by the mean validation error of the
    *other* trainings, (2, 2)."""
    rows = []
    for name in TABLES:
        recorded = table(name)
        errors = 100 * bounded(
            recorded, recorded.losses("accuracy")[:, :, -1], "accuracy"
        )  # (configs, trainings)
        objective = recorded.objective(seed=seed)
        study = AskTell(random_search(recorded.space, trials=40, budget=recorded.epochs, seed=seed))
        while (trial := study.ask()) is not None:
            study.tell(trial, objective.run(trial))
        row = []
        for record in (study.history.best, recommend(study.history, recorded.space)):
            if record is not None:
                config, training, _ = objective.where(record.trial)
                row.append(float(np.delete(errors[config], training).mean()))
        rows.append(row)
    return rows

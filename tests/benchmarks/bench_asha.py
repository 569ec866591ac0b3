"""Do workers wait? ASHA, synchronous halving, Hyperband and BOHB on 8 simulated workers with
heavy-tailed training times.

    python tests/benchmarks/bench_asha.py

An epoch of trial i takes a time drawn from a log-normal whose slowest percent takes over ten times
the median. Utilisation is the share of the workers' time spent training until the last first-rung
trial has started: after that any search runs dry.
"""

from __future__ import annotations

import math

import numpy as np

from hpt_lab.space import Float, Space
from hpt_lab.strategies.asha import asha
from hpt_lab.strategies.bohb import bohb
from hpt_lab.strategies.hyperband import hyperband
from hpt_lab.strategies.strategy import Strategy
from hpt_lab.strategies.successive_halving import successive_halving
from hpt_lab.study.simulation import Simulation, simulate
from hpt_lab.trial import Outcome, Trial

SPACE = Space(learning_rate=Float(1e-4, 1, log=True), dropout=Float(0, 0.5))
WORKERS, SEEDS, MAX_BUDGET = 8, range(20), 81


class HeavyTailed:
    """Losses fall with training towards a config's own limit; seconds per epoch are the trial's
    own, heavy-tailed."""

    def __init__(self, seed: int):
        self.seed = seed
        self.had: dict[int, float] = {}

    def run(self, trial: Trial) -> Outcome:
        rng = np.random.default_rng((self.seed, trial.id))
        per_epoch, noise = rng.lognormal(0, 1), rng.normal(0, 0.05)
        limit = (
            0.05 * (math.log10(trial.config["learning_rate"]) + 2) ** 2
            + 0.2 * trial.config["dropout"]
        )
        epochs = trial.budget - self.had.get(trial.id, 0)
        self.had[trial.id] = trial.budget
        return Outcome(limit + (1 + noise) / math.sqrt(trial.budget), seconds=epochs * per_epoch)


def strategies(seed: int) -> dict[str, Strategy]:
    """Return the searches to compare; those with one bracket get as many configs as each other."""
    return {
        "successive halving": successive_halving(
            SPACE, max_budget=MAX_BUDGET, configs=243, seed=seed
        ),
        "hyperband": hyperband(SPACE, max_budget=MAX_BUDGET, seed=seed),
        "bohb": bohb(SPACE, max_budget=MAX_BUDGET, seed=seed),
        "asha": asha(SPACE, max_budget=MAX_BUDGET, trials=243, seed=seed),
    }


def measure(strategy: Strategy, seed: int, until: float = math.inf) -> Simulation:
    return simulate(strategy, HeavyTailed(seed), workers=WORKERS, max_seconds=until)


def main() -> None:
    """Print a table of medians and assert ASHA's claim."""
    busy: dict[str, list[float]] = {name: [] for name in strategies(0)}
    whole: dict[str, list[float]] = {name: [] for name in busy}
    full: dict[str, list[float]] = {name: [] for name in busy}
    for seed in SEEDS:
        horizon = last_start(measure(strategies(seed)["asha"], seed))
        for name, strategy in strategies(seed).items():
            everything = measure(strategy, seed)
            whole[name].append(everything.utilisation)
            cut = measure(strategy, seed, horizon)
            busy[name].append(cut.utilisation)
            full[name].append(len(cut.history.at_budget(MAX_BUDGET)))
    print(
        f"{WORKERS} workers, medians over {len(SEEDS)} seeds; 'while there is work': until ASHA "
        "starts its last config"
    )
    print(
        f"{'':20}{'busy while there is work':>26}{'worst seed':>12}{'busy to the end':>17}{'fully trained by then':>23}"
    )
    for name in busy:
        print(
            f"{name:20}{np.median(busy[name]):>26.1%}{min(busy[name]):>12.1%}{np.median(whole[name]):>17.1%}"
            f"{np.median(full[name]):>23.0f}"
        )
    assert min(busy["asha"]) > 0.95, "ASHA leaves workers idle"
    assert np.median(busy["successive halving"]) < 0.9, "synchronous halving should visibly wait"


def last_start(simulation: Simulation) -> float:
    """Return when the last new config was started."""
    return max(span.start for span in simulation.spans if span.trial.rung == 0)


if __name__ == "__main__":
    main()

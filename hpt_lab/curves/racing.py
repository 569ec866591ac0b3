"""The race: the same table, the same budget, many seeds; who finds the better config?

One run of a strategy is an anecdote. Here every strategy runs once per seed, seed by seed from the
same draws, until the budget is used up; one that ends before starts again with another seed. The
line to beat is random search at twice the budget (Li et al., JMLR 2018, section 4.2: on many
problems nothing much better is known). Read `run_once`, then `race`.

Two numbers are kept: the validation loss by which the winner was chosen, and its test error, which
did not take part in the choice. Their difference is the selection gap: the smallest of many noisy
numbers is partly luck.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hpt_lab.arguments import check_among, check_seed, is_number, plain, show
from hpt_lab.curves.replay import Replay
from hpt_lab.curves.table import Table, check_table
from hpt_lab.errors import StrategyError
from hpt_lab.strategies.asha import asha
from hpt_lab.strategies.bayesian_optimization import bayesian_optimization
from hpt_lab.strategies.bohb import bohb
from hpt_lab.strategies.grid_search import grid_search
from hpt_lab.strategies.hyperband import hyperband
from hpt_lab.strategies.random_search import random_search
from hpt_lab.strategies.strategy import STRATEGIES, Strategy, check_strategy, check_whole
from hpt_lab.strategies.successive_halving import successive_halving
from hpt_lab.strategies.tpe import tpe
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.simulation import simulate
from hpt_lab.trial import Outcome, Trial

if TYPE_CHECKING:
    import pandas

Unit = Literal["epochs", "seconds"]
LINE = "random search, twice the budget"
RESAMPLES = 2000
LEVEL = 0.05
CHUNK = 5  # seeds per job


@dataclass(frozen=True)
class Run:
    """One search: whenever a result beat all before, how much was spent by then, its loss and its
    test error."""

    spent: np.ndarray
    losses: np.ndarray
    test_errors: np.ndarray

    def at(self, spent: float) -> tuple[float, float]:
        """Return loss and test error of what was best when `spent` had been spent; NaN before the
        first result."""
        i = int(np.searchsorted(self.spent, spent, side="right")) - 1
        return (
            (float(self.losses[i]), float(self.test_errors[i])) if i >= 0 else (math.nan, math.nan)
        )


@dataclass(frozen=True)
class Race:
    """What came of a race. `runs[name]`: one Run per seed. `budget` is what each could spend; the
    line spent twice that.

    In `runs[LINE]` everything spent counts half, so that it can be compared at the same abscissa.
    """

    table: Table
    metric: str
    unit: Unit
    budget: float
    workers: int
    seeds: tuple[int, ...]
    runs: Mapping[str, list[Run]] = field(repr=False)

    def losses(self, spent: float | None = None) -> np.ndarray:
        """Return the incumbents' validation losses after `spent` (the whole budget), (strategies,
        seeds)."""
        return self._at(spent)[..., 0]

    def test_errors(self, spent: float | None = None) -> np.ndarray:
        """Return the incumbents' test errors after `spent` (the whole budget), (strategies,
        seeds)."""
        return self._at(spent)[..., 1]

    def _at(self, spent: float | None) -> np.ndarray:
        at = self.budget if spent is None else spent
        return np.array([[run.at(at) for run in runs] for runs in self.runs.values()])

    def frame(self) -> pandas.DataFrame:
        """Return one row per strategy and seed: loss, test_error, and what was spent when the
        incumbent was found."""
        import pandas

        return pandas.DataFrame(
            [
                {
                    "strategy": name,
                    "seed": seed,
                    "loss": run.at(self.budget)[0],
                    "test_error": run.at(self.budget)[1],
                    "found_at": float(run.spent[-1]) if len(run.spent) else math.nan,
                }
                for name, runs in self.runs.items()
                for seed, run in zip(self.seeds, runs, strict=True)
            ]
        )

    def summary(self) -> pandas.DataFrame:
        """Return one row per strategy, the best average rank first.

        loss, test_error: means over the seeds. gap: mean of test error minus validation error (NaN
        for metric "loss"). rank, rank_low, rank_high: average rank by loss among all, 1 the best,
        and its 95 % bootstrap interval.
        regret: mean loss above the table's best. ahead, ahead_low, ahead_high: how much lower the
            loss is than the
        line's, paired by seed; the interval is 95 % for all comparisons together (Bonferroni).
        test_ahead, ...: the same for the test error.
        """
        import pandas

        losses, errors = self.losses(), self.test_errors()
        ranks = average_ranks(losses)
        rank_low, rank_high = bootstrap(ranks, LEVEL)
        of_line = list(self.runs).index(LINE)
        ahead, test_ahead = losses[of_line] - losses, errors[of_line] - errors
        ahead_low, ahead_high = bootstrap(ahead, LEVEL / (len(losses) - 1))
        test_low, test_high = bootstrap(test_ahead, LEVEL / (len(losses) - 1))
        gap = errors - losses if self.metric == "accuracy" else np.full(losses.shape, np.nan)
        return pandas.DataFrame(
            {
                "loss": losses.mean(axis=1),
                "test_error": errors.mean(axis=1),
                "gap": gap.mean(axis=1),
                "rank": ranks.mean(axis=1),
                "rank_low": rank_low,
                "rank_high": rank_high,
                "regret": losses.mean(axis=1) - np.nanmin(self.table.losses(self.metric)),
                "ahead": ahead.mean(axis=1),
                "ahead_low": ahead_low,
                "ahead_high": ahead_high,
                "test_ahead": test_ahead.mean(axis=1),
                "test_ahead_low": test_low,
                "test_ahead_high": test_high,
            },
            index=pandas.Index(self.runs, name="strategy"),
        ).sort_values("rank", kind="stable")

    def verdict(self) -> str:
        """Say in words only what the intervals allow to say."""
        table = self.summary()
        others = table.drop(index=LINE)
        leader = table.index[0]
        beside = list(table.index[1:][table.rank_low[1:] <= table.rank_high.iloc[0]])
        lines = [
            f"{leader} is ahead: its average rank is below all others', and no interval reaches it."
            if not beside
            else f"No single winner: the rank of {leader} can't be told from that of "
            f"{', '.join(beside)}."
        ]
        for what, by in (
            ("ahead", "On the validation part"),
            ("test_ahead", "On the test part, which nobody chose by"),
        ):
            better, worse = others[f"{what}_low"] > 0, others[f"{what}_high"] < 0
            groups = {
                "better than the line": better,
                "worse": worse,
                "not told apart from it": ~better & ~worse,
            }
            parts = [
                f"{group}: {', '.join(others.index[members])}"
                for group, members in groups.items()
                if members.any()
            ]
            lines.append(f"{by}, {'; '.join(parts)}.")
        lines.append(f"(The line is {LINE}.)")
        lines.append(
            f"This holds for {self.table.name} at {self.budget:,.0f} {self.unit}, {self.workers} "
            f"worker{'s' * (self.workers > 1)}, {len(self.seeds)} seeds; it says nothing of other "
            "problems or budgets."
        )
        return "\n".join(lines)

    def over_time(self, points: int = 60) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return what had been spent, (points,), and the incumbents' losses by then, (seeds,
        points), per strategy.

        NaN where a run had no result yet.
        """
        spent = np.geomspace(self.budget / 400, self.budget, points)
        return spent, {
            name: np.array([[run.at(s)[0] for s in spent] for run in runs])
            for name, runs in self.runs.items()
        }


def race(
    strategies: Mapping[str, Strategy],
    table: Table,
    budget: float,
    seeds: int | Iterable[int] = 100,
    *,
    unit: Unit = "epochs",
    metric: str = "accuracy",
    workers: int = 1,
    processes: int = 1,
) -> Race:
    """Run every strategy on `table` once per seed until `budget` is spent; random search at twice
    the budget joins them.

    strategies: by the name to show; each is started anew with every seed in place of its own.
    budget: in `unit`: "epochs" trained in all, or "seconds" on the simulated clock, with `workers`
        side by side.
    processes: how many of this machine's to use; the result does not depend on it.
    """
    from joblib import Parallel, delayed

    check_table(table)
    chosen = _check_race(strategies, seeds)
    if not is_number(budget) or not 0 < budget < math.inf:
        raise StrategyError(
            f"budget must be above 0 and finite, got {show(budget)}; try {20 * table.epochs}"
        )
    if not isinstance(unit, str) or unit not in ("epochs", "seconds"):
        raise StrategyError(
            f"a race needs unit 'epochs' or 'seconds', got {show(unit)}; try 'epochs'"
        )
    check_among("metric", metric, ("accuracy", "loss"), error=StrategyError)
    check_whole("workers", workers, 1, hint=1, most=100_000)
    check_whole("processes", processes, 1, hint=1, most=1000)
    field = entrants(strategies, table, budget, unit)
    jobs = [(name, chosen[i : i + CHUNK]) for name in field for i in range(0, len(chosen), CHUNK)]
    done = Parallel(n_jobs=processes)(
        delayed(_run_some)(
            STRATEGIES[field[name][0].name],
            field[name][0].settings,
            table,
            some,
            field[name][1],
            budget=budget,
            unit=unit,
            metric=metric,
            workers=workers,
        )
        for name, some in jobs
    )
    runs: dict[str, list[Run]] = {name: [] for name in field}
    for (name, _), some_runs in zip(jobs, done, strict=True):
        runs[name] += some_runs
    return Race(table, metric, unit, budget, workers, chosen, runs)


def entrants(
    strategies: Mapping[str, Strategy], table: Table, budget: float, unit: Unit
) -> dict[str, tuple[Strategy, int]]:
    """Return who runs, and how many times the budget each may spend: the strategies once, the line
    to beat twice."""
    trials = 2 * math.ceil(budget / table.epochs) if unit == "epochs" else 40
    field = {name: (strategy, 1) for name, strategy in strategies.items()}
    field[LINE] = random_search(table.space, trials=trials, budget=table.epochs), 2
    return field


def _check_race(strategies: Any, seeds: Any) -> tuple[int, ...]:
    """Return the seeds of a race. Raises StrategyError unless there are strategies by name, and at
    least two seeds."""
    seeds = plain(seeds)
    if not isinstance(seeds, Iterable):
        seeds = range(check_whole("seeds", seeds, 0, hint=20, most=10**6))
    if not isinstance(strategies, Mapping) or isinstance(seeds, str):
        raise StrategyError(
            f"a race needs strategies by name and seeds, got {show(strategies)} and {show(seeds)}; "
            "try race(contestants(table), table, budget, 20)"
        )
    chosen = tuple(check_seed(seed) for seed in seeds)
    if not strategies or len(chosen) < 2:
        raise StrategyError(
            f"a race needs a strategy and at least two seeds, got {list(strategies)} and "
            f"{list(chosen)}"
        )
    for each in strategies.values():
        check_strategy(each)
    return chosen


def contestants(table: Table, *, eta: int = 3) -> dict[str, Strategy]:
    """Return the eight strategies of the standard race on `table`, each as its paper has it.

    Those that train every config in full are given more trials than any budget here allows.
    """
    space, full = check_table(table).space, table.epochs
    return {
        "grid search": grid_search(space, n=coarse(table, 20), budget=full),
        "random search": random_search(space, trials=60, budget=full),
        "Bayesian optimization": bayesian_optimization(space, trials=1000, budget=full),
        "TPE": tpe(space, trials=1000, budget=full),
        "successive halving": successive_halving(space, max_budget=full, eta=eta),
        "Hyperband": hyperband(space, max_budget=full, eta=eta),
        "ASHA": asha(space, max_budget=full, eta=eta, trials=1000),
        "BOHB": bohb(space, max_budget=full, eta=eta),
    }


def coarse(table: Table, configs: int) -> dict[str, int]:
    """Return a sensible grid of at most so many configs, as `grid_search` takes it.

    Five values of the first ordered hyperparameter (the learning rate), then two of the next ones
    while that is affordable, the middle value of the rest; all values of those in no order.
    """
    domains: dict[str, Any] = table.space.domains  # a table's space has choices alone
    ordered = [name for name, domain in domains.items() if domain.ordered]
    used = math.prod(
        int(domain.size) for name, domain in table.space.domains.items() if name not in ordered
    )
    n = dict.fromkeys(ordered, 1)
    for i, name in enumerate(ordered):
        want = min(2 if i else 5, int(table.space[name].size))
        if used * want <= configs:
            n[name], used = want, used * want
    return n


def run_once(
    make: Callable[..., Strategy],
    settings: Mapping[str, Any],
    table: Table,
    *,
    budget: float,
    seed: int,
    unit: Unit = "epochs",
    metric: str = "accuracy",
    workers: int = 1,
) -> Run:
    """Search with the strategy `make(**settings)` until `budget` is spent; a result that would come
    later does not count."""
    found: list[tuple[float, float, float]] = []
    for now in incumbents(
        make, settings, table, budget=budget, seed=seed, unit=unit, metric=metric, workers=workers
    ):
        if now[1] < (found[-1][1] if found else math.inf):
            found.append(now)
    return Run(*np.array(found, dtype=float).reshape(-1, 3).T)


def incumbents(
    make: Callable[..., Strategy],
    settings: Mapping[str, Any],
    table: Table,
    *,
    budget: float,
    seed: int,
    unit: Unit = "epochs",
    metric: str = "accuracy",
    workers: int = 1,
) -> Iterator[tuple[float, float, float]]:
    """Search as `run_once` says, and after every result yield (spent, the incumbent's loss, its
    test error).

    Until something has succeeded the loss is inf and the test error NaN.
    """
    start, best, error, rounds = 0.0, math.inf, math.nan, 0
    while True:
        number = (
            seed
            if rounds == 0
            else int(np.random.SeedSequence((seed, rounds)).generate_state(1)[0])
        )
        strategy = make(**{**settings, "seed": number}) if "seed" in settings else make(**settings)
        objective, spent = table.objective(seed=number, metric=metric), start
        for trial, outcome, epochs, seconds in _results(
            strategy, objective, workers, unit, budget - start
        ):
            spent = start + (epochs if unit == "epochs" else seconds)
            if spent > budget:
                return
            if outcome.rank_loss < best:
                best, error = outcome.rank_loss, 1 - objective.test(trial)["accuracy"]
            yield spent, best, error
        if spent == start:
            raise StrategyError(
                f"{strategy.name} ended without a trial, so it can't race; check its settings"
            )
        start, rounds = spent, rounds + 1


def _results(
    strategy: Strategy, objective: Replay, workers: int, unit: Unit, budget: float
) -> Iterator[tuple[Trial, Outcome, int, float]]:
    """Yield (trial, outcome, epochs trained by then, seconds by then) as results come, until some
    time after `budget`."""
    if (
        workers > 1
    ):  # limits late enough for what runs when the budget ends to end, and for runs that diverge
        table = objective.table
        longest = float((table.trace_seconds + table.epochs * table.epoch_seconds).max())
        limit = (
            {"max_seconds": budget + longest} if unit == "seconds" else {"max_epochs": 2 * budget}
        )
        simulation = simulate(strategy, objective, workers=workers, **limit)
        had: dict[int, int] = {}
        for record, seconds in zip(simulation.history.records, simulation.told, strict=True):
            had[record.trial.id] = max(
                had.get(record.trial.id, 0), len(record.outcome.curves["loss"])
            )
            yield record.trial, record.outcome, sum(had.values()), seconds
        return
    ask_tell, seconds = AskTell(strategy), 0.0
    while (trial := ask_tell.ask()) is not None:
        outcome = objective.run(trial)
        ask_tell.tell(trial, outcome)
        seconds += outcome.seconds
        yield trial, outcome, objective.epochs, seconds


def average_ranks(losses: np.ndarray) -> np.ndarray:
    """Rank strategies within each seed, losses (strategies, seeds); ties share their average, NaN
    comes last."""
    from scipy.stats import rankdata

    return rankdata(np.nan_to_num(losses, nan=np.inf), axis=0)


def bootstrap(values: np.ndarray, level: float, rng: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of a 1 - level percentile interval of the mean over the last axis, seeds
    drawn with replacement.

    values: (strategies, seeds). All strategies keep the same drawn seeds, which leaves them paired.
    """
    n = values.shape[-1]
    counts = np.random.default_rng(rng).multinomial(
        n, np.full(n, 1 / n), size=RESAMPLES
    )  # (B, seeds)
    means = values @ counts.T / n  # (strategies, B)
    low, high = np.quantile(means, [level / 2, 1 - level / 2], axis=-1)
    return low, high


def _run_some(
    make: Callable[..., Strategy],
    settings: Mapping[str, Any],
    table: Table,
    seeds: tuple[int, ...],
    times: int,
    *,
    budget: float,
    **options: Any,
) -> list[Run]:
    """Run a few seeds of one strategy in one process, with `times` the budget, and count what they
    spend that much less."""
    runs = [
        run_once(make, settings, table, budget=times * budget, seed=seed, **options)
        for seed in seeds
    ]
    return [Run(run.spent / times, run.losses, run.test_errors) for run in runs]

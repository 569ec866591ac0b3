"""What recorded curves teach: whether early losses foretell late ones, which hyperparameters
matter, what luck is worth.

All of it is counted over the whole table, with no model in between. A run that diverged ranks
behind all others; what it counts in a mean says `bounded`. Read `anova` first.

Functional ANOVA (Hooker, KDD 2004; Hutter, Hoos & Leyton-Brown, ICML 2014, section 3) splits the
variance of the loss over all configs into what each hyperparameter does alone, each pair beyond
that, and so on. On a full factorial the marginals are plain averages, so the split is exact.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hpt_lab.arguments import check_among, check_number, check_seed, check_whole, plain, show
from hpt_lab.curves.table import Table, check_table
from hpt_lab.errors import DataError

if TYPE_CHECKING:
    import pandas

RUNGS = (1, 3, 9, 27)


def anova(
    table: Table,
    *,
    epoch: int | None = None,
    metric: str = "accuracy",
    values: np.ndarray | None = None,
) -> dict[tuple[str, ...], float]:
    """Return the share of the variance over all configs that every set of hyperparameters explains;
    they sum to 1.

    What is explained: the loss after `epoch` epochs (the last), mean over the training seeds; or
    `values`, (n,), one per config. The share of (a, b) is what a and b do together beyond what each
    does alone. Largest first.
    """
    check_table(table)
    cube = final(table, epoch, metric) if values is None else numbers("values", values)
    if cube.size != math.prod(table.shape):
        raise DataError(
            f"values must be one number for each of {math.prod(table.shape)} configs, got "
            f"{cube.size}"
        )
    cube = cube.reshape(table.shape)
    if not np.isfinite(cube).all():
        raise DataError(
            "values must be finite to split their variance; replace what diverged by a number"
        )
    names, d = list(table.space), cube.ndim
    effects: dict[tuple[int, ...], np.ndarray] = {}
    for size in range(d + 1):
        for subset in itertools.combinations(range(d), size):
            others = tuple(set(range(d)) - set(subset))
            effects[subset] = cube.mean(axis=others, keepdims=True) - sum(
                effects[part] for k in range(size) for part in itertools.combinations(subset, k)
            )
    variance = cube.var()
    shares = {
        tuple(names[i] for i in subset): float((effect**2).mean() / variance) if variance else 0.0
        for subset, effect in effects.items()
        if subset
    }
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def marginal(
    table: Table, name: str, *, epoch: int | None = None, metric: str = "accuracy"
) -> pandas.Series:
    """Return the mean loss over all configs with each value of one hyperparameter, indexed by the
    value."""
    import pandas

    check_among("name", name, check_table(table).space, error=DataError)
    axis = list(table.space).index(name)
    cube = final(table, epoch, metric).reshape(table.shape)
    means = cube.mean(axis=tuple(i for i in range(cube.ndim) if i != axis))
    values = table.space[name].values  # type: ignore[union-attr]
    return pandas.Series(means, index=pandas.Index(values, name=name), name="loss")


def effective_dimension(
    table: Table, share: float = 0.9, *, epoch: int | None = None, metric: str = "accuracy"
) -> tuple[str, ...]:
    """Return the fewest hyperparameters that, alone and together, explain `share` of the variance
    of the loss.

    Their number is the effective dimension in the truncation sense (Caflisch, Morokoff & Owen, J.
    Comp. Finance 1997), which is why random search beats grid search (Bergstra & Bengio, JMLR 2012,
    section 4).
    """
    check_number("share", share, above=0, most=1, hint=0.9, error=DataError)
    shares = anova(table, epoch=epoch, metric=metric)
    for size in range(1, len(table.space) + 1):
        explained = {
            names: sum(value for part, value in shares.items() if set(part) <= set(names))
            for names in itertools.combinations(table.space, size)
        }
        best = max(explained, key=lambda names: explained[names])
        if explained[best] >= share - 1e-9:
            return best
    raise AssertionError("all hyperparameters together explain everything")


def rank_correlation(
    table: Table,
    rungs: Sequence[int] = RUNGS,
    *,
    metric: str = "accuracy",
    between: tuple[float, float] = (0, 1),
    another_seed: bool = False,
) -> pandas.DataFrame:
    """Return Spearman's correlation of the loss at each rung with that at the end, per rung and
    training seed.

    between: among the runs whose final loss lies between these quantiles only. (0, 0.25) is the
        best quarter, which a
    tuner must tell apart.
    another_seed: take the rung from another seed's training of the same configs. What a rung knows
        beyond that is the
    luck of its own run; at the last epoch this is the most that any rung can know about a config.
    """
    import pandas

    losses = ranked(table, metric)
    rungs = check_rungs(table, rungs)
    low, high = numbers("between", between).tolist() if np.size(between) == 2 else (1.0, 0.0)
    if not 0 <= low < high <= 1:
        raise DataError(
            f"between must be two quantiles, 0 <= low < high <= 1, got {show(between)}; try (0, "
            "0.25)"
        )
    rows = {
        rung: [
            _spearman(losses[:, seed - another_seed, rung - 1], losses[:, seed, -1], between)
            for seed in range(table.seeds)
        ]
        for rung in rungs
    }
    frame = pandas.DataFrame(list(rows.values()), index=pandas.Index(rows, name="rung"))
    return frame.rename_axis("seed", axis="columns")


def winner_cut(
    table: Table,
    rungs: Sequence[int] = RUNGS,
    *,
    configs: int = 81,
    eta: int = 3,
    draws: int = 2000,
    metric: str = "accuracy",
    seed: int = 0,
) -> pandas.DataFrame:
    """Run brackets of successive halving; return, a row each, where the real winner was cut and
    what that cost.

    The real winner is the trial that would have been best at the end. Each bracket starts `configs`
    random configs, a training seed drawn for each, and keeps the best 1/eta at every rung.

    cut: the rung at which the winner was cut, or "survives"; of several that tie for the best the
        last to be cut counts.
    gap: how much above the winner the survivor ends. test_gap: the same in test error.
    in_full: how much above it the best of as many full trainings ends as the bracket pays for
        without resuming.
    full_test: the same in test error, of the one that has the smallest validation error.
    blind: how much above it the median config ends.
    """
    import pandas

    losses = ranked(table, metric)
    rng = np.random.default_rng(check_seed(seed, error=DataError))
    rungs = check_rungs(table, rungs)
    check_whole("configs", configs, 1, 81, error=DataError)
    check_whole("eta", eta, 2, 3, error=DataError)
    check_whole("draws", draws, 1, 2000, most=10**6, error=DataError)
    if configs > len(losses):
        raise DataError(f"configs must be at most the table's {len(losses)}, got {configs}")
    test = bounded(table, 1 - table.curves["test_accuracy"][:, :, -1], "accuracy")
    found = []
    for _ in range(draws):
        rows, seeds = (
            rng.choice(len(losses), configs, replace=False),
            rng.integers(table.seeds, size=configs),
        )
        curves = losses[rows, seeds]  # (configs, E)
        end, tested = curves[:, -1], test[rows, seeds]
        winners, alive, cut, epochs = np.flatnonzero(end == end.min()), np.arange(configs), None, 0
        for rung in rungs:
            epochs += len(alive) * rung
            alive = alive[
                np.argsort(curves[alive, rung - 1], kind="stable")[: max(1, len(alive) // eta)]
            ]
            if cut is None and not np.isin(winners, alive).any():
                cut = rung
        survivor = alive[np.argmin(end[alive])]
        full = (epochs + len(alive) * table.epochs) // table.epochs
        in_full = np.argmin(end[:full])
        found.append(
            {
                "cut": cut or "survives",
                "gap": end[survivor] - end.min(),
                "test_gap": tested[survivor] - tested[winners[0]],
                "in_full": end[in_full] - end.min(),
                "full_test": tested[in_full] - tested[winners[0]],
                "blind": np.median(end) - end.min(),
            }
        )
    return pandas.DataFrame(found)


def slipped(
    table: Table, rungs: Sequence[int] = RUNGS, *, eta: int = 3, metric: str = "accuracy"
) -> pandas.Series:
    """Return the share of the runs ending in the worse half that are among the best 1/eta at each
    rung, and so go on.

    Ranks that say nothing would let 1/eta through. Within a training seed; mean over the seeds.
    """
    import pandas

    losses = ranked(table, metric)
    rungs = check_rungs(table, rungs)
    check_whole("eta", eta, 2, 3, error=DataError)
    rank = losses.argsort(axis=0, kind="stable").argsort(axis=0)  # (n, s, E), 0 is the best
    n = len(losses)
    worse = rank[:, :, -1] >= n / 2
    shares = [(rank[:, :, rung - 1] < n // eta)[worse].mean() for rung in rungs]
    return pandas.Series(shares, index=pandas.Index(rungs, name="rung"), name="share")


def crossings(
    table: Table, *, metric: str = "accuracy", pairs: int = 20_000, seed: int = 0
) -> pandas.Series:
    """Return the share of pairs of runs that are, after each epoch, ordered the other way than at
    the end.

    Pairs of different configs drawn at random, ties at either time left out; indexed by epoch, 0 in
    the last.
    """
    import pandas

    losses = ranked(table, metric)
    rng = np.random.default_rng(check_seed(seed, error=DataError))
    check_whole("pairs", pairs, 1, 20_000, most=10**7, error=DataError)
    a, b = rng.integers(len(losses), size=(2, pairs))
    s, t = rng.integers(table.seeds, size=(2, pairs))
    a, b, s, t = (x[a != b] for x in (a, b, s, t))
    signs = (losses[a, s] > losses[b, t]).astype(int) - (
        losses[a, s] < losses[b, t]
    )  # (pairs, E); 0 is a tie
    end = signs[:, -1:]
    told_apart = (signs != 0) & (end != 0)
    crossed = ((signs == -end) & told_apart).sum(axis=0) / np.maximum(1, told_apart.sum(axis=0))
    return pandas.Series(
        crossed, index=pandas.RangeIndex(1, table.epochs + 1, name="epoch"), name="share"
    )


def oracle_regret(
    table: Table,
    trials: Sequence[int] = (1, 5, 20, 60),
    *,
    draws: int = 2000,
    metric: str = "accuracy",
    seed: int = 0,
) -> pandas.DataFrame:
    """Return, for random search with so many full trainings, what an oracle would have done better.

    loss: that of the chosen run. search: how much above the best run of the table, whom an oracle
        would have tried.
    test_error: of the chosen run. selection: how much above the smallest test error among its own
        trials, which an
    oracle would have chosen. optimism: test error minus validation error of the chosen run. All are
    means over `draws`.
    """
    import pandas

    check_table(table)
    check_whole("draws", draws, 1, 2000, most=10**6, error=DataError)
    trials = [
        check_whole("trials", n, 1, 20, most=10**4, error=DataError)
        for n in as_list("trials", trials)
    ]
    rng, losses = (
        np.random.default_rng(check_seed(seed, error=DataError)),
        bounded(table, table.losses(metric)[:, :, -1], metric),
    )
    test, validation = (
        bounded(table, 1 - table.curves[f"{part}_accuracy"][:, :, -1], "accuracy")
        for part in ("test", "val")
    )
    rows = {}
    for n in trials:
        config, run = (
            rng.integers(len(losses), size=(draws, n)),
            rng.integers(table.seeds, size=(draws, n)),
        )
        chosen = np.argmin(losses[config, run], axis=1)
        row, column = (x[np.arange(draws), chosen] for x in (config, run))
        loss, tested = losses[row, column].mean(), test[row, column]
        rows[n] = {
            "loss": loss,
            "search": loss - losses.min(),
            "test_error": tested.mean(),
            "selection": (tested - test[config, run].min(axis=1)).mean(),
            "optimism": (tested - validation[row, column]).mean(),
        }
    return pandas.DataFrame.from_dict(rows, orient="index").rename_axis("trials")


def ranked(table: Table, metric: str = "accuracy") -> np.ndarray:
    """Return the losses to rank by, (n, s, E): +inf where a run has diverged."""
    return np.nan_to_num(check_table(table).losses(metric), nan=np.inf)


def final(table: Table, epoch: int | None = None, metric: str = "accuracy") -> np.ndarray:
    """Return every config's loss after `epoch` epochs (the last), mean over the seeds, (n,), to
    take means of; see `bounded`."""
    check_table(table)
    epoch = table.epochs if epoch is None else plain(epoch)
    if type(epoch) is not int or not 1 <= epoch <= table.epochs:
        raise DataError(f"epoch must be from 1 to {table.epochs}, got {show(epoch)}")
    return bounded(table, table.losses(metric)[:, :, epoch - 1], metric).mean(axis=1)


def bounded(table: Table, losses: np.ndarray, metric: str) -> np.ndarray:
    """Replace losses that no mean could bear: a diverged run has the worst error that any run ended
    with.

    A cross-entropy can be 1e35 without having diverged; none counts more than the median after the
    first epoch, which is about what an untrained network has.
    """
    first, last = (table.losses(metric)[:, :, epoch] for epoch in (0, -1))
    return (
        np.fmin(losses, np.nanmedian(first))
        if metric == "loss"
        else np.where(np.isfinite(losses), losses, np.nanmax(last))
    )


def check_rungs(table: Table, rungs: Sequence[int]) -> list[int]:
    """Return the rungs as ints. Raises DataError unless they are epochs of the table."""
    return [
        check_whole("every rung", rung, 1, 9, most=table.epochs, error=DataError)
        for rung in as_list("rungs", rungs)
    ]


def as_list(what: str, values: Sequence[int]) -> list[int]:
    """Return a list of whole numbers as a list. Raises DataError for what is none."""
    if (
        isinstance(values, str | bytes)
        or not isinstance(values, Sequence | np.ndarray)
        or not np.size(values)
    ):
        raise DataError(
            f"{what} must be a list of whole numbers, got {show(values)}; try (1, 3, 9, 27)"
        )
    return list(np.atleast_1d(values)) if isinstance(values, np.ndarray) else list(values)


def numbers(what: str, values: object) -> np.ndarray:
    """Return `values` as an array of floats. Raises DataError for what is none."""
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{what} must be numbers, got {show(values)}") from None


def _spearman(early: np.ndarray, late: np.ndarray, between: tuple[float, float]) -> float:
    from scipy.stats import spearmanr

    low, high = (
        np.quantile(late, share, method="inverted_cdf") if share else -np.inf for share in between
    )
    chosen = (late > low) & (late <= high)
    return float(spearmanr(early[chosen], late[chosen]).statistic)

"""What the curves teach, counted again by brute force."""

import itertools

import numpy as np
import pytest
from conftest import make_table
from scipy.stats import kendalltau, spearmanr

from hpt_lab.curves import lessons
from hpt_lab.curves.lessons import anova
from hpt_lab.errors import DataError


def brute_force(table, values):
    """Split the variance by the definition, one config at a time: f_U(x) = E[f | x_U] - all smaller
    parts."""
    names = list(table.space)
    configs, n = table.configs, len(values)
    parts = {(): np.full(n, values.mean())}
    for size in range(1, len(names) + 1):
        for subset in itertools.combinations(names, size):
            conditional = np.array(
                [
                    np.mean(
                        [
                            values[j]
                            for j in range(n)
                            if all(configs[j][k] == configs[i][k] for k in subset)
                        ]
                    )
                    for i in range(n)
                ]
            )
            smaller = [part for k in range(size) for part in itertools.combinations(subset, k)]
            parts[subset] = conditional - sum(parts[part] for part in smaller)
    total = ((values - values.mean()) ** 2).mean()
    return {subset: (part**2).mean() / total for subset, part in parts.items() if subset}


def test_functional_anova_agrees_with_brute_force_and_adds_up(table):
    values = np.random.default_rng(0).gamma(0.5, size=24)
    shares, expected = anova(table, values=values), brute_force(table, values)
    assert shares.keys() == expected.keys()
    assert shares == pytest.approx(expected)
    assert sum(shares.values()) == pytest.approx(1) and list(shares.values()) == sorted(
        shares.values(), reverse=True
    )


def test_functional_anova_finds_what_a_function_is_made_of(table):
    rate = np.array([np.log10(c["learning_rate"]) for c in table.configs])
    adam = np.array([c["optimizer"] == "adam" for c in table.configs]) - 0.5
    shares = anova(table, values=2 * (rate + 1.5) + 0 * adam)
    assert shares[("learning_rate",)] == pytest.approx(1)
    shares = anova(table, values=(rate + 1.5) * adam)  # both centred: a pure interaction
    assert shares[("learning_rate", "optimizer")] == pytest.approx(1) and shares[
        ("optimizer",)
    ] == pytest.approx(0, abs=1e-12)
    assert set(anova(table, values=np.ones(24)).values()) == {0.0}
    with pytest.raises(DataError, match="must be finite"):
        anova(table, values=np.full(24, np.nan))


def test_the_effective_dimension_is_the_smallest_set_that_explains_enough(table):
    shares = anova(table)
    for share in (0.5, 0.9, 1.0):
        names = lessons.effective_dimension(table, share)
        explained = {
            some: sum(v for part, v in shares.items() if set(part) <= set(some))
            for k in range(4)
            for some in itertools.combinations(table.space, k)
        }
        assert explained[names] >= share - 1e-9
        assert all(value < share for some, value in explained.items() if len(some) < len(names))


def test_marginals_are_means_over_all_configs_with_the_value(table):
    marginal = lessons.marginal(table, "units")
    losses = lessons.final(table)
    for value in (8, 16, 32):
        chosen = [
            loss
            for loss, config in zip(losses, table.configs, strict=True)
            if config["units"] == value
        ]
        assert marginal[value] == pytest.approx(np.mean(chosen))
    with pytest.raises(DataError, match="name must be one of"):
        lessons.marginal(table, "width")


def test_rank_correlation_is_one_at_the_end_and_grows_towards_it(table):
    frame = lessons.rank_correlation(table, rungs=(1, 3, 9, 27))
    assert (frame.loc[27] == 1).all()
    means = frame.mean(axis=1)
    assert means[1] < means[9] < 1
    assert list(frame.columns) == [0, 1, 2]


def test_another_seeds_rung_knows_the_config_and_not_the_luck_of_the_run(table):
    losses = lessons.ranked(table)
    other = lessons.rank_correlation(table, rungs=(3, 27), another_seed=True)
    for rung in (3, 27):
        for seed, before in ((0, 2), (1, 0), (2, 1)):
            assert other.loc[rung, seed] == pytest.approx(
                spearmanr(losses[:, before, rung - 1], losses[:, seed, -1]).statistic
            )
    assert (other.loc[27] < 1).all()
    luck = {
        name: np.random.default_rng(0).random((24, 3, 27)).cumsum(axis=2) for name in table.curves
    }
    lucky = type(table)(
        "lucky", table.space, luck, table.trace_seconds, table.epoch_seconds, table.rows
    )
    own, strange = (
        lessons.rank_correlation(lucky, (26,), another_seed=x).mean(axis=1)[26]
        for x in (False, True)
    )
    assert own > 0.9 and abs(strange) < 0.3


def test_the_winner_is_cut_nowhere_if_rankings_never_change_and_somewhere_if_they_are_noise():
    table = make_table()
    flat = {
        name: np.broadcast_to(np.linspace(0.1, 0.9, 24)[:, None, None], (24, 3, 27))
        for name in table.curves
    }
    calm = type(table)(
        "calm", table.space, flat, table.trace_seconds, table.epoch_seconds, table.rows
    )
    brackets = lessons.winner_cut(calm, (1, 3, 9), configs=20, draws=50)
    assert (brackets["cut"] == "survives").all() and (brackets[["gap", "test_gap"]] == 0).all(
        axis=None
    )
    shares = 0
    for seed in range(40):
        noise = {name: np.random.default_rng(seed).random((24, 3, 27)) for name in table.curves}
        wild = type(table)(
            "wild", table.space, noise, table.trace_seconds, table.epoch_seconds, table.rows
        )
        cut = lessons.winner_cut(wild, (1, 3), configs=18, draws=100)["cut"]
        shares = (
            shares + cut.value_counts(normalize=True).reindex([1, 3, "survives"], fill_value=0) / 40
        )
    assert shares[1] == pytest.approx(2 / 3, abs=0.06)  # 6 of 18 go on
    assert shares[3] == pytest.approx(1 / 3 * 2 / 3, abs=0.06) and shares[
        "survives"
    ] == pytest.approx(1 / 9, abs=0.06)
    assert shares.sum() == pytest.approx(1)


def test_a_winner_is_cut_only_when_all_that_tie_with_it_are():
    table = make_table()
    same = {
        name: np.where(np.arange(27) < 26, np.random.default_rng(0).random((24, 3, 27)), 0.5)
        for name in table.curves
    }
    tied = type(table)(
        "tied", table.space, same, table.trace_seconds, table.epoch_seconds, table.rows
    )
    brackets = lessons.winner_cut(tied, (1, 3, 9), configs=24, draws=20)
    assert (brackets["cut"] == "survives").all() and (brackets["gap"] == 0).all()


def test_what_a_cut_costs_is_counted_from_the_real_winner(table):
    brackets = lessons.winner_cut(table, (1, 3, 9), configs=24, draws=200)
    losses, test = lessons.ranked(table), 1 - table.curves["test_accuracy"][:, :, -1]
    rng = np.random.default_rng(0)
    for bracket in brackets.itertuples():
        rows, seeds = rng.choice(24, 24, replace=False), rng.integers(3, size=24)
        alive, end = list(range(24)), losses[rows, seeds, -1]
        for rung, keep in (
            (1, 8),
            (3, 2),
            (9, 1),
        ):  # 24 + 8 * 3 + 2 * 9 + 27 = 93 epochs: three full trainings
            alive = sorted(
                alive, key=lambda i: (losses[rows[i], seeds[i], rung - 1], alive.index(i))
            )[:keep]
        assert bracket.gap == end[alive[0]] - end.min() and (
            bracket.gap == 0 or bracket.cut != "survives"
        )
        assert (
            bracket.in_full == end[:3].min() - end.min()
            and bracket.blind == np.median(end) - end.min()
        )
        if np.isfinite(test[rows, seeds]).all():
            assert bracket.test_gap == test[rows, seeds][alive[0]] - test[rows, seeds][end.argmin()]
    assert brackets["gap"].max() > 0


def test_who_slips_through_is_a_third_by_chance_and_nobody_at_the_end(table):
    shares = lessons.slipped(table)
    assert shares[27] == 0 and 1 / 3 > shares[1] > shares[3]
    losses, through = lessons.ranked(table), 0
    for seed in range(3):
        by = [sorted(range(24), key=lambda i: (losses[i, seed, epoch], i)) for epoch in (2, 26)]
        through += len(set(by[0][:8]) & set(by[1][12:]))
    assert shares[3] == pytest.approx(through / 36)
    noise = {name: np.random.default_rng(0).random((24, 3, 27)) for name in table.curves}
    wild = type(table)(
        "wild", table.space, noise, table.trace_seconds, table.epoch_seconds, table.rows
    )
    assert lessons.slipped(wild, range(1, 27)).mean() == pytest.approx(1 / 3, abs=0.04)


def test_rank_correlation_between_quantiles_takes_those_runs_only(table):
    losses = lessons.ranked(table)
    found = lessons.rank_correlation(table, (3,), between=(0.25, 0.5)).loc[3]
    for seed in range(3):
        late = losses[:, seed, -1]
        low, high = sorted(late)[5], sorted(late)[11]  # the 6th and the 12th of 24
        rows = [i for i in range(24) if low < late[i] <= high]
        assert found[seed] == pytest.approx(spearmanr(losses[rows, seed, 2], late[rows]).statistic)


def test_crossings_count_what_kendall_counts(table):
    shares = lessons.crossings(table, pairs=60_000)
    assert shares[27] == 0 and shares[1] > shares[9] > 0
    losses = lessons.ranked(table)
    runs = losses.reshape(-1, 27)
    pairs = [(i, j) for i, j in itertools.combinations(range(len(runs)), 2) if i // 3 != j // 3]
    i, j = np.array(pairs).T
    early, late = ((runs[i] > runs[j]).astype(int) - (runs[i] < runs[j]))[:, [2, 26]].T
    apart = (early != 0) & (late != 0)
    assert shares[3] == pytest.approx((early != late)[apart].mean(), abs=0.01)
    assert (
        abs(kendalltau(runs[:, 2], runs[:, 26]).statistic - (1 - 2 * shares[3])) < 0.15
    )  # another count of the same


def test_more_trials_leave_less_regret_of_search_and_more_of_selection(table):
    frame = lessons.oracle_regret(table, (1, 5, 40), draws=3000)
    assert frame["search"].is_monotonic_decreasing and (frame["search"] >= 0).all()
    assert frame.loc[1, "selection"] == 0 and frame.loc[40, "selection"] > 0
    assert frame.loc[1, "loss"] == pytest.approx(lessons.final(table).mean(), abs=0.01)
    assert frame.loc[40, "optimism"] > frame.loc[1, "optimism"]


def test_diverged_runs_rank_last_and_count_as_the_worst(table):
    row = table.row({"learning_rate": 1.0, "units": 8, "optimizer": "sgd"})
    assert np.isinf(lessons.ranked(table)[row, :, -1]).all()
    assert lessons.final(table)[row] == pytest.approx(np.nanmax(table.losses()[:, :, -1]))
    assert lessons.final(table, metric="loss")[row] == pytest.approx(
        np.nanmedian(table.losses("loss")[:, :, 0])
    )
    with pytest.raises(DataError, match="epoch must be from 1 to 27"):
        lessons.final(table, 28)

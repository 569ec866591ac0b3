"""The race: equal budgets to the epoch, paired seeds, and a verdict no bolder than its
intervals."""

import json
import math
from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from typer.testing import CliRunner

import hpt_lab as hpt
from hpt_lab.curves.cli import app, as_dict, as_text
from hpt_lab.curves.racing import (
    LINE,
    Race,
    Run,
    average_ranks,
    bootstrap,
    coarse,
    contestants,
    race,
    run_once,
)
from hpt_lab.errors import StrategyError
from hpt_lab.history import increments
from hpt_lab.plots import describe
from hpt_lab.plots import race as plots
from hpt_lab.strategies import STRATEGIES
from hpt_lab.study.simulation import simulate
from hpt_lab.trial import Trial

matplotlib.use("Agg")
BUDGET = 6 * 27


@pytest.fixture(scope="module")
def run(table):
    field = {
        "hyperband": hpt.hyperband(table.space, max_budget=27),
        "random": hpt.random_search(table.space, trials=4, budget=27),
        "grid": hpt.grid_search(table.space, n={"learning_rate": 2, "units": 1}, budget=27),
    }
    return race(field, table, BUDGET, seeds=8)


def one(table, strategy, **options):
    return run_once(
        STRATEGIES[strategy.name],
        strategy.settings,
        table,
        **{"budget": BUDGET, "seed": 3} | options,
    )


def test_a_run_is_the_study_that_tune_would_have_run_cut_at_the_budget(table):
    strategy = hpt.hyperband(table.space, max_budget=27, seed=3)
    study = hpt.tune(table.objective(seed=3), strategy, progress=False)
    spent, best = study.history.incumbent()
    assert sum(increments(r.trial for r in study.history.records)) > BUDGET
    within = [loss for epochs, loss in zip(spent, best, strict=True) if epochs <= BUDGET]
    run = one(table, strategy)
    assert run.at(BUDGET)[0] == within[-1]
    assert (
        run.at(30)[0]
        == [loss for epochs, loss in zip(spent, best, strict=True) if epochs <= 30][-1]
    )


def test_a_result_that_comes_after_the_budget_does_not_count(table):
    strategy = hpt.random_search(table.space, trials=9, budget=27, first=[table.configs[0]])
    assert one(table, strategy, budget=27).spent.tolist() == [27]
    assert len(one(table, strategy, budget=26.9).spent) == 0
    assert math.isnan(one(table, strategy, budget=26.9).at(26)[0])


def test_a_strategy_that_ends_early_starts_again_with_another_seed(table):
    short = hpt.random_search(table.space, trials=1, budget=1)
    spent = one(table, short, budget=200).spent
    assert spent[-1] > 1  # one trial of one epoch is not all it ran
    assert one(table, short, budget=200).losses[-1] < one(table, short, budget=1).losses[-1]


def test_the_incumbent_s_loss_only_falls_and_its_test_error_is_that_of_the_same_run(table, run):
    for runs in run.runs.values():
        for each in runs:
            assert (np.diff(each.losses) < 0).all() and (np.diff(each.spent) > 0).all()
    config = table.configs[table.row({"learning_rate": 0.01, "units": 32, "optimizer": "adam"})]
    alone = one(
        table, hpt.random_search(table.space, trials=1, budget=27, first=[config]), budget=27
    )
    errors = 1 - table.curves["test_accuracy"][table.row(config), :, -1]
    losses = 1 - table.curves["val_accuracy"][table.row(config), :, -1]
    assert (alone.losses[0], alone.test_errors[0]) in list(zip(losses, errors, strict=True))


def test_the_line_has_twice_the_budget_and_is_shown_at_half_its_price(table, run):
    twice = one(
        table, hpt.random_search(table.space, trials=12, budget=27), budget=2 * BUDGET, seed=5
    )
    assert run.runs[LINE][5].at(BUDGET) == twice.at(2 * BUDGET)
    assert run.runs[LINE][5].spent.max() <= BUDGET


def test_the_result_does_not_depend_on_the_number_of_processes(table, run):
    again = race(
        {"random": hpt.random_search(table.space, trials=4, budget=27)},
        table,
        BUDGET,
        seeds=8,
        processes=2,
    )
    np.testing.assert_array_equal(again.losses()[0], run.losses()[1])


def test_seconds_on_two_workers_are_those_of_the_simulation(table):
    strategy = hpt.random_search(table.space, trials=20, budget=27)
    alone, two = (
        one(table, strategy, unit="seconds", budget=2.0, workers=workers) for workers in (1, 2)
    )
    simulation = simulate(
        hpt.random_search(table.space, trials=20, budget=27, seed=3),
        table.objective(seed=3),
        workers=2,
    )
    within = [
        record.loss
        for record, told in zip(simulation.history.records, simulation.told, strict=True)
        if told <= 2.0
    ]
    assert two.at(2.0)[0] == np.nanmin(within)
    cost = table.trace_seconds + 27 * table.epoch_seconds
    assert cost.min() <= alone.spent[0] <= cost.max()


def test_many_workers_spend_the_same_budget_of_epochs(table):
    first = table.configs[:5]
    strategy = hpt.random_search(table.space, trials=20, budget=1, first=first)
    at = [table.objective(seed=3).where(Trial(i, config, 1))[:2] for i, config in enumerate(first)]
    losses = [table.losses()[row, seed, 0] for row, seed in at]
    # rows 0 to 4 take a little longer each: even with five workers they end in this order, an epoch
    # apiece
    for workers in (1, 5):
        run = one(table, strategy, budget=3, workers=workers)
        assert run.losses[-1] == min(losses[:3]) and run.spent.max() <= 3


def test_average_ranks_share_ties_and_put_missing_results_last():
    losses = np.array([[0.1, 0.2], [0.1, np.nan], [0.3, 0.1]])
    np.testing.assert_array_equal(average_ranks(losses), [[1.5, 2], [1.5, 3], [3, 1]])


def test_bootstrap_intervals_cover_the_mean_as_often_as_they_say():
    rng = np.random.default_rng(0)
    low, high = bootstrap(rng.normal(size=(400, 50)), 0.1)
    assert (
        0.85 < np.mean((low < 0) & (high > 0)) < 0.93
    )  # a percentile interval of 50 is a little short of 90 %


def made(table, losses):
    runs = {
        name: [Run(np.array([1.0]), np.array([loss]), np.array([loss])) for loss in row]
        for name, row in losses.items()
    }
    return Race(
        table, "accuracy", "epochs", 10, 1, tuple(range(len(next(iter(losses.values()))))), runs
    )


def test_the_verdict_names_a_winner_only_where_intervals_separate(table):
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(4, 30)) * 0.01
    clear = made(
        table, {"a": 0.1 + noise[0], "b": 0.2 + noise[1], "c": 0.4 + noise[2], LINE: 0.3 + noise[3]}
    ).verdict()
    assert clear.startswith("a is ahead")
    assert "On the validation part, better than the line: a, b; worse: c." in clear
    tied = made(table, {"a": 0.3 + noise[0], "b": 0.3 + noise[1], LINE: 0.3 + noise[3]}).verdict()
    assert (
        tied.startswith("No single winner")
        and "not told apart from it: b, a." in tied
        and "better" not in tied
    )
    assert "says nothing of other problems" in tied


def test_equal_strategies_are_rarely_told_apart(table):
    rng = np.random.default_rng(2)
    verdicts = [
        made(table, {name: rng.normal(size=40) for name in ("a", "b", "c", LINE)}).verdict()
        for _ in range(60)
    ]
    assert (
        sum("better" in verdict or "worse" in verdict for verdict in verdicts) <= 8
    )  # 5 % for all together, and luck


def test_summary_and_frame_hold_what_the_table_prints(table, run):
    summary, frame = run.summary(), run.frame()
    assert len(frame) == 4 * 8 and set(summary.index) == set(run.runs)
    assert summary["rank"].is_monotonic_increasing and summary["rank"].sum() == pytest.approx(10)
    means = frame.groupby("strategy")["loss"].mean()
    np.testing.assert_allclose(summary["loss"], means[summary.index])
    assert (summary["regret"] >= 0).all()
    text = as_text(run)
    assert all(name in text for name in run.runs) and run.verdict() in text
    json.dumps(as_dict(run), allow_nan=False)


def test_the_standard_race_has_eight_strategies_and_a_sensible_grid(table):
    field = contestants(table)
    assert len(field) == 8 and coarse(table, 20) == {"learning_rate": 4, "units": 2}
    grid = table.space.grid(coarse(table, 20))
    assert len(grid) == 16


def test_pictures_say_what_they_show(run):
    for draw, word in (
        (plots.over_time, "best average rank"),
        (plots.ranks, "rank"),
        (plots.selection_gap, "test error"),
    ):
        ax = draw(run)
        assert word in ax.get_title(loc="left") and "hyperband" in describe(ax)
        matplotlib.pyplot.close(ax.figure)


def test_a_mean_over_time_never_rises_because_a_slow_run_joins(table):
    slow, quick = (
        Run(np.array([5.0]), np.array([0.9]), np.array([0.9])),
        Run(np.array([1.0]), np.array([0.1]), np.array([0.1])),
    )
    ax = plots.over_time(
        Race(table, "accuracy", "epochs", 10, 1, (0, 1), {"a": [slow, quick], LINE: [quick, quick]})
    )
    line = next(line for line in ax.lines if line.get_label() == "a")
    assert line.get_xdata().min() >= 5 and np.allclose(line.get_ydata(), 0.5)
    matplotlib.pyplot.close(ax.figure)


def test_the_command_prints_a_table_or_json_and_draws(table, tmp_path):
    table.save(tmp_path / "small.npz")
    arguments = [
        "race",
        "--table",
        str(tmp_path / "small.npz"),
        "--seeds",
        "2",
        "--trainings",
        "3",
        "--processes",
        "1",
    ]
    shown = CliRunner().invoke(app, arguments)
    assert (
        shown.exit_code == 0
        and "Hyperband" in shown.output
        and "This holds for small at 81 epochs" in shown.output
    )
    shown = CliRunner().invoke(
        app, [*arguments, "--unit", "seconds", "--json", "--plot", str(tmp_path / "race.png")]
    )
    assert len(json.loads(shown.output)["strategies"]) == 9
    assert (tmp_path / "race.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"budget": 0}, "budget must be above 0"),
        ({"unit": "hours"}, "unit 'epochs' or 'seconds'"),
        ({"seeds": 1}, "two seeds"),
    ],
)
def test_impossible_races_are_refused(table, change, says):
    field = {"random": hpt.random_search(table.space, trials=4, budget=27)}
    arguments = {"budget": BUDGET, "seeds": 2} | change
    with pytest.raises(StrategyError, match=says):
        race(field, table, arguments.pop("budget"), **arguments)


def test_ahead_is_paired_by_seed(run):
    losses = dict(zip(run.runs, run.losses(), strict=True))
    for name, row in run.summary().iterrows():
        assert row.ahead == pytest.approx((losses[LINE] - losses[name]).mean())
    assert all(a <= b for a, b in pairwise(run.summary()["rank"]))

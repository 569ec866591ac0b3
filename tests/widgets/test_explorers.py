"""Explorers show what the package's own strategies, plans and surrogates compute, and nothing else;
no browser here."""

import base64
import io
import math
import threading

import numpy as np
import pytest
from PIL import Image
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

import hpt_lab as hpt
from hpt_lab import curves, datasets
from hpt_lab.curves import Table
from hpt_lab.errors import HptError
from hpt_lab.history import Record
from hpt_lab.space import Choice, Space
from hpt_lab.strategies.hyperband import brackets
from hpt_lab.trial import Outcome, Trial, failure
from hpt_lab.widgets import (
    BayesExplorer,
    BracketExplorer,
    FoldExplorer,
    RaceTrack,
    SearchExplorer,
    bayes_explorer,
    race_track,
)
from hpt_lab.widgets.bayes_explorer import GRID
from hpt_lab.widgets.bracket_explorer import LIVE, decide
from hpt_lab.widgets.fold_explorer import KINDS, _scaled_first, load
from hpt_lab.widgets.race_track import MANY
from hpt_lab.widgets.search_explorer import NAMES, SPACE, Landscape, searched
from hpt_lab.widgets.worker import WORKER


@pytest.fixture(scope="module")
def table():
    """Forty configs of which the late ones learn slowly and end well; every tenth diverges."""
    space, epochs = Space(x=Choice(list(range(40)), ordered=True)), np.arange(1, 10)
    x = np.arange(40)[:, None, None]
    error = (
        np.rint(
            1000 * (0.5 / (1 + x) + 0.9 * np.exp(-epochs / (0.5 + x / 16)) + np.zeros((40, 2, 1)))
        )
        / 1000
    )
    error = np.clip(error + np.array([0, 0.001])[None, :, None], 0, 1)
    error[::10] = np.nan
    curves = {
        "loss": error,
        "val_loss": error,
        "val_accuracy": 1 - error,
        "test_accuracy": 1 - error,
    }
    return Table(
        "made up",
        space,
        curves,
        np.full(40, 0.5),
        np.full(40, 2.0),
        {"training": 1, "validation": 1000, "test": 1000},
    )


@pytest.fixture
def quick(monkeypatch, table):
    monkeypatch.setattr(race_track, "SLOWEST", 0)
    monkeypatch.setattr(
        race_track,
        "contestants",
        lambda table: {
            "Hyperband": hpt.hyperband(table.space, max_budget=9),
            "grid": hpt.grid_search(table.space, n={"x": 4}, budget=9),
        },
    )
    return table


def finished(widget):
    assert WORKER.wait(60)
    assert widget._error.value == ""
    return widget


def shown(widget):
    """The picture as a saved notebook has it."""
    data, _ = widget._repr_mimebundle_()
    assert widget.text and widget.text in data["text/plain"]
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.mode == "RGB" and picture.size[0] == 960
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    return data["image/png"]


def bracket_explorer(table, **settings):
    return BracketExplorer(table, **{"max_budget": 9, "speed": 200} | settings)


# Pausing.


def interrupted(widget, slices):
    """Work for so many slices and be closed there, as a pause does."""
    work = widget.work(threading.Event())
    for _ in range(slices):
        next(work)
    work.close()
    return widget


@pytest.mark.parametrize(
    ("make", "state", "slices"),
    [
        (lambda table, **run: SearchExplorer(**run), lambda w: w.repeated, 7),
        (lambda table, **run: RaceTrack(table, full_trainings=5, **run), lambda w: w._paths, 40),
        (
            lambda table, **run: RaceTrack(table, full_trainings=5, show=MANY, seeds=3, **run),
            lambda w: w.race.verdict(),
            300,
        ),
        (lambda table, **run: bracket_explorer(table, **run), lambda w: w.decisions, 5),
        (
            lambda table, **run: FoldExplorer(folds=2, rows=40, epochs=4, **run),
            lambda w: w.curves,
            5,
        ),
    ],
    ids=["search", "race one seed", "race many seeds", "bracket", "folds"],
)
def test_run_after_a_pause_goes_on_where_it_stopped_and_ends_as_if_never_paused(
    quick, make, state, slices
):
    whole = finished(make(quick, run=True))
    widget = interrupted(make(quick), slices)
    paused, steps = widget.text, widget._steps
    assert "Press Run" not in paused and paused != whole.text and steps is not None
    widget.run_button.click()
    assert (
        finished(widget).text == whole.text and next(steps, None) is None
    )  # the very steps have been done to the end
    assert repr(state(widget)) == repr(state(whole))


def test_after_a_control_has_moved_or_reset_run_begins_anew(quick):
    widget = interrupted(SearchExplorer(), 7)
    assert "On 7 landscapes" in widget.text or "On 8 landscapes" in widget.text
    widget.reset()
    assert "landscapes" not in finished(widget).text and widget._steps is None
    interrupted(widget, 7)
    widget.controls.set(seed=1)
    assert "landscapes" not in finished(widget).text and widget._steps is None


# Bracket explorer.


@pytest.mark.parametrize("rounding", ["algorithm", "table"])
@pytest.mark.parametrize(
    ("max_budget", "eta", "min_budget"), [(81, 3, 1), (50, 3, 2), (243, 2, 1), (5, 10, 1)]
)
def test_the_plan_shown_is_hyperbands_own_table(table, max_budget, eta, min_budget, rounding):
    widget = BracketExplorer(
        table, max_budget=max_budget, eta=eta, min_budget=min_budget, rounding=rounding
    )
    assert widget.plan.brackets == brackets(
        max_budget, eta=eta, min_budget=min_budget, rounding=rounding
    )


def test_the_cost_is_said_before_anything_runs(table):
    widget = BracketExplorer(table, seconds=0.2)
    assert widget.text == (
        "Plan: 5 brackets, 143 configs, 206 runs, 1,581 epochs (1,902 if every run began anew), "
        "about 5.3 minutes."
    )  # 1581 * 0.2 / 60
    widget.controls.set(rounding="table")
    assert "128 configs, 187 runs, 1,404 epochs" in finished(widget).text


def test_what_runs_is_the_study_that_tune_runs(table):
    widget = finished(bracket_explorer(table, run=True, seed=4))
    strategy = hpt.hyperband(table.space, max_budget=9, seed=4)
    study = hpt.tune(table.objective(seed=4), strategy, progress=False)
    mine = [(r.trial, repr(r.outcome.loss)) for r in widget.search.history.records]
    assert mine == [(r.trial, repr(r.outcome.loss)) for r in study.history.records]
    assert len(mine) == hpt.plan(strategy).runs
    assert f"Trial {study.best.trial.id} won, loss {study.best.loss:.4f}" in widget.text


def test_who_was_cut_and_by_what_margin_follows_from_who_ran_on(table):
    widget = finished(bracket_explorer(table, run=True))
    records = widget.search.history.records
    for (s, rung), decision in widget.decisions.items():
        here = {
            r.trial.id: r.outcome.rank_loss
            for r in records
            if (r.trial.bracket, r.trial.rung) == (s, rung)
        }
        later = {r.trial.id for r in records if (r.trial.bracket, r.trial.rung) == (s, rung + 1)}
        assert set(decision.went_on) == later and set(decision.margins) == set(here) - later
        worst = max(here[id] for id in later)
        assert decision.margins == {
            id: pytest.approx(here[id] - worst, abs=1e-12) if math.isfinite(here[id]) else math.inf
            for id in decision.margins
        }
        assert all(margin >= 0 for margin in decision.margins.values())
    assert widget.decisions.keys() == {(2, 0), (2, 1), (1, 0)}


def test_who_would_have_won_is_the_best_of_all_configs_trained_in_full(table):
    widget = finished(bracket_explorer(table, run=True, seed=4))
    replay = table.objective(seed=4)
    full = {
        r.trial.id: replay.run(hpt.Trial(r.trial.id, r.config, budget=9)).rank_loss
        for r in widget.search.history.records
    }
    first = min(full, key=lambda id: (full[id], id))
    won = widget.search.history.best
    assert full[first] < won.loss  # or the example shows nothing
    (s, rung), margin = next(
        (at, d.margins[first]) for at, d in widget.decisions.items() if first in d.margins
    )
    assert (
        f"Trained in full, trial {first} would have won, loss {full[first]:.4f}; bracket {s} cut "
        f"it in rung {rung}, "
        f"by {margin:.4f}."
    ) in widget.text


def test_a_rung_with_failures_ranks_them_last_and_cuts_them_at_infinity():
    def record(id, loss):
        return Record(Trial(id, {}), failure("diverged") if loss is None else Outcome(loss))

    decision = decide([record(0, 0.5), record(1, None), record(2, 0.25), record(3, 0.5)], places=2)
    assert decision.went_on == [2, 0] and decision.line == 0.5  # ties go to the smaller id
    assert decision.margins == {3: 0.0, 1: math.inf}
    assert math.isnan(decide([record(0, None)], places=1).line)


def test_a_run_of_failures_alone_ends_and_says_so():
    nothing = np.full((9, 1, 9), np.nan)
    table = Table(
        "hopeless",
        Space(x=Choice(list(range(9)), ordered=True)),
        dict.fromkeys(("loss", "val_loss", "val_accuracy", "test_accuracy"), nothing),
        np.ones(9),
        np.ones(9),
        {"training": 1, "validation": 1, "test": 1},
    )
    assert "all failed" in finished(bracket_explorer(table, run=True)).text


def test_steps_and_a_pause_lead_where_a_run_leads(table):
    whole, parts = finished(bracket_explorer(table, run=True)), bracket_explorer(table)
    for _ in range(3):
        parts._step_button.click()
        finished(parts)
    assert len(parts.search.history.records) == 3 and "Run 3 of 22" in parts.text
    parts.controls.set(view="1", speed=100)  # looking does not start it anew
    assert len(finished(parts).search.history.records) == 3
    parts.run_button.click()
    assert finished(parts).text == whole.text
    parts.reset()
    assert finished(parts).text.startswith("Plan: ") and not parts.rungs


def test_a_control_that_changes_the_plan_starts_anew_and_draws_at_once(table):
    widget = finished(bracket_explorer(table, run=True))
    before = shown(widget)
    widget.controls.set(eta=2)
    assert finished(widget).text.startswith("Plan: ") and shown(widget) != before


def test_more_epochs_than_are_recorded_are_planned_but_refused(table):
    widget = BracketExplorer(table, max_budget=81)
    widget.start()
    assert WORKER.wait(10)
    assert "R must be at most 9, the epochs recorded in made up, got 81" in widget._error.value
    widget.controls.set(min_budget=10, max_budget=9)
    assert WORKER.wait(10)
    assert "max_budget must be at least min_budget" in widget._error.value
    assert not widget.run_button.disabled


def test_live_keras_is_a_choice_but_loads_nothing_before_it_runs(table):
    widget = bracket_explorer(table, source=LIVE)
    assert widget.table is None and "Plan: 3 brackets" in widget.text
    with pytest.raises(HptError, match="source must be one of"):
        widget.controls.set(source="__import__('os')")


# Search explorer.


def test_the_points_are_those_of_the_packages_strategies():
    for name, strategy in (
        (NAMES[0], hpt.grid_search(SPACE, n=3)),
        (NAMES[1], hpt.random_search(SPACE, trials=11, seed=5)),
        (NAMES[2], hpt.random_search(SPACE, trials=11, seed=5, points="sobol")),
    ):
        study = hpt.tune(lambda config: 0.0, strategy, progress=False)
        assert np.array_equal(
            searched(name, 11, 5),
            [SPACE.to_unit(record.config) for record in study.history.records],
        )


@pytest.mark.parametrize("trials", [1, 3, 4, 99, 100])
def test_a_grid_projects_on_the_root_of_its_trials_and_the_others_on_all(trials):
    widget = SearchExplorer(trials=trials)
    distinct = {
        name: len(np.unique(points[:, 0].round(9))) for name, points in widget.points.items()
    }
    assert distinct == {"grid search": math.isqrt(trials), "random search": trials, "Sobol": trials}
    assert len(widget.points["grid search"]) == math.isqrt(trials) ** 2


def test_the_landscape_is_between_0_and_1_and_lowest_at_its_centre():
    for seed in range(5):
        landscape = Landscape(seed, 0.06, 0.1)
        u, v = np.random.default_rng(seed).random((2, 10_000))
        losses = landscape(u, v)
        assert losses.min() >= 0 and losses.max() <= 1 and landscape(*landscape.centre) == 0
        nearest = np.abs(u - landscape.centre[0]).argsort()[:100]
        assert losses[nearest].max() < 0.15  # the learning rate decides


def test_many_landscapes_count_every_search_once_and_repeat_exactly():
    one, two = (finished(SearchExplorer(run=True, seed=3)) for _ in range(2))
    assert one.repeated == two.repeated and shown(one) == shown(two)
    assert {name: losses[0] for name, losses in one.repeated.items()} == one.best
    means = {name: np.mean(losses) for name, losses in one.repeated.items()}
    assert (
        means["grid search"] > means["random search"] > means["Sobol"]
        and "On 100 landscapes: " in one.text
    )
    one.controls.set(seed=4)
    assert "landscapes" not in finished(one).text


# Bayes explorer.


def test_what_is_drawn_is_the_posterior_of_scikit_learn():
    widget = BayesExplorer(length=0.3, believed=0.02)
    widget._evaluate(0.7)
    finished(widget)
    scale = bayes_explorer.SPREAD
    oracle = GaussianProcessRegressor(
        Matern(0.3, nu=2.5), alpha=(0.02 / scale) ** 2, optimizer=None
    )
    oracle.fit(widget.points[:, None], (widget.losses - widget.losses.mean()) / scale)
    mean, std = oracle.predict(GRID, return_std=True)
    assert np.allclose(widget.mean, widget.losses.mean() + scale * mean, atol=1e-8)
    assert np.allclose(widget.std, scale * std, atol=1e-6)


def test_the_suggestion_has_the_largest_expected_improvement():
    widget = BayesExplorer(fitted=True, seed=2)
    best = widget.process.posterior(widget.process.X)[0].min()
    improvement = np.maximum(
        best - np.random.default_rng(0).normal(widget.mean, widget.std, (4000, len(GRID))), 0
    ).mean(axis=0)
    at = int(np.abs(GRID[:, 0] - widget.suggestion).argmin())
    assert improvement[at] > 0.95 * improvement.max()  # by simulation, not by formula


@pytest.mark.parametrize("acquisition", bayes_explorer.ACQUISITIONS)
def test_a_run_takes_every_suggestion_and_finds_the_valley(monkeypatch, acquisition):
    monkeypatch.setattr(bayes_explorer, "PAUSE", 0)
    widget = finished(BayesExplorer(run=True, trials=15, acquisition=acquisition, fitted=True))
    valley = bayes_explorer.truth(GRID, 0).min()
    assert len(widget.points) == len(np.unique(widget.points)) == 15
    assert widget.losses.min() - valley < 0.01 and "15 trials, best result" in widget.text


def test_own_and_suggested_points_are_evaluated_and_noise_starts_anew():
    widget = BayesExplorer(at=0.25)
    first, suggested = widget.points.copy(), widget.suggestion
    widget.take_button.click()
    finished(widget)
    widget.here_button.click()
    finished(widget)
    assert widget.points.tolist() == [*first, suggested, 0.25]
    assert np.array_equal(widget.losses, bayes_explorer.truth(widget.points, 0))
    before = shown(widget)
    widget.controls.set(length=0.05)  # changes what is believed, not what was seen
    assert len(finished(widget).points) == 4 and shown(widget) != before
    widget.controls.set(noise=0.1)
    assert np.array_equal(finished(widget).points, first)
    assert not np.allclose(widget.losses, bayes_explorer.truth(first, 0))


def test_evaluating_one_point_again_and_again_is_no_error():
    widget = BayesExplorer(at=0.5, believed=0.001)
    for _ in range(3):  # none is lost, however quick they are
        widget.here_button.click()
    finished(widget)
    assert len(widget.points) == 5 and np.isfinite(widget.mean).all()


# Fold explorer (training itself is tested in the browser).


def test_only_grouped_folds_keep_a_patient_together():
    shared = {kind: FoldExplorer(kind=kind).shared() for kind in KINDS}
    assert shared["grouped"] == 0 and shared["stratified"] > 20 and shared["plain"] > 20
    assert "each of the 24 patients is in one fold only" in FoldExplorer(kind="grouped").text


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_validates_in_exactly_one_fold_of_the_picture(kind):
    widget = FoldExplorer(kind=kind, folds=7)
    assert sorted(np.concatenate(widget.splits)) == list(range(120)) and len(widget.splits) == 7


def test_stratified_folds_are_of_equal_composition_and_plain_ones_are_not():
    def spread(kind):
        widget = FoldExplorer(kind=kind, folds=10)
        return np.ptp([widget.data.y[rows].sum() for rows in widget.splits])

    assert spread("stratified") <= 1 < spread("plain")


def test_groups_are_asked_for_only_where_there_are_some():
    widget = FoldExplorer(data="two moons")
    widget.controls.set(kind="grouped")
    assert WORKER.wait(10)
    assert "two moons has no groups; choose patients" in widget._error.value
    widget.controls.set(data="patients")
    finished(widget)


def test_a_leaks_gain_is_said_in_rows():
    widget = FoldExplorer(rows=40, leak=True)
    honest = [[0.875]] * 5  # 7 of 8 rows
    widget.curves = honest + [[1.0]] + honest[1:]
    assert "scaled before splitting 90.0%, +2.5 points: 1 row of 40." in widget.words()
    widget.curves = honest + honest
    assert "87.5%, as many rows right." in widget.words()


def test_a_share_that_is_the_same_in_every_fold_is_said_once():
    assert "class 1 is 33% of every fold" in FoldExplorer().text
    assert "to" in FoldExplorer(kind="plain").text.split("class 1 is")[1].split(" of a fold")[0]


def test_no_error_bar_reaches_above_100_percent():
    widget = FoldExplorer(rows=40)
    widget.curves = [[1.0], [1.0], [1.0], [1.0], [0.8]]
    widget.frame()
    [bar] = widget.result.collections[:1]
    assert max(segment[:, 1].max() for segment in bar.get_segments()) <= 1 + 1e-9


def test_more_grouped_folds_than_patients_are_refused_in_our_words():
    widget = FoldExplorer(rows=40)
    widget.controls.set(kind="grouped", folds=10)
    assert WORKER.wait(10)
    assert "too few for 10 grouped folds; use at most 8 folds, or more rows" in widget._error.value


def test_rows_say_where_they_stood_in_the_data_that_was_given():
    data = load("breast cancer", 100, 0)
    whole = datasets.breast_cancer()
    place = {row: i for i, row in enumerate(whole.rows)}
    assert np.array_equal(data.x, whole.x[[place[row] for row in data.rows]])


def test_the_leak_scales_by_all_rows_and_the_honest_way_by_training_rows():
    data = load("breast cancer", 100, 0)
    leaky = _scaled_first(data)
    assert (
        np.allclose(leaky.x.mean(axis=0), 0, atol=1e-4)
        and leaky.scaler is None
        and data.scaler is not None
    )
    assert np.array_equal(leaky.y, data.y) and not np.allclose(data.x.mean(axis=0), 0, atol=1)


# Race track.


def test_many_seeds_are_the_race_of_the_package(quick, monkeypatch):
    asked, verdict = [], curves.racing.Race.verdict
    monkeypatch.setattr(
        curves.racing.Race,
        "verdict",
        lambda race: (asked.append(len(race.seeds)), verdict(race))[1],
    )
    widget = finished(RaceTrack(quick, run=True, show=MANY, seeds=4, full_trainings=5, seed=3))
    assert asked == [2, 3, 4]  # once a seed: it takes as long as 20 steps of the race
    race = curves.race(race_track.contestants(quick), quick, budget=45, seeds=range(3, 7))
    assert widget.race.seeds == race.seeds
    for name, runs in race.runs.items():
        for mine, its in zip(widget.runs[name], runs, strict=True):
            assert np.allclose(mine.spent, its.spent) and np.array_equal(mine.losses, its.losses)
    assert widget.text == "4 seeds. " + race.verdict().splitlines()[0].replace(
        curves.racing.LINE, "twice random"
    )
    shown(widget)


def test_one_seed_ends_with_the_best_loss_of_every_strategy(quick):
    widget = finished(RaceTrack(quick, run=True, full_trainings=5))
    race = curves.race(race_track.contestants(quick), quick, budget=45, seeds=2)
    best = {name: runs[0].losses[-1] for name, runs in race.runs.items()}
    assert {name: widget._loss(name) for name in best} == best
    assert f"with {min(best.values()):.4f}. One seed is an anecdote" in widget.text
    before = shown(widget)
    widget.controls.set(full_trainings=6)
    assert "will spend 54 epochs each" in finished(widget).text and shown(widget) != before

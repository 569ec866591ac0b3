"""The gallery: what is drawn is what the history holds, on conditional, failed, tiny studies."""

import math

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats

import hpt_lab as hpt
from hpt_lab import plots
from hpt_lab.evidence import best_of, comparable
from hpt_lab.plots.figure import BEST, FAILED
from hpt_lab.plots.importances import importances
from hpt_lab.space import Choice, Float, Int, Space
from hpt_lab.trial import Outcome, failure

SPACE = Space(
    learning_rate=Float(1e-4, 1, log=True),
    units=Int(16, 256, log=True),
    optimizer=Choice(["adam", "sgd", "$x^2$"]),
    momentum=Float(0, 0.99, when={"optimizer": "sgd"}),
    layers=Int(1, 3),
)
ON_SPACE = {
    "slice": lambda study, **more: plots.slice(study, "momentum", **more),
    "boundaries": lambda study, **more: plots.boundaries(study, "learning_rate", **more),
    "isolation": lambda study, **more: plots.isolation(study, "optimizer", **more),
    "contour": lambda study, **more: plots.contour(study, "learning_rate", "momentum", **more),
    "rank": lambda study, **more: plots.rank(study, "units", "optimizer", **more),
}
WITHOUT = {"edf": plots.edf, "timeline": plots.timeline, "pareto": plots.pareto}


def run(strategy, most=math.inf, fails=lambda trial: trial.config["learning_rate"] > 0.3):
    ask_tell = hpt.AskTell(strategy)
    while len(ask_tell.history.records) < most and (trial := ask_tell.ask()) is not None:
        rng = np.random.default_rng((3, trial.id))
        loss = (
            (math.log10(trial.config["learning_rate"]) + 2) ** 2
            + 0.1
            + 0.1 * rng.random() / trial.budget
        )
        outcome = Outcome(loss, {"accuracy": 1 / (1 + loss)}, seconds=0.1 + rng.random())
        ask_tell.tell(trial, failure("boom", 0.5) if fails(trial) else outcome)
    return hpt.Study(strategy, ask_tell.history)


@pytest.fixture(scope="module")
def study():
    return run(hpt.random_search(SPACE, trials=60, seed=0))


@pytest.fixture(scope="module")
def cut():
    return run(hpt.hyperband(SPACE, max_budget=27, seed=0))


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def crosses(ax):
    drawn = [line for line in ax.lines if line.get_marker() == FAILED["marker"]]
    return [tuple(point) for line in drawn for point in line.get_xydata()]


def stars(ax):
    drawn = [line for line in ax.lines if line.get_marker() == BEST["marker"]]
    return [tuple(point) for line in drawn for point in line.get_xydata()]


def dots(ax):
    return sorted(
        tuple(point) for group in ax.collections for point in group.get_offsets().tolist()
    )


@pytest.mark.parametrize("name", [*ON_SPACE, *WITHOUT])
@pytest.mark.parametrize(
    ("trials", "fate"), [(1, "some fail"), (2, "all fail"), (3, "some fail"), (60, "some fail")]
)
def test_every_picture_draws_any_study_or_says_why_not(name, trials, fate):
    fails = {} if fate == "some fail" else {"fails": lambda trial: True}
    drawn = run(hpt.random_search(SPACE, trials=60, seed=1), most=trials, **fails)
    draw = ON_SPACE.get(name) or WITHOUT[name]
    if name == "pareto" and fate == "all fail":
        with pytest.raises(hpt.HptError, match="no trial has both"):
            draw(drawn)
        return
    ax = draw(drawn)
    ax.figure.canvas.draw()
    assert ax.get_title("left") and ax.get_xlabel() and ax.get_ylabel()
    assert plots.describe(ax).startswith(ax.get_title("left"))


@pytest.mark.parametrize("name", [*ON_SPACE, *WITHOUT])
def test_cut_studies_are_drawn_and_empty_ones_refused(name, cut):
    draw = ON_SPACE.get(name) or WITHOUT[name]
    draw(cut).figure.canvas.draw()
    with pytest.raises(hpt.HptError, match="no finished trial"):
        draw(run(hpt.random_search(SPACE, trials=3), most=0))
    with pytest.raises(hpt.HptError):
        draw("a study")


@pytest.mark.parametrize("name", ON_SPACE)
def test_a_bare_history_needs_its_space(name, study):
    with pytest.raises(hpt.HptError, match="space"):
        ON_SPACE[name](study.history)
    assert ON_SPACE[name](study.history, space=SPACE).get_title("left") == ON_SPACE[name](
        study
    ).get_title("left")


@pytest.mark.parametrize(
    "draw",
    [
        lambda study: plots.slice(study, "nobody"),
        lambda study: plots.isolation(study, 3),
        lambda study: plots.isolation(study, "units", buckets=1),
        lambda study: plots.boundaries(study, "optimizer"),
        lambda study: plots.contour(study, "units", "units"),
        lambda study: plots.rank(study, "units", "nobody"),
        lambda study: plots.pareto(study, "seconds", "speed"),
        lambda study: plots.pareto(study, larger=["speed"]),
        lambda study: plots.edf({}),
    ],
)
def test_a_wrong_argument_is_refused_by_name(draw, study):
    with pytest.raises(hpt.HptError, match=r"name|buckets|two|must|no trial has both"):
        draw(study)


def test_a_slice_has_every_trial_at_its_value_and_loss(study):
    ax = plots.slice(study, "learning_rate")
    records = study.history.records
    good = [record for record in records if not record.outcome.failed]
    assert dots(ax) == sorted((r.config["learning_rate"], r.loss) for r in good)
    assert sorted(x for x, _ in crosses(ax)) == sorted(
        r.config["learning_rate"] for r in records if r.outcome.failed
    )
    assert stars(ax) == [(study.best.config["learning_rate"], study.best.loss)]


def test_a_conditional_slice_leaves_out_and_counts_those_without_it(study):
    ax = plots.slice(study, "momentum")
    have = [r for r in study.history.records if "momentum" in r.config]
    assert len(dots(ax)) + len(crosses(ax)) == len(have)
    assert f"{60 - len(have)} without momentum" in plots.describe(ax)


def test_isolation_shows_each_values_best(study):
    ax = plots.isolation(study, "optimizer")
    line = next(line for line in ax.lines if line.get_label() == "best of its bucket")
    for x, value in enumerate(["adam", "sgd", "$x^2$"]):
        mine = [r for r in study.history.records if r.config["optimizer"] == value]
        assert line.get_ydata()[x] == min(r.outcome.rank_loss for r in mine)
        assert ax.get_xticklabels()[x].get_text() == f"{value}\nn={len(mine)}"
    assert len(crosses(ax)) == sum(r.outcome.failed for r in study.history.records)


def test_isolation_buckets_hold_every_trial_once(study):
    for name in ("learning_rate", "units", "layers"):
        labels = [label.get_text() for label in plots.isolation(study, name).get_xticklabels()]
        assert sum(int(label.split("n=")[1]) for label in labels) == 60


def test_boundaries_mark_the_best_quarter_and_judge_the_range():
    def at(best):
        def loss(config):
            return (math.log10(config["learning_rate"]) - best) ** 2

        return hpt.tune(loss, hpt.random_search(SPACE, trials=60, seed=0), progress=False)

    assert "looks wide enough" in plots.boundaries(at(-2), "learning_rate").get_title("left")
    low = plots.boundaries(at(-5), "learning_rate")
    assert "cut off" in low.get_title("left") and "lower edge" in low.get_title("left")
    assert "upper edge" in plots.boundaries(at(1), "learning_rate").get_title("left")


def test_boundaries_split_the_trials_of_one_budget_into_best_and_others(cut):
    ax = plots.boundaries(cut, "learning_rate")
    records = [r for r in comparable(cut.history) if not r.outcome.failed]
    assert dots(ax) == sorted((r.config["learning_rate"], r.loss) for r in records)
    green = next(group for group in ax.collections if "best quarter" in str(group.get_label()))
    assert len(green.get_offsets()) == len(best_of(comparable(cut.history)))


def test_importance_finds_the_only_dimension_that_matters_and_is_silent_on_noise(study):
    found = importances(study)
    assert next(iter(found.falls)) == "learning_rate" and found.score > 0.8
    assert max(mean for name, (mean, _) in found.falls.items() if name != "learning_rate") < 0.1
    assert plots.importance(study).get_title("left").startswith("learning_rate matters most")

    def noise(config):
        return float(np.random.default_rng(int(1e9 * config["learning_rate"])).random())

    dull = hpt.tune(noise, hpt.random_search(SPACE, trials=40, seed=0), progress=False)
    assert "don't say what matters" in plots.importance(dull).get_title("left")


def test_importance_refuses_what_it_can_not_learn_from():
    few = run(hpt.random_search(SPACE, trials=9, seed=0))
    with pytest.raises(hpt.HptError, match="at least 10 trials"):
        plots.importance(few)
    with pytest.raises(hpt.HptError, match="all failed"):
        plots.importance(run(hpt.random_search(SPACE, trials=20), fails=lambda trial: True))


def test_the_edf_is_that_of_scipy_with_failures_never_reached(study):
    ax = plots.edf(study)
    line = ax.lines[0]
    losses = [r.outcome.rank_loss for r in study.history.records]
    oracle = stats.ecdf(np.minimum(losses, 1e9)).cdf  # it takes no infinity
    assert np.allclose(line.get_ydata(), oracle.evaluate(line.get_xdata()))
    half = np.sort(losses)[29]
    assert ax.get_title("left") == f"Half of the trials reach a loss of {half:.3g}"
    assert len(plots.edf({"a": study, "b": study}).lines) == 2


def test_ranks_run_from_1_for_the_best(study):
    ax = plots.rank(study, "learning_rate", "units")
    group = ax.collections[0]
    order = group.get_offsets()[np.argsort(group.get_array())]
    good = sorted((r for r in study.history.records if not r.outcome.failed), key=lambda r: r.loss)
    assert order.tolist() == [[r.config["learning_rate"], r.config["units"]] for r in good]


def test_the_bars_of_a_timeline_are_the_seconds_of_the_runs(cut):
    ax = plots.timeline(cut)
    widths = sorted(bar.get_width() for bar in ax.patches)
    assert np.allclose(widths, sorted(r.outcome.seconds for r in cut.history.records))
    ends = max(bar.get_x() + bar.get_width() for bar in ax.patches)
    assert ends == pytest.approx(cut.seconds)


@pytest.mark.parametrize(("y", "sign"), [("loss", 1), ("accuracy", -1)])
def test_the_pareto_front_is_that_of_brute_force(cut, y, sign):
    larger = [y] if sign < 0 else []
    ax = plots.pareto(cut, "seconds", y, larger=larger)
    last = {r.trial.id: r for r in cut.history.records}
    last[cut.best.trial.id] = cut.best
    seconds = dict.fromkeys(last, 0.0)
    for record in cut.history.records:
        seconds[record.trial.id] += record.outcome.seconds
    points = []
    for id, record in last.items():
        if not record.outcome.failed:
            points.append((seconds[id], record.loss if y == "loss" else record.metrics[y]))
    front = [p for p in points if not any(beats(q, p, sign) for q in points)]
    line = next(line for line in ax.lines if "front" in str(line.get_label()))
    assert sorted(map(tuple, line.get_xydata().tolist())) == sorted(front)


def beats(one, other, sign):
    as_good = one[0] <= other[0] and sign * one[1] <= sign * other[1]
    return as_good and one != other

"""Pictures are checked against the history they were drawn from, and against the plan."""

import math
import warnings
from dataclasses import replace

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.colors import to_rgb

from hpt_lab import plots
from hpt_lab.errors import HptError
from hpt_lab.history import History, increments
from hpt_lab.plots.fates import fates, margins
from hpt_lab.plots.figure import BEST, CUT, FAILED, NOT_CUT, WENT_ON
from hpt_lab.space import Choice, Float, Int, Space
from hpt_lab.strategies import hyperband, random_search
from hpt_lab.study import AskTell, Study, plan
from hpt_lab.trial import Outcome, failure

SPACE = Space(
    learning_rate=Float(1e-4, 1, log=True),
    units=Int(16, 256, log=True),
    optimizer=Choice(["adam", "sgd"]),
    momentum=Float(0, 0.99, when={"optimizer": "sgd"}),
)
ALL = [plots.history, plots.learning_curves, plots.brackets, plots.parallel_coordinates]


def fake(strategy, fails=lambda trial: False, stop=math.inf):
    """Run a made-up objective: losses fall with the budget, and cross."""
    ask_tell = AskTell(strategy)
    while len(ask_tell.history.records) < stop and (trial := ask_tell.ask()) is not None:
        floor, speed = np.random.default_rng((3, trial.id)).random(2)
        curve = [
            0.1 + floor + 2 * math.exp(-speed * epoch) for epoch in range(1, int(trial.budget) + 1)
        ]
        ask_tell.tell(
            trial,
            failure("boom") if fails(trial) else Outcome(curve[-1], curves={"val_loss": curve}),
        )
    return Study(strategy, ask_tell.history)


def some_trials(n, budget):
    ask_tell = AskTell(random_search(SPACE, trials=n, budget=budget, seed=0))
    return [ask_tell.ask() for _ in range(n)]


def points(ax, style):
    """List the (x, y) of everything drawn with this style's marker, wherever a line has markers."""
    drawn = [line for line in ax.lines if line.get_marker() == style["marker"]]
    return [
        tuple(point)
        for line in drawn
        for point in line.get_xydata()[line.get_markevery() or slice(None)]
    ]


@pytest.fixture(scope="module")
def study():
    return fake(hyperband(SPACE, max_budget=27, seed=0), fails=lambda trial: trial.id % 11 == 5)


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_the_incumbent_line_is_the_running_minimum_over_the_epochs_that_tune_counts(study):
    ax = plots.history(study)
    line = next(line for line in ax.lines if line.get_label() == "best so far")
    losses = [record.outcome.rank_loss for record in study.history.records]
    assert np.array_equal(line.get_ydata(), np.minimum.accumulate(losses))
    assert line.get_xdata()[-1] == study.epochs
    spent = np.cumsum(increments(record.trial for record in study.history.records))
    assert ax.collections[0].get_offsets().tolist() == [
        list(at) for at in zip(spent, losses, strict=True) if at[1] < math.inf
    ]
    assert [x for x, _ in points(ax, FAILED)] == list(spent[np.isinf(losses)])
    assert points(ax, BEST) == [(line.get_xdata()[np.argmin(losses)], min(losses))]


@pytest.mark.parametrize("rounding", ["algorithm", "table"])
def test_the_bracket_chart_cuts_whom_the_plan_cuts(rounding):
    strategy = hyperband(SPACE, max_budget=81, rounding=rounding, seed=4)
    ax = plots.brackets(fake(strategy))
    planned = plan(strategy).brackets.values()
    went_on = sum(rung.n for rungs in planned for rung in rungs[1:])
    assert len(points(ax, WENT_ON)) == went_on
    assert len(points(ax, NOT_CUT)) == sum(rungs[-1].n for rungs in planned)
    assert len(points(ax, CUT)) == plan(strategy).runs - went_on - sum(
        rungs[-1].n for rungs in planned
    )
    assert [
        label.get_text().rpartition("\n+")[0] or label.get_text() for label in ax.get_xticklabels()
    ] == [f"{rung.budget}\nn={rung.n}" for rungs in planned for rung in rungs]


def test_in_every_rung_those_who_went_on_lie_below_those_who_were_cut(study):
    ax = plots.brackets(study)
    for x in {x for x, _ in points(ax, CUT)}:
        assert max(y for at, y in points(ax, WENT_ON) if at == x) <= min(
            y for at, y in points(ax, CUT) if at == x
        )


def test_a_dashed_line_is_the_last_to_go_on_and_below_it_stands_how_close_the_next_one_was(study):
    ax = plots.brackets(study)
    lines = [line for line in ax.lines if line.get_linestyle() == "--"]
    wanted = []
    for s, rungs in plan(study.strategy).brackets.items():
        for rung, following in zip(rungs, [*rungs[1:], None], strict=True):
            losses = sorted(
                r.loss
                for r in study.history.records
                if (r.trial.bracket, r.budget) == (s, rung.budget) and not r.outcome.failed
            )
            if following is not None and len(losses) > following.n:
                wanted.append((losses[following.n - 1], losses[following.n]))
    assert [line.get_ydata()[0] for line in lines] == [line for line, _ in wanted] and len(
        wanted
    ) > 3
    shown = [
        label.get_text().split("\n")[2]
        for label in ax.get_xticklabels()
        if label.get_text().count("\n") == 2
    ]
    assert shown == [f"+{closest - line:.2g}" for line, closest in wanted]
    line, closest = min(wanted, key=lambda pair: pair[1] - pair[0])
    assert plots.describe(ax).endswith(f", +{closest - line:.2g}.")


def test_a_rung_without_a_clear_cut_has_no_line():
    assert (
        margins(None, (full := fake(random_search(SPACE, trials=4, budget=3, seed=0))).history)
        == {}
    )
    assert not [line for line in plots.brackets(full).lines if line.get_linestyle() == "--"]
    history, trials = History(), some_trials(3, budget=1)
    for trial, loss in zip(trials, (0.5, 0.3, 0.3), strict=True):
        history.ask(trial)
        history.tell(trial, Outcome(loss))
    again = replace(
        trials[0], budget=3
    )  # promoted before the two others, which are better, had reported
    history.ask(again)
    assert margins(None, history) == {}
    history = History()
    for trial, loss in zip(trials, (0.3, 0.3, 0.5), strict=True):
        history.ask(trial)
        history.tell(trial, Outcome(loss))
    history.ask(again)
    assert margins(None, history) == {(None, 1): (0.3, 0.0)}
    assert "a tie" in plots.brackets(history).get_xticklabels()[0].get_text()


def test_the_title_tells_the_winners_rank_at_its_first_rung(study):
    best = study.best.trial
    rung = sorted(
        (r.outcome.rank_loss, r.trial.id)
        for r in study.history.records
        if r.trial.bracket == best.bracket and r.trial.rung == 0
    )
    rank = [trial for _, trial in rung].index(best.id) + 1
    assert plots.brackets(study).get_title("left").endswith(f"the winner was rank {rank} there")


def test_failed_runs_are_crosses_above_every_loss(study):
    failed = sum(record.outcome.failed for record in study.history.records)
    for plot in (plots.history, plots.brackets, plots.learning_curves):
        ax = plot(study)
        crosses = points(ax, FAILED)
        assert failed > 0 and len(crosses) == failed
        top = (
            ax.get_yaxis_transform()
            .inverted()
            .transform(ax.transAxes.transform([(0, crosses[0][1])]))[0, 1]
        )
        assert top > max(
            record.loss for record in study.history.records if not record.outcome.failed
        )


def test_a_curve_that_diverges_ends_in_a_cross_at_the_epoch_where_it_did():
    history = History()
    for trial, curve in zip(
        some_trials(2, budget=3), ([1.0, 0.5, 0.4], [1.0, 9.0, math.inf]), strict=True
    ):
        history.ask(trial)
        history.tell(trial, Outcome(curve[-1], curves={"val_loss": curve}))
    assert [x for x, _ in points(plots.learning_curves(history), FAILED)] == [3]


def test_learning_curves_draw_each_trial_once_and_its_whole_curve(study):
    ax = plots.learning_curves(study)
    curves = {
        r.trial.id: r.outcome.curves["val_loss"]
        for r in study.history.records
        if not r.outcome.failed
    }
    drawn = sorted(
        list(line.get_ydata())
        for line in ax.lines
        if line.get_marker() != "X" and len(line.get_ydata())
    )
    assert drawn == sorted(curves.values())
    bold = max(ax.lines, key=lambda line: line.get_linewidth() if line.get_marker() == "*" else 0)
    assert list(bold.get_ydata()) == curves[study.best.trial.id]


def test_parallel_lines_pass_each_dimension_at_its_unit_coordinate(study):
    ax = plots.parallel_coordinates(study)
    drawn = [line.get_ydata() for line in ax.lines if len(line.get_xdata()) == len(SPACE) + 1]
    configs = {r.trial.id: SPACE.to_unit(r.config) for r in study.history.records}
    assert len({tuple(np.round(heights[:2], 9)) for heights in drawn}) == len(configs)
    for heights in drawn:
        unit = min(configs.values(), key=lambda unit: abs(unit[0] - heights[0]))
        assert np.allclose(heights[:2], unit[:2])
        assert abs(heights[2] - unit[2]) < 0.25  # choices are spread a little inside their half
        assert heights[3] < 0 if np.isnan(unit[3]) else heights[3] == pytest.approx(unit[3])
    best = drawn[-1]
    assert best[0] == pytest.approx(configs[study.best.trial.id][0]) and best[-1] == 0


def test_parallel_axes_show_round_values_of_each_scale_between_their_ends():
    space = Space(
        rate=Float(1e-4, 1, log=True),
        dropout=Float(0, 0.5),
        units=Int(16, 256, log=True),
        layers=Int(1, 3),
    )
    ax = plots.parallel_coordinates(fake(random_search(space, trials=4, seed=0)))
    shown = {
        x: [text.get_text() for text in ax.texts if round(text.get_position()[0]) == x]
        for x in range(4)
    }
    assert shown == {
        0: ["0.0001", "0.001", "0.01", "0.1", "1"],
        1: ["0", "0.1", "0.2", "0.3", "0.4", "0.5"],
        2: ["16", "50", "100", "256"],
        3: ["1", "2", "3"],
    }


@pytest.mark.parametrize("stop", [1, 5, 27, 30, 36, 50])
def test_a_stopped_study_cuts_nobody_whose_turn_may_still_come(stop):
    strategy = hyperband(SPACE, max_budget=27, seed=1)
    whole, part = fake(strategy), fake(strategy, stop=stop)
    final = fates(whole, whole.history)
    for now, later in zip(fates(part, part.history), final, strict=False):
        assert now == later or now == "not cut"


@pytest.mark.parametrize("plot", ALL)
def test_nothing_finished_is_an_error_that_says_what_to_do(plot):
    with pytest.raises(HptError, match=r"no finished trial.*run tune"):
        plot(Study(random_search(SPACE, trials=3), History()))
    with pytest.raises(HptError, match="must be a Study or a History, got list"):
        plot([])


@pytest.mark.parametrize("plot", ALL)
def test_a_study_in_which_all_failed_is_drawn_and_says_so(plot):
    ax = plot(fake(random_search(SPACE, trials=4, seed=0), fails=lambda trial: True))
    assert ax.get_title("left").startswith("All 4") and len(points(ax, FAILED)) == 4


@pytest.mark.parametrize("plot", ALL)
@pytest.mark.parametrize("theme", ["default", "dark_background"])
def test_every_picture_is_dark_on_opaque_white_with_title_and_labels_under_any_theme(
    plot, theme, study
):
    with plt.style.context(theme), warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = plot(study)
        ax.figure.canvas.draw()
        image = np.asarray(ax.figure.canvas.buffer_rgba())
    assert (image[[0, -1]] == 255).all()
    words = [
        ax._left_title,
        ax.xaxis.label,
        ax.yaxis.label,
        *ax.get_xticklabels(),
        *ax.get_legend().get_texts(),
    ]
    assert ax.get_title("left") and all(
        max(to_rgb(word.get_color())) < 0.3 and word.get_fontsize() >= 9 for word in words
    )


@pytest.mark.parametrize("plot", ALL)
def test_given_axes_are_drawn_on_and_no_other_figure_appears(plot, study):
    _, ax = plt.subplots()
    assert plot(study, ax=ax) is ax and plt.get_fignums() == [ax.figure.number]


def test_a_displayed_figure_carries_its_alt_text(study):
    _, (upper, lower) = plt.subplots(2)
    plots.history(study, ax=upper)
    plots.brackets(study, ax=lower)
    formatter = DisplayFormatter()
    formatter.formatters["image/png"].for_type(matplotlib.figure.Figure, lambda figure: b"png")
    data, metadata = formatter.format(upper.figure)
    assert (
        metadata["image/png"]["alt"]
        == f"{plots.describe(upper)} {plots.describe(lower)}"
        == data["text/plain"]
    )
    assert data["image/png"] == b"png" and lower.get_title("left") in plots.describe(lower)
    plots.alt(upper.figure, "Two views of one study.")
    assert formatter.format(upper.figure)[1]["image/png"]["alt"] == "Two views of one study."


def test_figures_and_axes_without_alt_text_describe_as_nothing():
    figure, ax = plt.subplots()
    figure.colorbar(ax.imshow([[0, 1]]))
    assert plots.describe(figure) == plots.describe(ax) == ""


def test_an_unknown_quantity_names_those_recorded(study):
    with pytest.raises(HptError, match=r"\['val_loss'\]; got 'val_acc'"):
        plots.learning_curves(study, "val_acc")


def test_dollar_signs_in_a_choice_are_text_and_not_formulas():
    ax = plots.parallel_coordinates(
        fake(random_search(Space(key=Choice(["$x$", "$\\bad$"])), trials=20, seed=0))
    )
    ax.figure.canvas.draw()
    assert "$x$" in {text.get_text() for text in ax.texts}


def test_a_log_scale_is_taken_where_losses_span_a_decade_and_refused_below_zero():
    for losses, scale in (
        ([0.1, 0.9], "linear"),
        ([0.1, 1.1], "log"),
        ([-0.1, 1.1], "linear"),
        ([0.0, 1.0], "linear"),
    ):
        history = History()
        for trial, loss in zip(some_trials(2, budget=1), losses, strict=True):
            history.ask(trial)
            history.tell(trial, Outcome(loss))
        assert plots.history(history).get_yscale() == plots.brackets(history).get_yscale() == scale
        if min(losses) <= 0:
            with pytest.raises(HptError, match="log=True needs values above 0"):
                plots.history(history, log=True)


def test_a_bare_history_needs_the_space_for_parallel_coordinates(study):
    with pytest.raises(HptError, match="space=space"):
        plots.parallel_coordinates(study.history)
    assert plots.parallel_coordinates(study.history, space=SPACE).get_title("left")


def in_full(study, budget=27):
    """Return {trial: loss after `budget` epochs} for the first rung, as `fake` makes it up."""
    ids = [record.trial.id for record in study.history.records if record.budget == 1]
    parameters = {i: np.random.default_rng((3, i)).random(2) for i in ids}
    return {
        i: 0.1 + floor + 2 * math.exp(-speed * budget) for i, (floor, speed) in parameters.items()
    }


def scattered(ax):
    """Return {number of points: (where they lie, the values of their colours)} for every scatter of
    several points."""
    return {
        len(dots.get_offsets()): (dots.get_offsets(), dots.get_array())
        for dots in ax.collections
        if len(dots.get_offsets()) > 1
    }


def test_hindsight_draws_each_trial_of_the_first_rung_once_at_its_two_losses():
    study = fake(hyperband(SPACE, max_budget=27, seed=0))
    late = in_full(study)
    ax = plots.hindsight(study, late, budget=27, within=0.1)
    first = {r.trial.id: r for r in study.history.records if r.budget == 1}
    went_on = {r.trial.id for r in study.history.records if r.budget == 3 and r.trial.id in first}
    drawn = scattered(ax)
    assert set(drawn) == {9, 18}
    for n, ids in ((9, went_on), (18, first.keys() - went_on)):
        points, rates = drawn[n]
        assert sorted(map(tuple, points.tolist())) == sorted((first[i].loss, late[i]) for i in ids)
        assert sorted(rates) == sorted(first[i].config["learning_rate"] for i in ids)


def test_hindsight_counts_the_cut_that_would_have_ended_within_the_band():
    study = fake(hyperband(SPACE, max_budget=27, seed=0))
    late = in_full(study)
    went_on = {r.trial.id for r in study.history.records if r.budget == 3}
    for within in (0.0, 0.2, 9.0):
        close = sum(late[i] <= study.best.loss + within for i in late.keys() - went_on)
        title = plots.hindsight(study, late, budget=27, within=within).get_title("left")
        assert title == f"{close} of the 18 that were cut would have ended close to the winner"


def test_hindsight_marks_those_that_failed_later_and_names_those_that_are_missing():
    study = fake(hyperband(SPACE, max_budget=27, seed=0))
    late = in_full(study)
    spoilt = late | {next(iter(late)): math.nan}
    assert len(points(plots.hindsight(study, spoilt, budget=27, within=0.1), FAILED)) == 1
    with pytest.raises(HptError, match=r"got none for \[.+\]; train them too"):
        plots.hindsight(study, {}, budget=27, within=0.1)
    with pytest.raises(HptError, match="numbers in every config, got 'optimizer'"):
        plots.hindsight(study, late, budget=27, within=0.1, colour="optimizer")

"""Every explorer opened and used in headless Chromium with JupyterLab's dark theme; screenshots in
artifacts/."""

import re

import pytest

from tests.widgets import browser
from tests.widgets.browser import Widget

pytestmark = pytest.mark.skipif(
    browser.CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"
)
ALL = """from IPython.display import display
from hpt_lab.widgets import BayesExplorer, BracketExplorer, FitDoctor, FoldExplorer, RaceTrack, SearchExplorer
for widget in (BracketExplorer(speed=100), SearchExplorer(), BayesExplorer(trials=6), FoldExplorer(epochs=15),
               RaceTrack(full_trainings=5, seeds=2), FitDoctor()):
    display(widget)"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with (
        browser.chromium() as chromium,
        browser.lab(chromium, tmp_path_factory.mktemp("lab"), ALL, dark=True) as opened,
    ):
        opened.page.wait_for_function(
            "document.querySelectorAll('.hpt-lab img').length == 6", timeout=120_000
        )
        yield opened


def number(text, pattern):
    """The number that a pattern finds in a result line."""
    return int(re.search(pattern, text)[1].replace(",", ""))


def test_the_bracket_explorer_plans_and_runs_to_the_end(page):
    widget = Widget(page, "Bracket explorer")
    widget.wait_for("206 runs, 1,581 epochs")
    widget.slider("eta").press("ArrowRight")  # the keyboard moves sliders
    widget.wait_for("Plan: 4 brackets")
    widget.slider("eta").press("ArrowLeft")
    widget.wait_for("Plan: 5 brackets")
    widget.click("Run")
    page.wait_for_frames(5)
    widget.wait_for("Done: 206 runs")
    widget.shoot("bracket-explorer-dark")


def test_the_bracket_explorer_trains_live_pauses_and_goes_on(page):
    widget = Widget(page, "Bracket explorer")
    widget.set("R", 9)
    widget.choose("Run on", "live Keras on digits")
    widget.wait_for("Plan: 3 brackets")
    widget.click("Run")
    widget.wait_for(re.compile(r"Run \d of 22"))
    before = number(widget.pause(), r"Run (\d+) of")
    widget.click("Run")
    widget.wait_for(re.compile(r"Done: 22 runs.*won, loss"))
    assert before < 22
    widget.shoot("bracket-explorer-live-dark")


def test_the_search_explorer_follows_its_budget(page):
    widget = Widget(page, "Search explorer")
    widget.slider("Trials").press("ArrowRight")
    widget.wait_for("The grid can use 9 of 10 trials")
    widget.click("Run 100 landscapes")
    widget.wait_for("On 100 landscapes")
    widget.shoot("search-explorer-dark")


def test_the_bayes_explorer_takes_suggestions_and_own_points(page):
    widget = Widget(page, "Bayes explorer")
    widget.click("Take the suggestion")
    widget.wait_for("3 trials, best result")
    widget.click("Evaluate here")
    widget.wait_for("4 trials, best result")
    widget.click("Run")
    widget.wait_for("6 trials, best result")
    widget.shoot("bayes-explorer-dark")


def test_the_fold_explorer_trains_its_folds_and_pause_answers_while_it_traces(page):
    widget = Widget(page, "Fold explorer")
    widget.click("Run")
    widget.wait_for("tracing the graph")
    widget.pause()
    widget.click("Run")
    page.wait_until(lambda: "Accuracy" in widget.text() and widget.button("Run").is_enabled())
    honest = widget.text()
    widget.box.get_by_label("Scale before splitting (a leak)").click()
    widget.wait_for("Press Run")
    widget.click("Run")
    page.wait_until(
        lambda: "scaled before" in widget.text() and widget.button("Run").is_enabled(), 60
    )
    assert widget.text().startswith(honest.rstrip("."))  # the honest folds are the same
    widget.shoot("fold-explorer-dark")


def test_the_race_track_pauses_goes_on_and_ends(page):
    widget = Widget(page, "Race track")
    widget.click("Run")
    widget.wait_for(re.compile("After .* epochs each"))
    page.wait_for_frames(5)
    paused = number(widget.pause(), "After ([0-9,]+) epochs")
    widget.shoot("race-track-paused-dark")
    widget.click("Run")
    widget.wait_for(re.compile("After .* epochs each"))
    assert number(widget.text(), "After ([0-9,]+) epochs") >= paused > 0
    widget.wait_for("One seed is an anecdote")
    widget.set("Seeds", 25)
    widget.choose("Race", "many seeds, with bands")
    widget.wait_for("Press Run")
    widget.click("Run")
    widget.wait_for(re.compile("^[1-9][0-9]* seeds? of 25; the next is"))
    assert 0 < number(widget.pause(), "^([0-9]+) seed") < 25
    widget.click("Run")
    widget.wait_for(re.compile("^25 seeds\\."))
    widget.shoot("race-track-dark")


def test_the_fit_doctor_shows_what_stopping_would_have_saved(page):
    widget = Widget(page, "Fit doctor")
    widget.click("Run")
    widget.wait_for(re.compile("Epoch 100.*would have saved"))
    widget.shoot("fit-doctor-dark")


def test_nothing_complained(page):
    assert page.mine() == []

"""Every explorer opened and used in headless Chromium with JupyterLab; screenshots in artifacts/."""

import re

import pytest

from tests.widgets import browser

pytestmark = pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")
ALL = """from IPython.display import display
from hpt_lab.widgets import BayesExplorer, BracketExplorer, FoldExplorer, RaceTrack, SearchExplorer
for explorer in (BracketExplorer(speed=200), SearchExplorer(), BayesExplorer(trials=6), FoldExplorer(epochs=60),
                 RaceTrack(full_trainings=5)):
    display(explorer)"""


class One:
    """One of the widgets on the page."""

    def __init__(self, page, title):
        self.page, self.box = page, page.page.locator(".hpt-lab").filter(has_text=title).first
        self.box.scroll_into_view_if_needed()

    def click(self, label):
        self.box.locator("button", has_text=re.compile(f"^{label}$")).click()  # its accessible name has the icon's letter

    def slider(self, label):
        return self.box.locator(".widget-slider", has=self.page.page.get_by_text(label, exact=True)).locator(".noUi-handle")

    def wait_for(self, words, seconds=120):
        line = self.box.locator("[aria-live]").filter(has_text=words)
        line.wait_for(timeout=seconds * 1000)
        return line.inner_text()

    def shoot(self, name):
        browser.ARTIFACTS.mkdir(exist_ok=True)
        self.box.screenshot(path=browser.ARTIFACTS / f"{name}.png")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with browser.chromium() as chromium, browser.lab(chromium, tmp_path_factory.mktemp("lab"), ALL, dark=True) as opened:
        opened.page.wait_for_function("document.querySelectorAll('.hpt-lab img').length == 5", timeout=120_000)
        yield opened


def test_the_bracket_explorer_plans_and_runs_to_the_end(page):
    widget = One(page, "Bracket explorer")
    widget.wait_for("206 runs, 1,581 epochs")
    widget.slider("eta").press("ArrowRight")  # the keyboard moves sliders
    widget.wait_for("Plan: 4 brackets")
    widget.slider("eta").press("ArrowLeft")
    widget.wait_for("Plan: 5 brackets")
    widget.click("Run")
    frames = page.wait_for_frames(5)
    assert frames[-1] > frames[0]
    widget.wait_for("Done: 206 runs")
    widget.shoot("bracket-explorer-dark")


def test_the_search_explorer_follows_its_budget(page):
    widget = One(page, "Search explorer")
    widget.slider("Trials").press("ArrowRight")
    widget.wait_for("The grid can use 9 of 10 trials")
    widget.click("Run 100 landscapes")
    widget.wait_for("On 100 landscapes")
    widget.shoot("search-explorer-dark")


def test_the_bayes_explorer_takes_suggestions_and_own_points(page):
    widget = One(page, "Bayes explorer")
    widget.click("Take the suggestion")
    widget.wait_for("3 trials, best result")
    widget.click("Evaluate here")
    widget.wait_for("4 trials, best result")
    widget.click("Run")
    widget.wait_for("6 trials, best result")
    widget.shoot("bayes-explorer-dark")


def test_the_fold_explorer_trains_its_folds(page):
    widget = One(page, "Fold explorer")
    widget.click("Run")
    first = widget.wait_for("Accuracy")
    widget.box.get_by_label("Scale before splitting (a leak)").click()
    widget.click("Run")
    assert widget.wait_for("scaled before splitting") != first
    page.wait_until(lambda: widget.box.locator("button", has_text=re.compile("^Run$")).is_enabled(), 120)
    widget.shoot("fold-explorer-dark")


def test_the_race_track_runs_to_the_end(page):
    widget = One(page, "Race track")
    widget.click("Run")
    widget.wait_for("One seed is an anecdote")
    widget.shoot("race-track-dark")


def test_nothing_complained(page):
    assert page.mine() == []

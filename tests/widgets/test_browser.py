"""The widgets in a real browser: headless Chromium on JupyterLab and on the Voila page, with real
training.

Speed is measured by tests/benchmarks/bench_widgets.py; here only what must work at any speed is
asserted. Screenshots are kept in artifacts/.
"""

import re

import pytest

from tests.widgets import browser

pytestmark = pytest.mark.skipif(
    browser.CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"
)

PLAYGROUND = """from hpt_lab.widgets import Playground
playground = Playground(layers=1, units=8, epochs=5)
playground.controls.set(epochs=2000)
playground"""
TABS = {
    "Playground": r"Epoch \d\d",
    "Fit doctor": r"Epoch \d\d",
    "Fold explorer": "Accuracy",
    "Search explorer": "On 100 landscapes",
    "Bayes explorer": "[45] trials",
    "Bracket explorer": r"Run \d\d of 206",
    "Race track": r"After .* epochs each",
}


@pytest.fixture(scope="module")
def chromium():
    with browser.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def page(chromium, tmp_path_factory):
    with browser.lab(chromium, tmp_path_factory.mktemp("lab"), PLAYGROUND, dark=True) as opened:
        yield opened


def test_frames_arrive_while_it_trains_and_pause_stops_them(page):
    page.button("Run").click()
    assert len(page.wait_for_frames(10)) >= 10
    page.shoot("playground-jupyterlab-dark")
    page.button("Pause").click()
    page.wait_until(
        lambda: (
            page.button("Run").is_enabled()
            and page.page.evaluate("performance.now()") > page.frames()[-1] + 400
        )
    )
    assert page.button("Pause").is_disabled()


def test_arrow_keys_move_a_slider_its_box_follows_and_it_retrains(page):
    before = int(page.box("Units").input_value())
    page.slider("Units").press("ArrowRight")
    page.wait_until(lambda: page.box("Units").input_value() == str(before + 1))
    page.wait_for_frames(3)
    assert f'"units":{before + 1},' in page.page.get_by_label("Share").input_value()
    page.button("Pause").click()


def test_a_number_typed_into_a_box_stays_as_typed(page):
    page.box("Learning rate").fill("0.0123")
    page.box("Learning rate").press("Enter")
    page.wait_until(
        lambda: '"learning_rate":0.0123,' in page.page.get_by_label("Share").input_value()
    )
    assert page.box("Learning rate").input_value() == "0.0123"


def test_the_keyboard_alone_reaches_every_control(page):
    page.page.get_by_label("Preset").focus()
    reached = set()
    for _ in range(50):
        page.page.keyboard.press("Tab")
        reached.add(
            page.page.evaluate(
                "(document.activeElement.closest('.widget-slider, .widget-dropdown, button, "
                ".widget-text')"
                " || document.activeElement).textContent.trim().slice(0, 14)"
            )
        )
    for name in ("Noise", "Learning rate", "Units", "Seed", "Run", "Open test rows"):
        assert any(text.startswith(name) for text in reached), (
            f"{name} is not among {sorted(reached)}"
        )


def test_a_bad_share_string_shows_an_error_and_the_widget_goes_on(page):
    page.page.get_by_label("Share").fill('{"data": "<b>moon</b>"}')
    page.page.get_by_label("Share").press("Enter")
    alert = page.page.locator(".hpt-lab [role=alert]")
    alert.wait_for()
    assert "<b>moon</b>" in alert.inner_text() and alert.locator("b").count() == 0
    page.button("Step").click()
    page.wait_for_frames(1)


def test_the_console_stayed_silent(page):
    assert page.mine() == []


def test_the_voila_page_opens_each_widget_when_it_is_asked_for_and_asks_strangers_for_its_token(
    chromium, tmp_path
):
    with browser.voila(chromium, tmp_path) as page:
        for i, (title, result) in enumerate(TABS.items()):
            assert page.page.locator(".hpt-lab").count() == max(
                i, 1
            )  # none is made before its tab is opened
            page.page.get_by_text(title, exact=True).first.click()
            widget = browser.Widget(page, title)
            widget.click("Run.*")  # the one in the tab before makes room
            widget.wait_for(re.compile(result), 60)
            widget.shoot(f"voila-{title.replace(' ', '-').lower()}")
        page.shoot("voila-page")
        assert page.mine() == []
        visitor = chromium.new_context().new_page()
        visitor.goto(page.url, wait_until="domcontentloaded")
        assert "token" in visitor.content().lower() and visitor.locator(".hpt-lab").count() == 0

"""The widgets in a real browser: headless Chromium on JupyterLab and on the Voila page, with real training.

Speed is measured by tests/benchmarks/bench_widgets.py; here only what must work at any speed is asserted. Screenshots
are kept in artifacts/.
"""

import pytest

from tests.widgets import browser

pytestmark = pytest.mark.skipif(browser.CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium")

PLAYGROUND = """from hpt_lab.widgets import Playground
playground = Playground(layers=1, units=8, epochs=5)
playground.controls.set(epochs=2000)
playground"""


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
    page.wait_until(lambda: page.button("Run").is_enabled())
    page.page.wait_for_timeout(300)
    before = len(page.frames())
    page.page.wait_for_timeout(500)
    assert len(page.frames()) == before and page.button("Pause").is_disabled()


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
    page.page.wait_for_timeout(300)
    assert page.box("Learning rate").input_value() == "0.0123"
    assert '"learning_rate":0.0123,' in page.page.get_by_label("Share").input_value()


def test_the_keyboard_alone_reaches_every_control(page):
    page.page.get_by_label("Preset").focus()
    reached = set()
    for _ in range(50):
        page.page.keyboard.press("Tab")
        reached.add(page.page.evaluate("(document.activeElement.closest('.widget-slider, .widget-dropdown, button, .widget-text')"
                                       " || document.activeElement).textContent.trim().slice(0, 14)"))
    for name in ("Noise", "Learning rate", "Units", "Seed", "Run", "Open test rows"):
        assert any(text.startswith(name) for text in reached), f"{name} is not among {sorted(reached)}"


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


def test_the_voila_page_trains_in_its_tabs_and_asks_strangers_for_its_token(chromium, tmp_path):
    with browser.voila(chromium, tmp_path) as page:
        page.button("Run").click()
        page.wait_for_frames(10)
        page.shoot("playground-voila")
        page.button("Pause").click()
        page.page.get_by_text("Fit doctor", exact=True).first.click()
        page.page.locator(".hpt-lab", has_text="Handwritten digits").wait_for()
        page.button("Run").locator("visible=true").click()
        page.wait_for_frames(10)
        page.shoot("fit-doctor-voila")
        assert page.mine() == []
        visitor = chromium.new_context().new_page()
        visitor.goto(page.url, wait_until="domcontentloaded")
        assert "token" in visitor.content().lower() and visitor.locator(".hpt-lab").count() == 0

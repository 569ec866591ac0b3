"""Quiz, interview and diagnosis used with mouse and keyboard in headless Chromium; screenshots in
artifacts/."""

import re

import pytest

from tests.widgets import browser

pytestmark = pytest.mark.skipif(
    browser.CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"
)
CODE = """from IPython.display import display
from hpt_lab.widgets import Diagnose, MockInterview, Quiz
for widget in (Diagnose(progress="p.jsonl"), Quiz(kind="diagnose", progress="p.jsonl"),
               MockInterview(seed=0, progress="p.jsonl")):
    display(widget)"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    with browser.chromium() as chromium, browser.lab(chromium, folder, CODE, dark=True) as opened:
        yield opened


def card(page, title):
    box = page.page.locator(".hpt-lab").filter(has_text=title).first
    box.scroll_into_view_if_needed()
    return box


def button(box, label):
    return box.locator("button", has_text=re.compile(f"^{label}$"))


def shoot(box, name):
    browser.ARTIFACTS.mkdir(exist_ok=True)
    box.screenshot(path=browser.ARTIFACTS / f"{name}.png")


def test_a_case_is_diagnosed(page):
    box = card(page, "Diagnose")
    box.locator("img").wait_for()
    shoot(box, "diagnose-dark")
    button(box, "B").click()
    box.get_by_text("A sign to go by").wait_for(timeout=60_000)
    shoot(box, "diagnose-answered-dark")
    button(box, "Next case").click()
    button(box, "D").wait_for(timeout=60_000)


def test_the_quiz_is_used_by_keyboard_alone(page):
    box = card(page, "Say your answer aloud")
    button(box, "Reveal").focus()
    page.page.keyboard.press("Enter")
    button(box, "3 good").wait_for(timeout=60_000)
    shoot(box, "quiz-dark")
    page.page.wait_for_function(
        "document.activeElement.textContent == '1 again'"
    )  # the first button has the keyboard
    for _ in range(2):
        page.page.keyboard.press("Tab")
    page.page.keyboard.press("Enter")
    button(box, "Reveal").wait_for(timeout=60_000)


def test_an_interview_is_begun_answered_and_ended(page):
    box = card(page, "Mock interview")
    button(box, "Begin").click()
    button(box, "Reveal").click()
    button(box, "1 weak").wait_for(timeout=60_000)
    shoot(box, "mock-interview-dark")
    button(box, "1 weak").click()
    box.get_by_text("Another candidate says").wait_for(timeout=60_000)
    button(box, "End here").click()
    box.get_by_text("Weak spots.").wait_for(timeout=60_000)
    shoot(box, "mock-report-dark")
    assert page.mine() == []

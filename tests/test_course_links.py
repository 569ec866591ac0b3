"""Links lead to headings that exist, by the anchor that JupyterLab gives them."""

import pytest

from hpt_lab.interview import load
from hpt_lab.lessons import course, link, place


def test_a_claims_call_is_found_below_its_heading():
    file, heading = place("02", "claims.doctor")
    assert (file, heading) == ("02-underfitting-and-overfitting.ipynb", "Be the doctor")
    assert (
        link("02", "claims.doctor")
        == "[lesson 02, Be the doctor](02-underfitting-and-overfitting.ipynb#Be-the-doctor)"
    )
    assert link("02", "The ward").endswith("#The-ward)")


def test_what_is_not_there_still_leads_to_the_lesson():
    assert link("02", "claims.nothing") == "[lesson 02](02-underfitting-and-overfitting.ipynb)"
    assert link("99", "x") == "lesson 99"


@pytest.mark.parametrize("lesson", sorted({question.lesson for question in load()}))
def test_every_question_leads_to_a_section(lesson):
    for question in load(lesson=lesson):
        file, heading = place(question.lesson, question.cell)
        assert (course() / file).is_file() and heading, question.id

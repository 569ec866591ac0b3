"""Quiz, mock interview and diagnosis as widgets, clicked here without a browser: same files, same
rules as the terminal."""

from dataclasses import replace

import pytest

from hpt_lab.errors import InterviewError
from hpt_lab.interview import load, mock, neighbours
from hpt_lab.interview.progress import entries, read
from hpt_lab.widgets import Diagnose, MockInterview, Quiz
from hpt_lab.widgets import quiz as quiz_module
from hpt_lab.widgets.card import Card, png


@pytest.fixture
def path(tmp_path):
    return tmp_path / "p.jsonl"


def labels(card):
    return [button.description for button in card.buttons.children]


def click(card, label):
    next(button for button in card.buttons.children if button.description == label).click()
    assert card._error.value == "", card._error.value


def test_a_click_on_a_button_that_is_gone_does_nothing(path):
    card = Quiz(progress=path)
    reveal = card.buttons.children[0]
    reveal.click()
    good = card.buttons.children[2]
    good.click()
    second = card.question
    good.click()  # a double click
    reveal.click()
    assert len(read(path)) == 1 and card.question is second and labels(card)[0] == "Reveal"


def test_nothing_can_be_graded_before_it_was_revealed(path):
    card = Quiz(progress=path)
    assert (
        labels(card) == ["Reveal", "Skip"] and card.question.answer[:40] not in card._revealed.value
    )
    click(card, "Reveal")
    assert labels(card) == ["1 again", "2 hard", "3 good", "4 easy"]


def test_the_quiz_asks_the_banks_order_writes_grades_and_leads_to_the_cell(path):
    card = Quiz(lesson="06", progress=path)
    first = load(lesson="06")[0]
    assert card.question == first
    click(card, "Reveal")
    click(card, "1 again")
    assert [(review.id, review.grade) for review in read(path)] == [(first.id, 1)]
    assert "Read again" in card._revealed.value and "06-successive" in card._revealed.value
    click(card, "Next")
    assert card.question == load(lesson="06")[1]
    again = Quiz(lesson="06", progress=path)  # another sitting goes on from the file
    assert again.question == load(lesson="06")[1]


def test_the_menus_choose_and_say_when_nothing_matches(path):
    card = Quiz(progress=path)
    card.filters["level"].value = "senior"
    assert card.question.level == "senior"
    card.filters["lesson"].value = "04"
    card.filters["topic"].value = "learning rate"
    assert card.question is None and "no question matches" in card.text and labels(card) == []
    with pytest.raises(InterviewError, match="no question matches"):
        Quiz(lesson="99", progress=path)


def test_skipped_questions_wait_for_another_sitting(path):
    card = Quiz(lesson="04", kind="compute", progress=path)
    n = len(load(lesson="04", kind="compute"))
    for _ in range(n):
        click(card, "Skip")
    assert "skipped" in card.text and read(path) == []


def test_text_is_escaped_and_pictures_come_with_words(path, monkeypatch):
    shown = next(question for question in load() if question.picture)
    evil = replace(shown, question="<script>alert(1)</script> **why**?", answer="<img src=x>")
    monkeypatch.setattr(quiz_module, "chosen", lambda **asked: [evil])
    card = Quiz(progress=path)
    click(card, "Reveal")
    for value in (card._question.value, card._revealed.value):
        assert "<script" not in value and "<img" not in value and "&lt;" in value
    assert "<b>why</b>" in card._question.value
    assert card.image.value[:4] == b"\x89PNG" and "The picture in words" in card._question.value
    data, *_ = [card._repr_mimebundle_()]
    assert "Quiz." in data["text/plain"] and "<script" not in data["text/html"]


def test_an_error_is_shown_and_goes_away():
    card = Card("A card", "about")

    def bad():
        raise ValueError("<b>")

    card.show("x", [("Bad", bad), ("Fine", lambda: None)])
    card.buttons.children[0].click()
    assert "ValueError: &lt;b&gt;" in card._error.value
    click(card, "Fine")


def test_a_whole_interview_is_what_the_plan_says(path):
    card = MockInterview(seed=0, progress=path)
    click(card, "Begin")
    parts = []
    while labels(card)[0] != "Begin another":
        step = card.room.step
        parts.append(step.part)
        assert step.rubric[2] not in card._revealed.value
        click(card, "Reveal")
        assert labels(card) == ["1 weak", "2 good", "3 great"]
        click(card, "3 great")
    planned = mock.steps(seed=0)
    assert [part for part in parts if part != "follow-up"] == [step.part for step in planned]
    assert len(mock.recorded(path)) == len(parts)
    assert "Strengths" in card.text and "Read again" not in card.text
    click(card, "Begin another")
    assert card.room.step is not None


def test_code_is_graded_in_a_process_of_its_own(path):
    card = MockInterview(seed=0, progress=path)
    click(card, "Begin")
    while card.room.step.part != "drill":
        click(card, "Reveal")
        click(card, "2 good")
    drill = mock.DRILLS[card.room.step.id]
    assert card._code in card.inputs.children and card._code.value == drill.stub
    click(card, "Check my code")
    assert "Not answered yet" in card._revealed.value and card._code in card.inputs.children
    card._code.value = drill.stub.split("def ")[0] + drill.solution
    click(card, "Check my code")
    assert "Right" in card._revealed.value
    assert mock.recorded(path) == card.room.graded


def test_leaving_early_reports_and_keeps_what_was_graded(path):
    card = MockInterview(seed=0, progress=path)
    click(card, "Begin")
    click(card, "Reveal")
    click(card, "1 weak")
    click(card, "End here")
    assert "Weak spots" in card.text and len(mock.recorded(path)) == 1


def test_the_diagnosis_goes_on_without_end_and_counts(path):
    card = Diagnose(seed=3, progress=path)
    for number in range(3):
        case = neighbours.case(seed=3, number=number)
        assert card.case.id == case.id
        click(
            card,
            case.right[0]
            if number
            else next(letter for letter in "ABCD" if letter not in case.right),
        )
        click(card, "Next case")
    lines = entries(path)
    assert [line["right"] for line in lines] == [False, True, True] and card.right == 2


def test_drawing_leaves_no_figure_open():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    content, words = png(neighbours.case(seed=0).draw)
    assert content[:4] == b"\x89PNG" and "training loss" in words and plt.get_fignums() == before

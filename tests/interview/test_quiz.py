"""`hpt-lab quiz`: overdue questions first, then new ones; every grade is kept; leaving is easy."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from hpt_lab.cli import app
from hpt_lab.errors import InterviewError
from hpt_lab.interview import quiz
from hpt_lab.interview.bank import load
from hpt_lab.interview.progress import Review, append, read

NOW = datetime.now(UTC)
MODEL = load()[0]
BANK = [
    replace(MODEL, id=name, question=f"What is {name}?", answer=f"It is {name}.")
    for name in ("alpha", "beta", "gamma")
]


@pytest.fixture
def ask(monkeypatch, tmp_path):
    monkeypatch.setattr(quiz, "load", lambda **asked: BANK)

    def run(keys, *arguments, code=0):
        done = CliRunner().invoke(
            app, ["quiz", "--progress", str(tmp_path / "p.jsonl"), *arguments], input=keys
        )
        assert done.exit_code == code, (done.output, done.exception)
        grades = [(review.id, review.grade) for review in read(tmp_path / "p.jsonl")]
        return done.output, grades

    run.path = tmp_path / "p.jsonl"
    return run


def test_new_questions_come_in_order_and_their_grades_are_kept(ask):
    shown, grades = ask("\n3\n\n4\n\n1\n")
    assert grades == [("alpha", 3), ("beta", 4), ("gamma", 1)]
    places = [shown.index(text) for text in ("What is alpha?", "It is alpha.", "What is beta?")]
    assert places == sorted(places)
    assert "Read again: lesson 00, The model, and its knobs" in " ".join(shown.split())
    assert shown.count("Read again") == 1
    assert "Nothing is due" in shown


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        ("\n2\n\nq\n", [("alpha", 2)]),
        ("\n2\n", [("alpha", 2)]),
        ("", []),
        ("\n", []),
        ("\nfive\n0\n3\n\nq\n", [("alpha", 3)]),
    ],
)
def test_leaving_at_any_point_keeps_the_grades_given(ask, keys, kept):
    assert ask(keys)[1] == kept


def test_the_answer_is_hidden_until_it_was_thought_about(ask):
    shown, _ = ask("")
    assert "What is alpha?" in shown and "It is alpha." not in shown


def test_count_ends_the_session(ask):
    assert ask("\n3\n\n3\n\n3\n", "--count", "2")[1] == [("alpha", 3), ("beta", 3)]


def test_the_longest_overdue_comes_first_then_new_ones(ask):
    append(ask.path, Review("beta", 3, NOW - timedelta(days=9)))
    append(ask.path, Review("gamma", 3, NOW - timedelta(days=30)))
    _, grades = ask("\n4\n\n4\n\n4\n")
    assert [name for name, _ in grades[2:]] == ["gamma", "beta", "alpha"]


def test_a_question_is_not_asked_before_its_date():
    reviews = [Review("alpha", 4, NOW)]
    assert quiz.next_question(BANK[:1], reviews, NOW + timedelta(hours=1)) is None
    date = quiz.next_date(BANK[:1], reviews)
    assert quiz.next_question(BANK[:1], reviews, date) == BANK[0]


def test_everything_that_the_bank_says_is_revealed():
    shown = quiz.answer_of(MODEL)
    for text in (
        MODEL.answer,
        MODEL.explanation,
        MODEL.follow_up,
        MODEL.follow_up_answer,
        MODEL.wrong,
        MODEL.why_wrong,
    ):
        assert text in shown
    assert MODEL.question not in shown


def test_questions_are_chosen_by_lesson_topic_and_level():
    assert MODEL in quiz.chosen(lesson=MODEL.lesson, topic=MODEL.topic, level=MODEL.level)
    with pytest.raises(InterviewError, match=MODEL.topic):
        quiz.chosen(topic="gardening")
    with pytest.raises(InterviewError, match="level must be"):
        quiz.chosen(level="easy")


def test_a_picture_is_told_in_words_before_the_answer(ask, monkeypatch):
    pictured = next(question for question in load(lesson="05") if question.picture)
    monkeypatch.setattr(quiz, "load", lambda **asked: [pictured])
    shown, _ = ask("")
    assert " ".join(pictured.in_words().split()) in " ".join(shown.split())
    assert pictured.answer not in shown

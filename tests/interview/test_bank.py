"""The bank: every question whole, unique, short enough to say, and demonstrated by a cell that
exists."""

import itertools
import re
from collections import Counter
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest

from hpt_lab import interview
from hpt_lab.errors import InterviewError
from hpt_lab.interview import bank
from hpt_lab.plots import describe
from hpt_lab.plots.interview import draw, pictures

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
QUESTIONS = interview.load()
WORDS_A_MINUTE = 150  # of calm speech

# what a lesson's row in the course asks for; some question's texts must speak of each
CONCEPTS = {
    "00": (
        "defaults",
        "bracket",
        "leaderboard|the list",
        "test set",
        "checkpoint",
        "hyperparameter",
        "moving mean",
    ),
    "01": (
        "diverge|cliff",
        "range test",
        "linear rule|linear scaling",
        "generalise",
        "milliseconds",
        "epochs",
        "width",
        "four layers",
        "momentum",
        "Adam",
        "one minus momentum",
        "extra choice",
        "integers",
        "defaults",
    ),
    "02": (
        "64 units",
        "learning curve",
        "least improvement",
        "restore",
        "patience",
        "one over one minus p",
        "slows convergence",
        "AdamW",
        "more rows",
        "batch.norm",
        "double descent",
        "training time|over time",
        "Run A overfits, run B underfits",
        "bias squared",
    ),
    "03": (
        "sealed",
        "leave-one-out|sixty folds",
        "stratif",
        "whole patients",
        "in order of time",
        "random labels",
        "nested",
        "training size|on all rows",
        "winner",
        "root of",
        "seed",
        "Student's t",
        "bootstrap",
        "F1",
        "ROC-AUC",
        "average precision",
        "false alarms",
        "resampling",
        "validation rows",
    ),
    "05": (
        "Gaussian process",
        "kernel",
        "length scale",
        "noise",
        "marginal likelihood",
        "expected improvement",
        "probability of improvement",
        "confidence bound",
        "Thompson",
        "TPE",
        "over the share among the rest",
        "one column per value",
        "doesn't exist",
        "cube",
        "constant liar",
        "edges",
        "twenty knobs",
        "linear axis",
        "[Ee]qual configs|Repeats",
        "Sobol",
        "failures?",
    ),
}
lessons = pytest.mark.parametrize("lesson", CONCEPTS)
each_question = pytest.mark.parametrize(
    "question", QUESTIONS, ids=[question.id for question in QUESTIONS]
)


def words(text):
    return re.findall(r"[\w’'.%-]+", text.lower())


def cells(lesson):
    path = next(NOTEBOOKS.glob(f"{lesson}-*.ipynb"))
    return nbformat.read(path, as_version=4).cells


@each_question
def test_an_answer_takes_at_most_forty_seconds_to_say(question):
    assert 60 * len(words(question.answer)) / WORDS_A_MINUTE <= 40


@each_question
def test_the_demonstrating_cell_exists(question):
    sources = [cell.source for cell in cells(question.lesson)]
    if question.cell.startswith("claims."):
        assert any(source.startswith(f"{question.cell}(") for source in sources), question.cell
    else:
        headings = re.findall(r"^#+ (.+)$", "\n".join(sources), flags=re.MULTILINE)
        assert question.cell in headings, question.cell


@each_question
def test_a_question_asks_and_its_texts_say_something(question):
    assert re.fullmatch(r"[a-z0-9-]+", question.id)
    assert len(words(question.explanation)) >= 20
    assert (
        min(
            len(words(text))
            for text in (question.follow_up, question.follow_up_answer, question.why_wrong)
        )
        >= 4
    )
    for name in bank.TEXTS:
        assert "${" not in getattr(question, name)


def test_ids_are_unique():
    assert [id for id, n in Counter(question.id for question in QUESTIONS).items() if n > 1] == []


@pytest.mark.parametrize(
    ("field", "most"), [("question", 0.3), ("answer", 0.15), ("follow_up_answer", 0.3)]
)
def test_no_two_questions_are_the_same_in_other_words(field, most):
    shingles = {}
    for question in QUESTIONS:
        said = words(getattr(question, field))
        shingles[question.id] = {tuple(said[i : i + 4]) for i in range(len(said) - 3)}
    for (a, of_a), (b, of_b) in itertools.combinations(shingles.items(), 2):
        if of_a and of_b:
            assert len(of_a & of_b) / min(len(of_a), len(of_b)) < most, (a, b)


@lessons
def test_a_lesson_has_all_levels_and_a_mix_of_kinds(lesson):
    asked = [question for question in QUESTIONS if question.lesson == lesson]
    kinds = Counter(question.kind for question in asked)
    pictured = [question for question in asked if question.kind == "diagnose" and question.picture]
    assert {question.level for question in asked} == set(bank.LEVELS)
    assert len(kinds) >= 5
    assert (
        min(kinds["compute"], kinds["criticise"]) >= 3
        and kinds["diagnose"] >= 2
        and kinds["design"] >= 1
    )
    if lesson != "00":  # a short lesson: ten questions
        assert len(asked) >= 24 and len(pictured) >= 2 and kinds["code"] >= 1


@lessons
def test_every_concept_of_the_course_is_asked_about(lesson):
    texts = " ".join(
        getattr(question, name)
        for question in QUESTIONS
        if question.lesson == lesson
        for name in bank.TEXTS
    )
    assert [
        concept
        for concept in CONCEPTS[lesson]
        if not re.search(concept, texts, flags=re.IGNORECASE)
    ] == []


@lessons
def test_what_is_computed_comes_from_a_function(lesson):
    computed = interview.load(lesson=lesson, kind="compute")
    assert [question.id for question in computed if question.numbers is None] == []


def test_the_rubric_of_a_question_is_its_own():
    said = Counter(entry for question in QUESTIONS for entry in question.rubric)
    assert [entry for entry, n in said.items() if n > 1] == []


def test_questions_are_chosen_by_lesson_level_and_kind():
    some = interview.load(level="engineer", kind="compute")
    assert some and all(
        (question.level, question.kind) == ("engineer", "compute") for question in some
    )
    assert interview.load(lesson="99") == []


@pytest.mark.parametrize("wrong", [{"level": "hard"}, {"kind": "quiz"}])
def test_unknown_levels_and_kinds_are_refused(wrong):
    with pytest.raises(InterviewError, match="must be one of"):
        interview.load(**wrong)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("question = 3", "tables"),
        ("[[question]]\nid = 'a'", "lacks"),
        ("not toml", "TOML"),
        ("", "tables"),
        ("[[question]]\nid = 'a'\nanswers = 'b'", "answers"),
    ],
)
def test_a_file_that_is_no_question_file_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "lesson_00.toml"
    path.write_text(content)
    with pytest.raises(InterviewError, match=f"lesson_00.toml.*{message}"):
        bank.read(path)


def test_a_number_that_nobody_computes_is_refused(tmp_path):
    text = (bank.FOLDER / "lesson_04.toml").read_text()
    path = tmp_path / "lesson_04.toml"
    path.write_text(text.replace("${expected}", "${guessed}"))
    with pytest.raises(InterviewError, match="guessed"):
        bank.read(path)


def test_the_example_of_the_bank_computes_what_brute_force_computes():
    question = next(question for question in QUESTIONS if question.id == "best-of-two-of-five")
    pairs = list(itertools.combinations((0.20, 0.22, 0.25, 0.30, 0.40), 2))
    expected = sum(map(min, pairs)) / len(pairs)
    assert f"{expected:.3f}"[1:] in question.answer


@pytest.mark.parametrize(
    "question", [q for q in QUESTIONS if q.picture], ids=lambda question: question.id
)
def test_a_picture_draws_itself_and_says_in_words_what_it_shows(question):
    figure = question.draw()
    assert figure.axes and len(words(describe(figure))) >= 15
    assert question.in_words() == describe(figure)
    plt.close(figure)


def test_every_picture_is_asked_about_and_only_a_question_with_one_draws():
    assert {question.picture for question in QUESTIONS if question.picture} == set(pictures())
    without = next(question for question in QUESTIONS if not question.picture)
    with pytest.raises(InterviewError, match=f"{without.id}.*no picture"):
        without.draw()
    with pytest.raises(InterviewError, match="no picture 'sunset'"):
        draw("sunset")

"""The deck, opened by Anki's own library: every question is there, whole, escaped, with its
picture, and its id stays."""

import re
from dataclasses import replace

import matplotlib
import pytest
from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest

from hpt_lab.errors import InterviewError
from hpt_lab.interview import load
from hpt_lab.interview.deck import FIELDS, write_deck
from tests.interview.test_mock import run

PICTURED = next(question for question in load() if question.picture)
FEW = [
    load()[0],
    PICTURED,
    replace(load()[1], id="evil", question="<script>x</script> & 5 < 6", topic="a b  c"),
]


@pytest.fixture(scope="module", autouse=True)
def without_a_screen():
    matplotlib.use("Agg")


@pytest.fixture
def anki(tmp_path):
    collection = Collection(str(tmp_path / "collection.anki2"))
    yield collection
    collection.close()


def imported(anki, path):
    anki.import_anki_package(
        ImportAnkiPackageRequest(package_path=str(path), options=ImportAnkiPackageOptions())
    )
    notes = [anki.get_note(id) for id in anki.find_notes("")]
    return {note.fields[0]: note for note in notes}


def test_anki_reads_every_question_of_the_bank_with_two_cards_each(anki, tmp_path):
    path = tmp_path / "all.apkg"
    said = run("anki", path, keys="")
    notes = imported(anki, path)
    assert set(notes) == {question.id for question in load()} and f"{len(notes)} questions" in said
    assert all(len(note.cards()) == 2 for note in notes.values())
    for question in load():
        note = notes[question.id]
        assert {
            f"lesson::{question.lesson}",
            f"level::{question.level}",
            f"kind::{question.kind}",
        } <= set(note.tags)
        assert all(note.fields[FIELDS.index(name)] for name in FIELDS if name != "Picture")
        assert ".ipynb" in note.fields[-1]
    pictures = {f"hpt_lab-{question.id}.png" for question in load() if question.picture}
    assert {file.name for file in (tmp_path / "collection.media").iterdir()} >= pictures


def test_cards_are_rendered_with_question_picture_and_answer(anki, tmp_path):
    write_deck(tmp_path / "few.apkg", FEW)
    note = imported(anki, tmp_path / "few.apkg")[PICTURED.id]
    first, second = (card.render_output() for card in note.cards())
    assert f'<img src="hpt_lab-{PICTURED.id}.png">' in first.question_text
    words = re.sub(r"<[^>]+>", "", first.answer_text)
    assert PICTURED.answer.split()[0] in words and PICTURED.rubric[2].split()[0] in words
    assert (
        "And then:" in second.question_text
        and PICTURED.follow_up_answer.split()[0] in second.answer_text
    )
    content = (tmp_path / "collection.media" / f"hpt_lab-{PICTURED.id}.png").read_bytes()
    assert content[:4] == b"\x89PNG"


def test_text_is_escaped_and_tags_hold_no_spaces(anki, tmp_path):
    write_deck(tmp_path / "few.apkg", FEW)
    note = imported(anki, tmp_path / "few.apkg")["evil"]
    assert "&lt;script&gt;" in note.fields[1] and "<script" not in note.fields[1]
    assert "topic::a-b-c" in note.tags


def test_a_newer_deck_changes_cards_and_doubles_none(anki, tmp_path):
    write_deck(tmp_path / "old.apkg", FEW)
    before = {name: note.id for name, note in imported(anki, tmp_path / "old.apkg").items()}
    write_deck(tmp_path / "new.apkg", [replace(question, answer="Changed.") for question in FEW])
    after = imported(anki, tmp_path / "new.apkg")
    assert {name: note.id for name, note in after.items()} == before


@pytest.mark.parametrize("name", ["deck.zip", "nowhere/deck.apkg"])
def test_a_file_that_can_be_no_deck_is_refused(tmp_path, name):
    with pytest.raises(InterviewError, match="apkg"):
        write_deck(tmp_path / name)

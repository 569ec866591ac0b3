"""The rules of a lesson (docs: CONTRIBUTING.md), held against every notebook."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

from tests.solutions import FOLDED, solutions

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("[01]*.ipynb"))
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=[path.stem for path in LESSONS])


def cells(path, kind):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def tags(cell):
    return cell.metadata.get("tags", [])


def prose(path):
    """Return a lesson's text without what is folded away or stands in an appendix."""
    text = "\n\n".join(cell.source for cell in cells(path, "markdown"))
    text = FOLDED.sub("", text)
    return re.split(r"^## Appendix", text, flags=re.MULTILINE)[0]


@each_lesson
def test_a_lesson_is_about_1800_words_of_prose(path):
    text = re.sub(r"\]\([^)]*\)", "]", prose(path))  # without the targets of links
    assert len(re.findall(r"[^\W\d][\w’'-]*", text)) <= 1900


@each_lesson
def test_code_that_shows_has_at_most_15_lines_of_80_columns_and_no_assertion(path):
    for cell in cells(path, "code"):
        lines = cell.source.splitlines()
        assert max(map(len, lines)) <= 80, cell.source
        assert len(lines) <= 15, cell.source
        assert "NBVAL" not in cell.source, "use the tag nbval-check-output"
        assert not any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(cell.source)))


@each_lesson
def test_claims_are_folded_single_lines(path):
    claims = [cell for cell in cells(path, "code") if "claims" in tags(cell)]
    assert len(claims) >= 3
    for cell in claims:
        assert re.fullmatch(r"claims\.\w+\([^\n]*\)", cell.source), cell.source
        assert (
            cell.metadata["jupyter"]["source_hidden"]
            and cell.metadata["transient"]["remove_source"]
        )
        assert not cell.outputs


@each_lesson
def test_solutions_never_overwrite_what_the_learner_wrote(path):
    learners = set()
    for cell in cells(path, "code"):
        learners |= names_bound(cell.source)
    found = [code for cell in cells(path, "markdown") for code in solutions(cell.source)]
    assert found, "a lesson has exercises, with their solutions folded below them"
    for code in found:
        assert not names_bound(code) & learners


def names_bound(source):
    """Return the names that a cell binds at its top level."""
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.For | ast.With):
            names |= {
                name.id
                for name in ast.walk(node)
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            }
    return names


@each_lesson
def test_the_reader_guesses_before_the_answer(path):
    guesses = [
        cell
        for cell in cells(path, "code")
        if re.search(r"^my_\w+ = \.\.\.", cell.source, flags=re.MULTILINE)
    ]
    assert guesses, "my_guess = ..."


@each_lesson
def test_a_lesson_ends_with_what_was_learned_where_it_fails_and_the_interview(path):
    text = prose(path)
    for heading in ("## What you have learned", "**Where it fails", "## In the interview"):
        assert heading in text
    interview = text.split("## In the interview")[1]
    questions = re.findall(r'^\*\*["“].+?["”]\*\*', interview, flags=re.MULTILINE)
    assert 3 <= len(questions) <= 5, questions
    assert interview.count("*Follow-up.*") == interview.count("*Trap.*") == len(questions)


@each_lesson
def test_papers_are_linked_and_lessons_lead_to_their_neighbours(path):
    text = "\n".join(cell.source for cell in cells(path, "markdown"))
    assert re.search(r"\]\(https://(doi\.org|arxiv\.org)/", text) or path.stem.startswith(
        ("00", "11")
    )
    place = LESSONS.index(path)
    header = cells(path, "markdown")[0].source
    if place:
        assert f"]({LESSONS[place - 1].name})" in header
    if place + 1 < len(LESSONS):  # the last one says what is to come
        assert re.search(rf"\*\*Next:?\*\*.*\]\({LESSONS[place + 1].name}\)", text), (
            "a link to the next lesson"
        )

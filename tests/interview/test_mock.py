"""The mock interview: its plan, what it asks next, what it says at the end, and that no grade is
lost."""

import json
from collections import Counter
from datetime import UTC, datetime
from itertools import cycle

import pytest
from typer.testing import CliRunner

from hpt_lab.cli import app
from hpt_lab.errors import InterviewError
from hpt_lab.interview import load, mock
from hpt_lab.interview.drills import DRILLS
from hpt_lab.interview.mock import Interview, last_run, next_seed, recorded, report, steps
from hpt_lab.interview.progress import entries, read

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
QUESTIONS = {question.id: question for question in load()}


def room(path, grades=(), *, minutes=20, level="screening", seed=0, clock=lambda: 0.0):
    """An interview in which these grades were given, as far as it asks."""
    made = Interview(
        steps(minutes=minutes, level=level, seed=seed),
        path,
        minutes=minutes,
        level=level,
        seed=seed,
        clock=clock,
        now=lambda: NOON,
    )
    for grade in grades:
        if made.step is None:
            break
        made.grade(grade)
    return made


@pytest.mark.parametrize("minutes", [20, 45])
@pytest.mark.parametrize("level", ["screening", "senior"])
@pytest.mark.parametrize("seed", range(4))
def test_a_plan_mixes_kinds_and_has_one_drill_one_design_and_a_picture(minutes, level, seed):
    planned = steps(minutes=minutes, level=level, seed=seed)
    assert [step.id for step in planned] == [
        step.id for step in steps(minutes=minutes, level=level, seed=seed)
    ]
    assert len({step.id for step in planned}) == len(planned) == len(mock.PLANS[minutes])
    asked = [QUESTIONS[step.id] for step in planned if step.id in QUESTIONS]
    assert sum(step.part == "drill" for step in planned) == 1
    assert Counter(question.kind for question in asked)["design"] == 1
    assert any(step.draw is not None for step in planned)
    assert {question.level for question in asked} <= set(mock.LEVELS[level])


@pytest.mark.parametrize("level", ["screening", "senior"])
def test_the_warm_up_is_of_the_easier_level(level):
    first = [QUESTIONS[steps(level=level, seed=seed)[0].id].level for seed in range(12)]
    assert set(first) == {mock.LEVELS[level][0]}


def test_other_seeds_ask_other_things():
    assert len({tuple(step.id for step in steps(seed=seed)) for seed in range(10)}) == 10


def test_drills_of_twenty_minutes_are_short():
    drawn = {step.id for seed in range(60) for step in steps(seed=seed) if step.part == "drill"}
    assert len(drawn) > 5
    assert max(DRILLS[name].solution.count("\n") for name in drawn) <= mock.SHORT


@pytest.mark.parametrize(("grade", "text"), [(1, "wrong"), (2, "follow_up"), (3, "follow_up")])
def test_what_follows_depends_on_the_answer(tmp_path, grade, text):
    made = room(tmp_path / "p.jsonl", [grade])
    asked = QUESTIONS[made.graded[0].id]
    assert made.step.part == "follow-up" and made.step.id == asked.id
    assert getattr(asked, text) in made.step.prompt
    assert made.step.reveal == (asked.why_wrong if grade == 1 else asked.follow_up_answer)
    made.grade(2)
    assert made.step.part != "follow-up"


def test_every_grade_is_on_the_disk_before_the_next_question(tmp_path):
    path = tmp_path / "p.jsonl"
    made = room(path)
    while made.step is not None:
        made.grade(2)
        assert len(recorded(path)) == len(made.graded)
    assert recorded(path) == made.graded
    assert {answer.part for answer in made.graded} == {"answer", "follow-up", "drill", "picture"}


def test_a_weak_answer_comes_back_in_the_quiz(tmp_path):
    path = tmp_path / "p.jsonl"
    made = room(path, [1])
    assert [(review.id, review.grade) for review in read(path)] == [(made.graded[0].id, 1)]
    made.grade(3)  # the follow-up is not a card of its own
    assert len(read(path)) == 1


def test_time_ends_it_and_the_report_says_what_was_not_reached(tmp_path):
    ticks = iter([0.0] * 2 + [30 * 60.0] * 99)
    made = room(tmp_path / "p.jsonl", [2], clock=lambda: next(ticks))
    assert made.step is None and made.left == len(mock.PLANS[20]) - 1
    assert f"{made.left} planned questions were not reached" in made.report()


def test_the_report_names_strengths_weak_spots_and_links_the_cells(tmp_path):
    made = room(tmp_path / "p.jsonl", cycle([1, 3, 3]))
    said = made.report()
    weak = [answer for answer in made.graded if answer.grade == 1]
    for answer in weak:
        assert answer.topic in said.split("**Weak spots.**")[1]
        assert ".ipynb" in said.split("**Read again.**")[1]
    great = {answer.topic for answer in made.graded} - {
        answer.topic for answer in made.graded if answer.grade < 3
    }
    for topic in great:
        assert topic in said.split("**Strengths.**")[1].split("**Weak")[0]


def test_an_interview_is_compared_with_the_last_one_of_its_level(tmp_path):
    path = tmp_path / "p.jsonl"
    assert "first on record" in room(path, [1, 1]).report()
    later = Interview(
        steps(), path, minutes=20, level="screening", now=lambda: NOON.replace(year=2027)
    )
    later.grade(3)
    assert (
        "Mean grade 3.0 of 3; last time at this level 1.0 over 2 answers (2026-05-01)"
        in later.report()
    )
    other = Interview(steps(level="senior"), path, minutes=20, level="senior")
    other.grade(3)
    assert "first on record" in other.report()
    assert next_seed(path) == 3


def test_a_record_that_others_have_edited_is_passed_over(tmp_path):
    path = tmp_path / "p.jsonl"
    room(path, [2])
    line = next(entry for entry in entries(path) if entry["kind"] == "interview")
    bad = [
        {**line, "grade": 9},
        {**line, "grade": "2"},
        {**line, "topic": 3},
        {"kind": "interview"},
        {name: value for name, value in line.items() if name != "run"},
    ]
    path.write_text(path.read_text() + "".join(json.dumps(entry) + "\n" for entry in bad))
    assert len(recorded(path)) == 1 and last_run(path, "screening") == recorded(path)


def test_an_answer_that_was_begun_in_time_may_be_graded_late_and_nothing_after_the_end(tmp_path):
    minute = [0.0]
    made = room(tmp_path / "p.jsonl", clock=lambda: minute[0] * 60)
    minute[0] = 25.0
    made.grade(3)
    assert len(recorded(tmp_path / "p.jsonl")) == 1 and made.step is None
    while made.current is not None:
        made.grade(2)
    with pytest.raises(InterviewError, match="over"):
        made.grade(2)


def test_nothing_answered_is_said_so():
    assert "Nothing was answered" in report([], minutes=0)


@pytest.mark.parametrize("wrong", [{"minutes": 30}, {"level": "engineer"}, {"seed": -1}])
def test_what_there_is_no_interview_of_is_refused(wrong):
    with pytest.raises(InterviewError):
        steps(**wrong)


def run(*arguments, keys, code=0):
    done = CliRunner().invoke(app, [*map(str, arguments)], input=keys)
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_an_interview_in_the_terminal_shows_rubrics_and_ends_with_a_report(tmp_path):
    path = tmp_path / "p.jsonl"
    said = run("interview", "--seed", 0, "--progress", path, keys="\n2\n" * 12)
    for step in steps(seed=0):
        assert step.rubric[2].split()[0] in said
    assert "Strengths." in said and "Weak spots." in said and len(recorded(path)) >= 5


def test_leaving_keeps_every_grade(tmp_path):
    path = tmp_path / "p.jsonl"
    said = run(
        "interview", "--seed", 0, "--progress", path, keys="\n2\n\nx\n3\n"
    )  # then the input ends, like Ctrl-C
    assert "Every grade you gave is kept." in said and "2 answers" in said
    assert [answer.grade for answer in recorded(path)] == [2, 3]


def test_a_drill_can_be_handed_in_as_a_file(tmp_path):
    planned = steps(seed=0)
    drill = next(step for step in planned if step.part == "drill")
    answer = tmp_path / "answer.py"
    answer.write_text(f"import math\nimport numpy as np\n\n{DRILLS[drill.id].solution}")
    assert drill.check(answer)
    answer.write_text("x = 1\n")
    assert not drill.check(str(answer))


def test_diagnosing_in_the_terminal_counts_and_writes_down(tmp_path):
    path = tmp_path / "p.jsonl"
    said = run("diagnose", "--count", 2, "--progress", path, keys="z\na\nB\n")
    lines = [entry for entry in entries(path) if entry["kind"] == "diagnosis"]
    assert [line["answer"] for line in lines] == ["A", "B"]
    assert f"{sum(line['right'] for line in lines)} of 2 right" in said
    assert "0 of 0 right" in run("diagnose", "--progress", path, keys="q\n")

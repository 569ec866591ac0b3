"""Every drill: its reference passes, each typical mistake fails with its own hint, and odd answers
are survived."""

import textwrap

import pytest

from hpt_lab.errors import InterviewError
from hpt_lab.interview import drills
from hpt_lab.interview.drills import runner

NAMES = sorted(drills.DRILLS)
each_drill = pytest.mark.parametrize("name", NAMES)


@each_drill
def test_the_reference_passes(name):
    assert drills.grade(name, drills.DRILLS[name].reference)


@each_drill
def test_at_least_three_typical_mistakes_fail_each_with_its_own_hint(name):
    drill = drills.DRILLS[name]
    assert len(drill.mistakes) >= 3 and len(set(drill.mistakes.values())) == len(drill.mistakes)
    for mistake, hint in drill.mistakes.items():
        verdict = drills.grade(name, mistake)
        assert verdict.status == "wrong" and verdict.hint == hint, (mistake.__name__, verdict)


@each_drill
def test_the_stub_is_not_answered_yet(name):
    space = {}
    exec(drills.DRILLS[name].stub, space)
    assert drills.grade(name, space[name]).status == "unanswered"


@each_drill
@pytest.mark.parametrize(
    "answer", [3, None, len, lambda: 1, lambda *_: "text", lambda *_: [], lambda *_: 1 / 0]
)
def test_odd_answers_never_pass_and_never_raise(name, answer):
    assert drills.grade(name, answer).status != "right"


def answer(tmp_path, text):
    path = tmp_path / "answer.py"
    path.write_text(textwrap.dedent(text))
    return path


def test_a_right_file_passes(tmp_path):
    assert runner.check_file(
        "f1",
        answer(
            tmp_path,
            """
        def f1(tp, fp, fn):
            if tp == 0:
                return 0.0
            precision, recall = tp / (tp + fp), tp / (tp + fn)
            return 2 / (1 / precision + 1 / recall)
    """,
        ),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def f1(tp, fp, fn):\n    while True: pass", "did not end"),
        ("import os\ndef f1(tp, fp, fn):\n    os._exit(3)", "exit code 3"),
        (
            "import os, signal\ndef f1(tp, fp, fn):\n    os.kill(os.getpid(), signal.SIGSEGV)",
            "exit code -11",
        ),
        ("def f1(tp, fp, fn):\n    return len(bytearray(10**11))", "MemoryError"),
        ("raise ValueError('no')", "ValueError: no"),
        ("def f(x): return x", "no function f1"),
        ("def f1(tp, fp, fn):\n    return tp / (tp + fp)", "should give"),
        ("syntax error(", "SyntaxError"),
        ("import sys\nsys.exit(0)", "ended the whole process"),
    ],
)
def test_a_file_that_hangs_crashes_or_eats_memory_is_survived(tmp_path, text, says):
    verdict = runner.check_file("f1", answer(tmp_path, text), seconds=5)
    assert verdict.status == "wrong" and says in verdict.text and verdict.hint


def test_unknown_drills_and_missing_files_are_refused(tmp_path):
    with pytest.raises(InterviewError, match="there are"):
        drills.grade("nothing", len)
    with pytest.raises(InterviewError, match="there are"):
        runner.check_file("nothing", tmp_path)
    with pytest.raises(InterviewError, match="def f1"):
        runner.check_file("f1", tmp_path / "missing.py")

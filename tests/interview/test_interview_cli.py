"""`hpt-lab drill`, as a person types it: list, show, write, check; the exit code tells right from
wrong."""

import pytest
from typer.testing import CliRunner

from hpt_lab.cli import app
from hpt_lab.errors import InterviewError
from hpt_lab.interview import drills


def run(*arguments, code=0, keys=None):
    done = CliRunner().invoke(app, [*map(str, arguments)], input=keys)
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_list_names_every_drill_once_by_lesson():
    lines = run("drill", "list").splitlines()
    assert sorted(line.split()[1] for line in lines) == sorted(drills.DRILLS)
    assert [line[:2] for line in lines] == sorted(line[:2] for line in lines)


@pytest.mark.parametrize("name", sorted(drills.DRILLS))
def test_what_is_shown_can_be_pasted_into_a_file_that_defines_the_function(name):
    shown = run("drill", "show", name)
    assert drills.DRILLS[name].statement in shown and drills.DRILLS[name].stub in shown
    assert drills.DRILLS[name].solution not in shown
    assert drills.DRILLS[name].solution in run("drill", "show", name, "--solution")


@pytest.mark.parametrize("name", ["adam", "gp_posterior"])
def test_the_solution_below_the_stub_passes(tmp_path, name):
    drill = drills.DRILLS[name]
    path = tmp_path / "answer.py"
    path.write_text(drill.stub + "\n\n" + drill.solution)
    assert "Right" in run("drill", "check", name, path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def f1(tp, fp, fn):\n    return tp / (tp + fp)\n", "Hint: that is precision"),
        ("def f1(tp, fp, fn):\n    ...\n", "Not answered yet"),
    ],
)
def test_an_answer_that_is_not_right_exits_with_1(tmp_path, text, says):
    path = tmp_path / "answer.py"
    path.write_text(text)
    assert says in run("drill", "check", "f1", path, code=1)


@pytest.mark.parametrize(
    "arguments", [("show", "nothing"), ("check", "nothing", "x.py"), ("check", "f1", "missing.py")]
)
def test_unknown_drills_and_files_are_errors_of_ours(arguments):
    done = CliRunner().invoke(app, ["drill", *arguments])
    assert isinstance(done.exception, InterviewError)

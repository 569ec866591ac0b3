"""The command line, as a person types it: published plans, one JSON line, kill and resume, one-line
errors."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hpt_lab as hpt
from hpt_lab.cli import SPACES, main, make_strategy
from hpt_lab.strategies import STRATEGIES

HPT_LAB = Path(sys.executable).with_name("hpt-lab")


def hpt_lab(*arguments, code=0, cwd=None):
    done = subprocess.run(
        [HPT_LAB, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.mark.parametrize(
    ("rounding", "totals"),
    [("algorithm", (143, 206, 1902, 1581)), ("table", (128, 187, 1701, 1404))],
)
def test_plan_prints_the_published_table(rounding, totals):
    plan = json.loads(
        hpt_lab(
            "plan", "hyperband", "--max-budget", 81, "--eta", 3, "--rounding", rounding, "--json"
        )
    )
    assert (
        tuple(plan[name] for name in ("configs", "runs", "epochs_scratch", "epochs_resumed"))
        == totals
    )
    assert plan["brackets"][0] == {
        "bracket": 4,
        "rungs": [{"n": 81 // 3**i, "budget": 3**i} for i in range(5)],
    }
    assert (
        len(json.loads(hpt_lab("plan", "hyperband", "--max-budget", 243, "--json"))["brackets"])
        == 6
    )
    assert (
        len(
            json.loads(hpt_lab("plan", "hyperband", "--max-budget", 1000, "--eta", 10, "--json"))[
                "brackets"
            ]
        )
        == 4
    )


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_strategy_is_on_the_command_line_and_trains_no_longer_than_asked(name):
    strategy = make_strategy(name, SPACES["mlp"], 9, 3, 1, None, None, seed=0)
    assert strategy.name == name and hpt.AskTell(strategy).ask().budget <= 9


def test_population_based_training_gets_only_what_may_change_during_training():
    space = make_strategy("population", SPACES["mlp"], 9, 3, 1, None, None, seed=0).space
    assert list(space) == ["learning_rate", "dropout", "batch_size"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["plan", "hyperband", "--eta", "1"], "hpt-lab: eta must be an integer >= 2, got 1; try 3"),
        (["plan", "hill-climbing"], "strategy must be one of"),
        (["plan", "random", "--rounding", "table"], "takes no --rounding"),
        (["tune", "--data", "mnist"], "--data must be one of digits"),
        (["resume", "nowhere.jsonl"], "can't read the journal"),
    ],
)
def test_bad_arguments_are_one_line(arguments, says):
    error = hpt_lab(*arguments, code=2)
    assert says in error and error.count("\n") == 1


def test_copy_never_overwrites_without_force(tmp_path):
    hpt_lab("copy", tmp_path / "course")
    lessons = sorted((tmp_path / "course").glob("*.ipynb"))
    assert lessons and lessons[0].name.startswith("00")
    lessons[0].write_text("my notes")
    hpt_lab("copy", tmp_path / "course", code=1)
    assert lessons[0].read_text() == "my notes"
    hpt_lab("copy", tmp_path / "course", "--force")
    assert lessons[0].read_text() != "my notes"


def test_doctor_lists_versions():
    assert "tensorflow" in hpt_lab("doctor")


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuned")
    out = hpt_lab(
        "tune",
        "--data",
        "two_moons",
        "--max-budget",
        9,
        "--seed",
        0,
        "--journal",
        folder / "whole.jsonl",
        "--reveal-test",
        "--plot",
        folder / "brackets.png",
    )
    return folder, json.loads(out.splitlines()[-1])


def test_tune_ends_with_one_json_object_and_draws(tuned):
    folder, result = tuned
    assert {"best", "trials", "runs", "epochs", "seconds", "digest", "test"} <= result.keys()
    assert {"config", "loss", "metrics"} <= result["best"].keys()
    plan = json.loads(hpt_lab("plan", "hyperband", "--max-budget", 9, "--json"))
    assert (result["trials"], result["runs"], result["epochs"]) == (
        plan["configs"],
        plan["runs"],
        plan["epochs_resumed"],
    )
    assert result["best"]["loss"] == pytest.approx(1 - result["best"]["metrics"]["accuracy"])
    assert (folder / "brackets.png").read_bytes().startswith(b"\x89PNG")


def test_kill_9_then_resume_gives_the_digest_of_the_uninterrupted_run(tuned):
    folder, result = tuned
    size = (folder / "whole.jsonl").stat().st_size
    journal = folder / "killed.jsonl"
    process = subprocess.Popen(
        [HPT_LAB, "tune", "--data", "two_moons", "--max-budget", "9", "--journal", journal],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not journal.exists() or journal.stat().st_size < size // 2:
        time.sleep(0.005)
        assert process.poll() is None, "ended before it was killed"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert journal.stat().st_size < size
    assert json.loads(hpt_lab("resume", journal, "--json"))["digest"] == result["digest"]


@pytest.mark.parametrize("plot", ["missing/plot.png", "plot.xyz", "."])
@pytest.mark.parametrize("command", [["tune", "--strategy", "random"], ["race"]])
def test_a_picture_that_can_not_be_written_is_refused_before_anything_is_spent(
    plot, command, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["hpt-lab", *command, "--plot", plot])
    monkeypatch.setattr("hpt_lab.cli.make_objective", lambda *arguments: pytest.fail("it trained"))
    monkeypatch.setattr(
        "hpt_lab.curves.cli.race", lambda *arguments, **options: pytest.fail("it raced")
    )
    with pytest.raises(SystemExit):
        main()
    error = capsys.readouterr().err
    assert error.startswith("hpt-lab: can't draw into") and error.count("\n") == 1

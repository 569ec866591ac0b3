"""The journal: killed anywhere, the study resumes to the same digest; what is not its journal is
refused."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import hpt_lab as hpt
from hpt_lab.errors import JournalError

SPACE = hpt.Space(
    x=hpt.Float(-2, 2),
    kind=hpt.Choice(["a", None, 1]),
    z=hpt.Float(0.1, 1, log=True, when={"kind": "a"}),
)
STRATEGY = hpt.hyperband(SPACE, max_budget=9, seed=0)


def objective(config, budget):
    if config["x"] < -1.5:
        raise RuntimeError('a "quoted" \n message with é')
    return hpt.Outcome(
        config["x"] ** 2 / budget,
        {"accuracy": 0.1, "gone": float("nan")},
        curves={"loss": [1.0, float("inf")]},
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("journal") / "whole.jsonl"
    study = hpt.tune(objective, STRATEGY, journal=path, progress=False)
    return path.read_bytes(), study


def test_resume_from_every_line_and_inside_lines_gives_the_same_digest(whole, tmp_path):
    raw, study = whole
    header = raw.index(b"\n") + 1
    cuts = {header, len(raw)} | {
        i + d for i in range(header, len(raw)) if raw[i : i + 1] == b"\n" for d in (0, 1, 7, 40)
    }
    assert len(cuts) > 100
    for cut in sorted(c for c in cuts if c <= len(raw)):
        path = tmp_path / "cut.jsonl"
        path.write_bytes(raw[:cut])
        resumed = hpt.resume(path, objective, progress=False)
        assert resumed.digest == study.digest and len(resumed.history.records) == len(
            study.history.records
        )


def test_a_resumed_journal_equals_the_uninterrupted_one(whole, tmp_path):
    raw, _ = whole
    path = tmp_path / "cut.jsonl"
    path.write_bytes(raw[: len(raw) // 2])
    hpt.resume(path, objective, progress=False)

    def timeless(data):
        return [{**json.loads(line), "seconds": 0} for line in data.splitlines()]

    assert timeless(path.read_bytes()) == timeless(raw)


def test_nothing_is_run_twice_when_a_finished_study_is_tuned_again(whole, tmp_path):
    path = tmp_path / "done.jsonl"
    path.write_bytes(whole[0])
    code = json.loads(whole[0].splitlines()[0])["code"]
    study = hpt.tune(
        lambda config: pytest.fail("ran again"),
        STRATEGY,
        journal=path,
        progress=False,
        version=code,
    )
    assert study.digest == whole[1].digest and path.read_bytes() == whole[0]
    assert (
        study.best.outcome.metrics["accuracy"] == 0.1
        and str(study.best.outcome.curves) == "{'loss': [1.0, inf]}"
    )


def test_a_parallel_study_resumes_with_what_was_pending(tmp_path):
    path = tmp_path / "parallel.jsonl"
    with ThreadPoolExecutor(4) as executor:
        done = hpt.tune(objective, STRATEGY, journal=path, executor=executor, progress=False)
        raw = path.read_bytes()
        for cut in range(raw.index(b"\n") + 1, len(raw), len(raw) // 17):
            path.write_bytes(raw[:cut])
            assert (
                hpt.resume(path, objective, executor=executor, progress=False).digest == done.digest
            )


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (hpt.hyperband(SPACE, max_budget=9, seed=1), "settings.seed is 0 there and 1 here"),
        (hpt.hyperband(SPACE, max_budget=27, seed=0), "settings.max_budget is 9 there and 27 here"),
        (
            hpt.random_search(SPACE, trials=4),
            "strategy is 'hyperband' there and 'random_search' here",
        ),
        (
            hpt.hyperband(hpt.Space(x=hpt.Float(-2, 3)), max_budget=9),
            r"settings.space.x.high is 2 there and 3 here",
        ),
    ],
)
def test_the_journal_of_another_study_is_refused_and_says_what_differs(
    whole, tmp_path, other, says
):
    path = tmp_path / "other.jsonl"
    path.write_bytes(whole[0])
    with pytest.raises(JournalError, match=says):
        hpt.tune(objective, other, journal=path, progress=False)
    assert path.read_bytes() == whole[0]


@pytest.mark.parametrize(
    ("garbage", "line", "says"),
    [
        (b"\x00\xff garbage", 5, "line 5: not a journal entry"),
        (b'{"tell": 99, "budget": 1}', 5, "never asked"),
        (b"[1, 2]", 3, "line 3: not a journal entry"),
        (b"hello", 1, "not a journal of hpt_lab"),
        (b'{"hpt_lab_journal": 99}', 1, "version 99"),
        (b'{"tell": 0, "budget": 1, "loss": "x"}', 3, "lacks or garbles"),
    ],
)
def test_garbage_in_the_middle_is_an_error_that_names_the_line_and_changes_nothing(
    whole, tmp_path, garbage, line, says
):
    lines = whole[0].splitlines(keepends=True)
    lines[line - 1] = garbage + b"\n"
    path = tmp_path / "garbage.jsonl"
    path.write_bytes(b"".join(lines))
    with pytest.raises(JournalError, match=says):
        hpt.tune(objective, STRATEGY, journal=path, progress=False)
    assert path.read_bytes() == b"".join(lines)


def test_a_config_edited_by_hand_is_refused(whole, tmp_path):
    lines = whole[0].splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"kind": ', b'"kind_": ')
    path = tmp_path / "edited.jsonl"
    path.write_bytes(b"".join(lines))
    with pytest.raises(JournalError, match="line 2: the strategy now asks for"):
        hpt.resume(path, objective, progress=False)


def test_a_missing_or_empty_journal_is_a_clear_error_for_resume(tmp_path):
    with pytest.raises(JournalError, match="can't read the journal"):
        hpt.resume(tmp_path / "no.jsonl", objective)
    (tmp_path / "empty.jsonl").write_bytes(b'{"hpt_lab_jour')
    with pytest.raises(JournalError, match="has no header"):
        hpt.resume(tmp_path / "empty.jsonl", objective)


SCRIPT = """
import sys, time
import hpt_lab as hpt
def objective(config, budget):
    time.sleep(0.005)
    return config["x"] ** 2 / budget
space = hpt.Space(x=hpt.Float(-2, 2))
print(hpt.tune(objective, hpt.hyperband(space, max_budget=27), journal=sys.argv[1], progress=False).digest)
"""


def test_kill_9_at_any_moment_then_resume_gives_the_same_digest(tmp_path):
    def run(path):
        return subprocess.run(
            [sys.executable, "-c", SCRIPT, path], capture_output=True, text=True, check=True
        ).stdout

    expected = run(tmp_path / "whole.jsonl")
    for i in range(3):
        path = tmp_path / f"killed{i}.jsonl"
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, path], stdout=subprocess.DEVNULL)
        while not path.exists() or path.stat().st_size < 600 + 3000 * i:
            time.sleep(0.002)
            assert process.poll() is None
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert run(path) == expected

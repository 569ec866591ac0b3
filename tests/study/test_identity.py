"""Journals and code: results of an edited objective are never taken for this one's."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import textwrap
import types

import numpy as np
import pytest

from hpt_lab.errors import JournalError
from hpt_lab.fingerprint import UNKNOWN, differs, fingerprint
from hpt_lab.space import Float, Space
from hpt_lab.strategies.random_search import random_search
from hpt_lab.study import resume, tune

SEARCH = random_search(Space(x=Float(-2, 2)), trials=3, seed=0)
BASE = """
    SCALE = 2
    LAYERS = [8, 4]
    TABLE = {"relu": 1}

    def helper(x):
        return x * SCALE

    class Helper:
        weight = 3
        def value(self, x):
            return self.weight * x

    def objective(c, power=2):
        total = LAYERS[0] + TABLE["relu"]
        def inner(x):
            return helper(x) + Helper().value(x)
        return inner(c["x"]) ** power + total
"""
SAME = {
    "comment": ("total = LAYERS[0]", "# why\n        total = LAYERS[0]"),
    "blank line and docstring": (
        "def objective(c, power=2):",
        'def objective(c, power=2):\n        """Says so."""\n',
    ),
    "local names": (
        "def inner(x):\n            return helper(x) + Helper().value(x)",
        "def inner(y):\n            return helper(y) + Helper().value(y)",
    ),
    "unused code": ("def helper", "OTHER = 5\n\n    def helper"),
}
OTHER = {
    "global": ("SCALE = 2", "SCALE = 3"),
    "list": ("[8, 4]", "[8, 5]"),
    "dictionary": ('"relu": 1', '"relu": 2'),
    "helper": ("x * SCALE", "x + SCALE"),
    "class attribute": ("weight = 3", "weight = 4"),
    "method": ("self.weight * x", "self.weight + x"),
    "default": ("power=2", "power=3"),
    "constant": ("** power + total", "** power + 2 * total"),
    "inner function": ("helper(x) +", "helper(x) -"),
}


def made(source):
    module = types.ModuleType("theirs")
    exec(compile(textwrap.dedent(source), "theirs.py", "exec"), module.__dict__)
    return module.objective


@pytest.mark.parametrize("edit", SAME)
def test_what_changes_no_result_changes_no_fingerprint(edit):
    assert BASE.count(SAME[edit][0]) == 1
    assert fingerprint(made(BASE.replace(*SAME[edit]))) == fingerprint(made(BASE))


@pytest.mark.parametrize("edit", OTHER)
def test_what_changes_results_changes_the_fingerprint(edit):
    assert BASE.count(OTHER[edit][0]) == 1
    assert differs(fingerprint(made(BASE.replace(*OTHER[edit]))), fingerprint(made(BASE)))


class Callable:
    def __init__(self, scale):
        self.scale, self.calls, self.log = scale, 0, []

    def __call__(self, config):
        self.calls += 1
        self.log.append(config)
        return self.scale * config["x"]

    def run_it(self, config):
        return self(config)


def closure(value):
    return lambda config: config["x"] * value


@pytest.mark.parametrize(
    "make",
    [
        closure,
        Callable,
        lambda v: Callable(v).run_it,
        lambda v: functools.partial(lambda s, c: s, v),
        lambda v: functools.partial(lambda c, s=0: s, s=v),
        lambda v: closure(np.full(3, v)),
        lambda v: closure([1, (v, "a")]),
        lambda v: closure({"a": v}),
        lambda v: closure({1, v + 5}),
        lambda v: functools.cache(closure(v)),
        lambda v: closure(Callable(v)),
        lambda v: closure(types.SimpleNamespace(v=v)),
    ],
    ids=[
        "closure",
        "object",
        "method",
        "partial",
        "partial by name",
        "array",
        "list",
        "dict",
        "set",
        "cached",
        "object in a closure",
        "namespace",
    ],
)
def test_values_that_code_carries_count(make):
    assert fingerprint(make(1)) == fingerprint(make(1)) != UNKNOWN
    assert differs(fingerprint(make(1)), fingerprint(make(2)))


def test_what_changes_while_it_runs_does_not_count():
    objective, seen = Callable(2), []

    def logs(config):
        seen.append(config)
        return objective(config)

    before = fingerprint(objective), fingerprint(logs)
    logs({"x": 1.0})
    assert (fingerprint(objective), fingerprint(logs)) == before


def test_fingerprint_is_the_same_in_every_process():
    code = (
        "from tests.study.test_identity import *; print(fingerprint(made(BASE)), "
        "fingerprint(closure({'a', 'b', 'c'})))"
    )
    code = code.replace("tests.study.test_identity", "test_identity")
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=str(_here()),
            env={**_environment(), "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def _here():
    from pathlib import Path

    return Path(__file__).parent


def _environment():
    import os

    import hpt_lab

    return {**os.environ, "PYTHONPATH": str(_here().parents[1]) if hpt_lab else ""}


def test_versions_of_python_are_not_compared_but_names_are():
    assert (
        not differs("3.11-aa", "3.12-bb")
        and differs("3.11-aa", "3.11-bb")
        and differs("mine", "yours")
    )
    assert (
        not differs(None, "3.11-aa")
        and not differs(UNKNOWN, "3.11-aa")
        and differs("mine", "3.11-aa")
    )


def square(config):
    return config["x"] ** 2


def cube(config):
    return config["x"] ** 3


def test_edited_objective_is_refused_and_told_how_to_go_on(tmp_path):
    path = tmp_path / "j.jsonl"
    first = tune(square, SEARCH, journal=path)
    with pytest.raises(JournalError, match=r"other code of the objective.*version='") as refused:
        tune(cube, SEARCH, journal=path)
    with pytest.raises(JournalError, match="other code"):
        resume(path, cube)
    name = str(refused.value).partition("version='")[2].partition("'")[0]
    assert tune(cube, SEARCH, journal=path, version=name).digest == first.digest
    assert (
        resume(path, cube, version=name).digest
        == tune(square, SEARCH, journal=path).digest
        == first.digest
    )


def test_name_of_ones_own_survives_every_edit(tmp_path):
    tune(square, SEARCH, journal=tmp_path / "j", version="1")
    assert tune(cube, SEARCH, journal=tmp_path / "j", version="1").best is not None
    with pytest.raises(JournalError, match="'1' there, '2' here"):
        tune(cube, SEARCH, journal=tmp_path / "j", version="2")


def test_journal_without_a_fingerprint_still_resumes(tmp_path):
    path = tmp_path / "j"
    whole = tune(square, SEARCH, journal=path)
    lines = path.read_text().splitlines()
    header = json.loads(lines[0])
    assert header.pop("code") == fingerprint(square)
    path.write_text("\n".join([json.dumps(header), *lines[1:3]]) + "\n")
    assert resume(path, square).digest == whole.digest

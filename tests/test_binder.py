"""Binder builds what it should: Python 3.11, our pins before our package, everything that the
package needs."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PINS = dict(
    line.split("==")
    for line in (ROOT / "binder" / "requirements.txt").read_text().splitlines()
    if line and not line.startswith("#")
)


@pytest.fixture(scope="module")
def dockerfile():
    done = subprocess.run(
        [Path(sys.executable).with_name("jupyter-repo2docker"), "--no-build", "--debug", "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


def test_the_image_has_the_python_the_tests_run_on(dockerfile):
    assert "Building conda environment for python=3.11" in dockerfile


def test_pins_are_installed_before_the_package_so_that_the_big_layer_is_cached(dockerfile):
    requirements = dockerfile.index('pip install --no-cache-dir -r "binder/requirements.txt"')
    repository = dockerfile.index("COPY --chown=0:0 src/ ${REPO_DIR}")
    assert requirements < repository < dockerfile.index("RUN ./binder/postBuild")
    assert "--no-deps" in (ROOT / "binder" / "postBuild").read_text()


def test_everything_the_package_needs_is_pinned_exactly():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [
        re.split(r"[<>=!~\[ ]", line)[0]
        for line in project["dependencies"] + project["optional-dependencies"]["lab"]
    ]
    assert {"tensorflow-cpu" if name == "tensorflow" else name for name in needed} <= PINS.keys()
    assert all(re.fullmatch(r"\d+(\.\d+)+(\.post\d+)?", version) for version in PINS.values())


def test_the_kernel_is_past_the_widget_bug_of_7_0():
    assert tuple(map(int, PINS["ipykernel"].split("."))) >= (7, 4)

"""The lessons as files: executed in order, clean, with alt text on every figure, links alive,
light, offline.

That they run, and that marked outputs are equal, is nbval's part (`make test`); exercises are
tested in tests/checks.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.notebooks import MAP, reading

ROOT = Path(__file__).parents[1]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ids = [path.stem for path in LESSONS]
# seconds; a minute is what we want, and what the lessons that train live miss on slow machines
LONGEST = 120


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", LESSONS, ids=ids)
def test_a_lesson_is_committed_executed_from_top_to_bottom_and_clean(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}, "run `make notebooks`"
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), (
        "run `make notebooks`"
    )
    for cell in cells:
        assert not [
            output
            for output in cell.outputs
            if output.output_type == "error" or output.get("name") == "stderr"
        ]
        assert not [
            output
            for output in cell.outputs
            if "application/vnd.jupyter.widget-view+json" in output.get("data", {})
        ]
        assert not [output for output in cell.outputs if "WARNING:" in output.get("text", "")]
        assert not cell.source.rstrip().endswith(";")
    shown = [cell for cell in notebook.cells if "claims" not in cell.metadata.get("tags", [])]
    assert path.stat().st_size < 1_500_000 and len(shown) <= 70


@pytest.mark.parametrize("path", LESSONS, ids=ids)
def test_the_header_says_what_to_know_and_what_it_costs(path):
    header = nbformat.read(path, as_version=4).cells[0].source
    assert (
        re.match(rf"# {path.stem[:2]} · ", header)
        and "Prerequisites" in header
        and re.search(r"reading \d+ minutes", header)
    )
    seconds, memory = re.search(r"runs in (\d+) s, peak memory ([\d.]+) GB", header).groups()
    assert 0 < int(seconds) < LONGEST and 0 < float(memory) < 1.2


@pytest.mark.parametrize("path", LESSONS, ids=ids)
def test_every_figure_has_alt_text_that_says_something(path):
    for cell in code_cells(path):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                alt = output.metadata.get("image/png", {}).get("alt", "") or output.data.get(
                    "text/plain", ""
                )
                assert len(alt.split()) >= 6 and "Figure size" not in alt and "Axes" not in alt, (
                    cell.source
                )


@pytest.mark.parametrize("path", LESSONS, ids=ids)
def test_links_to_lessons_and_files_are_alive(path):
    text = "\n".join(
        cell.source
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "markdown"
    )
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), target


def test_the_readme_names_the_times_of_the_headers():
    rows = {
        name: (int(minutes), int(seconds))
        for _, name, minutes, seconds in MAP.findall((ROOT / "README.md").read_text())
    }
    headers = {path.name: nbformat.read(path, as_version=4).cells[0].source for path in LESSONS}
    assert rows == {
        name: (reading(header), int(re.search(r"runs in (\d+) s", header)[1]))
        for name, header in headers.items()
    }


def test_links_in_the_readme_are_alive():
    for name in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / name).read_text()):
            if not target.startswith(("http://", "https://")):
                assert (ROOT / target).exists(), target


def test_the_offline_guard_refuses_other_hosts_and_lets_this_machine_through():
    code = (
        "import socket\n"
        "for host in ('192.0.2.1', '127.0.0.1'):\n"
        "    try: socket.create_connection((host, 9), timeout=2)\n"
        "    except OSError as error: print('offline' in str(error))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests" / "offline")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.split() == ["True", "False"]

"""Execute the lessons in fresh kernels and clean them for committing: `make notebooks`, or with
names of a few.

Keeps outputs and kernelspec; strips stderr, widget state and timings; writes the measured run time
and the kernel's peak memory into each lesson's header (the text between "runs in" and "GB"), and
the times into the README's course map.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
README = NOTEBOOKS.parent / "README.md"
KERNEL = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
FOLDED = nbformat.from_dict(
    {
        "jupyter": {"source_hidden": True},  # in JupyterLab
        "transient": {"remove_source": True},
    }
)  # in nbconvert
MEASURED = re.compile(r"runs in \d+ s, peak memory [\d.]+ GB")

MAP = re.compile(
    r"(\(notebooks/([^)]+)\) \| [^|]+ \|) (\d+) \| (\d+) \|"
)  # a lesson's row: its file, minutes, seconds


def reading(header: str) -> int:
    """Return the reading time in minutes that a header names."""
    return int(re.search(r"reading (\d+) minutes", header)[1])


def execute(path: Path) -> str:
    """Run the notebook at `path`, write it back clean, and return what was measured."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    started = time.perf_counter()
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        seconds = time.perf_counter() - started
        status = Path(f"/proc/{client.km.provisioner.pid}/status").read_text()
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1e6
    clean(notebook)
    measured = f"runs in {seconds:.0f} s, peak memory {peak:.2f} GB"
    header = notebook.cells[0]
    if not MEASURED.search(header.source):
        raise SystemExit(f"{path.name}: the first cell must hold the line '{measured}'")
    header.source = MEASURED.sub(measured, header.source)
    nbformat.write(notebook, path)
    minutes = reading(header.source)
    README.write_text(
        MAP.sub(
            lambda row: f"{row[1]} {minutes} | {seconds:.0f} |" if row[2] == path.name else row[0],
            README.read_text(),
        )
    )
    return measured


def clean(notebook: nbformat.NotebookNode) -> None:
    """Leave what a reader needs: sources, outputs, order, kernelspec."""
    notebook.metadata = nbformat.from_dict(KERNEL)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"  # stable ids keep diffs small
        cell.metadata = {
            key: value for key, value in cell.metadata.items() if key in ("tags", "jupyter")
        }
        if "claims" in cell.metadata.get("tags", []):
            cell.metadata |= FOLDED
        if cell.cell_type == "code":
            cell.outputs = joined(
                output for output in cell.outputs if output.get("name") != "stderr"
            )
            for output in (
                cell.outputs
            ):  # a widget without its kernel is an error message in place of its picture
                if "image/png" in output.get("data", {}):
                    output.data.pop("application/vnd.jupyter.widget-view+json", None)


def joined(outputs: Iterable[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """Join what was printed in several pieces: where the pieces end is a matter of time."""
    kept: list[nbformat.NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream" and kept and kept[-1].output_type == "stream":
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


if __name__ == "__main__":
    names = [Path(name) for name in sys.argv[1:]] or sorted(NOTEBOOKS.glob("*.ipynb"))
    for notebook_path in names:
        print(f"{notebook_path.name}: {execute(notebook_path)}", flush=True)

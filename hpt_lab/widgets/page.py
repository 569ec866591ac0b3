"""The widgets as a web page, for those who want no notebook: `hpt-lab playground`.

Voila serves a notebook of this module's making, at 127.0.0.1 with a token, one kernel per visitor.
Read `serve` first.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hpt_lab.errors import HptError

PAGE = (
    "Playground",
    "FitDoctor",
    "FoldExplorer",
    "SearchExplorer",
    "BayesExplorer",
    "BracketExplorer",
    "RaceTrack",
)


def show(*names: str) -> None:
    """Display widgets of `hpt_lab.widgets`, each under a tab of its own; a tab is made when it is
    first opened."""
    import ipywidgets as widgets
    from IPython.display import display

    from hpt_lab import widgets as ours

    names = names or PAGE
    tabs = widgets.Tab(
        children=[widgets.VBox() for _ in names], titles=[_spaced(name) for name in names]
    )

    def open_tab(index: int | None) -> None:
        if index is not None and not tabs.children[index].children:
            tabs.children[index].children = [getattr(ours, names[index])()]

    tabs.observe(lambda change: open_tab(change.new), "selected_index")
    tabs.selected_index = 0
    open_tab(0)
    display(tabs)


def notebook() -> str:
    """Return the page's notebook as JSON."""
    code = "from hpt_lab.widgets.page import show\nshow()"
    cell: dict[str, object] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "page",
        "metadata": {},
        "outputs": [],
        "source": code,
    }
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "title": "hpt-lab",
    }
    return json.dumps({"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def serve(arguments: Sequence[str] = ()) -> int:
    """Serve the page until Ctrl-C; return Voila's exit code. `arguments` are passed on to Voila
    (--no-browser, --port=8866)."""
    if importlib.util.find_spec("voila") is None:
        raise HptError("voila is not installed: pip install 'hpt-lab[lab]'")
    with tempfile.TemporaryDirectory(prefix="hpt_lab_page_") as folder:
        path = Path(folder) / "hpt-lab.ipynb"
        path.write_text(notebook())
        command = [
            sys.executable,
            "-m",
            "voila",
            str(path),
            "--Voila.ip=127.0.0.1",
            "--Voila.auto_token=True",
            *arguments,
        ]
        env = os.environ | {"TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3")}
        try:
            return subprocess.run(command, env=env).returncode
        except KeyboardInterrupt:
            return 0


def _spaced(name: str) -> str:
    return "".join(f" {c.lower()}" if c.isupper() and i else c for i, c in enumerate(name))

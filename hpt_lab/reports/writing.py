"""Write the report of a study: what it was, what it found, what that supports, how to go on."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from hpt_lab.arguments import show
from hpt_lab.errors import DiskError, HptError
from hpt_lab.reports.page import page
from hpt_lab.reports.sections import (
    best,
    curves,
    edges_section,
    failed,
    going_on,
    importance,
    plan_section,
    planned_of,
    steps,
    summary,
    tested,
)
from hpt_lab.study.reading import Recorded, read_recorded
from hpt_lab.study.study import Study


def write_report(source: Study | str | Path, out: str | Path | None = None) -> Path:
    """Write the report of a Study, or of the one in a journal, and return the file's path.

    out: by default beside the journal, `study.jsonl` gives `study.html`; a Study needs it. The file
    holds its pictures, asks no network for anything, and is written whole or not at all.
    Raises HptError for a study without a finished trial, JournalError for an unreadable journal.
    """
    if isinstance(source, Study):
        if out is None:
            raise HptError("out must say where to write a Study's report; try 'report.html'")
        recorded = Recorded(Path(), source, None, [])
        name = f"Report of a study by {source.strategy.name}"
    else:
        recorded = read_recorded(source)
        out = recorded.path.with_suffix(".html") if out is None else out
        name = f"Report of {recorded.path.name}"
    if not recorded.study.history.records:
        raise HptError(
            "the study has no finished trial, so there is nothing to report; run it first"
        )
    path = _target(out, recorded.path)
    _write(path, page(name, *sections(recorded)))
    return path


def sections(recorded: Recorded) -> list[str]:
    """Return the report's sections, in the order in which one asks."""
    study = recorded.study
    planned = planned_of(study)
    return [
        summary(recorded),
        steps(study),
        best(study),
        plan_section(study, planned),
        curves(study),
        importance(study),
        edges_section(study),
        failed(study),
        tested(recorded),
        going_on(recorded, planned),
    ]


def _target(out: Any, journal: Path) -> Path:
    if not isinstance(out, str | os.PathLike):
        raise HptError(f"out must be the path of a file, got {show(out)}; try 'report.html'")
    path = Path(out).expanduser()
    if path.is_dir() or path.resolve() == journal:
        raise HptError(f"can't write the report to {path}: it is a folder, or the journal itself")
    return path


def _write(path: Path, content: str) -> None:
    """Write beside the target, then take its place: a report is whole or not there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, suffix=".html", delete=False, encoding="utf-8"
        ) as file:
            file.write(content)
        os.chmod(file.name, 0o644)
        os.replace(file.name, path)
    except OSError as error:
        raise DiskError(
            f"can't write the report to {path}: {error.strerror}; choose another"
        ) from error

"""The cheat sheet: two pages to print, drawn from numbers that are computed here and now.

hpt-lab cheatsheet FILE.pdf
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hpt_lab.errors import InterviewError
from hpt_lab.interview import sheet_numbers


def write_sheet(path: str | Path) -> None:
    """Write the two pages to `path`, "….pdf". Raises InterviewError for another ending or a missing
    folder."""
    path = Path(path)
    if path.suffix != ".pdf":
        raise InterviewError(
            f"the cheat sheet is a PDF, got {path}; try {path.with_suffix('.pdf')}"
        )
    if not path.parent.is_dir():
        raise InterviewError(
            f"there is no folder {path.parent} for {path.name}; make it, or choose another"
        )
    from hpt_lab.plots import cheat_sheet

    cheat_sheet.write(path, numbers())


def numbers() -> dict[str, Any]:
    """Compute all that the sheet shows."""
    ranks = sheet_numbers.correlations()
    return {
        "tables": sheet_numbers.tables(),
        "importance": sheet_numbers.importance(),
        "correlations": ranks,
        "leads": sheet_numbers.leads(),
        "ten": sheet_numbers.ten(ranks),
    }

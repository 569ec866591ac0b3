"""Where the lessons are, and where in a lesson a cell is: links for those who are sent to read
again."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from hpt_lab.errors import HptError


def course() -> Path:
    """Return the folder with the lessons: inside the installed package, or the checkout's own."""
    package = Path(__file__).resolve().parent
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if any(folder.glob("00*.ipynb")):
            return folder
    raise HptError(f"no lessons found beside {package}; install hpt-lab again")


@cache
def place(lesson: str, cell: str) -> tuple[str, str]:
    """Return (the notebook's file name, the heading above `cell`); the heading is "" where there is
    no such cell.

    cell: the name of a claims call ("claims.cut"), or a heading itself.
    """
    path = next(iter(course().glob(f"{lesson}-*.ipynb")), None)
    if path is None:
        return "", ""
    heading = ""
    for entry in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(entry["source"])
        if entry["cell_type"] == "markdown":
            found = re.findall(r"^#+ (.+)$", source, flags=re.MULTILINE)
            if cell in found:
                return path.name, cell
            heading = found[-1] if found else heading
        elif source.startswith(f"{cell}("):
            return path.name, heading
    return path.name, ""


def link(lesson: str, cell: str) -> str:
    """Return a Markdown link to where a cell stands, for a notebook beside the lessons.

    >>> link("06", "claims.cut")
    '[lesson 06, ...](06-successive-halving-and-hyperband.ipynb#...)'
    """
    file, heading = place(lesson, cell)
    if not file:
        return f"lesson {lesson}"
    if not heading:
        return f"[lesson {lesson}]({file})"
    anchor = re.sub(r"[\s()]", lambda found: {"(": "%28", ")": "%29"}.get(found[0], "-"), heading)
    return f"[lesson {lesson}, {heading}]({file}#{anchor})"

"""Solutions stand in a lesson as folded Markdown, so that they fold everywhere; here they run where
they stand.

    <details><summary>Solution</summary>

    ```python
    def halving_solution(...): ...

    check_halving(halving_solution)
    ```

    </details>

`python tests/solutions.py FOLDER` writes copies of the lessons in which every such block is
followed by a code cell that runs it and asserts its last line, a check. nbval then runs the copies:
lessons and solutions in one go.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
FOLDED = re.compile(r"<details>\s*<summary>(.*?)</summary>\s*\n(.*?)</details>", re.DOTALL)
CODE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def solutions(source: str) -> list[str]:
    """Return the code of every solution folded into a Markdown cell: a block whose summary begins
    with "Solution"."""
    blocks = [body for summary, body in FOLDED.findall(source) if summary.startswith("Solution")]
    return ["\n".join(CODE.findall(body)) for body in blocks]


def asserted(code: str) -> str:
    """Return the code with its last line, which must be a call of a check, turned into an
    assertion."""
    last = ast.parse(code).body[-1]
    if not isinstance(last, ast.Expr) or not ast.unparse(last).split(".")[-1].startswith("check_"):
        raise SystemExit(
            f"a solution must end with a check, such as check_halving(halving_solution):\n{code}"
        )
    lines = code.splitlines()
    lines[last.lineno - 1] = "assert " + lines[last.lineno - 1]
    return "\n".join(lines)


def with_solutions(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy of the notebook in which a code cell runs every solution right below its
    text."""
    copy = nbformat.from_dict(notebook)
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "markdown":
            cells += [nbformat.v4.new_code_cell(asserted(code)) for code in solutions(cell.source)]
    copy.cells = cells
    return copy


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.ipynb"):
        old.unlink()
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        nbformat.write(with_solutions(nbformat.read(path, as_version=4)), folder / path.name)

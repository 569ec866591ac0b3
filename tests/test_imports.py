"""Imports point one way, and importing hpt_lab loads none of the heavy libraries."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "hpt_lab"

# what each part may import of ours, besides itself; hpt_lab/__init__.py re-exports and may import
# all
BELOW = {
    "errors": set(),
    "arguments": {"errors"},
    "trial": {"errors", "arguments"},
    "counting": set(),
    "domains": {"errors", "arguments"},
    "space": {"errors", "arguments", "counting", "domains", "trial"},
    "history": {"errors", "arguments", "trial"},
    "arrays": {"errors", "arguments"},
    "instructions": set(),
    "fingerprint": {"instructions"},
}
BELOW["labels"] = {"errors", "arguments", "arrays"}
BELOW["scaling"] = {"errors", "arguments", "arrays"}
BELOW["datasets"] = {"errors", "arguments", "arrays", "labels", "scaling"}
BELOW["evidence"] = {"errors", "arguments", "trial", "domains", "space", "history"}
BELOW["surrogates"] = {"errors", "arguments", "domains", "trial", "space", "history"}
BELOW["strategies"] = BELOW["surrogates"] | {"surrogates"}
BELOW["study"] = BELOW["strategies"] | {"strategies", "fingerprint", "evidence"}
BELOW["training"] = {"errors", "arguments", "trial", "datasets", "arrays", "scaling", "fingerprint"}
BELOW["curves"] = BELOW["study"] | {
    "study",
    "datasets",
}  # its recorder imports training, inside functions
BELOW["plots"] = {
    "errors",
    "arguments",
    "trial",
    "domains",
    "space",
    "history",
    "curves",
    "evidence",
    "experiments",
}
BELOW["reports"] = BELOW["study"] | {"study", "plots", "curves"}
BELOW["bridges"] = BELOW["study"] | {"study"}  # and the other tool, inside functions
BELOW["honesty"] = {"errors", "arguments"}
BELOW["checks"] = BELOW["study"] | {"study", "curves", "honesty"}
BELOW["museum"] = {"errors"}
BELOW["claims"] = BELOW["checks"] | {"museum"}
BELOW["experiments"] = BELOW["checks"] | {"datasets"}
BELOW["lessons"] = {"errors"}
BELOW["interview"] = BELOW["checks"] | {"checks", "lessons", "honesty", "experiments"}
HOME = {
    "tensorflow": {"training"},
    "keras": {"training"},
    "matplotlib": {"plots", "widgets"},
    "ipywidgets": {"widgets"},
}


def imported(tree):
    """Yield (module, at top level) for every import that runs; imports for type checkers alone
    don't."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node in tree.body) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node in tree.body) for alias in node.names)


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_point_one_way(path):
    part = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name, top in imported(ast.parse(path.read_text())):
        root, _, rest = name.partition(".")
        if root == "hpt_lab" and part in BELOW and top:
            assert rest.split(".")[0] in BELOW[part] | {part}, f"{path.name} imports {name}"
        if root in HOME and top:
            assert part in HOME[root], f"{path.name} imports {name} outside {HOME[root]}"


def test_importing_hpt_lab_loads_no_heavy_library():
    code = (
        "import hpt_lab, sys; print([m for m in ('tensorflow', 'keras', 'matplotlib', "
        "'ipywidgets', 'pandas', 'sklearn', "
        "'scipy.stats') if m in sys.modules])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )

"""The package's lines unfold: nobody has to scroll, or to read a line twice because it holds two."""

from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "hpt_lab"


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_no_line_is_longer_than_100_columns(path):
    lines = path.read_text().split("\n")
    assert [line for line in lines if len(line) > 100] == []

"""The museum of tuner bugs: faults of real libraries, each with where it was seen and what is
right.

The exhibits are data, in `museum.toml`; the cells that show the faults are in lesson 10. `show`
hangs the label.
"""

from __future__ import annotations

import functools
import html
import tomllib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from hpt_lab.errors import DataError

PACKAGES = {
    "Optuna": "optuna",
    "scikit-learn": "scikit-learn",
    "KerasTuner": "keras-tuner",
}  # installed for the lesson


@dataclass(frozen=True)
class Exhibit:
    """One fault: the `version` of `library` that it was `seen` in, a `link`, what is `right`, and
    the `test` to write."""

    title: str
    library: str
    version: str
    live: bool
    link: str
    what: str
    seen: str
    right: str
    why: str
    test: str


@dataclass(frozen=True)
class Label:
    """An exhibit beside what a cell found just now. Shows itself as text, and as HTML in a
    notebook."""

    exhibit: Exhibit
    found: str

    @property
    def verdict(self) -> str:
        """Say whether the fault is still there, or was re-enacted."""
        one = self.exhibit
        if not one.live:
            return f"re-enacted after {one.library} {one.version}"
        installed = metadata.version(PACKAGES[one.library])
        where = f"{one.library} {installed}"
        return f"mended in {where}" if self.found == one.right else f"live in {where}"

    def __repr__(self) -> str:
        one = self.exhibit
        return (
            f"{one.title} ({self.verdict})\n  {one.what}: {self.found}; right: {one.right}\n  "
            f"{one.why}\n"
            f"  Test: {one.test}\n  {one.link}"
        )

    def _repr_html_(self) -> str:
        one = self.exhibit
        told = {
            name: html.escape(getattr(one, name))
            for name in ("title", "what", "right", "why", "test", "link")
        }
        return (
            '<div style="background:#f4f6f8;color:#222;padding:8px '
            '12px;line-height:1.5;max-width:46em">'
            f"<b>{told['title']}</b> · {html.escape(self.verdict)}<br>"
            f'{told["what"]}: <b style="color:#b34700">{html.escape(self.found)}</b>, '
            f'right: <b style="color:#00724f">{told["right"]}</b><br>'
            f"{told['why']}<br><i>The test:</i> {told['test']} "
            f'<a href="{told["link"]}" style="color:#0072B2">Report or source</a></div>'
        )


@functools.cache
def exhibits() -> dict[str, Exhibit]:
    """Return all exhibits by name, in the order of the tour."""
    path = Path(__file__).with_name("museum.toml")
    return {
        name: Exhibit(**fields)
        for name, fields in tomllib.loads(path.read_text(encoding="utf-8")).items()
    }


def show(name: str, found: object) -> Label:
    """Return the label of exhibit `name` with what was found, a number or a text; DataError if
    there is none."""
    if name not in exhibits():
        raise DataError(f"there is no exhibit {name!r}; known are {', '.join(exhibits())}")
    return Label(exhibits()[name], str(found))

"""The parts of an HTML page: every text escaped, every number with its name, every picture inside.

A number that says something about the study stands in a `<data>` element whose class is what it
is called and whose value is unrounded, so that a test can compare it with the journal.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from typing import Any

from hpt_lab.plots.embedded import Picture

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1rem 1.25rem 4rem; background: #fff; color: #222;
  font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 1rem 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; padding-top: .6rem; border-top: 1px solid #ccc; }
.lead { font-size: 1.1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .6rem 0; overflow-wrap: normal; }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid #e2e2e2; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.whole { white-space: nowrap; }
td.long { overflow-wrap: anywhere; min-width: 12rem; }
ol.steps li { margin: .7rem 0; }
figure { margin: 1rem 0 1.5rem; }
figure img { display: block; width: 100%; min-width: 30rem; max-width: 48rem; height: auto; }
figcaption { font-weight: 600; }
code, pre { font: .92rem/1.45 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
pre { background: #f4f4f2; padding: .7rem .9rem; white-space: pre-wrap; }
.faint { color: #595959; }
@media (max-width: 34rem) { body { padding: .5rem .9rem 3rem; } h1 { font-size: 1.4rem; } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; }
  h2, figcaption { break-after: avoid; } figure, tr, li { break-inside: avoid; }
  .wide { overflow: visible; } figure img { min-width: 0; max-width: 16cm; } }
"""


def text(value: Any) -> str:
    """Escape whatever comes from a study."""
    return html.escape(str(value), quote=True)


def fact(name: str, value: float, shown: str | None = None) -> str:
    """Write a number of the study: shown rounded, kept whole."""
    rounded = f"{value:,.4g}" if shown is None else shown
    return f'<data class="{text(name)}" value="{text(repr(value))}">{text(rounded)}</data>'


def paragraph(*parts: str, kind: str = "") -> str:
    """Wrap markup in a paragraph."""
    return f'<p class="{kind}">{" ".join(parts)}</p>' if kind else f"<p>{' '.join(parts)}</p>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], kinds: Sequence[str] = ()) -> str:
    """Make a table of cells that are markup already; `kinds`: a class per column."""
    classes = [*kinds, *[""] * (len(heads) - len(kinds))]
    head = "".join(
        f'<th class="{kind}">{text(name)}</th>' for name, kind in zip(heads, classes, strict=True)
    )
    lines = []
    for row in rows:
        cells = zip(row, classes, strict=True)
        lines.append(
            "<tr>" + "".join(f'<td class="{kind}">{cell}</td>' for cell, kind in cells) + "</tr>"
        )
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def figure(picture: Picture) -> str:
    """Embed a picture, its title above it as text."""
    source = base64.b64encode(picture.png).decode("ascii")
    return (
        f'<figure><figcaption>{text(picture.title)}</figcaption><div class="wide">'
        f'<img alt="{text(picture.alt)}" src="data:image/png;base64,{source}"></div></figure>'
    )


def section(name: str, title: str, *parts: str) -> str:
    """Make a section with a heading."""
    return f'<section id="{text(name)}"><h2>{text(title)}</h2>{"".join(parts)}</section>'


def page(title: str, *parts: str) -> str:
    """Make the whole document, which asks nobody for anything."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        f"<title>{text(title)}</title><style>{STYLE}</style></head>"
        f"<body><h1>{text(title)}</h1>{''.join(parts)}</body></html>\n"
    )

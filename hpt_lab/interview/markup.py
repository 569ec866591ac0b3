"""The bank's Markdown as HTML: for the widgets and the Anki deck. Everything is escaped first.

What the bank uses is known: paragraphs, **bold**, *emphasis*, `code`, fenced blocks and links. A
text from anywhere else can't do more than that, and links lead to http(s) or to a file beside the
notebook.
"""

from __future__ import annotations

import html
import re

MARKS = (
    (r"`([^`]+)`", r"<code>\1</code>"),
    (r"\*\*(.+?)\*\*", r"<b>\1</b>"),
    (r"(?<![\w*])\*([^*\n]+)\*(?![\w*])", r"<i>\1</i>"),
    (
        r"\[([^\]]+)\]\(((?:https?://|[\w.-]+\.ipynb)[^\s()]*)\)",
        r'<a href="\2" target="_blank">\1</a>',
    ),
)


def as_html(text: str) -> str:
    """Return Markdown as HTML, escaped.

    >>> as_html("**No**: `a<b`, *but*\\n\\n<script>")
    '<p><b>No</b>: <code>a&lt;b</code>, <i>but</i></p><p>&lt;script&gt;</p>'
    """
    parts = re.split(r"^```\w*\n(.*?)^```\s*$", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(
        _code(part) if place % 2 else _paragraphs(part) for place, part in enumerate(parts)
    )


def _code(text: str) -> str:
    return f"<pre>{html.escape(text.rstrip())}</pre>"


def _paragraphs(text: str) -> str:
    found = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    return "".join(f"<p>{_marked(html.escape(part))}</p>".replace("\n", "<br>") for part in found)


def _marked(text: str) -> str:
    """Put marks outside code; what stands between backticks stays as it is."""
    pieces = re.split(r"(`[^`]+`)", text)
    for place, piece in enumerate(pieces):
        marks = MARKS[:1] if place % 2 else MARKS[1:]
        for pattern, tag in marks:
            piece = re.sub(pattern, tag, piece)
        pieces[place] = piece
    return "".join(pieces)


def as_plain(text: str) -> str:
    """Return Markdown as text for a terminal: without marks, links as their words and their target.

    >>> as_plain("*Why.* See [lesson 06](06-halving.ipynb), `fit`")
    'Why. See lesson 06 (06-halving.ipynb), fit'
    """
    parts = re.split(r"(^```\w*\n.*?^```\s*$)", text, flags=re.MULTILINE | re.DOTALL)
    for place in range(0, len(parts), 2):
        part = re.sub(r"\[([^\]]+)\]\(([^\s()]+)\)", r"\1 (\2)", parts[place])
        part = re.sub(r"\*\*(.+?)\*\*", r"\1", part)
        part = re.sub(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])", r"\1", part)
        parts[place] = part.replace("`", "")
    return "".join(parts)

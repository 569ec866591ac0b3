"""The bank as an Anki deck: a card a question, and one for its follow-up; pictures inside, tags by
lesson and level.

    hpt-lab anki hpt-lab.apkg

Ids are stable: a note's hangs on the question's id, so importing a newer deck changes the cards
that you have and keeps what Anki knows of your memory. Texts are escaped. genanki writes the file;
it is part of `hpt-lab[lab]`.
"""

from __future__ import annotations

import importlib.util
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hpt_lab.errors import InterviewError
from hpt_lab.interview.bank import Question, load
from hpt_lab.interview.markup import as_html
from hpt_lab.lessons import place

DECK = 1_946_120_711  # chosen once, for ever: Anki knows deck and note type by them
MODEL = 1_946_120_712
FIELDS = (
    "Id",
    "Question",
    "Picture",
    "Answer",
    "Explanation",
    "FollowUp",
    "FollowUpAnswer",
    "Wrong",
    "WhyWrong",
    "Rubric",
    "Where",
)
CSS = (
    ".card{font-family:sans-serif;font-size:18px;line-height:1.45;text-align:left;"
    "max-width:42em;margin:auto;padding:8px}"
    "img{max-width:100%}pre{overflow-x:auto}.more{opacity:.85;font-size:.9em}"
)
BACK = (
    '{{FrontSide}}<hr id="answer">{{Answer}}<div class="more">{{Explanation}}<p><b>A wrong '
    "answer:</b></p>{{Wrong}}"
    "{{WhyWrong}}{{Rubric}}<p>{{Where}}</p></div>"
)
TEMPLATES = (
    {"name": "Question", "qfmt": "{{Question}}{{Picture}}", "afmt": BACK},
    {
        "name": "Follow-up",
        "qfmt": '<div class="more">{{Question}}</div>{{Picture}}<p><b>And '
        "then:</b></p>{{FollowUp}}",
        "afmt": '{{FrontSide}}<hr id="answer">{{FollowUpAnswer}}<p>{{Where}}</p>',
    },
)


def write_deck(path: str | Path, questions: Sequence[Question] | None = None) -> int:
    """Write the deck to `path`, "….apkg", and return how many questions it has; all of the bank by
    default.

    Raises InterviewError for another ending, a folder that is not there, or without genanki.
    """
    path = Path(path)
    if path.suffix != ".apkg":
        raise InterviewError(
            f"an Anki deck ends with .apkg, got {path}; try {path.with_suffix('.apkg')}"
        )
    if not path.parent.is_dir():
        raise InterviewError(
            f"there is no folder {path.parent} for {path.name}; make it, or choose another"
        )
    if importlib.util.find_spec("genanki") is None:
        raise InterviewError("genanki is not installed: pip install 'hpt-lab[lab]'")
    import genanki

    questions = load() if questions is None else questions
    deck = genanki.Deck(DECK, "hpt_lab · hyperparameter tuning")
    model = genanki.Model(
        MODEL,
        "hpt_lab question",
        fields=[{"name": name} for name in FIELDS],
        templates=list(TEMPLATES),
        css=CSS,
    )
    with tempfile.TemporaryDirectory() as folder:
        pictures = []
        for question in questions:
            picture = _picture(question, Path(folder))
            pictures += [str(picture)] if picture is not None else []
            deck.add_note(
                genanki.Note(
                    model,
                    _fields(question, picture),
                    tags=_tags(question),
                    guid=genanki.guid_for("hpt_lab", question.id),
                )
            )
        package = genanki.Package(deck)
        package.media_files = pictures
        package.write_to_file(str(path))
    return len(questions)


def _fields(question: Question, picture: Path | None) -> list[str]:
    file, heading = place(question.lesson, question.cell)
    names = ("weak", "good", "great")
    rubric = "\n".join(
        f"*{name}*: {text}" for name, text in zip(names, question.rubric, strict=True)
    )
    texts = (
        question.question,
        question.answer,
        question.explanation,
        question.follow_up,
        question.follow_up_answer,
        question.wrong,
        question.why_wrong,
        rubric,
        f"`{file}`, {heading}",
    )
    asked, *rest = map(as_html, texts)
    return [question.id, asked, f'<img src="{picture.name}">' if picture is not None else "", *rest]


def _tags(question: Question) -> list[str]:
    """Tag by lesson, level, kind and topic; Anki's tags hold no spaces."""
    return [
        f"lesson::{question.lesson}",
        f"level::{question.level}",
        f"kind::{question.kind}",
        f"topic::{'-'.join(question.topic.split())}",
    ]


def _picture(question: Question, folder: Path) -> Path | None:
    """Draw a question's picture into the folder, under a name of its own in Anki's one media
    folder."""
    if question.picture is None:
        return None
    path = folder / f"hpt_lab-{question.id}.png"
    path.write_bytes(_png(question))
    return path


def _png(question: Question) -> bytes:
    import matplotlib.pyplot as plt

    figure: Any = question.draw()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100, metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()

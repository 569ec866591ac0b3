"""The question bank: TOML files that are read, checked and filled in, never executed.

    [[question]]
    id = "halving-loses-the-best"          # unique, stays for ever: progress and Anki notes hang on
                                           it
    topic = "successive halving"
    level = "engineer"                     # screening, engineer, senior
    kind = "why"                           # explain, why, compare, compute, diagnose, design,
                                           criticise, code
    cell = "claims.cut"                    # the claims call in the lesson that shows it, or a
                                           heading of the lesson
    numbers = "best_of_81"                 # optional: a function in `numbers` whose results fill
                                           ${names} in the texts
    picture = "validation_turns"           # optional: a name in the PICTURES of an
                                           `hpt_lab/plots/interview_*.py`
    question = "It usually cuts the best config. Why use it?"
    answer = '''Because it need not keep the best, only a good one. ...'''           # aloud, under
    forty seconds
    explanation = '''...'''                # longer: where the number comes from, what it depends on
    follow_up = "When is random search as good?"
    follow_up_answer = "In a narrow space ..."
    wrong = "It finds the best config for less."                                     # an answer
    people really give why_wrong = "It confuses ..."
    rubric = ["names a technique", "gives the mechanism", "says how to find out"]    # weak, good,
    great

The texts are Markdown. A `$` that is no placeholder is written `$$`.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpt_lab.errors import InterviewError
from hpt_lab.interview.numbers import NUMBERS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent / "questions"
LEVELS = ("screening", "engineer", "senior")
KINDS = ("explain", "why", "compare", "compute", "diagnose", "design", "criticise", "code")
REGISTER = (
    "numbers_a",
    "numbers_b",
    "numbers_c",
    "numbers_d",
    "numbers_pictures",
    "numbers_practice",
    "numbers_races",
)
TEXTS = ("question", "answer", "explanation", "follow_up", "follow_up_answer", "wrong", "why_wrong")


@dataclass(frozen=True)
class Question:
    """One question with its answer to say aloud, and what an interviewer asks next."""

    id: str
    lesson: str  # "00" to "11"
    topic: str
    level: str
    kind: str
    cell: str  # "claims.NAME", or a heading of the lesson
    question: str
    answer: str
    explanation: str
    follow_up: str
    follow_up_answer: str
    wrong: str
    why_wrong: str
    rubric: tuple[str, str, str]  # what a weak, a good and a great answer contain
    numbers: str | None = None
    picture: str | None = None

    def draw(self) -> Figure:
        """Draw the picture that the question is about; `hpt_lab.plots.describe` has it in words.

        Raises InterviewError if the question has none.
        """
        if self.picture is None:
            raise InterviewError(
                f"question {self.id!r} has no picture; ask `question.picture` first"
            )
        from hpt_lab.plots.interview import draw  # Matplotlib is loaded by those who look

        return draw(self.picture)

    def in_words(self) -> str:
        """Say what the picture shows, for those who can't look at it; empty if there is none."""
        if self.picture is None:
            return ""
        from hpt_lab.plots.interview import in_words

        return in_words(self.picture)


def load(
    *,
    lesson: str | None = None,
    topic: str | None = None,
    level: str | None = None,
    kind: str | None = None,
) -> list[Question]:
    """Return the questions of the bank, all or those that match, in the order of the lessons.

    Raises InterviewError for a level or kind that does not exist, and for a file that is no
    question file.
    """
    if level is not None and level not in LEVELS:
        raise InterviewError(f"level must be one of {LEVELS}, got {level!r}")
    if kind is not None and kind not in KINDS:
        raise InterviewError(f"kind must be one of {KINDS}, got {kind!r}")
    wanted = {"lesson": lesson, "topic": topic, "level": level, "kind": kind}
    asked = {name: value for name, value in wanted.items() if value is not None}
    return [
        question
        for question in _everything()
        if all(getattr(question, name) == value for name, value in asked.items())
    ]


@cache
def _everything() -> tuple[Question, ...]:
    found: list[Question] = []
    for path in sorted(FOLDER.glob("lesson_*.toml")):
        found += read(path)
    return tuple(found)


def read(path: Path) -> list[Question]:
    """Return the questions of one file, `lesson_NN.toml`. Raises InterviewError naming file,
    question and remedy."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InterviewError(f"{path}: can't be read as TOML: {error}") from None
    entries = content.get("question")
    if not isinstance(entries, list) or set(content) != {"question"}:
        raise InterviewError(
            f"{path}: must hold [[question]] tables and nothing else, has {sorted(content)}"
        )
    lesson = path.stem.removeprefix("lesson_")
    return [
        _question(entry, lesson, f"{path.name}, question {number}")
        for number, entry in enumerate(entries, 1)
    ]


def _question(entry: Mapping[str, Any], lesson: str, where: str) -> Question:
    optional = {"numbers", "picture"}
    known = {field.name for field in fields(Question)} - {"lesson"}
    missing = known - optional - set(entry)
    unknown = set(entry) - known
    if missing or unknown:
        raise InterviewError(f"{where}: lacks {sorted(missing)}, has unknown {sorted(unknown)}")
    strings = {name: value for name, value in entry.items() if name != "rubric"}
    empty = [
        name for name, value in strings.items() if not isinstance(value, str) or not value.strip()
    ]
    rubric = entry["rubric"]
    if empty or not isinstance(rubric, list) or len(rubric) != 3:
        raise InterviewError(
            f"{where}: {empty or 'rubric'} must be text that says something; rubric three such "
            "texts"
        )
    if entry["level"] not in LEVELS or entry["kind"] not in KINDS:
        raise InterviewError(f"{where}: level must be one of {LEVELS} and kind one of {KINDS}")
    filled = {
        name: _filled(value, entry.get("numbers"), where)
        for name, value in strings.items()
        if name in TEXTS
    }
    return Question(
        **{**strings, **filled}, lesson=lesson, rubric=(rubric[0], rubric[1], rubric[2])
    )


def _filled(text: str, numbers: str | None, where: str) -> str:
    """Put computed numbers in the place of ${names}."""
    for module in REGISTER:  # late: SciPy and scikit-learn take seconds to load
        import_module(f"hpt_lab.interview.{module}")
    if numbers is not None and numbers not in NUMBERS:
        raise InterviewError(
            f"{where}: there are no numbers {numbers!r}; write them in hpt_lab/interview/numbers.py"
        )
    values = _computed(numbers) if numbers else {}
    try:
        return string.Template(text.strip()).substitute(values)
    except (KeyError, ValueError) as error:
        raise InterviewError(
            f"{where}: {error} is no number of {numbers!r}, which has {sorted(values)}"
        ) from None


@cache
def _computed(name: str) -> Mapping[str, Any]:
    return NUMBERS[name]()

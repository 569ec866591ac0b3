"""A mock interview: what is asked, what an interviewer asks next, and what is said at the end.

    room = Interview(steps(minutes=20, level="screening", seed=0), path=progress_file, ...)
    while (step := room.step) is not None:
        print(step.says, step.prompt)       # think, answer aloud
        print(step.reveal, step.rubric)     # what a weak, a good and a great answer contain
        room.grade(2)                       # on the disk at once: Ctrl-C loses nothing
    print(room.report())

The terminal and the widget are two loops over this. The grades are the candidate's own, by the
rubric; the next question depends on them: who did well gets the follow-up, who did not is shown
what another candidate says, and has to say what is wrong with it. Read `steps`, then
`Interview.grade`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from hpt_lab.arguments import check_seed
from hpt_lab.checks.core import Verdict
from hpt_lab.errors import InterviewError
from hpt_lab.interview import neighbours
from hpt_lab.interview.bank import Question, load
from hpt_lab.interview.drills import DRILLS, Drill
from hpt_lab.interview.progress import Review, append, entries, note
from hpt_lab.lessons import link

PLANS = {
    20: ("explain", "picture", "compute", "code", "design"),
    45: (
        "explain",
        "why",
        "picture",
        "compute",
        "compare",
        "code",
        "criticise",
        "curves",
        "design",
    ),
}
LEVELS = {"screening": ("screening", "engineer"), "senior": ("engineer", "senior")}
GRADES = {1: "weak", 2: "good", 3: "great"}
AS_REVIEW = {1: 1, 2: 3, 3: 4}  # what the quiz makes of a grade: a weak answer comes back soon
SHORT = 14  # lines of a drill that fits into 20 minutes
SAYS = {
    "explain": "To warm up.",
    "why": "One about reasons.",
    "compute": "A number, please; paper is allowed.",
    "compare": "Two things side by side.",
    "criticise": "A colleague shows you this.",
    "picture": "Look at this picture.",
    "curves": "Look at these curves.",
    "code": "To the whiteboard.",
    "design": "A design question. Ask what you need to know first, then think aloud; take five "
    "minutes.",
}
GOES_ON = {2: "Good. Then let me go on.", 3: "I agree. One step further, then."}
FURTHER = (
    "guesses, or says the first answer again",
    "makes the point that is made here",
    "makes it, and says what would change it",
)


@dataclass(frozen=True)
class Step:
    """One thing that the interviewer asks. Texts are Markdown."""

    id: str
    part: str  # "answer", "follow-up", "drill", "picture"
    lesson: str
    topic: str
    cell: str
    says: str
    prompt: str
    reveal: str
    rubric: tuple[str, str, str]
    draw: Callable[[], Any] | None = None
    check: Callable[[Any], Verdict] | None = None  # of a letter, or of a file with code
    follow: Callable[[int], Step | None] = lambda grade: None


def steps(*, minutes: int = 20, level: str = "screening", seed: int = 0) -> list[Step]:
    """Choose what is asked: the same for the same seed; from different lessons as far as there are
    any."""
    if minutes not in PLANS:
        raise InterviewError(f"minutes must be one of {sorted(PLANS)}, got {minutes!r}")
    if level not in LEVELS:
        raise InterviewError(f"level must be one of {', '.join(LEVELS)}, got {level!r}")
    rng = np.random.default_rng(check_seed(seed, error=InterviewError))
    chosen: list[Step] = []
    for kind in PLANS[minutes]:
        if kind == "code":
            chosen.append(_drill(minutes, rng))
            continue
        question = None if kind == "curves" else _question(kind, level, chosen, rng)
        chosen.append(
            _curves(seed, len(chosen)) if question is None else _asked(question, SAYS[kind])
        )
    return chosen


def _question(
    kind: str, level: str, chosen: Sequence[Step], rng: np.random.Generator
) -> Question | None:
    """Draw a question of a kind; None for a picture if the bank has none."""
    if kind == "picture":
        fitting = [question for question in load() if question.picture]
    else:
        fitting = [question for question in load(kind=kind) if not question.picture]
    had = {step.id for step in chosen}
    fitting = [question for question in fitting if question.id not in had]
    levels = LEVELS[level] if chosen else LEVELS[level][:1]  # a warm-up is no trial by fire
    at_level = [question for question in fitting if question.level in levels] or fitting
    lessons = {step.lesson for step in chosen}
    fresh = [question for question in at_level if question.lesson not in lessons] or at_level
    if not fresh and kind == "picture":
        return None
    if not fresh:
        raise InterviewError(
            f"the bank has no question of kind {kind!r}; add one to hpt_lab/interview/questions"
        )
    return fresh[int(rng.integers(len(fresh)))]


def _asked(question: Question, says: str) -> Step:
    """Make a step of a question; what follows depends on the grade."""

    def follow(grade: int) -> Step:
        if grade == 1:
            return _follow_up(
                question,
                "Let me try it from another side.",
                f"Another candidate says: {question.wrong}\n\nWhat is wrong with that?",
                question.why_wrong,
            )
        return _follow_up(question, GOES_ON[grade], question.follow_up, question.follow_up_answer)

    return Step(
        question.id,
        "picture" if question.picture else "answer",
        question.lesson,
        question.topic,
        question.cell,
        says,
        question.question,
        f"{question.answer}\n\n*Why.* {question.explanation}",
        question.rubric,
        question.draw if question.picture else None,
        None,
        follow,
    )


def _follow_up(question: Question, says: str, prompt: str, reveal: str) -> Step:
    return Step(
        question.id,
        "follow-up",
        question.lesson,
        question.topic,
        question.cell,
        says,
        prompt,
        reveal,
        FURTHER,
    )


def _drill(minutes: int, rng: np.random.Generator) -> Step:
    """Draw a drill; for 20 minutes a short one."""
    fitting = [
        drill for drill in DRILLS.values() if minutes > 20 or drill.solution.count("\n") <= SHORT
    ]
    drill = fitting[int(rng.integers(len(fitting)))]
    return Step(
        drill.name,
        "drill",
        drill.lesson,
        drill.title,
        "",
        SAYS["code"],
        f"**{drill.title}.** {_flowing(drill.statement)}\n\n```python\n{drill.stub}```",
        f"One answer:\n\n```python\n{drill.solution}```",
        drill_rubric(drill),
        None,
        lambda path: _check_drill(drill.name, path),
    )


def _flowing(statement: str) -> str:
    """Join the lines of a paragraph; what is indented or stands apart keeps its line."""
    return re.sub(r"(?<!\n)\n(?=\S)", " ", statement)


def _check_drill(name: str, path: Any) -> Verdict:
    from hpt_lab.interview.drills.runner import check_file

    return check_file(name, Path(path))


def drill_rubric(drill: Drill) -> tuple[str, str, str]:
    """Say what weak, good and great code is: the weak one falls into this drill's first trap."""
    traps = list(drill.mistakes.values())
    weak = (
        f"fails the hidden cases, by a slip such as this (the hint says: {traps[0]})"
        if traps
        else "fails them"
    )
    return (
        weak,
        "passes the hidden cases, or would but for a slip that you find yourself",
        "passes them, says what it costs, and on which input another's version breaks",
    )


def _curves(seed: int, number: int) -> Step:
    """Ask for a diagnosis by the recorded table."""
    case = neighbours.case(seed=seed, number=number)
    rubric = (
        "names a move without a sign that speaks for it",
        "an accepted move, for a reason read off the curves",
        "that, and says what three seeds can't tell apart, and what to look at next",
    )
    return Step(
        case.id,
        "picture",
        "02",
        "diagnosis",
        "The ward",
        SAYS["curves"],
        case.ask(),
        f"{', '.join(case.right)} is right.\n\n{case.explain()}\n\n*A sign to go by:* "
        f"{case.signs()}.",
        rubric,
        case.draw,
        case.grade,
    )


@dataclass(frozen=True)
class Graded:
    """One answer of an interview, as the record has it."""

    run: str
    level: str
    minutes: int
    id: str
    part: str
    lesson: str
    topic: str
    cell: str
    grade: int


class Interview:
    """The interview under way. `step` is what is asked now, None when it is over; every grade is on
    the disk."""

    def __init__(
        self,
        planned: Sequence[Step],
        path: Path,
        *,
        minutes: int,
        level: str,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ):
        self.path = path
        self.minutes = minutes
        self.level = level
        self.seed = seed
        self.graded: list[Graded] = []
        self.before = last_run(path, level)
        self._waiting = list(planned)
        self._clock = clock
        self._now = now
        self._began = clock()
        self.run = now().isoformat()

    @property
    def elapsed(self) -> float:
        """Minutes since it began."""
        return (self._clock() - self._began) / 60

    @property
    def step(self) -> Step | None:
        """What is asked now; None when all is asked or the time is up."""
        return self.current if self.elapsed < self.minutes else None

    @property
    def current(self) -> Step | None:
        """What was asked last and has no grade yet, even if the time has run out over it."""
        return self._waiting[0] if self._waiting else None

    @property
    def left(self) -> int:
        """How many questions are planned and not asked yet, this one included; follow-ups come on
        top."""
        return sum(step.part != "follow-up" for step in self._waiting)

    def grade(self, grade: int) -> None:
        """Take the grade of this step, 1 weak to 3 great, be it late; write it down, and choose
        what comes next."""
        step = self.current
        if step is None:
            raise InterviewError("the interview is over; begin another")
        if grade not in GRADES:
            raise InterviewError(f"a grade must be one of {GRADES}, got {grade!r}")
        made = Graded(
            self.run,
            self.level,
            self.minutes,
            step.id,
            step.part,
            step.lesson,
            step.topic,
            step.cell,
            grade,
        )
        note(self.path, "interview", self._now(), seed=self.seed, **made.__dict__)
        if step.part in ("answer", "picture") and "/" not in step.id:
            append(self.path, Review(step.id, AS_REVIEW[grade], self._now()))
        self.graded.append(made)
        follow = step.follow(grade)
        self._waiting[:1] = [follow] if follow is not None else []

    def report(self) -> str:
        """Say strengths, weak spots, cells to read again, and how it compares with the last one;
        Markdown."""
        return report(self.graded, self.before, minutes=self.elapsed, left=self.left)


def report(
    graded: Sequence[Graded], before: Sequence[Graded] = (), *, minutes: float, left: int = 0
) -> str:
    """Return the end of an interview as Markdown."""
    if not graded:
        return "Nothing was answered, so there is nothing to say. Begin again when you like."
    counts = ", ".join(
        f"{sum(answer.grade == grade for answer in graded)} {name}"
        for grade, name in reversed(GRADES.items())
    )
    said = [f"**{len(graded)} answers in {minutes:.0f} minutes**: {counts}, by your own grades."]
    if left:
        said.append(
            f"{left} planned questions were not reached: shorter answers first, details when asked."
        )
    strong = _topics(graded, 3, 3)
    weak = _topics(graded, 1, 2)
    said.append(
        f"**Strengths.** {', '.join(strong) or 'none yet that you graded great throughout'}."
    )
    spots = ", ".join(weak) or "none by your grades; be stricter, or take the senior level"
    said.append(f"**Weak spots.** {spots}.")
    again = _again(graded)
    if again:
        said.append("**Read again.**\n\n" + "\n".join(again))
    said.append(_compared(graded, before))
    return "\n\n".join(said)


def _topics(graded: Sequence[Graded], low: int, high: int) -> list[str]:
    """Return the topics whose worst grade lies from low to high; for weak spots (1, 2) means any
    weak answer."""
    worst: dict[str, list[int]] = {}
    for answer in graded:
        worst.setdefault(answer.topic, []).append(answer.grade)
    if low == 1:
        return [topic for topic, grades in worst.items() if 1 in grades]
    return [topic for topic, grades in worst.items() if min(grades) >= low and max(grades) <= high]


def _again(graded: Sequence[Graded]) -> list[str]:
    places: dict[str, None] = {}
    for answer in graded:
        if answer.grade == 1 and answer.part == "drill":
            places[
                f"- `hpt-lab drill show {answer.id}`, then write it again tomorrow "
                f"({link(answer.lesson, '')})"
            ] = None
        elif answer.grade == 1:
            places[f"- {answer.topic}: {link(answer.lesson, answer.cell)}"] = None
    return list(places)


def _compared(graded: Sequence[Graded], before: Sequence[Graded]) -> str:
    now = float(np.mean([answer.grade for answer in graded]))
    if not before:
        return (
            f"Mean grade {now:.1f} of 3. This is the first on record at this level; the next "
            "is compared with it."
        )
    then = float(np.mean([answer.grade for answer in before]))
    return (
        f"Mean grade {now:.1f} of 3; last time at this level {then:.1f} over {len(before)} answers "
        f"({before[0].run[:10]}). Other questions, so read a difference below half a grade as none."
    )


def recorded(path: Path) -> list[Graded]:
    """Return every answer of every interview on record; lines that don't have all of it are left
    out."""
    names = list(Graded.__dataclass_fields__)
    found = []
    for entry in entries(path):
        if entry["kind"] == "interview" and set(names) <= set(entry) and _sound(entry):
            found.append(Graded(**{name: entry[name] for name in names}))
    return found


def _sound(entry: Mapping[str, Any]) -> bool:
    texts = all(
        isinstance(entry[name], str)
        for name in Graded.__dataclass_fields__
        if name not in ("minutes", "grade")
    )
    return (
        texts
        and type(entry["minutes"]) is int
        and type(entry["grade"]) is int
        and entry["grade"] in GRADES
    )


def last_run(path: Path, level: str) -> list[Graded]:
    """Return the answers of the latest interview of a level, none if there was none."""
    fitting = [answer for answer in recorded(path) if answer.level == level]
    return [answer for answer in fitting if answer.run == fitting[-1].run]


def next_seed(path: Path) -> int:
    """Return the seed of the next interview: how many there were, so that each asks something
    else."""
    return len({answer.run for answer in recorded(path)})

"""`hpt-lab drill list|show|check` and `hpt-lab quiz`: the interview room in a terminal. See
`room_cli` for the rest."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hpt_lab.errors import InterviewError
from hpt_lab.interview.bank import KINDS, LEVELS, Question
from hpt_lab.interview.drills import DRILLS, Drill
from hpt_lab.interview.drills.runner import check_file
from hpt_lab.interview.progress import GRADES, Review, append, default_path, read
from hpt_lab.interview.quiz import answer_of, chosen, next_date, next_question
from hpt_lab.interview.room_cli import app as room_app
from hpt_lab.interview.room_cli import say, show_picture
from hpt_lab.lessons import link

app = typer.Typer()
drill_app = typer.Typer(
    no_args_is_help=True, help="Write what interviewers ask for; get it graded."
)
app.add_typer(drill_app, name="drill")
app.add_typer(room_app)  # interview, diagnose and story


@drill_app.command("list")
def list_command() -> None:
    """List the drills by lesson."""
    width = max(map(len, DRILLS))
    for name, drill in sorted(DRILLS.items(), key=lambda item: (item[1].lesson, item[0])):
        typer.echo(f"{drill.lesson}  {name:{width}}  {drill.title}")


@drill_app.command("show")
def show_command(
    name: str, solution: Annotated[bool, typer.Option(help="print an answer as well")] = False
) -> None:
    """Print what NAME asks for, and the beginning of a file to write the answer into."""
    drill = _drill(name)
    typer.echo(f"{drill.title} (lesson {drill.lesson})\n\n{drill.statement}\n\n{drill.stub}")
    typer.echo(f"Then: hpt-lab drill check {name} answer.py")
    if solution:
        typer.echo(f"\nOne answer:\n\n{drill.solution}")


@drill_app.command("check")
def check_command(name: str, file: Path) -> None:
    """Grade the function NAME in FILE by hidden cases; the exit code is 1 if it is not right."""
    verdict = check_file(name, file)
    say(repr(verdict))
    if not verdict:
        raise typer.Exit(1)


@app.command("quiz")
def quiz_command(
    lesson: Annotated[str | None, typer.Option(help="00 to 11")] = None,
    topic: Annotated[str | None, typer.Option(help="halving, say")] = None,
    level: Annotated[str | None, typer.Option(help=f"one of {', '.join(LEVELS)}")] = None,
    kind: Annotated[str | None, typer.Option(help=f"one of {', '.join(KINDS)}")] = None,
    count: Annotated[int, typer.Option(min=1, help="how many questions to ask")] = 10,
    progress: Annotated[
        Path | None,
        typer.Option(help="the file with your grades; by default ~/.hpt_lab/progress.jsonl"),
    ] = None,
) -> None:
    """Think, reveal, grade yourself: what you knew badly comes back soon, what you knew well
    later."""
    path = progress or default_path()
    questions = chosen(lesson=lesson, topic=topic, level=level, kind=kind)
    for _ in range(count):
        reviews = read(path)
        question = next_question(questions, reviews, datetime.now(UTC))
        if question is None:
            date = next_date(questions, reviews).astimezone()
            typer.echo(f"Nothing is due. The next question is due on {date:%Y-%m-%d at %H:%M}.")
            return
        grade = _ask(question)
        if grade is None:
            return
        append(path, Review(question.id, grade, datetime.now(UTC)))
        if grade <= 2:
            say(f"Read again: {link(question.lesson, question.cell)}")


def _ask(question: Question) -> int | None:
    """Show a question, wait, reveal the answer; return the grade, or None to leave."""
    say(f"\n[lesson {question.lesson}, {question.level}, {question.kind}] {question.question}\n")
    if question.picture:
        show_picture(question.draw)
    try:
        typer.prompt("Say your answer aloud, then press Enter", default="", show_default=False)
        say(f"\n{answer_of(question)}\n")
        return _grade()
    except typer.Abort:
        typer.echo("\nEvery grade you gave is kept.")
        return None


def _grade() -> int | None:
    meanings = ", ".join(f"{grade} {meaning}" for grade, meaning in GRADES.items())
    known = {str(grade): grade for grade in GRADES}
    while True:
        given = typer.prompt(f"How well did you know it? {meanings}, q to leave").strip()
        if given in known:
            return known[given]
        if given == "q":
            return None


def _drill(name: str) -> Drill:
    if name not in DRILLS:
        raise InterviewError(f"there is no drill {name!r}; there are {', '.join(sorted(DRILLS))}")
    return DRILLS[name]

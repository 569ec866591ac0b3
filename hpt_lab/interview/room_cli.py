"""`hpt-lab interview`, `diagnose`, `story`, `anki` and `cheatsheet`: a conversation in a terminal,
and what to take away."""

from __future__ import annotations

import itertools
import sys
import tempfile
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hpt_lab.checks.core import HEADINGS
from hpt_lab.errors import InterviewError
from hpt_lab.interview import neighbours
from hpt_lab.interview.markup import as_plain
from hpt_lab.interview.mock import GRADES, LEVELS, PLANS, Interview, Step, next_seed, steps
from hpt_lab.interview.progress import default_path, note

app = typer.Typer()
Progress = Annotated[
    Path | None,
    typer.Option(help="the file with your grades; by default ~/.hpt_lab/progress.jsonl"),
]
WIDTH = 92


@app.command("interview")
def interview_command(
    minutes: Annotated[int, typer.Option(help=" or ".join(map(str, PLANS)))] = 20,
    level: Annotated[str, typer.Option(help=" or ".join(LEVELS))] = "screening",
    seed: Annotated[
        int | None, typer.Option(help="which questions; by default others every time")
    ] = None,
    progress: Progress = None,
) -> None:
    """Sit a mock interview: answer aloud, see what a great answer contains, grade yourself, be
    asked on."""
    path = progress or default_path()
    seed = next_seed(path) if seed is None else seed
    planned = steps(minutes=minutes, level=level, seed=seed)
    say(
        f"A mock interview of {minutes} minutes, {level}, seed {seed}. Answer aloud, as if someone "
        "sat there. "
        "Ctrl-C ends it; every grade you gave is kept."
    )
    room = Interview(planned, path, minutes=minutes, level=level, seed=seed)
    try:
        while room.step is not None:
            _ask(room, room.step)
        if room.left:
            say("Time is up.")
    except typer.Abort:
        typer.echo("\nEvery grade you gave is kept.")
    say(f"\n{room.report()}")


@app.command("diagnose")
def diagnose_command(
    seed: Annotated[int, typer.Option(help="which cases")] = 0,
    first: Annotated[int, typer.Option(min=0, help="number of the first case")] = 0,
    count: Annotated[int, typer.Option(min=1, help="how many cases")] = 5,
    progress: Progress = None,
) -> None:
    """Diagnose recorded curves: which of four moves gains most on test error? The table knows."""
    path = progress or default_path()
    right = 0
    for done, number in enumerate(itertools.islice(itertools.count(first), count)):
        case = neighbours.case(seed=seed, number=number)
        say(f"Case {case.id}. {case.ask()}")
        show_picture(case.draw)
        typer.echo(f"\n{case.in_numbers()}\n")
        answer = _letter(case)
        if answer is None:
            say(f"{right} of {done} right.")
            return
        verdict = case.grade(answer)
        right += bool(verdict)
        note(path, "diagnosis", datetime.now(UTC), id=case.id, answer=answer, right=bool(verdict))
        say(repr(verdict))
    say(
        f"{right} of {count} right; guessing gets about one in three. "
        f"Go on with --seed {seed} --first {first + count}."
    )


@app.command("story")
def story_command(
    journal: Path,
    rows: Annotated[
        int | None, typer.Option(min=1, help="how many rows a loss was measured on")
    ] = None,
) -> None:
    """Tell the study in JOURNAL: a page to talk about, and what they may ask, answered from its
    records. Markdown."""
    from hpt_lab.interview.own_story import story

    print_anywhere(str(story(journal, rows=rows)))


@app.command("anki")
def anki_command(file: Path) -> None:
    """Write the question bank as an Anki deck to FILE.apkg; importing a newer one keeps your
    progress in Anki."""
    import matplotlib

    from hpt_lab.interview.deck import write_deck

    matplotlib.use("Agg")
    typer.echo(f"{file}: {write_deck(file)} questions, two cards each; in Anki: File, Import")


@app.command("cheatsheet")
def cheatsheet_command(file: Path) -> None:
    """Write the course on two pages of A4 to FILE.pdf."""
    from hpt_lab.interview.sheet import write_sheet

    write_sheet(file)
    typer.echo(f"{file}: two pages, A4")


def _letter(case: neighbours.Case) -> str | None:
    while True:
        try:
            given = (
                typer.prompt(f"Which one? {', '.join(case.letters)}, q to leave").strip().upper()
            )
        except typer.Abort:
            return None
        if given == "Q":
            return None
        if given and given in case.letters:
            return given


def _ask(room: Interview, step: Step) -> None:
    """Ask one step: prompt, answer, reveal, rubric, grade."""
    typer.echo(
        f"\n--- minute {room.elapsed:.0f} of {room.minutes}, lesson {step.lesson}, {step.part} "
        "---\n"
    )
    say(f"{step.says}\n\n{step.prompt}")
    if step.draw is not None:
        show_picture(step.draw)
    if step.part == "drill":
        _check(
            step,
            "Write it into a file and give its name to have it graded, or press Enter to see one "
            "answer",
        )
    elif step.check is not None:
        _check(step, "Your letter, with the reason aloud")
    else:
        typer.prompt("Answer aloud, then press Enter", default="", show_default=False)
    say(f"\n{step.reveal}")
    typer.echo("")
    for name, text in zip(GRADES.values(), step.rubric, strict=True):
        say(f"{name:5}  {text}")
    room.grade(_grade())


def _check(step: Step, question: str) -> None:
    given = typer.prompt(question, default="", show_default=False).strip()
    while given and step.check is not None:
        try:
            verdict = step.check(given)
            say(repr(verdict) if step.part == "drill" else HEADINGS[verdict.status])
        except InterviewError as error:
            say(str(error))
        if step.part != "drill":
            return
        given = typer.prompt(
            "Mend it and give the name again, or press Enter", default="", show_default=False
        ).strip()


def _grade() -> int:
    meanings = ", ".join(f"{grade} {meaning}" for grade, meaning in GRADES.items())
    while True:
        given = typer.prompt(f"Your answer was? {meanings}").strip()
        if given in map(str, GRADES):
            return int(given)


def show_picture(draw: Callable[[], Any]) -> None:
    """Write the picture beside the terminal and say its words: a terminal can't draw."""
    import matplotlib

    matplotlib.use("Agg")
    from hpt_lab.plots import describe

    drawn = draw()
    figure = (drawn[0] if isinstance(drawn, tuple) else drawn).figure.figure
    path = Path(tempfile.gettempdir()) / "hpt_lab_picture.png"
    figure.savefig(path)
    say(f"\n(The picture is in {path}. In words: {describe(figure)})")


def say(text: str) -> None:
    """Print text in lines that can be read, in whatever encoding the terminal has; code stays as it
    is."""
    fenced = False
    for line in as_plain(text).splitlines():
        if line.startswith("```"):
            fenced = not fenced
            continue
        lines = [line] if fenced or line.startswith("    ") else _wrapped(line)
        for piece in lines or [""]:
            print_anywhere(piece)


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, WIDTH, break_on_hyphens=False, break_long_words=False)


def print_anywhere(text: str) -> None:
    """Print in whatever encoding the terminal has: a verdict begins with a tick."""
    encoding = sys.stdout.encoding or "utf-8"
    typer.echo(text.encode(encoding, "replace").decode(encoding))

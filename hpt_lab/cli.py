"""The command line: `hpt-lab plan | tune | resume | report | export | record | race | lab |
playground | copy | links`.

Everything here could be typed in a notebook; read `tune` for how few lines that takes.
"""

from __future__ import annotations

import inspect
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hpt_lab.bridges.cli import app as bridges_app
from hpt_lab.curves.cli import app as curves_app
from hpt_lab.errors import HptError, JournalError, StrategyError
from hpt_lab.interview.cli import app as interview_app
from hpt_lab.lessons import course
from hpt_lab.space import Choice, Float, Int, Space
from hpt_lab.strategies import STRATEGIES, Strategy, population_based_training
from hpt_lab.study import Study, plan, resume, tune
from hpt_lab.study.reading import record_test
from hpt_lab.study.study import strategy_of

if TYPE_CHECKING:
    from hpt_lab.training import KerasObjective

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Learn hyperparameter tuning for deep learning by doing it.",
)

DATA = ("digits", "breast_cancer", "two_moons", "spirals")

SPACES = {
    "mlp": Space(
        learning_rate=Float(1e-4, 1e-1, log=True),
        units=Choice([16, 32, 64, 128]),
        layers=Int(1, 3),
        dropout=Float(0.0, 0.5),
        batch_size=Choice([32, 64, 128]),
    ),
    "cnn": Space(
        learning_rate=Float(1e-4, 1e-1, log=True),
        filters=Choice([4, 8, 16]),
        units=Choice([16, 32, 64]),
        batch_size=Choice([32, 64, 128]),
    ),
}

app.add_typer(bridges_app)  # export
app.add_typer(curves_app)  # record and race
app.add_typer(interview_app)  # drill and quiz

WHILE_TRAINING = (
    "learning_rate",
    "dropout",
    "batch_size",
)  # what population-based training may change

EtaOption = Annotated[int, typer.Option(help="keep one in eta at each rung")]
MaxBudget = Annotated[int, typer.Option(help="epochs of a full training")]
MinBudget = Annotated[int, typer.Option(help="epochs of the first rung")]
Rounding = Annotated[
    str | None, typer.Option(help="Hyperband's rounding: algorithm (default) or table")
]
Trials = Annotated[
    int | None, typer.Option(help="how many trials, for strategies that need to be told")
]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object and nothing else")]
Plot = Annotated[Path | None, typer.Option(help="draw the study into this PNG file")]
Reveal = Annotated[bool, typer.Option(help="open the sealed test part once, for the best trial")]


@app.command("plan")
def plan_command(
    strategy: str,
    max_budget: MaxBudget = 81,
    eta: EtaOption = 3,
    min_budget: MinBudget = 1,
    rounding: Rounding = None,
    trials: Trials = None,
    as_json: Json = False,
) -> None:
    """Say what STRATEGY will run, before it is spent."""
    made = make_strategy(
        strategy, SPACES["mlp"], max_budget, eta, min_budget, rounding, trials, seed=0
    )
    planned = plan(made)
    typer.echo(json.dumps(planned.as_dict()) if as_json else str(planned))


@app.command("tune")
def tune_command(
    data: Annotated[str, typer.Option(help=f"one of {', '.join(DATA)}")] = "digits",
    model: Annotated[str, typer.Option(help=f"one of {', '.join(SPACES)}")] = "mlp",
    strategy: Annotated[
        str, typer.Option(help="a strategy, or the start of its name")
    ] = "hyperband",
    max_budget: MaxBudget = 27,
    eta: EtaOption = 3,
    min_budget: MinBudget = 1,
    rounding: Rounding = None,
    trials: Trials = None,
    seed: int = 0,
    journal: Annotated[
        Path | None, typer.Option(help="record every trial here; resume from it")
    ] = None,
    reveal_test: Reveal = False,
    plot: Plot = None,
    as_json: Json = False,
) -> None:
    """Tune a Keras model. The last line of output is one JSON object."""
    for name, value, known in (("data", data, DATA), ("model", model, SPACES)):
        if value not in known:
            raise HptError(f"--{name} must be one of {', '.join(known)}, got {value!r}")
    check_plot(plot)
    made = make_strategy(
        strategy, SPACES[model], max_budget, eta, min_budget, rounding, trials, seed
    )
    if not as_json:
        typer.echo(made_plan(made))
    objective = make_objective(data, model, seed, journal)
    study = tune(objective, made, journal=journal, progress=not as_json)
    told(study, objective, journal, reveal_test, plot, as_json)


@app.command("resume")
def resume_command(
    file: Path, reveal_test: Reveal = False, plot: Plot = None, as_json: Json = False
) -> None:
    """Go on with the study that `hpt-lab tune --journal FILE` began."""
    from hpt_lab.study.journal import read_header

    check_plot(plot)
    described = read_header(file).get("objective")
    try:
        data = described["data"]  # type: ignore[index]
        model = described["build"]  # type: ignore[index]
        seed = described["seed"]  # type: ignore[index]
        known = data in DATA and model in SPACES
    except (TypeError, KeyError):
        known = False
    if not known:
        raise JournalError(
            f"{file} was not written by `hpt-lab tune`; resume it in Python with "
            "hpt_lab.resume(journal, objective)"
        )
    strategy_of(file)  # an unreadable strategy is reported before TensorFlow is imported
    objective = make_objective(data, model, seed, file)
    study = resume(file, objective, progress=not as_json)
    told(study, objective, file, reveal_test, plot, as_json)


@app.command("report")
def report_command(
    journal: Path, out: Annotated[Path | None, typer.Option(help="the HTML file to write")] = None
) -> None:
    """Write the report of the study in JOURNAL: one HTML file, by default beside the journal."""
    from hpt_lab.reports import write_report

    typer.echo(f"wrote {write_report(journal, out)}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context) -> None:
    """Open JupyterLab on the course, at 127.0.0.1 with a token. Arguments are passed on to
    JupyterLab."""
    folder = course()
    if folder.is_relative_to(
        Path(__file__).parent
    ):  # installed: work on a copy, never in site-packages
        folder = Path("hpt-lab-course").resolve()
        if not folder.exists():
            shutil.copytree(course(), folder)
            typer.echo(f"The course was copied to {folder}")
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{next(folder.glob('00*')).name}",
        *context.args,
    ]
    if (
        hasattr(os, "geteuid") and os.geteuid() == 0
    ):  # in a container; Jupyter refuses root unless told
        command.append("--allow-root")
    try:
        raise typer.Exit(subprocess.run(command).returncode)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def playground(context: typer.Context) -> None:
    """Serve the widgets as a web page, at 127.0.0.1 with a token. Arguments are passed on to
    Voila."""
    from hpt_lab.widgets.page import serve

    raise typer.Exit(serve(context.args))


@app.command()
def copy(
    directory: Path,
    force: Annotated[bool, typer.Option(help="overwrite files that are there")] = False,
) -> None:
    """Copy the lessons to DIRECTORY; files that are there already stay unless --force."""
    taken = 0
    for source in sorted(course().glob("*.ipynb")):
        target = directory / source.name
        if target.exists() and not force:
            typer.echo(f"kept      {target} (it is there already; --force overwrites it)")
            taken += 1
            continue
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        typer.echo(f"copied    {target}")
    if taken:
        raise typer.Exit(1)


@app.command()
def links() -> None:
    """Print links that open this checkout's own copy on Binder and Colab, and badges for its
    README."""
    from hpt_lab.links import badges, of_checkout

    found = of_checkout(Path.cwd())
    for name, url in found.items():
        typer.echo(f"{name:<7} {url}")
    typer.echo("\n" + badges(found))


@app.command()
def doctor() -> None:
    """Check this machine: versions, memory, known traps, Colab or Binder."""
    problems = []
    typer.echo(
        f"python {platform.python_version()} on {platform.system()}, {os.cpu_count()} cores, "
        f"{_memory_gb():.1f} GB of memory"
    )
    for name in (
        "hpt-lab",
        "numpy",
        "scipy",
        "scikit-learn",
        "matplotlib",
        "tensorflow",
        "keras",
        "ipywidgets",
        "ipykernel",
        "jupyterlab",
    ):
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            found = "not installed"
            if name == "tensorflow" and _installed("tensorflow-cpu"):
                found = f"{metadata.version('tensorflow-cpu')} (tensorflow-cpu)"
            elif name == "jupyterlab":
                problems.append("jupyterlab is not installed: pip install 'hpt-lab[lab]'")
            else:
                problems.append(f"{name} is not installed: pip install {name}")
        typer.echo(f"  {name:<13} {found}")
        if name == "ipykernel" and found.startswith("7.0."):
            problems.append(
                "ipykernel 7.0 loses widget updates from threads: pip install -U ipykernel"
            )
    if not (3, 11) <= sys.version_info < (3, 14):
        problems.append("hpt-lab is tested on Python 3.11 to 3.13")
    if _memory_gb() < 1.5:
        problems.append("less than 1.5 GB of memory: TensorFlow and a lesson need 1.2 GB")
    place = (
        "Colab"
        if "COLAB_RELEASE_TAG" in os.environ
        else "Binder"
        if "BINDER_SERVICE_HOST" in os.environ
        else ""
    )
    if place:
        typer.echo(f"  running on {place}")
    for problem in problems:
        typer.echo(f"problem: {problem}")
    typer.echo("all is well" if not problems else f"{len(problems)} problem(s) found")
    raise typer.Exit(1 if problems else 0)


def make_strategy(
    name: str,
    space: Space,
    max_budget: int,
    eta: int,
    min_budget: int,
    rounding: str | None,
    trials: int | None,
    seed: int,
) -> Strategy:
    """Make the strategy whose name starts with `name`, giving it those of the options that it
    takes."""
    wanted = name.replace("-", "_").lower()
    matches = [full for full in STRATEGIES if full == wanted] or [
        full for full in STRATEGIES if full.startswith(wanted)
    ]
    if len(matches) != 1:
        raise StrategyError(
            f"strategy must be one of {', '.join(sorted(STRATEGIES))}, got {name!r}"
        )
    function = STRATEGIES[matches[0]]
    if function is population_based_training:  # its trials inherit weights, so shapes must stay
        space = Space(
            **{name: domain for name, domain in space.domains.items() if name in WHILE_TRAINING}
        )
    takes = inspect.signature(function).parameters
    options: dict[str, Any] = {
        "max_budget": max_budget,
        "budget": max_budget,
        "eta": eta,
        "min_budget": min_budget,
        "seed": seed,
    }
    for option, value in (("rounding", rounding), ("trials", trials)):
        if value is not None:
            if option not in takes:
                raise StrategyError(f"{matches[0]} takes no --{option}; leave it out")
            options[option] = value
    if "trials" in takes and takes["trials"].default is inspect.Parameter.empty:
        options.setdefault("trials", 20)
    return function(
        space, **{option: value for option, value in options.items() if option in takes}
    )


def made_plan(strategy: Strategy) -> str:
    """Return the plan of a strategy as text, or say that it has none."""
    try:
        return str(plan(strategy))
    except StrategyError as error:
        return str(error)


def make_objective(data: str, model: str, seed: int, journal: Path | None) -> KerasObjective:
    """Make the objective that trains `model` on `data`; checkpoints are kept beside the journal."""
    with _hushed():
        from hpt_lab import datasets
        from hpt_lab.training import KerasObjective, models

    loaded = getattr(datasets, data)()
    if model == "cnn" and data != "digits":
        raise HptError(
            f"--model cnn needs images, got --data {data}; use --data digits or --model mlp"
        )
    checkpoints = None if journal is None else f"{journal}.checkpoints"
    return KerasObjective(models.builder(model, loaded), loaded, seed=seed, checkpoints=checkpoints)


def told(
    study: Study,
    objective: KerasObjective,
    journal: Path | None,
    reveal_test: bool,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Print what came out, a line of JSON last."""
    best = study.best
    if best is None:
        raise HptError("every trial failed; see the errors in the journal")
    result: dict[str, Any] = {
        "best": {"config": best.config, "loss": best.loss, "metrics": dict(best.metrics)},
        "budget": best.budget,
        "trials": len({r.trial.id for r in study.history.records}),
        "runs": len(study.history.records),
        "epochs": study.epochs,
        "seconds": round(study.seconds, 3),
        "stopped": study.stopped,
        "digest": study.digest,
    }
    if reveal_test:
        result["test"] = objective.test(best.trial)
        if journal is not None:
            record_test(journal, best.trial, result["test"])
    if not as_json:
        typer.echo(
            f"best of {result['trials']} configs after {study.epochs:g} epochs in "
            f"{study.seconds:.1f} s: "
            f"{best.config}"
        )
        typer.echo(
            "  validation  "
            + "  ".join(f"{name} {value:.4f}" for name, value in best.metrics.items())
        )
        if reveal_test:
            typer.echo(
                "  test        "
                + "  ".join(f"{name} {value:.4f}" for name, value in result["test"].items())
            )
    typer.echo(json.dumps(result))
    if plot is not None:  # last: the result has been said, whatever becomes of the picture
        from hpt_lab import plots

        axes = plots.brackets(study) if best.trial.bracket is not None else plots.history(study)
        axes.figure.savefig(plot, dpi=150, bbox_inches="tight")  # type: ignore[union-attr]
    if study.stopped == "interrupted":
        raise typer.Exit(130)


def check_plot(plot: Path | None) -> None:
    """Raise HptError, before anything is spent, if no picture can be written there."""
    if plot is not None:
        from hpt_lab.plots.figure import check_file

        check_file(plot)


def main() -> None:
    """Run the command line; our own errors, and files that can't be written, are one line, not a
    traceback."""
    try:
        app()
    except (HptError, OSError) as error:
        typer.echo(f"hpt-lab: {' '.join(str(error).split())}", err=True)
        raise SystemExit(2) from None


@contextmanager
def _hushed() -> Iterator[None]:
    """Send what C++ writes to stderr nowhere: TensorFlow's start-up notes ignore its own log
    level."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _memory_gb() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):  # Windows
        return float("inf")


def _installed(name: str) -> bool:
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False

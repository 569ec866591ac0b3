"""`hpt-lab export JOURNAL PATH --to optuna|tensorboard|csv`: what a study knows, for other
tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hpt_lab.arguments import check_among
from hpt_lab.errors import HptError
from hpt_lab.study.reading import read_study

app = typer.Typer()

To = Annotated[str, typer.Option(help="optuna, tensorboard or csv")]


@app.command()
def export(journal: Path, path: Path, to: To) -> None:
    """Write the study in JOURNAL to PATH: a .db or journal of Optuna's, TensorBoard's folder, or a
    CSV file."""
    from hpt_lab import bridges

    check_among("--to", to, ("optuna", "tensorboard", "csv"))
    study = read_study(journal)
    if to == "optuna":
        bridges.optuna.to_storage(study, path, name=journal.stem)
    elif to == "tensorboard":
        bridges.tensorboard.write(study, path)
    elif path.exists():
        raise HptError(f"{path} is there already, and nothing is overwritten; choose another")
    else:
        study.frame().to_csv(path, index=False)
    typer.echo(f"{len(study.history.records)} records of {journal} are in {path}")

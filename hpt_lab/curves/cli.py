"""`hpt-lab record` and `hpt-lab race`. Read `race_command` for how few lines a race takes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from hpt_lab.curves.racing import Race, Unit, contestants, race
from hpt_lab.curves.table import load
from hpt_lab.errors import HptError

app = typer.Typer()


@app.command("record")
def record_command(
    table: Annotated[str, typer.Argument(help="digits-mlp or spirals-mlp")],
    out: Annotated[
        Path | None, typer.Option(help="the file to write; by default TABLE.npz here")
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(help="folder to record in and to go on from")
    ] = None,
    processes: Annotated[int, typer.Option(help="how many to train side by side")] = 1,
) -> None:
    """Train every config of TABLE for real, three times, and write the curves into one file."""
    from hpt_lab.curves.recorder import record
    from hpt_lab.curves.tasks import task

    folder = journal or Path("runs") / f"{table}.recording"
    command = f"hpt-lab record {table} --processes {processes}"
    recorded = record(task(table), folder, processes=processes, command=command)
    path = out or Path(f"{table}.npz")
    if recorded is None:
        raise HptError(f"the recording in {folder} is not complete; run the command again")
    recorded.save(path)
    typer.echo(
        f"{path}: {len(recorded.configs)} configs x {recorded.seeds} seeds x {recorded.epochs} "
        "epochs, "
        f"{path.stat().st_size / 1e6:.2f} MB"
    )


@app.command("race")
def race_command(
    table: Annotated[str, typer.Option(help="a table's name or file")] = "digits-mlp",
    seeds: Annotated[int, typer.Option(help="how many searches of each strategy")] = 100,
    trainings: Annotated[float, typer.Option(help="the budget, in full trainings' worth")] = 20,
    unit: Annotated[
        str, typer.Option(help="what is spent: epochs, or seconds on a simulated clock")
    ] = "epochs",
    workers: Annotated[int, typer.Option(help="simulated workers")] = 1,
    metric: Annotated[
        str, typer.Option(help="accuracy (validation error) or loss (cross-entropy)")
    ] = "accuracy",
    processes: Annotated[int, typer.Option(help="processes to use on this machine")] = 2,
    plot: Annotated[
        Path | None, typer.Option(help="draw who is ahead when into this PNG file")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="print one JSON object and nothing else")
    ] = False,
) -> None:
    """Race eight strategies on a recorded table, against random search at twice the budget."""
    if plot is not None:
        from hpt_lab.plots.figure import check_file

        check_file(plot)
    recorded = load(table)
    if unit not in ("epochs", "seconds"):
        raise HptError(f"--unit must be epochs or seconds, got {unit!r}")
    of_unit: Unit = "epochs" if unit == "epochs" else "seconds"
    budget = trainings * (recorded.epochs if unit == "epochs" else recorded.mean_seconds)
    run = race(
        contestants(recorded),
        recorded,
        budget,
        seeds,
        unit=of_unit,
        metric=metric,
        workers=workers,
        processes=processes,
    )
    if plot is not None:
        from hpt_lab.plots.race import over_time

        figure = over_time(run).figure
        figure.savefig(plot, dpi=150, bbox_inches="tight")  # type: ignore[union-attr]
    typer.echo(json.dumps(as_dict(run)) if as_json else as_text(run))


def as_dict(run: Race) -> dict[str, object]:
    """Return the race's summary and verdict in plain JSON types."""
    summary = run.summary().astype(object)
    rows = summary.where(summary.notna(), None).reset_index().to_dict("records")
    return {
        "table": run.table.name,
        "metric": run.metric,
        "unit": run.unit,
        "budget": run.budget,
        "workers": run.workers,
        "seeds": len(run.seeds),
        "strategies": rows,
        "verdict": run.verdict(),
    }


def as_text(run: Race) -> str:
    """Return the race's summary as a table to read, the verdict below it."""
    what = "error" if run.metric == "accuracy" else "loss"
    lines = [
        f"{run.table.name}: {len(run.seeds)} seeds, {run.budget:,.0f} {run.unit} each, simulated "
        f"workers: {run.workers}",
        "",
        f"{'strategy':<32}{'rank':>5}  "
        f"{'95 %':^11}{'val. ' + what:>12}{'test error':>12}{'gap':>9}{'ahead of line':>15}",
    ]
    for name, row in run.summary().iterrows():
        mark = "better" if row.ahead_low > 0 else "worse" if row.ahead_high < 0 else ""
        lines.append(
            f"{name!s:<32}{row['rank']:>5.2f}  {row.rank_low:>4.2f} - "
            f"{row.rank_high:<4.2f}{row.loss:>12.4f}"
            f"{row.test_error:>12.4f}{row.gap:>9.4f}{row.ahead:>12.4f} {mark}".rstrip()
        )
    return "\n".join([*lines, "", run.verdict()])


if __name__ == "__main__":
    sys.exit(app())

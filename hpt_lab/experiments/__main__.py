"""`python -m hpt_lab.experiments lesson_04.scales --seeds 100`: record an experiment."""

from typing import Annotated

import typer

from hpt_lab.experiments.recording import record


def main(
    name: str,
    seeds: Annotated[int, typer.Option(min=1)] = 100,
    processes: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Run experiment NAME once per seed and write its rows beside the package's other data."""
    path = record(name, seeds, processes=processes)
    typer.echo(f"{path}: {seeds} seeds, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    typer.run(main)

"""TensorBoard: a study as event files, a run per trial, with curves as scalars and the configs for
HParams.

    write(study, "runs/digits")          # then: tensorboard --logdir runs/digits

Event files only grow, so a folder that has some already is refused. TensorFlow is not needed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hpt_lab.arguments import show
from hpt_lab.bridges import library
from hpt_lab.errors import DiskError, HptError
from hpt_lab.history import Record
from hpt_lab.space import Choice, Domain, Space
from hpt_lab.study.reading import read_study
from hpt_lab.study.study import Study

REPORTED = "loss_at_budget"  # what the strategy ranked by; step: the budget
Scalar = tuple[str, int, float]  # tag, step, value


def write(study: Study | str | Path, directory: str | Path) -> Path:
    """Write a study, or the one in a journal, under `directory`; return that.

    Each trial has a folder of its own: its curves, a value per epoch, the loss it reported at every
    budget, and its last metrics. Values that are not finite are drawn by TensorBoard as such.
    """
    if isinstance(study, str | Path):
        study = read_study(study)
    if not isinstance(study, Study):
        raise HptError(
            f"study must be a Study or a journal's path, got {show(study)}; try what tune returned"
        )
    event_files = library("tensorboard.summary.writer.event_file_writer", "TensorBoard")
    summary = library("tensorboard.plugins.hparams.summary_v2", "TensorBoard")
    folder = Path(directory).expanduser()
    if folder.is_dir() and any(folder.rglob("events.out.tfevents*")):
        raise HptError(
            f"{folder} has event files already, and two studies in one would be drawn as one; "
            "choose another"
        )
    trials: dict[int, list[Record]] = {}
    for record in study.history.records:
        trials.setdefault(record.trial.id, []).append(record)
    try:
        _write(event_files, folder, [(0, _experiment(study.strategy.space, summary))])
        for id, reports in sorted(trials.items()):
            name = f"trial_{id:04}"
            described = summary.hparams_pb(_plain(reports[-1].config), trial_id=name)
            _write(event_files, folder / name, [(0, described), *_scalars(reports)])
    except OSError as error:
        raise DiskError(
            f"can't write to {folder}: {error.strerror}; free space, or choose another"
        ) from error
    return folder


def _write(event_files: Any, folder: Path, summaries: Sequence[tuple[int, Any]]) -> None:
    """Write (step, summary) pairs into one event file."""
    events = library("tensorboard.compat.proto.event_pb2", "TensorBoard")
    writer = event_files.EventFileWriter(str(folder))
    for step, summary in summaries:
        writer.add_event(events.Event(wall_time=time.time(), step=step, summary=summary))
    writer.close()


def _scalars(reports: Sequence[Record]) -> list[tuple[int, Any]]:
    protos = library("tensorboard.compat.proto.summary_pb2", "TensorBoard")
    return [
        (step, protos.Summary(value=[protos.Summary.Value(tag=tag, simple_value=value)]))
        for tag, step, value in scalars(reports)
    ]


def scalars(reports: Sequence[Record]) -> Iterator[Scalar]:
    """Give what is drawn of a trial: curves, reported losses, and the last report's metrics."""
    last = reports[-1]
    for name, values in last.outcome.curves.items():
        yield from ((f"curves/{name}", epoch, value) for epoch, value in enumerate(values, start=1))
    for record in reports:
        if not record.outcome.failed:
            yield REPORTED, int(record.budget), record.loss
    yield from (
        (f"metrics/{name}", int(last.budget), value) for name, value in last.outcome.metrics.items()
    )


def _experiment(space: Space, summary: Any) -> Any:
    """Describe the columns of HParams: the space's dimensions, and what trials are ranked by."""
    plugin = library("tensorboard.plugins.hparams.summary_v2", "TensorBoard")
    hparams = [
        plugin.HParam(name, _domain(domain, plugin)) for name, domain in space.domains.items()
    ]
    return summary.hparams_config_pb(hparams, [plugin.Metric(REPORTED, display_name="loss")])


def _domain(domain: Domain, plugin: Any) -> Any:
    """Return HParams' domain; it knows neither scales nor choices of several types."""
    if isinstance(domain, Choice):
        values = [_value(value) for value in domain.values]
        same = len({type(value) for value in values}) == 1
        return plugin.Discrete(values if same else list(map(str, values)))
    return (
        plugin.IntInterval(domain.low, domain.high)
        if domain.kind == "int"
        else plugin.RealInterval(float(domain.low), float(domain.high))
    )


def _value(value: Any) -> Any:
    return "None" if value is None else value


def _plain(config: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in config.items()}

"""What TensorBoard reads back is what the study knows; and the command line exports it."""

import math

import pandas
import pytest

import hpt_lab as hpt
from hpt_lab.bridges import tensorboard as bridge
from hpt_lab.errors import HptError
from hpt_lab.study.reading import read_study

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")

SPACE = hpt.Space(
    rate=hpt.Float(1e-4, 1e-1, log=True),
    optimizer=hpt.Choice(["adam", "sgd"]),
    momentum=hpt.Float(0.0, 0.9, when={"optimizer": "sgd"}),
    clip=hpt.Choice([None, 1, 2.5]),
    layers=hpt.Int(1, 3),
    norm=hpt.Choice([False, True]),
)


def run(config, budget):
    if config["layers"] == 3 and config["norm"]:
        raise RuntimeError("too large")
    loss = abs(math.log10(config["rate"]) + 2) + 1 / budget
    return hpt.Outcome(
        loss,
        {"accuracy": 0.5},
        curves={"val_loss": [loss + 1 / epoch for epoch in range(1, budget + 1)]},
    )


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    return tmp_path_factory.mktemp("tensorboard") / "study.jsonl"


@pytest.fixture(scope="module")
def study(journal):
    return hpt.tune(
        run, hpt.hyperband(SPACE, max_budget=9, seed=1), journal=journal, progress=False
    )


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory):
    return bridge.write(study, tmp_path_factory.mktemp("events") / "study")


def read(folder):
    events = accumulator.EventAccumulator(str(folder))
    events.Reload()
    return events


def test_every_trials_scalars_are_read_back(study, folder):
    last = {record.trial.id: record for record in study.history.records}
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == [
        f"trial_{id:04}" for id in sorted(last)
    ]
    for id, record in last.items():
        events = read(folder / f"trial_{id:04}")
        reported = [
            (r.budget, r.loss)
            for r in study.history.records
            if r.trial.id == id and not r.outcome.failed
        ]
        there = [(e.step, e.value) for e in events.Scalars(bridge.REPORTED)] if reported else []
        assert [step for step, _ in there] == [budget for budget, _ in reported]
        assert [value for _, value in there] == pytest.approx([loss for _, loss in reported])
        curve = record.outcome.curves.get("val_loss", [])
        told = [(e.step, e.value) for e in events.Scalars("curves/val_loss")] if curve else []
        assert [step for step, _ in told] == list(range(1, len(curve) + 1))
        assert [value for _, value in told] == pytest.approx(curve)


def test_the_configs_are_there_for_hparams(study, folder):
    from tensorboard.plugins.hparams import metadata

    experiment = metadata.parse_experiment_plugin_data(
        read(folder).SummaryMetadata(metadata.EXPERIMENT_TAG).plugin_data.content
    )
    assert [info.name for info in experiment.hparam_infos] == list(SPACE)
    for record in {record.trial.id: record for record in study.history.records}.values():
        meta = read(folder / f"trial_{record.trial.id:04}").SummaryMetadata(
            metadata.SESSION_START_INFO_TAG
        )
        hparams = metadata.parse_session_start_info_plugin_data(meta.plugin_data.content).hparams
        assert hparams.keys() == record.config.keys()
        assert hparams["rate"].number_value == record.config["rate"]
        assert hparams["norm"].bool_value is record.config["norm"]
        assert hparams["optimizer"].string_value == record.config["optimizer"]


def test_a_folder_with_events_is_refused(study, folder):
    with pytest.raises(HptError, match="event files already"):
        bridge.write(study, folder)


def test_a_journal_is_read_without_its_objective(study, journal):
    again = read_study(journal)
    assert again.digest == study.digest and again.strategy.space == SPACE
    lines = journal.read_text().splitlines(keepends=True)
    cut = journal.parent / "cut.jsonl"
    cut.write_text("".join(lines[:2]))
    assert len(read_study(cut).history.pending) == 1 and not read_study(cut).history.records


def test_the_command_line_exports_a_journal(study, journal, tmp_path):
    from typer.testing import CliRunner

    from hpt_lab.cli import app

    runner = CliRunner()
    for to, name in (("csv", "study.csv"), ("tensorboard", "events"), ("optuna", "study.db")):
        result = runner.invoke(app, ["export", str(journal), str(tmp_path / name), "--to", to])
        assert result.exit_code == 0 and (tmp_path / name).exists(), result.output
    frame = pandas.read_csv(tmp_path / "study.csv")
    assert list(frame.columns) == list(study.frame().columns) and len(frame) == len(
        study.history.records
    )
    assert frame["loss"].dropna().tolist() == pytest.approx(study.frame()["loss"].dropna().tolist())
    again = runner.invoke(app, ["export", str(journal), str(tmp_path / "study.csv"), "--to", "csv"])
    assert isinstance(again.exception, HptError) and "is there already" in str(again.exception)
    assert isinstance(
        runner.invoke(app, ["export", str(journal), "x", "--to", "excel"]).exception, HptError
    )

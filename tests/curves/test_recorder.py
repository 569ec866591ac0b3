"""The recorder: what it wrote is what training gives, today and trained alone; what was stopped
goes on."""

import json
from dataclasses import replace

import numpy as np
import pytest

from hpt_lab import curves
from hpt_lab.curves import recorder
from hpt_lab.curves.table import QUANTITIES
from hpt_lab.curves.tasks import TASKS, Task, noisy_spirals, ordered, spirals_mlp
from hpt_lab.errors import DataError, JournalError
from hpt_lab.space import Choice, Space

EPOCHS = 4

# Learning rates at which training is not chaotic: what is measured there is the same to rounding on
# any machine. At the
# larger ones a difference in the last bit grows to percents within a few epochs, and only
# statistics are comparable.
CALM = {
    "digits-mlp": [
        {
            "learning_rate": 0.001,
            "batch_size": 128,
            "units": 32,
            "layers": 2,
            "dropout": 0.2,
            "optimizer": "adam",
        },
        {
            "learning_rate": 0.003,
            "batch_size": 128,
            "units": 32,
            "layers": 2,
            "dropout": 0.6,
            "optimizer": "adam",
        },
        {
            "learning_rate": 0.0001,
            "batch_size": 128,
            "units": 32,
            "layers": 2,
            "dropout": 0.0,
            "optimizer": "adam",
        },
    ],
    "spirals-mlp": [
        {
            "learning_rate": 0.001,
            "units": 16,
            "layers": 2,
            "weight_decay": 0.3,
            "activation": "tanh",
        },
        {
            "learning_rate": 0.003,
            "units": 16,
            "layers": 2,
            "weight_decay": 0.0,
            "activation": "tanh",
        },
    ],
}


@pytest.mark.parametrize("name", sorted(TASKS))
def test_sampled_configs_retrained_give_the_recorded_curves(name):
    table, task = curves.load(name), TASKS[name]
    members = [(table.row(config), config, seed) for seed, config in enumerate(CALM[name])]
    values = recorder.train(task, members, EPOCHS, task.data())
    for (row, _, seed), retrained in zip(members, values, strict=True):
        recorded = np.array([table.curves[quantity][row, seed, :EPOCHS] for quantity in QUANTITIES])
        np.testing.assert_allclose(
            retrained[:2], recorded[:2], rtol=0.001
        )  # the file keeps losses to 0.017 %
        rows = np.array([table.rows["validation"], table.rows["test"]])
        assert (
            np.abs(retrained[2:] - recorded[2:]) * rows[:, None]
        ).max() <= 1.01  # one row may tip over


def test_a_config_trained_alone_by_the_engine_gives_the_recorded_curve():
    from hpt_lab.training import Trainer
    from hpt_lab.training.objective import build_model

    task, table, config = TASKS["digits-mlp"], curves.load("digits-mlp"), CALM["digits-mlp"][0]
    row, data = table.row(config), task.data()
    model = build_model(task.build, config, seed=(recorder.SEED, row, 1), x=data.x_train)
    trainer = Trainer(
        model,
        data.x_train,
        data.y_train,
        validation=(data.x_validation, data.y_validation),
        batch_size=config["batch_size"],
        seed=(recorder.SEED, row, 1),
    )
    trainer.run(EPOCHS)
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(
            trainer.curves[name], table.curves[name][row, 1, :EPOCHS], rtol=0.001
        )


TINY = Task(
    "tiny",
    Space(
        learning_rate=ordered(0.001, 0.01),
        units=ordered(4, 8),
        layers=Choice([1]),
        weight_decay=ordered(0.0, 0.1),
        activation=Choice(["tanh"]),
    ),
    noisy_spirals,
    spirals_mlp,
    inside=("learning_rate", "weight_decay"),
    batch_size=50,
    epochs=2,
    seeds=2,
)


def test_a_recording_that_was_stopped_goes_on_and_gives_the_same_table(tmp_path, monkeypatch):
    monkeypatch.setitem(TASKS, "tiny", TINY)
    whole = recorder.record(TINY, tmp_path / "whole", command="test")
    assert recorder.record(TINY, tmp_path / "parts", groups=1) is None
    assert len(list((tmp_path / "parts").glob("stack_*.npz"))) == 1
    trained = []
    train = recorder.train
    monkeypatch.setattr(
        recorder, "train", lambda *arguments: trained.append(arguments) or train(*arguments)
    )
    parts = recorder.record(TINY, tmp_path / "parts")
    assert len(trained) == 1  # of two stacks
    for quantity in QUANTITIES:
        np.testing.assert_array_equal(parts.curves[quantity], whole.curves[quantity])
    assert whole.curves["loss"].shape == (8, 2, 2) and np.isfinite(whole.curves["loss"]).all()
    assert whole.rows == {"training": 150, "validation": 500, "test": 500}
    assert (whole.trace_seconds > whole.epoch_seconds).all() and whole.about["command"] == "test"
    with pytest.raises(JournalError, match="describes another recording"):
        recorder.record(replace(TINY, epochs=3), tmp_path / "parts")
    assert json.loads((tmp_path / "parts" / "header.json").read_text())["epochs"] == 2


def test_divergence_is_nan_from_its_epoch_on(monkeypatch):
    task = replace(TASKS["digits-mlp"])
    config = {
        "learning_rate": 1.0,
        "batch_size": 32,
        "units": 64,
        "layers": 3,
        "dropout": 0.0,
        "optimizer": "sgd",
    }
    table = curves.load("digits-mlp")
    row = table.row(config)
    values = recorder.train(
        task, [(row, config, 0), (row, config | {"learning_rate": 1e-4}, 0)], 3, task.data()
    )
    assert np.isfinite(values[1]).all()
    finite = np.isfinite(values[0]).all(axis=0)
    assert list(finite) == sorted(finite, reverse=True)  # once lost, never finite again


def test_configs_are_stacked_by_what_their_graphs_have_in_common():
    for task in TASKS.values():
        batches = recorder.stacks(task)
        assert sorted(row for members in batches for row, _ in members) == list(
            range(int(task.space.size))
        )
        for members in batches:
            assert (
                len(
                    {
                        tuple(v for k, v in config.items() if k not in task.inside)
                        for _, config in members
                    }
                )
                == 1
            )


def test_unknown_tables_are_named():
    from hpt_lab.curves.tasks import task

    with pytest.raises(
        DataError, match="table must be one of digits-mlp, spirals-mlp, got 'digits'"
    ):
        task("digits")

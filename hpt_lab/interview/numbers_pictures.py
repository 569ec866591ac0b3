"""Numbers read off the recorded runs that `hpt_lab.plots.interview_a` draws, for the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hpt_lab import curves, experiments
from hpt_lab.interview.numbers import numbers

DIGITS: dict[str, Any] = {
    "batch_size": 32,
    "units": 64,
    "layers": 2,
    "dropout": 0.0,
    "optimizer": "sgd",
}
SPIRALS: dict[str, Any] = {"learning_rate": 0.003, "units": 128, "layers": 2, "activation": "relu"}


def _run(table: str, quantity: str, seed: int, **config: Any) -> np.ndarray:
    found = curves.load(table)
    return found.curves[quantity][found.row(config), seed]


@numbers
def loss_turns() -> Mapping[str, Any]:
    """Read the run whose validation loss turns while its accuracy climbs."""
    config = DIGITS | {"learning_rate": 0.01, "layers": 3, "dropout": 0.2}
    loss = _run("digits-mlp", "val_loss", 1, **config)
    accuracy = _run("digits-mlp", "val_accuracy", 1, **config)
    at = int(loss.argmin())
    wrong = round(360 * (1 - accuracy[-1]))
    return {
        "epoch": at + 1,
        "low": f"{loss[at]:.2f}",
        "high": f"{loss[-1]:.2f}",
        "before": f"{100 * accuracy[at]:.1f}",
        "after": f"{100 * accuracy[-1]:.1f}",
        "wrong": wrong,
        "was_wrong": round(360 * (1 - accuracy[at])),
        "each": round(360 * loss[-1] / wrong),
    }


@numbers
def strong_dropout() -> Mapping[str, Any]:
    """Read the run with dropout 0.6 whose training loss lies above its validation loss."""
    config = DIGITS | {"learning_rate": 0.001, "dropout": 0.6, "optimizer": "adam"}
    loss = _run("digits-mlp", "loss", 0, **config)
    unseen = _run("digits-mlp", "val_loss", 0, **config)
    return {
        "loss": f"{loss[20]:.2f}",
        "unseen": f"{unseen[20]:.2f}",
        "ratio": f"{loss[20] / unseen[20]:.1f}",
        "end": f"{loss[-1]:.2f}",
        "unseen_end": f"{unseen[-1]:.2f}",
    }


@numbers
def two_ends() -> Mapping[str, Any]:
    """Read the two spiral runs that end at nearly the same validation loss."""
    read: dict[str, np.ndarray] = {}
    for name, decay in (("a", 0.0), ("b", 1.0)):
        for part, quantity in (("train", "loss"), ("valid", "val_loss")):
            read[f"{part}_{name}"] = _run("spirals-mlp", quantity, 0, **SPIRALS, weight_decay=decay)
    low = read["valid_a"]
    return {name: f"{values[-1]:.2f}" for name, values in read.items()} | {
        "best_a": f"{low.min():.2f}",
        "epoch_a": int(low.argmin()) + 1,
    }


@numbers
def promise_and_test() -> Mapping[str, Any]:
    """Read validation and test accuracy of the best of 10 and of 300 random digits runs."""
    table = curves.load("digits-mlp")
    seen = np.nan_to_num(table.curves["val_accuracy"][:, :, -1].ravel(), nan=0.0)
    sealed = table.curves["test_accuracy"][:, :, -1].ravel()
    rng = np.random.default_rng(0)
    rows = {}
    for k in (1, 3, 10, 30, 100, 300):  # the draws of the picture
        tried = rng.integers(len(seen), size=(2000, k))
        chosen = tried[np.arange(2000), np.argmax(seen[tried], axis=1)]
        rows[k] = (100 * seen[chosen].mean(), 100 * np.nanmean(sealed[chosen]))
    few = rows[10]
    many = rows[300]
    return {
        "val_10": f"{few[0]:.1f}",
        "val_300": f"{many[0]:.1f}",
        "test_10": f"{few[1]:.1f}",
        "test_300": f"{many[1]:.1f}",
        "promised": f"{many[0] - few[0]:.1f}",
        "kept": f"{many[1] - few[1]:.1f}",
        "error": f"{100 * np.sqrt(0.97 * 0.03 / 360):.1f}",
    }


@numbers
def crossing_seeds() -> Mapping[str, Any]:
    """Read the last epochs of two configs, three seeds each."""
    means = {}
    spreads = {}
    for units in (64, 32):
        config = DIGITS | {"learning_rate": 0.03, "units": units, "dropout": 0.2}
        runs = 100 * np.array(
            [_run("digits-mlp", "val_accuracy", seed, **config)[-1] for seed in range(3)]
        )
        means[units] = runs.mean()
        spreads[units] = runs.std(ddof=1)
    gain = means[64] - means[32]
    error = np.sqrt((spreads[64] ** 2 + spreads[32] ** 2) / 3)
    return {
        "wide": f"{means[64]:.1f}",
        "narrow": f"{means[32]:.1f}",
        "gain": f"{gain:.1f}",
        "error": f"{error:.1f}",
        "rows": f"{100 * np.sqrt(0.97 * 0.03 / 360):.1f}",
        "row": f"{100 / 360:.2f}",
        "count": f"{gain * 3.6:.0f}",
    }


@numbers
def starts() -> Mapping[str, Any]:
    """Read the regrets of four starting designs on Branin, 30 seeds each."""
    regrets = experiments.load("lesson_05.starts")
    middle = np.median(regrets, axis=0)
    return {
        "two": f"{middle[0]:.4f}",
        "eight": f"{middle[1]:.4f}",
        "sixteen": f"{middle[2]:.3f}",
        "alone": f"{middle[3]:.4f}",
        "worst": f"{regrets[:, 0].max():.1f}",
        "worst_eight": f"{regrets[:, 1].max():.2f}",
    }


@numbers
def pending() -> Mapping[str, Any]:
    """Read how often twelve workers find the best point, blind to each other and with a lie."""
    regrets = experiments.load("lesson_05.batches")
    blind = regrets[:, 2, 0]
    lie = regrets[:, 2, 1]
    return {
        "blind": int((blind == 0).sum()),
        "lie": int((lie == 0).sum()),
        "mean_blind": f"{blind.mean():.2f}",
        "mean_lie": f"{lie.mean():.2f}",
        "single": f"{regrets[:, 0, 1].mean():.3f}",
        "thompson": f"{regrets[:, 2, 3].mean():.2f}",
    }


@numbers
def digits_race() -> Mapping[str, Any]:
    """Read random search and the Gaussian process after 30 trials on the digits table."""
    results = experiments.load("lesson_05.digits")[:, :, -1]
    apart = results[:, 0] - results[:, 2]
    error = 2 * apart.std(axis=0, ddof=1) / np.sqrt(len(apart))
    return {
        "valid": f"{apart[:, 0].mean():.2f}",
        "test": f"{abs(apart[:, 1].mean()):.2f}",
        "error": f"{error[1]:.1f}",
        "seen": f"{results[:, 0, 0].mean():.1f}",
        "model": f"{results[:, 2, 0].mean():.1f}",
        "sealed": f"{results[:, 0, 1].mean():.1f}",
    }


@numbers
def unlabelled_rates() -> Mapping[str, Any]:
    """Read the four unlabelled training losses at epochs 1 and 40."""
    read: dict[str, str] = {}
    for name, rate in {"a": 0.01, "b": 0.0001, "c": 1.0, "d": 0.001}.items():
        loss = _run("digits-mlp", "loss", 0, **DIGITS | {"learning_rate": rate})
        read |= {f"first_{name}": f"{loss[0]:.1f}", f"last_{name}": f"{loss[39]:.2g}"}
    return read | {"chance": f"{np.log(10):.1f}"}

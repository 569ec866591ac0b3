"""Pictures for the questions of lessons 00 to 03 and 05; no title gives the answer away.

`hpt_lab.interview.numbers_pictures` computes from the same runs what the answers say about them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hpt_lab import curves, experiments
from hpt_lab.plots.figure import BLUE, GREEN, INK, ORANGE, VERMILLION, alt, axes, finish

STYLES = ((BLUE, "-"), (VERMILLION, "--"), (GREEN, "-."), (ORANGE, ":"))
DIGITS: dict[str, Any] = {
    "batch_size": 32,
    "units": 64,
    "layers": 2,
    "dropout": 0.0,
    "optimizer": "sgd",
}
SPIRALS: dict[str, Any] = {"learning_rate": 0.003, "units": 128, "layers": 2, "activation": "relu"}


def _run(table: str, quantity: str, seed: int, **config: Any) -> np.ndarray:
    """Return one recorded curve, epoch by epoch."""
    found = curves.load(table)
    return found.curves[quantity][found.row(config), seed]


def _pair(height: float = 3.6) -> tuple[Figure, Sequence[Axes]]:
    return plt.subplots(1, 2, figsize=(9, height), dpi=100, layout="constrained")


def _line(ax: Axes, values: np.ndarray, style: int, label: str) -> None:
    colour, dashes = STYLES[style]
    ax.plot(range(1, len(values) + 1), values, dashes, color=colour, label=label)


def cut_after_one_epoch() -> Axes:
    """Draw 27 random configs by learning rate and final error, those cut at epoch one marked."""
    table = curves.load("digits-mlp")
    rng = np.random.default_rng(11)
    rows = rng.choice(len(table.configs), 27, replace=False)
    errors = 1 - table.curves["val_accuracy"][rows, 0]
    rates = np.array([table.configs[row]["learning_rate"] for row in rows])
    kept = np.argsort(np.nan_to_num(errors[:, 0], nan=1.0), kind="stable")[:9]
    cut = np.setdiff1d(np.arange(27), kept)
    final = 100 * np.nan_to_num(errors[:, -1], nan=0.9)
    near = cut[final[cut] <= final[kept].min() + 1.5]
    ax = axes(None, 7.5, 4.2)
    ax.semilogx(
        rates[kept], final[kept], "o", color=BLUE, markersize=8, label="went on after epoch 1"
    )
    ax.semilogx(
        rates[cut], final[cut], "v", color=VERMILLION, label="cut at epoch 1, finished afterwards"
    )
    ax.set_yscale("log")
    ax.set_yticks([3, 5, 10, 30, 90], ["3", "5", "10", "30", "90"])
    return finish(
        ax,
        title="27 random configs, all trained to epoch 81",
        xlabel="learning rate",
        ylabel="final validation error, %",
        description=f"Nine went on, with a median rate of {np.median(rates[kept]):g} and errors "
        f"from {final[kept].min():.1f} %; of the 18 that were cut {len(near)} end "
        f"within 1.5 points of that, with a median rate of {np.median(rates[near]):g}, the best "
        f"at {final[cut].min():.1f} %.",
    )


def two_flat_runs() -> Axes:
    """Draw the validation errors of a run with far too low and one with far too high a rate."""
    low = _run(
        "digits-mlp",
        "val_accuracy",
        0,
        **DIGITS | {"learning_rate": 1e-4, "batch_size": 512, "units": 16},
    )
    high = _run("digits-mlp", "val_accuracy", 0, **DIGITS | {"learning_rate": 1.0})
    ax = axes(None, 7.5, 3.8)
    for style, (name, accuracy) in enumerate((("run A", low), ("run B", high))):
        _line(ax, 100 * (1 - accuracy[:20]), style, name)
    ax.set(ylim=(0, 100), xticks=range(0, 21, 5))
    return finish(
        ax,
        title="Two runs that go nowhere",
        xlabel="epoch",
        ylabel="validation error, %",
        description=f"Run A lies at {100 * (1 - low[19]):.0f} %, run B at "
        f"{100 * (1 - high[19]):.0f} % after 20 epochs; both are nearly level from the start.",
    )


def four_rates() -> Axes:
    """Draw the training losses of one network at four learning rates, without a legend of rates."""
    rates = {"A": 0.01, "B": 0.0001, "C": 1.0, "D": 0.001}
    ax = axes(None, 7.5, 4)
    ends = []
    for style, (name, rate) in enumerate(rates.items()):
        loss = _run("digits-mlp", "loss", 0, **DIGITS | {"learning_rate": rate})[:40]
        _line(ax, loss, style, name)
        ends.append(f"{name} {loss[0]:.2g} to {loss[-1]:.2g}")
    ax.set_yscale("log")
    return finish(
        ax,
        title="One network, four learning rates",
        xlabel="epoch",
        ylabel="training loss",
        description="From epoch 1 to 40: " + ", ".join(ends) + ".",
    )


def loss_turns_accuracy_climbs() -> Figure:
    """Draw validation loss and accuracy of a run in which they disagree."""
    config = DIGITS | {"learning_rate": 0.01, "layers": 3, "dropout": 0.2}
    loss = _run("digits-mlp", "val_loss", 1, **config)
    accuracy = 100 * _run("digits-mlp", "val_accuracy", 1, **config)
    figure, (left, right) = _pair()
    _line(left, loss, 0, "")
    _line(right, accuracy, 1, "")
    for ax, label in ((left, "validation loss"), (right, "validation accuracy, %")):
        ax.set(xlabel="epoch", ylabel=label)
        ax.spines[["top", "right"]].set_visible(False)
    at = int(loss.argmin())
    alt(
        figure,
        f"One run of 81 epochs. Left, the validation loss falls to {loss[at]:.2f} in epoch "
        f"{at + 1} and ends at {loss[-1]:.2f}. Right, the validation accuracy is "
        f"{accuracy[at]:.1f} % in that epoch and ends at "
        f"{accuracy[-1]:.1f} %.",
    )
    return figure


def training_above_validation() -> Axes:
    """Draw training and validation loss of a run with strong dropout."""
    config = DIGITS | {"learning_rate": 0.001, "dropout": 0.6, "optimizer": "adam"}
    loss = _run("digits-mlp", "loss", 0, **config)
    unseen = _run("digits-mlp", "val_loss", 0, **config)
    ax = axes(None, 7.5, 4)
    _line(ax, loss, 0, "training loss, as logged")
    _line(ax, unseen, 1, "validation loss")
    ax.set_ylim(0)
    return finish(
        ax,
        title="One run, two losses",
        xlabel="epoch",
        ylabel="cross-entropy",
        description=f"In epoch 21 training loss is {loss[20]:.2f} and validation loss "
        f"{unseen[20]:.2f}; they end at {loss[-1]:.2f} and {unseen[-1]:.2f}.",
    )


def equal_validation_unequal_training() -> Figure:
    """Draw two runs on the spirals that end at nearly the same validation loss."""
    figure, panels = _pair()
    told = []
    for ax, name, decay in zip(panels, "AB", (0.0, 1.0), strict=True):
        for style, quantity in enumerate(("loss", "val_loss")):
            values = _run("spirals-mlp", quantity, 0, **SPIRALS, weight_decay=decay)
            _line(ax, values, style, ("training", "validation")[style])
            told.append(
                f"{name}'s {('training', 'validation')[style]} loss ends at {values[-1]:.2f}"
            )
        ax.axhline(
            0.50, color=INK, linestyle=":", linewidth=1, label="a model that knows the truth"
        )
        ax.set(xlabel="epoch", ylabel="log loss", ylim=(0.45, 0.7))
        ax.set_title(f"Run {name}", loc="left", fontsize=11)
        ax.spines[["top", "right"]].set_visible(False)
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
    )
    alt(
        figure,
        "Two runs of 81 epochs: "
        + ", ".join(told)
        + ". A dotted line at 0.50: a model that knows the truth.",
    )
    return figure


def best_of_many() -> Axes:
    """Draw validation and test accuracy of the best of k random runs of the digits table."""
    table = curves.load("digits-mlp")
    seen = table.curves["val_accuracy"][:, :, -1].ravel()
    sealed = table.curves["test_accuracy"][:, :, -1].ravel()
    rng = np.random.default_rng(0)
    trials = (1, 3, 10, 30, 100, 300)
    means = []
    for k in trials:
        tried = rng.integers(len(seen), size=(2000, k))
        best = np.nanargmax(np.where(np.isnan(seen[tried]), 0.0, seen[tried]), axis=1)
        chosen = tried[np.arange(2000), best]
        means.append((100 * np.nanmean(seen[chosen]), 100 * np.nanmean(sealed[chosen])))
    shown = np.array(means)[2:]
    ax = axes(None, 7.5, 4)
    for column, name in enumerate(("its validation accuracy", "its test accuracy")):
        colour, dashes = STYLES[column]
        ax.plot(trials[2:], shown[:, column], dashes, marker="o", color=colour, label=name)
    ax.set_xscale("log")
    ax.set_xticks(trials[2:], [str(k) for k in trials[2:]])
    return finish(
        ax,
        title="The config with the best validation accuracy, by trials",
        xlabel="trials",
        ylabel="accuracy, %",
        description="Means over 2,000 searches. "
        + "; ".join(
            f"{k} trials: validation {row[0]:.1f} %, test {row[1]:.1f} %"
            for k, row in zip(trials[2:], shown, strict=True)
        )
        + ".",
    )


def three_seeds_two_configs() -> Axes:
    """Draw the validation accuracies of two configs of the digits table, three seeds each."""
    ax = axes(None, 7.5, 4)
    told = []
    for style, (name, units) in enumerate((("64 units", 64), ("32 units", 32))):
        config = DIGITS | {"learning_rate": 0.03, "units": units, "dropout": 0.2}
        runs = 100 * np.array(
            [_run("digits-mlp", "val_accuracy", seed, **config) for seed in range(3)]
        )
        for seed, run in enumerate(runs):
            _line(ax, run, style, name if seed == 0 else "_")
        told.append(f"{name} end at " + ", ".join(f"{run[-1]:.1f}" for run in runs))
    ax.set_ylim(90, 99)
    return finish(
        ax,
        title="Two configs, three seeds each, 360 validation rows",
        xlabel="epoch",
        ylabel="validation accuracy, %",
        description="; ".join(told) + " %. The lines cross often.",
    )


def four_starts() -> Axes:
    """Draw the final regrets of 30 seeds for four ways to start a Gaussian process on Branin."""
    regrets = experiments.load("lesson_05.starts")
    names = ("2 Sobol", "8 Sobol", "16 Sobol", "8 independent")
    ax = axes(None, 7.5, 4)
    rng = np.random.default_rng(0)
    for place, column in enumerate(regrets.T):
        ax.plot(place + rng.uniform(-0.15, 0.15, len(column)), column, "o", color=BLUE, alpha=0.6)
        ax.plot([place - 0.3, place + 0.3], [np.median(column)] * 2, color=VERMILLION, linewidth=2)
    ax.set_yscale("log")
    ax.set_xticks(range(4), names)
    told = "; ".join(
        f"{name}: median {np.median(column):.4f}, worst {column.max():.3f}"
        for name, column in zip(names, regrets.T, strict=True)
    )
    return finish(
        ax,
        title="30 searches of 30 trials each; bars are medians",
        xlabel="points before the model starts",
        ylabel="loss above the lowest there is",
        description=told + ".",
    )


def two_schedulers() -> Axes:
    """Draw the regrets of 60 searches with twelve workers, with and without a lie, in order."""
    regrets = np.sort(experiments.load("lesson_05.batches")[:, 2, :2], axis=0)
    ax = axes(None, 7.5, 4)
    for style, name in enumerate(("scheduler A", "scheduler B")):
        _line(ax, regrets[:, style], style, name)
    found = (regrets == 0).sum(axis=0)
    return finish(
        ax,
        title="60 searches of 32 trials on one problem, twelve workers",
        xlabel="searches, best first",
        ylabel="loss above the lowest there is",
        description=f"Scheduler A finds the best point in {found[0]} searches of 60 and has a mean "
        f"regret of {regrets[:, 0].mean():.2f}; B finds it in {found[1]} "
        f"and has {regrets[:, 1].mean():.2f}.",
    )


def model_and_random() -> Figure:
    """Draw validation and test error of random search and a Gaussian process on digits."""
    results = experiments.load("lesson_05.digits")[:, [0, 2]].mean(
        axis=0
    )  # (strategies, trials, 2)
    figure, panels = _pair()
    told = []
    for ax, part, label in zip(panels, (0, 1), ("validation", "test"), strict=True):
        for style, name in enumerate(("random search", "Gaussian process")):
            _line(ax, results[style, :, part], style, name)
            told.append(f"{name}, {label}: {results[style, -1, part]:.1f} %")
        ax.set(xlabel="trials", ylabel=f"{label} error of the best so far, %", ylim=(2, 6))
        ax.spines[["top", "right"]].set_visible(False)
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False
    )
    alt(
        figure,
        "Means over 30 seeds; both fall steeply for ten trials. After 30 trials: "
        + "; ".join(told)
        + ".",
    )
    return figure


PICTURES = {
    function.__name__: function
    for function in (
        cut_after_one_epoch,
        two_flat_runs,
        four_rates,
        loss_turns_accuracy_climbs,
        training_above_validation,
        equal_validation_unequal_training,
        best_of_many,
        three_seeds_two_configs,
        four_starts,
        two_schedulers,
        model_and_random,
    )
}

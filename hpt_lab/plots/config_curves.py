"""Draw a recorded config's curves as an interviewer would show them: losses on the left, error on
the right."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from hpt_lab.curves.table import Table
from hpt_lab.plots.figure import BLUE, VERMILLION, alt, finish, loss_scale


def config_curves(
    table: Table, row: int, *, axes: tuple[Axes, Axes] | None = None
) -> tuple[Axes, Axes]:
    """Draw losses and validation error of config `row`, a thin line a seed; return both axes.

    Titles say what is drawn, not what it means: that is the question.
    """
    if axes is None:
        panels = plt.subplots(1, 2, figsize=(9.6, 3.8), dpi=100, layout="constrained")[1]
        axes = (panels[0], panels[1])
    left, right = axes
    epochs = np.arange(1, table.epochs + 1)
    for name, words, color, style in (
        ("loss", "training loss", BLUE, "-"),
        ("val_loss", "validation loss", VERMILLION, "--"),
    ):
        for seed, values in enumerate(table.curves[name][row]):
            left.plot(
                epochs,
                values,
                color=color,
                linestyle=style,
                linewidth=1.3,
                alpha=0.8,
                label=None if seed else words,
            )
    drawn = np.concatenate(
        [table.curves["loss"][row].ravel(), table.curves["val_loss"][row].ravel()]
    )
    loss_scale(left, drawn[np.isfinite(drawn)].tolist(), None)
    for seed, values in enumerate(table.curves["val_accuracy"][row]):
        right.plot(
            epochs,
            100 * (1 - values),
            color=VERMILLION,
            linestyle="--",
            linewidth=1.3,
            alpha=0.8,
            label=None if seed else "validation error",
        )
    right.set_ylim(bottom=0)
    described = " ".join(
        _described(table, row, name) for name in ("loss", "val_loss", "val_accuracy")
    )
    finish(
        left, title="Losses, three seeds", xlabel="epoch", ylabel="cross-entropy", description=""
    )
    finish(
        right, title="Validation error", xlabel="epoch", ylabel="error in %", description=described
    )
    alt(left.figure.figure, f"Curves of one config, three seeds. {described}")
    return left, right


def _described(table: Table, row: int, name: str) -> str:
    values: Any = table.curves[name][row].mean(axis=0)
    words = {
        "loss": "training loss",
        "val_loss": "validation loss",
        "val_accuracy": "validation accuracy",
    }[name]
    last = "diverged" if np.isnan(values[-1]) else f"{values[-1]:.3g}"
    return f"The {words}: {values[0]:.3g} after epoch 1, {last} at the end."

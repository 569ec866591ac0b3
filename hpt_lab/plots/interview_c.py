"""Pictures for the questions of lessons 09 and 10, drawn from recorded runs.

No title gives the answer away. `hpt_lab.interview.numbers_practice` computes what the answers say.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from hpt_lab import experiments
from hpt_lab.experiments import four_systems
from hpt_lab.experiments import lesson_09 as lab
from hpt_lab.plots.figure import BLUE, GREEN, VERMILLION, axes, finish

STYLES = ((BLUE, "o-"), (VERMILLION, "s--"), (GREEN, "^:"))


def three_ways_to_step() -> Axes:
    """Draw the errors of a constant rate, a clipped one and a cosine, by their peak rate."""
    clipped = experiments.load("lesson_09.clipped")
    schedules = experiments.load("lesson_09.schedules")[: len(clipped)]
    names = list(lab.SCHEDULES)
    lines = {
        "constant": schedules[:, names.index("constant")],
        "constant, clipped": clipped,
        "cosine": schedules[:, names.index("cosine")],
    }
    ax = axes(None, 7.5, 4)
    seen = []
    for (name, errors), (color, style) in zip(lines.items(), STYLES, strict=True):
        mean = errors.mean(axis=0)
        ax.semilogx(lab.RATES, mean, style, color=color, label=name)
        values = ", ".join(f"{value:.1f}" for value in mean)
        seen.append(f"{name} {values}")
    ax.set_xticks(lab.RATES, [f"{rate:g}" for rate in lab.RATES])
    ax.set_ylim(0, None)
    return finish(
        ax,
        title="One network, forty epochs, mean of seven draws",
        xlabel="peak learning rate",
        ylabel="error, %",
        description=f"Errors in % at 0.01, 0.03, 0.1, 0.2, 0.4 and 0.8: {'; '.join(seen)}.",
    )


def narrow_and_wide() -> Axes:
    """Draw the validation losses of 8 and 512 units by learning rate, standard parametrisation."""
    losses = experiments.load("lesson_09.widths")[:, 0, :, :, 1].mean(axis=0)
    ax = axes(None, 7.5, 4)
    seen = []
    for width, (color, style) in zip((0, -1), STYLES[:2], strict=True):
        units = lab.WIDTHS[width]
        ax.loglog(lab.WIDTH_RATES, losses[width], style, color=color, label=f"{units} units")
        best = losses[width].argmin()
        rate = lab.WIDTH_RATES[best]
        seen.append(f"{units} units: lowest {losses[width, best]:.2f} at {rate:.2g}")
    at = np.argmin(losses[0])
    seen.append(f"there, at {lab.WIDTH_RATES[at]:.2g}, 512 units have {losses[-1, at]:.1f}")
    return finish(
        ax,
        title="Adam, five epochs, mean of seven seeds",
        xlabel="learning rate",
        ylabel="validation loss",
        description=f"Two valleys, the wide network's further left. {'; '.join(seen)}.",
    )


def rungs_of_a_tuner() -> Axes:
    """Draw how many configs a tuner trained to each rung, beside the paper's table."""
    systems = list(four_systems.SYSTEMS)
    found = experiments.load("lesson_10.searches")[0, systems.index("Optuna"), 2:]
    counts = {"the paper": four_systems.PAPER, "the tuner": found.reshape(4, 4).astype(int)}
    ax = axes(None, 7.5, 4)
    cells = [(row, rung) for row in range(4) for rung in range(row, 4)]
    seen = []
    for shift, (name, table) in zip((-0.2, 0.2), counts.items(), strict=True):
        heights = [int(table[cell]) for cell in cells]
        color = BLUE if shift < 0 else VERMILLION
        ax.bar(np.arange(len(cells)) + shift, heights, 0.4, color=color, label=name)
        seen.append(f"{name} {', '.join(map(str, heights))}")
    names = [
        f"{four_systems.RUNGS[rung]}\n{'s = ' + str(3 - row) if row == rung else ''}"
        for row, rung in cells
    ]
    ax.set_xticks(range(len(cells)), names)
    return finish(
        ax,
        title="One search with R = 27, eta = 3",
        xlabel="epochs of the rung, bracket by bracket",
        ylabel="configs trained that far",
        description=f"Configs by rung, brackets s = 3 to 0: {'; '.join(seen)}.",
        below=58,
    )


PICTURES = {
    function.__name__: function
    for function in (three_ways_to_step, narrow_and_wide, rungs_of_a_tuner)
}

"""Pictures for the questions of lessons 04 and 06 to 08, drawn from recorded runs.

No title gives the answer away. `hpt_lab.interview.numbers_b` and `numbers_d` compute what the answers say.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

import hpt_lab as hpt
from hpt_lab import curves, honesty
from hpt_lab.interview.numbers_b import study_of
from hpt_lab.plots.figure import BLUE, VERMILLION, axes, finish


def twenty_drawn_rates() -> Axes:
    """Draw the errors of twenty configs whose rates were drawn on a linear axis, on a log axis."""
    world = curves.load_map()
    space = hpt.Space(learning_rate=hpt.Float(1e-4, 1.0), l2=hpt.Float(1e-6, 1e-2, log=True))
    configs = [space.sample((4, i)) for i in range(20)]
    rates = np.array([config["learning_rate"] for config in configs])
    errors = 100 * np.array([world(config) for config in configs])
    ax = axes(None, 7.5, 3.8)
    ax.semilogx(rates, errors, "o", color=BLUE)
    ax.set_xlim(1e-4, 1)
    return finish(ax, title="Twenty trials of one search", xlabel="learning rate",
                  ylabel="validation error, %",
                  description=f"The axis goes from 0.0001 to 1. {(rates > 0.1).sum()} of 20 trials have "
                              f"rates above 0.1, {(rates < 0.01).sum()} below 0.01; errors go from "
                              f"{errors.min():.1f} to {errors.max():.0f} %, the lowest at "
                              f"{rates[errors.argmin()]:.2g}.")


def two_expected_bests() -> Axes:
    """Draw the expected best of n trials for studies of two problems."""
    ax = axes(None, 7.5, 4)
    ns = np.arange(4, 33)
    ends = []
    for name, label, style in (("digits-mlp", "study A", "-"), ("spirals-mlp", "study B", "--")):
        best = honesty.expected_best(study_of(name).tolist(), ns.tolist())
        ax.plot(ns, best, style, color=BLUE if style == "-" else VERMILLION, label=label)
        ends.append(f"{label} {best[0]:.1f} % with 4 trials, {best[12]:.1f} with 16, "
                    f"{best[-1]:.1f} with 32")
    ax.set_ylim(0, None)
    return finish(ax, title="Expected best of n trials, from two studies of 32", xlabel="trials",
                  ylabel="validation error, %", description="; ".join(ends) + ".")


PICTURES = {function.__name__: function for function in (
    twenty_drawn_rates, two_expected_bests)}

"""Pictures for the questions of lessons 04 and 06 to 08, drawn from recorded runs.

No title gives the answer away. `hpt_lab.interview.numbers_b` and `numbers_races` compute what the
answers say.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from hpt_lab import curves, experiments
from hpt_lab.experiments import lesson_07 as lab
from hpt_lab.experiments import lesson_08 as recordings
from hpt_lab.experiments.interview import (
    early_and_late,
    expected_best,
    halving_on_sixteen,
    two_speeds,
)
from hpt_lab.plots.figure import BLUE, VERMILLION, axes, finish
from hpt_lab.space import Float, Space


def twenty_drawn_rates() -> Axes:
    """Draw the errors of twenty configs whose rates were drawn on a linear axis, on a log axis."""
    world = curves.load_map()
    space = Space(learning_rate=Float(1e-4, 1.0), l2=Float(1e-6, 1e-2, log=True))
    configs = [space.sample((4, i)) for i in range(20)]
    rates = np.array([config["learning_rate"] for config in configs])
    errors = 100 * np.array([world(config) for config in configs])
    ax = axes(None, 7.5, 3.8)
    ax.semilogx(rates, errors, "o", color=BLUE)
    ax.set_xlim(1e-4, 1)
    return finish(
        ax,
        title="Twenty trials of one search",
        xlabel="learning rate",
        ylabel="validation error, %",
        description=f"The axis goes from 0.0001 to 1. {(rates > 0.1).sum()} of 20 trials have "
        f"rates above 0.1, {(rates < 0.01).sum()} below 0.01; errors go from "
        f"{errors.min():.1f} to {errors.max():.0f} %, the lowest at "
        f"{rates[errors.argmin()]:.2g}.",
    )


def two_expected_bests() -> Axes:
    """Draw the expected best of n trials for studies of two problems."""
    ax = axes(None, 7.5, 4)
    ns = np.arange(4, 33)
    ends = []
    for name, label, style in (("digits-mlp", "study A", "-"), ("spirals-mlp", "study B", "--")):
        best = expected_best(name, ns.tolist())
        ax.plot(ns, best, style, color=BLUE if style == "-" else VERMILLION, label=label)
        ends.append(
            f"{label} {best[0]:.1f} % with 4 trials, {best[12]:.1f} with 16, {best[-1]:.1f} with 32"
        )
    ax.set_ylim(0, None)
    return finish(
        ax,
        title="Expected best of n trials, from two studies of 32",
        xlabel="trials",
        ylabel="validation error, %",
        description="; ".join(ends) + ".",
    )


def ranks_after_three_epochs() -> Axes:
    """Draw places after 3 epochs against final places for 81 random trainings."""
    early, late = early_and_late()
    places = [np.argsort(np.argsort(errors, kind="stable")) + 1 for errors in (early, late)]
    ax = axes(None, 5.5, 4.8)
    ax.plot(*places, "o", color=BLUE)
    first = int(places[0][np.argmin(places[1])])
    return finish(
        ax,
        title="81 random trainings",
        xlabel="place after 3 epochs (1 is best)",
        ylabel="place after 81 epochs",
        description="Dots scatter around a rising line, "
        f"wider in the lower left quarter; the final first was number {first} after 3 epochs.",
    )


def fast_and_slow() -> Axes:
    """Draw the validation errors of a fast and a slow training of one table."""
    ax = axes(None, 7.5, 4)
    for errors, label, style in zip(two_speeds(), "AB", "-:", strict=True):
        ax.plot(
            range(1, 82),
            errors,
            style,
            label=f"config {label}",
            color=BLUE if label == "A" else VERMILLION,
        )
    for epoch in (3, 9, 27):
        ax.axvline(epoch, color="#b8b8b8", linewidth=0.8, zorder=0)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xticks([1, 3, 9, 27, 81], ["1", "3", "9", "27", "81"])
    ax.set_yticks([3, 5, 10, 30, 90], ["3", "5", "10", "30", "90"])
    fast, slow = two_speeds()
    return finish(
        ax,
        title="Two configs of one bracket",
        xlabel="epoch (thin lines: rungs)",
        ylabel="validation error, %",
        description=f"After 3 epochs A has {fast[2]:.0f} % and B {slow[2]:.0f} %; after 27, "
        f"{fast[26]:.1f} and {slow[26]:.1f}; after 81, {fast[-1]:.1f} and "
        f"{slow[-1]:.1f} %.",
    )


def busy_workers() -> Axes:
    """Draw how many of sixteen workers are busy while a bracket of 81 runs."""
    ran = halving_on_sixteen()
    times = np.linspace(0, ran.seconds, 400, endpoint=False)
    starts = np.array([span.start for span in ran.spans])
    ends = np.array([span.end for span in ran.spans])
    busy = ((starts <= times[:, None]) & (times[:, None] < ends)).sum(axis=1)
    ax = axes(None, 7.5, 3.6)
    ax.fill_between(times, busy, step="post", color=BLUE)
    ax.set_ylim(0, 16.5)
    return finish(
        ax,
        title="One bracket of 81 configs on 16 workers",
        xlabel="seconds (simulated)",
        ylabel="busy workers",
        description=f"All 16 are busy at first; the number falls several times to one and "
        f"rises again to less and less, until {ran.seconds:.1f} seconds. On "
        f"average {busy.mean():.1f} are busy.",
    )


def replayed_rates() -> Axes:
    """Draw the losses of fixed rates, and of a population's schedule and last rate, on new
    seeds."""
    found = experiments.load("lesson_07.replays")[:, :, 0].mean(axis=0)
    ax = axes(None, 7.5, 3.8)
    ax.semilogx(lab.RATES, found[:7], "o-", color=BLUE, label="fixed rate")
    ax.axhline(found[7], color=VERMILLION, linestyle="--", label="the winner's schedule")
    ax.axhline(found[8], color="#222222", linestyle=":", label="the winner's last rate alone")
    return finish(
        ax,
        title="Trained anew, mean of 30 seeds",
        xlabel="learning rate",
        ylabel="validation loss",
        description=f"Fixed rates from {found[:7].min():.3f} to {found[:7].max():.3f}; the "
        f"schedule {found[7]:.3f}, its last rate alone {found[8]:.3f}.",
    )


def _ends(title: str, part: str) -> Axes:
    race = recordings.recorded("digits-mlp", "epochs")
    names = ("random search", "TPE", "Hyperband", "ASHA")
    every = {
        name: 100 * np.array([getattr(run, part) for run in race.runs[name]]) for name in names
    }
    ax = axes(None, 7.5, 4)
    spent = race.budget * np.asarray(recordings.SHARES)
    late = spent >= 300
    for (name, errors), style in zip(every.items(), ("-", "--", "-.", ":"), strict=True):
        ax.plot(spent[late], errors.mean(axis=0)[late], style, label=name)
    ends = ", ".join(f"{name} {errors.mean(axis=0)[-1]:.2f} %" for name, errors in every.items())
    return finish(
        ax,
        title=title,
        xlabel="epochs spent",
        ylabel="error of the incumbent, %",
        description=f"Means of 100 searches; all lines fall and flatten. At the end: {ends}.",
    )


def race_by_validation() -> Axes:
    """Draw the incumbents' validation errors of four strategies on digits."""
    return _ends("Four tuners, validation error, 100 seeds", "losses")


def race_by_test() -> Axes:
    """Draw the incumbents' test errors of four strategies on digits."""
    return _ends(
        "Four tuners, test error of the config each would return, 100 seeds", "test_errors"
    )


PICTURES = {
    function.__name__: function
    for function in (
        twenty_drawn_rates,
        two_expected_bests,
        ranks_after_three_epochs,
        fast_and_slow,
        busy_workers,
        replayed_rates,
        race_by_validation,
        race_by_test,
    )
}

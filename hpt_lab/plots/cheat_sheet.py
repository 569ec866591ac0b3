"""The course on two pages of A4: bracket table, which knob first, what early ranks say, ten
numbers; then signs and moves, what to use when, and formulas. What is drawn is handed in, computed
by `hpt_lab.interview.sheet_numbers`."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from hpt_lab.plots.figure import BLUE, FAINT, GREEN, INK, ORANGE, VERMILLION

A4 = (8.27, 11.69)
SMALL = 8.2
SIGNS = (
    (
        "Training loss near ln(classes), flat",
        "rate far off, or a broken pipeline",
        "range test; overfit 20 rows",
        "20 rows reach zero loss?",
    ),
    (
        "Loss jumps, or is no number",
        "rate too high for this batch and depth",
        "a third of the rate; clip; warm up",
        "from which step on?",
    ),
    (
        "Both losses fall, still falling at the end",
        "cut short, or rate too low",
        "3 × the rate; then more epochs",
        "slope of the last third",
    ),
    (
        "Both high and level",
        "capacity, or features",
        "wider; less regularisation",
        "can it fit a tenth of the rows?",
    ),
    (
        "Validation loss turns, training falls on",
        "overfitting, or growing certainty",
        "more data; decay, dropout; stop early",
        "did accuracy turn too?",
    ),
    (
        "Validation better than training",
        "dropout on, or measured within the epoch",
        "score training rows in inference mode",
        "the same mode for both",
    ),
    (
        "Validation good, sealed test worse",
        "best of many: luck of the pick",
        "repeat the winner with new seeds",
        "how many standard errors?",
    ),
    (
        "Everything good, production bad",
        "leak, shift, or another metric",
        "group and time splits; replay inputs",
        "score by week and by group",
    ),
)
FORMULAS = (
    r"$n_s=\left\lceil \frac{s_{max}+1}{s+1}\,\eta^s\right\rceil,\quad r_s=R\,\eta^{-s}$   "
    r"Hyperband's bracket $s$",
    r"$\mathrm{EI}=(f^*-\mu)\,\Phi(z)+\sigma\varphi(z),\quad z=(f^*-\mu)/\sigma$   expected "
    r"improvement, minimising",
    r"$\mu=k^\top(K+\sigma_n^2I)^{-1}y,\quad \sigma^2=k(x,x)-k^\top(K+\sigma_n^2I)^{-1}k$   "
    r"Gaussian process",
    r"$\mathrm{TPE}$: maximise $\ell(x)/g(x)$, densities of the good and of the other configs",
    r"$1-(1-q)^n$   chance that $n$ random trials hit the top share $q$",
    r"$\mathrm{SE}=\sqrt{p(1-p)/n}$   of an accuracy;  paired: SE of the differences, row by row "
    r"or seed by seed",
    r"$\bar d \pm t_{0.975,\,k-1}\; s_d/\sqrt{k}$   interval over $k$ seeds",
    r"$F_1=2\,TP/(2\,TP+FP+FN)$,   AP $=\sum_i (R_i-R_{i-1})\,P_i$",
    r"$w\leftarrow w-\alpha\,\hat m/(\sqrt{\hat v}+\epsilon)-\alpha\lambda w$   AdamW: the decay "
    r"outside the scaled gradient",
)


def write(path: str | Path, numbers: Mapping[str, Any]) -> None:
    """Write both pages as a PDF. `numbers`: tables, importance, correlations, leads, ten, as in
    `sheet_numbers`."""
    with PdfPages(
        path,
        metadata={"CreationDate": None, "Title": "hpt_lab: hyperparameter tuning on two pages"},
    ) as pdf:
        for figure in (first_page(numbers), second_page(numbers)):
            pdf.savefig(figure)


def first_page(numbers: Mapping[str, Any]) -> Figure:
    """Draw schedules, importance, early ranks and ten numbers."""
    figure = Figure(figsize=A4, facecolor="white")
    _heading(
        figure,
        "Hyperparameter tuning on two pages",
        "1 of 2 · measured on small networks:\ndirections, not laws",
    )
    _brackets(figure, numbers["tables"])
    for place, (name, shares) in enumerate(numbers["importance"].items()):
        _importance(figure.add_axes((0.17 + 0.47 * place, 0.545, 0.32, 0.135)), name, shares)
    _section(
        figure,
        0.705,
        "Which knob first: share of the variance explained alone (exact, over the whole table)",
    )
    _section(figure, 0.505, "What an early loss knows: rank correlation with the end")
    for place, (name, found) in enumerate(numbers["correlations"].items()):
        _early(figure.add_axes((0.09 + 0.47 * place, 0.375, 0.38, 0.105)), name, found)
    _section(figure, 0.325, "Ten numbers worth knowing")
    for place, (value, words) in enumerate(numbers["ten"]):
        y = 0.297 - 0.0275 * place
        figure.text(
            0.135, y, value, ha="right", va="top", color=BLUE, fontsize=12, fontweight="bold"
        )
        figure.text(
            0.155,
            y - 0.001,
            _wrapped(words, 118),
            va="top",
            color=INK,
            fontsize=SMALL,
            linespacing=1.15,
        )
    return figure


def second_page(numbers: Mapping[str, Any]) -> Figure:
    """Draw the diagnosis table, the decision, the measured leads, and formulas."""
    figure = Figure(figsize=A4, facecolor="white")
    _heading(figure, "From the sign to the move", "2 of 2")
    _signs(figure)
    _section(
        figure,
        0.595,
        "What to use: test points ahead of random search at TWICE the budget (100 races, 95 %)",
    )
    _leads(figure, numbers["leads"])
    figure.text(
        0.06,
        0.404,
        "A start costs more than the first rung? → full trainings, or a longer first rung.   "
        "Done within a few trainings' worth? → ASHA.",
        color=INK,
        fontsize=SMALL,
        va="center",
    )
    figure.text(
        0.06,
        0.388,
        "Good configs rare, as on spirals? → ASHA or halving.   "
        "None of these? → random search, and race on your own problem.",
        color=INK,
        fontsize=SMALL,
        va="center",
    )
    _section(figure, 0.36, "Before you believe a comparison")
    rules = (
        "Equal budget in the unit you pay: epochs, seconds, or money; start-up counted.",
        "The same space for both, on the right scale: log for rates, 1 − momentum, zero as an "
        "extra value.",
        "Nuisance knobs (learning rate first) tuned anew for each side.",
        "Rows that chose nothing; groups and time kept apart; the sealed test opened once.",
        "Several seeds, paired; the difference with its interval, not two means.",
        "Random search beside it, at twice the budget. If you can't beat that, take that.",
    )
    for place, rule in enumerate(rules):
        figure.text(
            0.06,
            0.338 - 0.0185 * place,
            f"{place + 1}. {rule}",
            va="top",
            color=INK,
            fontsize=SMALL,
        )
    _section(figure, 0.222, "Formulas")
    for place, formula in enumerate(FORMULAS):
        figure.text(0.06, 0.192 - 0.0205 * place, formula, va="center", color=INK, fontsize=SMALL)
    return figure


def _heading(figure: Figure, title: str, beside: str) -> None:
    figure.text(0.05, 0.968, title, color=INK, fontsize=15, fontweight="bold", va="center")
    figure.text(0.95, 0.968, beside, color=INK, fontsize=8, va="center", ha="right")


def _section(figure: Figure, y: float, title: str) -> None:
    figure.text(0.05, y, title, color=BLUE, fontsize=10.5, fontweight="bold", va="center")


def _brackets(figure: Figure, tables: Mapping[str, Mapping[int, Sequence[Any]]]) -> None:
    _section(figure, 0.935, "Hyperband's brackets, R = 81, η = 3: configs × epochs each has had")
    for place, (name, brackets) in enumerate(tables.items()):
        left = 0.06 + 0.47 * place
        figure.text(left, 0.912, name, color=INK, fontsize=SMALL, fontweight="bold", va="center")
        for row, (s, rungs) in enumerate(brackets.items()):
            climb = " → ".join(f"{rung.n}×{rung.budget}" for rung in rungs)
            figure.text(
                left,
                0.891 - 0.019 * row,
                f"s={s}   {climb}",
                color=INK,
                fontsize=SMALL,
                va="center",
            )
        configs = sum(rungs[0].n for rungs in brackets.values())
        runs = sum(rung.n for rungs in brackets.values() for rung in rungs)
        figure.text(
            left,
            0.891 - 0.019 * 5,
            f"{configs} configs, {runs} runs",
            color=BLUE,
            fontsize=SMALL,
            va="center",
        )
    figure.text(
        0.06,
        0.762,
        _wrapped(
            "Read it so: bracket 4 tries many for one epoch, bracket 0 trusts nobody early. Both "
            "roundings are in print and in use: "
            "say which. Count with integers: ⌊log 243 / log 3⌋ is 4 in floating point, and a "
            "bracket is gone. Choose R as what a "
            "full training needs, the first rung so that ranks mean something, η = 3 or 4.",
            125,
        ),
        color=INK,
        fontsize=SMALL,
        va="top",
        linespacing=1.25,
    )


def _importance(ax: Axes, name: str, shares: Mapping[str, float]) -> None:
    names = [
        *sorted((key for key in shares if key != "together"), key=lambda key: shares[key]),
        "together",
    ]
    names = [names[-1], *names[:-1]]
    values = [100 * shares[key] for key in names]
    ax.barh(range(len(names)), values, color=[FAINT, *[BLUE] * (len(names) - 1)], height=0.7)
    for place, value in enumerate(values):
        ax.text(value + 1, place, f"{value:.0f} %", va="center", color=INK, fontsize=7)
    labels = ["beyond, together", *[key.replace("_", " ") for key in names[1:]]]
    ax.set_yticks(range(len(names)), labels)
    ax.set_xlim(0, 1.15 * max(values))
    ax.set_xticks([])
    _plain(ax, f"{name}: {labels[-1]} first")


def _early(ax: Axes, name: str, found: Mapping[str, np.ndarray]) -> None:
    for (words, values), style in zip(
        found.items(), ((BLUE, "o", "-"), (VERMILLION, "s", "--")), strict=True
    ):
        color, marker, line = style
        ax.plot(
            range(len(values)),
            values,
            color=color,
            marker=marker,
            linestyle=line,
            label=words,
            markersize=4,
        )
    ax.set_xticks(range(4), ["1", "3", "9", "27 epochs"])
    ax.set_ylim(-0.15, 1)
    ax.axhline(0, color=FAINT, linewidth=0.8)
    ax.legend(frameon=False, fontsize=7, labelcolor=INK, loc="upper left")
    _plain(ax, name)


def _signs(figure: Figure) -> None:
    _section(figure, 0.935, "Diagnosis: one sign, one hypothesis, one move, one check")
    columns = (0.05, 0.285, 0.51, 0.755)
    widths = (32, 31, 34, 28)
    for left, head in zip(
        columns, ("You see", "It may be", "First move", "And check"), strict=True
    ):
        figure.text(left, 0.912, head, color=INK, fontsize=SMALL, fontweight="bold", va="center")
    for row, entry in enumerate(SIGNS):
        y = 0.897 - 0.0355 * row
        figure.add_artist(_line(0.05, 0.95, y))
        for left, width, text in zip(columns, widths, entry, strict=True):
            figure.text(
                left,
                y - 0.006,
                _wrapped(text, width),
                color=INK,
                fontsize=SMALL,
                va="top",
                linespacing=1.15,
            )


def _leads(figure: Figure, leads: Mapping[str, Mapping[str, tuple[float, float, float]]]) -> None:
    rows = list(next(iter(leads.values())))
    ax = figure.add_axes((0.19, 0.422, 0.77, 0.143))
    for column, found in enumerate(leads.values()):
        for row, who in enumerate(rows):
            mean, low, high = found[who]
            color, mark = _told(low, high)
            ax.fill_between(
                [column - 0.48, column + 0.48],
                row - 0.46,
                row + 0.46,
                color=color,
                alpha=0.3,
                linewidth=0,
            )
            ax.text(
                column,
                row,
                f"{mark} {mean:+.1f}",
                ha="center",
                va="center",
                color=INK,
                fontsize=7.5,
            )
    ax.set_xticks(range(len(leads)), list(leads))
    ax.set_yticks(range(len(rows)), rows)
    ax.set(xlim=(-0.5, len(leads) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    ax.xaxis.tick_top()
    _plain(ax, "")
    ax.tick_params(length=0)


def _told(low: float, high: float) -> tuple[str, str]:
    if low > 0:
        return GREEN, "▲"
    return (VERMILLION, "▼") if high < 0 else ("white", "?")


def _line(left: float, right: float, y: float) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([left, right], [y, y], color=ORANGE, linewidth=0.6)


def _plain(ax: Axes, title: str) -> None:
    ax.set_title(title, loc="left", fontsize=SMALL, color=INK, pad=3)
    ax.tick_params(labelsize=7, colors=INK)
    ax.spines[["top", "right"]].set_visible(False)


def _wrapped(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(text, width))

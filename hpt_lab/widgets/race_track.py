"""The race track: strategies side by side on a recorded table, with the same budget.

"One seed" animates one search of each, all having spent equally much at any moment; "many seeds"
repeats that and draws the mean loss with bands of two standard errors, growing with every seed, and
the ranks. What runs is what `curves.race` runs (`curves.racing.incumbents`), so random search with
twice the budget joins them. Read `steps` first.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from hpt_lab import curves
from hpt_lab.curves.racing import LINE, Race, Run, contestants, incumbents
from hpt_lab.curves.table import Table, check_table
from hpt_lab.errors import HptError
from hpt_lab.plots import race as plots
from hpt_lab.plots.figure import count
from hpt_lab.strategies.random_search import random_search
from hpt_lab.strategies.strategy import STRATEGIES, Strategy
from hpt_lab.widgets.controls import Choice, Number
from hpt_lab.widgets.explorer import Explorer
from hpt_lab.widgets.look import INK, dress, seed

ONE, MANY = "one seed, animated", "many seeds, with bands"
STEPS = 200  # of the budget, after each of which all strategies have spent the same
SLOWEST = 6.0  # seconds that an animation takes, if computing doesn't take longer


class RaceTrack(Explorer):
    """Race the strategies of this package on recorded curves.

    `table`: recorded curves besides those that come with hpt_lab. `run`: race before it is shown.
    `settings`: values of controls, such as full_trainings=10.
    """

    def __init__(self, table: Table | None = None, *, run: bool = False, **settings: Any):
        self._tables = {} if table is None else {check_table(table).name: table}
        names = tuple(dict.fromkeys([*self._tables, *curves.names()]))
        if not names:
            raise HptError(
                "no recorded table comes with this hpt_lab; hand one over with RaceTrack(table)"
            )
        super().__init__(
            "Race track",
            [
                Choice("source", "Table", names[0], names),
                Choice("show", "Race", ONE, (ONE, MANY)),
                Number(
                    "full_trainings",
                    "Budget",
                    10,
                    low=2,
                    high=40,
                    whole=True,
                    help="Epochs to spend, in full trainings",
                ),
                Number(
                    "seeds",
                    "Seeds",
                    5,
                    low=2,
                    high=100,
                    whole=True,
                    help="How often it is repeated with many seeds",
                ),
                seed(),
            ],
            size=(960, 450),
            about="Same table, same budget: whose best config so far is the best? Random search "
            "with twice the "
            "budget is the line to beat.",
        )
        add = self.picture.figure.add_axes  # one of the two views is visible
        self._views = {
            ONE: (add((0.065, 0.13, 0.66, 0.79)), add((0.745, 0.13, 0.25, 0.79))),
            MANY: (add((0.065, 0.13, 0.6, 0.79)), add((0.845, 0.13, 0.14, 0.79))),
        }
        self._lines: dict[str, Any] = {}
        self._places: dict[
            str, tuple[Any, Any]
        ] = {}  # a strategy's place on the ladder: sample of its line, name and loss
        self.runs: dict[str, list[Run]] = {}
        self.race: Race | None = None
        self._verdict = ""  # the race's, which takes too long to ask for at every step
        self.begin(run, settings)

    # On the worker's thread.

    def prepare(self) -> None:
        """Put the strategies on the line."""
        values = self.controls.values
        self.table = table = self._tables.get(values["source"]) or curves.load(values["source"])
        self.budget = values["full_trainings"] * table.epochs
        self.field: dict[str, tuple[Strategy, int]] = {
            name: (strategy, 1) for name, strategy in contestants(table).items()
        }
        self.field[LINE] = (
            random_search(table.space, trials=2 * values["full_trainings"], budget=table.epochs),
            2,
        )
        self.runs, self.race, self._verdict, self._spent = (
            {name: [] for name in self.field},
            None,
            "",
            0.0,
        )
        self._paths: dict[str, list[tuple[float, float, float]]] = {name: [] for name in self.field}
        if not self._lines:
            self._draw_track(*self._views[ONE])

    def steps(self) -> Iterator[float]:
        """Race one seed with a frame now and then, or seed after seed with a frame after each."""
        values = self.controls.values
        one, first = values["show"] == ONE, values["seed"]
        for number in range(first, first + (1 if one else values["seeds"])):
            shown = 0.0
            for spent in self._together(number):  # many results may come at one step
                self._spent = spent
                if self.picture.due() and not self._unseen:
                    self._move() if one else self.say(self.words())
                yield SLOWEST / STEPS if one and spent > shown else 0.0
                shown = spent
            for name, path in self._paths.items():
                self.runs[name].append(_run(path))
            if not one and number > first:
                self.race = Race(
                    self.table,
                    "accuracy",
                    "epochs",
                    self.budget,
                    1,
                    tuple(range(first, number + 1)),
                    self.runs,
                )
                self._verdict = " " + self.race.verdict().splitlines()[0].replace(
                    LINE, _short(LINE)
                )
                self._spent = 0.0  # by the next
                self.frame()

    def _together(self, seed: int) -> Iterator[float]:
        """Advance all strategies in small steps of the budget, and yield what each has spent."""
        searches = {
            name: incumbents(
                STRATEGIES[strategy.name],
                strategy.settings,
                self.table,
                budget=times * self.budget,
                seed=seed,
            )
            for name, (strategy, times) in self.field.items()
        }
        ahead: dict[str, tuple[float, float, float] | None] = {
            name: next(search, None) for name, search in searches.items()
        }
        self._paths = {name: [] for name in self.field}
        for spent in np.linspace(0, self.budget, STEPS + 1)[1:]:
            for name, search in searches.items():
                times = self.field[name][1]
                while (result := ahead[name]) is not None and result[0] / times <= spent:
                    self._paths[name].append((result[0] / times, *result[1:]))
                    ahead[name] = next(search, None)
                    yield float(spent)
            yield float(spent)

    # The picture.

    def frame(self) -> None:
        """Draw all anew, and say it."""
        for view, axes in self._views.items():
            for ax in axes:
                ax.set_visible((view == MANY) == (self.race is not None))
        if self.race is None:
            low = max(float(np.nanmin(self.table.losses())), 1e-3)
            self._views[ONE][0].set(xlim=(1, self.budget * 1.02), ylim=(low * 0.9, 1.0))
            title = f"{self.table.name}: best loss so far, {self.budget:,} epochs each"
            if self._spent >= self.budget:
                title = (
                    f"{self.table.name}: after {self._each()}, {len(self._leaders())} of "
                    f"{len(self.field)} "
                    f"have found {self._loss(self._leaders()[0]):.4f}"
                )
            self._views[ONE][0].set_title(title, loc="left", fontsize=10.5, color=INK)
        else:
            self._draw_bands(self.race, *self._views[MANY])
        self._move(fresh=True)

    def _draw_bands(self, race: Race, bands: Axes, ranks: Axes) -> None:
        """Draw means and ranks; the ranks' names and markers are the legend of both."""
        bands.clear()
        ranks.clear()
        plots.over_time(race, ax=bands)
        plots.ranks(race, ax=ranks)
        dress(
            bands,
            f"{race.table.name}: mean best loss so far of {count(len(race.seeds), 'seed')}, ± 2 "
            "standard errors",
            xlabel="epochs spent",
            ylabel="validation error of the incumbent",
        )
        bands.legend().remove()
        bands.xaxis.set_major_formatter("{x:g}")
        dress(ranks, "Average rank", xlabel="1 is best")
        ranks.set(xlim=(0.5, len(self.field) + 0.5), xticks=range(1, len(self.field) + 1, 2))
        ranks.set_yticks(
            range(len(self.field)), [_short(str(name)) for name in race.summary().index]
        )

    def _draw_track(self, ax: Axes, ladder: Axes) -> None:
        """Draw axes and a line per strategy, which `_move` fills; each is thinner than those below,
        so that none hides."""
        for below, (name, style) in enumerate(plots.styles_of(self.field).items()):
            style["linewidth"] = 1.2 + 0.5 * (len(self.field) - 1 - below)
            (self._lines[name],) = ax.plot(
                [], [], label=name, drawstyle="steps-post", markevery=0.15, **style
            )
            label = ladder.text(0.21, 0, "", va="center", fontsize=9.5, color=INK)
            self._places[name] = (
                ladder.plot([0.02, 0.1, 0.18], [0, 0, 0], markevery=[1], **style)[0],
                label,
            )
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
        dress(ax, "", xlabel="epochs spent", ylabel="validation error of the incumbent")
        ax.legend().remove()  # the ladder is one
        ladder.set(xlim=(0, 1), ylim=(len(self.field) - 0.5, -0.5))
        ladder.set_axis_off()
        self.picture.moving(
            *self._lines.values(), *(artist for pair in self._places.values() for artist in pair)
        )

    def _move(self, *, fresh: bool = False) -> None:
        """Draw one seed's searches as far as they are, and the order they are in; where bands are
        shown, nothing of it."""
        one = self.controls.values["show"] == ONE
        for name, line in self._lines.items():
            path = (
                [(x, loss) for x, loss, _ in self._paths[name] if math.isfinite(loss)]
                if one
                else []
            )
            last = [(self._spent, path[-1][1])] if path else []
            line.set_data(*np.array([*path, *last]).reshape(-1, 2).T)
        for i, name in enumerate(sorted(self.field, key=lambda name: (self._loss(name), name))):
            sample, label = self._places[name]
            sample.set_ydata([i, i, i] if one else [])
            sample.set_xdata([0.02, 0.1, 0.18] if one else [])
            label.set_y(i)
            label.set_text(
                ""
                if not one
                else _short(name)
                if self._loss(name) == math.inf
                else f"{_short(name)}  {self._loss(name):.4f}"
            )
        self.say(self.words())
        self.picture.show(fresh=fresh)

    def _loss(self, name: str) -> float:
        return self._paths[name][-1][1] if self._paths[name] else math.inf

    def _leaders(self) -> list[str]:
        best = min(map(self._loss, self.field))
        return [name for name in self.field if self._loss(name) == best]

    def _each(self) -> str:
        """Say what everybody has spent, the line to beat included."""
        return f"{self._spent:,.0f} epochs each ({_short(LINE)}: {2 * self._spent:,.0f})"

    def words(self) -> str:
        """Return the line of text under the controls."""
        values = self.controls.values
        done = len(self.runs[LINE])
        if self._spent == 0 and not done:
            return (
                f"{len(self.field) - 1} strategies will spend {self.budget:,} epochs each on "
                f"{self.table.name}, as much as "
                f"{values['full_trainings']} full trainings. Press Run."
            )
        if values["show"] == MANY:
            tenths = math.floor(10 * self._spent / self.budget)  # not a message for every step
            now = (
                f" of {values['seeds']}; the next is {10 * tenths}% done"
                if done < values["seeds"]
                else ""
            )
            return f"{count(done, 'seed')}{now}.{self._verdict}"
        leaders = self._leaders()
        text = (
            f"After {self._each()}: {', '.join(map(_short, leaders))} "
            f"{'lead' if len(leaders) > 1 else 'leads'} with {self._loss(leaders[0]):.4f}"
        )
        return text + (
            ". One seed is an anecdote: race many." if self._spent >= self.budget else "."
        )


def _run(path: list[tuple[float, float, float]]) -> Run:
    """Keep of a path the results that beat all before, as `racing.run_once` does."""
    found: list[tuple[float, float, float]] = []
    for now in path:
        if now[1] < (found[-1][1] if found else math.inf):
            found.append(now)
    return Run(*np.array(found, dtype=float).reshape(-1, 3).T)


@functools.cache
def _short(name: str) -> str:
    return (
        "twice random"
        if name == LINE
        else name.replace("optimization", "opt.").replace("successive", "succ.")
    )

"""The bracket explorer: what Hyperband is going to spend, then that very plan, trial by trial.

Left the plan: a row per bracket, a cell "trials x epochs in total" per rung, filled as the run
proceeds. Right one bracket: losses rung by rung, who went on, who was cut and where the line was.
On a recorded table the last column shows what the cut ones would have come to. The arithmetic is
`strategies.hyperband.brackets`, the totals are `study.plan`, and the run is driven by
`study.AskTell`, as every study is. Read `steps` first, then `decide`; `bracket_plot` only draws.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from hpt_lab import curves
from hpt_lab.curves.table import Table, check_table
from hpt_lab.curves.tasks import TASKS
from hpt_lab.errors import HptError
from hpt_lab.history import Record
from hpt_lab.plots.figure import count
from hpt_lab.strategies.hyperband import hyperband
from hpt_lab.strategies.successive_halving import best
from hpt_lab.study.ask_tell import AskTell
from hpt_lab.study.plan import plan
from hpt_lab.trial import Trial
from hpt_lab.widgets.bracket_plot import BracketPlot, Decision
from hpt_lab.widgets.controls import Choice, Number
from hpt_lab.widgets.explorer import Explorer
from hpt_lab.widgets.look import seed

LIVE_TASK = TASKS["digits-mlp"]
LIVE = "live Keras on digits"
RUNNING = "the running one"


def decide(rung: Sequence[Record], places: int) -> Decision:
    """Rank a rung whose trials all have reported as `successive_halving.halve` does, for so many
    places in the next."""
    losses = {record.trial.id: record.outcome.rank_loss for record in rung}
    went_on = [
        trial.id for trial in best([record.trial for record in rung], list(losses.values()), places)
    ]
    line = max((losses[id] for id in went_on), default=math.nan)
    cut = sorted(
        (loss - line if math.isfinite(loss) else math.inf, id)
        for id, loss in losses.items()
        if id not in went_on
    )
    return Decision(went_on, line, {id: margin for margin, id in cut})


class BracketExplorer(Explorer):
    """Plan Hyperband, run the plan on recorded curves or live on Keras, and see what was cut.

    `table`: recorded curves to run on besides those that come with hpt_lab. `run`: run it all
    before it is shown, so that a saved notebook has the picture. `settings`: values of controls,
    such as max_budget=27.
    """

    look = frozenset({"view", "speed", "seconds"})

    def __init__(self, table: Table | None = None, *, run: bool = False, **settings: Any):
        self._tables = {} if table is None else {check_table(table).name: table}
        sources = tuple(dict.fromkeys([*self._tables, *curves.names(), LIVE]))
        super().__init__(
            "Bracket explorer",
            [
                Number(
                    "max_budget",
                    "R",
                    81,
                    low=1,
                    high=243,
                    whole=True,
                    help="Most epochs that any trial gets",
                ),
                Number(
                    "eta",
                    "eta",
                    3,
                    low=2,
                    high=10,
                    whole=True,
                    help="One in eta goes on, for eta times the epochs",
                ),
                Number(
                    "min_budget",
                    "Minimum",
                    1,
                    low=1,
                    high=81,
                    whole=True,
                    help="Fewest epochs of a first rung",
                ),
                Choice(
                    "rounding",
                    "Rounding",
                    "algorithm",
                    ("algorithm", "table"),
                    help="How the paper's Algorithm 1 or its Table 1 rounds the number of trials",
                ),
                Number(
                    "seconds",
                    "Sec. / epoch",
                    0.02,
                    low=0.001,
                    high=100,
                    step=0.1,
                    log=True,
                    help="To estimate the minutes",
                ),
                Choice("source", "Run on", sources[0], sources),
                Choice("view", "Show bracket", RUNNING, (RUNNING, *map(str, range(8)))),
                Number(
                    "speed",
                    "Runs / second",
                    30,
                    low=1,
                    high=200,
                    whole=True,
                    help="At most, on recorded curves",
                ),
                seed(),
            ],
            size=(960, 440),
            about="Hyperband's cost before it is spent; then run that very plan and see who is "
            "cut, and by what.",
        )
        self._objective: Any = None
        self._plot = BracketPlot(self.picture)
        self._step_button = self.button(
            "Step",
            lambda: self.queue(self._step),
            icon="step-forward",
            tip="Run one trial up to its next rung",
        )
        self.buttons.children = (
            *self.buttons.children[:2],
            self._step_button,
            *self.buttons.children[2:],
        )
        self.begin(run, settings)

    # On the worker's thread.

    def prepare(self) -> None:
        """Plan anew if the controls ask for another plan."""
        values = {
            name: value for name, value in self.controls.values.items() if name not in self.look
        }
        if values == self._state_of:
            return
        arguments = {
            name: values[name] for name in ("max_budget", "min_budget", "eta", "rounding", "seed")
        }
        table = (
            None
            if values["source"] == LIVE
            else self._tables.get(values["source"]) or curves.load(values["source"])
        )
        strategy = hyperband(table.space if table else LIVE_TASK.space, **arguments)
        self.plan = plan(strategy)
        self.table = table  # the recorded curves that the run goes by; None: live
        self._losses = table.losses() if table else None
        self._objective = (
            table.objective(seed=values["seed"]) if table else None
        )  # the live one when it is needed
        self.search = AskTell(strategy)
        self._next = self.search.ask()  # the trial that runs next
        self.rungs: dict[
            tuple[int, int], list[Record]
        ] = {}  # by (bracket, rung), in the order they reported
        self.decisions: dict[tuple[int, int], Decision] = {}
        self._full: dict[int, float] = {}
        self._state_of = values

    def steps(self) -> Iterator[float]:
        """Run the plan to its end, one trial after the other."""
        self._check_budget()
        while self._next is not None and self._run(self._next, self.stop):
            if self.picture.due():
                self.frame()
            yield 1 / self.controls.values["speed"] if self.table is not None else 0

    def _step(self, stop: threading.Event) -> None:
        self.prepare()
        self._check_budget()
        if self._next is not None:
            self._run(self._next, stop)
        self.frame()

    def _check_budget(self) -> None:
        if self.table is not None and self._state_of["max_budget"] > self.table.epochs:
            raise HptError(
                f"R must be at most {self.table.epochs}, the epochs recorded in {self.table.name}, "
                "got "
                f"{self._state_of['max_budget']}; choose a smaller R, or run on {LIVE}"
            )

    def _run(self, trial: Trial, stop: threading.Event) -> bool:
        """Run a trial, and take note of what it decides; return False if it was stopped, to be run
        again later."""
        if self.table is not None:
            outcome = self._objective.run(trial)
        else:
            if self._objective is None:
                self.say("loading TensorFlow …")
                from hpt_lab.training.objective import KerasObjective

                self._objective = KerasObjective(
                    LIVE_TASK.build, LIVE_TASK.data(), seed=self._state_of["seed"]
                )
            outcome = self._objective.run(trial, stop=stop)
            if outcome.failed and stop.is_set():
                return False
        self.search.tell(trial, outcome)
        self._next = self.search.ask()
        s, i = trial.bracket, trial.rung
        assert s is not None and i is not None
        rung = self.rungs.setdefault((s, i), [])
        rung.append(self.search.history.records[-1])
        rungs = self.plan.brackets[s]
        asked = (
            len(self.decisions[s, i - 1].went_on) if i else rungs[0].n
        )  # fewer than planned if trials failed
        if len(rung) == asked and i + 1 < len(rungs):
            self.decisions[s, i] = decide(rung, rungs[i + 1].n)
        return True

    def in_full(self, trial: Trial) -> float:
        """Look up the loss that `trial` would have had after R epochs; inf if it diverges, or
        nothing is recorded."""
        if self._losses is None:
            return math.inf
        if trial.id not in self._full:
            row, training, epochs = self._objective.where(
                replace(trial, budget=self._state_of["max_budget"])
            )
            loss = float(self._losses[row, training, epochs - 1])
            self._full[trial.id] = loss if math.isfinite(loss) else math.inf
        return self._full[trial.id]

    def frame(self) -> None:
        """Draw and say the state as it is."""
        records, view = self.search.history.records, self.controls.values["view"]
        s = records[-1].trial.bracket if records else next(iter(self.plan.brackets))
        if view.isdigit() and int(view) in self.plan.brackets:
            s = int(view)
        assert s is not None
        fresh = self._plot.update(
            self.plan, self.rungs, self.decisions, s, self.in_full if self.table else None
        )
        self.say(self.words())
        self.picture.show(fresh=fresh)

    # What is said.

    def words(self) -> str:
        """Return the line of text under the controls."""
        records, planned = self.search.history.records, self.plan
        if not records:
            minutes = planned.epochs_resumed * self.controls.values["seconds"] / 60
            return (
                f"Plan: {count(len(planned.brackets), 'bracket')}, "
                f"{count(planned.configs, 'config')}, "
                f"{count(planned.runs, 'run')}, {count(planned.epochs_resumed, 'epoch')} "
                f"({planned.epochs_scratch:,g} if every run began anew), about {minutes:.1f} "
                "minutes."
            )
        if self._next is None:
            return self._outcome(records)
        last = records[-1]
        loss = "failed" if last.outcome.failed else f"loss {last.loss:.4f}"
        text = (
            f"Run {len(records)} of {planned.runs}: trial {last.trial.id}, "
            f"{count(last.budget, 'epoch')}, {loss}."
        )
        if not self.decisions:
            return text
        (s, i), decision = list(self.decisions.items())[-1]
        close = [
            f"trial {id} by {margin:.4f}" if margin else f"trial {id} in a tie"
            for id, margin in list(decision.margins.items())[:3]
            if math.isfinite(margin)
        ]
        return (
            text + f" Bracket {s}, rung {i}: {len(decision.margins)} cut, the closest "
            f"{', '.join(close) or 'all failed'}."
        )

    def _outcome(self, records: list[Record]) -> str:
        """Say who won, and who would have, had nobody been cut."""
        winner, minutes = (
            self.search.history.best,
            sum(record.outcome.seconds for record in records) / 60,
        )
        text = f"Done: {count(len(records), 'run')}, {minutes:.1f} minutes of training"
        if winner is None:
            return text + "; all failed."
        text += (
            f". Trial {winner.trial.id} won, loss {winner.loss:.4f} after "
            f"{count(winner.budget, 'epoch')}."
        )
        trials = {record.trial.id: record.trial for record in records}
        first = min(trials.values(), key=lambda trial: (self.in_full(trial), trial.id))
        if not math.isfinite(loss := self.in_full(first)):
            return text
        if loss >= winner.loss:
            full = count(self._state_of["max_budget"], "epoch")
            return text + f" None of the {len(trials)} would have done better with {full}."
        text += f" Trained in full, trial {first.id} would have won, loss {loss:.4f}"
        for (s, i), decision in self.decisions.items():
            if first.id in decision.margins:
                return (
                    text + f"; bracket {s} cut it in rung {i}, by {decision.margins[first.id]:.4f}."
                )
        return text + "."

"""Diagnose from curves, without end: which neighbour of a recorded config gains most on test error?

    asked = case(seed=0, number=3)
    asked.draw()                    # its curves, three seeds each; never its test error
    print(asked.ask())              # four neighbours, each with one knob moved by one value
    asked.grade("B")                # right or not, with everybody's test errors

Every config of the tables was trained for real with three seeds, and so was every neighbour: the
right answer is looked up. It is the option whose mean test error is lowest; one that lies within
the noise of three seeds of it (`TWICE` the standard error of their difference, and at least one
test row) is right too. Left out are neighbours whose own three seeds disagree by more than `APART`,
for three seeds can't say where they stand, and configs where nothing gains or everything does. The
tables hold small networks on two small problems: the drill trains the eye, it proves no rule. Read
`case` first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from hpt_lab import curves
from hpt_lab.arguments import check_seed, check_whole
from hpt_lab.checks.core import Verdict
from hpt_lab.curves.lessons import bounded
from hpt_lab.curves.table import Table
from hpt_lab.errors import InterviewError
from hpt_lab.trial import Config

PROBLEMS = {
    "digits-mlp": "handwritten digits",
    "spirals-mlp": "two spirals, a fifth of all labels wrong",
}
LETTERS = "ABCD"
TWICE = 2.0  # standard errors
APART = 0.05  # of error, between the luckiest and the unluckiest seed
WORTH = 0.01  # of error: what the best neighbour gains at least
KNOBS = {
    "learning_rate": "learning rate",
    "batch_size": "batch size",
    "units": "units per layer",
    "layers": "hidden layers",
    "dropout": "dropout",
    "optimizer": "optimizer",
    "weight_decay": "weight decay",
    "activation": "activation",
}


@dataclass(frozen=True)
class Option:
    """A neighbour: one knob moved. `errors`: its test errors, one a seed."""

    letter: str
    knob: str
    old: Any
    new: Any
    errors: tuple[float, ...]

    @property
    def mean(self) -> float:
        return float(np.mean(self.errors))

    def __str__(self) -> str:
        return (
            f"{self.letter}. {KNOBS.get(self.knob, self.knob)} {self.old:{_form(self.old)}} "
            f"→ {self.new:{_form(self.new)}}"
        )


@dataclass(frozen=True)
class Case:
    """A config, its recorded curves, and four neighbours to choose from."""

    id: str  # "table/seed/number"
    table: Table
    row: int
    errors: tuple[float, ...]
    options: tuple[Option, ...]

    @property
    def config(self) -> Config:
        return self.table.configs[self.row]

    @property
    def best(self) -> Option:
        """The option with the lowest mean test error."""
        return min(self.options, key=lambda option: option.mean)

    @property
    def right(self) -> str:
        """The letters that are accepted, the best first."""
        ties = [
            option.letter
            for option in self.options
            if option is not self.best and option.mean - self.best.mean <= self._noise(option)
        ]
        return self.best.letter + "".join(ties)

    def _noise(self, option: Option) -> float:
        return noise(option.errors, self.best.errors, self.table.rows["test"])

    def ask(self) -> str:
        """Say the question, its options a line each."""
        knobs = ", ".join(
            f"{KNOBS.get(name, name)} {value:{_form(value)}}" for name, value in self.config.items()
        )
        options = "\n".join(map(str, self.options))
        return (
            f"A network for {PROBLEMS[self.table.name]}, "
            f"{self.table.rows['training']:,} training rows, {self.table.epochs} epochs, "
            f"three seeds: {knobs}. One knob may be moved. Which move gains most on test error?"
            f"\n\n{options}"
        )

    def in_numbers(self) -> str:
        """Return the curves as a table, mean over the seeds: for a terminal, and for those who
        can't see."""
        epochs = [epoch for epoch in (1, 3, 9, 27, self.table.epochs) if epoch <= self.table.epochs]
        lines = ["epoch              " + "".join(f"{epoch:>9}" for epoch in epochs)]
        for name, words in (
            ("loss", "training loss"),
            ("val_loss", "validation loss"),
            ("val_accuracy", "validation error %"),
        ):
            curve = self.table.curves[name][self.row]
            curve = 100 * (1 - curve) if name == "val_accuracy" else curve
            values = [_mean(curve[:, epoch - 1]) for epoch in epochs]
            lines.append(f"{words:19}" + "".join(f"{value:>9}" for value in values))
        return "\n".join(lines)

    def draw(self, ax: Any = None) -> Any:
        """Draw the curves that the diagnosis is made from."""
        from hpt_lab.plots.config_curves import config_curves

        return config_curves(self.table, self.row, axes=ax)

    def grade(self, answer: Any) -> Verdict:
        """Say whether a letter is right, and what every option ends at."""
        given = str(answer).strip().upper() if answer is not ... and answer is not None else ""
        if not given:
            return Verdict("unanswered", f"answer with a letter: {', '.join(self.letters)}")
        if given not in self.letters:
            return Verdict(
                "wrong",
                f"{answer!s} is none of {', '.join(self.letters)}",
                "answer with one letter",
            )
        if given in self.right:
            return Verdict("right", self.explain())
        return Verdict("wrong", self.explain(), self.signs())

    @property
    def letters(self) -> str:
        return "".join(option.letter for option in self.options)

    def explain(self) -> str:
        """Give the numbers: test errors of the config and of every option, and what counts as a
        tie."""
        said = [f"As it is: {_errors(self.errors)}."]
        start = float(np.mean(self.errors))
        for option in sorted(self.options, key=lambda option: option.mean):
            tie = ""
            if option.letter in self.right and option is not self.best:
                tie = f"; a tie, within {100 * self._noise(option):.1f} points of the best"
            said.append(
                f"{option}: {_errors(option.errors)}, "
                f"{100 * (start - option.mean):+.1f} points gained{tie}."
            )
        return "\n".join(said)

    def signs(self) -> str:
        """Say what the curves show, by three plain rules."""
        loss = self.table.curves["loss"][self.row]
        validation = self.table.curves["val_loss"][self.row]
        if np.isnan(validation[:, -1]).any():
            return (
                "a run diverged: its loss is no longer a number. That is the learning rate, "
                "first of all"
            )
        mean = loss.mean(axis=0)
        third = 2 * len(mean) // 3
        if mean[-1] > 0.9 * mean[0]:
            return (
                "the training loss hardly moves: the network does not learn. Ask whether its steps "
                "are "
                "too small or too large before you ask for regularisation"
            )
        turned = validation.mean(axis=0)
        if turned[-1] > 1.1 * turned.min():
            return (
                f"the validation loss turned after epoch {int(turned.argmin()) + 1} while the "
                "training loss "
                "fell on: it fits more than the rule. But a knob that learns faster may still gain "
                "more"
            )
        if mean[-1] < 0.9 * mean[third]:
            return (
                "the training loss still falls in the last third: the training is slow or cut "
                "short, "
                "so a move that learns faster gains"
            )
        return (
            "nothing turned and nothing diverged: ask what keeps the training loss as high as it is"
        )


def case(*, seed: int = 0, number: int = 0) -> Case:
    """Return case `number` of a `seed`: the same always, zero included."""
    seed = check_seed(seed, error=InterviewError)
    check_whole("number", number, 0, 3, error=InterviewError)
    rng = np.random.default_rng((seed, number))
    table = curves.load(list(PROBLEMS)[int(rng.integers(len(PROBLEMS)))])
    errors = final_errors(table.name)
    while True:
        row = int(rng.integers(len(errors)))
        moves = _moves(table, row)
        rng.shuffle(moves)
        options = _options(errors, row, moves)
        made = Case(f"{table.name}/{seed}/{number}", table, row, tuple(errors[row]), options)
        if len(options) == len(LETTERS) and _can_be_told(made):
            return made


def noise(one: Any, other: Any, rows: int) -> float:
    """Return what three seeds can't tell apart: twice the standard error of a difference, or one
    row."""
    squared = np.var(one, ddof=1) / len(one) + np.var(other, ddof=1) / len(other)
    return max(TWICE * float(np.sqrt(squared)), 1 / rows)


@cache
def final_errors(name: str) -> np.ndarray:
    """Return the test error of every config and seed at the end, (n, s); a diverged run counts as
    the worst."""
    table = curves.load(name)
    return bounded(table, 1 - table.curves["test_accuracy"][:, :, -1], "accuracy")


def _moves(table: Table, row: int) -> list[tuple[str, Any, Any, int]]:
    """List (knob, old, new, row of the neighbour) for every knob moved to a value beside its
    own."""
    return list(_each_move(table, table.configs[row]))


def _each_move(table: Table, config: Config) -> Iterator[tuple[str, Any, Any, int]]:
    for name, domain in table.space.domains.items():
        values = list(domain.values)  # type: ignore[union-attr]
        at = values.index(config[name])
        beside = [place for place in (at - 1, at + 1) if 0 <= place < len(values)]
        for place in beside:
            yield name, config[name], values[place], table.row({**config, name: values[place]})


def _options(
    errors: np.ndarray, row: int, moves: list[tuple[str, Any, Any, int]]
) -> tuple[Option, ...]:
    """Take the best neighbour and three more, in the order of the moves."""
    told = [move for move in moves if np.ptp(errors[move[3]]) <= APART]
    if len(told) < len(LETTERS):
        return ()
    best = min(told, key=lambda move: errors[move[3]].mean())
    others = [move for move in told if move is not best][: len(LETTERS) - 1]
    chosen = [move for move in told if move is best or move in others]
    return tuple(
        Option(letter, knob, old, new, tuple(errors[place].tolist()))
        for letter, (knob, old, new, place) in zip(LETTERS, chosen, strict=True)
    )


def _can_be_told(made: Case) -> bool:
    """Ask for a best that gains clearly, and for two options at least that are clearly behind
    it."""
    gain = float(np.mean(made.errors)) - made.best.mean
    clear = gain > max(WORTH, noise(made.errors, made.best.errors, made.table.rows["test"]))
    return clear and len(made.right) <= len(made.options) - 2


def _form(value: Any) -> str:
    return "" if isinstance(value, str) else "g"


def _mean(values: np.ndarray) -> str:
    return "diverged" if np.isnan(values).any() else f"{values.mean():.3g}"


def _errors(errors: tuple[float, ...]) -> str:
    each = ", ".join(f"{100 * error:.1f}" for error in errors)
    return f"{100 * float(np.mean(errors)):.1f} % ({each})"

"""Your own story: what an interviewer would ask about your study, with the answers, and a page to
talk about.

    told = hpt.interview.story(study)           # or hpt-lab story JOURNAL
    print(told.page)                            # problem, baseline, search, result with interval,
                                                what next
    for asked in told.questions:
        print(asked.question, asked.answer)

Every answer is computed from the study's records, so it is right by construction; what records
can't know is said to be unknown. Of a trial that was stopped nobody knows where it would have
ended, unless the study ran on a recorded table, which holds the rest of its curve. Read `story`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hpt_lab import curves
from hpt_lab.curves.lessons import bounded
from hpt_lab.curves.replay import Replay
from hpt_lab.errors import InterviewError
from hpt_lab.history import Record, increments
from hpt_lab.space import Choice, Space
from hpt_lab.study.journal import read_header
from hpt_lab.study.reading import read_study
from hpt_lab.study.study import Study

EDGE = 0.05  # of a range, from either end
NAMES = {
    "asha": "ASHA",
    "bohb": "BOHB",
    "tpe": "TPE",
    "bayesian_optimization": "Bayesian optimization",
}


@dataclass(frozen=True)
class Asked:
    """A question about a study, and its answer. Both are Markdown."""

    question: str
    answer: str


@dataclass(frozen=True)
class Story:
    """What can be said of a study: the questions, and one page."""

    questions: list[Asked]
    page: str

    def __str__(self) -> str:
        asked = "\n\n".join(f"**{asked.question}**\n\n{asked.answer}" for asked in self.questions)
        return f"{self.page}\n\n## What they may ask\n\n{asked}\n"

    def _repr_markdown_(self) -> str:
        return str(self)


def story(study: Study | str | Path, *, objective: Any = None, rows: int | None = None) -> Story:
    """Tell a study, or the journal at a path.

    objective: what it ran on, if that is a recorded table's; a journal names it by itself. rows:
        how many
    rows a loss was measured on, for its interval; a table knows. Raises InterviewError for a study
    without a trial that succeeded.
    """
    if isinstance(study, str | Path):
        objective = (
            _recorded(read_header(study).get("objective")) if objective is None else objective
        )
        study = read_study(study)
    if not isinstance(study, Study):
        raise InterviewError(
            f"story needs a Study or the path of a journal, got {type(study).__name__}"
        )
    if study.best is None:
        raise InterviewError(
            "the study has no trial that succeeded, so there is no story yet; run it first"
        )
    replay = objective if isinstance(objective, Replay) else None
    told = _Facts(
        study,
        replay,
        rows if rows is not None or replay is None else replay.table.rows["validation"],
    )
    return Story(list(_questions(told)), _page(told))


def _recorded(described: Any) -> Replay | None:
    """Rebuild a table's objective from what a journal says of it; None for any other."""
    try:
        table = curves.load(described["table"]) if described["table"] in curves.names() else None
        if table is None or table.digest != described["table_digest"]:
            return None
        return table.objective(seed=described["seed"], metric=described["metric"])
    except (TypeError, KeyError, ValueError):
        return None


class _Facts:
    """What the records say."""

    def __init__(self, study: Study, replay: Replay | None, rows: int | None):
        assert study.best is not None
        self.study = study
        self.replay = replay
        self.rows = rows
        self.records = study.history.records
        self.best: Record = study.best
        self.furthest: dict[int, float] = {}
        for trial in [*(record.trial for record in self.records), *study.history.pending]:
            self.furthest[trial.id] = max(trial.budget, self.furthest.get(trial.id, 0.0))
        self.full = max(self.furthest.values())
        self.epochs = sum(increments(record.trial for record in self.records))
        self.failed = [record for record in self.records if record.outcome.failed]
        self.space: Space = study.strategy.space
        self.name = (
            NAMES.get(study.strategy.name) or study.strategy.name.replace("_", " ").capitalize()
        )

    def stopped(self) -> dict[float, list[Record]]:
        """Return who was stopped before the full budget, by the epoch at which it was; failed ones
        were not stopped."""
        found: dict[float, list[Record]] = {}
        pending = {trial.id for trial in self.study.history.pending}
        for record in self.records:
            last = record.budget == self.furthest[record.trial.id]
            if (
                last
                and record.budget < self.full
                and not record.outcome.failed
                and record.trial.id not in pending
            ):
                found.setdefault(record.budget, []).append(record)
        return dict(sorted(found.items()))

    def in_full(self, record: Record) -> float:
        """Return the loss that a stopped trial would have ended with, from the table; infinite if
        it diverged."""
        assert self.replay is not None
        row, seed, _ = self.replay.where(record.trial)
        loss = self.replay.table.losses(self.replay.metric)[row, seed, int(self.full) - 1]
        return float(loss) if math.isfinite(loss) else math.inf

    @property
    def is_error(self) -> bool:
        """True if the loss is a share of wrong rows."""
        accuracy = self.best.metrics.get("accuracy")
        return accuracy is not None and math.isclose(1 - accuracy, self.best.loss, abs_tol=1e-9)

    def margin(self) -> float | None:
        """Return how far the best other config at the winner's budget is behind; None if there is
        none."""
        others = [
            record.loss
            for record in self.study.history.at_budget(self.best.budget)
            if record.trial.id != self.best.trial.id and not record.outcome.failed
        ]
        return min(others) - self.best.loss if others else None

    def error(self) -> float | None:
        """Return the standard error of the winner's error rate; None where it is none, or rows are
        unknown."""
        if not self.is_error or not self.rows:
            return None
        return math.sqrt(self.best.loss * (1 - self.best.loss) / self.rows)

    def edges(self) -> list[str]:
        """Return the knobs whose value lies at an end of its range, with the value."""
        return [
            f"{name} = {_shown(value)}"
            for name, value in self.best.config.items()
            if _at_edge(self.space[name], value)
        ]


def _at_edge(domain: Any, value: Any) -> bool:
    if isinstance(domain, Choice):
        return (
            domain.ordered
            and len(domain.values) > 2
            and value in (domain.values[0], domain.values[-1])
        )
    return not EDGE <= domain.place_of(value) <= 1 - EDGE


def _questions(told: _Facts) -> Iterator[Asked]:
    yield _spent(told)
    yield from _cut(told)
    yield from _climb(told)
    yield _luck(told)
    edges = told.edges()
    if edges:
        yield Asked(
            "Does your winner sit at the edge of the space?",
            f"Yes: {', '.join(edges)}. So the range was a guess that the data push against: widen "
            "it on that "
            "side, where the knob allows it, and search again before you believe the value.",
        )
    else:
        yield Asked(
            "Does your winner sit at the edge of the space?",
            f"No: every knob that has ends is more than {100 * EDGE:.0f} % of its range inside "
            "them.",
        )
    if told.failed:
        yield Asked(
            f"{len(told.failed)} of your {len(told.records)} runs failed. What did you do with "
            "them?",
            "They rank last and never win, and they are on record with their error; the first "
            "says: "
            f"`{_line(told.failed[0].outcome.error)}`. A region that fails is an answer about the "
            "space.",
        )
    if told.study.strategy.name == "random_search" and len(told.records) >= 4:
        yield _half(told)


def _spent(told: _Facts) -> Asked:
    configs = len(told.furthest)
    full = configs * told.full
    return Asked(
        f"What did your search cost, against training all {configs} configs in full?",
        f"{told.epochs:,g} epochs, resumed epochs counted once. In full they would have been "
        f"{configs} × "
        f"{told.full:g} = {full:,g}; you spent {100 * told.epochs / full:.0f} % of that.",
    )


def _cut(told: _Facts) -> Iterator[Asked]:
    """Ask about the epoch at which most were stopped: what it saved, and whether the best was among
    them."""
    stopped = told.stopped()
    if not stopped or "eta" not in told.study.strategy.settings:
        return
    epoch, records = max(stopped.items(), key=lambda item: len(item[1]))
    each = told.full - epoch
    yield Asked(
        f"Your {told.name} run stopped {len(records)} trials at epoch {epoch:g}: how many epochs "
        "did that save?",
        f"{len(records)} × ({told.full:g} − {epoch:g}) = {len(records) * each:,g}, against "
        "training each of them to "
        f"{told.full:g}.",
    )
    question = f"Would the best of the {len(records)} have won?"
    if told.replay is None:
        yield Asked(
            question,
            "Unknown: nobody trained them on. You can say how they stood when they were stopped "
            "(the best "
            f"had {min(record.loss for record in records):.4g}, the winner ended at "
            f"{told.best.loss:.4g}), and that "
            "finding out would take some of them, drawn at random, trained in full.",
        )
        return
    ends = [told.in_full(record) for record in records]
    yield Asked(
        question,
        f"{_would_have_won(min(ends), told.best.loss)}: the table has the rest of their curves. "
        "The best of "
        f"them would have ended at {min(ends):.4g}, your winner has {told.best.loss:.4g}; "
        f"{sum(end < told.best.loss for end in ends)} of {len(records)} would have ended below it. "
        "All on the rows that "
        "chose the winner, so a small difference is luck as likely as not.",
    )


def _would_have_won(end: float, winner: float) -> str:
    if end == winner:
        return "No, it would have tied"
    return "Yes" if end < winner else "No"


def _climb(told: _Facts) -> Iterator[Asked]:
    """Ask where the winner stood at its first rung."""
    mine = [record for record in told.records if record.trial.id == told.best.trial.id]
    first = min(mine, key=lambda record: record.budget)
    if first.budget == told.best.budget:
        return
    rung = [
        record
        for record in told.records
        if (record.trial.bracket, record.budget) == (first.trial.bracket, first.budget)
    ]
    ahead = sum(record.outcome.rank_loss < first.outcome.rank_loss for record in rung)
    yield Asked(
        f"Where did your winner stand after {_epochs(first.budget)}?",
        f"Rank {ahead + 1} of {len(rung)} in its rung, with {first.loss:.4g} against "
        f"{told.best.loss:.4g} at "
        f"{told.best.budget:g}. A stricter cut there would have lost it "
        f"{'only if it kept nobody' if ahead == 0 else f'if it had kept {ahead} or fewer'}.",
    )


def _luck(told: _Facts) -> Asked:
    margin = told.margin()
    error = told.error()
    question = "How sure are you that your winner is better than the runner-up?"
    if margin is None:
        return Asked(
            question,
            f"No other trial had {_epochs(told.best.budget)}, so the two can't be compared at "
            "equal training.",
        )
    lead = f"It leads by {margin:.4g} at {_epochs(told.best.budget)}, one run each"
    if error is None:
        return Asked(
            question,
            f"{lead}. The journal does not say how large the noise is: rerun both with five seeds, "
            "paired.",
        )
    ratio = margin / error if error else math.inf
    return Asked(
        question,
        f"{lead}, and one standard error of its own rate on {told.rows:,} rows is {error:.4g}: "
        f"{ratio:.1f} of them. "
        + (
            "Not sure at all: rerun the best few with five seeds, paired."
            if ratio < 2
            else "That is more than the rows explain, but the winner was picked: rerun it."
        ),
    )


def _half(told: _Facts) -> Asked:
    losses = [record.outcome.rank_loss for record in told.records]
    half = len(losses) // 2
    expected = _expected_best(losses, half)
    return Asked(
        f"What would you have expected from {half} trials instead of {len(losses)}?",
        f"{expected:.4g}: the mean best of {half} of your {len(losses)} losses, over all ways to "
        "draw them. "
        f"All of them found {min(losses):.4g}.",
    )


def _expected_best(losses: Any, trials: int) -> float:
    from hpt_lab.honesty import expected_best  # loads scikit-learn

    return float(expected_best(losses, [trials])[0])


def _page(told: _Facts) -> str:
    knobs = ", ".join(told.space)
    config = ", ".join(f"{name} {_shown(value)}" for name, value in told.best.config.items())
    settings = ", ".join(
        f"{name} {_shown(value)}"
        for name, value in told.study.strategy.settings.items()
        if name != "space" and value not in (None, [], {})
    )
    failed = f", {len(told.failed)} of them failed" if told.failed else ""
    return "\n\n".join(
        (
            "# My study on one page",
            f"**Problem.** {_problem(told)} {_counted(len(told.space), 'hyperparameter')}: "
            f"{knobs}.",
            f"**Baseline.** {_baseline(told)}",
            f"**Search.** {told.name} ({settings}): {len(told.furthest)} configs, "
            f"{len(told.records)} runs{failed}, "
            f"{told.epochs:,g} epochs, {told.study.seconds:,.0f} s of training.",
            f"**Result.** {_result(told)} The config: {config}; after {_epochs(told.best.budget)}.",
            f"**What I would do next.** {_next(told)}",
        )
    )


def _problem(told: _Facts) -> str:
    if told.replay is not None:
        rows = told.replay.table.rows
        return (
            f"{told.replay.table.name}, recorded curves: {rows['training']:,} rows to train on, "
            f"{rows['validation']:,} to "
            f"choose by, {rows['test']:,} sealed. Minimised: the validation {_measure(told)}."
        )
    return (
        "[One sentence on the data, the rows, and who uses the prediction; the journal does "
        "not know.]"
    )


def _measure(told: _Facts) -> str:
    return "error" if told.is_error else "loss"


def _baseline(told: _Facts) -> str:
    if told.replay is None:
        return (
            f"[Not in the journal. Train your defaults for {_epochs(told.full)} with three seeds, "
            "and say their mean and "
            "range first: without it the result means nothing.]"
        )
    full = int(told.epochs // told.full)
    losses = told.replay.table.losses(told.replay.metric)[:, :, int(told.full) - 1]
    losses = bounded(told.replay.table, losses, told.replay.metric).ravel()
    expected = _expected_best(losses, max(1, full))
    return (
        f"Random search with the same {told.epochs:,g} epochs is {max(1, full)} full trainings; "
        "the best of so many ends at "
        f"{expected:.4g} on average, over the whole table."
    )


def _result(told: _Facts) -> str:
    error = told.error()
    if error is None:
        return (
            f"Validation {_measure(told)} {told.best.loss:.4g}; its interval needs the number "
            "of rows, or five seeds."
        )
    low, high = _wilson(told.best.loss, told.rows or 1)
    said = (
        f"Validation error {told.best.loss:.4g}, 95 % interval {low:.4g} to {high:.4g} (Wilson) "
        f"from {told.rows:,} rows; "
        "it was chosen as the smallest of many, so it flatters."
    )
    if told.replay is not None:
        said += (
            " On sealed rows the same training has "
            f"{1 - told.replay.test(told.best.trial)['accuracy']:.4g}."
        )
    return said


def _wilson(rate: float, rows: int) -> tuple[float, float]:
    from scipy.stats import binomtest

    interval = binomtest(round(rate * rows), rows).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def _next(told: _Facts) -> str:
    plans = []
    if told.best.budget < told.full:
        plans.append(f"train the winner on, it had {told.best.budget:g} of {told.full:g} epochs")
    edges = told.edges()
    if edges:
        plans.append(f"widen the space beyond {', '.join(edges)}")
    if told.failed:
        plans.append("look at where the failures lie, and cut that region or mend the code")
    plans.append(
        "rerun the best three and the baseline with five seeds, paired, and look at the differences"
    )
    if told.replay is None:
        plans.append("open the sealed test once, for the one config that is then chosen")
    return "; ".join(plans).capitalize() + "."


def _counted(n: float, word: str) -> str:
    return f"{n:,g} {word}{'' if n == 1 else 's'}"


def _epochs(n: float) -> str:
    return _counted(n, "epoch")


def _shown(value: Any) -> str:
    if isinstance(value, Mapping | list | tuple):
        return str(value)
    return f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)


def _line(text: str | None) -> str:
    return " ".join((text or "").split())[:160].replace("`", "'")

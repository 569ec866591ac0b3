"""The sections of a report: each looks at the study and returns markup. Read `summary` first."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable
from typing import Any

from hpt_lab import plots
from hpt_lab.domains import short
from hpt_lab.errors import HptError, StrategyError
from hpt_lab.evidence import edges
from hpt_lab.history import Record
from hpt_lab.plots.embedded import embedded
from hpt_lab.plots.figure import count
from hpt_lab.reports.page import fact, figure, paragraph, section, table, text
from hpt_lab.study.plan import Plan, plan
from hpt_lab.study.reading import Recorded
from hpt_lab.study.study import Study

LONGEST = 300  # characters of an error
MOST_ERRORS = 8  # kinds of errors listed


def summary(recorded: Recorded) -> str:
    """Say what the study was and what came out, in one paragraph."""
    study = recorded.study
    records = study.history.records
    trials = len({record.trial.id for record in records})
    parts = [
        f"{text(study.strategy.name)} tried",
        fact("trials", trials),
        "configs in",
        fact("runs", len(records)),
        f"runs: {fact('epochs', study.epochs)} units of budget,",
        f"{fact('seconds', study.seconds)} seconds inside the objective.",
    ]
    if study.best is not None:
        parts.append(f"The best loss is {fact('best-loss', study.best.loss)}.")
    else:
        parts.append("Every trial failed.")
    return paragraph(*parts, kind="lead")


def steps(study: Study) -> str:
    """List what the evidence supports doing next."""
    found = study.next_steps()
    if not found:
        return section(
            "steps",
            "Next steps",
            paragraph(
                "This study supports no statement about its edges, its budget, its failures or its "
                "dimensions. That is no all-clear: with few trials little can be shown."
            ),
        )
    items = "".join(
        f'<li data-kind="{text(step.kind)}"><b>{text(step.found)}</b> {text(step.do)}</li>'
        for step in found
    )
    return section("steps", "Next steps", f'<ol class="steps">{items}</ol>')


def best(study: Study) -> str:
    """Show the best config."""
    record = study.best
    if record is None:
        return section("best", "Best config", paragraph("There is none: every trial failed."))
    rows = [
        [text(name), f"<code>{text(say_whole(value))}</code>"]
        for name, value in record.config.items()
    ]
    scores = "".join(
        f", {text(name)} {fact('metric', value)}" for name, value in record.metrics.items()
    )
    words = paragraph(
        f"Trial {fact('best-trial', record.trial.id)}, trained with a budget of "
        f"{fact('best-budget', record.budget)}: loss {fact('best-loss', record.loss)}{scores}. "
        "It was chosen because its loss is the smallest, so part of that is luck."
    )
    return section(
        "best", "Best config", table(["hyperparameter", "value"], rows, ["", "long"]), words
    )


def say_whole(value: Any) -> str:
    """Write a value with all its digits."""
    return value if isinstance(value, str) else repr(value)


def planned_of(study: Study) -> Plan | None:
    """Return the plan of a study's strategy, None if it has none."""
    try:
        return plan(study.strategy)
    except StrategyError:
        return None


def plan_section(study: Study, planned: Plan | None) -> str:
    """Set what was planned beside what ran."""
    settings = [
        [text(name), f"<code>{text(value)}</code>"]
        for name, value in study.strategy.settings.items()
        if name != "space"
    ]
    space = [
        [text(name), f"<code>{text(short(domain))}</code>"]
        for name, domain in study.strategy.space.domains.items()
    ]
    parts = [
        table(["setting", "value"], settings, ["", "long"]),
        table(["hyperparameter", "searched"], space, ["", "long"]),
    ]
    if planned is None:
        parts.append(paragraph("This strategy has no plan: what it runs depends on the losses."))
    else:
        done = Counter((record.trial.bracket, record.budget) for record in study.history.records)
        rows = [
            [
                "" if s is None else text(s),
                fact("rung-budget", rung.budget),
                fact("rung-planned", rung.n),
                fact("rung-done", done[s, rung.budget]),
            ]
            for s, rungs in planned.brackets.items()
            for rung in rungs
        ]
        parts.append(
            table(
                ["bracket", "budget", "runs planned", "runs done"],
                rows,
                ["", "number", "number", "number"],
            )
        )
        parts.append(
            paragraph(
                f"Planned: {fact('planned-runs', planned.runs)} runs, "
                f"{fact('planned-epochs', planned.epochs_resumed)} units of budget. Done: "
                f"{fact('runs', len(study.history.records))} runs, "
                f"{fact('epochs', study.epochs)} units."
            )
        )
    return section("plan", "Plan", *parts)


def drawing(draw: Callable[..., Any], *arguments: Any) -> str:
    """Return a picture, or why there is none."""
    try:
        return figure(embedded(draw, *arguments))
    except HptError as error:
        return paragraph(f"No picture here: {text(error)}", kind="faint")


def curves(study: Study) -> str:
    """Draw the search over time and the learning curves."""
    parts = [drawing(plots.history, study)]
    if any(record.outcome.curves for record in study.history.records):
        parts.append(drawing(plots.learning_curves, study))
    else:
        parts.append(paragraph("The objective recorded no learning curves.", kind="faint"))
    return section("curves", "Curves", *parts)


def importance(study: Study) -> str:
    """Draw which dimensions matter, with its caveat."""
    caveat = paragraph(
        "Permutation importance of a random forest that learned the ranks of the losses. "
        "It belongs to the ranges searched here, and it is no cause.",
        kind="faint",
    )
    return section("importance", "Importance", drawing(plots.importance, study), caveat)


def edges_section(study: Study) -> str:
    """Count the best trials at every edge, and draw the dimension where they crowd most."""
    found = edges(study.history, study.strategy.space)
    if not found:
        return section(
            "edges",
            "Edges of the space",
            paragraph(
                "No edge can be judged: too few trials of one budget, "
                "or no dimension with two ends."
            ),
        )
    rows = []
    for edge in found:
        rows.append(
            [
                text(edge.name),
                edge.side,
                text(edge.where),
                fact("edge-hits", edge.hits),
                fact("edge-marked", edge.marked),
                fact("edge-inside", edge.inside),
                fact("edge-trials", edge.trials),
                fact("edge-chance", edge.chance, f"{edge.chance:.2g}"),
            ]
        )
    heads = [
        "hyperparameter",
        "edge",
        "where",
        "best there",
        "of the best",
        "all there",
        "of all",
        "chance",
    ]
    words = paragraph(
        "How many of the best quarter lie in the outer fifth, and how often chance alone would put "
        f"at least so many there. Trials of budget {fact('edge-budget', found[0].budget)}. With "
        "so many edges a small chance is bound to come up somewhere; the next steps "
        "above correct for that."
    )
    crowded = min(found, key=lambda edge: edge.chance)
    return section(
        "edges",
        "Edges of the space",
        words,
        table(heads, rows, ["", "", "whole", *["number"] * 5]),
        drawing(plots.boundaries, study, crowded.name),
    )


def failed(study: Study) -> str:
    """Group the failed runs by their error."""
    records = study.history.records
    errors = Counter(_error(record) for record in records if record.outcome.failed)
    if not errors:
        return section(
            "failures", "Failures", paragraph(f"None of {fact('runs', len(records))} runs failed.")
        )
    rows = [
        [f"<code>{text(error)}</code>", fact("error-runs", n)]
        for error, n in errors.most_common(MOST_ERRORS)
    ]
    more = len(errors) - MOST_ERRORS
    words = paragraph(
        f"{fact('failed-runs', sum(errors.values()))} of {fact('runs', len(records))} runs failed"
        + (
            f", with {len(errors)} different errors, of which {more} are not listed."
            if more > 0
            else "."
        )
    )
    return section(
        "failures", "Failures", words, table(["error", "runs"], rows, ["long", "number"])
    )


def _error(record: Record) -> str:
    error = record.outcome.error or f"the loss is {record.loss}"
    return error if len(error) <= LONGEST else error[:LONGEST] + "…"


def tested(recorded: Recorded) -> str:
    """Show the score on the sealed test part, the first one, or say how to open it."""
    if recorded.opened:
        first = recorded.opened[0]
        scores = ", ".join(
            f"{text(name)} {fact('test-score', score)}" for name, score in first.scores.items()
        )
        words = (
            f"Trial {fact('test-trial', first.trial)} with a budget of "
            f"{fact('test-budget', first.budget)}: {scores}."
        )
        times = len(recorded.opened)
        if times > 1:
            words += (
                f" The test part was opened {fact('test-openings', times)} times; this is the "
                "first score. "
                "Choosing by the later ones would make it a validation set."
            )
        return section("test", "Test score", paragraph(words))
    how = "objective.test(study.best.trial)"
    if _by_command(recorded):
        how = f"hpt-lab resume {shlex.quote(str(recorded.path))} --reveal-test"
    return section(
        "test",
        "Test score",
        paragraph("The sealed test part was not opened. Open it once, when every choice is made:"),
        f"<pre>{text(how)}</pre>",
    )


def _by_command(recorded: Recorded) -> bool:
    """Say whether `hpt-lab tune` began this study, so that `hpt-lab resume` can go on with it."""
    found = recorded.objective
    return (
        isinstance(found, dict)
        and {"data", "build", "seed"} <= found.keys()
        and recorded.path.name != ""
    )


def going_on(recorded: Recorded, planned: Plan | None) -> str:
    """Say whether the search has ended, and give the lines that go on with it."""
    study = recorded.study
    done = len(study.history.records)
    parts = []
    if study.history.pending:
        waiting = count(len(study.history.pending), "run")
        parts.append(
            paragraph(f"{text(waiting)} began and has no outcome yet: it will be asked again.")
        )
    if planned is not None and done < planned.runs:
        parts.append(
            paragraph(
                f"{fact('runs', done)} of {fact('planned-runs', planned.runs)} planned runs "
                "are done."
            )
        )
    elif planned is not None:
        parts.append(
            paragraph(
                "All planned runs are done: resuming only returns the study. Begin a new one, with "
                "the next steps above in its space and budget, and another seed."
            )
        )
    if recorded.path.name:
        path = str(recorded.path)
        command = f"hpt-lab resume {shlex.quote(path)}"
        python = f"import hpt_lab as hpt\n\nstudy = hpt.resume({path!r}, objective)"
        parts.append(f"<pre>{text(command if _by_command(recorded) else python)}</pre>")
    return section("going-on", "How to go on", *parts)

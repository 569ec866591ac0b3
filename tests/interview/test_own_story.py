"""What a story says is what its study's records give, counted again here in plain loops."""

import json
import math
import re

import pytest
from scipy.stats import binomtest

import hpt_lab as hpt
from hpt_lab import curves
from hpt_lab.errors import InterviewError, JournalError
from hpt_lab.interview import story
from hpt_lab.study.reading import read_study
from tests.interview.test_mock import run


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """A Hyperband study on recorded curves: (study, objective, journal, story from the journal)."""
    table = curves.load("spirals-mlp")
    journal = tmp_path_factory.mktemp("study") / "h.jsonl"
    objective = table.objective(seed=4)
    study = hpt.tune(
        objective,
        hpt.hyperband(table.space, max_budget=27, seed=0),
        journal=journal,
        progress=False,
    )
    return study, objective, journal, story(journal)


def answer(told, beginning):
    return next(asked.answer for asked in told.questions if re.search(beginning, asked.question))


def test_a_study_is_read_from_its_journal_without_its_objective(told):
    study, _, journal, _ = told
    assert read_study(journal).digest == study.digest
    assert str(story(study, objective=told[1])) == str(told[3]).replace("\r", "")


def test_epochs_spent_and_in_full_are_counted_again(told):
    study, _, _, said = told
    longest = {}
    spent = 0
    for record in study.history.records:
        spent += record.budget - longest.get(record.trial.id, 0)
        longest[record.trial.id] = record.budget
    text = answer(said, "cost, against")
    assert f"{spent:,g} epochs" in text and f"{len(longest)} × 27 = {27 * len(longest):,}" in text
    assert f"{100 * spent / (27 * len(longest)):.0f} %" in text


def stopped(study):
    """By epoch, the records of trials that went no further, failures and full trainings left
    out."""
    last = {}
    for record in study.history.records:
        last[record.trial.id] = record
    found = {}
    for record in last.values():
        if record.budget < 27 and math.isfinite(record.loss):
            found.setdefault(record.budget, []).append(record)
    return found


def test_the_epochs_that_stopping_saved(told):
    by_epoch = stopped(told[0])
    epoch = max(by_epoch, key=lambda epoch: len(by_epoch[epoch]))
    n = len(by_epoch[epoch])
    text = answer(told[3], rf"stopped {n} trials at epoch {epoch}")
    assert f"= {n * (27 - epoch):,}," in text


def test_whether_the_best_of_them_would_have_won_is_looked_up_in_the_table(told):
    study, objective, _, said = told
    by_epoch = stopped(study)
    records = max(by_epoch.values(), key=len)
    table = objective.table
    ends = []
    for record in records:
        row, seed, _ = objective.where(record.trial)
        ends.append(1 - table.curves["val_accuracy"][row, seed, 26])
    text = answer(said, "best of the")
    assert f"ended at {min(ends):.4g}" in text
    assert f"{sum(end < study.best.loss for end in ends)} of {len(ends)} would have" in text
    assert text.startswith("Yes" if min(ends) < study.best.loss else "No")


def test_without_a_table_nobody_knows_what_the_stopped_would_have_done(told):
    text = answer(story(told[0]), "best of the")
    assert text.startswith("Unknown")


def test_the_winners_first_rank(told):
    study = told[0]
    first = next(
        record for record in study.history.records if record.trial.id == study.best.trial.id
    )
    rung = [
        record.loss
        for record in study.history.records
        if (record.trial.bracket, record.budget) == (first.trial.bracket, first.budget)
    ]
    rank = 1 + sum(loss < first.loss for loss in rung)
    assert f"Rank {rank} of {len(rung)}" in answer(told[3], "winner stand")


def test_the_interval_is_wilsons(told):
    study = told[0]
    rows = told[1].table.rows["validation"]
    interval = binomtest(round(study.best.loss * rows), rows).proportion_ci(method="wilson")
    assert f"{interval.low:.4g} to {interval.high:.4g}" in told[3].page
    assert "sealed rows" in told[3].page


def test_random_search_knows_what_half_of_it_would_have_found():
    space = hpt.Space(x=hpt.Float(0, 1))
    study = hpt.tune(
        lambda config: config["x"], hpt.random_search(space, trials=6, seed=0), progress=False
    )
    losses = [record.loss for record in study.history.records]
    triples = [
        min(a, b, c)
        for i, a in enumerate(losses)
        for j, b in enumerate(losses[:i])
        for c in losses[:j]
    ]
    assert answer(story(study), "expected from 3 trials").startswith(
        f"{sum(triples) / len(triples):.4g}:"
    )


@pytest.mark.parametrize(("best", "says"), [(0.0, "Yes: x"), (0.5, "No")])
def test_a_winner_at_the_edge_is_named(best, says):
    space = hpt.Space(x=hpt.Float(0, 1))
    study = hpt.tune(
        lambda config: abs(config["x"] - best),
        hpt.random_search(space, trials=60, seed=0),
        progress=False,
    )
    assert answer(story(study), "edge").startswith(says)


def test_failures_are_told():
    def objective(config):
        if config["x"] > 0.5:
            raise ValueError("too large")
        return config["x"]

    study = hpt.tune(
        objective,
        hpt.random_search(hpt.Space(x=hpt.Float(0, 1)), trials=12, seed=0),
        progress=False,
    )
    failed = sum(record.outcome.failed for record in study.history.records)
    assert failed and "too large" in answer(story(study), rf"^{failed} of your 12 runs failed")


def test_a_study_without_a_result_has_no_story(tmp_path):
    with pytest.raises(InterviewError, match="Study or the path"):
        story(3)
    with pytest.raises(JournalError, match="check the path"):
        story(tmp_path / "nothing.jsonl")


@pytest.mark.parametrize(
    "described",
    [
        None,
        3,
        {},
        {"table": "../x", "table_digest": ""},
        {"table": ["a"]},
        {"table": "spirals-mlp", "table_digest": "0", "seed": 0, "metric": "accuracy"},
    ],
)
def test_an_objective_that_is_no_table_of_ours_is_left_alone(told, tmp_path, described):
    lines = told[2].read_text().splitlines(keepends=True)
    header = json.loads(lines[0])
    path = tmp_path / "h.jsonl"
    path.write_text(json.dumps({**header, "objective": described}) + "\n" + "".join(lines[1:]))
    assert answer(story(path), "best of the").startswith("Unknown")


def test_the_terminal_tells_it_too(told):
    assert run("story", told[2], keys="").strip() == str(told[3]).strip()

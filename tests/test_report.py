"""Each of a report's statements is recomputed from the journal; what a study holds stays text."""

import base64
import json
import math
from collections import Counter
from html.parser import HTMLParser

import matplotlib

matplotlib.use("Agg")
import numpy as np
import pytest
from scipy import stats

import hpt_lab as hpt
from hpt_lab.cli import main
from hpt_lab.reports import write_report
from hpt_lab.space import Choice, Float, Int, Space
from hpt_lab.study.reading import read_study, record_test
from hpt_lab.trial import Outcome

SPACE = Space(
    learning_rate=Float(1e-4, 1, log=True), units=Int(16, 256), optimizer=Choice(["a", "b"])
)
EVIL = "<script>alert(1)</script>"
VOID = {"meta", "img", "br", "link"}


@pytest.fixture
def no_pictures(monkeypatch):
    """Leave out what costs seconds where a test reads only the words."""
    monkeypatch.setattr("hpt_lab.reports.sections.drawing", lambda *arguments: "")


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, text by section, numbers by name."""

    def __init__(self, path):
        super().__init__()
        self.tags = []
        self.open = []
        self.facts = []  # (section, name, value)
        self.words = Counter()
        self.section = ""
        self.text = {}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.tags.append((tag, found))
        if tag == "section":
            self.section = found["id"]
        if tag == "data":
            self.facts.append((self.section, found["class"], float(found["value"])))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text[self.section] = self.text.get(self.section, "") + data

    def all(self, name, section=None):
        return [v for where, n, v in self.facts if n == name and section in (None, where)]


def objective(config, budget):
    rate = config["learning_rate"]
    if rate > 0.3:
        raise RuntimeError("diverged")
    rng = np.random.default_rng(int(1e9 * rate))
    low = 0.1 * (math.log10(rate) + 4) + 0.1
    curve = [low + math.exp(-e / 6) + 0.01 * rng.random() for e in range(int(budget))]
    return Outcome(curve[-1], {"accuracy": 1 - low}, curves={"val_loss": curve})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def journal(folder):
    path = folder / "hyperband & co.jsonl"
    hpt.tune(objective, hpt.hyperband(SPACE, max_budget=27, seed=0), journal=path, progress=False)
    return path


@pytest.fixture(scope="module")
def page(journal):
    return Page(write_report(journal))


@pytest.fixture(scope="module")
def entries(journal):
    """The journal as plain JSON: the oracle reads it on its own."""
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    asked = {(e["ask"]["id"], e["ask"]["budget"]): e["ask"] for e in lines if "ask" in e}
    return [(asked[e["tell"], e["budget"]], e) for e in lines if "tell" in e]


def best_entry(entries):
    return min(
        (pair for pair in entries if pair[1]["loss"] is not None), key=lambda pair: pair[1]["loss"]
    )


def test_the_summary_counts_what_the_journal_has(page, entries):
    most = {}
    for ask, _ in entries:
        most[ask["id"]] = max(most.get(ask["id"], 0), ask["budget"])
    assert set(page.all("runs")) == {len(entries)}
    assert page.all("trials") == [len(most)]
    assert set(page.all("epochs")) == {sum(most.values())}
    assert page.all("seconds") == [pytest.approx(sum(tell["seconds"] for _, tell in entries))]


def test_the_best_config_is_the_one_with_the_smallest_loss(page, entries):
    ask, tell = best_entry(entries)
    assert set(page.all("best-loss")) == {tell["loss"]}
    assert page.all("best-trial") == [ask["id"]]
    assert page.all("best-budget") == [ask["budget"]]
    assert page.all("metric") == [tell["metrics"]["accuracy"]]
    for name, value in ask["config"].items():
        assert f"{name}{value}" in page.text["best"]


def test_the_plan_is_the_published_one_beside_what_ran(page, entries):
    planned = hpt.plan(hpt.hyperband(SPACE, max_budget=27, seed=0))
    assert set(page.all("planned-runs")) == {planned.runs}
    assert page.all("planned-epochs") == [planned.epochs_resumed]
    done = Counter((ask["bracket"], ask["budget"]) for ask, _ in entries)
    rungs = [(s, rung) for s, listed in planned.brackets.items() for rung in listed]
    assert page.all("rung-planned") == [rung.n for _, rung in rungs]
    assert page.all("rung-done") == [done[s, rung.budget] for s, rung in rungs]
    assert page.all("rung-budget") == [rung.budget for _, rung in rungs]


def test_the_edges_are_counted_as_a_reader_would(page, entries):
    (budget,) = page.all("edge-budget")
    same = [(ask, tell) for ask, tell in entries if ask["budget"] == budget]
    ranked = sorted(same, key=lambda pair: math.inf if pair[1]["loss"] is None else pair[1]["loss"])
    top = ranked[: len(same) // 4]
    inside = [ask["config"]["learning_rate"] <= 1e-4**0.8 for ask, _ in same]
    hits = [ask["config"]["learning_rate"] <= 1e-4**0.8 for ask, _ in top]
    assert page.all("edge-trials")[0] == len(same) >= 20
    assert page.all("edge-marked")[0] == len(top)
    assert page.all("edge-inside")[0] == sum(inside)
    assert page.all("edge-hits")[0] == sum(hits)
    chance = stats.hypergeom(len(same), sum(inside), len(top)).sf(sum(hits) - 1)
    assert page.all("edge-chance")[0] == pytest.approx(chance)
    assert len(page.all("edge-hits")) == 4  # two ends of two dimensions


def test_failures_are_counted_by_their_error(page, entries):
    failed = [tell for _, tell in entries if tell["error"] is not None]
    assert failed and page.all("failed-runs") == [len(failed)]
    assert page.all("error-runs") == [len(failed)]
    assert "RuntimeError: diverged" in page.text["failures"]


def test_the_next_steps_are_those_of_the_study(page, journal):
    steps = hpt.resume(journal, objective, progress=False).next_steps()
    assert steps
    for step in steps:
        assert str(step) in page.text["steps"]
    kinds = [found["data-kind"] for tag, found in page.tags if tag == "li"]
    assert kinds == [step.kind for step in steps]


def test_the_file_asks_nobody_for_anything_and_is_whole(page):
    for tag, found in page.tags:
        assert tag not in ("script", "link", "iframe", "object")
        for name, value in found.items():
            assert not name.startswith("on")
            assert name not in ("src", "href") or value.startswith("data:image/png;base64,")
    images = [found for tag, found in page.tags if tag == "img"]
    assert len(images) == 4
    for image in images:
        assert image["alt"]
        assert base64.b64decode(image["src"].partition(",")[2]).startswith(b"\x89PNG")
    assert not page.open
    policies = [found for tag, found in page.tags if tag == "meta" and "http-equiv" in found]
    assert [found["content"][:18] for found in policies] == ["default-src 'none'"]


def test_the_command_that_goes_on_is_quoted(journal, page):
    assert str(journal) in page.text["going-on"]
    assert "All planned runs are done" in page.text["going-on"]


def test_an_unfinished_study_says_how_far_it_is(journal, folder, no_pictures):
    lines = journal.read_bytes().splitlines(keepends=True)
    path = folder / "half.jsonl"
    path.write_bytes(b"".join(lines[:22]))  # the header, ten runs and one that was going on
    found = Page(write_report(path))
    assert set(found.all("runs")) == {10}
    assert "10 of" in found.text["going-on"] and "1 run began" in found.text["going-on"]


def test_the_test_score_is_shown_once_and_openings_are_counted(journal, folder, no_pictures):
    path = folder / "tested.jsonl"
    path.write_bytes(journal.read_bytes())
    assert "was not opened" in Page(write_report(path)).text["test"]
    best = read_study(path).best.trial
    record_test(path, best, {"accuracy": 0.75})
    found = Page(write_report(path))
    assert found.all("test-score") == [0.75]
    assert found.all("test-trial") == [best.id] and not found.all("test-openings")
    record_test(path, best, {"accuracy": 0.875})
    found = Page(write_report(path))
    assert found.all("test-score") == [0.75] and found.all("test-openings") == [2]
    study = hpt.resume(path, objective, progress=False)  # such lines stop no study
    assert study.digest == read_study(journal).digest


def test_what_is_read_is_what_a_resumed_study_has(journal):
    read = read_study(journal)
    study = hpt.resume(journal, objective, progress=False)
    assert read.history.records == study.history.records
    assert read.digest == study.digest


def test_a_malicious_name_or_value_or_error_stays_text(folder):
    space = Space(
        **{EVIL: Float(0, 1), '"onload="x': Choice([f"<img src=x onerror={EVIL}>", "$x^2_"])}
    )

    def evil(config):
        if config[EVIL] > 0.8:
            raise RuntimeError("</code></td><b>" + EVIL)
        return config[EVIL]

    path = folder / "evil.jsonl"
    hpt.tune(evil, hpt.random_search(space, trials=30), journal=path, progress=False)
    found = Page(write_report(path))
    assert EVIL in found.text["best"] and EVIL in found.text["failures"]
    assert EVIL in found.text["steps"] and EVIL in found.text["edges"]
    for tag, attributes in found.tags:
        assert tag != "script" and not any(name.startswith("on") for name in attributes)
    assert all(found["src"].startswith("data:") for tag, found in found.tags if tag == "img")


def test_a_study_without_a_journal_writes_its_report(folder):
    study = hpt.tune(
        lambda config: config["units"], hpt.random_search(SPACE, trials=3), progress=False
    )
    found = Page(study.report(folder / "new" / "study.html"))
    assert set(found.all("runs")) == {3}
    assert "resume" not in found.text["going-on"].replace("resuming", "")
    with pytest.raises(hpt.HptError, match="out"):
        write_report(study)


def test_a_study_in_which_all_failed_has_a_report(folder, no_pictures):
    path = folder / "failed.jsonl"
    with pytest.raises(hpt.HptError):
        hpt.tune(
            lambda config: math.nan,
            hpt.random_search(SPACE, trials=3),
            journal=path,
            progress=False,
        )
    found = Page(write_report(path))
    assert found.all("failed-runs") == [3] and not found.all("best-loss")


def test_the_command_line_writes_it_and_refuses_in_one_line(
    journal, folder, no_pictures, monkeypatch, capsys
):
    def call(*arguments):
        monkeypatch.setattr("sys.argv", ["hpt-lab", "report", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    assert call(journal, "--out", folder / "by-command.html") == 0
    assert (folder / "by-command.html").read_text() == write_report(journal).read_text()
    capsys.readouterr()
    assert call(folder / "nowhere.jsonl") == 2
    assert call(journal, "--out", journal) == 2
    assert call(journal, "--out", folder) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 3 and "can't write the report" in error


@pytest.mark.parametrize(
    "line",
    [b'{"test": 0}', b'{"test": 0, "budget": 1, "scores": {"a": "<b>"}}', b'{"ask": {"id": 0}}'],
)
def test_an_edited_line_is_refused(line, journal, folder):
    path = folder / "edited.jsonl"
    path.write_bytes(journal.read_bytes() + line + b"\n")
    with pytest.raises(hpt.HptError, match="edited"):
        write_report(path)

"""What a study is said to support: silent on noise, there if planted, right in its numbers."""

import math
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from scipy import stats

import hpt_lab as hpt
from hpt_lab.evidence import Zone, best_of, comparable, edges, effects
from hpt_lab.history import History
from hpt_lab.space import Choice, Float, Int, Space
from hpt_lab.study.next_steps import CHANCE, Step, next_steps
from hpt_lab.trial import Outcome, Trial, failure

PLAIN = Space(
    learning_rate=Float(1e-4, 1e-1, log=True),
    units=Int(16, 256, log=True),
    layers=Int(1, 3),
    dropout=Float(0, 0.5),
)
MIXED = Space(
    optimizer=Choice(["adam", "sgd"]),
    momentum=Float(0, 0.99, when={"optimizer": "sgd"}),
    batch_size=Choice([16, 32, 64, 128], ordered=True),
    learning_rate=Float(1e-4, 1, log=True),
)
CLAIMS = {"edge", "budget", "failures"}
SEARCHES = [
    (lambda seed: hpt.random_search(PLAIN, trials=40, budget=12, seed=seed), 60),
    (lambda seed: hpt.random_search(MIXED, trials=80, budget=6, seed=seed), 40),
    (lambda seed: hpt.hyperband(MIXED, max_budget=9, seed=seed), 50),
    (lambda seed: hpt.asha(PLAIN, max_budget=9, trials=30, seed=seed), 30),
    (lambda seed: hpt.tpe(MIXED, trials=40, budget=12, seed=seed), 16),
    (lambda seed: hpt.bayesian_optimization(PLAIN, trials=16, budget=6, seed=seed), 4),
]


def run(strategy, outcome):
    """Run a study whose outcomes are made up by `outcome(trial, rng)`."""
    ask_tell = hpt.AskTell(strategy)
    rng = np.random.default_rng((7, strategy.settings.get("seed", 0)))
    while (trial := ask_tell.ask()) is not None:
        ask_tell.tell(trial, outcome(trial, rng))
    return hpt.Study(strategy, ask_tell.history)


def noise(trial, rng):
    """Answer without looking at the config: a curve that goes nowhere, and one failure in ten."""
    curve = (1 + 0.1 * rng.standard_normal(int(trial.budget))).tolist()
    return failure("boom") if rng.random() < 0.1 else Outcome(curve[-1], curves={"val_loss": curve})


def kinds(study):
    return {step.kind for step in study.next_steps()}


def about(study, kind):
    return {step.about for step in study.next_steps() if step.kind == kind}


def test_of_200_studies_of_pure_noise_at_most_5_percent_get_a_false_statement():
    false = 0
    for search, seeds in SEARCHES:
        false += sum(bool(kinds(run(search(seed), noise)) & CLAIMS) for seed in range(seeds))
    assert sum(seeds for _, seeds in SEARCHES) == 200
    assert false <= 10


@pytest.mark.parametrize("scale", [1.0, 0.0])
def test_ties_and_the_order_of_a_grid_are_no_evidence(scale):
    def tied(trial, rng):
        return Outcome(scale * float(rng.integers(2)))

    study = run(hpt.grid_search(PLAIN, n=3), tied)
    assert not kinds(study) & CLAIMS


def test_a_planted_edge_is_found_at_its_end_with_the_counts_of_the_study():
    def rising(trial, rng):
        return Outcome(math.log(trial.config["learning_rate"]) + 0.5 * rng.standard_normal())

    found = 0
    for seed in range(10):
        study = run(hpt.random_search(PLAIN, trials=60, seed=seed), rising)
        steps = [step for step in study.next_steps() if step.kind == "edge"]
        steps = [step for step in steps if step.about == "learning_rate"]
        found += len(steps)
        for step in steps:
            check_edge(study, step)
    assert found >= 8


def check_edge(study, step):
    records = study.history.records
    reach = 1e-4 * 1000**0.2
    top = sorted(records, key=lambda record: record.loss)[:15]
    low = [record for record in records if record.config["learning_rate"] <= reach]
    hits = [record for record in top if record in low]
    chance = stats.fisher_exact(
        [[len(hits), 15 - len(hits)], [len(low) - len(hits), 45 - len(low) + len(hits)]], "greater"
    ).pvalue
    assert (step.numbers["hits"], step.numbers["inside"]) == (len(hits), len(low))
    assert step.numbers["chance"] == pytest.approx(chance)
    assert f"{len(hits)} of the best 15 trials" in str(step)
    assert f"{study.best.config['learning_rate']:.3g}" in str(step)


def test_an_optimum_well_inside_is_no_edge():
    def valley(trial, rng):
        return Outcome((math.log10(trial.config["learning_rate"]) + 2.5) ** 2)

    for seed in range(10):
        assert "edge" not in kinds(run(hpt.random_search(PLAIN, trials=60, seed=seed), valley))


def falling(trial, rng):
    speed = 0.02 + 0.02 * rng.random()
    curve = [math.exp(-speed * e) + 0.003 * rng.standard_normal() for e in range(int(trial.budget))]
    return Outcome(curve[-1], curves={"val_loss": curve})


@pytest.mark.parametrize("trials", [8, 40])
def test_curves_that_still_fall_ask_for_more_budget(trials):
    study = run(hpt.random_search(PLAIN, trials=trials, budget=18, seed=0), falling)
    (step,) = [step for step in study.next_steps() if step.kind == "budget"]
    judged = trials if trials < 20 else trials // 2
    curves = [np.array(r.outcome.curves["val_loss"]) for r in study.history.records]
    curves = sorted(curves, key=lambda curve: curve[11])[:judged]
    falls = [1 - curve[15:].mean() / curve[12:15].mean() for curve in curves]
    assert step.numbers["median"] == pytest.approx(np.median(falls))
    assert f"{sum(fall > 0 for fall in falls)} of {judged} " in str(step)
    assert step.numbers["chance"] == pytest.approx(
        stats.binomtest(judged, judged, alternative="greater").pvalue
    )


def test_curves_that_have_settled_ask_for_nothing():
    def settled(trial, rng):
        curve = [1 + math.exp(-e) + 0.01 * rng.standard_normal() for e in range(int(trial.budget))]
        return Outcome(curve[-1], curves={"val_loss": curve})

    assert "budget" not in kinds(run(hpt.random_search(PLAIN, trials=40, budget=18), settled))


def test_failures_of_large_learning_rates_are_named_with_the_part_they_crowd_in():
    def diverging(trial, rng):
        return failure("nan") if trial.config["learning_rate"] > 0.04 else Outcome(rng.random())

    for seed in range(5):
        study = run(hpt.random_search(PLAIN, trials=60, seed=seed), diverging)
        (step,) = [step for step in study.next_steps() if step.kind == "failures"]
        failed = sum(record.outcome.failed for record in study.history.records)
        assert step.about == "learning_rate"
        assert str(step).startswith(
            f"{failed} of the {failed} failed trials have learning_rate >= 0.0178"
        )


def test_failures_of_one_choice_are_named():
    def broken(trial, rng):
        bad = trial.config["optimizer"] == "sgd" and rng.random() < 0.5
        return failure("no") if bad else Outcome(rng.random())

    steps = run(hpt.random_search(MIXED, trials=60, seed=1), broken).next_steps()
    assert "optimizer = sgd" in " ".join(map(str, steps))


def one(trial, rng):
    level = math.log10(trial.config["learning_rate"])
    return Outcome((level + 2.5) ** 2 + 0.05 * rng.standard_normal())


def test_dimensions_without_effect_are_named_and_the_one_that_matters_is_not():
    for seed in range(5):
        study = run(hpt.random_search(PLAIN, trials=120, seed=seed), one)
        idle = about(study, "no effect")
        assert idle <= {"units", "layers", "dropout"} and len(idle) >= 2


def test_what_matters_is_hardly_ever_called_idle_nor_its_bound_too_small():
    wrong = 0
    for seed in range(60):

        def both(trial, rng):
            return Outcome(
                math.log(trial.config["learning_rate"]) / 7
                + 2 * trial.config["dropout"]
                + rng.random()
            )

        study = run(hpt.random_search(PLAIN, trials=60, seed=seed), both)
        wrong += bool(about(study, "no effect") & {"learning_rate", "dropout"})
    assert wrong <= 3


def test_the_bound_of_an_effect_holds_its_confidence():
    """The oracle: the share in 2,000 trials of the same objective."""

    def mild(trial, rng):
        return Outcome(0.6 * trial.config["dropout"] + 0.3 * rng.standard_normal())

    whole = run(hpt.random_search(Space(dropout=Float(0, 0.5)), trials=2000, seed=99), mild)
    true = effects(whole.history, whole.strategy.space)[0].share
    bounds = []
    for seed in range(100):
        study = run(hpt.random_search(Space(dropout=Float(0, 0.5)), trials=60, seed=seed), mild)
        bounds.append(effects(study.history, study.strategy.space)[0].most)
    assert 0.03 < true < 0.2
    assert np.mean(np.array(bounds) < true) <= 0.1


def repeated(first, second, times):
    """Return a history of two configs, each with losses of its own."""
    history = History()
    pairs = [({"x": 0.25}, loss) for loss in first] + [({"x": 0.75}, loss) for loss in second]
    for id, (config, loss) in enumerate(pairs[: 2 * times]):
        trial = Trial(id, config)
        history.ask(trial)
        history.tell(trial, Outcome(loss))
    return history


def test_two_configs_are_told_apart_only_as_a_t_test_does():
    rng = np.random.default_rng(0)
    line = Space(x=Float(0, 1))
    for shift in (0.0, 0.3, 1.0, 3.0):
        first = rng.standard_normal(5)
        second = first.mean() + shift + rng.standard_normal(5)
        second += max(0, first.mean() - second.mean())
        steps = next_steps(repeated(first, second, 5), line)
        p = stats.ttest_ind(first, second).pvalue
        assert ([step.kind for step in steps] == ["seeds"]) == (p > 0.05)
        for step in steps:
            assert step.numbers["apart"] == pytest.approx(second.mean() - first.mean())
            assert step.numbers["noise"] == pytest.approx(
                math.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2)
            )


def test_the_noise_of_a_steep_curve_is_that_around_its_trend():
    def steep(trial, rng):
        curve = [5 - 0.1 * e + 0.002 * rng.standard_normal() for e in range(int(trial.budget))]
        return Outcome(curve[-1], curves={"val_loss": curve})

    study = run(hpt.random_search(PLAIN, trials=10, budget=30, seed=0), steep)
    for step in study.next_steps():
        if step.kind == "seeds":
            assert 0.001 < step.numbers["noise"] < 0.004


@pytest.mark.parametrize("trials", [0, 1, 2, 5])
def test_tiny_studies_get_no_claim(trials):
    for outcome in (noise, one, lambda trial, rng: failure("all")):
        ask_tell = hpt.AskTell(hpt.random_search(MIXED, trials=10, budget=12))
        rng = np.random.default_rng(0)
        for _ in range(trials):
            trial = ask_tell.ask()
            ask_tell.tell(trial, outcome(trial, rng))
        assert not {step.kind for step in next_steps(ask_tell.history, MIXED)} - {"seeds"}


def test_a_bare_history_needs_its_space():
    study = run(hpt.random_search(PLAIN, trials=60, seed=0), one)
    assert next_steps(study.history, PLAIN) == study.next_steps()
    with pytest.raises(hpt.HptError, match="space"):
        next_steps(study.history)
    with pytest.raises(hpt.HptError, match="study must be"):
        next_steps(3, PLAIN)


def test_a_step_reads_as_a_sentence_and_its_html_is_escaped():
    step = Step("edge", "<script>x</script> lies low.", "Widen <b>it</b>.", "<script>", {"hits": 3})
    assert str(step) == "<script>x</script> lies low. Widen <b>it</b>."
    assert "<script>" not in step._repr_html_() and "&lt;script&gt;" in step._repr_html_()
    with pytest.raises(FrozenInstanceError):
        step.found = ""


def test_the_chance_of_a_zone_is_fishers_exact_test():
    zone = Zone("x", "", trials=27, inside=6, marked=7, hits=4)
    assert zone.chance == pytest.approx(stats.fisher_exact([[4, 3], [2, 18]], "greater").pvalue)
    assert CHANCE <= 0.05


def test_trials_are_compared_at_the_largest_budget_with_twenty_of_them():
    study = run(hpt.hyperband(PLAIN, max_budget=81, seed=0), noise)
    sizes = {record.budget: 0 for record in study.history.records}
    for record in study.history.records:
        sizes[record.budget] += 1
    budget = comparable(study.history)[0].budget
    assert sizes[budget] >= 20
    assert all(size < 20 for other, size in sizes.items() if other > budget)
    assert {edge.budget for edge in edges(study.history, PLAIN)} == {budget}


def test_the_best_quarter_takes_ties_all_or_none():
    def records(losses):
        history = History()
        for id, loss in enumerate(losses):
            history.ask(trial := Trial(id, {}))
            history.tell(trial, Outcome(loss))
        return history.records

    assert [r.trial.id for r in best_of(records(range(20)))] == [0, 1, 2, 3, 4]
    assert len(best_of(records([0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]))) == 3
    assert best_of(records([1.0] * 20)) == []

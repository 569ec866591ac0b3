"""A study of ours is Optuna's own to Optuna: its storage, its plots, its samplers; and the way back
loses nothing."""

import math
import warnings

import matplotlib
import pytest

import hpt_lab as hpt
from hpt_lab.bridges import optuna as bridge
from hpt_lab.bridges.optuna.storage import distribution
from hpt_lab.errors import HptError, SpaceError, StrategyError

optuna = pytest.importorskip("optuna")
matplotlib.use("Agg")
optuna.logging.set_verbosity(optuna.logging.WARNING)

SPACE = hpt.Space(
    rate=hpt.Float(1e-4, 1e-1, log=True),
    units=hpt.Choice([32, 64, 96], ordered=True),
    layers=hpt.Int(1, 3),
    width=hpt.Choice([0.5, 0.75, 1.0], ordered=True),
    optimizer=hpt.Choice(["adam", "sgd"]),
    momentum=hpt.Float(0.0, 0.9, when={"optimizer": "sgd"}),
)


def loss(config, budget=1.0):
    return (
        (math.log10(config["rate"]) + 2) ** 2
        + config["layers"] / 10
        + config.get("momentum", 0.5)
        + 1 / budget
    )


def run(config, budget):
    if config["optimizer"] == "sgd" and config["layers"] == 3:
        raise RuntimeError("does not fit into memory")
    return hpt.Outcome(loss(config, budget), {"accuracy": 0.5})


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    return tmp_path_factory.mktemp("optuna") / "study.jsonl"


@pytest.fixture(scope="module")
def study(journal):
    return hpt.tune(
        run, hpt.hyperband(SPACE, max_budget=9, seed=1), journal=journal, progress=False
    )


@pytest.fixture(scope="module", params=["study.db", "study.log"])
def stored(request, study, tmp_path_factory):
    """Write a study and load it again as another process would."""
    path = tmp_path_factory.mktemp("storage") / request.param
    bridge.to_storage(study, path, name="hyperband")
    backend = optuna.storages.journal.JournalFileBackend
    storage = (
        f"sqlite:///{path}"
        if path.suffix == ".db"
        else optuna.storages.JournalStorage(backend(str(path)))
    )
    return optuna.load_study(study_name="hyperband", storage=storage)


def test_every_trial_has_its_values_reports_and_fate(study, stored):
    last = {record.trial.id: record for record in study.history.records}
    state = optuna.trial.TrialState
    assert {state.COMPLETE, state.PRUNED, state.FAIL} == {trial.state for trial in stored.trials}
    for trial in stored.trials:
        record = last[trial.number]
        reports = {
            r.budget: r.loss
            for r in study.history.records
            if r.trial.id == trial.number and not r.outcome.failed
        }
        wanted = (
            state.FAIL
            if record.outcome.failed
            else state.COMPLETE
            if record.budget == 9
            else state.PRUNED
        )
        assert (trial.params, trial.intermediate_values, trial.state) == (
            record.config,
            reports,
            wanted,
        )
        if record.outcome.failed:
            assert trial.value is None and "memory" in trial.user_attrs["error"]
        else:
            assert trial.value == record.loss and trial.user_attrs["accuracy"] == 0.5


def test_the_best_of_those_trained_in_full_is_optunas_best(study, stored):
    full = [record for record in study.history.at_budget(9) if not record.outcome.failed]
    assert stored.best_params == min(full, key=lambda record: record.loss).config


def test_domains_become_distributions_with_log_step_and_choices():
    of = optuna.distributions
    wanted = {
        "rate": of.FloatDistribution(1e-4, 1e-1, log=True),
        "units": of.IntDistribution(32, 96, step=32),
        "layers": of.IntDistribution(1, 3),
        "width": of.FloatDistribution(0.5, 1.0, step=0.25),
        "optimizer": of.CategoricalDistribution(["adam", "sgd"]),
        "momentum": of.FloatDistribution(0.0, 0.9),
    }
    assert {name: distribution(domain) for name, domain in SPACE.domains.items()} == wanted
    assert distribution(hpt.Choice([16, 32, 64], ordered=True)) == of.CategoricalDistribution(
        [16, 32, 64]
    )
    assert distribution(hpt.Choice([False, True])) == of.CategoricalDistribution([False, True])


def test_optunas_plots_draw_it(stored):
    plots = optuna.visualization.matplotlib
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for plot in (
            plots.plot_optimization_history,
            plots.plot_intermediate_values,
            plots.plot_slice,
            plots.plot_parallel_coordinate,
            plots.plot_edf,
            plots.plot_timeline,
            plots.plot_param_importances,
        ):
            drawn = plot(stored)
            axes = drawn.flat if hasattr(drawn, "flat") else [drawn]
            assert any(ax.has_data() for ax in axes), plot.__name__
        lines = plots.plot_intermediate_values(stored).get_lines()
    assert sum(len(line.get_xdata()) for line in lines) == sum(
        len(trial.intermediate_values) for trial in stored.trials
    )
    matplotlib.pyplot.close("all")


def test_plotly_draws_it_too(stored):
    pytest.importorskip("plotly")
    figure = optuna.visualization.plot_intermediate_values(stored)
    assert len(figure.data) == sum(bool(trial.intermediate_values) for trial in stored.trials)


def test_there_and_back_gives_the_same_reports(study, stored):
    there = {(r.trial.id, r.budget): (r.config, r.outcome.rank_loss) for r in study.history.records}
    back = {
        (r.trial.id, r.budget): (r.config, r.outcome.rank_loss)
        for r in bridge.history(stored).records
    }
    assert back == there


def test_the_space_comes_back_with_its_condition(stored):
    assert bridge.space(stored).spec() == SPACE.spec()


def test_a_journal_is_written_like_its_study(study, journal, stored, tmp_path):
    written = bridge.to_storage(journal, tmp_path / "from_journal.db")
    assert [trial.params for trial in written.trials] == [trial.params for trial in stored.trials]
    assert [trial.value for trial in written.trials] == [trial.value for trial in stored.trials]


def test_nothing_is_overwritten(study, tmp_path):
    bridge.to_storage(study, tmp_path / "one.db", name="a")
    with pytest.raises(HptError, match="name="):
        bridge.to_storage(study, tmp_path / "one.db", name="a")
    assert len(bridge.to_storage(study, tmp_path / "one.db", name="b").trials) == len(
        {r.trial.id for r in study.history.records}
    )


def objective(trial):
    config = {
        "rate": trial.suggest_float("rate", 1e-4, 1e-1, log=True),
        "layers": trial.suggest_int("layers", 1, 3),
    }
    trial.suggest_categorical("units", [32, 64, 96])
    trial.suggest_float("width", 0.5, 1.0, step=0.25)
    if trial.suggest_categorical("optimizer", ["adam", "sgd"]) == "sgd":
        config["momentum"] = trial.suggest_float("momentum", 0.0, 0.9)
    return loss(config)


SAMPLED = {
    "random": hpt.random_search(SPACE, trials=12, seed=0),
    "tpe": hpt.tpe(SPACE, trials=16, seed=0),
    "bo": hpt.bayesian_optimization(SPACE, trials=12, seed=3),
    "grid": hpt.grid_search(
        SPACE, n={"rate": 2, "layers": 1, "momentum": 1, "units": 1, "width": 2}
    ),
}


@pytest.mark.parametrize("strategy", SAMPLED.values(), ids=SAMPLED)
def test_sampled_by_optuna_a_strategy_tries_what_it_tries_here(strategy):
    study = optuna.create_study(sampler=bridge.sampler(strategy))
    study.optimize(objective)  # no n_trials: it ends when the strategy does
    ours = hpt.tune(lambda config: loss(config), strategy, progress=False)
    assert [trial.params for trial in study.trials] == [
        record.config for record in ours.history.records
    ]


@pytest.mark.parametrize("strategy", [SAMPLED["random"], SAMPLED["tpe"]], ids=["random", "tpe"])
def test_a_new_sampler_goes_on_where_the_old_one_was_stopped(strategy):
    whole = optuna.create_study(sampler=bridge.sampler(strategy))
    whole.optimize(objective)
    study = optuna.create_study(sampler=bridge.sampler(strategy))
    study.optimize(objective, n_trials=7)
    study.sampler = bridge.sampler(strategy)
    study.optimize(objective)
    assert [trial.params for trial in study.trials] == [trial.params for trial in whole.trials]


def test_what_is_maximised_is_minimised_here_and_failures_stay_failures():
    study = optuna.create_study(
        direction="maximize", sampler=bridge.sampler(hpt.tpe(SPACE, trials=14, seed=0))
    )

    def accuracy(trial):
        if trial.number == 3:
            raise RuntimeError("diverged")
        return 1 - objective(trial)

    study.optimize(accuracy, catch=RuntimeError)
    minimised = optuna.create_study(sampler=bridge.sampler(hpt.tpe(SPACE, trials=14, seed=0)))
    minimised.optimize(lambda trial: 1 - accuracy(trial), catch=RuntimeError)
    assert [trial.params for trial in study.trials] == [trial.params for trial in minimised.trials]
    past = bridge.history(study)
    assert past.records[3].outcome.failed and past.best.loss == pytest.approx(1 - study.best_value)


def test_a_step_of_zero_is_one_epoch_of_training():
    study = optuna.create_study()
    trial = study.ask()
    trial.report(0.9, 0)
    trial.report(0.5, 1)
    study.tell(trial, 0.4)
    assert [(r.budget, r.loss) for r in bridge.history(study).records] == [(1, 0.9), (2, 0.4)]


@pytest.mark.parametrize(
    "strategy",
    [
        hpt.hyperband(SPACE, max_budget=9),
        hpt.successive_halving(SPACE, max_budget=9),
        hpt.asha(SPACE, max_budget=9),
        hpt.bohb(SPACE, max_budget=9),
    ],
)
def test_strategies_that_resume_are_refused_with_the_reason(strategy):
    with pytest.raises(StrategyError, match="can't resume a trial"):
        bridge.sampler(strategy)


def test_an_objective_that_disagrees_with_the_space_is_told_so():
    study = optuna.create_study(sampler=bridge.sampler(SAMPLED["random"]))
    with pytest.raises(SpaceError, match="depth"):
        study.optimize(lambda trial: trial.suggest_int("depth", 1, 3), n_trials=1)
    with pytest.raises(SpaceError, match="make the two agree"):
        study.optimize(lambda trial: trial.suggest_float("rate", 0.5, 1.0), n_trials=1)


def test_several_objectives_are_refused():
    with pytest.raises(HptError, match="2 objectives"):
        bridge.history(optuna.create_study(directions=["minimize", "maximize"]))

"""HyperbandSearchCV is a search of scikit-learn's kind, and runs the strategy of ours, rung for
rung."""

import copy
import math
import warnings

import numpy as np
import pytest
from scipy.stats import loguniform, randint
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier, SGDRegressor
from sklearn.model_selection import HalvingRandomSearchCV, KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._test_common.instance_generator import PER_ESTIMATOR_XFAIL_CHECKS
from sklearn.utils.estimator_checks import parametrize_with_checks

import hpt_lab as hpt
from hpt_lab.bridges.sklearn import HyperbandSearchCV, PartialFit, as_space
from hpt_lab.errors import HptError, SpaceError

X, Y = load_iris(return_X_y=True)
CHECKED = [
    HyperbandSearchCV(
        Ridge(), {"alpha": [0.1, 1.0]}, max_resource=3, cv=2, error_score="raise", random_state=0
    ),
    HyperbandSearchCV(
        LogisticRegression(),
        {"C": [0.1, 1.0]},
        max_resource=3,
        cv=2,
        error_score="raise",
        random_state=0,
    ),
]

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def allowed(estimator):
    """Return the failures that scikit-learn expects of its own halving search: no others are
    expected here."""
    return PER_ESTIMATOR_XFAIL_CHECKS[HalvingRandomSearchCV]


@parametrize_with_checks(CHECKED, expected_failed_checks=allowed)
def test_scikit_learns_own_checks(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)


def forest(**options):
    return HyperbandSearchCV(
        RandomForestClassifier(random_state=0),
        {"max_depth": [1, 2, 3, None], "max_features": randint(1, 5)},
        resource="n_estimators",
        cv=3,
        **options,
    )


@pytest.fixture(scope="module")
def search():
    return forest(max_resource=9, random_state=0).fit(X, Y)


def test_it_runs_the_brackets_of_the_paper(search):
    strategy = hpt.hyperband(hpt.Space(x=hpt.Float(0, 1)), max_budget=9)
    study = hpt.tune(lambda config, budget: config["x"], strategy, progress=False)
    planned = [(r.trial.bracket, r.trial.rung, r.budget) for r in study.history.records]
    results = search.cv_results_
    ran = list(zip(results["bracket"], results["iter"], results["n_resources"], strict=True))
    assert ran == planned
    assert [params["n_estimators"] for params in results["params"]] == [
        budget for _, _, budget in planned
    ]


def test_the_same_configs_win_as_in_a_study_of_ours(search):
    space, decode = as_space(search.param_distributions)

    def objective(config, budget):
        model = RandomForestClassifier(random_state=0, n_estimators=budget, **decode(config))
        return -cross_val_score(model, X, Y, cv=3).mean()

    study = hpt.tune(objective, hpt.hyperband(space, max_budget=9, seed=0), progress=False)
    ours = [
        ({**decode(r.config), "n_estimators": r.budget}, -r.loss) for r in study.history.records
    ]
    theirs = list(
        zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True)
    )
    assert [params for params, _ in ours] == [params for params, _ in theirs]
    assert np.allclose([score for _, score in ours], [score for _, score in theirs])


def test_the_best_is_the_best_of_those_trained_in_full_and_refitted(search):
    results = search.cv_results_
    full = [i for i, n in enumerate(results["n_resources"]) if n == 9]
    best = max(results["mean_test_score"][i] for i in full)
    assert search.best_score_ == best == results["mean_test_score"][search.best_index_]
    assert (
        search.best_params_ == results["params"][search.best_index_]
        and search.best_params_["n_estimators"] == 9
    )
    assert len(search.best_estimator_.estimators_) == 9
    assert search.score(X, Y) == search.best_estimator_.score(X, Y) > 0.9


@pytest.mark.parametrize("seed", [0, np.random.RandomState(0)], ids=["zero", "RandomState"])
def test_the_same_seed_gives_the_same_search_whatever_the_jobs(seed):
    one, other = (
        forest(max_resource=2, eta=2, random_state=copy.deepcopy(seed), n_jobs=jobs)
        .fit(X, Y)
        .cv_results_
        for jobs in (None, 2 if seed == 0 else 1)
    )
    assert one["params"] == other["params"] and np.array_equal(
        one["mean_test_score"], other["mean_test_score"]
    )


def test_several_scorers_and_one_decides():
    options = {"scoring": ["accuracy", "neg_log_loss"], "random_state": 0, "max_resource": 3}
    search = forest(refit="neg_log_loss", **options).fit(X, Y)
    results = search.cv_results_
    full = np.flatnonzero(np.asarray(results["n_resources"]) == 3)
    assert search.best_index_ == full[np.argmax(results["mean_test_neg_log_loss"][full])]
    assert {"mean_test_accuracy", "rank_test_neg_log_loss"} <= set(results)
    with pytest.raises(HptError, match="refit='accuracy'"):
        forest(refit=False, **options).fit(X, Y)


def test_refit_can_be_off_or_a_choice_of_the_callers():
    search = forest(refit=False, random_state=0, max_resource=3).fit(X, Y)
    assert not hasattr(search, "best_estimator_") and search.best_score_ > 0.5
    assert (
        forest(refit=lambda results: 1, random_state=0, max_resource=3).fit(X, Y).best_index_ == 1
    )


def test_failures_never_go_on():
    class Fragile(RandomForestClassifier):
        def fit(self, X, y, **params):
            if self.max_depth == 1:
                raise MemoryError("too deep")
            return super().fit(X, y, **params)

    search = HyperbandSearchCV(
        Fragile(random_state=0),
        {"max_depth": [1, 1, 2, 3]},
        resource="n_estimators",
        cv=2,
        max_resource=9,
        random_state=1,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, Y)
    later = [
        p["max_depth"]
        for p, i in zip(search.cv_results_["params"], search.cv_results_["iter"], strict=True)
        if i
    ]
    assert later and 1 not in later and search.best_params_["max_depth"] > 1


def test_partial_fit_has_epochs_and_a_pipeline_has_a_resource_inside():
    space = hpt.Space(
        estimator__alpha=hpt.Float(1e-6, 1e-1, log=True),
        estimator__penalty=hpt.Choice(["l2", "elasticnet"]),
        estimator__l1_ratio=hpt.Float(0.0, 1.0, when={"estimator__penalty": "elasticnet"}),
    )
    search = HyperbandSearchCV(
        PartialFit(SGDClassifier(random_state=0, loss="log_loss")),
        space,
        resource="epochs",
        max_resource=9,
        random_state=0,
        cv=StratifiedKFold(3, shuffle=True, random_state=0),
    )
    search.fit(X, Y)
    assert search.best_score_ > 0.7 and search.best_estimator_.estimator_.t_ == 1 + 9 * len(X)
    assert search.predict_proba(X).shape == (150, 3) and list(search.classes_) == [0, 1, 2]
    piped = HyperbandSearchCV(
        make_pipeline(StandardScaler(), SGDRegressor(random_state=0, tol=None)),
        {"sgdregressor__alpha": loguniform(1e-6, 1e-1)},
        resource="sgdregressor__max_iter",
        max_resource=3,
        random_state=0,
    ).fit(X, X[:, 0])
    assert piped.best_estimator_[-1].n_iter_ == 3


def test_partial_fit_equals_calling_it_by_hand():
    by_hand = SGDClassifier(random_state=0)
    for _ in range(4):
        by_hand.partial_fit(X, Y, classes=[0, 1, 2])
    assert np.array_equal(
        PartialFit(SGDClassifier(random_state=0), epochs=4).fit(X, Y).estimator_.coef_,
        by_hand.coef_,
    )
    with pytest.raises(HptError, match="partial_fit"):
        PartialFit(Ridge()).fit(X, Y)


def test_lists_may_hold_anything_and_distributions_draw_their_values():
    anything = [None, Ridge(), (1, 2), math.inf]
    space, decode = as_space(
        {"a": anything, "n": randint(3, 6), "rate": loguniform(1e-3, 1.0), "x": hpt.Int(7, 8)}
    )
    drawn = [decode(space.sample((0, i))) for i in range(400)]
    assert {id(d["a"]) for d in drawn} == {id(value) for value in anything}
    assert {d["n"] for d in drawn} == {3, 4, 5} and {d["x"] for d in drawn} == {7, 8}
    rates = np.log10([d["rate"] for d in drawn])
    assert rates.min() < -2.8 and rates.max() > -0.2 and abs(rates.mean() + 1.5) < 0.15


@pytest.mark.parametrize(
    ("search", "error", "told"),
    [
        (
            HyperbandSearchCV(SGDClassifier(), {"alpha": [1.0]}, resource="epochs"),
            HptError,
            "PartialFit",
        ),
        (HyperbandSearchCV(Ridge(), {"max_iter": [1]}), HptError, "take it out"),
        (HyperbandSearchCV(Ridge(), {"alpha": 1.0}), SpaceError, "list of values"),
        (HyperbandSearchCV(Ridge(), [{"alpha": [1.0]}]), SpaceError, "dict of lists"),
        (
            HyperbandSearchCV(Ridge(), {"alpha": [1.0]}, cv=KFold(3, shuffle=True)),
            HptError,
            "same folds",
        ),
        (HyperbandSearchCV(Ridge(), {"alpha": [1.0]}, eta=1), HptError, "eta"),
        (HyperbandSearchCV(Ridge(), {"alpha": [1.0]}, max_resource=0), HptError, "max_budget"),
    ],
)
def test_what_cannot_work_says_why(search, error, told):
    with pytest.raises(error, match=told):
        search.fit(X, Y)

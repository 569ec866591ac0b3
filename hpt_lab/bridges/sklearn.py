"""scikit-learn: Hyperband as a search of its kind, for any estimator that can be trained for
longer.

    HyperbandSearchCV(MLPClassifier(), {"alpha": loguniform(1e-6, 1e-1)}, resource="max_iter",
    max_resource=81)
    HyperbandSearchCV(PartialFit(SGDClassifier()), {"estimator__alpha": [1e-4, 1e-3]},
    resource="epochs")

The brackets are those of our `hyperband`, the paper's, and so are the draws. As in scikit-learn's
halving, every rung trains anew: resumed, Hyperband at 81 epochs would cost a sixth less (1,581
instead of 1,902), and most estimators can't go on where they stopped. Read `_run_search`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._split import _yields_constant_splits
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from hpt_lab.arguments import check_whole, show
from hpt_lab.errors import HptError, SpaceError
from hpt_lab.space import Choice, Domain, Float, Int, Space
from hpt_lab.strategies.hyperband import Rounding, hyperband
from hpt_lab.trial import Config

MOST_SEED = 2**32 - 1  # of scipy's distributions


class HyperbandSearchCV(BaseSearchCV):
    """Search the parameters of `estimator` with Hyperband, scored by cross-validation.

    param_distributions: as RandomizedSearchCV takes them, lists and distributions by parameter;
        ours
        too (`hpt.Float(1e-4, 1e-1, log=True)`), or a whole `hpt.Space`, conditions and all.
    resource: the estimator's parameter that says how long it trains, at least 1 and at most
        `max_resource`, whole numbers: "max_iter", "n_estimators", "mlp__max_iter".
    eta, min_resource, rounding: as in `hpt.hyperband`.
    refit: with several scorers, the name of that by which configs go on and the best is chosen.
    random_state: the seed of the draws, zero is one too; None draws other ones at each fit.

    After `fit`: what GridSearchCV has. `cv_results_` also has `n_resources`, `bracket` and `iter`,
    the rung. The best is the best of those that trained in full, and is refitted with as much.

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> search = HyperbandSearchCV(LogisticRegression(solver="saga"), {"C": [0.01, 1.0, 100.0]},
    ...                            max_resource=3, random_state=0)
    >>> search.get_params()["resource"]
    'max_iter'
    """

    _parameter_constraints: dict = {  # noqa: RUF012 -- as scikit-learn declares it
        **BaseSearchCV._parameter_constraints,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        resource: str = "max_iter",
        max_resource: int = 27,
        min_resource: int = 1,
        eta: int = 3,
        rounding: Rounding = "algorithm",
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        random_state: Any = None,
        error_score: Any = math.nan,
        return_train_score: bool = False,
    ):
        super().__init__(
            estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_distributions = param_distributions
        self.resource = resource
        self.max_resource = max_resource
        self.min_resource = min_resource
        self.eta = eta
        self.rounding = rounding
        self.random_state = random_state

    def _check_input_parameters(self, X: Any, y: Any, split_params: Any) -> None:
        """Raise HptError, before anything is trained, for what can't work."""
        if not _yields_constant_splits(self._checked_cv_orig):
            raise HptError(
                "cv must give the same folds each time, for rungs are compared with each other: "
                f"got {show(self.cv)}; set its random_state to an int, or shuffle=False"
            )
        if self.resource not in self.estimator.get_params():
            hint = (
                'PartialFit(estimator) with resource="epochs"'
                if hasattr(self.estimator, "partial_fit")
                else "one of get_params(), such as max_iter or n_estimators"
            )
            raise HptError(
                f"resource must be a parameter of {type(self.estimator).__name__}, got "
                f"{show(self.resource)}; try {hint}"
            )
        if self.resource in self.param_distributions:
            raise HptError(
                f"resource={self.resource!r} is searched too; take it out of param_distributions"
            )

    def _run_search(self, evaluate_candidates: Callable[..., Mapping[str, Any]]) -> None:
        """Run the brackets one after another, each rung as candidates of its own."""
        space, decode = as_space(self.param_distributions)
        strategy = hyperband(
            space,
            max_budget=self.max_resource,
            min_budget=self.min_resource,
            eta=self.eta,
            rounding=self.rounding,
            seed=_seed(self.random_state),
        )
        brackets: Any = strategy.start()
        for bracket in brackets:
            rung = next(bracket)
            while rung is not None:
                losses = []
                if rung:  # an empty one has only failures before it
                    candidates = [
                        {**decode(trial.config), self.resource: trial.budget} for trial in rung
                    ]
                    about = {
                        "n_resources": [trial.budget for trial in rung],
                        "bracket": [trial.bracket for trial in rung],
                        "iter": [trial.rung for trial in rung],
                    }
                    results = evaluate_candidates(candidates, more_results=about)
                    scores = results[f"mean_test_{self._metric(results)}"][-len(rung) :]
                    losses = [-score if math.isfinite(score) else math.inf for score in scores]
                try:
                    rung = bracket.send(losses)
                except StopIteration:
                    break

    def _metric(self, results: Mapping[str, Any]) -> str:
        """Return the name of the scorer that decides who goes on."""
        if "mean_test_score" in results:
            return "score"
        if not isinstance(self.refit, str):
            several = isinstance(self.scoring, dict | list)
            name = next(iter(self.scoring)) if several else "NAME"
            raise HptError(
                "with several scorers refit must name the one that decides, got "
                f"{show(self.refit)}; try refit={name!r}"
            )
        return self.refit

    @staticmethod
    def _select_best_index(refit: Any, refit_metric: str, results: Mapping[str, Any]) -> int:
        """Return the best of those that trained in full, or what a refit of the caller's
        chooses."""
        if callable(refit):
            return BaseSearchCV._select_best_index(refit, refit_metric, results)
        scores = np.asarray(results[f"mean_test_{refit_metric}"], dtype=float)
        trained = np.asarray(results["n_resources"])
        full = np.where(trained == trained.max(), scores, math.nan)
        for choice in (full, scores):
            if not np.isnan(choice).all():
                return int(np.nanargmax(choice))
        return 0

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.array_api_support = False
        return tags


def as_space(distributions: Any) -> tuple[Space, Callable[[Config], dict[str, Any]]]:
    """Return a space to draw from, and a function from its configs to the estimator's parameters.

    A list's values may be anything, so its place is drawn; a distribution's value is drawn by scipy
    with a seed that we draw.
    """
    if isinstance(distributions, Space):
        return distributions, dict
    if not isinstance(distributions, Mapping) or not distributions:
        raise SpaceError(
            "param_distributions must be a dict of lists and distributions by parameter, or a "
            "Space, "
            f"got {show(distributions)}"
        )
    domains: dict[str, Domain] = {}
    for name, values in distributions.items():
        if isinstance(values, Float | Int | Choice):
            domains[name] = values
        elif hasattr(values, "rvs"):
            domains[name] = Int(0, MOST_SEED)
        elif (
            isinstance(values, str | Mapping) or not hasattr(values, "__len__") or len(values) == 0
        ):
            raise SpaceError(
                f"param_distributions[{name!r}] must be a list of values, or have rvs as scipy's "
                f"distributions do, got {show(values)}"
            )
        else:
            domains[name] = Choice(range(len(values)))

    def decode(config: Config) -> dict[str, Any]:
        return {name: _decoded(distributions[name], value) for name, value in config.items()}

    return Space(**domains), decode


def _decoded(values: Any, drawn: Any) -> Any:
    """Return the parameter's value for what was drawn."""
    if isinstance(values, Float | Int | Choice):
        return drawn
    return values.rvs(random_state=drawn) if hasattr(values, "rvs") else values[drawn]


def _seed(random_state: Any) -> int:
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def _has(method: str) -> Callable[[Any], bool]:
    """Return a check that the estimator inside, fitted or not, has a method."""
    return lambda self: hasattr(getattr(self, "estimator_", self.estimator), method)


class PartialFit(MetaEstimatorMixin, BaseEstimator):
    """Train `estimator` by `epochs` calls of its `partial_fit` on all rows: so that it has a
    budget.

    After `fit`, `estimator_` is what was trained.

    >>> from sklearn.linear_model import SGDClassifier
    >>> model = PartialFit(SGDClassifier(random_state=0), epochs=5)
    >>> model.fit([[0.0], [1.0]], [0, 1]).predict([[1.0]])
    array([1])
    """

    def __init__(self, estimator: Any, epochs: int = 1):
        self.estimator = estimator
        self.epochs = epochs

    def fit(self, X: Any, y: Any = None, **params: Any) -> PartialFit:
        """Train a clone of the estimator from the start."""
        if not hasattr(self.estimator, "partial_fit"):
            raise HptError(
                f"estimator must have partial_fit, {type(self.estimator).__name__} has none; use a "
                'parameter of its own as the resource, such as resource="max_iter"'
            )
        check_whole("epochs", self.epochs, 1, hint=1)
        self.estimator_ = clone(self.estimator)
        if is_classifier(self.estimator):
            self.classes_ = np.unique(np.asarray(y))
        for epoch in range(self.epochs):
            first = (
                {"classes": self.classes_} if epoch == 0 and is_classifier(self.estimator) else {}
            )
            self.estimator_.partial_fit(X, y, **first, **params)
        return self

    def _call(self, method: str, *args: Any, **options: Any) -> Any:
        check_is_fitted(self, "estimator_")
        return getattr(self.estimator_, method)(*args, **options)

    @available_if(_has("predict"))
    def predict(self, X: Any) -> Any:
        return self._call("predict", X)

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: Any) -> Any:
        return self._call("predict_proba", X)

    @available_if(_has("decision_function"))
    def decision_function(self, X: Any) -> Any:
        return self._call("decision_function", X)

    @available_if(_has("transform"))
    def transform(self, X: Any) -> Any:
        return self._call("transform", X)

    @available_if(_has("score"))
    def score(self, X: Any, y: Any = None, **options: Any) -> Any:
        return self._call("score", X, y, **options)

    def __sklearn_tags__(self) -> Any:
        return get_tags(self.estimator)

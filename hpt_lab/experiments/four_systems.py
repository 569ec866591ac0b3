"""One Hyperband search in four systems, each the real library: what differs is the tuner, for
`train` is the same.

Lesson 10 shows these functions. `train(config, epochs, bracket)` returns the validation error of
`config` after `epochs` epochs in all, here looked up in recorded learning curves (`Log`), so that a
search takes seconds.
"""

from __future__ import annotations

import tempfile
import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from hpt_lab import curves
from hpt_lab.strategies.hyperband import brackets, hyperband
from hpt_lab.study import tune
from hpt_lab.trial import Config, Outcome, Trial

R = 27  # epochs of a full training
RUNGS = (1, 3, 9, 27)
SPACE = curves.load("digits-mlp").space
VALUES: dict[str, list[Any]] = {name: list(SPACE[name].grid(99)) for name in SPACE}
PAPER = np.zeros(
    (4, 4), dtype=int
)  # Algorithm 1's: how many configs, in bracket s = 3 to 0, by RUNGS
for _s, _rungs in brackets(R).items():
    for _rung in _rungs:
        PAPER[3 - _s, RUNGS.index(_rung.budget)] = _rung.n


class Log:
    """Look trainings up, and remember what was asked for: (config, epochs, bracket, error), in
    order."""

    def __init__(self, seed: int):
        self.objective = curves.load("digits-mlp").objective(seed=seed)
        self.numbers: dict[tuple[Any, ...], int] = {}
        self.runs: list[tuple[Trial, int, float]] = []

    def __call__(self, config: Config, epochs: int, bracket: int) -> float:
        number = self.numbers.setdefault(tuple(config.values()), len(self.numbers))
        trial = Trial(number, config, epochs)
        outcome = self.objective.run(trial)
        error = 1.0 if outcome.failed else outcome.loss
        self.runs.append((trial, bracket, error))
        return error

    def __deepcopy__(
        self, memo: Any
    ) -> Log:  # scikit-learn copies an estimator's parameters; this one has to remember
        return self

    def counts(self) -> np.ndarray:
        """Return how many trainings were asked for: (brackets s = 3 to 0, RUNGS)."""
        table = np.zeros((4, 4), dtype=int)
        for trial, bracket, _ in self.runs:
            table[3 - bracket, RUNGS.index(int(trial.budget))] += 1
        return table

    def winner(self) -> tuple[float, float]:
        """Return validation and test error, in %, of the best config among those trained in
        full."""
        full = [run for run in self.runs if run[0].budget == R]
        trial, _, error = min(full, key=lambda run: run[2])
        return 100 * error, 100 * (1 - self.objective.test(trial)["accuracy"])


def in_keras_tuner(train: Any, seed: int) -> None:
    """Search with KerasTuner's Hyperband; its seed 0 is none, hence + 1."""
    import keras_tuner as kt

    class Tuner(kt.Hyperband):  # type: ignore[misc]
        def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> float:
            values = trial.hyperparameters.values
            config = {name: values[name] for name in SPACE}
            return float(train(config, values["tuner/epochs"], values["tuner/bracket"]))

    space = kt.HyperParameters()
    for name in SPACE:
        space.Choice(name, VALUES[name])
    with tempfile.TemporaryDirectory() as folder:
        tuner = Tuner(
            objective=kt.Objective("error", "min"),
            max_epochs=R,
            factor=3,
            hyperparameters=space,
            seed=seed + 1,
            directory=folder,
        )
        tuner.search(verbose=0)


def in_optuna(train: Any, seed: int) -> None:
    """Search with Optuna's HyperbandPruner, random configs, as many trials as the paper starts."""
    import optuna

    optuna.logging.disable_default_handler()

    def objective(trial: Any) -> float:
        config = {name: trial.suggest_categorical(name, VALUES[name]) for name in SPACE}
        first = bracket_of(study, trial)
        for epochs in RUNGS[first:]:
            error = float(train(config, epochs, 3 - first))
            trial.report(error, step=epochs)
            if trial.should_prune():
                raise optuna.TrialPruned
        return error

    pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=R, reduction_factor=3)
    study = optuna.create_study(
        direction="minimize",
        pruner=pruner,
        study_name=f"digits-{seed}",
        sampler=optuna.samplers.RandomSampler(seed=seed),
    )
    study.optimize(objective, n_trials=int(PAPER.max(axis=1).sum()))


def bracket_of(study: Any, trial: Any) -> int:
    """Return which of the pruner's brackets a trial belongs to, by its first rung: 0 starts with
    one epoch."""
    if not study.pruner._pruners:
        study.pruner._try_initialization(study)
    return int(study.pruner._get_bracket_id(study, trial))


def in_sklearn(train: Any, seed: int) -> None:
    """Search with scikit-learn's HalvingRandomSearchCV, once for each of Hyperband's brackets."""
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV

    for s, rungs in brackets(R).items():
        search = HalvingRandomSearchCV(
            Looked(train, s),
            VALUES,
            n_candidates=rungs[0].n,
            factor=3,
            resource="epochs",
            min_resources=rungs[0].budget,
            max_resources=R,
            cv=[([0, 1], [2, 3])],
            refit=False,
            return_train_score=False,
            random_state=seed,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            search.fit(np.zeros((4, 1)), np.zeros(4))


class Looked(BaseEstimator):
    """An estimator whose score is what `train` says."""

    def __init__(
        self,
        train: Any,
        bracket: int,
        learning_rate: float = 0.001,
        batch_size: int = 32,
        units: int = 16,
        layers: int = 1,
        dropout: float = 0.0,
        optimizer: str = "adam",
        epochs: int = 1,
    ):
        self.train = train
        self.bracket = bracket
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.units = units
        self.layers = layers
        self.dropout = dropout
        self.optimizer = optimizer
        self.epochs = epochs

    def fit(self, x: Any, y: Any) -> Looked:
        return self

    def score(self, x: Any, y: Any) -> float:
        config = {name: getattr(self, name) for name in SPACE}
        return -float(self.train(config, self.epochs, self.bracket))


def in_ours(train: Any, seed: int) -> None:
    """Search with hpt_lab's hyperband."""

    class Objective:
        def run(self, trial: Trial) -> Outcome:
            assert trial.bracket is not None
            return Outcome(train(trial.config, int(trial.budget), trial.bracket))

    tune(Objective(), hyperband(SPACE, max_budget=R, eta=3, seed=seed), progress=False)


SYSTEMS = {
    "KerasTuner": in_keras_tuner,
    "Optuna": in_optuna,
    "scikit-learn": in_sklearn,
    "hpt_lab": in_ours,
}


def epochs_paid(system: str, counts: np.ndarray) -> int:
    """Return the epochs of a search by its counts: scikit-learn starts every rung from scratch, the
    others go on.

    >>> epochs_paid("hpt_lab", PAPER), epochs_paid("scikit-learn", PAPER)
    (357, 435)
    """
    total = 0
    for row in counts:
        before = 0
        for n, epochs in zip(row, RUNGS, strict=True):
            total += int(n) * (epochs - before)
            if n and system != "scikit-learn":
                before = epochs
    return total


def search(system: str, seed: int) -> Log:
    """Run one search and return what it asked for."""
    log = Log(seed)
    SYSTEMS[system](log, seed)
    return log

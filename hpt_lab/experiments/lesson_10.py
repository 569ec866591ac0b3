"""Lesson 10's recordings: one search in four systems, what a crash leaves, and what to do with the
winner.

    python -m hpt_lab.experiments lesson_10.keras_tuner --seeds 1      minutes; optuna,
    scikit_learn, hpt_lab too
    python -m hpt_lab.experiments lesson_10.crashes --seeds 1          minutes
    python -m hpt_lab.experiments lesson_10.endings --seeds 30         a minute
    python -m hpt_lab.experiments lesson_10.searches --seeds 30        minutes

Every library is used as its own guide does: KerasTuner trains by its `search`, the next two by
`model.fit`. One seed shows a schedule, and says nothing of which system finds more. Start reading
at `keras_tuner_search`.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from hpt_lab.datasets import Data, digits
from hpt_lab.experiments import crashing, four_systems
from hpt_lab.space import Choice, Float, Int, Space
from hpt_lab.strategies.hyperband import brackets, hyperband
from hpt_lab.study import tune
from hpt_lab.trial import Config, Trial

R = 9  # epochs of a full training; the lesson counts the schedule for 27 on recorded curves
BUDGETS = (1, 3, 9)  # epochs at the rungs of eta=3
SPACE = Space(
    learning_rate=Float(1e-4, 1e-1, log=True),
    units=Choice([16, 32, 64, 128]),
    layers=Int(1, 3),
    dropout=Float(0.0, 0.5),
)
COLUMNS = ("configs", "runs", "epochs", "seconds", "CPU seconds", "claimed", "test")
RETRAINED = range(100_000, 100_005)  # trial numbers, which are seeds, of the winner's trainings


@dataclass
class Found:
    """What a system reports: its best config and validation accuracy, the epochs it trained, and
    how many in each rung.

    `counts`: by (bracket s, epochs), how many configs have been trained so far.
    """

    config: Config
    accuracy: float
    epochs: int
    counts: Counter[tuple[int, int]]
    configs: int
    runs: int


Search = Callable[[Data, int], Found]


def keras_tuner(seed: int) -> np.ndarray:
    """Search with KerasTuner: COLUMNS, and the 3 x 3 counts of `counted`."""
    return _row(keras_tuner_search, seed)


def optuna(seed: int) -> np.ndarray:
    """Search with Optuna."""
    return _row(optuna_search, seed)


def scikit_learn(seed: int) -> np.ndarray:
    """Search with scikit-learn."""
    return _row(sklearn_search, seed)


def hpt_lab(seed: int) -> np.ndarray:
    """Search with this package."""
    return _row(our_search, seed)


def counted(row: np.ndarray) -> np.ndarray:
    """Return how many configs were trained to each rung: (brackets s = 2 to 0, BUDGETS)."""
    return row[len(COLUMNS) :].reshape(3, 3).astype(int)


def _row(search: Search, seed: int) -> np.ndarray:
    data = digits()
    test = _objective(data, seed=0)  # TensorFlow is loaded before the clock starts
    started = time.perf_counter()
    used = time.process_time()
    found = search(data, seed)
    seconds = time.perf_counter() - started
    cpu = time.process_time() - used
    again = [test.test(Trial(id, found.config, R))["accuracy"] for id in RETRAINED]
    counts = [found.counts[s, budget] for s in (2, 1, 0) for budget in BUDGETS]
    return np.array(
        [
            found.configs,
            found.runs,
            found.epochs,
            seconds,
            cpu,
            found.accuracy,
            float(np.mean(again)),
            *counts,
        ]
    )


def keras_tuner_search(data: Data, seed: int) -> Found:
    """KerasTuner: `Hyperband`, which trains, saves and resumes by itself."""
    import keras_tuner as kt

    def build_with(hp: Any) -> Any:
        return _build(
            {
                "learning_rate": hp.Float("learning_rate", 1e-4, 1e-1, sampling="log"),
                "units": hp.Choice("units", [16, 32, 64, 128]),
                "layers": hp.Int("layers", 1, 3),
                "dropout": hp.Float("dropout", 0.0, 0.5),
            }
        )

    with tempfile.TemporaryDirectory() as folder:
        tuner = kt.Hyperband(
            build_with,
            objective="val_accuracy",
            max_epochs=R,
            factor=3,
            seed=seed + 1,
            directory=folder,
            project_name="digits",
        )  # its seed 0 is none
        tuner.search(
            data.x_train,
            data.y_train,
            verbose=0,
            validation_data=(data.x_validation, data.y_validation),
        )
        best = tuner.oracle.get_best_trials()[0]
        runs = [trial.hyperparameters.values for trial in tuner.oracle.trials.values()]
    counts = Counter((run["tuner/bracket"], run["tuner/epochs"]) for run in runs)
    epochs = sum(run["tuner/epochs"] - run["tuner/initial_epoch"] for run in runs)
    config = {name: best.hyperparameters.values[name] for name in SPACE}
    configs = sum(run["tuner/round"] == 0 for run in runs)
    return Found(config, best.score, epochs, counts, configs, len(runs))


def optuna_search(data: Data, seed: int) -> Found:
    """Optuna: `HyperbandPruner`; random configs, as many as the paper's brackets have."""
    import optuna

    optuna.logging.disable_default_handler()

    def objective(trial: Any) -> float:
        model = _build(suggest(trial))
        for epoch in range(1, R + 1):
            history = _fit(model, data, epochs=1)
            accuracy = history.history["val_accuracy"][-1]
            trial.report(accuracy, step=epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return accuracy

    table = brackets(R)
    pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=R, reduction_factor=3)
    study = optuna.create_study(
        direction="maximize",
        pruner=pruner,
        study_name=f"digits-{seed}",
        sampler=optuna.samplers.RandomSampler(seed=seed),
    )
    study.optimize(objective, n_trials=sum(rungs[0].n for rungs in table.values()))
    counts = optuna_counts(study)
    epochs = sum(trial.last_step or 0 for trial in study.trials)
    return Found(
        study.best_params, study.best_value, epochs, counts, len(study.trials), len(study.trials)
    )


def suggest(trial: Any) -> Config:
    """Ask an Optuna trial for a config of SPACE."""
    return {
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 1e-1, log=True),
        "units": trial.suggest_categorical("units", [16, 32, 64, 128]),
        "layers": trial.suggest_int("layers", 1, 3),
        "dropout": trial.suggest_float("dropout", 0.0, 0.5),
    }


def optuna_counts(study: Any) -> Counter[tuple[int, int]]:
    """Count the trials of an Optuna study that were trained to each rung of their bracket, by (s,
    epochs)."""
    s_max = len(study.pruner._pruners) - 1
    counts: Counter[tuple[int, int]] = Counter()
    for trial in study.trials:
        s = s_max - study.pruner._get_bracket_id(study, trial)
        first = BUDGETS[s_max - s]
        counts.update(
            (s, budget) for budget in BUDGETS if first <= budget <= (trial.last_step or 0)
        )
    return counts


def sklearn_search(data: Data, seed: int) -> Found:
    """scikit-learn: `HalvingRandomSearchCV` for each of Hyperband's brackets, one after another."""
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401  comes first
    from sklearn.model_selection import HalvingRandomSearchCV, PredefinedSplit

    from hpt_lab.experiments.networks import Network

    x = np.concatenate([data.x_train, data.x_validation])
    y = np.concatenate([data.y_train, data.y_validation])
    fold = np.repeat([-1, 0], [len(data.y_train), len(data.y_validation)])  # 0: validates
    counts: Counter[tuple[int, int]] = Counter()
    results = []
    epochs = 0
    for s, rungs in brackets(R).items():
        search = HalvingRandomSearchCV(
            Network(),
            sklearn_space(),
            n_candidates=rungs[0].n,
            factor=3,
            resource="epochs",
            min_resources=rungs[0].budget,
            max_resources=R,
            cv=PredefinedSplit(fold),
            random_state=seed,
            refit=False,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            search.fit(x, y)
        trained = search.cv_results_["n_resources"]
        counts.update((s, int(budget)) for budget in trained)
        epochs += int(np.sum(trained))
        results.append((search.best_score_, search.best_params_))
    accuracy, params = max(results, key=lambda result: result[0])
    config = {name: params[name] for name in SPACE}
    configs = sum(rungs[0].n for rungs in brackets(R).values())
    return Found(config, float(accuracy), epochs, counts, configs, sum(counts.values()))


def sklearn_space() -> dict[str, Any]:
    """Return SPACE as scikit-learn's searches take it."""
    from scipy import stats

    return {
        "learning_rate": stats.loguniform(1e-4, 1e-1),
        "units": [16, 32, 64, 128],
        "layers": [1, 2, 3],
        "dropout": stats.uniform(0.0, 0.5),
    }


def our_search(data: Data, seed: int) -> Found:
    """hpt_lab: `hyperband`; what is trained once is not trained again."""
    study = tune(
        _objective(data, seed=seed),
        hyperband(SPACE, max_budget=R, eta=3, seed=seed),
        progress=False,
    )
    assert study.best is not None
    records = study.history.records
    counts = Counter((record.trial.bracket or 0, int(record.budget)) for record in records)
    return Found(
        study.best.config,
        study.best.metrics["accuracy"],
        int(study.epochs),
        counts,
        len({record.trial.id for record in records}),
        len(records),
    )


def crashes(seed: int) -> np.ndarray:
    """Kill a study of each system under its sixth trial: (places where state is kept, (finished,
    left))."""
    return np.array(
        [crashing.finished_and_left(place, seed) for place in crashing.PLACES], dtype=float
    )


ENDINGS = ("the best alone", "refitted on all rows", "the best three together")
SEARCHED = 6  # configs, each trained in full


def endings(seed: int) -> np.ndarray:
    """Search small networks on a split of the digits drawn by `seed`: test accuracy of each of
    ENDINGS.

    scikit-learn's own networks, so that thirty splits take a minute: a fifth of the rows validates,
    a fifth tests.
    """
    import sklearn.datasets
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    x, y = sklearn.datasets.load_digits(return_X_y=True)
    x = x / 16
    others, test_x, other_y, test_y = train_test_split(
        x, y, test_size=360, random_state=seed, stratify=y
    )
    train_x, valid_x, train_y, valid_y = train_test_split(
        others, other_y, test_size=360, random_state=seed, stratify=other_y
    )
    rng = np.random.default_rng(seed)
    networks = []
    for number in range(SEARCHED):
        network = MLPClassifier(
            (int(rng.choice([16, 32, 64])),),
            learning_rate_init=10 ** rng.uniform(-3, -1),
            max_iter=20,
            random_state=number,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            networks.append(network.fit(train_x, train_y))
    networks.sort(key=lambda network: -network.score(valid_x, valid_y))
    alone = networks[0].score(test_x, test_y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        refitted = clone(networks[0]).fit(others, other_y).score(test_x, test_y)
    probabilities = np.mean([network.predict_proba(test_x) for network in networks[:3]], axis=0)
    together = np.mean(probabilities.argmax(axis=1) == test_y)
    return np.array([alone, refitted, together])


def searches(seed: int) -> np.ndarray:
    """Search recorded curves in all four systems: (systems, (validation error, test error in %) and
    the 4 x 4 counts)."""
    rows = []
    for system in four_systems.SYSTEMS:
        log = four_systems.search(system, seed)
        rows.append([*log.winner(), *log.counts().ravel()])
    return np.array(rows, dtype=float)


def _objective(data: Data, *, seed: int) -> Any:
    from hpt_lab.training import KerasObjective

    return KerasObjective(_build, data, metric="accuracy", seed=seed)


def _build(config: Config) -> Any:
    from hpt_lab.training.models import mlp

    return mlp(config, n_classes=10)


def _fit(model: Any, data: Data, *, epochs: int) -> Any:
    return model.fit(
        data.x_train,
        data.y_train,
        epochs=epochs,
        batch_size=32,
        verbose=0,
        validation_data=(data.x_validation, data.y_validation),
    )

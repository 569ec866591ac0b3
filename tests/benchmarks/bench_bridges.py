"""A KerasTuner function run by our Hyperband through the bridge, and by KerasTuner's own: score and
time, paired by seed.

    python tests/benchmarks/bench_bridges.py                       ten seeds, R=9
    python tests/benchmarks/bench_bridges.py --seeds 10 --budget 27   as long again and more

Needs the extras `bench` and `bridges`. The score is what each search reports for its best trial,
the validation accuracy in points; KerasTuner's is that of the trial's best epoch, ours of its last.
Both run in this one process, in turns.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import importlib.metadata
import statistics
import tempfile
import time
import warnings
from typing import Any

import numpy as np
from scipy import stats

LEAST_DIFFERENCE = -0.5  # points, of the lower end of a 95 % interval
MOST_TIME = 0.1  # of KerasTuner's, in the median


def build(hp: Any) -> Any:
    """Build a model in the manner of KerasTuner's guide: a loop over layers, dropout and its rate
    in a scope."""
    import keras
    from keras import layers

    model = keras.Sequential([layers.Flatten()])
    for i in range(hp.Int("num_layers", 1, 3)):
        units = hp.Int(f"units_{i}", min_value=32, max_value=256, step=32)
        model.add(layers.Dense(units, activation=hp.Choice("activation", ["relu", "tanh"])))
    dropout = hp.Boolean("dropout")
    with hp.conditional_scope("dropout", [True]):
        if dropout:
            model.add(layers.Dropout(hp.Float("dropout_rate", 0.1, 0.5, step=0.1)))
    model.add(layers.Dense(10, activation="softmax"))
    rate = hp.Float("learning_rate", min_value=1e-4, max_value=1e-2, sampling="log")
    model.compile(
        keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def ours(data: Any, budget: int, seed: int) -> tuple[float, float]:
    """Return seconds and score; the dry runs that find the space count."""
    import hpt_lab as hpt
    from hpt_lab.bridges import keras_tuner

    started = time.perf_counter()
    space, build_config = keras_tuner.convert(build)
    study = hpt.tune(
        hpt.KerasObjective(build_config, data, seed=seed),
        hpt.hyperband(space, max_budget=budget, seed=seed),
        progress=False,
    )
    assert study.best is not None
    return time.perf_counter() - started, 100 * (1 - study.best.loss)


def theirs(data: Any, budget: int, seed: int) -> tuple[float, float]:
    """Return seconds and score."""
    import keras
    import keras_tuner

    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    with tempfile.TemporaryDirectory() as directory, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = time.perf_counter()
        tuner = keras_tuner.Hyperband(
            build,
            objective="val_accuracy",
            max_epochs=budget,
            factor=3,
            seed=seed,
            directory=directory,
            project_name="bench",
        )
        tuner.search(
            data.x_train,
            data.y_train,
            batch_size=32,
            verbose=0,
            validation_data=(data.x_validation, data.y_validation),
        )
        return time.perf_counter() - started, 100 * tuner.oracle.get_best_trials(1)[0].score


def main(arguments: list[str] | None = None) -> None:
    """Print the table and assert the targets of issue 17."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument(
        "--budget", type=int, default=9, help="epochs of a full training, Hyperband's R"
    )
    options = parser.parse_args(arguments)
    from hpt_lab import datasets

    data = datasets.digits()
    print(
        ", ".join(
            f"{p} {importlib.metadata.version(p)}" for p in ("tensorflow", "keras", "keras-tuner")
        )
    )
    ours(data, 1, 0)  # what the first training of a process costs is neither's
    theirs(data, 2, 0)
    print(
        f"{'R=' + str(options.budget):6}{'seed':>6}{'ours':>9}{'KerasTuner':>12}{'time':>8}{'ours':>9}{'KerasTuner':>12}"
    )
    differences, ratios = [], []
    for seed in range(options.first, options.first + options.seeds):
        our_seconds, our_score = ours(data, options.budget, seed)
        their_seconds, their_score = theirs(data, options.budget, seed)
        differences.append(our_score - their_score)
        ratios.append(our_seconds / their_seconds)
        print(
            f"{'':6}{seed:>6}{our_seconds:>8.1f}s{their_seconds:>11.1f}s{ratios[-1]:>8.3f}{our_score:>9.2f}"
            f"{their_score:>12.2f}",
            flush=True,
        )
    error = np.std(differences, ddof=1) / len(differences) ** 0.5
    low, high = np.mean(differences) + error * stats.t.ppf([0.025, 0.975], len(differences) - 1)
    ratio = statistics.median(ratios)
    print(
        f"ours - KerasTuner: {np.mean(differences):+.2f} points, 95 % [{low:+.2f}, {high:+.2f}] "
        "(target: above "
        f"{LEAST_DIFFERENCE}); median ratio of times {ratio:.3f} (target: at most {MOST_TIME})"
    )
    assert low > LEAST_DIFFERENCE, (
        f"the lower end is {low:+.2f} points, not above {LEAST_DIFFERENCE}"
    )
    assert ratio <= MOST_TIME, f"the median ratio of times is {ratio:.3f}, not at most {MOST_TIME}"


if __name__ == "__main__":
    main()

"""What the training engine saves, side by side in one run: epochs, a whole Hyperband run, and
memory.

    python tests/benchmarks/bench_training.py            epochs, and one Hyperband run, which takes
                                                         KerasTuner minutes
    python tests/benchmarks/bench_training.py --all      memory too, and three seeds on two spaces:
                                                         about 25 minutes

Needs the extra `bench` (KerasTuner 1.4, tensorboard, setuptools<81). Medians of epochs; whole runs
once per seed. Every part runs in a process of its own, so that none profits from another's warm
start.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import gc
import importlib.metadata
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

EPOCHS_TIMED = 15
KERAS_TUNER_SEEDS = (0, 1, 2)


# Epochs.


def _models() -> dict[str, tuple[Callable[[], Any], Any, int, dict[str, float]]]:
    """Return (build, (x, y, xv, yv), batch size, {what: least ratio}) per benchmark."""
    import keras
    from keras import layers

    from hpt_lab import datasets

    data = datasets.digits()
    digits = data.x_train, data.y_train, data.x_validation, data.y_validation
    rng = np.random.default_rng(0)
    wide = (
        rng.normal(size=(20_000, 784)).astype(np.float32),
        rng.integers(0, 10, 20_000).astype(np.int32),
        rng.normal(size=(2_000, 784)).astype(np.float32),
        rng.integers(0, 10, 2_000).astype(np.int32),
    )

    def dense(*units: int) -> Callable[[], Any]:
        def build() -> Any:
            hidden = [layers.Dense(u, activation="relu") for u in units]
            return keras.Sequential([*hidden, layers.Dense(10, activation="softmax")])

        return build

    def cnn() -> Any:
        return keras.Sequential(
            [
                layers.Reshape((8, 8, 1)),
                layers.Conv2D(16, 3, padding="same", activation="relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(32, 3, padding="same", activation="relu"),
                layers.Flatten(),
                layers.Dense(10, activation="softmax"),
            ]
        )

    return {
        "digits, MLP 2x64, batch 32": (dense(64, 64), digits, 32, {"graph": 15, "XLA": 40}),
        "digits, small CNN, batch 32": (cnn, digits, 32, {"graph": 3}),
        "20,000 x 784, MLP 2x256, batch 128": (dense(256, 256), wide, 128, {"graph": 1}),
    }


def epochs(_: Any) -> list[tuple[str, float, float, float, float]]:
    """Time an epoch with validation: rows of (what, our seconds, fit's seconds, ratio, least
    ratio)."""
    import keras

    from hpt_lab.training import Trainer

    rows = []
    for name, (build, (x, y, xv, yv), batch_size, least) in _models().items():

        def compiled(build: Callable[[], Any] = build) -> Any:
            model = build()
            model.compile(
                keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"]
            )
            return model

        reference = compiled()
        reference.fit(
            x, y, batch_size=batch_size, validation_data=(xv, yv), epochs=1, verbose=0
        )  # traces
        clock = Clock()
        reference.fit(
            x,
            y,
            batch_size=batch_size,
            validation_data=(xv, yv),
            epochs=EPOCHS_TIMED,
            verbose=0,
            callbacks=[
                keras.callbacks.LambdaCallback(on_epoch_begin=clock.start, on_epoch_end=clock.stop)
            ],
        )
        fit_seconds = statistics.median(clock.seconds)
        for kind, ratio in least.items():
            trainer = Trainer(
                compiled(), x, y, validation=(xv, yv), batch_size=batch_size, jit=kind == "XLA"
            )
            trainer.epoch()
            trainer.epoch()
            clock = Clock()
            for _ in range(EPOCHS_TIMED):
                clock.start()
                trainer.epoch()
                clock.stop()
            ours = statistics.median(clock.seconds)
            rows.append((f"{name}, {kind}", ours, fit_seconds, fit_seconds / ours, ratio))
    return rows


class Clock:
    """Collect the seconds between `start` and `stop`."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def start(self, *_: Any) -> None:
        self._at = time.perf_counter()

    def stop(self, *_: Any) -> None:
        self.seconds.append(time.perf_counter() - self._at)


# Hyperband, R = 27, eta = 3, on digits: the space of the lessons, and the same with four widths.

WIDTHS = {"free widths": None, "four widths": [16, 32, 64, 128]}
LEAST = {"free widths": 12, "four widths": 25}  # times faster than KerasTuner


def hyperband(task: tuple[str, int]) -> tuple[float, float]:
    """Run ours; return (seconds, best validation accuracy)."""
    widths, seed = WIDTHS[task[0]], task[1]
    import hpt_lab as hpt
    from hpt_lab.training.models import builder
    from hpt_lab.training.objective import KerasObjective

    units: Any = hpt.Int(16, 256, log=True) if widths is None else hpt.Choice(widths)
    space = hpt.Space(
        learning_rate=hpt.Float(1e-4, 1e-1, log=True),
        units=units,
        layers=hpt.Int(1, 3),
        dropout=hpt.Float(0.0, 0.5),
    )
    data = hpt.datasets.digits()
    started = time.perf_counter()
    study = hpt.tune(
        KerasObjective(builder("mlp", data), data, seed=seed),
        hpt.hyperband(space, max_budget=27, eta=3, seed=seed),
        progress=False,
    )
    return time.perf_counter() - started, 1 - study.best.loss


def keras_tuner_hyperband(task: tuple[str, int]) -> tuple[float, float]:
    """Run KerasTuner's on the same space, data and model; return (seconds, best validation
    accuracy)."""
    widths, seed = WIDTHS[task[0]], task[1]
    import keras
    import keras_tuner

    from hpt_lab import datasets
    from hpt_lab.training.models import mlp

    data = datasets.digits()

    def build(hp: Any) -> Any:
        units = (
            hp.Int("units", 16, 256, sampling="log")
            if widths is None
            else hp.Choice("units", widths)
        )
        return mlp(
            {
                "learning_rate": hp.Float("learning_rate", 1e-4, 1e-1, sampling="log"),
                "units": units,
                "layers": hp.Int("layers", 1, 3),
                "dropout": hp.Float("dropout", 0.0, 0.5),
            },
            n_classes=10,
        )

    keras.utils.set_random_seed(seed)
    with tempfile.TemporaryDirectory() as directory:
        started = time.perf_counter()
        tuner = keras_tuner.Hyperband(
            build,
            objective="val_accuracy",
            max_epochs=27,
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
        return time.perf_counter() - started, tuner.oracle.get_best_trials(1)[0].score


# Memory.


def memory(task: tuple[int, bool]) -> tuple[float, float, float]:
    """Run 300 trials over so many architectures; return resident MB after trial 50, after 300, and
    the peak.

    `dense`: architectures that differ in widths alone, which share a graph; else in activations and
    a layer with a fixed shape, so that each is traced.
    """
    architectures, dense = task
    import keras
    import psutil

    from hpt_lab import datasets
    from hpt_lab.training.objective import KerasObjective
    from hpt_lab.trial import Trial

    def build(config: dict[str, Any]) -> Any:
        hidden = [keras.layers.Dense(config["units"], activation="relu"), keras.layers.Dropout(0.2)]
        if not dense:
            hidden.append(
                keras.layers.LayerNormalization()
            )  # whose shape is a constant of the graph
        model = keras.Sequential([*hidden, keras.layers.Dense(10, activation="softmax")])
        model.compile(
            keras.optimizers.Adam(config["learning_rate"]), "sparse_categorical_crossentropy"
        )
        return model

    process, after, peak = psutil.Process(), {}, 0.0
    objective = KerasObjective(build, datasets.digits())
    for i in range(300):
        outcome = objective.run(
            Trial(i, {"units": 16 + i % architectures, "learning_rate": 1e-3 * (1 + i)}, budget=1)
        )
        assert outcome.curves
        resident = process.memory_info().rss / 1e6
        peak, after[i + 1] = max(peak, resident), resident
    gc.collect()
    return after[50], after[300], peak


def _alone(function: Callable[[Any], Any], task: Any = None) -> Any:
    """Call a function in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, (task,))


def main(arguments: list[str] | None = None) -> None:
    """Print the tables and assert the targets of issue 3."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--all",
        action="store_true",
        help="memory too, and KerasTuner with three seeds on both spaces",
    )
    everything = parser.parse_args(arguments).all
    versions = [
        f"{p} {importlib.metadata.version(p)}"
        for p in ("tensorflow", "keras", "keras-tuner", "numpy")
    ]
    print("versions:", ", ".join(versions))
    missed = []

    print(
        f"\n{'one epoch with validation, median':44}{'ours':>10}{'fit':>10}{'ratio':>8}{'target':>8}"
    )
    for name, ours, fit_seconds, ratio, least in _alone(epochs):
        print(
            f"{name:44}{ours * 1e3:>7.1f} ms{fit_seconds * 1e3:>7.1f} ms{ratio:>7.1f}x{least:>7}x",
            flush=True,
        )
        missed += [] if ratio >= least else [f"{name}: {ratio:.1f}x, not {least}x"]

    if everything:
        print(f"\n{'300 trials':44}{'at 50':>10}{'at 300':>10}{'peak':>10}   MB resident")
        for name, task, growth, most in [
            ("40 architectures, each traced", (40, False), 50, 1200),
            ("40 widths of dense layers", (40, True), 50, 1200),
            ("300 architectures, each traced", (300, False), np.inf, 1500),
        ]:
            at_50, at_300, peak = _alone(memory, task)
            print(f"{name:44}{at_50:>10.0f}{at_300:>10.0f}{peak:>10.0f}", flush=True)
            missed += (
                []
                if at_300 - at_50 < growth and peak < most
                else [f"memory, {name}: {at_50:.0f} to {at_300:.0f} MB"]
            )

    print(
        f"\n{'Hyperband R=27 on digits':34}{'seed':>6}{'ours':>9}{'KerasTuner':>12}{'ratio':>8}{'accuracy':>18}"
    )
    for widths, seed in (
        [(w, s) for w in LEAST for s in KERAS_TUNER_SEEDS] if everything else [("free widths", 0)]
    ):
        ours, accuracy = _alone(hyperband, (widths, seed))
        theirs, their_accuracy = _alone(keras_tuner_hyperband, (widths, seed))
        print(
            f"{widths:34}{seed:>6}{ours:>8.1f}s{theirs:>11.1f}s{theirs / ours:>7.1f}x{accuracy:>9.4f}, {their_accuracy:.4f}",
            flush=True,
        )
        missed += (
            []
            if theirs / ours >= LEAST[widths]
            else [f"Hyperband, {widths}: {theirs / ours:.1f}x, not {LEAST[widths]}x"]
        )
        missed += (
            []
            if accuracy > their_accuracy - 0.02
            else [f"accuracy {accuracy:.3f} < {their_accuracy:.3f}"]
        )
    assert not missed, "; ".join(missed)


if __name__ == "__main__":
    main()

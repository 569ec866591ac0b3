"""Models trained together against `model.fit`, and five folds against one: run by `make bench`.

Digits, two hidden layers of 64, batch 32, Adam, validation every epoch; medians in one process.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from hpt_lab.datasets import digits
from hpt_lab.training.epochs import fit
from hpt_lab.training.folds import make_folds
from hpt_lab.training.graph_cache import GRAPHS
from hpt_lab.training.objective import KerasObjective, build_model
from hpt_lab.training.stacked import train_together
from hpt_lab.trial import Trial

DATA = digits()
TRAIN, VALIDATION = (DATA.x_train, DATA.y_train), (DATA.x_validation, DATA.y_validation)
MEMBERS, FOLDS, EPOCHS = 27, 5, 30


def build(config):
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Dense(config["units"], "relu"),
            layers.Dense(config["units"], "relu"),
            layers.Dense(10, "softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(config["learning_rate"]),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def seconds(call) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def keras_epoch() -> float:
    """Measure one epoch of model.fit (the median of five, after the first), in ms."""
    model = build_model(build, {"units": 64, "learning_rate": 1e-3}, seed=(0,), x=TRAIN[0])
    times = [
        seconds(lambda: model.fit(*TRAIN, batch_size=32, verbose=0, validation_data=VALIDATION))
        for _ in range(6)
    ]
    return 1000 * statistics.median(times[1:])


def stacked_epoch() -> float:
    """Measure one epoch of one of the stacked members, validation included, in ms (the median of
    60, compiled before)."""
    models = [
        build_model(build, {"units": 64, "learning_rate": 1e-3 * (i + 1)}, seed=(i,), x=TRAIN[0])
        for i in range(MEMBERS)
    ]
    together = {"seeds": range(MEMBERS), "validation": VALIDATION, "jit": True}
    train_together(models, TRAIN, epochs=1, **together)
    ends = [time.perf_counter()]
    train_together(
        models,
        TRAIN,
        epochs=1 + 2 * EPOCHS,
        start=1,
        **together,
        on_epoch=lambda *_: ends.append(time.perf_counter()),
    )
    return 1000 * statistics.median(b - a for a, b in itertools.pairwise(ends)) / MEMBERS


def one_fold(units: int) -> float:
    """Measure the training of a model on one of the folds, from splitting and tracing to its last
    epoch, in s."""

    def train() -> None:
        fold = make_folds(DATA, FOLDS, seed=0)[0]
        model = build_model(
            build, {"units": units, "learning_rate": 1e-3}, seed=(0,), x=fold.train[0]
        )
        fit(model, *fold.train, epochs=EPOCHS, validation=fold.validation)

    return seconds(train)


def five_folds(units: int) -> float:
    """Measure the cross-validation of a config, from an objective that knows nothing yet to its
    scores, in s."""
    GRAPHS.clear()  # which would serve all widths
    objective = KerasObjective(build, DATA, folds=FOLDS)
    return seconds(
        lambda: objective.run(Trial(0, {"units": units, "learning_rate": 1e-3}, budget=EPOCHS))
    )


def main() -> int:
    one_fold(60), five_folds(60)  # whatever TensorFlow does once per process
    rows = [("epoch of 27 members / model.fit", keras_epoch(), stacked_epoch(), "ms", 80.0)]
    pairs = [(one_fold(units), five_folds(units)) for units in (61, 63, 64)]  # each traces anew
    one, five = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(
        f"TensorFlow {tf.__version__}, Keras {keras.__version__}, Python {sys.version.split()[0]}, "
        f"{os.cpu_count()} cores"
    )
    print(f"{'what':34} {'peer':>9} {'ours':>9}    ratio   target")
    name, peer, ours, unit, target = rows[0]
    print(
        f"{name:34} {peer:7.1f}{unit} {ours:7.2f}{unit} {peer / ours:7.0f}x   >= {target:.0f}x, < "
        "1.5 ms"
    )
    print(
        f"{'5 folds, 30 epochs / one fold':34} {one:8.2f}s {five:8.2f}s {five / one:7.2f}x   <= 2x"
    )
    missed = [peer / ours < target, ours >= 1.5, five / one > 2]
    return int(any(missed))


if __name__ == "__main__":
    sys.exit(main())

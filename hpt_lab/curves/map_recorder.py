"""Record the dense map: `python -m hpt_lab.curves.map_recorder`, some minutes on two cores.

Handwritten digits, 300 rows to learn from; 32 ReLU units, SGD with momentum 0.9, an L2 penalty on
the weights, 20 epochs of batches of 32. Every learning rate is one stack of networks that train
together. Validation rows are the validation part and the training rows left over; a network that
diverged counts as guessing, an error of 90 %. Read `train_rate`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import typer

from hpt_lab import datasets
from hpt_lab.curves.dense_map import PATH, Map
from hpt_lab.space import Float, Space
from hpt_lab.trial import Config

if TYPE_CHECKING:
    import keras

SPACE = Space(learning_rate=Float(1e-4, 1.0, log=True), l2=Float(1e-6, 1.0, log=True))
SIDE = 25  # values along each axis
SEEDS = 3
ROWS = 300
EPOCHS = 20
GUESSING = 0.9


def build(config: Config) -> keras.Model:
    """Build the compiled network of one point of the map."""
    import keras
    from keras import layers

    penalty = keras.regularizers.L2(config["l2"])
    model = keras.Sequential(
        [
            layers.Dense(32, activation="relu", kernel_regularizer=penalty),
            layers.Dense(
                10, activation="softmax", kernel_regularizer=keras.regularizers.L2(config["l2"])
            ),
        ]
    )
    optimizer = keras.optimizers.SGD(config["learning_rate"], momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def train_rate(i: int, *, side: int = SIDE, seeds: int = SEEDS, epochs: int = EPOCHS) -> np.ndarray:
    """Train learning rate `i` with all L2 factors and seeds; return errors (side, seeds, 2).

    The last axis holds the validation and the test error.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from hpt_lab.training.objective import build_model
    from hpt_lab.training.stacked import train_together

    data = datasets.digits()
    rows = data.x_train[:ROWS], data.y_train[:ROWS]
    x = np.concatenate([data.x_validation, data.x_train[ROWS:]])
    y = np.concatenate([data.y_validation, data.y_train[ROWS:]])
    rate = SPACE["learning_rate"].grid(side)[i]
    members = [(factor, seed) for factor in SPACE["l2"].grid(side) for seed in range(seeds)]
    keys = [(i, j) for j in range(len(members))]
    models = [
        build_model(build, {"learning_rate": rate, "l2": factor}, seed=key, x=rows[0])
        for (factor, _), key in zip(members, keys, strict=True)
    ]
    train_together(models, rows, epochs=epochs, seeds=keys, batch_size=32, jit=True)
    parts = ((x, y), data.reveal_test())
    errors = [[_error(model, *part) for part in parts] for model in models]
    return np.array(errors).reshape(side, seeds, 2)


def _error(model: keras.Model, x: np.ndarray, y: np.ndarray) -> float:
    chances = np.asarray(model(x, training=False))
    if not np.isfinite(chances).all():
        return GUESSING
    return float(np.mean(chances.argmax(axis=1) != y))


def main(processes: int = 2, path: Path = PATH) -> None:
    """Train the whole map and write it to PATH."""
    from joblib import Parallel, delayed

    from hpt_lab.curves.recorder import versions

    jobs = (delayed(train_rate)(i) for i in range(SIDE))
    errors = np.array(
        Parallel(n_jobs=processes, verbose=10)(jobs)
    )  # (rates, factors, seeds, parts)
    about = {
        "command": "python -m hpt_lab.curves.map_recorder",
        "epochs": EPOCHS,
        "rows": ROWS,
        **versions(),
    }
    path.parent.mkdir(exist_ok=True)
    Map(SPACE, errors[..., 0], errors[..., 1], about).save(path)
    typer.echo(
        f"{path}: {SIDE} x {SIDE} points x {SEEDS} trainings, {path.stat().st_size / 1e3:.0f} kB"
    )


if __name__ == "__main__":
    typer.run(main)

"""A small table with everything in it that a real one has: noise, crossings, diverging runs,
ties."""

import numpy as np
import pytest

from hpt_lab.curves import Table
from hpt_lab.space import Choice, Space

SPACE = Space(
    learning_rate=Choice([0.001, 0.01, 0.1, 1.0], ordered=True),
    units=Choice([8, 16, 32], ordered=True),
    optimizer=Choice(["sgd", "adam"]),
)


def make_table(seed=0, seeds=3, epochs=27):
    """Make smooth falling curves at the accuracies of 100 validation and 50 test rows; rate 1.0
    diverges with sgd."""
    rng = np.random.default_rng(seed)
    n = int(SPACE.size)
    configs = SPACE.grid({name: int(domain.size) for name, domain in SPACE.domains.items()})
    end = np.array([abs(np.log10(c["learning_rate"]) + 2) / 4 + 1 / c["units"] for c in configs])
    t = np.arange(1, epochs + 1)
    speed = np.array([3 * c["learning_rate"] ** 0.3 for c in configs])
    error = (end[:, None, None] + np.exp(-speed[:, None, None] * t)) * np.exp(
        0.1 * rng.normal(size=(n, seeds, epochs))
    )
    error = np.clip(error, 0, 0.9)
    curves = {
        "loss": 2 * error,
        "val_loss": 2.5 * error,
        "val_accuracy": (100 - np.rint(100 * error)) / 100,
        "test_accuracy": (50 - np.rint(50 * error)) / 50,
    }
    for row, config in enumerate(configs):
        if config["learning_rate"] == 1.0 and config["optimizer"] == "sgd":
            for values in curves.values():
                values[row, :, row:] = np.nan  # from a different epoch in each
    return Table(
        "small",
        SPACE,
        curves,
        np.full(n, 0.25),
        np.linspace(0.01, 0.02, n),
        {"training": 300, "validation": 100, "test": 50},
        {"seed": seed},
    )


@pytest.fixture(scope="session")
def table():
    return make_table()

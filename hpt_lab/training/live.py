"""A small dense network whose learning rate, dropout and L2 change while it trains: the model
behind the widgets.

`LiveTraining` is a `Trainer` with three differences. Starting over reuses the traced graph and the
model of the last training of the same architecture and only sets its variables anew, which takes
milliseconds where building a Keras model takes 100 and tracing it 300. Its curves are measured
after each epoch on both parts alike, without dropout and without the L2 penalty, so that training
and validation can be compared. And it predicts on any points, for decision surfaces. Read
`LiveTraining.epoch` first.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Any, NamedTuple

import keras
import numpy as np

from hpt_lab.errors import HptError
from hpt_lab.training.compiled import build_variables
from hpt_lab.training.epochs import Curves, Trainer, as_rows
from hpt_lab.training.graphs import EpochGraph

OPTIMIZERS = ("sgd", "momentum", "rmsprop", "adam")
ACTIVATIONS = ("relu", "tanh", "sigmoid", "linear")
SPARE_GRAPHS = 8


class Network(NamedTuple):
    """What a traced graph can't change: the architecture."""

    inputs: int
    classes: int
    layers: int = 2
    units: int = 16
    activation: str = "relu"
    optimizer: str = "adam"


class LiveTraining:
    """Train a `Network` on rows x (n, inputs), y (n,) of classes; `validation`: (x, y). Same seed,
    same curves.

    `curves`: loss, val_loss, accuracy, val_accuracy per epoch, on the natural scale (cross-entropy
    in nats, share of rows). Call `release()` when it is no longer needed, so that the next one of
    this architecture need not be traced.
    """

    def __init__(
        self,
        network: Network,
        x: Any,
        y: Any,
        *,
        validation: tuple[Any, Any],
        batch_size: int = 32,
        seed: int = 0,
    ):
        if network.activation not in ACTIVATIONS or network.optimizer not in OPTIMIZERS:
            raise HptError(
                f"activation must be one of {', '.join(ACTIVATIONS)} and optimizer one of "
                f"{', '.join(OPTIMIZERS)}, "
                f"got {network.activation!r} and {network.optimizer!r}"
            )
        self.network = network
        self.curves: Curves = {
            name: [] for name in ("loss", "val_loss", "accuracy", "val_accuracy")
        }
        self._parts = {"": as_rows(x, y), "val_": as_rows(*validation)}
        spare = _SPARE.pop(network, None)
        self._graph: EpochGraph | None = spare or EpochGraph(_build(network), self._parts[""])
        self._model: Any = self._graph.model
        _initialise(self._model, seed)
        self._trainer = Trainer(
            self._model, *self._parts[""], batch_size=batch_size, seed=seed, graph=self._graph
        )

    def tune(self, *, learning_rate: float, dropout: float, l2: float) -> None:
        """Set what may change while it trains; counts from the next epoch on."""
        self._model.optimizer.learning_rate.assign(learning_rate)
        for layer in self._model.layers:
            if isinstance(layer, keras.layers.Dropout):
                layer.rate = dropout
            else:
                layer.kernel_regularizer.l2 = l2

    @property
    def epochs(self) -> int:
        """Number of epochs done."""
        return self._trainer.epochs_done

    @property
    def diverged(self) -> bool:
        """True when the loss is no longer finite."""
        return self._trainer.ended is not None

    def epoch(self) -> None:
        """Train one epoch and measure; curves grow by one value each. Diverged training stays where
        it is."""
        if self.diverged:
            return
        self._trainer.epoch()
        for prefix, (x, y) in self._parts.items():
            loss, accuracy = (math.nan, math.nan) if self.diverged else self.score(x, y)
            self.curves[f"{prefix}loss"].append(loss)
            self.curves[f"{prefix}accuracy"].append(accuracy)

    def score(self, x: Any, y: Any) -> tuple[float, float]:
        """Return (cross-entropy, accuracy) on rows, without dropout and penalty."""
        logits, classes = self._logits(x, y), np.asarray(y).astype(int)
        log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)  # (n, classes)
        return float(-log_p[np.arange(len(classes)), classes].mean()), float(
            (logits.argmax(1) == classes).mean()
        )

    def probabilities(self, x: Any) -> np.ndarray:
        """Return the probability of every class, (n, classes)."""
        logits = self._logits(x, np.zeros(len(x), self._parts[""][1].dtype.as_numpy_dtype))
        scaled = np.exp(logits - logits.max(1, keepdims=True))
        return scaled / scaled.sum(1, keepdims=True)

    def release(self) -> None:
        """Hand model and graph on to the next training of this architecture; this one can't go
        on."""
        if self._graph is not None:
            _SPARE[self.network], self._graph = self._graph, None
            while len(_SPARE) > SPARE_GRAPHS:
                _SPARE.popitem(last=False)

    def _logits(self, x: Any, y: Any) -> np.ndarray:
        if self._graph is None:
            raise HptError("this LiveTraining has been released; make a new one")
        result = self._graph.evaluate(as_rows(x, y))
        assert result is not None
        return np.asarray(result[2], dtype=np.float64)


_SPARE: OrderedDict[Network, EpochGraph] = (
    OrderedDict()
)  # traced and out of use; the least recently released goes first


def _build(network: Network) -> keras.Model:
    model = keras.Sequential([keras.Input((network.inputs,))])
    for _ in range(network.layers):
        model.add(
            keras.layers.Dense(
                network.units,
                activation=network.activation,
                kernel_regularizer=keras.regularizers.L2(0.0),
            )
        )
        model.add(
            keras.layers.Dropout(0.5, seed=0)
        )  # a layer made with rate 0 could never be given another
    model.add(keras.layers.Dense(network.classes, kernel_regularizer=keras.regularizers.L2(0.0)))
    optimizers = {
        "sgd": keras.optimizers.SGD(),
        "momentum": keras.optimizers.SGD(momentum=0.9),
        "rmsprop": keras.optimizers.RMSprop(),
        "adam": keras.optimizers.Adam(),
    }
    model.compile(
        optimizers[network.optimizer], keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    build_variables(model, None)
    return model


def _initialise(model: keras.Model, seed: int) -> None:
    """Set weights (Glorot & Bengio, 2010, eq. 16), dropout's seeds and the optimizer's state as in
    a new model."""
    rng = np.random.default_rng([seed, 1])
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.seed_generator.state.assign(rng.integers(2**32, size=2, dtype=np.uint32))
        else:
            limit = math.sqrt(6 / sum(layer.kernel.shape))
            layer.kernel.assign(rng.uniform(-limit, limit, layer.kernel.shape))
            layer.bias.assign(np.zeros(layer.bias.shape))
    for variable in model.optimizer.variables:  # none of OPTIMIZERS starts from anything but zeros
        variable.assign(np.zeros(variable.shape))

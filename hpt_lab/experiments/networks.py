"""A Keras network as a scikit-learn classifier whose parameters include its epochs: what a halving
search needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Network(ClassifierMixin, BaseEstimator):
    """The lessons' multilayer perceptron. `epochs` is what
    `HalvingRandomSearchCV(resource="epochs")` hands out.

    Every `fit` starts from scratch: scikit-learn clones the estimator, so nothing is resumed.
    """

    def __init__(
        self,
        learning_rate: float = 0.001,
        units: int = 64,
        layers: int = 2,
        dropout: float = 0.0,
        epochs: int = 1,
    ):
        self.learning_rate = learning_rate
        self.units = units
        self.layers = layers
        self.dropout = dropout
        self.epochs = epochs

    def fit(self, x: np.ndarray, y: np.ndarray) -> Network:
        """Train a new network for `epochs` epochs."""
        from hpt_lab.training.models import mlp

        self.classes_ = np.unique(y)
        config = self.get_params()
        epochs = config.pop("epochs")
        self.model_: Any = mlp(config, n_classes=len(self.classes_))
        self.model_.fit(x, y, epochs=epochs, batch_size=32, verbose=0)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the most probable class of each row, (n,)."""
        return self.classes_[self.model_.predict(x, verbose=0).argmax(axis=1)]

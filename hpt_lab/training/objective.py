"""The Keras objective: turn (config, budget in epochs) into an outcome.

`KerasObjective.run` builds the config's model, puts the trial's checkpoint into it, trains the
epochs that are still missing, and scores it on the validation part. All randomness (initial
weights, dropout, batch order) follows from (objective's seed, trial's id), so a trial gives the
same bits whether it is resumed or retrained, in whatever process and after whatever other trials.
Read `run` first, then `_train`.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

import keras
import numpy as np
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR
from keras.src.utils.rng_utils import GLOBAL_RANDOM_SEED

from hpt_lab.datasets import Data
from hpt_lab.errors import BuildError, DataError, HptError
from hpt_lab.fingerprint import fingerprint
from hpt_lab.training.checkpoint import Checkpoint, check_writable
from hpt_lab.training.compiled import build_variables, check_compiled, own_metrics
from hpt_lab.training.epochs import Curves, OnEpoch, Trainer, as_rows
from hpt_lab.training.folds import digest_of, split
from hpt_lab.training.graph_cache import GRAPHS
from hpt_lab.training.graphs import Jit, use_xla
from hpt_lab.training.made_outside import check_new, moment
from hpt_lab.training.metrics import evaluate, gives_logits, is_score, metric_names
from hpt_lab.training.store import Store
from hpt_lab.trial import Config, Outcome, Trial

Build = Callable[[Config], keras.Model]
_BUILDING = (
    threading.Lock()
)  # Python's and NumPy's global generators are borrowed while a model is built


@dataclass(frozen=True)
class Training:
    """What one training gave: curves, and the rest unless it ended in `error`.

    `predictions` (n, ...) on the validation rows; `validated`: what the model measured there
    itself.
    """

    curves: Curves
    predictions: Any = None
    validated: dict[str, float] = field(default_factory=dict)
    logits: bool = False
    error: str | None = None
    checkpoint: Checkpoint | None = None


class KerasObjective:
    """Train `build(config)` on `data` for a trial's budget of epochs and report its loss on the
    validation part.

    build: a function from a config to a compiled Keras model; plain Keras.
    metric: "accuracy", "f1", "f1_macro", "roc_auc", "average_precision" or "r2", of which 1 - score
        is minimised;
        "log_loss", "mse", "mae" or "loss" (the compiled loss on the validation part), which are
        minimised themselves.
    seed: weights, dropout and batch order of trial i follow from (seed, i).
    batch_size: used unless the config has a "batch_size".
    checkpoints: directory to keep checkpoints in, so that another process can go on with this one's
        trials; by default
        a temporary one, gone with the objective. A trial without a checkpoint is retrained from
        scratch: same bits.
    folds: a number of folds, or a scikit-learn splitter: score by cross-validation
        (`cross_validation.py`).
    jit: compile with XLA. "auto" means no: a tuner meets many architectures, and each would cost 1
        to 1.5 s more. Say
        True for few dense architectures and hundreds of epochs.
    callbacks: function that returns fresh Keras callbacks for one training. Their state can't be
        saved, so trials with
        callbacks are retrained from scratch at every rung: same result, up to a third more epochs.
    version: what journals and checkpoints know the code of `build` by: a name of your own, say "2",
        which you change
        when results should no longer be mixed; by default a `fingerprint` of the code, which an
        edit changes.

    Instances may be shared by threads and sent to other processes.
    """

    budget_unit = "epochs"  # what a trial's budget counts

    def __init__(
        self,
        build: Build,
        data: Data,
        *,
        metric: str = "accuracy",
        seed: int = 0,
        batch_size: int = 32,
        checkpoints: str | Path | None = None,
        folds: Any = None,
        jit: Jit = "auto",
        callbacks: Callable[[], Iterable[keras.callbacks.Callback]] | None = None,
        version: str | None = None,
    ):
        if keras.backend.backend() != "tensorflow":
            raise HptError(
                f"Keras must run on TensorFlow, got {keras.backend.backend()!r}; unset "
                "KERAS_BACKEND"
            )
        _check_code(build, callbacks, version)
        if metric != "loss" and metric not in metric_names(data.task, data.n_classes):
            known = ", ".join(("loss", *metric_names(data.task, data.n_classes)))
            raise DataError(
                f"metric must be one of {known} for {data.task} on {data.name}, got {metric!r}"
            )
        if not isinstance(seed, int) or seed < 0:
            raise HptError(f"seed must be a whole number >= 0, got {seed!r}")
        if folds is not None and callbacks is not None:
            raise HptError(
                f"callbacks can't be combined with folds={folds!r}, whose models train together; "
                "drop one of the two"
            )
        self.build, self.data, self.metric, self.seed = build, data, metric, seed
        self.batch_size, self.folds, self.jit, self.callbacks = batch_size, folds, jit, callbacks
        self.version = version
        self.pairs = (
            None if folds is None else split(data, folds, seed=seed)
        )  # bad folds fail here, before any training
        self._temporary = None if checkpoints else tempfile.TemporaryDirectory(prefix="hpt_lab_")
        where = Path(checkpoints or self._temporary.name)  # type: ignore[union-attr]
        self.store = Store(where.expanduser())
        self._digest = _digest(data)
        self._tensors: Any = None

    @property
    def checkpoints(self) -> Path:
        """The directory that checkpoints are kept in."""
        return self.store.directory

    @property
    def settings(self) -> dict[str, Any]:
        """What a result depends on besides the trial and the code of `build`, in plain JSON
        types."""
        build = getattr(self.build, "func", self.build)  # a functools.partial's function
        return {
            "build": getattr(build, "__name__", type(build).__name__),
            "data": self.data.name,
            "data_digest": self._digest,
            "metric": self.metric,
            "seed": self.seed,
            "batch_size": self.batch_size,
            "jit": self.jit,
            "folds": self.folds
            if isinstance(self.folds, int) or self.pairs is None
            else digest_of(self.pairs),
        }

    @property
    def code(self) -> str:
        """The `version`, or else the fingerprint of `build` and `callbacks` as they are now."""
        return self.version or fingerprint((self.build, self.callbacks))

    def identity(self, trial: Trial) -> dict[str, Any]:
        """What a checkpoint of `trial` belongs to, besides its epoch, in plain JSON types."""
        about = {
            "settings": self.settings,
            "code": self.code,
            "config": trial.config,
            "trial": trial.id,
            "parent": trial.parent,
            "lineage": _lineage(trial),
        }
        return json.loads(json.dumps(about, default=_plain))

    def model(self, trial: Trial) -> keras.Model:
        """Return `trial`'s model as it was at its budget, from its checkpoint if there is one, else
        trained again."""
        if self.folds is not None:
            raise HptError(
                f"folds={self.folds!r} train a model each, none of them the trial's; use "
                "KerasObjective(build, "
                "data) without folds to train one"
            )
        found = self._state(trial)
        model = build_model(
            self.build, trial.config, seed=(self.seed, trial.id), x=self._rows()[0][0]
        )
        found.restore(model)
        return model

    def test(self, trial: Trial) -> dict[str, float]:
        """Open the data's sealed test part (which counts how often) and score `trial`'s model on
        it."""
        model = self.model(trial)
        x, y = self.data.reveal_test()
        return evaluate(
            y,
            model.predict(x, verbose=0),
            self.data.task,
            logits=gives_logits(model),
            names=self._scores(),
        )

    def __getstate__(self) -> dict[str, Any]:
        """Make a copy that uses the owner's directory, and takes the code for what it is here."""
        return {**self.__dict__, "_temporary": None, "_tensors": None, "version": self.code}

    def run(
        self, trial: Trial, *, on_epoch: OnEpoch | None = None, stop: Event | None = None
    ) -> Outcome:
        """Train `trial` up to its budget (whole epochs, in total) and return its outcome.

        on_epoch: called after every epoch with the number of epochs done and that epoch's values.
        stop: set it to end training within 0.2 s; the outcome then has an error, and asking again
            starts from the
        last checkpoint. Divergence ends training early and is an error too; the curves are kept in
        both cases.
        """
        started = time.perf_counter()
        epochs = _epochs(trial)
        check_writable(self.store.directory)
        if self.folds is not None:
            from hpt_lab.training.cross_validation import run_folds  # which is built on this class

            return run_folds(self, trial, on_epoch=on_epoch, stop=stop)
        training = self._train(trial, epochs, on_epoch, stop)
        seconds = time.perf_counter() - started
        if training.error is not None:
            return Outcome(math.nan, error=training.error, curves=training.curves, seconds=seconds)
        metrics = self.score(self.data.y_validation, training)
        loss = (
            1 - metrics[self.metric]
            if self.metric != "loss" and is_score(self.metric)
            else metrics["val_loss" if self.metric == "loss" else self.metric]
        )
        error = None if math.isfinite(loss) else f"{self.metric} is {loss} on the validation part"
        return Outcome(loss, metrics, time.perf_counter() - started, error, training.curves)

    def score(self, y: np.ndarray, training: Training) -> dict[str, float]:
        """Score a training's predictions: validation loss, accuracy and macro F1 (or regression's),
        and the metric.

        What else the model was compiled with comes as `val_...`.
        """
        scores = evaluate(
            y, training.predictions, self.data.task, logits=training.logits, names=self._scores()
        )
        return {"val_loss": training.validated["val_loss"], **scores, **training.validated}

    def _scores(self) -> list[str]:
        names = (
            ["accuracy", "f1_macro"] if self.data.task == "classification" else ["mse", "mae", "r2"]
        )
        return names if self.metric in (*names, "loss") else [*names, self.metric]

    def _train(
        self,
        trial: Trial,
        epochs: int,
        on_epoch: OnEpoch | None = None,
        stop: Event | None = None,
        *,
        keep: bool = True,
    ) -> Training:
        """Train up to `epochs`, from the trial's checkpoint if there is one; `keep`: save where
        that leads."""
        train, validation = self._rows()
        start, inherited = self._start(trial, epochs)
        model = build_model(self.build, trial.config, seed=(self.seed, trial.id), x=train[0])
        batch_size = trial.config.get("batch_size", self.batch_size)
        xla = use_xla(model, self.jit, steps=0)
        with GRAPHS.borrow(model, train, batch_size=batch_size, xla=xla) as graph:
            trainer = Trainer(
                model,
                *train,
                validation=validation,
                batch_size=batch_size,
                seed=(self.seed, trial.id),
                callbacks=self.callbacks() if self.callbacks else (),
                graph=graph,
            )
            if start is not None:
                trainer.resume(start, inherit=inherited)
            if not trainer.run(epochs, on_epoch=on_epoch, stop=stop):
                return Training(
                    trainer.curves, error=f"stopped after {trainer.epochs_done} of {epochs} epochs"
                )
            if trainer.diverged:
                return Training(trainer.curves, error=trainer.ended)
            scored = trainer.evaluate(stop=stop)
            if scored is None:
                return Training(
                    trainer.curves,
                    error=f"stopped after {trainer.epochs_done} epochs, before validation",
                )
            checkpoint = trainer.checkpoint()
            if keep:
                self.store.keep(trial.id, checkpoint, self.identity(trial))
            return Training(
                trainer.curves,
                scored[2],
                own_metrics(model, trainer.validated),
                gives_logits(model),
                None,
                checkpoint,
            )

    def _start(self, trial: Trial, epochs: int) -> tuple[Checkpoint | None, bool]:
        """Find where training goes on: the trial's own newest checkpoint, else its parent's; and
        which it is.

        What the parent had been trained to then is `trial.origin`, and trained again if its
        checkpoint is gone. A trial made by hand has none: then the parent's newest checkpoint with
        fewer epochs than asked for counts.
        """
        own = None if self.callbacks else self.store.newest(trial.id, epochs, self.identity(trial))
        if own is not None or trial.parent is None:
            return own, False
        if trial.origin is not None:
            return self._state(trial.origin), True
        about = {"settings": self.settings, "code": self.code, "trial": trial.parent}
        parent = self.store.newest(trial.parent, epochs - 1, about)
        if parent is None:
            raise HptError(
                f"trial {trial.id} starts from trial {trial.parent}, which has no checkpoint of "
                "fewer than "
                f"{epochs} epochs in {self.checkpoints}; keep checkpoints with checkpoints=DIR"
            )
        return parent, True

    def _state(self, trial: Trial) -> Checkpoint:
        """Return `trial`'s state at its budget, from its checkpoint if there is one, else trained
        again."""
        at, about = _epochs(trial), self.identity(trial)
        found = self.store.newest(trial.id, at, about)
        if found is not None and found.epoch == at:
            return found
        if self.folds is not None:
            error = self.run(trial).error
            found = self.store.newest(trial.id, at, about)
        else:
            training = self._train(trial, at, keep=False)
            error, found = training.error, training.checkpoint
        if error or found is None:
            raise HptError(f"trial {trial.id} has no model after {at} epochs: {error}")
        return found

    def _rows(self) -> tuple[Any, Any]:
        if self._tensors is None:
            data = self.data
            self._tensors = (
                as_rows(data.x_train, data.y_train),
                as_rows(data.x_validation, data.y_validation),
            )
        return self._tensors


def build_model(build: Build, config: Config, *, seed: Sequence[int], x: Any) -> keras.Model:
    """Call `build(config)` with Keras', Python's and NumPy's randomness seeded, check the model,
    create its variables.

    `x`: rows to infer input shapes from. Models built alike get the same layer names. All
    generators are put back. Raises BuildError where the model has parts that were there before, so
    that training would change them for others.
    """
    with _BUILDING, _randomness(int(np.random.SeedSequence(list(seed)).generate_state(1)[0])):
        before = moment()
        model = build(dict(config))
        check_compiled(model)
        check_new(model, before)
        build_variables(model, x)
    return model


def _epochs(trial: Trial) -> int:
    if not (trial.budget >= 1 and float(trial.budget).is_integer()):
        raise HptError(
            f"budget must be a whole number of epochs >= 1, got {trial.budget!r}; "
            "choose max_budget and eta so that every rung is whole"
        )
    return int(trial.budget)


def _lineage(trial: Trial) -> str | None:
    """Digest the configs and budgets that a trial's first weights were trained with, over all
    generations."""
    chain: list[Any] = []
    while trial.origin is not None:
        trial = trial.origin
        chain.append([trial.id, trial.config, int(trial.budget)])
    text = json.dumps(chain, sort_keys=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()[:16] if chain else None


def _plain(value: Any) -> Any:
    """Turn what JSON can't hold, such as NumPy's numbers, into what it can."""
    return value.item() if hasattr(value, "item") else repr(value)


def _check_code(build: Any, callbacks: Any, version: Any) -> None:
    """Refuse what is no function before anything is spent."""
    if isinstance(build, keras.Model) or not callable(build):
        raise BuildError(
            f"build must be a function of a config that returns a compiled Keras model, got "
            f"{type(build).__name__}; write `def build(config): ...; return model`, so that every "
            "trial "
            "gets a model of its own"
        )
    if callbacks is not None and not callable(callbacks):
        raise HptError(
            f"callbacks must be a function that returns fresh Keras callbacks, got "
            f"{type(callbacks).__name__}: callbacks remember what they saw, so trials can't share "
            "them; "
            "write callbacks=lambda: [keras.callbacks.EarlyStopping(...)]"
        )
    if isinstance(callbacks, keras.callbacks.Callback):
        raise HptError(
            "callbacks must be a function, got a callback; write callbacks=lambda: [...]"
        )
    if version is not None and not (isinstance(version, str) and version):
        raise HptError(
            f"version must be a text such as '2', or None for a fingerprint, got {version!r}"
        )


@contextmanager
def _randomness(seed: int) -> Iterator[None]:
    """Seed what Keras draws from: not by `keras.utils.set_random_seed`, which makes TensorFlow drop
    its kernel cache."""
    attributes = {"object_name_uids": None, GLOBAL_SEED_GENERATOR: None, GLOBAL_RANDOM_SEED: seed}
    before = {name: global_state.get_global_attribute(name) for name in attributes}
    python, numpy = random.getstate(), np.random.get_state()
    try:
        for name, value in attributes.items():
            global_state.set_global_attribute(name, value)
        random.seed(seed)
        np.random.seed(seed)
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        for name, value in before.items():
            global_state.set_global_attribute(name, value)


def _digest(data: Data) -> str:
    """Fingerprint the rows that training and validation see."""
    digest = hashlib.sha256()
    for rows in (data.x, data.y, data.x_train, data.y_train, data.x_validation, data.y_validation):
        digest.update(np.ascontiguousarray(rows).tobytes())
    return digest.hexdigest()[:16]

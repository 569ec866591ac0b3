"""Cross-validation: score a config by k models, each validated on rows that it never trained on.

The folds come from `folds.py`. The scaler is fitted anew on every fold's training rows: fitted
before the split it would tell them about the validation rows. The k models have one architecture,
so they train together (`stacked.py`).

A score that chose something is optimistic. `nested_cross_validation` puts the whole search inside
an outer loop whose test folds it never sees (Cawley and Talbot: On over-fitting in model selection;
JMLR 11, 2010, section 5). Read `run_folds` first.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import keras
import numpy as np

from hpt_lab.datasets import Data
from hpt_lab.errors import HptError
from hpt_lab.training.checkpoint import Checkpoint
from hpt_lab.training.compiled import own_metrics
from hpt_lab.training.epochs import Curves, OnEpoch
from hpt_lab.training.folds import Fold, Folds, cut, scaled, split, subset
from hpt_lab.training.metrics import evaluate, gives_logits, is_score
from hpt_lab.training.stacked import Trained, train_together
from hpt_lab.trial import Config, Outcome, Trial

if TYPE_CHECKING:
    from hpt_lab.training.objective import KerasObjective

OWN_TRIAL = 10**9  # an id that no search will have given


_FOLDS: WeakKeyDictionary[Any, list[Fold]] = WeakKeyDictionary()  # gone with their objective


def run_folds(
    objective: KerasObjective,
    trial: Trial,
    *,
    on_epoch: OnEpoch | None = None,
    stop: Event | None = None,
) -> Outcome:
    """Train and score `trial` on every fold of `objective.folds`, resuming from its checkpoint if
    there is one.

    The loss is the mean over folds. Metrics: for each score its mean, `<score>_std` (of the folds,
    with k - 1), and `<score>_fold_0`, `_fold_1`, ...; a score that is undefined in a fold (NaN) is
    left out of the mean. Curves: the means over folds, and `<curve>_fold_<i>`. One diverged fold
    makes the trial a failure.
    """
    from hpt_lab.training.objective import build_model  # the objective delegates to this function

    started = time.perf_counter()
    folds = _folds_of(objective)
    found, inherited = objective._start(trial, int(trial.budget))
    before = (
        [Checkpoint(0, [], [], [], {})] * len(folds) if found is None else _apart(found, len(folds))
    )
    models: list[keras.Model] = []

    def built() -> Iterator[keras.Model]:
        for i, (fold, checkpoint) in enumerate(zip(folds, before, strict=True)):
            models.append(
                build_model(
                    objective.build,
                    trial.config,
                    seed=(objective.seed, trial.id, i),
                    x=fold.train[0],
                )
            )
            if found is not None:
                (checkpoint.inherit if inherited else checkpoint.restore)(models[i])
            yield models[i]

    batch_size, epochs = trial.config.get("batch_size", objective.batch_size), int(trial.budget)
    reporter = None if on_epoch is None else _Means(on_epoch, len(folds))
    trained = train_together(
        built(),
        [fold.train for fold in folds],
        validation=[fold.validation for fold in folds],
        epochs=epochs,
        start=before[0].epoch,
        batch_size=batch_size,
        seeds=[(objective.seed, trial.id, i) for i in range(len(folds))],
        jit=objective.jit if objective.jit != "auto" else False,
        on_epoch=reporter,
        stop=stop,
    )
    if trained is None:
        return Outcome(
            math.nan,
            error=f"stopped before {epochs} epochs of all folds were done",
            seconds=time.perf_counter() - started,
        )
    curves = [
        {
            name: [*old.curves.get(name, []), *new.curves.get(name, [])]
            for name in {**old.curves, **new.curves}
        }
        for old, new in zip(before, trained, strict=True)
    ]
    diverged = [
        i
        for i, curve in enumerate(curves)
        if not math.isfinite(curve["loss"][-1] + curve["val_loss"][-1])
    ]
    if diverged:
        return Outcome(
            math.nan,
            error=f"diverged: the loss of fold {diverged[0]} is no longer finite; try a smaller "
            "learning rate",
            curves=_joined(curves),
            seconds=time.perf_counter() - started,
        )
    objective.store.keep(trial.id, _together(models, curves, epochs), objective.identity(trial))
    scores = [
        _score(objective, fold, result, curve, model)
        for fold, result, curve, model in zip(folds, trained, curves, models, strict=True)
    ]
    metrics = summary(scores)
    name = "val_loss" if objective.metric == "loss" else objective.metric
    loss = 1 - metrics[name] if name != "val_loss" and is_score(name) else metrics[name]
    error = None if math.isfinite(loss) else f"{name} is {loss} on every fold"
    return Outcome(loss, metrics, time.perf_counter() - started, error, _joined(curves))


def summary(scores: Sequence[dict[str, float]]) -> dict[str, float]:
    """Summarise the folds' scores: each one's mean, `_std` (n - 1) and `_fold_<i>`; NaN counts in
    neither."""
    metrics: dict[str, float] = {}
    for name in scores[0]:
        values = np.array([score[name] for score in scores])
        known = values[np.isfinite(values)]
        metrics[name] = float(known.mean()) if len(known) else math.nan
        metrics[f"{name}_std"] = float(known.std(ddof=1)) if len(known) > 1 else math.nan
    for i, score in enumerate(scores):
        metrics |= {f"{name}_fold_{i}": value for name, value in score.items()}
    return metrics


@dataclass(frozen=True)
class Nested:
    """What nested cross-validation found, one entry per outer fold.

    `outer_scores` are honest: their rows chose nothing. `inner_scores`, of the same configs in the
    search that chose them, are optimistic. Both are the metric itself, not 1 - metric.
    """

    outer_scores: list[float]
    inner_scores: list[float]
    configs: list[Config]

    @property
    def mean(self) -> float:
        """Mean of the outer scores."""
        return float(np.mean(self.outer_scores))

    @property
    def std(self) -> float:
        """Standard deviation of the outer scores (n - 1)."""
        return float(np.std(self.outer_scores, ddof=1))


def nested_cross_validation(
    build: Callable[[Config], keras.Model],
    configs: Iterable[Config] | Callable[[Any], Config],
    data: Data,
    *,
    epochs: int,
    outer: Folds = 5,
    inner: Folds = 3,
    metric: str = "accuracy",
    seed: int = 0,
    batch_size: int = 32,
) -> Nested:
    """Estimate how well "search, then train the winner" does on new rows of `data`'s development
    part.

    For every outer fold a config is chosen by inner cross-validation on the outer training rows
    alone, trained on all of them, and scored once on the outer test rows. `configs`: the
    candidates, or a function `search(objective)` that returns the chosen config, for instance by a
    study on that `KerasObjective(folds=inner)`. The sealed test part stays sealed.
    """
    from hpt_lab.training.objective import KerasObjective, build_model

    candidates = configs if callable(configs) else [dict(config) for config in configs]
    if not candidates:
        raise HptError(
            "configs must hold at least one config, or be a function search(objective) -> config"
        )
    outer_scores, inner_scores, chosen = [], [], []
    for i, (train, test) in enumerate(split(data, outer, seed=seed)):
        inside = subset(data, train)
        objective = KerasObjective(
            build, inside, metric=metric, seed=seed, batch_size=batch_size, folds=inner
        )
        if callable(candidates):
            config = candidates(objective)
            outcome = objective.run(Trial(OWN_TRIAL, config, budget=epochs))
        else:
            config, outcome = _best(objective, candidates, epochs)
        rows, held_out = scaled(data, train, test)
        model = build_model(build, config, seed=(seed, i), x=rows[0])
        trained = train_together(
            [model],
            rows,
            validation=held_out,
            epochs=epochs,
            seeds=[(seed, i)],
            jit=False,
            batch_size=config.get("batch_size", batch_size),
        )
        assert trained is not None
        value = (
            trained[0].curves["val_loss"][-1]
            if metric == "loss"
            else evaluate(
                data.y[test],
                trained[0].predictions,
                data.task,
                logits=gives_logits(model),
                names=[metric],
            )[metric]
        )
        outer_scores.append(value)
        inner_scores.append(
            1 - outcome.loss if metric != "loss" and is_score(metric) else outcome.loss
        )
        chosen.append(config)
    return Nested(outer_scores, inner_scores, chosen)


def _best(
    objective: KerasObjective, configs: Sequence[Config], epochs: int
) -> tuple[Config, Outcome]:
    """Choose the config of the lowest inner loss, the earlier of equals."""
    outcomes = [objective.run(Trial(i, config, budget=epochs)) for i, config in enumerate(configs)]
    best = min(range(len(configs)), key=lambda i: outcomes[i].rank_loss)
    if outcomes[best].failed:
        raise HptError(
            f"all {len(configs)} configs failed on {objective.data.name}, the first: "
            f"{outcomes[0].error}"
        )
    return configs[best], outcomes[best]


def _folds_of(objective: KerasObjective) -> list[Fold]:
    """The objective's folds, cut once: every config meets the same ones."""
    if objective not in _FOLDS:
        assert objective.pairs is not None
        _FOLDS[objective] = cut(objective.data, objective.pairs)
    return _FOLDS[objective]


def _score(
    objective: KerasObjective, fold: Fold, trained: Trained, curve: Curves, model: keras.Model
) -> dict[str, float]:
    scores = evaluate(
        fold.validation[1].numpy(),
        trained.predictions,
        objective.data.task,
        logits=gives_logits(model),
        names=objective._scores(),
    )
    last = {name: values[-1] for name, values in curve.items() if name.startswith("val_")}
    return {"val_loss": last["val_loss"], **scores, **own_metrics(model, last)}


def _joined(curves: Sequence[Curves]) -> Curves:
    """Join the folds' curves: their means, and each fold's own as `<curve>_fold_<i>`."""
    means = {
        name: np.mean([curve[name] for curve in curves], axis=0).tolist() for name in curves[0]
    }
    return means | {
        f"{name}_fold_{i}": values
        for i, curve in enumerate(curves)
        for name, values in curve.items()
    }


def _together(models: list[keras.Model], curves: Sequence[Curves], epoch: int) -> Checkpoint:
    """Put the folds' states into one checkpoint, one fold after the other."""
    each = [Checkpoint.of(model, epoch=epoch, curves={}) for model in models]
    weights, optimizer, seeds = (
        [array for checkpoint in each for array in getattr(checkpoint, kind)]
        for kind in ("weights", "optimizer", "seeds")
    )
    return Checkpoint(
        epoch,
        weights,
        optimizer,
        seeds,
        {f"{i}_{name}": values for i, curve in enumerate(curves) for name, values in curve.items()},
    )


def _apart(found: Checkpoint, k: int) -> list[Checkpoint]:
    """Undo `_together`."""

    def share(arrays: list[np.ndarray], i: int) -> list[np.ndarray]:
        size = len(arrays) // k
        return arrays[i * size : (i + 1) * size]

    return [
        Checkpoint(
            found.epoch,
            share(found.weights, i),
            share(found.optimizer, i),
            share(found.seeds, i),
            {
                name.removeprefix(f"{i}_"): values
                for name, values in found.curves.items()
                if name.startswith(f"{i}_")
            },
        )
        for i in range(k)
    ]


class _Means:
    """Report an epoch's mean values over folds, once every fold has had it."""

    def __init__(self, on_epoch: OnEpoch, k: int):
        self.on_epoch, self.k = on_epoch, k
        self.waiting: dict[int, dict[int, dict[str, float]]] = {}

    def __call__(self, epoch: int, values: dict[int, dict[str, float]]) -> None:
        so_far = self.waiting.setdefault(epoch, {}) | values
        self.waiting[epoch] = so_far
        if len(so_far) == self.k:
            del self.waiting[epoch]
            self.on_epoch(
                epoch,
                {
                    name: float(np.mean([fold[name] for fold in so_far.values()]))
                    for name in so_far[0]
                },
            )

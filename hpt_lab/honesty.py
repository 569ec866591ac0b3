"""Labs on honest measuring: leaks that fake skill on random labels, scores chosen for being high.

The labels of the leakage lab are coin flips, so every honest score is one half, up to luck. A mean
over draws lies one standard error above that in every sixth honest pipeline, two in one of thirty,
three hardly ever: then look for the bug. A step that never sees a label (`scaling`) scores one half
here whatever it leaks. Each leak is one function, and `leak=False` is the same work done right. The
winner's curse and nested cross-validation follow Cawley and Talbot: On over-fitting in model
selection; JMLR 11, 2010. Read `feature_selection` first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hpt_lab.arguments import check_number, check_seed, check_whole, is_listing, is_number, show
from hpt_lab.errors import DataError

MOST_ROWS = 10**8  # numbers that a draw may hold


def random_labels(
    *, rows: int = 100, columns: int = 500, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw x (rows, columns), normal, and y (rows,), half ones, shuffled: nothing to learn."""
    check_whole("rows", rows, 1, 100, most=MOST_ROWS, error=DataError)
    check_whole("columns", columns, 1, 500, most=MOST_ROWS // rows, error=DataError)
    rng = np.random.default_rng(_seed(seed))
    return rng.standard_normal((rows, columns)), rng.permutation(np.arange(rows) % 2)


def scaling(*, seed: int, leak: bool) -> float:
    """Score after standardising all rows before the split (leak), or inside every fold."""
    x, y = random_labels(columns=20, seed=seed)
    model = _nearest(5)
    if leak:
        return _score(model, StandardScaler().fit_transform(x), y, _stratified(seed))
    return _score(make_pipeline(StandardScaler(), model), x, y, _stratified(seed))


def feature_selection(*, seed: int, leak: bool) -> float:
    """Keep the 20 of 500 columns that correlate best with y, on all rows (leak) or per fold."""
    x, y = random_labels(seed=seed)
    best = SelectKBest(f_classif, k=20)
    model = GaussianNB()
    if leak:
        return _score(model, best.fit_transform(x, y), y, _stratified(seed))
    return _score(make_pipeline(best, model), x, y, _stratified(seed))


def duplicates(*, seed: int, leak: bool) -> float:
    """Score on rows of which every second is there twice: on both sides (leak), or on one."""
    x, y = random_labels(columns=20, seed=seed)
    row = np.concatenate([np.arange(len(x)), np.arange(0, len(x), 2)])  # a careless join
    model = _nearest(1)
    return _score(model, x[row], y[row], _stratified(seed) if leak else _apart(row))


def groups(*, seed: int, leak: bool) -> float:
    """Score on 8 rows of each of 40 patients, one label each: on both sides (leak), or on one."""
    rng = np.random.default_rng(_seed(seed))
    patient = np.repeat(np.arange(40), 8)
    who = rng.standard_normal((40, 10))
    y = rng.permutation(np.arange(40) % 2)[patient]
    x = who[patient] + 0.5 * rng.standard_normal((len(patient), 10))  # a patient's rows are alike
    folds = _stratified(seed) if leak else _apart(patient)
    return _score(_nearest(3), x, y, folds)


def time_order(*, seed: int, leak: bool) -> float:
    """Score on 400 drifting days, labels lasting ten: shuffled (leak), or past predicts future.

    The honest split leaves 40 days between past and future, longer than any label lasts.
    """
    rng = np.random.default_rng(_seed(seed))
    x = np.cumsum(rng.standard_normal((400, 5)), axis=0)  # a random walk
    y = np.repeat(rng.permutation(np.arange(40) % 2), 10)  # a new coin flip every ten days
    folds = KFold(5, shuffle=True, random_state=_seed(seed)) if leak else TimeSeriesSplit(5, gap=40)
    return _score(_nearest(3), x, y, folds)


LEAKS: dict[str, Callable[..., float]] = {
    "scaling before the split": scaling,
    "feature selection before the split": feature_selection,
    "duplicates on both sides": duplicates,
    "patients on both sides": groups,
    "days shuffled": time_order,
}


def leakage(*, seeds: int = 20) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return for every leak the accuracies with and without it, each (seeds,)."""
    check_whole("seeds", seeds, 1, 20, most=100_000, error=DataError)
    found = {}
    for name, run in LEAKS.items():
        leaky = np.array([run(seed=seed, leak=True) for seed in range(seeds)])
        honest = np.array([run(seed=seed, leak=False) for seed in range(seeds)])
        found[name] = (leaky, honest)
    return found


def winners_curse(
    validation: Sequence[float] | np.ndarray,
    truth: Sequence[float] | np.ndarray,
    trials: Sequence[int],
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the best of k trials promises and what it keeps, each (len(trials),).

    `validation`, `truth`: the scores of the same trials (n,) on the rows that choose and on rows
    that don't; higher is better. Exact means over all searches of k different trials out of the
    n; of equal scores any may win.
    """
    seen = _scores("validation", validation)
    true = _scores("truth", truth)
    if seen.shape != true.shape or seen.ndim != 1:
        raise DataError(
            "validation and truth must be scores of the same trials, got shapes "
            f"{seen.shape} and {true.shape}"
        )
    n = len(seen)
    trials = list(trials) if is_listing(trials) else []
    if not trials or not all(is_number(k) and 1 <= k <= n and int(k) == k for k in trials):
        raise DataError(
            f"trials must be whole numbers between 1 and the {n} there are, got {show(trials)}; "
            f"try [1, {n}]"
        )
    trials = [int(k) for k in trials]
    levels, level = np.unique(seen, return_inverse=True)  # different scores, ascending
    size = np.bincount(level)
    worth = np.bincount(level, weights=true) / size  # mean truth of the trials with that score
    at_most = np.cumsum(size)  # trials with that score or less
    promised = []
    kept = []
    for k in trials:  # all k lie at or below a level with chance C(at_most, k) / C(n, k)
        below = np.prod([(at_most - i).clip(0) / (n - i) for i in range(k)], axis=0)
        wins = np.diff(below, prepend=0.0)
        promised.append(wins @ levels)
        kept.append(wins @ worth)
    return np.array(promised), np.array(kept)


def expected_best(losses: Sequence[float] | np.ndarray, trials: Sequence[int]) -> np.ndarray:
    """Return the mean loss of the best of k trials, (len(trials),), for every k in `trials`, from n
    recorded losses (n,).

    What a shorter search would have found, without running it: the exact mean over all choices of k
    different trials out of the n (order statistics; Dodge et al., EMNLP 2019, with their bias
    removed by drawing without replacement: Tang et al., ACL 2020). For trials that don't depend on
    one another, such as random search's. Failed trials are infinite; where all k might have failed,
    so is the mean.

    >>> expected_best([0.3, 0.1, 0.2], [1, 2, 3]).round(3).tolist()
    [0.2, 0.133, 0.1]
    """
    values = np.asarray(losses, float)
    if np.isnan(values).any():
        raise DataError("losses must not be NaN; let a failed trial count as infinity")
    failed = np.isinf(values)
    ranked = np.where(failed, np.nanmax(values, where=~failed, initial=0.0) + 1, values)
    best = -winners_curse(-ranked, -ranked, trials)[0]
    return np.where(np.asarray(trials) > failed.sum(), best, np.inf)


NEW = 1000  # rows that tell what a model is worth


@dataclass(frozen=True)
class SmallTask:
    """Few rows, a weak signal, and candidate classifiers to choose from; `few_rows` draws one.

    A candidate takes 5 of 100 columns and assigns a row to the nearer class mean.
    """

    x: np.ndarray  # (rows, 100)
    y: np.ndarray  # (rows,)
    x_new: np.ndarray  # (NEW, 100)
    y_new: np.ndarray  # (NEW,)
    columns: np.ndarray  # (candidates, 100), ones where a candidate looks
    seed: int

    def accuracy(self, train: np.ndarray, held_out: np.ndarray) -> np.ndarray:
        """Train every candidate on the rows `train`; return accuracies on others (candidates,)."""
        return self._right(train, self.x[held_out], self.y[held_out])

    def truth(self, train: np.ndarray) -> np.ndarray:
        """Train every candidate on the rows `train`; return their accuracies on new rows."""
        return self._right(train, self.x_new, self.y_new)

    def folds(self, rows: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Cut these rows into five stratified folds: pairs (training rows, held-out rows)."""
        rng = np.random.default_rng((self.seed, 1))
        by_class = [rng.permutation(rows[self.y[rows] == label]) for label in (0, 1)]
        dealt = np.concatenate(by_class)  # scikit-learn's folds cost ten times a training here
        parts = [dealt[i::5] for i in range(5)]
        return [(np.setdiff1d(rows, part), part) for part in parts]

    def cross_validate(self, rows: np.ndarray) -> np.ndarray:
        """Return every candidate's mean accuracy over five folds of these rows (candidates,)."""
        return np.mean([self.accuracy(*pair) for pair in self.folds(rows)], axis=0)

    def _right(self, train: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        rows, labels = self.x[train], self.y[train]
        zero = rows[labels == 0].mean(axis=0)
        one = rows[labels == 1].mean(axis=0)
        weights = (one - zero) * self.columns  # (candidates, 100)
        votes = x @ weights.T - weights @ (zero + one) / 2  # (n, candidates)
        return ((votes > 0) == y[:, None]).mean(axis=0)


def few_rows(*, seed: int, rows: int = 60, candidates: int = 50, signal: float = 0.0) -> SmallTask:
    """Draw a small data set, NEW further rows and candidates.

    `signal`: the distance of the class means in every column. Of one seed, fewer candidates are the
    first ones of more, on the same data.
    """
    check_whole("rows", rows, 20, 60, most=100_000, error=DataError)
    check_whole("candidates", candidates, 1, 50, most=100_000, error=DataError)
    check_number("signal", signal, hint=0.5, error=DataError)
    rng = np.random.default_rng(_seed(seed))
    y = rng.permutation(np.arange(rows) % 2)
    x = rng.standard_normal((rows, 100)) + signal * (y[:, None] - 0.5)
    y_new = rng.permutation(np.arange(NEW) % 2)
    x_new = rng.standard_normal((NEW, 100)) + signal * (y_new[:, None] - 0.5)
    columns = np.zeros((candidates, 100))
    for column in columns:
        column[rng.choice(100, 5, replace=False)] = 1
    return SmallTask(x, y, x_new, y_new, columns, _seed(seed))


def _nearest(k: int) -> KNeighborsClassifier:
    """Vote of the k nearest; by a tree, as each brute-force call inspects all libraries loaded."""
    return KNeighborsClassifier(k, algorithm="kd_tree")


def _seed(seed: int) -> int:
    return check_seed(seed, most=2**32 - 1, error=DataError)


def _scores(what: str, values: Sequence[float] | np.ndarray) -> np.ndarray:
    try:
        scores = np.asarray(values, dtype=float)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{what} must be a list of scores, got {show(values)}") from None
    if not scores.size or not np.isfinite(scores).all():
        raise DataError(
            f"{what} must be finite scores, at least one, got {show(values)}; leave failed trials "
            "out"
        )
    return scores


def _stratified(seed: int) -> StratifiedKFold:
    return StratifiedKFold(5, shuffle=True, random_state=_seed(seed))


def _apart(group: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(GroupKFold(5).split(group, groups=group))


def _score(model: object, x: np.ndarray, y: np.ndarray, folds: object) -> float:
    return float(cross_val_score(model, x, y, cv=folds).mean())

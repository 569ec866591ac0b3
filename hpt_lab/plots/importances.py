"""Which dimensions matter: permutation importance of a random forest (Breiman, 2001).

scikit-learn's `RandomForestRegressor` learns the losses' ranks (1 the best, failed trials last)
from the configs; `permutation_importance` then shuffles one dimension among trials that the
forest has not seen and measures by how much its R² falls. Ranks, because one diverged loss would
otherwise decide everything. Read `importances` for the numbers, `importance` for the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from hpt_lab.arguments import check_seed
from hpt_lab.errors import HptError
from hpt_lab.evidence import comparable, history_of, space_of
from hpt_lab.plots.figure import BLUE, FAINT, INK, axes, count, finish, finished
from hpt_lab.space import Space

FEWEST = 10  # trials
FOLDS = 5
SHUFFLES = 5  # of each dimension in each fold
TREES = 50
ABSENT = -1.0  # the place of a dimension that a config lacks, apart from [0, 1]


@dataclass(frozen=True)
class Importances:
    """Each dimension's mean fall of R² and its deviation over folds; `score` is R² unshuffled."""

    falls: dict[str, tuple[float, float]]
    score: float
    trials: int
    budget: float


def importances(study: Any, *, space: Space | None = None, seed: int = 0) -> Importances:
    """Measure how much worse a forest ranks unseen trials with each dimension shuffled.

    Trials are those of one budget (`evidence.comparable`). The most important dimension is first.
    Raises HptError for fewer than ten trials, or if all losses are the same.
    """
    from scipy.stats import rankdata
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.inspection import permutation_importance
    from sklearn.model_selection import KFold

    past = history_of(study)
    space = space_of(study, space)
    check_seed(seed)
    records = comparable(past)
    if len(records) < FEWEST:
        raise HptError(
            f"study must have at least {FEWEST} trials of one budget to learn from, got "
            f"{len(records)}; run more trials"
        )
    ranks = rankdata([record.outcome.rank_loss for record in records])  # (n,)
    if np.ptp(ranks) == 0:
        raise HptError(
            f"study has {len(records)} trials of one loss, or all failed, so nothing matters in it"
        )
    points = np.nan_to_num(
        [space.to_unit(record.config) for record in records], nan=ABSENT
    )  # (n, d)
    falls = []
    scores = []
    for train, rest in KFold(FOLDS, shuffle=True, random_state=seed).split(points):
        forest = RandomForestRegressor(TREES, min_samples_leaf=2, random_state=seed, n_jobs=1)
        forest.fit(points[train], ranks[train])
        shuffled = permutation_importance(
            forest,
            points[rest],
            ranks[rest],
            n_repeats=SHUFFLES,
            random_state=seed,
            scoring=_r2(ranks),
        )
        falls.append(shuffled.importances_mean)
        scores.append(_r2(ranks)(forest, points[rest], ranks[rest]))
    means = np.mean(falls, axis=0)
    spreads = np.std(falls, axis=0)
    order = np.argsort(-means, kind="stable")
    names = list(space)
    found = {names[i]: (float(means[i]), float(spreads[i])) for i in order}
    return Importances(found, float(np.mean(scores)), len(records), records[0].budget)


def _r2(ranks: np.ndarray) -> Any:
    """Return a scorer: R² against the variance of all ranks, for that of a small fold is luck."""
    variance = float(ranks.var())

    def score(forest: Any, points: np.ndarray, wanted: np.ndarray) -> float:
        return 1 - float(((forest.predict(points) - wanted) ** 2).mean()) / variance

    return score


def importance(
    study: Any, *, space: Space | None = None, seed: int = 0, ax: Axes | None = None
) -> Axes:
    """Draw each dimension's permutation importance, the most important on top; return the axes.

    Bars: by how much R² of the ranks falls, on trials that the forest has not seen; whiskers: one
    standard deviation over five folds. Hatched bars are within two of them of zero.

    Caveat: importance belongs to the ranges that were searched. A dimension whose range holds only
    good values looks unimportant, a range that reaches into failure looks all-important, and a
    strategy that has settled on one value leaves nothing to learn. Two dimensions that moved
    together share their importance in any proportion. Where R² is near zero the bars mean nothing,
    and the title says so.
    """
    finished(study)
    found = importances(study, space=space, seed=seed)
    ax = axes(ax, height=max(2.5, 1.2 + 0.5 * len(found.falls)))
    names = list(found.falls)
    for row, (mean, spread) in enumerate(found.falls.values()):
        clear = mean > 2 * spread
        ax.barh(
            row,
            mean,
            color=BLUE if clear else FAINT,
            hatch="" if clear else "///",
            edgecolor=INK,
            linewidth=0.6,
            xerr=spread,
            error_kw={"ecolor": INK, "capsize": 3},
            zorder=3,
        )
    ax.axvline(0, color=INK, linewidth=1)
    fall = found.falls[names[0]][0]
    title = f"{names[0]} matters most: without it R² falls by {fall:.2f}, from {found.score:.2f}"
    if found.score < 0.1:
        title = (
            f"{found.trials} trials don't say what matters: R² on unseen ones is {found.score:.2f}"
        )
    listed = ", ".join(f"{name} {mean:.2f}" for name, (mean, _) in found.falls.items())
    finish(
        ax,
        title=title,
        xlabel="fall of R² when the dimension is shuffled (ranks of the losses)",
        ylabel="",
        description=f"Bars of permutation importance from {count(found.trials, 'trial')} at budget "
        f"{found.budget:g}: {listed}.",
    )
    ax.set_yticks(range(len(names)), names)
    for label in ax.get_yticklabels():
        label.set_parse_math(False)
    ax.invert_yaxis()
    return ax

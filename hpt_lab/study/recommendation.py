"""Which config to recommend after a search: the lowest posterior mean among those tried, not the
luckiest score.

Under noise the smallest of many scores is partly luck, and its config disappoints when it is
trained again. A Gaussian process shares what neighbours have shown: a score far below its
neighbours' is pulled towards them. Frazier ("A tutorial on Bayesian optimization", 2018,
arXiv:1807.02811, section 4.1) recommends the lowest posterior mean anywhere; we stay with what was
tried, so that there is a trained model. Read `recommend`.
"""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from hpt_lab.arguments import show
from hpt_lab.errors import StudyError
from hpt_lab.history import History, Record
from hpt_lab.space import Space
from hpt_lab.strategies.bayesian_optimization import as_points, winsorized
from hpt_lab.study.study import Study
from hpt_lab.surrogates.embedding import Embedding
from hpt_lab.surrogates.gaussian_process import fit

ENOUGH = 4  # results, below which there is nothing to learn about noise
NOISE_PRIOR = (
    -4.0,
    2.0,
)  # of its log variance: who asks which score was luck expects some, a proposal expects little


def recommend(study: Study | History, space: Space | None = None) -> Record | None:
    """Return the record whose config has the lowest posterior mean; None if every trial failed.

    Only records of the largest budget take part: an unfinished training can't be compared. With
    fewer than four of them, the one with the smallest loss. A bare History needs its `space`; a
    Study knows it. Ties go to the earlier record.

    >>> from hpt_lab import Float, random_search, tune
    >>> line = Space(x=Float(0, 1))
    >>> study = tune(lambda config: (config["x"] - 0.3) ** 2, random_search(line, trials=9, seed=0))
    >>> recommend(study) == study.best  # without noise the best score is no luck
    True
    """
    history = study.history if isinstance(study, Study) else study
    space = study.strategy.space if space is None and isinstance(study, Study) else space
    if not isinstance(space, Space):
        raise StudyError(
            f"space must be the Space that the configs come from, got {show(space)}; try "
            "recommend(history, space)"
        )
    done = [record for record in history.records if not record.outcome.failed]
    largest = max((record.budget for record in done), default=0)
    done = [record for record in done if record.budget == largest]
    if len(done) < ENOUGH:
        return min(done, key=lambda record: record.loss, default=None)
    return done[int(expected_losses(done, space).argmin())]


@threadpool_limits.wrap(limits=1, user_api="blas")
def expected_losses(records: list[Record], space: Space) -> np.ndarray:
    """Return the posterior mean of the noise-free loss at each record's config, (n,)."""
    embedding = Embedding(space)
    points = embedding.features(as_points(space, [record.config for record in records]))  # (n, p)
    losses = winsorized(np.array([record.loss for record in records]))
    return fit(points, losses, embedding.dims, noise_prior=NOISE_PRIOR).posterior(points)[0]

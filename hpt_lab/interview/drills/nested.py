"""Drill: nested cross-validation, the honest score of a procedure that also tunes."""

from __future__ import annotations

import math

import numpy as np

from hpt_lab.interview.drills.core import drill


def nested_cv(n, configs, loss, outer, inner):
    def folds(rows, k):
        return [([row for row in rows if row not in rows[f::k]], rows[f::k]) for f in range(k)]

    def inner_loss(config, rows):
        return np.mean([loss(config, train, valid) for train, valid in folds(rows, inner)])

    losses = []
    for train, test in folds(list(range(n)), outer):
        best = min(configs, key=lambda config: inner_loss(config, train))
        losses.append(loss(best, train, test))
    return losses


def _folds(rows, k):
    return [([row for row in rows if row not in rows[f::k]], rows[f::k]) for f in range(k)]


def _cv(config, rows, loss, k):
    return sum(loss(config, train, valid) for train, valid in _folds(rows, k)) / k


def _picks_on_test(n, configs, loss, outer, inner):
    return [
        min(loss(config, train, test) for config in configs)
        for train, test in _folds(list(range(n)), outer)
    ]


def _tunes_on_all(n, configs, loss, outer, inner):
    rows = list(range(n))
    best = min(configs, key=lambda config: _cv(config, rows, loss, inner))
    return [loss(best, train, test) for train, test in _folds(rows, outer)]


def _returns_inner(n, configs, loss, outer, inner):
    return [
        min(_cv(config, train, loss, inner) for config in configs)
        for train, _ in _folds(list(range(n)), outer)
    ]


def _not_retrained(n, configs, loss, outer, inner):
    losses = []
    for train, test in _folds(list(range(n)), outer):
        scores = [_cv(config, train, loss, inner) for config in configs]
        best = configs[scores.index(min(scores))]
        losses.append(loss(best, _folds(train, inner)[0][0], test))
    return losses


def _strange_loss(config, train, test):
    """Return a loss that depends on the config and on which rows are where, not on their order."""
    seen = sum(math.sin(config * row) for row in train)
    missed = sum(math.cos(config + row * row) for row in test)
    return 10 + seen + missed


drill(
    nested_cv,
    title="Nested cross-validation",
    lesson="03",
    statement="""
`loss(config, train, test)` trains a config on the rows `train` and returns its loss on `test`.
Rows are 0 ... n-1. Fold f of k of a list of rows tests `rows[f::k]` and trains on its other rows.
For each of the `outer` folds: choose the config with the smallest mean loss over `inner` folds of
the outer training rows (the first of equals), train it on all outer training rows, and measure its
loss on the outer test rows. Return the list of these losses, one for each outer fold.""",
    cases=lambda: [
        (12, [1, 2, 3, 4, 5], _strange_loss, 3, 2),
        (10, [7, 8], _strange_loss, 5, 2),
        (9, [3], _strange_loss, 3, 3),
        (8, [2, 3, 5, 7, 11], _strange_loss, 2, 4),
        (8, [2, 3, 2], lambda config, train, test: 1 / len(train), 2, 2),
    ],
    mistakes={
        _picks_on_test: "the outer test rows may not choose the config: choose by inner folds",
        _tunes_on_all: "choose anew in each outer fold, and from its training rows only",
        _returns_inner: "the inner loss chose the winner, so it flatters: measure on `test`",
        _not_retrained: "after the choice, train on all of the outer training rows",
    },
)

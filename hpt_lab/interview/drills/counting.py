"""Drills that count: F1 from a confusion matrix, average precision, ROC-AUC by ranks."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from hpt_lab.interview.drills.core import drill


def f1(tp, fp, fn):
    called = 2 * tp + fp + fn
    return 2 * tp / called if called else 0.0


def _precision(tp: int, fp: int, fn: int) -> float:
    return tp / (tp + fp)


def _recall(tp: int, fp: int, fn: int) -> float:
    return tp / (tp + fn)


def _plain_mean(tp: int, fp: int, fn: int) -> float:
    return (_precision(tp, fp, fn) + _recall(tp, fp, fn)) / 2


drill(
    f1,
    title="F1 from counts",
    lesson="03",
    statement="""
Return the F1 score from true positives, false positives and false negatives.
Where there is nothing to find and nothing was called, it is 0.""",
    cases=lambda: [(8, 2, 4), (1, 0, 0), (0, 3, 4), (0, 0, 0), (5, 0, 5), (50, 950, 0)],
    mistakes={
        _precision: "that is precision: F1 also asks how many you missed",
        _recall: "that is recall: F1 also asks how many of those you called were wrong",
        _plain_mean: "that is the plain mean of precision and recall; F1 is their harmonic mean",
    },
)


def average_precision(labels, scores):
    positives = sum(labels)
    if positives == 0:
        return 0.0
    area = 0.0
    recall_before = 0.0
    for threshold in sorted(set(scores), reverse=True):
        called = [label for label, score in zip(labels, scores, strict=True) if score >= threshold]
        precision = sum(called) / len(called)
        recall = sum(called) / positives
        area += precision * (recall - recall_before)
        recall_before = recall
    return area


def _points(labels, scores):
    """Return (precision, recall) at each threshold, the highest score first."""
    points = []
    for threshold in sorted(set(scores), reverse=True):
        called = [label for label, score in zip(labels, scores, strict=True) if score >= threshold]
        points.append((sum(called) / len(called), sum(called) / sum(labels)))
    return points


def _trapezoids(labels, scores):
    points = [(1.0, 0.0), *_points(labels, scores)]
    return sum((p1 + p0) / 2 * (r1 - r0) for (p0, r0), (p1, r1) in pairwise(points))


def _ties_in_order(labels, scores):
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    found = 0
    total = 0.0
    for rank, i in enumerate(order, 1):
        found += labels[i]
        total += labels[i] * found / rank
    return total / sum(labels)


def _mean_precision(labels, scores):
    points = _points(labels, scores)
    return sum(precision for precision, _ in points) / len(points)


def _lowest_first(labels, scores):
    return average_precision(labels, [-score for score in scores])


RANKED = [
    ([1, 0, 1, 1, 0, 0, 1], [0.9, 0.7, 0.7, 0.45, 0.3, 0.8, 0.4]),
    ([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4]),
    ([1, 0], [0.5, 0.5]),
    ([0, 1, 1], [3, 2, 1]),
    ([1, 1, 0, 0, 0], [5, 4, 3, 2, 1]),
    ([0, 0, 0, 1, 1], [5, 4, 3, 2, 1]),
    ([1, 0, 0, 1, 0, 1], [2, 2, 2, 1, 1, 1]),
]

drill(
    average_precision,
    title="Average precision",
    lesson="03",
    statement="""
`labels` are 0 or 1, `scores` say how surely an item is a 1. Lower the threshold from the highest
score to the lowest, one distinct score at a time; items with equal scores are called together.
Return the sum of precision times the gain in recall at each threshold (no interpolation).
Without any positive it is 0.""",
    cases=lambda: [*RANKED, ([0, 0, 0], [1, 2, 3])],
    mistakes={
        _trapezoids: "no trapezoids: a straight line between two points is too hopeful here",
        _ties_in_order: "items with equal scores are called together, in whatever order they stand",
        _mean_precision: "weight each precision by the gain in recall there; no plain mean",
        _lowest_first: "begin with the highest score: lower the threshold step by step",
    },
)


def roc_auc(labels, scores):
    labels = np.asarray(labels)
    ordered = np.sort(scores)
    below = np.searchsorted(ordered, scores, "left")
    not_above = np.searchsorted(ordered, scores, "right")
    ranks = (below + not_above + 1) / 2  # from 1; equal scores share the mean of their ranks
    positives = np.sum(labels == 1)
    negatives = np.sum(labels == 0)
    if positives == 0 or negatives == 0:
        return math.nan
    least = positives * (positives + 1) / 2
    return (np.sum(ranks[labels == 1]) - least) / (positives * negatives)


def _pairs(labels, scores, tie):
    wins = [
        1.0 if a > b else tie if a == b else 0.0
        for a, one in zip(scores, labels, strict=True)
        if one
        for b, other in zip(scores, labels, strict=True)
        if not other
    ]
    return sum(wins) / len(wins)


def _ties_lose(labels, scores):
    return _pairs(labels, scores, 0.0)


def _ties_win(labels, scores):
    return _pairs(labels, scores, 1.0)


def _reversed(labels, scores):
    return 1 - _pairs(labels, scores, 0.5)


def _least_forgotten(labels, scores):
    positives = sum(labels)
    negatives = len(labels) - positives
    return _pairs(labels, scores, 0.5) + positives * (positives + 1) / 2 / (positives * negatives)


def _hard_calls(labels, scores):
    middle = (max(scores) + min(scores)) / 2
    return _pairs(labels, [score > middle for score in scores], 0.5)


drill(
    roc_auc,
    title="ROC-AUC by ranks",
    lesson="03",
    statement="""
Return the area under the ROC curve from the ranks of the scores (Mann-Whitney): the share of pairs
of a positive and a negative in which the positive scores higher; a tie counts one half.
With one class only it is undefined: return NaN.""",
    cases=lambda: [*RANKED, ([1, 1], [1, 2]), ([0, 0, 0], [1, 2, 3])],
    mistakes={
        _ties_lose: "a tie counts one half: equal scores share the mean of their ranks",
        _ties_win: "a tie is no win: it counts one half",
        _reversed: "that is one minus the area: the highest score gets the highest rank",
        _least_forgotten: "subtract the least rank sum that p positives can have, p (p + 1) / 2",
        _hard_calls: "use the scores themselves: a threshold of your own throws the ranking away",
    },
)

"""Drills that split data: k-fold and stratified k-fold without leakage, by group, by time, nested.

Folds have many right forms, so three of the five are judged by their properties.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from hpt_lab.checks.core import Wrong, call, show
from hpt_lab.interview.drills.core import drill

LEAK = "a row is in training and test at once: train on all rows that are not in the test fold"
LOST = "each row must be tested exactly once: what happens to the rest when k does not divide n?"
UNEVEN = "spread the rest over the folds, one each, instead of giving it all to one of them"
FOLDS = "return a list of k pairs (train, test), one for each fold"
UNUSED = "train on all rows outside of the test fold: k - 1 folds, not one"


def _folds(result: Any, n: int, k: int) -> list[tuple[list[int], list[int]]]:
    """Return the folds as lists, if they are k clean folds of n rows; raise Wrong otherwise."""
    try:
        folds = [([int(i) for i in train], [int(i) for i in test]) for train, test in result]
    except (TypeError, ValueError):
        raise Wrong(f"{show(result)} is no list of pairs of row numbers", hint=FOLDS) from None
    if len(folds) != k:
        raise Wrong(f"{k} folds were asked for, got {len(folds)}", hint=FOLDS)
    tested = sorted(row for _, test in folds for row in test)
    if tested != list(range(n)):
        raise Wrong(f"with n={n} and k={k} these rows are tested: {show(tested)}", hint=LOST)
    for train, test in folds:
        if set(train) & set(test):
            raise Wrong(f"train {show(train)} and test {show(test)} share rows", hint=LEAK)
        if sorted(train) != sorted(set(range(n)) - set(test)):
            raise Wrong(f"train {show(train)} with test {show(test)} is not the rest", hint=UNUSED)
    return folds


def k_fold(n, k):
    folds = []
    for fold in range(k):
        test = [row for row in range(n) if row % k == fold]
        train = [row for row in range(n) if row % k != fold]
        folds.append((train, test))
    return folds


def _trains_on_all(n, k):
    return [(list(range(n)), test) for _, test in k_fold(n, k)]


def _loses_rest(n, k):
    size = n // k
    tests = [range(fold * size, (fold + 1) * size) for fold in range(k)]
    return [([row for row in range(n) if row not in test], list(test)) for test in tests]


def _rest_in_last(n, k):
    size = n // k
    ends = [fold * size for fold in range(k)] + [n]
    tests = [range(ends[fold], ends[fold + 1]) for fold in range(k)]
    return [([row for row in range(n) if row not in test], list(test)) for test in tests]


def _one_split(n, k):
    return k_fold(n, k)[:1]


def _swapped(n, k):
    folds = k_fold(n, k)
    return [(folds[(fold + 1) % k][1], folds[fold][1]) for fold in range(k)]


def _judge_k_fold(answer: Any) -> None:
    for n, k in [(11, 3), (6, 3), (5, 5), (17, 4), (4, 2)]:
        folds = _folds(call(answer, n, k), n, k)
        sizes = [len(test) for _, test in folds]
        if max(sizes) - min(sizes) > 1:
            raise Wrong(f"with n={n} and k={k} the test folds have {sizes} rows", hint=UNEVEN)


drill(
    k_fold,
    title="k-fold",
    lesson="03",
    statement="""
Split rows 0 ... n-1 into k folds. Return a list of k pairs (train, test) of lists of row numbers:
every row is tested exactly once, the sizes of the test folds differ by at most one, and `train`
is every row that is not in `test`. Which row goes to which fold is yours to choose.""",
    cases=lambda: [],
    judge=_judge_k_fold,
    mistakes={
        _trains_on_all: LEAK,
        _loses_rest: LOST,
        _rest_in_last: UNEVEN,
        _one_split: FOLDS,
        _swapped: UNUSED,
    },
)

UNSTRATIFIED = "deal each class out over the folds by itself, like cards"


def stratified_k_fold(labels, k):
    fold_of = {}
    for label in set(labels):
        rows = [row for row, other in enumerate(labels) if other == label]
        for position, row in enumerate(rows):
            fold_of[row] = position % k
    folds = []
    for fold in range(k):
        test = [row for row in fold_of if fold_of[row] == fold]
        train = [row for row in fold_of if fold_of[row] != fold]
        folds.append((train, test))
    return folds


def _plain(labels, k):
    return [(train, test) for train, test in _rest_in_last(len(labels), k)]


def _stratified_on_all(labels, k):
    return [(list(range(len(labels))), test) for _, test in stratified_k_fold(labels, k)]


def _equal_counts_only(labels, k):
    least = min(Counter(labels).values()) // k
    tests = [
        [
            row
            for label in sorted(set(labels))
            for row in [i for i, other in enumerate(labels) if other == label][
                fold * least : (fold + 1) * least
            ]
        ]
        for fold in range(k)
    ]
    return [([i for i in range(len(labels)) if i not in test], test) for test in tests]


def _judge_stratified(answer: Any) -> None:
    cases: list[tuple[list[Any], int]] = [
        ([0] * 10 + [1] * 5, 3),
        (list("abacabaabbca"), 3),
        ([1, 0] * 6 + [0] * 8, 4),
        ([0, 0, 1, 1], 2),
    ]
    for labels, k in cases:
        for _, test in (folds := _folds(call(answer, labels, k), len(labels), k)):
            counts = Counter(labels[row] for row in test)
            for label, total in Counter(labels).items():
                if counts[label] not in (total // k, math.ceil(total / k)):
                    raise Wrong(
                        f"{label!r} is in {total} rows, {counts[label]} of them in one of "
                        f"{len(folds)} folds",
                        hint=UNSTRATIFIED,
                    )


drill(
    stratified_k_fold,
    title="Stratified k-fold",
    lesson="03",
    statement="""
Split the rows of `labels` into k folds with each class's share kept. Return a list of k pairs
(train, test) of row numbers: every row is tested exactly once, `train` is every row that is not in
`test`, and the number of rows of a class differs by at most one between the test folds.""",
    cases=lambda: [],
    judge=_judge_stratified,
    mistakes={_plain: UNSTRATIFIED, _stratified_on_all: LEAK, _equal_counts_only: LOST},
)

TORN = "rows of one group are on both sides: deal out groups, not rows"
GROUPS_UNEVEN = "deal the distinct groups out in turn: their numbers may differ by one at most"


def group_k_fold(groups, k):
    distinct = sorted(set(groups))
    folds = []
    for fold in range(k):
        tested = distinct[fold::k]
        test = [row for row, group in enumerate(groups) if group in tested]
        train = [row for row, group in enumerate(groups) if group not in tested]
        folds.append((train, test))
    return folds


def _by_row(groups, k):
    return k_fold(len(groups), k)


def _groups_rest_in_last(groups, k):
    distinct = sorted(set(groups))
    size = len(distinct) // k
    folds = []
    for fold in range(k):
        stop = (fold + 1) * size if fold < k - 1 else None
        tested = distinct[fold * size : stop]
        test = [row for row, group in enumerate(groups) if group in tested]
        folds.append(([row for row in range(len(groups)) if row not in test], test))
    return folds


def _groups_lost(groups, k):
    kept = sorted(set(groups))[: len(set(groups)) // k * k]
    folds = []
    for fold in range(k):
        test = [row for row, group in enumerate(groups) if group in kept[fold::k]]
        folds.append(([row for row in range(len(groups)) if row not in test], test))
    return folds


def _judge_group(answer: Any) -> None:
    cases: list[tuple[list[Any], int]] = [
        (list("abcabcddee"), 3),
        ([3, 1, 3, 2, 2, 1, 4, 4], 2),
        (list("zyx"), 3),
        ([5, 6, 7, 8, 9, 10, 11, 5, 5], 4),
    ]
    for groups, k in cases:
        for train, test in _folds(call(answer, groups, k), len(groups), k):
            inside = {groups[row] for row in test}
            if inside & {groups[row] for row in train}:
                raise Wrong(f"groups {groups}: test rows {test} tear a group apart", hint=TORN)
            least = len(set(groups)) // k
            if not least <= len(inside) <= math.ceil(len(set(groups)) / k):
                raise Wrong(
                    f"{len(set(groups))} groups, k={k}: a test fold has {len(inside)}",
                    hint=GROUPS_UNEVEN,
                )


drill(
    group_k_fold,
    title="k-fold by group",
    lesson="03",
    statement="""
`groups[row]` says whom a row belongs to (a patient, a user). Return a list of k pairs (train, test)
of row numbers: every row is tested exactly once, `train` is every row that is not in `test`, no
group is on both sides, and the number of groups differs by at most one between the test folds.
There are at least k groups.""",
    cases=lambda: [],
    judge=_judge_group,
    mistakes={_by_row: TORN, _groups_rest_in_last: GROUPS_UNEVEN, _groups_lost: LOST},
)


def time_split(times, k, gap):
    order = [int(row) for row in np.argsort(times)]
    size = len(times) // (k + 1)
    folds = []
    for fold in range(1, k + 1):
        start = fold * size
        folds.append((order[: start - gap], order[start : start + size]))
    return folds


def _not_sorted(times, k, gap):
    return time_split(range(len(times)), k, gap)


def _trains_on_future(times, k, gap):
    order = [int(row) for row in np.argsort(times)]
    return [
        ([row for row in order if row not in test], test) for _, test in time_split(times, k, gap)
    ]


def _no_gap(times, k, gap):
    return time_split(times, k, 0)


def _sliding(times, k, gap):
    size = len(times) // (k + 1)
    return [(train[-(size - gap) :], test) for train, test in time_split(times, k, gap)]


drill(
    time_split,
    title="Split by time",
    lesson="03",
    statement="""
Walk forward in time. Put the rows in the order of `times` (which need not be sorted; no two are
equal), cut them into k + 1 blocks of equal size (k + 1 divides the number of rows), and return k
pairs (train, test) of row numbers, in the order of time: the test rows are the blocks 1 ... k, the
training rows everything before them, without the last `gap` rows, which are too close.
`gap` is smaller than a block.""",
    cases=lambda: [
        ([8, 3, 5, 1, 9, 2, 7, 4, 6], 2, 1),
        ([4, 3, 2, 1], 1, 0),
        ([1, 2, 3, 4], 3, 0),
        ([60, 50, 40, 30, 20, 10, 5, 55], 3, 1),
    ],
    mistakes={
        _not_sorted: "put the rows in the order of their times first",
        _trains_on_future: "no row after the test block may be in training: it is the future",
        _no_gap: "leave the last `gap` rows before the test block out of training",
        _sliding: "train on everything before the test block, not on the latest block alone",
    },
)

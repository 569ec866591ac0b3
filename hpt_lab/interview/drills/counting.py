"""Drills that count: F1 from a confusion matrix."""

from __future__ import annotations

from hpt_lab.interview.drills.core import drill


def f1(tp, fp, fn):  # type: ignore[no-untyped-def]
    called = 2 * tp + fp + fn
    return 2 * tp / called if called else 0.0


def _precision(tp: int, fp: int, fn: int) -> float:
    return tp / (tp + fp)


def _recall(tp: int, fp: int, fn: int) -> float:
    return tp / (tp + fn)


def _plain_mean(tp: int, fp: int, fn: int) -> float:
    return (_precision(tp, fp, fn) + _recall(tp, fp, fn)) / 2


drill(
    f1, title="F1 from counts", lesson="03",
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

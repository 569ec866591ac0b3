"""What lesson 03 claims of honest measuring: splits, leaks, the luck in a score, and metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hpt_lab.claims.core import claim

Pairs = Sequence[tuple[np.ndarray, np.ndarray]]


def unseen(pairs: np.ndarray, larger_class: float) -> None:
    """Check new patients. `pairs`: accuracies with folds by class and by patient, (draws, 2)."""
    by_class, by_patient = pairs.mean(axis=0)
    error = pairs[:, 1].std(ddof=1) / len(pairs) ** 0.5
    claim("close to 100 %", by_class > 0.9)
    claim("fell from 96 % to 68 %", [abs(by_class - 0.96) < 0.02, abs(by_patient - 0.68) < 0.05])
    off = abs(by_patient - larger_class)
    claim("about as well as always saying healthy", off < 2 * error < 0.14)


def splits(
    ill: np.ndarray,
    patient: np.ndarray,
    schemes: Mapping[str, Pairs],
    empty: np.ndarray,
    parts: Mapping[str, np.ndarray],
) -> None:
    """Check four ways to cut folds. `empty`: share of splits with an empty fold, (2,)."""
    plain, strict, by_patient, by_time = schemes.values()
    for pairs in (plain, strict, by_patient):
        held_out = np.sort(np.concatenate([b for _, b in pairs]))
        claim("every row validates once", np.array_equal(held_out, np.arange(len(ill))))
    claim("a fold has nobody ill", min(ill[b].sum() for _, b in plain) == 0)
    claim("stratified folds share out the ill", [ill[b].sum() in (1, 2) for _, b in strict])
    claim(
        "a patient is never on both sides",
        [not set(patient[a]) & set(patient[b]) for a, b in by_patient],
    )
    claim("the past predicts the future", [a.max() < b.min() for a, b in by_time])
    claim(
        "shuffled folds nearly always leave one empty, stratified never",
        [empty[0] > 0.9, empty[1] == 0],
    )
    train, validation, test = parts.values()
    claim(
        "the test part lies last, validation before it",
        [train.max() < validation.min(), validation.max() < test.min()],
    )


def leaks(found: Mapping[str, tuple[np.ndarray, np.ndarray]], above: np.ndarray) -> None:
    """Check the five leaks, and how many errors above chance 20,000 honest pipelines lie."""
    for name, (_, honest) in found.items():
        error = honest.std(ddof=1) / len(honest) ** 0.5
        claim(f"{name}: mended it is chance", abs(honest.mean() - 0.5) < 3 * error < 0.06)
    scaled, selected, doubled, patients, days = (leaky.mean() for leaky, _ in found.values())
    claim("scaling scores one half", abs(scaled - 0.5) < 0.05)
    claim("selection comes close to 80 %", abs(selected - 0.79) < 0.04)
    least = min(doubled, patients, days)
    claim("copies, patients and days are as ruinous", least > selected - 0.06)
    claim("every sixth honest pipeline", abs((above > 1).mean() - 1 / 6) < 0.01)
    claim("one in thirty", 1 / 40 < (above > 2).mean() < 1 / 25)
    claim("a few in a thousand", 0.001 < (above > 3).mean() < 0.006)


def scaling(gain: np.ndarray) -> None:
    """Check that scaling before the split did nothing. `gain`: points, (draws,)."""
    error = gain.std(ddof=1) / len(gain) ** 0.5
    claim("nothing to see", abs(gain.mean()) < 2 * error < 1)


def luck(
    points: Mapping[str, float],
    formula: float,
    seeds: np.ndarray,
    apart: float,
    together: np.ndarray,
    d: np.ndarray,
    shares: Mapping[str, Sequence[float]],
) -> None:
    """Check sources of luck, in points; paired differences; intervals from 3, 5, 10 and 20 seeds.

    `seeds`: scores of the seeds of one config, (draws, seeds).
    """
    seed, search, training, validation = points.values()
    claim(
        "by 3.6 points, as the formula says",
        [abs(validation - 3.6) < 0.3, abs(validation - formula) < 0.3],
    )
    claim("more than the others together", validation > seed + search + training)
    claim(
        "the seed alone: several points from worst to best of 40",
        2 < 100 * np.ptp(seeds, axis=1).mean() < 6,
    )
    claim("most of the luck cancels on the same rows", together < 0.5 * apart)
    claim("the difference's error is about √(d/n)", np.abs(together - 10 * d**0.5) < 0.3)
    normal, student = (np.array(line) for line in shares.values())
    claim("±1.96 errors hold it in four of five with three seeds", abs(normal[0] - 0.81) < 0.03)
    claim("the t-interval in about 95 %", np.abs(student - 0.95) < 0.025)
    claim("with 20 seeds it hardly matters", student[-1] - normal[-1] < 0.03)


def curse(
    promised: np.ndarray,
    kept: np.ndarray,
    equal: np.ndarray,
    theory: np.ndarray,
    expected: Sequence[float],
) -> None:
    """Check the curse of 1 to 80 configs, of equal models by rows, and of normal luck."""
    table = [0, 0.564, 1.163, 1.539, 1.867, 2.161, 2.427]  # expected largest of k standard normals
    claim("as in the table of normal maxima", np.abs(np.array(expected) - table) < 0.02)
    gap = promised - kept
    claim("one config doesn't flatter", abs(gap[0]) < 0.005)
    claim("more configs flatter more", np.diff(gap) > 0)
    claim("by about two points", abs(100 * gap[-1] - 2.2) < 0.5)
    real = (kept[-1] - kept[0]) / (promised[-1] - promised[0])
    claim("about half was real", 0.35 < real < 0.65)
    claim("the best of equal models still flatters", equal > 0)
    claim("less than independent models would", equal < theory)
    claim("it falls with the root of the rows", 2.5 < equal[0] / equal[-1] < 7)


def few_rows(off: np.ndarray, runs: np.ndarray) -> None:
    """Check k-fold and nested cross-validation.

    `off`: estimate − truth of 2, 5, 10 and 60 folds, (4, sets). `runs`: flat, nested, its truth,
    truth of what ships, different winners; (candidates, sets, 5).
    """
    error = off.std(axis=1, ddof=1) / off.shape[1] ** 0.5
    spread = 100 * off.std(axis=1, ddof=1)
    claim("two folds are too pessimistic", off[0].mean() < -4 * error[0])
    claim(
        "five are nearly right, ten right",
        [-0.015 < off[1].mean() < 0.005, abs(off[2].mean()) < 2.5 * error[2]],
    )
    claim("sixty gain nothing", abs(spread[3] - spread[2]) < 0.5)
    claim("the spread is about four points", np.abs(spread[1:] - 4) < 0.7)
    flat, nested, truth, shipped, winners = np.moveaxis(runs, 2, 0)
    claim("with one candidate both are one number", np.isclose(flat[0], nested[0]))
    claim(
        "the flat score promises 75 %, the truth is 61 %",
        [abs(flat[2].mean() - 0.75) < 0.015, abs(truth[2].mean() - 0.61) < 0.015],
    )
    claim("nested is right for its training size", np.abs((nested - truth).mean(axis=1)) < 0.02)
    better = shipped - truth
    sets = runs.shape[1]
    claim(
        "what ships is slightly better",
        [better.mean() > 3 * better.std() / better.size**0.5, better.mean() < 0.015],
    )
    claim("one verdict scatters by several points", 0.04 < (nested - truth).std() < 0.1)
    claim("the outer folds mostly chose different ones", (winners[2] >= 3).sum() > 0.8 * sets)


def _threshold(y: np.ndarray, p: np.ndarray, cuts: Sequence[float]) -> None:
    """Check that a lower threshold finds more and alarms more. `y`, `p`: of validation rows."""
    found = [((p >= cut) & (y == 1)).sum() for cut in cuts]
    alarms = [((p >= cut) & (y == 0)).sum() for cut in cuts]
    claim("the lower threshold finds more positives", [np.diff(cuts) > 0, np.diff(found) < 0])
    claim("and raises more false alarms", np.diff(alarms) < 0)


def metrics(
    table: Mapping[str, Mapping[str, np.ndarray]],
    again: np.ndarray,
    y: np.ndarray,
    f1: Mapping[str, np.ndarray],
    resampled: np.ndarray,
    y_valid: np.ndarray,
    p_valid: np.ndarray,
    cuts: Sequence[float],
) -> None:
    """Check metrics. `table`: {case: {metric: runs}}; `again`: bootstrap, (draws, 4).

    `f1`: {way to choose the threshold: (splits,)}; `resampled`: F1 without, before, inside; the
    rest as for the confusion matrix.
    """
    _threshold(y_valid, p_valid, cuts)
    share = y.mean()
    never, network, thinned = (
        {name: runs.mean() for name, runs in case.items()} for case in table.values()
    )
    claim("one row in 45", abs(1 / share - 45) < 2)
    claim("always no has 98 % accuracy", abs(never["accuracy"] - 0.978) < 0.005)
    claim("and nothing else", [never["f1"] == 0, never["roc_auc"] == 0.5])
    claim(
        "a random ranking's average precision is about the share",
        abs(never["average_precision"] - share) < 0.002,
    )
    claim("accuracy falls when negatives go", thinned["accuracy"] < network["accuracy"] - 0.1)
    claim(
        "ROC-AUC stands still at 0.87",
        [
            abs(network["roc_auc"] - 0.87) < 0.02,
            abs(thinned["roc_auc"] - network["roc_auc"]) < 0.01,
        ],
    )
    rise = thinned["average_precision"] - network["average_precision"]
    claim("average precision rises by 0.26", abs(rise - 0.26) < 0.04)
    claim("F1 hardly moves", abs(thinned["f1"] - network["f1"]) < 0.05)
    widths = np.ptp(np.quantile(again, [0.025, 0.975], axis=0), axis=0)
    claim("the bars are wide", [widths[1] > 0.12, widths[3] > 0.12])
    splits = list(table.values())[1]["average_precision"].std(ddof=1)
    ratio = again[:, 3].std() / splits
    claim("the bootstrap's deviation is that of other splits", 0.6 < ratio < 1.7)
    _chosen(f1)
    without, before, inside = resampled
    claim("before the split it looks solved", before > 0.97)
    claim("inside the folds it is 0.4", [abs(inside - 0.39) < 0.06, abs(inside - without) < 0.1])


def _chosen(f1: Mapping[str, np.ndarray]) -> None:
    at_half, fair, leaked, _ = f1.values()
    gain = fair - at_half
    claim(
        "choosing on validation rows gains about four points",
        [abs(gain.mean() - 0.043) < 0.02, gain.mean() > 3 * gain.std() / len(gain) ** 0.5],
    )
    claim("chosen on test it is never worse", leaked >= fair - 1e-9)
    claim("and looks better", leaked.mean() > fair.mean() + 0.01)

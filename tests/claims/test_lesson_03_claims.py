"""The claims of lesson 03 hold for arrays as it finds them, and a wrong array makes one fail."""

import numpy as np
import pytest

from hpt_lab.claims import lesson_03 as claims

SEEDS = np.linspace(-1, 1, 40)
PATIENT = np.repeat(np.arange(8), 3)
ILL = np.isin(PATIENT, (2, 5)).astype(int)
METRICS = ["accuracy", "f1", "roc_auc", "average_precision"]


def spread(mean, deviation, n=100):
    """Return n numbers with this mean and deviation."""
    values = np.random.default_rng(n).standard_normal(n)
    return mean + deviation * (values - values.mean()) / values.std(ddof=1)


def others(parts):
    return [(np.setdiff1d(np.arange(24), part), np.array(part)) for part in parts]


def unseen(by_patient=0.68):
    return np.stack([spread(0.96, 0.01, 6), spread(by_patient, 0.12, 6)], axis=1), 2 / 3


def splits(*, strict=None, by_time=None, empty=(0.96, 0.0)):
    ill = np.flatnonzero(ILL)
    well = np.flatnonzero(1 - ILL)
    row = np.concatenate([well, ill])
    forwards = [(np.arange(6 * i), np.arange(6 * i, 6 * i + 6)) for i in (1, 2, 3)]
    schemes = {
        "plain": others([well[:6], row[6:12], row[12:18], row[18:]]),
        "strict": strict or others([row[i::4] for i in range(4)]),
        "grouped": others([np.arange(6 * i, 6 * i + 6) for i in range(4)]),
        "time": by_time or forwards,
    }
    parts = {"training": np.arange(60), "validation": np.arange(60, 80), "test": np.arange(80, 100)}
    return ILL, PATIENT, schemes, np.array(empty), parts


def leaks(selected=0.79, mended=0.49, wide=1.0):
    means = [0.48, selected, 0.77, 0.96, 0.9]
    found = {str(mean): (spread(mean, 0.04, 20), spread(mended, 0.06, 20)) for mean in means}
    honest = np.random.default_rng(0).binomial(100, 0.5, (20_000, 20)) / 100
    error = honest.std(axis=1, ddof=1) / 20**0.5
    return found, wide * (honest.mean(axis=1) - 0.5) / error


def luck(rows=3.57, together=1.6, normal=0.815):
    points = {"seed": 0.7, "search": 1.0, "training": 1.3, "rows": rows}
    d = np.array([0.005, 0.009, 0.028])
    measured = np.array([0.7, 0.95, together])
    shares = {"normal": [normal, 0.88, 0.92, 0.94], "t": [0.94, 0.95, 0.95, 0.95]}
    return points, 3.7, 0.83 + 0.02 * np.tile(SEEDS, (10, 1)), 5.2, measured, d, shares


def curse(kept_last=0.8542, equal_last=0.0026):
    promised = np.array([0.8337, 0.8444, 0.8548, 0.8618, 0.8678, 0.8726, 0.8765])
    kept = np.array([0.8335, 0.8401, 0.8455, 0.8491, 0.8518, 0.8534, kept_last])
    equal = np.array([0.0133, 0.0086, 0.0073, 0.0043, equal_last])
    theory = 1.54 * (0.14 / np.array([50, 100, 200, 400, 800])) ** 0.5
    return promised, kept, equal, theory, [0.0, 0.562, 1.165, 1.54, 1.867, 2.162, 2.427]


def few_rows(bias=-0.025, shipped=0.005, flat=0.748):
    off = np.stack([spread(mean, 0.04, 200) for mean in (bias, -0.006, 0.0, 0.0)])
    truth = np.stack([spread(mean, 0.02) for mean in (0.595, 0.604, 0.605)])
    nested = truth + spread(0.0, 0.07)
    first = np.stack([nested[0], spread(0.68, 0.03), spread(flat, 0.03)])
    winners = np.stack([np.full(100, n) for n in (1, 2, 4)])
    return off, np.stack([first, nested, truth, truth + shipped, winners], axis=2)


def metrics(auc=0.872, rise=0.256, gain=0.043, inside=0.39, lowest=0.02):
    y = np.zeros(4000, int)
    y[:89] = 1
    means = {
        "never": (0.978, 0.0, 0.5, y.mean()),
        "network": (0.986, 0.569, 0.871, 0.59),
        "thinned": (0.816, 0.584, auc, 0.59 + rise),
    }
    table = {}
    for case, values in means.items():
        width = 0.0 if case == "never" else 0.045
        runs = [spread(value, width, 20) for value in values]
        table[case] = dict(zip(METRICS, runs, strict=True))
    again = np.stack([spread(0.5, 0.05, 200)] * 4, axis=1)
    at_half = spread(0.569, 0.04, 20)
    fair = at_half + spread(gain, 0.03, 20)
    f1 = {"half": at_half, "fair": fair, "leak": fair + 0.02, "there": fair}
    p = np.random.default_rng(1).random(4000) * np.where(y == 1, 1.0, 0.6)
    return table, again, y, f1, np.array([0.37, 0.99, inside]), y, p, [lowest, 0.2, 0.5]


@pytest.mark.parametrize(
    ("section", "arrays"),
    [
        (claims.unseen, unseen),
        (claims.splits, splits),
        (claims.leaks, leaks),
        (claims.luck, luck),
        (claims.curse, curse),
        (claims.few_rows, few_rows),
        (claims.metrics, metrics),
    ],
)
def test_the_claims_hold_for_what_the_lesson_finds(section, arrays):
    section(*arrays())


def test_scaling_before_the_split_is_nothing_to_see():
    claims.scaling(spread(0.2, 1.5, 30))
    with pytest.raises(AssertionError, match="nothing to see"):
        claims.scaling(spread(2.0, 1.5, 30))


@pytest.mark.parametrize(
    ("section", "arrays", "sentence"),
    [
        (claims.unseen, unseen(by_patient=0.9), "fell from 96 % to 68 %"),
        (claims.splits, splits(strict=others(np.arange(24).reshape(4, 6))), "share out the ill"),
        (claims.splits, splits(by_time=others(np.arange(24).reshape(4, 6))), "past predicts"),
        (claims.splits, splits(empty=(0.96, 0.1)), "stratified never"),
        (claims.leaks, leaks(selected=0.6), "close to 80 %"),
        (claims.leaks, leaks(mended=0.56), "mended it is chance"),
        (claims.leaks, leaks(wide=0.7), "every sixth"),
        (claims.luck, luck(rows=2.0), "by 3.6 points"),
        (claims.luck, luck(together=2.4), "√"),
        (claims.luck, luck(normal=0.93), "four of five"),
        (claims.curse, curse(kept_last=0.84), "about two points"),
        (claims.curse, curse(equal_last=0.01), "root of the rows"),
        (claims.few_rows, few_rows(bias=0.0), "too pessimistic"),
        (claims.few_rows, few_rows(shipped=0.0), "slightly better"),
        (claims.few_rows, few_rows(flat=0.65), "promises 75 %"),
        (claims.metrics, metrics(auc=0.95), "ROC-AUC stands still"),
        (claims.metrics, metrics(rise=0.0), "rises by 0.26"),
        (claims.metrics, metrics(gain=0.0), "about four points"),
        (claims.metrics, metrics(inside=0.99), "inside the folds"),
        (claims.metrics, metrics(lowest=0.7), "lower threshold"),
    ],
)
def test_a_wrong_array_fails_with_its_sentence(section, arrays, sentence):
    with pytest.raises(AssertionError, match=sentence):
        section(*arrays)

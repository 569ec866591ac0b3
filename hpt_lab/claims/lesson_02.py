"""What lesson 02 claims of fits, cures, measuring, and double descent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hpt_lab.claims.core import claim

Curves = Mapping[str, np.ndarray]
Scores = Mapping[str, tuple[np.ndarray, np.ndarray]]


def capacity(train: np.ndarray, valid: np.ndarray, truth: float) -> None:
    """Check the validation curve. Both: accuracy, (widths, seeds)."""
    claim("a network that knows the truth scores 80 % on validation rows", abs(truth - 0.8) < 1e-12)
    low = train.mean(axis=1)
    new = valid.mean(axis=1)
    claim(
        "training accuracy climbs from below the ceiling to above it",
        [low[0] < 0.77, low[-1] > 0.86, np.diff(low).min() > -0.01],
    )
    claim("validation accuracy is best in the middle", max(new[0], new[-1]) < new.max() - 0.02)
    claim("the two ends have nearly the same validation score", abs(new[0] - new[-1]) < 0.03)
    claim("the lines part", [low[0] - new[0] < 0.08, low[-1] - new[-1] > 0.15])


def fits(
    agreed: Mapping[int, float], wrong: Mapping[int, float], bias2: np.ndarray, variance: np.ndarray
) -> None:
    """Check who agrees with flips, against who errs on new rows (shares by units), and the split by
    width."""
    claim("one unit agrees with a fifth of the flips", 0.12 < agreed[1] < 0.28)
    claim("that is about as many as it gets wrong anywhere", abs(agreed[1] - wrong[1]) < 0.06)
    claim(
        "64 units agree with four times as many as their mistakes explain",
        3.3 < agreed[64] / wrong[64] < 5,
    )
    total = bias2 + variance
    claim("bias falls with the width", np.diff(bias2) < 0.002)
    claim("variance grows", np.diff(variance) > -0.004)
    claim("by much", [bias2[0] > 4 * bias2[-1], variance[-1] > 2.5 * variance[0]])
    claim("their sum has the valley", 0 < total.argmin() < len(total) - 1)
    claim("and it is one", min(total[0], total[-1]) > total.min() + 0.005)


def losses(by_width: Mapping[int, Curves], sure: Mapping[int, tuple[float, float]]) -> None:
    """Check the loss curves. `sure`: share of confident answers, and how many of those are
    right."""
    means = {units: by_width[units]["val_loss"].mean(axis=0) for units in (4, 64)}
    ratios = {units: mean[-1] / mean.min() for units, mean in means.items()}
    claim("the validation loss of 64 units ends at nearly twice its best", 1.6 < ratios[64] < 2.1)
    claim("that of 4 units rises much less", ratios[4] < 1.3)
    claim("64 units were best early on", means[64].argmin() < 50)
    claim(
        "the wide network is mostly more than 90 % sure",
        sure[64][0] > 0.5 > 0.4 > sure[4][0] > sure[1][0],
    )
    claim("nobody should be", sure[64][1] < 0.82)


def stopping(
    late: np.ndarray,
    early: np.ndarray,
    stops: np.ndarray,
    restored: Mapping[float, Mapping[str, float]],
) -> None:
    """Check what early stopping gained. Accuracies (widths, seeds); `stops`: (seeds, 2) of 64
    units; `restored`: by hand."""
    plain = restored[0.0]
    strict = restored[0.03]
    claim("restoring brings a lower loss back", plain["restored loss"] < plain["last loss"] - 0.01)
    claim(
        "it stops 20 epochs after the best",
        [one["trained"] == one["best epoch"] + 20 for one in restored.values()],
    )
    claim("a least improvement stops earlier", strict["trained"] < plain["trained"] - 10)
    claim("and ends worse", strict["restored loss"] > plain["restored loss"] + 0.01)
    gain = early - late
    claim("64 units gain about six points", 0.035 < gain[-1].mean() < 0.08)
    claim("in most seeds", (gain[-1] > 0).sum() >= 7)
    claim(
        "narrow ones gain little and may lose",
        [gain[:3].mean(axis=1).min() < 0, gain[:3].mean(axis=1).max() < 0.02],
    )
    best = max(early.mean(axis=1).max(), late.mean(axis=1).max())
    claim("stopped in time, the widest is as good as any", early[-1].mean() > best - 0.015)
    claim("it saves epochs", stops[:, 1].mean() < 80)


def decoupled(left: Mapping[str, Sequence[float]], dropped: np.ndarray, decays: np.ndarray) -> None:
    """Check L2 against decay: what is left of a weight with small, large gradients. `decays`:
    (rates, decays)."""
    claim("the penalty shrinks the weight with small gradients", left["l2"][0] < 0.15)
    claim("and hardly reaches the other: 0.97 left", 0.95 < left["l2"][1] < 0.99)
    claim("decoupled, both shrink alike", abs(left["decay"][0] - left["decay"][1]) < 0.02)
    claim("dropout 0.8 multiplies what is left by 5", np.abs(np.unique(dropped) - [0, 5]) < 1e-4)
    claim("the sum stays right on average", abs(dropped.mean() - 1) < 0.05)
    claim("0.3 is best at both rates", decays.argmax(axis=1) == 1)
    claim(
        "by more than a point",
        np.sort(decays, axis=1)[:, -1] - np.sort(decays, axis=1)[:, -2] > 0.008,
    )


def cures(scores: Scores, late: np.ndarray, slower: Mapping[str, int]) -> None:
    """Check the cures. `scores`: (training, validation) over seeds; `slower`: best epochs."""
    train = {name: pair[0].mean() for name, pair in scores.items()}
    valid = {name: pair[1].mean() for name, pair in scores.items()}
    gains = [
        valid[name] - valid["nothing"] for name in ("early stopping", "dropout 0.3", "decay 0.3")
    ]
    claim("three gains of a similar size", [min(gains) > 0.025, np.ptp(gains) < 0.5 * max(gains)])
    claim("the interview's five to six points", [0.035 < gain < 0.075 for gain in gains])
    strength = [
        valid[f"{knob} 0.3"] - valid[much]
        for knob, much in (("dropout", "dropout 0.8"), ("decay", "decay 10"))
    ]
    claim("the strength matters more than the kind", np.ptp(gains) < np.array(strength))
    claim(
        "one price: a worse training accuracy",
        [value < train["nothing"] - 0.04 for name, value in train.items() if name != "nothing"],
    )
    for name in ("dropout 0.8", "decay 10"):
        claim(
            "far too much makes 64 units as poor as one", abs(valid[name] - late[0].mean()) < 0.025
        )
    claim(
        "a decay of 10 all but closed the gap, at 70 %",
        [train["decay 10"] - valid["decay 10"] < 0.03, abs(valid["decay 10"] - 0.7) < 0.02],
    )
    claim("dropout converges more slowly", slower["dropout"] > 1.2 * slower["nothing"])


def measuring(
    measured: Mapping[str, tuple[float, float, float]],
    strong: Sequence[float],
    modes: Mapping[int, Sequence[float]],
    one_row: np.ndarray,
) -> None:
    """Check why `loss` and `val_loss` differ on the same rows. (loss, val_loss, plain log loss).

    `strong`: dropout 0.8's training accuracy as reported, with all units on, and on validation
    rows. `modes`: batch
    normalisation's {step: mean output in training, in prediction}.
    """
    dropout, penalty, improving = measured.values()
    claim("dropout makes loss higher than val_loss", dropout[0] > dropout[1] + 0.02)
    claim("so does improving", improving[0] > improving[1] + 0.01)
    claim("Keras counts the penalty in both", abs(penalty[0] - penalty[1]) < 1e-3)
    claim("it is in there", penalty[1] > penalty[2] + 0.1)
    claim("val_loss without a penalty is the plain log loss", abs(dropout[1] - dropout[2]) < 1e-3)
    reported, all_on, new = strong
    claim(
        "dropout 0.8 looks worse in training than in validation, and isn't",
        reported < new - 0.01 < all_on - 0.02,
    )
    claim("training mode centres at once", [one[0] < 0.01 for one in modes.values()])
    claim("after ten steps prediction mode is far off", modes[10][1] > 5)
    claim("in the end it is not", modes[300][1] < 0.6)
    claim("a batch of one becomes 0", np.abs(one_row) < 1e-6)


def more_data(by_size: Mapping[int, np.ndarray], splits: Mapping[int, Any], scores: Scores) -> None:
    """Check the learning curves. `by_size`: (training/validation, sizes, seeds); `splits`: (bias^2,
    variance), ends."""
    wide = by_size[64].mean(axis=2)
    narrow = by_size[1].mean(axis=2)
    claim("the wide network gains about seven points", 0.05 < wide[1, -1] - wide[1, 0] < 0.09)
    claim("the narrow one hardly any", abs(narrow[1, -1] - narrow[1, 0]) < 0.03)
    claim("the wide gap closes", [wide[0, 0] - wide[1, 0] > 0.15, wide[0, -1] - wide[1, -1] < 0.04])
    claim(
        "the narrow one ends with a small gap, low down",
        [abs(narrow[0, -1] - narrow[1, -1]) < 0.02, narrow[:, -1].max() < 0.74],
    )
    for few, many in splits.values():
        claim(
            "more data cures variance, not bias",
            [many[1] < 0.25 * few[1], abs(many[0] - few[0]) < 0.012],
        )
    cured = max(pair[1].mean() for pair in scores.values())
    claim("no cure with 800 rows is at least as good as every cure with 100", wide[1, -1] > cured)


def doctor(outcomes: Mapping[str, np.ndarray]) -> None:
    """Check the treatments. `outcomes`: validation accuracy over seeds."""
    means = {name: runs.mean() for name, runs in outcomes.items()}
    base = means["nothing"]
    claim("more data, then L2", means["30 % of the rows"] > means["L2 0.001"] + 0.005 > base + 0.02)
    gain = outcomes["patience 5"] - outcomes["nothing"]
    claim("with seed 0 alone, patience wins three points", 0.02 < gain[0] < 0.04)
    claim("over three seeds it wins none", gain.mean() < 0)


def descent(units: Sequence[int], runs: np.ndarray) -> None:
    """Check double descent. `runs`: (widths, seeds, settings, (error, size, miss))."""
    at = {width: runs[i, :, :, 0].mean(axis=0) for i, width in enumerate(units)}
    size = {width: runs[i, :, 1, 1].mean() for i, width in enumerate(units)}
    errors = np.array(list(at.values()))
    claim(
        "from 200 units on every label is hit exactly",
        runs[units.index(200) :, :, :2, 2].max() < 1e-6,
    )
    claim(
        "without decay the error peaks at 200 units",
        errors[:, :2].argmax(axis=0) == units.index(200),
    )
    claim("over 80 % at 200 units, a fifth wrong", at[200][:2] > [0.78, 0.82])
    claim("a peak on both sides", at[200][:2] > np.maximum(at[40], at[2000])[:2] + 0.4)
    claim("2,000 units err on 7 % with clean labels", abs(at[2000][0] - 0.07) < 0.01)
    claim("weight decay removed the peak", np.diff(errors[:, 2:], axis=0) < 0.02)
    claim("fitting every clean label cost nothing", abs(at[2000][2] - at[2000][0]) < 0.015)
    claim("every noisy one twelve points", abs(at[2000][1] - at[2000][3] - 0.12) < 0.015)
    claim("the weights at the peak are enormous", size[200] > 10 * max(size[40], size[2000]))

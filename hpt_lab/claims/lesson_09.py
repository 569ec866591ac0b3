"""What lesson 09 claims: edges, importance, noise, schedules, growth, fine-tuning, the capstone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hpt_lab.claims.core import claim


def _clear(difference: np.ndarray, errors: float = 2) -> bool:
    """Tell whether a paired difference (seeds,) lies so many standard errors above 0."""
    return bool(difference.mean() > errors * difference.std(ddof=1) / len(difference) ** 0.5)


def edges(
    first: object, second: object, plain: float, at_edge: float, rounds: np.ndarray, start: float
) -> None:
    """Check two rounds: `rounds`, true errors in % of narrow and wide searches, (searches, 2)."""
    narrow, wide = (study.best for study in (first, second))  # type: ignore[attr-defined]
    claim("round 1's best is at the edge", narrow.config["learning_rate"] == 0.03)
    claim("round 2's is inside", 0.0003 < wide.config["learning_rate"] < 0.3)
    claim(
        "round 1 loses to the default, round 2 beats it",
        [100 * narrow.loss > plain, 100 * wide.loss < plain],
    )
    claim("in nine of ten at the lowest rate", 0.85 < at_edge < 0.97)
    claim("by about three points", abs(rounds[:, 0].mean() - start - 3.3) < 0.8)
    claim(
        "wider beats the default by less than a point",
        [_clear(start - rounds[:, 1]), (start - rounds[:, 1]).mean() < 1.2],
    )


def importances(found: Sequence[np.ndarray], exact: Sequence[np.ndarray]) -> None:
    """Check importances, whole space and good rates: rate, units, layers, decay, activation."""
    for forest, true in zip(found, exact, strict=True):
        claim("forest and truth name the same first knob", forest.argmax() == true.argmax())
        claim("the forest is right within 13 points", np.abs(forest - true) < 0.13)
    claim("first the rate, then the activation", [exact[0].argmax() == 0, exact[1].argmax() == 4])
    claim("two thirds of the whole", abs(found[0][0] - 0.67) < 0.07)
    claim(
        "a tenth becomes about half",
        [abs(found[0][4] - 0.1) < 0.05, abs(found[1][4] - 0.48) < 0.08],
    )


def noise(
    a: np.ndarray,
    b: np.ndarray,
    live: np.ndarray,
    spread: float,
    apart: float,
    needed: Sequence[int],
    power: np.ndarray,
) -> None:
    """Check pairs. `a`, `b`: errors in %, (seeds,); `live`: trained again, (3, 2)."""
    recorded = np.stack([a, b], axis=1)[: len(live)]
    claim("three seeds trained again agree", np.abs(live - recorded) < 2)
    claim("on average", abs((live - recorded).mean()) < 0.7)
    claim("a real difference of a quarter of a point", abs((a - b).mean() - 0.25) < 0.1)
    claim("pairing nearly halves the spread", 0.5 < spread / apart < 0.65)
    claim(
        "twelve pairs; unpaired more than twice as many",
        [needed[0] in (12, 15), 2 < needed[1] / needed[0] < 3.5],
    )
    claim("paired is never less powerful", power[0] >= power[1] - 0.03)
    claim("a quarter of a point needs more than a hundred pairs", (2.8 * spread / 0.25) ** 2 > 100)


def reruns(chosen: np.ndarray, variances: Mapping[str, float]) -> None:
    """Check reruns: `chosen`, true errors in % by runs of the best five, (searches, runs)."""
    claim("more runs choose better", np.diff(chosen.mean(axis=0)) < 0.02)
    claim("clearly", _clear(chosen[:, 0] - chosen[:, -1]))
    trial, study, sampling = variances.values()
    claim("sampling is largest", sampling > max(trial, study))


def drill(lines: Mapping[str, np.ndarray]) -> None:
    """Check the four curves of the drill, errors in % by epoch."""
    a, b, c, d = (np.asarray(line) for line in lines.values())
    claim("A still falls", a[-10:].mean() < a[-20:-10].mean() - 0.3)
    claim("B is flat since its first half", abs(b[-10:].mean() - b[25:35].mean()) < 1)
    late = [np.abs(np.diff(line[-20:])).mean() for line in (b, c)]
    claim("C jumps more than B", late[1] > 2 * late[0])
    claim("D broke", d[-10:].min() > 30)


def schedules(runs: Mapping[str, np.ndarray], live: np.ndarray) -> None:
    """Check schedules: {name: errors in % (seeds, peaks)}; `live`: at peak 0.2, (seeds, 6)."""
    names = list(runs)[: live.shape[1]]
    recorded = np.array([runs[name][: len(live), 3] for name in names]).T
    claim("seeds trained again agree", abs((live - recorded).mean()) < 1)
    claim("those that decay agree one by one", np.abs(live - recorded)[:, 2:] < 2)
    best = {name: errors.mean(axis=0).min() for name, errors in runs.items()}
    constant = runs["constant"][:, runs["constant"].mean(axis=0).argmin()]
    cycle = runs["one-cycle"][:, runs["one-cycle"].mean(axis=0).argmin()]
    claim("about a third of a point", abs((constant - cycle).mean() - 0.36) < 0.1)
    claim("which eight draws can't tell from nothing", not _clear(constant - cycle))
    decays = [best[name] for name in ("step", "cosine", "warm-up + cosine", "one-cycle")]
    claim("the decays are within a quarter of a point of one another", np.ptp(decays) < 0.25)
    claim(
        "warm-up alone is no better than a constant rate",
        abs(best["warm-up"] - best["constant"]) < 0.3,
    )
    claim(
        "at 0.4 a constant rate has 20 %, a cosine 9 %",
        [runs["constant"][:, 4].mean() > 15, runs["cosine"][:, 4].mean() < 10],
    )
    claim(
        "a peak too low costs the decays more",
        runs["cosine"][:, 0].mean() > runs["constant"][:, 0].mean() + 5,
    )


def batches(runs: Mapping[str, np.ndarray]) -> None:
    """Check the larger batch: {setting: errors in % (seeds, rates)}."""
    small, epochs, steps = (errors.mean(axis=0) for errors in runs.values())
    old = int(small.argmin())
    claim("nearly two points at the old rate", 1 < epochs[old] - small[old] < 2.6)
    claim("about a third of a point after retuning", 0.1 < epochs.min() - small.min() < 0.9)
    claim("upward", epochs.argmin() > old)
    claim("about level with as many steps", abs(steps.min() - small.min()) < 0.5)
    claim("anywhere from 0.2 to 0.8", np.ptp(epochs[3:]) < 0.8)


def widths(sweep: np.ndarray, live: np.ndarray) -> None:
    """Check widths: validation losses (seeds, 2, 4 widths, 7 rates); `live`: of 32 units."""
    recorded = np.log(sweep[: len(live), :, 1])
    claim("trained again they agree", np.abs(np.log(live) - recorded).mean() < 0.15)
    mean = sweep.mean(axis=0)
    standard, transferred = mean.argmin(axis=2)
    claim("from 0.03 to 0.001", [standard[0] == 5, standard[-1] == 2])
    claim("falls with every width", np.diff(standard) < 0)
    claim(
        "μP: 0.01 from 32 units on, a step from 8",
        [(transferred[1:] == 4).all(), transferred[0] <= 5],
    )
    claim("carried over: more than fifteen times the loss", mean[0, 3, 5] > 15 * mean[0, 3].min())
    claim("wide networks are better in μP", mean[1, 3].min() < mean[0, 3].min() - 0.02)


def fine_tuning(runs: Mapping[str, np.ndarray], now: float) -> None:
    """Check four ways: {way: errors in % (seeds, rates)}; `now`: frozen, released at 0.001."""
    scratch, released, frozen, both = (errors.mean(axis=0) for errors in runs.values())
    claim("none beats scratch clearly", scratch.min() < min(released.min(), both.min()) + 0.5)
    claim("frozen is worst", frozen.min() > 2 * max(both.min(), released.min()))
    claim("the second rate matters", [both[0] > 2 * both.min(), both[3] > 2 * both.min()])
    claim("Keras' own loop agrees with the recording", abs(now - both[1]) < 8)


def augmentation(runs: Mapping[str, np.ndarray]) -> None:
    """Check shifts: {judge: errors in % (seeds, shifts)}."""
    plain, moved = (errors.mean(axis=0) for errors in runs.values())
    claim("zero, and one", [plain.argmin() == 0, moved.argmin() == 1])
    claim("about doubles it", 1.6 < plain[1] / plain[0] < 2.6)
    claim("to a quarter or less", moved[1] < 0.25 * moved[0])


def capstone(splits: np.ndarray) -> None:
    """Check default, random search and practice: promised and kept scores, (splits, 3, 2)."""
    default, lucky, practice = splits[..., 1].T
    claim(
        "both beat the default by about 0.24",
        [abs(lucky.mean() - default.mean() - 0.24) < 0.04, _clear(practice - default)],
    )
    claim(
        "about 0.82, both",
        [abs(practice.mean() - 0.82) < 0.02, abs((practice - lucky).mean()) < 0.03],
    )

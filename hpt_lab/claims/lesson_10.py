"""What lesson 10 claims. `counts`: by system, how many configs were trained, (brackets, rungs)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hpt_lab.claims.core import claim
from hpt_lab.museum import Label


def schedules(counts: Mapping[str, np.ndarray], paper: np.ndarray, paid: Mapping[str, int]) -> None:
    """Check who runs the paper's schedule for R = 27, and what each pays in epochs."""
    claim("ours is the paper's, rung by rung", np.array_equal(counts["hpt_lab"], paper))
    claim("it costs 357 epochs", paid["hpt_lab"] == 357)
    for name in ("KerasTuner", "scikit-learn"):
        claim(
            f"{name} starts as many configs as the paper",
            np.array_equal(np.diag(counts[name]), np.diag(paper)),
        )
        claim(f"{name} rounds up where the paper rounds down", (counts[name] >= paper).all())
        claim(f"{name} differs in one rung", (counts[name] != paper).sum() == 1)
    claim("scikit-learn pays for starting anew", paid["scikit-learn"] > 1.15 * paid["KerasTuner"])
    claim(
        "Optuna starts 49 trials too", np.diag(counts["Optuna"]).sum() == np.diag(paper).sum() == 49
    )
    claim(
        "Optuna's brackets are of other sizes", (np.diag(counts["Optuna"]) != np.diag(paper)).any()
    )


def scores(rows: Sequence[Any], gaps: np.ndarray, different: Mapping[str, int]) -> None:
    """Check the recorded searches. rows: CPU seconds of real trainings; gaps: (seeds, others) test
    errors minus ours."""
    seconds = [row[4] for row in rows]
    claim(
        "training by fit takes many times the processor time of ours",
        min(seconds[:3]) > 3 * seconds[3],
    )
    error = gaps.std(axis=0, ddof=1) / np.sqrt(len(gaps))
    mean = gaps.mean(axis=0)
    claim("KerasTuner's winners are as good as ours", abs(mean[0]) < 2 * error[0])
    claim("scikit-learn's are half a point worse", 0.4 < mean[2] < 0.7 and mean[2] > 2 * error[2])
    claim("it sees fewer different configs", different["scikit-learn"] < 0.9 * different["hpt_lab"])


def again(live: np.ndarray, recorded: np.ndarray) -> None:
    """Check that three searches run now agree with the recording."""
    claim("three seeds agree with the recording", np.allclose(live, recorded[: len(live)]))


def words(signatures: Mapping[str, Sequence[str]], spoken: Mapping[str, Sequence[str]]) -> None:
    """Check the dictionary against the libraries' own signatures."""
    for system, arguments in spoken.items():
        for argument in arguments:
            claim(f"{system} has an argument {argument}", argument in signatures[system])


def museum(labels: Sequence[Label]) -> None:
    """Check that every room shows the fault, or that the installed library mended it."""
    for label in labels:
        one = label.exhibit
        known = (one.seen, one.right) if one.live else (one.seen,)
        claim(f"{one.title}: seen as described, or mended", label.found in known)
    claim(
        "at least ten exhibits, of five libraries or more",
        len(labels) >= 10 and len({label.exhibit.library for label in labels}) >= 5,
    )


def crashes(found: np.ndarray, mine: tuple[int, int]) -> None:
    """Check what `kill -9` leaves: (places, (finished, left)), the last ours; mine: ours, killed
    just now."""
    finished, left = found.T
    claim("five trials had finished everywhere", finished == 5)
    claim("in memory nothing is left, on disk everything", left == np.array([5, 0, 5, 5, 0, 5]))
    claim("killed again just now, the same", mine == (5, 5))


def moments(flattery: np.ndarray, gain: np.ndarray) -> None:
    """Check, over searches and in points: best epoch's score minus its test; test at the best epoch
    minus at the last."""
    error = flattery.std(ddof=1) / np.sqrt(len(flattery))
    claim("the best epoch's score flatters", flattery.mean() > 2 * error)
    claim(
        "the epoch chosen in retrospect changes the test error by less than half a point",
        abs(gain.mean()) < 0.5,
    )


def endings(gain: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
    """Check the gains over the best network alone, in points: refitted on all rows, the best three
    together."""
    claim("refitting on all rows gains half a point", 0.3 < gain[0] < 0.8)
    claim("its interval leaves zero", low[0] > 0)
    claim("three together gain some 0.3 points", abs(gain[1] - 0.29) < 0.1)
    claim("the interval of the three touches zero", low[1] < 0.05 and high[1] > 0.3)

"""Checks of lesson 03, measuring honestly: choosing a splitter, mending a leak, counting validation
rows."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.datasets import make_classification
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from hpt_lab.checks.core import Unanswered, Wrong, call, check, choice, number, show
from hpt_lab.honesty import random_labels

# Which splitter, and why. A situation is found by its first word that is listed here.
SPLITTERS = {
    "fraud": (
        "time-ordered",
        "the model of this month is used next month: what would shuffling tell it?",
    ),
    "X-rays": (
        "grouped",
        "several rows come from one patient, and the patients in use are new ones (the hospitals "
        "are not)",
    ),
    "fruit": ("stratified", "the rows are independent of each other, and one class is rare"),
    "speaker": (
        "grouped",
        "the customers' voices are not among the 40: what must a validation speaker be?",
    ),
    "electricity": (
        "time-ordered",
        "tomorrow comes after today, and days next to each other are alike",
    ),
}

# What a learner may call them: words, or scikit-learn's classes, of which case, spaces, hyphens and
# arguments don't count.
SPELLINGS = {
    "stratified": ("stratify", "byclass", "stratifiedkfold", "stratifiedshufflesplit"),
    "grouped": (
        "group",
        "groups",
        "bygroup",
        "groupkfold",
        "stratifiedgroupkfold",
        "groupshufflesplit",
        "leaveonegroupout",
    ),
    "time-ordered": ("time", "bytime", "timeorder", "timeordered", "timeseries", "timeseriessplit"),
}

FEW = (
    10,
    15,
    20,
    25,
    30,
    33,
    35,
    40,
    50,
)  # rows that one split might validate on: all accuracies are multiples of 1/n


@check
def check_splitters(answers: Mapping[str, str]) -> str:
    """Return the verdict on the splitters chosen for the situations of SPLITTERS."""
    if not isinstance(answers, Mapping):
        raise Wrong(
            f"your answer should be a dict from situations to splitters, got {show(answers)}"
        )
    open_ones, right = [], 0
    for word, (splitter, why) in SPLITTERS.items():
        situation = next((text for text in answers if word in text), None)
        if situation is None:
            raise Wrong(
                f"the situation with {word!r} is missing",
                hint="keep the five situations as they are",
            )
        if answers[situation] is None or answers[situation] is ...:
            open_ones.append(situation)
            continue
        given = _splitter(answers[situation], f"the splitter for {word!r}")
        if given != splitter:
            raise Wrong(
                f"{show(situation)}: {given} doesn't fit how the model will be used",
                hint="grouped needs groups, and here are none"
                if (word, given) == ("fruit", "grouped")
                else why,
            )
        right += 1
    if open_ones:
        raise Unanswered(
            f"{right} of {len(SPLITTERS)} are right so far. Put a splitter in the place of the "
            "dots."
        )
    return (
        "All five. Where two apply, as in groups with a rare class, there is StratifiedGroupKFold."
    )


@check
def check_honest_score(honest_score: Any) -> str:
    """Return the verdict on a function (x, y) -> accuracy by 5-fold CV, with SelectKBest(20) and
    GaussianNB, without leak."""
    noise = [random_labels(seed=seed) for seed in range(12)]
    signal = make_classification(
        200, 500, n_informative=8, n_redundant=0, class_sep=1.5, shuffle=True, random_state=0
    )
    answers = [call(honest_score, x, y) for x, y in noise]
    if np.ndim(answers[0]) == 1:
        raise Wrong(
            f"it returns {show(answers[0])}, one number per fold",
            hint="return their mean: ... .mean()",
        )
    on_noise = [number(answer, "what it returns") for answer in answers]
    if not all(0 <= score <= 1 for score in on_noise):
        raise Wrong(
            f"an accuracy lies between 0 and 1, got {on_noise[0]:g}",
            hint="return the mean of the folds' accuracies",
        )
    found = float(np.mean(on_noise))
    if found > 0.6:
        untouched = np.allclose(on_noise[:3], [_stub(x, y) for x, y in noise[:3]])
        raise Wrong(
            f"on random labels it reports {found:.0%}: there is still a leak",
            hint="which line sees labels of rows that will validate?"
            if untouched
            else "put the selection and the classifier into one make_pipeline(...), and hand that, "
            "and the whole x, "
            "to cross_val_score",
        )
    if min(on_noise) == max(on_noise) or found < 0.4:
        raise Wrong(
            f"on random labels it reports {found:.0%} on average, always near the same: it "
            "measures nothing",
            hint="the accuracy should come from cross_val_score",
        )
    if any(
        all(math.isclose(n * score, round(n * score), abs_tol=1e-6) for score in on_noise)
        for n in FEW
    ):
        raise Wrong(
            f"no leak, but scores such as {on_noise[0]:g} and {on_noise[1]:g} come from few rows, "
            "not from all 100",
            hint="one split lets some of the rows validate; cross_val_score(..., cv=5) lets every "
            "row do it once",
        )
    oracle = cross_val_score(
        make_pipeline(SelectKBest(f_classif, k=20), GaussianNB()), *signal, cv=5
    ).mean()
    on_signal = number(call(honest_score, *signal), "what it returns")
    if (
        on_signal < oracle - 0.05
    ):  # 120 right ones with other folds came no lower than 0.035 below it
        raise Wrong(
            f"no leak, but on labels that can be learned it reports {on_signal:.0%}; 20 columns "
            f"give {oracle:.0%}",
            hint="keep the selection of 20 columns, fitted inside every fold",
        )
    return (
        f"Chance on random labels ({found:.0%}), {on_signal:.0%} where there is something to learn."
    )


@check
def check_rows_needed(rows: Any) -> str:
    """Return the verdict on the rows that give an accuracy of 95 % a standard error of 0.5 %: p (1
    - p) / error²."""
    n, p, error = number(rows, "the number of rows"), 0.95, 0.005
    right = p * (1 - p) / error**2
    if 0.97 * right <= n <= 1.08 * right:  # 2,000 is a fair round number
        return (
            f"{right:,.0f} rows. Half the error costs four times the rows. And a gain is a "
            "difference of two accuracies: "
            "on different rows its error is √2 times as large, on the same rows √(d/n)."
        )
    if math.isclose(n, 2 * right, rel_tol=0.03):
        raise Wrong(
            f"{n:,.0f} would be right for a difference of two accuracies, each on rows of its own",
            hint="the question is the error of one accuracy: leave √2 out",
        )
    if math.isclose(n, 0.25 / error**2, rel_tol=0.03):
        raise Wrong(
            f"{n:,.0f} would be right for an accuracy of 50 %",
            hint="p (1 - p) is largest at one half; here p = 0.95",
        )
    if math.isclose(n, p * (1 - p) / error, rel_tol=0.03):
        raise Wrong(
            f"{n:,.1f} is too few",
            hint="the error falls with the square root of the rows: square it",
        )
    if math.isclose(n, p * (1 - p) / 0.01**2, rel_tol=0.03):
        raise Wrong(
            f"{n:,.0f} gives a standard error of one whole point",
            hint="half a percentage point is 0.005",
        )
    if math.isclose(n, p * (1 - p) / 0.5**2, rel_tol=0.03):
        raise Wrong(
            f"{n:,.2f} rows are less than one", hint="half a percentage point is 0.005, not 0.5"
        )
    raise Wrong(
        f"{n:,.0f} rows would give a standard error of {math.sqrt(p * (1 - p) / n):.2%}"
        if n > 0
        else f"{n:g} is no number of rows",
        hint="the standard error is √(p (1 - p) / n); solve it for n",
    )


def _splitter(answer: Any, what: str) -> str:
    """Return which key of SPELLINGS the answer means: a word, a scikit-learn class, or an instance
    of one."""
    name = (
        answer
        if isinstance(answer, str)
        else answer.__name__
        if isinstance(answer, type)
        else type(answer).__name__
    )
    word = re.sub("[^a-z]", "", name.split("(")[0].lower())
    found = next((splitter for splitter, words in SPELLINGS.items() if word in words), None)
    return found or choice(answer, list(SPELLINGS), what)


def _stub(x: np.ndarray, y: np.ndarray) -> float:
    """Score as the exercise's function does before anybody has mended it."""
    return float(
        cross_val_score(
            GaussianNB(), SelectKBest(f_classif, k=20).fit_transform(x, y), y, cv=5
        ).mean()
    )

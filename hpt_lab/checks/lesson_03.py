"""Checks of lesson 03, measuring honestly: choosing a splitter, mending a leak, counting validation rows."""

from __future__ import annotations

import math
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
    "fraud": ("time-ordered", "the model of this month is used next month: what would shuffling tell it?"),
    "X-rays": ("grouped", "several rows come from one patient, and the patients in use are new ones"),
    "fruit": ("stratified", "the rows are independent of each other, and one class is rare"),
    "speaker": ("grouped", "the customers' voices are not among the 40: what must a validation speaker be?"),
    "electricity": ("time-ordered", "tomorrow comes after today, and days next to each other are alike"),
}

FEW = (10, 15, 20, 25, 30, 33, 35, 40)  # rows that one split might validate on: all accuracies are multiples of 1/n


@check
def check_splitters(answers: Mapping[str, str]) -> str:
    """Return the verdict on the splitters chosen for the situations of SPLITTERS."""
    if not isinstance(answers, Mapping):
        raise Wrong(f"your answer should be a dict from situations to splitters, got {show(answers)}")
    open_ones, right = [], 0
    for word, (splitter, why) in SPLITTERS.items():
        situation = next((text for text in answers if word in text), None)
        if situation is None:
            raise Wrong(f"the situation with {word!r} is missing", hint="keep the five situations as they are")
        if answers[situation] in (None, ...):
            open_ones.append(situation)
        elif choice(answers[situation], ["stratified", "grouped", "time-ordered"], f"the splitter for {word!r}") != splitter:
            raise Wrong(f"{show(situation)}: {answers[situation]} lets something through that use will not", hint=why)
        else:
            right += 1
    if open_ones:
        raise Unanswered(f"{right} of {len(SPLITTERS)} are right so far. Put a splitter in the place of the dots.")
    return "All five. Where two apply, as in groups with a rare class, there is StratifiedGroupKFold."


@check
def check_honest_score(honest_score: Any) -> str:
    """Return the verdict on a function (x, y) -> accuracy by 5-fold CV, with SelectKBest(20) and GaussianNB, without leak."""
    noise = [random_labels(seed=seed) for seed in range(8)]
    signal = make_classification(200, 500, n_informative=8, n_redundant=0, class_sep=1.5, shuffle=True, random_state=0)
    answers = [call(honest_score, x, y) for x, y in noise]
    if np.ndim(answers[0]) == 1:
        raise Wrong(f"it returns {show(answers[0])}, one number per fold", hint="return their mean: ... .mean()")
    on_noise = [number(answer, "what it returns") for answer in answers]
    if not all(0 <= score <= 1 for score in on_noise):
        raise Wrong(f"an accuracy lies between 0 and 1, got {on_noise[0]:g}", hint="return the mean of the folds' accuracies")
    found = float(np.mean(on_noise))
    if found > 0.6:
        raise Wrong(f"on random labels it reports {found:.0%}: there is still a leak",
                    hint="put the selection and the classifier into one make_pipeline(...), and hand that, and the whole x, "
                         "to cross_val_score")
    if min(on_noise) == max(on_noise) or found < 0.4:
        raise Wrong(f"on random labels it reports {found:.0%} on average, always near the same: it measures nothing",
                    hint="the accuracy should come from cross_val_score")
    if any(all(math.isclose(n * score, round(n * score), abs_tol=1e-6) for score in on_noise) for n in FEW):
        raise Wrong(f"no leak, but scores such as {on_noise[0]:g} and {on_noise[1]:g} come from few rows, not from all 100",
                    hint="one split lets some of the rows validate; cross_val_score(..., cv=5) lets every row do it once")
    oracle = cross_val_score(make_pipeline(SelectKBest(f_classif, k=20), GaussianNB()), *signal, cv=5).mean()
    on_signal = number(call(honest_score, *signal), "what it returns")
    if on_signal < oracle - 0.08:
        raise Wrong(f"no leak, but on labels that can be learned it reports {on_signal:.0%}; 20 columns give {oracle:.0%}",
                    hint="keep the selection of 20 columns, fitted inside every fold")
    return f"Chance on random labels ({found:.0%}), {on_signal:.0%} where there is something to learn."


@check
def check_rows_needed(rows: Any) -> str:
    """Return the verdict on the rows that give an accuracy of 95 % a standard error of 0.5 %: p (1 - p) / error²."""
    n, p, error = number(rows, "the number of rows"), 0.95, 0.005
    right = p * (1 - p) / error**2
    if math.isclose(n, right, rel_tol=0.03):
        return f"{right:,.0f} rows. Half the error costs four times the rows."
    if math.isclose(n, 0.25 / error**2, rel_tol=0.03):
        raise Wrong(f"{n:,.0f} would be right for an accuracy of 50 %", hint="p (1 - p) is largest at one half; here p = 0.95")
    if math.isclose(n, p * (1 - p) / error, rel_tol=0.03):
        raise Wrong(f"{n:,.1f} is too few", hint="the error falls with the square root of the rows: square it")
    if math.isclose(n, p * (1 - p) / 0.01**2, rel_tol=0.03):
        raise Wrong(f"{n:,.0f} gives a standard error of one whole point", hint="half a percentage point is 0.005")
    if math.isclose(n, p * (1 - p) / 0.5**2, rel_tol=0.03):
        raise Wrong(f"{n:,.2f} rows are less than one", hint="half a percentage point is 0.005, not 0.5")
    raise Wrong(f"{n:,.0f} rows would give a standard error of {math.sqrt(p * (1 - p) / n):.2%}" if n > 0 else
                f"{n:g} is no number of rows", hint="the standard error is √(p (1 - p) / n); solve it for n")

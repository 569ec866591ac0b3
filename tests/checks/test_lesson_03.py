"""Right answers to lesson 03 pass in more than one spelling; typical wrong ones fail with the hint that helps."""

import numpy as np
import pytest
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from hpt_lab.checks.lesson_03 import SPLITTERS, check_honest_score, check_rows_needed, check_splitters

RIGHT = {f"a case of {word}": splitter for word, (splitter, _) in SPLITTERS.items()}


def test_the_right_splitters_pass_whatever_their_case():
    assert check_splitters(RIGHT)
    assert check_splitters({situation: splitter.title() for situation, splitter in RIGHT.items()})


@pytest.mark.parametrize("word", SPLITTERS)
def test_a_wrong_splitter_gets_the_hint_of_its_situation(word):
    wrong = "grouped" if SPLITTERS[word][0] != "grouped" else "stratified"
    verdict = check_splitters(RIGHT | {f"a case of {word}": wrong})
    assert verdict.status == "wrong" and verdict.hint == SPLITTERS[word][1] and SPLITTERS[word][0] not in verdict.hint


def test_open_splitters_are_counted():
    verdict = check_splitters(RIGHT | {"a case of fruit": ...})
    assert verdict.status == "unanswered" and "4 of 5" in verdict.text


def in_a_pipeline(x, y):
    return cross_val_score(make_pipeline(SelectKBest(f_classif, k=20), GaussianNB()), x, y, cv=5).mean()


def by_hand(x, y):
    scores = []
    for train, held_out in StratifiedKFold(5, shuffle=True, random_state=1).split(x, y):
        selection = SelectKBest(f_classif, k=20).fit(x[train], y[train])
        model = GaussianNB().fit(selection.transform(x[train]), y[train])
        scores.append(model.score(selection.transform(x[held_out]), y[held_out]))
    return np.float32(np.mean(scores))


@pytest.mark.parametrize("answer", [in_a_pipeline, by_hand])
def test_selection_inside_the_folds_passes(answer):
    assert check_honest_score(answer)


def still_leaky(x, y):
    return cross_val_score(GaussianNB(), SelectKBest(f_classif, k=20).fit_transform(x, y), y, cv=KFold(5)).mean()


def first_columns(x, y):
    return cross_val_score(GaussianNB(), x[:, :5], y, cv=5).mean()


def one_split(x, y):
    a, b, c, d = train_test_split(x, y, test_size=0.25, random_state=0)
    return make_pipeline(SelectKBest(f_classif, k=20), GaussianNB()).fit(a, c).score(b, d)


def every_fold(x, y):
    return cross_val_score(make_pipeline(SelectKBest(f_classif, k=20), GaussianNB()), x, y, cv=5)


@pytest.mark.parametrize(("answer", "hint"), [
    (one_split, "cv=5"), (every_fold, ".mean()"),
    (still_leaky, "make_pipeline"), (lambda x, y: 0.5, "cross_val_score"), (first_columns, "keep the selection"),
    (lambda x, y: 100 * in_a_pipeline(x, y), "mean of the folds")])
def test_a_wrong_repair_gets_its_hint(answer, hint):
    verdict = check_honest_score(answer)
    assert verdict.status == "wrong" and hint in verdict.hint


def test_an_unfinished_repair_is_not_called_wrong():
    assert check_honest_score(lambda x, y: None).status == "unanswered"


def test_the_rows_needed_may_be_computed_or_rounded():
    assert check_rows_needed(1900) and check_rows_needed(np.float32(0.95 * 0.05 / 0.005**2)) and check_rows_needed(1899)


@pytest.mark.parametrize(("rows", "hint"), [(10_000, "largest at one half"), (9.5, "square"), (475, "0.005"),
                                            (0.19, "not 0.5"), (5000, "solve it for n"), (-3, "solve it for n")])
def test_wrong_numbers_of_rows_get_their_hints(rows, hint):
    verdict = check_rows_needed(rows)
    assert verdict.status == "wrong" and hint in verdict.hint


def test_no_number_yet_is_not_wrong():
    assert check_rows_needed(...).status == "unanswered"

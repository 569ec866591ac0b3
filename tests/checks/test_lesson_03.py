"""Right answers to lesson 03 pass in more than one spelling; typical wrong ones fail with the hint
that helps."""

import numpy as np
import pytest
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_score,
    train_test_split,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from hpt_lab.checks.lesson_03 import (
    SPLITTERS,
    check_honest_score,
    check_rows_needed,
    check_splitters,
)

RIGHT = {f"a case of {word}": splitter for word, (splitter, _) in SPLITTERS.items()}


def test_the_right_splitters_pass_whatever_their_case():
    assert check_splitters(RIGHT)
    assert check_splitters({situation: splitter.title() for situation, splitter in RIGHT.items()})


@pytest.mark.parametrize(
    ("word", "answers"),
    [
        (
            "X-rays",
            [
                "GroupKFold",
                "groups",
                "StratifiedGroupKFold(5)",
                GroupKFold,
                GroupKFold(3),
                "by group",
            ],
        ),
        (
            "electricity",
            ["TimeSeriesSplit", "time ordered", "time_ordered", "Time-Order", TimeSeriesSplit(4)],
        ),
        ("fruit", ["StratifiedKFold", "stratify", StratifiedKFold]),
    ],
)
def test_a_splitter_may_be_named_as_scikit_learn_does(word, answers):
    for answer in answers:
        assert check_splitters(RIGHT | {f"a case of {word}": answer}), answer


def test_plain_folds_are_not_among_the_three():
    for answer in ("KFold", KFold(5), "random", 3, [1]):
        verdict = check_splitters(RIGHT | {"a case of fruit": answer})
        assert (
            verdict.status == "wrong"
            and "should be one of 'stratified', 'grouped', 'time-ordered'" in verdict.text
        )


@pytest.mark.parametrize("word", SPLITTERS)
def test_a_wrong_splitter_gets_the_hint_of_its_situation(word):
    wrong = "time-ordered" if SPLITTERS[word][0] != "time-ordered" else "stratified"
    verdict = check_splitters(RIGHT | {f"a case of {word}": wrong})
    assert (
        verdict.status == "wrong"
        and verdict.hint == SPLITTERS[word][1]
        and SPLITTERS[word][0] not in verdict.hint
    )
    assert f"{wrong} doesn't fit how the model will be used" in verdict.text


def test_groups_where_there_are_none_get_told_so():
    assert (
        check_splitters(RIGHT | {"a case of fruit": "GroupKFold"}).hint
        == "grouped needs groups, and here are none"
    )


def test_patients_are_the_groups_not_hospitals():
    assert "hospitals are not" in check_splitters(RIGHT | {"a case of X-rays": "stratified"}).hint


def test_open_splitters_are_counted():
    verdict = check_splitters(RIGHT | {"a case of fruit": ...})
    assert verdict.status == "unanswered" and "4 of 5" in verdict.text


def in_a_pipeline(x, y):
    return cross_val_score(
        make_pipeline(SelectKBest(f_classif, k=20), GaussianNB()), x, y, cv=5
    ).mean()


def by_hand(x, y):
    scores = []
    for train, held_out in StratifiedKFold(5, shuffle=True, random_state=1).split(x, y):
        selection = SelectKBest(f_classif, k=20).fit(x[train], y[train])
        model = GaussianNB().fit(selection.transform(x[train]), y[train])
        scores.append(model.score(selection.transform(x[held_out]), y[held_out]))
    return np.float32(np.mean(scores))


def shuffled(seed):
    def honest(x, y):
        folds = KFold(5, shuffle=True, random_state=seed)
        return cross_val_score(
            make_pipeline(SelectKBest(f_classif, k=20), GaussianNB()), x, y, cv=folds
        ).mean()

    return honest


@pytest.mark.parametrize("answer", [in_a_pipeline, by_hand, *map(shuffled, range(3))])
def test_selection_inside_the_folds_passes(answer):
    assert check_honest_score(answer)


def stub(x, y):
    x = SelectKBest(f_classif, k=20).fit_transform(x, y)
    return cross_val_score(GaussianNB(), x, y, cv=5).mean()


def test_the_untouched_function_gets_a_question_not_the_answer():
    verdict = check_honest_score(stub)
    assert (
        verdict.status == "wrong"
        and "sees labels" in verdict.hint
        and "make_pipeline" not in verdict.hint
    )


def half_held_out(x, y):
    a, b, c, d = train_test_split(x, y, test_size=0.5, random_state=0)
    return make_pipeline(SelectKBest(f_classif, k=20), GaussianNB()).fit(a, c).score(b, d)


def too_many_columns(x, y):
    return cross_val_score(
        make_pipeline(SelectKBest(f_classif, k=100), GaussianNB()), x, y, cv=5
    ).mean()


def still_leaky(x, y):
    return cross_val_score(
        GaussianNB(), SelectKBest(f_classif, k=20).fit_transform(x, y), y, cv=KFold(5)
    ).mean()


def first_columns(x, y):
    return cross_val_score(GaussianNB(), x[:, :5], y, cv=5).mean()


def one_split(x, y):
    a, b, c, d = train_test_split(x, y, test_size=0.25, random_state=0)
    return make_pipeline(SelectKBest(f_classif, k=20), GaussianNB()).fit(a, c).score(b, d)


def every_fold(x, y):
    return cross_val_score(make_pipeline(SelectKBest(f_classif, k=20), GaussianNB()), x, y, cv=5)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (one_split, "cv=5"),
        (half_held_out, "cv=5"),
        (too_many_columns, "keep the selection"),
        (every_fold, ".mean()"),
        (still_leaky, "make_pipeline"),
        (lambda x, y: 0.5, "cross_val_score"),
        (first_columns, "keep the selection"),
        (lambda x, y: 100 * in_a_pipeline(x, y), "mean of the folds"),
    ],
)
def test_a_wrong_repair_gets_its_hint(answer, hint):
    verdict = check_honest_score(answer)
    assert verdict.status == "wrong" and hint in verdict.hint


def test_an_unfinished_repair_is_not_called_wrong():
    assert check_honest_score(lambda x, y: None).status == "unanswered"


def test_the_rows_needed_may_be_computed_or_rounded():
    for rows in (1900, 1899, 2000, np.float32(0.95 * 0.05 / 0.005**2)):
        assert check_rows_needed(rows), rows


@pytest.mark.parametrize(
    ("rows", "hint"),
    [
        (10_000, "largest at one half"),
        (9.5, "square"),
        (475, "0.005"),
        (0.19, "not 0.5"),
        (3800, "leave √2 out"),
        (5000, "solve it for n"),
        (-3, "solve it for n"),
        (2100, "solve it for n"),
    ],
)
def test_wrong_numbers_of_rows_get_their_hints(rows, hint):
    verdict = check_rows_needed(rows)
    assert verdict.status == "wrong" and hint in verdict.hint


def test_no_number_yet_is_not_wrong():
    assert check_rows_needed(...).status == "unanswered"

"""Claims about cross-validation: honest splits, scaling inside the fold, and scores that add up."""

import keras
import numpy as np
import pytest
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.preprocessing import StandardScaler

from hpt_lab.datasets import Data
from hpt_lab.errors import DataError, HptError, JournalError
from hpt_lab.space import Float, Space
from hpt_lab.strategies import random_search
from hpt_lab.study import tune
from hpt_lab.training import cross_validation
from hpt_lab.training.cross_validation import nested_cross_validation, summary
from hpt_lab.training.folds import make_folds, split
from hpt_lab.training.objective import KerasObjective
from hpt_lab.trial import Trial

RNG = np.random.default_rng(0)
X = RNG.normal(3, 2, size=(150, 4))
Y = (X[:, 0] + X[:, 1] > 6).astype(int)
DATA = Data(X, Y, name="plane", groups=None)
GROUPED = Data(X, Y, name="grouped", groups=np.arange(150) // 10)
CONFIG = {"rate": 0.02}


def build(config):
    model = keras.Sequential(
        [keras.layers.Dense(4, "relu"), keras.layers.Dropout(0.1), keras.layers.Dense(1, "sigmoid")]
    )
    model.compile(keras.optimizers.Adam(config["rate"]), "binary_crossentropy")
    return model


def test_folds_are_stratified_and_use_every_development_row_once_for_validation():
    parts = split(DATA, 5, seed=0)
    assert sorted(np.concatenate([v for _, v in parts])) == list(range(len(DATA.x)))
    share = DATA.y.mean()
    for train, validation in parts:
        assert not set(train) & set(validation)
        assert abs(DATA.y[validation].mean() - share) < 1 / len(validation) + 1e-9


def test_groups_never_straddle_a_split():
    for folds in (3, GroupKFold(3)):
        for train, validation in split(GROUPED, folds, seed=0):
            assert not set(GROUPED.groups[train]) & set(GROUPED.groups[validation])


@pytest.mark.filterwarnings("ignore:.*keeps the order of time")
@pytest.mark.parametrize(
    "splitter",
    [
        TimeSeriesSplit(4),
        TimeSeriesSplit(3, gap=5),
        TimeSeriesSplit(3, test_size=10, max_train_size=50),
    ],
)
def test_time_splitters_split_the_rows_as_they_were_given(splitter):
    """The oracle is scikit-learn on the given rows; the days themselves are the only feature."""
    day = np.arange(400)
    for ordered in (False, True):
        data = Data(day[:, None], day % 2, name="days", scaler=None, time_ordered=ordered)
        expected = list(splitter.split(data.rows))
        for (past, future), (train, validation) in zip(
            split(data, splitter, seed=0), expected, strict=True
        ):
            assert (data.x[past, 0] == data.rows[train]).all() and (
                data.x[future, 0] == data.rows[validation]
            ).all()
            assert data.x[past].max() < data.x[future].min() and len(past) == len(train)


def test_rows_in_order_of_time_are_folded_forwards_or_not_at_all():
    day = np.arange(200)
    data = Data(day[:, None], day % 2, name="days", scaler=None, time_ordered=True)
    for train, validation in split(data, 5, seed=0):
        assert train.max() < validation.min()
    for backwards in (KFold(5), KFold(5, shuffle=True, random_state=0), StratifiedKFold(5)):
        with pytest.raises(DataError, match=r"time_ordered=True; use folds=5"):
            split(data, backwards, seed=0)
    nested = nested_cross_validation(build, [CONFIG], data, epochs=1, outer=2, inner=2)
    assert len(nested.outer_scores) == 2


def test_time_folds_of_rows_whose_test_part_is_from_all_times_warn():
    with pytest.warns(UserWarning, match="time_ordered=True"):
        split(DATA, TimeSeriesSplit(3), seed=0)


class Yields:
    """A splitter of one's own that gives what it is told."""

    def __init__(self, *pairs):
        self.pairs = pairs

    def split(self, x, y=None, groups=None):
        yield from self.pairs


HALF = np.arange(60)
REST = np.arange(60, 120)


@pytest.mark.parametrize(
    ("folds", "says"),
    [
        (KFold, "got the class KFold"),
        (True, "try folds=5"),
        (None, "try folds=5"),
        (2.5, "try folds=5"),
        (0, "between 2 and"),
        (121, "between 2 and"),
        (KFold(5).split(X), "make a list"),
        (KFold(5, shuffle=True), "random_state=0"),
        (ShuffleSplit(3), "random_state=0"),
        (GroupKFold(3), r"Data\(..., groups="),
        (LeaveOneGroupOut(), r"Data\(..., groups="),
        (PredefinedSplit(np.arange(150) % 3), r"your_array\[data.rows\]"),
        (KFold(500), "can't be split"),
        (Yields((HALF, REST)), "gave 1 folds"),
        (Yields(), "gave 0 folds"),
        ([], "gave 0 folds"),
        (
            Yields((HALF, REST), (HALF, np.r_[REST, 3])),
            "fold 1 has 1 rows on both sides, such as row 3",
        ),
        (Yields((HALF, REST), (HALF, [])), "60 training and 0 validation rows"),
        ([(HALF, REST), (REST - 200, HALF)], "row numbers from 0 to 119"),
        ([(HALF, REST), (REST, HALF / 2)], "row numbers"),
        ([(HALF, REST), (REST, HALF, HALF)], "must give pairs"),
        (["ab", "cd"], "must give pairs"),
        ([HALF, REST], "must give pairs"),
    ],
)
def test_folds_that_nobody_should_believe_are_refused(folds, says):
    with pytest.raises(DataError, match=says):
        split(DATA, folds, seed=0)


def test_bad_folds_are_refused_before_any_trial():
    with pytest.raises(DataError, match="between 2 and"):
        KerasObjective(build, DATA, folds=1)
    with pytest.raises(DataError, match="make a list"):
        KerasObjective(build, DATA, folds=KFold(5).split(X))


def other_folds():
    """Yield pairs of folds whose `repr` is the same and whose rows are not: NumPy shows 1000
    numbers, then dots."""
    data = Data(np.arange(3000.0)[:, None], np.arange(3000) % 2, name="long")
    rows = np.arange(len(data.x))
    own = np.full(len(data.x), -1)
    own[:900] = np.arange(900) % 3
    moved = own.copy()
    moved[[600, 601]] = own[[601, 600]]
    yield data, PredefinedSplit(own), PredefinedSplit(moved)
    swapped = rows.copy()
    swapped[[600, 1700]] = swapped[[1700, 600]]
    yield (
        data,
        [(r[:1200], r[1200:]) for r in (rows, rows[::-1])],
        [(r[:1200], r[1200:]) for r in (swapped, rows[::-1])],
    )
    yield (
        data,
        [(rows[:5], rows[5:9]), (rows[9:12], rows[12:])],
        [(rows[:5], rows[5:9]), (rows[9:13], rows[13:])],
    )


@pytest.mark.parametrize("which", range(3))
def test_settings_tell_folds_apart_that_look_alike(which):
    data, some, others = list(other_folds())[which]
    known = KerasObjective(build, data, folds=some).settings["folds"]
    assert KerasObjective(build, data, folds=others).settings["folds"] != known
    again = list(split(data, some, seed=0))  # the same rows, by whatever splitter
    assert KerasObjective(build, data, folds=again).settings["folds"] == known
    assert (
        KerasObjective(build, data, folds=3).settings["folds"] == 3
    )  # as journals have always had it


def test_journal_of_other_folds_is_refused(tmp_path):
    data, some, others = next(other_folds())
    strategy = random_search(Space(rate=Float(0.01, 0.1)), trials=1)
    tune(
        KerasObjective(build, data, folds=some),
        strategy,
        journal=tmp_path / "j.jsonl",
        progress=False,
    )
    with pytest.raises(JournalError, match="folds is '3 folds, "):
        tune(
            KerasObjective(build, data, folds=others),
            strategy,
            journal=tmp_path / "j.jsonl",
            progress=False,
        )


def test_lists_of_pairs_and_masks_are_folds_too():
    mask = np.arange(120) < 60
    for folds in (
        [(HALF, REST), (REST, HALF)],
        ((HALF.tolist(), REST.tolist()), (REST.tolist(), HALF.tolist())),
        Yields((mask, ~mask), (~mask, mask)),
    ):
        for (train, validation), (a, b) in zip(
            split(DATA, folds, seed=0), [(HALF, REST), (REST, HALF)], strict=True
        ):
            assert (train == a).all() and (validation == b).all()
    own = np.arange(150) % 3  # the fold of every row, before the test part was sealed
    for i, (_, validation) in enumerate(split(DATA, PredefinedSplit(own[DATA.rows]), seed=0)):
        assert (own[DATA.rows[validation]] == i).all()
    assert len(split(DATA, np.int64(4), seed=0)) == 4


def test_groups_never_straddle_a_split_of_a_regression():
    data = Data(X, X[:, 0], name="grouped", task="regression", groups=np.arange(150) // 10)
    for train, validation in split(data, 4, seed=0):
        assert not set(data.groups[train]) & set(data.groups[validation])


def test_every_fold_is_scaled_before_it_is_cast():
    x = np.column_stack([X[:, 0], 1.7e9 + X[:, 1]])
    data = Data(x, Y, name="stamps")
    for (train, validation), fold in zip(
        split(data, 3, seed=0), make_folds(data, 3, seed=0), strict=True
    ):
        given = x[data.rows]
        expected = (given - given[train].mean(axis=0)) / given[train].std(axis=0)
        assert np.allclose(fold.train[0], expected[train], atol=1e-5)
        assert np.allclose(fold.validation[0], expected[validation], atol=1e-5)
        assert fold.train[0].dtype == "float32"


def embedding(config):
    """Ids 1 and 2 alone decide, padding is 0 and masked."""
    model = keras.Sequential(
        [
            keras.layers.Embedding(1000, 4, mask_zero=True),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(config["rate"]), "binary_crossentropy")
    return model


@pytest.mark.parametrize("folds", [None, 2])
def test_token_ids_reach_an_embedding_unscaled(folds):
    y = np.arange(120) % 2
    tokens = np.zeros((120, 6), dtype=int)
    tokens[:, :3] = np.where(y == 1, 900, 7)[:, None]
    data = Data(tokens, y, name="tokens", scaler=None)
    outcome = KerasObjective(embedding, data, folds=folds).run(Trial(0, {"rate": 0.1}, budget=8))
    assert outcome.metrics["accuracy"] == 1.0


def test_the_scaler_sees_the_training_rows_of_its_fold_alone():
    (train, validation), fold = split(DATA, 3, seed=0)[0], make_folds(DATA, 3, seed=0)[0]
    scaler = StandardScaler().fit(DATA.x[train])
    assert np.allclose(fold.train[0], scaler.transform(DATA.x[train]), atol=1e-5)
    assert np.allclose(fold.validation[0], scaler.transform(DATA.x[validation]), atol=1e-5)
    assert not np.allclose(
        fold.validation[0], StandardScaler().fit(DATA.x).transform(DATA.x[validation]), atol=1e-3
    )


def test_too_few_rows_of_a_class_is_an_error_with_a_remedy():
    rare = Data(X[:60], np.r_[np.zeros(53, int), np.ones(7, int)], name="rare")
    with pytest.raises(DataError, match=r"class '1' of rare has .* too few for folds=8.*merge"):
        split(rare, 8, seed=0)
    with pytest.raises(DataError, match="try folds=5"):
        split(DATA, "five", seed=0)
    with pytest.raises(DataError, match="between 2 and"):
        split(DATA, 1, seed=0)


def test_summary_counts_undefined_folds_in_neither_mean_nor_deviation():
    got = summary([{"roc_auc": 0.5}, {"roc_auc": float("nan")}, {"roc_auc": 0.9}])
    assert got["roc_auc"] == pytest.approx(0.7) and got["roc_auc_std"] == pytest.approx(
        0.4 / 2**0.5
    )
    assert got["roc_auc_fold_2"] == 0.9


def test_a_cross_validated_trial_resumes_bit_for_bit_and_its_loss_is_the_mean_of_its_folds(
    tmp_path,
):
    once = KerasObjective(build, DATA, folds=3, jit=False)
    seen = []
    whole = once.run(
        Trial(0, CONFIG, budget=3),
        on_epoch=lambda epoch, values: seen.append((epoch, values["val_loss"])),
    )
    KerasObjective(build, DATA, folds=3, jit=False, checkpoints=tmp_path).run(
        Trial(0, CONFIG, budget=1)
    )
    resumed = KerasObjective(build, DATA, folds=3, jit=False, checkpoints=tmp_path).run(
        Trial(0, CONFIG, budget=3)
    )
    assert resumed.metrics == whole.metrics and resumed.curves == whole.curves
    folds = [whole.metrics[f"accuracy_fold_{i}"] for i in range(3)]
    assert whole.loss == pytest.approx(1 - np.mean(folds))
    assert whole.metrics["accuracy_std"] == pytest.approx(np.std(folds, ddof=1))
    assert [value for _, value in seen] == pytest.approx(whole.curves["val_loss"]) and seen[-1][
        0
    ] == 3


def test_folds_with_callbacks_are_refused_before_anything_is_trained():
    with pytest.raises(HptError, match="callbacks can't be combined with folds=3"):
        KerasObjective(build, DATA, folds=3, callbacks=lambda: [])


def test_whether_folds_are_compiled_with_xla_does_not_depend_on_the_budget(monkeypatch):
    """Else a resumed trial would use another kernel than a retrained one, and end with other
    bits."""
    chosen = []
    monkeypatch.setattr(
        cross_validation, "train_together", lambda *_, jit, **__: chosen.append(jit)
    )
    for jit in ("auto", False, True):
        objective = KerasObjective(build, DATA, folds=3, jit=jit)
        assert all(
            objective.run(Trial(0, CONFIG, budget=budget)).failed for budget in (1, 10**6)
        )  # "stopped"
    assert chosen == [False, False, False, False, True, True]


def test_a_diverged_fold_fails_the_trial_and_says_which():
    outcome = KerasObjective(build, DATA, folds=3, jit=False).run(
        Trial(0, {"rate": 1e38}, budget=3)
    )
    assert outcome.failed and "fold 0" in outcome.error


def test_outer_test_rows_choose_nothing():
    seen = []

    def search(objective):
        seen.append(objective.data.x)
        return CONFIG

    nested = nested_cross_validation(build, search, DATA, epochs=2, outer=3, inner=2)
    for inside, (train, test) in zip(seen, split(DATA, 3, seed=0), strict=True):
        assert np.array_equal(inside, DATA.x[train])
        assert not (inside[:, None] == DATA.x[test][None]).all(-1).any()
    assert (
        len(nested.outer_scores) == 3 and 0 <= nested.mean <= 1 and nested.configs == [CONFIG] * 3
    )
    assert DATA.reveals == 0


def test_nested_cross_validation_prefers_the_config_that_learns():
    nested = nested_cross_validation(
        build, [{"rate": 1e-7}, {"rate": 0.1}], DATA, epochs=6, outer=2, inner=2
    )
    assert nested.configs == [{"rate": 0.1}] * 2
    with pytest.raises(HptError, match="at least one config"):
        nested_cross_validation(build, [], DATA, epochs=1)

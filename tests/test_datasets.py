"""Data sets: fixed stratified parts that share no row, scaled on the training part, and a test set
that counts looks."""

import datetime
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.decomposition import PCA
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from hpt_lab import datasets
from hpt_lab.errors import DataError

MAKERS = [
    datasets.digits,
    datasets.breast_cancer,
    lambda: datasets.two_moons(noise=0.3),
    lambda: datasets.spirals(noise=0.05),
    datasets.circles,
    datasets.xor,
]


@pytest.mark.parametrize("make", MAKERS)
def test_parts_are_60_20_20_stratified_and_the_same_every_time(make):
    data, again = make(), make()
    test = data.reveal_test()
    sizes = np.array([len(data.x_train), len(data.x_validation), len(test[0])])
    assert np.abs(sizes / sizes.sum() - [0.6, 0.2, 0.2]).max() < 0.005
    shares = [np.bincount(y) / len(y) for y in (data.y_train, data.y_validation, test[1])]
    assert np.abs(np.diff(shares, axis=0)).max() < 0.01
    assert (data.x_train == again.x_train).all() and (data.y_validation == again.y_validation).all()
    assert len(data.x) == len(data.y) == len(data.x_train) + len(data.x_validation)


def test_no_row_is_in_two_parts():
    data = datasets.Data(
        np.arange(200.0).reshape(100, 2), np.arange(100) % 2, name="rows", scaler=None
    )
    rows = np.concatenate([data.x_train, data.x_validation, data.reveal_test()[0]])
    assert sorted(rows[:, 0]) == list(range(0, 200, 2))


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_no_group_is_in_two_parts(task):
    group = np.repeat(np.arange(20), 10)
    y = group % 2 if task == "classification" else group / 20
    data = datasets.Data(group[:, None], y, name="families", groups=group, scaler=None, task=task)
    parts = [set(x[:, 0]) for x in (data.x_train, data.x_validation, data.reveal_test()[0])]
    assert [len(part) for part in parts] == [12, 4, 4] and len(set.union(*parts)) == 20
    assert set(data.groups) == parts[0] | parts[1] and (data.groups == data.x[:, 0]).all()


def test_groups_that_can_not_be_split_are_refused():
    for groups in (np.arange(40) % 4, np.arange(39)):
        with pytest.raises(DataError, match="at least 5 groups for each of the 40 rows"):
            datasets.Data(np.zeros((40, 1)), np.arange(40) % 2, name="few", groups=groups)


def test_the_scaler_saw_only_the_training_rows():
    data = datasets.breast_cancer()
    assert (
        np.abs(data.x_train.mean(0)).max() < 1e-5 and np.abs(data.x_train.std(0) - 1).max() < 1e-4
    )
    assert (
        np.abs(data.x_validation.mean(0)).max() > 0.01
    )  # validation rows are shifted by what training learned


def test_the_seal_counts_and_warns_from_the_second_time_on():
    data = datasets.digits()
    assert data.reveals == 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data.reveal_test()
    with pytest.warns(UserWarning, match="opened 2 times"):
        data.reveal_test()
    assert data.reveals == 2


def test_spirals_without_noise_are_two_arms_half_a_turn_apart():
    data = datasets.spirals(noise=0.0, n=400)
    radius = np.linalg.norm(data.x, axis=1)
    turn = np.arctan2(data.x[:, 1], data.x[:, 0]) / (2 * np.pi) - 1.5 * radius
    arm = np.round(2 * turn).astype(int) % 2
    assert (arm == data.y).all()


def test_circles_and_xor_without_noise_follow_their_rule():
    circles, xor = datasets.circles(noise=0.0), datasets.xor(noise=0.0)
    radius = np.linalg.norm(circles.x, axis=1)
    assert np.allclose(radius, np.where(circles.y == 1, 0.5, 1.0), atol=1e-6)
    assert (np.sign(xor.x[:, 0] * xor.x[:, 1]) == np.where(xor.y == 1, -1, 1)).all() and np.abs(
        xor.x
    ).max() <= 1


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (np.zeros((9, 2)), np.zeros(8), "same number of rows, got 9 and 8"),
        (np.full((20, 2), np.nan), np.arange(20) % 2, "NaN or infinite"),
        (np.zeros((20, 2)), np.zeros(20), "at least 2 classes"),
        (np.zeros((20, 2)), np.arange(20) < 2, "the smallest with 2 rows"),
    ],
)
def test_data_that_can_not_be_split_is_refused(x, y, says):
    with pytest.raises(DataError, match=says):
        datasets.Data(x, y, name="bad")


RNG = np.random.default_rng(0)
N = 200
X = RNG.normal(size=(N, 3))
Y = np.arange(N) % 2
DAYS = np.arange(N)


def make(x=X, y=Y, **settings):
    return datasets.Data(x, y, name="mine", **settings)


def test_development_rows_keep_the_order_they_were_given_in():
    data = make(DAYS[:, None], scaler=None)
    assert (
        (np.diff(data.x[:, 0]) > 0).all()
        and (data.x[:, 0] == data.rows).all()
        and (data.y == Y[data.rows]).all()
    )
    sealed = set(data.reveal_test()[0][:, 0])
    assert sealed == set(DAYS) - set(data.rows)


def test_rows_in_order_of_time_are_cut_in_that_order():
    data = make(DAYS[:, None], scaler=None, time_ordered=True)
    test = data.reveal_test()[0]
    parts = np.concatenate([data.x_train, data.x_validation, test])[:, 0]
    assert parts.tolist() == DAYS.tolist() and (len(data.x_train), len(data.x_validation)) == (
        120,
        40,
    )
    with pytest.raises(DataError, match="'1' has no training row"):
        make(y=DAYS >= 170, class_names=("0", "1"), time_ordered=True)
    with pytest.raises(DataError, match="can't be combined with time_ordered"):
        make(groups=DAYS // 4, time_ordered=True)


@pytest.mark.parametrize(
    "dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.int64, np.uint64, ">i4"]
)
def test_integers_stay_as_they_are_and_that_is_said(dtype):
    tokens = RNG.integers(1, 100, (N, 20)).astype(dtype)
    tokens[::2, 12:] = 0  # padding
    with pytest.warns(UserWarning, match="scaler='standard'"):
        data = make(tokens)
    assert (
        data.x_train.dtype == np.int32
        and (data.x == tokens[data.rows]).all()
        and data.scaler is None
    )
    assert (data.x_train == 0).sum() > 0 and set(np.unique(data.x_train)) <= set(range(100))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (make(tokens, scaler=None).x_train == data.x_train).all()
        scaled = make(tokens, scaler="standard")
    assert np.abs(scaled.x_train.mean(axis=0)).max() < 1e-5


def test_ids_beyond_float32_and_beyond_int32_stay_distinct():
    for start in (2**24, 2**31, 2**53, 2**62):
        data = make(start + DAYS[:, None], scaler=None)
        assert len(np.unique(data.x)) == len(data.x) and (data.x[:, 0] == start + data.rows).all()
    with pytest.raises(DataError, match=r"beyond 2\*\*53"):
        make(2**53 + DAYS[:, None], scaler="standard")
    with pytest.raises(DataError, match=r"beyond 2\*\*63"):
        make(np.full((N, 1), 2**64 - 1, dtype=np.uint64), scaler=None)


def test_booleans_become_zero_and_one():
    data = make(X > 0, scaler=None)
    assert data.x_train.dtype == np.float32 and set(np.unique(data.x_train)) == {0, 1}


@pytest.mark.parametrize(
    "column", [1.7e9 + X[:, 0], 1 + 1e-9 * DAYS, 1e50 * X[:, 0], 1e-42 * X[:, 0], 2**40 + X[:, 0]]
)
def test_features_are_scaled_before_they_are_cast(column):
    """The oracle computes in float64 throughout."""
    x = np.column_stack([X[:, 1], column])
    data = make(x)
    train = make(DAYS[:, None], scaler=None).x_train[
        :, 0
    ]  # the same rows are drawn: y and the seed are the same
    expected = (x - x[train].mean(axis=0)) / x[train].std(axis=0)
    assert np.allclose(data.x_train, expected[train], atol=1e-5)
    assert len(np.unique(data.x_train[:, 1])) == len(train)
    with pytest.raises(DataError, match="float32"):
        make(x, scaler=None)


@pytest.mark.parametrize(
    "y",
    [
        1e9 + 10 * X[:, 0],
        1e6 + X[:, 0],
        1 + 1e-9 * DAYS,
        1e39 * X[:, 0],
        1e-46 * X[:, 0],
        2**24 + DAYS,
        2**60 + DAYS,
        -1e8 - X[:, 0],
        np.array([1e9 + i for i in DAYS], dtype=object),
    ],
)
def test_targets_that_float32_falsifies_are_refused(y):
    with pytest.raises(DataError, match="subtract"):
        make(y=y, task="regression")


@pytest.mark.parametrize(
    "y",
    [
        X[:, 0],
        290 + 10 * X[:, 0],
        2020 + DAYS % 9,
        86400.0 * DAYS,
        np.exp(5 * X[:, 0]),
        np.ones(N),
        0.1 + np.zeros(N),
        1e5 * X[:, 0],
        DAYS * 2**10,
        1013 + DAYS % 70 / 10,
    ],
)
def test_ordinary_targets_are_kept(y):
    data = make(y=y, task="regression")
    assert data.y.dtype == np.float32 and np.allclose(data.y, y[data.rows], rtol=1e-7, atol=0)


@pytest.mark.parametrize("gap", [np.nan, None, pd.NA, pd.NaT, "", " ", "nan"])
def test_a_missing_label_is_no_class(gap):
    for values in (["a", "b"], [0, 1]) if not isinstance(gap, str) else (["a", "b"],):
        labels = [values[i % 2] for i in DAYS]
        labels[7::20] = [gap] * 10
        for y in (labels, np.array(labels, dtype=object), pd.Series(labels, dtype=object)):
            with pytest.raises(DataError, match=r"missing .* in 10 of 200 rows"):
                make(y=y)


def test_missing_numbers_are_no_class_and_no_target():
    z = np.where(DAYS % 5 == 0, np.nan, Y)
    for task in ("classification", "regression"):
        for y in (z, z.astype(np.float32), z[:, None], pd.Series(z), np.ma.masked_invalid(z)):
            with pytest.raises(DataError, match=r"40 of 200 rows|40 masked"):
                make(y=y, task=task)
        with pytest.raises(DataError, match="40 infinite"):
            make(y=np.where(DAYS % 5 == 0, np.inf, Y), task=task)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"task": "clasification"}, "'classification', 'regression', got 'clasification'"),
        ({"y": np.eye(2)[Y]}, "argmax"),
        ({"y": X}, "one label per row"),
        ({"y": [1, "a"] * 100}, "number and text"),
        ({"y": X[:, 0]}, "task='regression'"),
        ({"y": Y + 1j}, "real numbers"),
        ({"y": []}, "same number of rows"),
        ({"y": np.r_[Y[:-1], 2]}, "smallest with 1 rows"),
        ({"y": np.ones(N)}, "at least 2 classes"),
        ({"y": np.array(["a", "b"])[Y], "task": "regression"}, "text such as 'a'"),
        ({"class_names": ("a",)}, "2 different names"),
        ({"class_names": ("a", "a")}, "2 different names"),
        ({"class_names": {"a", "b"}}, "2 different names"),
        ({"class_names": 5}, "2 different names"),
        (
            {"y": np.array(["ham", "spam"])[Y], "class_names": ("spam", "ham")},
            "left out where y holds text",
        ),
        ({"groups": np.where(DAYS % 5 == 0, np.nan, DAYS // 4)}, "groups has 40 missing"),
        ({"groups": ["a", 1] * 100}, "all numbers or all text"),
        ({"seed": None}, "seed"),
        ({"seed": -1}, "seed"),
        ({"seed": True}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"scaler": "minmax"}, "'auto', 'standard', None or"),
        ({"scaler": StandardScaler}, "such as MinMaxScaler"),
        ({"scaler": FunctionTransformer(np.sqrt)}, "makes NaN"),
        ({"x": X[:, 0]}, r"x\[:, None\]"),
        ({"x": X.astype(str)}, "column 0 of x must hold numbers"),
        ({"x": X + 1j}, "real numbers"),
        ({"x": scipy.sparse.csr_matrix(X)}, "toarray"),
        ({"x": np.ma.masked_array(X, X > 2)}, "masked"),
        ({"x": [[1], [1, 2]] * 100}, "one shape"),
        ({"x": np.empty((N, 0))}, "at least one row and one column"),
        ({"x": np.where(DAYS[:, None] % 50 == 0, np.nan, X)}, "NaN or infinite values in 4 rows"),
        ({"x": X * 1e200}, "logarithm"),
        ({"x": np.zeros((N, 1), "M8[D]")}, "days since the first"),
        (
            {"x": np.array([[1, datetime.date(2020, 1, 1)]] * N, dtype=object)},
            "column 1 of x must hold numbers, got date",
        ),
    ],
)
def test_what_would_be_misread_is_refused_with_its_remedy(changes, says):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(DataError, match=says):
            make(**changes)


def test_frames_name_the_column_at_fault():
    frame = pd.DataFrame({"age": DAYS, "height": X[:, 0], "member": X[:, 1] > 0})
    assert np.allclose(
        make(frame, scaler=None).x, np.column_stack([DAYS, X[:, 0], X[:, 1] > 0])[make().rows]
    )
    for column in (
        ["Rome"] * N,
        pd.Categorical(["Rome"] * N),
        pd.date_range("2020", periods=N),
        [1, None] * 100,
        pd.array([1, pd.NA] * 100, dtype="Int64"),
    ):
        with pytest.raises(DataError, match="'city'"):
            make(frame.assign(city=column))
    with pytest.raises(DataError, match="different row labels"):
        make(frame, pd.Series(Y, index=DAYS[::-1]))


def test_a_column_of_labels_is_labels_and_bytes_order_does_not_matter():
    plain = make()
    for y in (
        Y.tolist(),
        Y[:, None],
        Y.astype(">i8"),
        Y == 1,
        Y * 1.0,
        pd.Series(Y),
        pd.DataFrame({"y": Y}),
    ):
        data = make(X.astype(">f8"), y)
        assert (data.y_train == plain.y_train).all() and (data.x_train == plain.x_train).all()
    assert make(y=X[:, :1], task="regression").y.shape == (160,)


def test_what_the_caller_does_later_changes_nothing():
    x = X.copy()
    y = Y.copy()
    scaler = MinMaxScaler()
    data = make(x, y, scaler=scaler)
    before = [data.x.copy(), data.x_train.copy(), data.y.copy()]
    x[:] = 99
    y[:] = 0
    scaler.set_params(feature_range=(5, 6))
    assert not hasattr(scaler, "data_min_") and data.scaler.feature_range == (0, 1)
    assert all(map(np.array_equal, before, [data.x, data.x_train, data.y]))
    sealed = data.reveal_test()[0]
    kept = sealed.copy()
    for handed_out in (sealed, data.x, data.x_train, data.x_validation):
        handed_out[:] = -1
    with pytest.warns(UserWarning, match="opened 2 times"):
        assert np.array_equal(data.reveal_test()[0], kept)


def test_a_scaler_may_change_the_number_of_columns():
    data = make(scaler=PCA(2))
    assert data.input_shape == (2,) and data.x.shape == (160, 3)
    images = make(RNG.normal(size=(N, 4, 5)), scaler=PCA(2))
    assert images.input_shape == (2,) and images.x.shape == (160, 4, 5)

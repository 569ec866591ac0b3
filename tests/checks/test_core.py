"""A check never raises, says what is wrong, hints, and accepts any right answer."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpt_lab.checks import Unanswered, Verdict, Wrong, call, check, choice, number, numbers, show


@check
def check_three(answer):
    """Doc."""
    if number(answer, "the count") != 3:
        raise Wrong("that is not 3", hint="count again")
    return "Three it is."


@check
def check_double(function):
    for n in (1, 5):
        if call(function, n) != 2 * n:
            raise Wrong(f"wrong for {n}")
    return "Doubles."


class Hostile:
    """Whatever is done with it raises."""

    def _refuse(self, *_):
        raise RuntimeError("no")

    __repr__ = __str__ = __eq__ = __float__ = __array__ = __call__ = __len__ = __iter__ = _refuse
    __hash__ = None


@pytest.mark.parametrize(
    "answer", [3, 3.0, np.float32(3), np.array(3), np.array([3]), [3], Fraction(3)]
)
def test_a_right_number_passes_in_any_type(answer):
    verdict = check_three(answer)
    assert verdict and verdict.status == "right" and verdict.text == "Three it is."


@pytest.mark.parametrize("stub", [None, ...])
def test_a_stub_is_not_answered_yet(stub):
    assert check_three(stub).status == "unanswered" and not check_three(stub)


def test_a_stub_function_is_not_answered_yet():
    def double(n): ...

    assert check_double(double).status == "unanswered"
    assert "return" in check_double(double).text


def test_a_wrong_answer_gets_its_hint():
    assert check_three(4) == Verdict("wrong", "that is not 3", "count again")
    assert repr(check_three(4)) == "✗ Not yet. that is not 3\nHint: count again"


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ("3", "quotes"),
        (len, "returns"),
        ([], None),
        ([1, 2], None),
        (True, "plain"),
        (float("nan"), "NaN"),
        (3j, "plain"),
        ({"a": 3}, "nothing else"),
        ([[1], [2, 3]], "nothing else"),
        (object(), "nothing else"),
    ],
)
def test_what_is_no_number_is_told_so(answer, hint):
    verdict = check_three(answer)
    assert verdict.status == "wrong" and "the count should be" in verdict.text
    assert hint is None or hint in verdict.hint


@settings(deadline=None)  # the first call imports Matplotlib
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        ),
    )
)
def test_a_check_never_raises(answer):
    for verdict in (check_three(answer), check_double(answer)):
        assert isinstance(verdict, Verdict) and repr(verdict) and verdict._repr_html_()


def test_a_check_survives_an_answer_that_always_raises():
    for verdict in (
        check_three(Hostile()),
        check_double(Hostile()),
        check_double(lambda: 1),
        check_double(lambda n: Hostile()),
    ):
        assert verdict.status == "wrong" and verdict.hint


def test_a_function_that_raises_is_quoted_with_its_call():
    def double(n):
        raise ValueError("bad <n>")

    verdict = check_double(double)
    assert "double(1) raised ValueError: bad <n>" in verdict.text and "cell" in verdict.hint


def test_calling_an_answer_leaves_the_arguments_alone():
    rows = [3, 1, 2]
    assert call(sorted, rows) == [1, 2, 3]
    with pytest.raises(Unanswered):
        call(lambda values: values.sort(), rows)
    assert rows == [3, 1, 2]


def test_html_escapes_what_the_learner_wrote():
    page = check_three("<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in page and "&lt;script&gt;" in page and "<i>Hint:</i>" in page


@pytest.mark.parametrize("answer", [[1, 2.5], (1, 2.5), np.array([1, 2.5]), iter([1, 2.5])])
def test_numbers_reads_any_sequence(answer):
    assert numbers(answer).tolist() == [1, 2.5]


@pytest.mark.parametrize("answer", [3, {1, 2}, "12", [1, "a"], [1, None], [1, float("inf")]])
def test_numbers_refuses_what_is_no_sequence_of_numbers(answer):
    with pytest.raises(Wrong):
        numbers(answer)


def test_choice_reads_a_word_in_any_spelling():
    assert choice("  Too HIGH ", ["too low", "too high"]) == "too high"
    with pytest.raises(Wrong, match="'too low', 'too high', got 'fast'"):
        choice("fast", ["too low", "too high"])


def test_long_answers_are_quoted_short():
    assert len(show(list(range(1000)))) == 80 and show("a\nb") == "'a\\nb'"


def test_a_check_keeps_its_docstring():
    assert check_three.__doc__ == "Doc."

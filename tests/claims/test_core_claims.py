"""A claim fails with its sentence, and can't pass by being empty or by being no statement."""

import numpy as np
import pytest

from hpt_lab.claims import claim


@pytest.mark.parametrize("holds", [True, np.True_, [True, True], np.array([3, 4]) > 2])
def test_what_holds_passes(holds):
    claim("it holds", holds)


@pytest.mark.parametrize(
    "fails", [False, [True, False], np.array([3, 4]) > 3, np.array([np.nan]) > 0, np.array([]) > 0]
)
def test_what_does_not_hold_everywhere_fails_with_its_sentence(fails):
    with pytest.raises(AssertionError, match="no longer true: it holds"):
        claim("it holds", fails)


@pytest.mark.parametrize("no_statement", [1, 0.5, "yes", [1, 2], None])
def test_a_number_is_no_claim(no_statement):
    with pytest.raises(TypeError, match="compare"):
        claim("it holds", no_statement)

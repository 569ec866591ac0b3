"""The endless drill's right answer is the table's: recomputed here from the raw counts of right
test rows."""

import matplotlib
import numpy as np
import pytest

from hpt_lab import curves
from hpt_lab.errors import InterviewError
from hpt_lab.interview.neighbours import APART, LETTERS, WORTH, case, noise
from hpt_lab.plots import describe

CASES = [case(seed=seed, number=number) for seed in (0, 1) for number in range(12)]
each_case = pytest.mark.parametrize("asked", CASES, ids=[asked.id for asked in CASES])


def raw(table, config):
    """The three test errors of a config at the end; a run that diverged counts as the worst
    validation error of all."""
    at = table.configs.index(config)
    errors = 1 - table.curves["test_accuracy"][:, :, -1]
    return np.where(
        np.isnan(errors[at]), np.nanmax(1 - table.curves["val_accuracy"][:, :, -1]), errors[at]
    )


@each_case
def test_options_are_neighbours_with_one_knob_moved_by_one_value(asked):
    assert "".join(option.letter for option in asked.options) == LETTERS
    for option in asked.options:
        values = asked.table.space[option.knob].values
        assert asked.config[option.knob] == option.old
        assert abs(values.index(option.old) - values.index(option.new)) == 1
        moved = {**asked.config, option.knob: option.new}
        assert (
            option.errors == pytest.approx(raw(asked.table, moved))
            and np.ptp(option.errors) <= APART
        )


@each_case
def test_the_right_answer_is_the_lowest_mean_test_error_and_what_lies_in_its_noise(asked):
    errors = {option.letter: np.array(option.errors) for option in asked.options}
    best = min(errors, key=lambda letter: errors[letter].mean())
    for letter, theirs in errors.items():
        error = np.sqrt((theirs.var(ddof=1) + errors[best].var(ddof=1)) / 3)
        tie = theirs.mean() - errors[best].mean() <= max(2 * error, 1 / asked.table.rows["test"])
        assert bool(asked.grade(letter)) == (letter in asked.right) == tie
    assert asked.right[0] == best and len(asked.right) <= 2
    assert np.mean(asked.errors) - errors[best].mean() > WORTH


def test_the_best_of_all_neighbours_that_can_be_judged_is_always_offered():
    for asked in CASES:
        means = []
        for name, domain in asked.table.space.domains.items():
            at = domain.values.index(asked.config[name])
            for value in (*domain.values[max(0, at - 1) : at], *domain.values[at + 1 : at + 2]):
                errors = raw(asked.table, {**asked.config, name: value})
                if np.ptp(errors) <= APART:
                    means.append(errors.mean())
        assert asked.best.mean == pytest.approx(min(means))


def test_a_case_follows_from_its_seed_and_number_alone():
    again = case(seed=0, number=0)
    assert (again.id, again.row, again.options) == (CASES[0].id, CASES[0].row, CASES[0].options)
    assert len({(asked.table.name, asked.row) for asked in CASES}) > 20
    assert {asked.table.name for asked in CASES} == {"digits-mlp", "spirals-mlp"}


def test_every_letter_is_right_now_and_then():
    first = [case(seed=2, number=number).right[0] for number in range(80)]
    assert min(first.count(letter) for letter in LETTERS) > 8


@pytest.mark.parametrize("answer", ["e", "AB", "", None, ..., 3, "<b>"])
def test_what_is_no_letter_is_not_right(answer):
    assert not CASES[0].grade(answer)


def test_small_letters_count_and_explanations_have_every_number():
    asked = CASES[0]
    assert asked.grade(f" {asked.right[0].lower()} ")
    for option in asked.options:
        assert f"{100 * option.mean:.1f} %" in asked.explain()


def test_nobody_can_be_told_apart_by_less_than_a_row():
    assert noise((0.1, 0.1, 0.1), (0.1, 0.1, 0.1), 500) == 1 / 500


def test_the_picture_hides_the_test_error_and_says_its_curves():
    matplotlib.use("Agg")
    left, right = CASES[0].draw()
    assert "test" not in describe(left.figure) and "validation loss" in describe(left.figure)
    labels = left.get_legend_handles_labels()[1] + right.get_legend_handles_labels()[1]
    assert labels == ["training loss", "validation loss", "validation error"]
    drawn = right.lines[0].get_ydata()
    accuracies = curves.load(CASES[0].table.name).curves["val_accuracy"][CASES[0].row, 0]
    assert drawn == pytest.approx(100 * (1 - accuracies), nan_ok=True)
    left.figure.clear()


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"number": -1}, {"number": 1.5}, {"seed": "x"}])
def test_wrong_seeds_and_numbers_are_refused(wrong):
    with pytest.raises(InterviewError):
        case(**wrong)

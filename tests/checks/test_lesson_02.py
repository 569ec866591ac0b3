"""Right answers to lesson 02 pass in more than one spelling; typical wrong ones fail with the hint
that helps."""

import numpy as np
import pytest

from hpt_lab.checks.lesson_02 import (
    CONDITIONS,
    Ward,
    check_diagnosis,
    check_early_stopping,
    check_one_standard_error,
    ward,
)


def by_waiting(val_losses, patience):
    best, at, waited = float("inf"), 0, 0
    for epoch, loss in enumerate(val_losses):
        if loss < best:
            best, at, waited = loss, epoch + 1, 0
        else:
            waited += 1
            if waited >= patience:
                break
    return np.array([at, epoch + 1])


def test_early_stopping_passes_as_a_loop_with_a_counter():
    assert check_early_stopping(by_waiting)


def test_early_stopping_agrees_with_keras():
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(1)
    for _ in range(20):
        losses, patience = list(np.round(rng.random(12), 1)), int(rng.integers(1, 5))
        stopper = keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience)
        stopper.set_model(
            type("Model", (), {"stop_training": False, "get_weights": lambda self: []})()
        )
        stopper.on_train_begin()
        trained = 0
        for epoch, loss in enumerate(losses):
            stopper.on_epoch_end(epoch, {"val_loss": loss})
            trained = epoch + 1
            if stopper.model.stop_training:
                break
        assert tuple(by_waiting(losses, patience)) == (stopper.best_epoch + 1, trained)


def from_zero(val_losses, patience):
    return by_waiting(val_losses, patience) - 1


def swapped(val_losses, patience):
    return tuple(by_waiting(val_losses, patience)[::-1])


def clairvoyant(val_losses, patience):
    return int(np.argmin(val_losses)) + 1, int(by_waiting(val_losses, patience)[1])


def never_stops(val_losses, patience):
    return int(by_waiting(val_losses, patience)[0]), len(val_losses)


def one_late(val_losses, patience):
    return tuple(by_waiting(val_losses, patience + 1))


def waits_too_long(val_losses, patience):
    best, waited = 1, 0
    for epoch in range(2, len(val_losses) + 1):
        if val_losses[epoch - 1] < val_losses[best - 1]:
            best, waited = epoch, 0
        else:
            waited += 1
        if waited > patience:
            return best, epoch
    return best, len(val_losses)


def stays_at_the_last(val_losses, patience):
    return (int(by_waiting(val_losses, patience)[1]),) * 2


def never_moves(val_losses, patience):
    return 1, int(by_waiting(val_losses, patience)[1])


def no_better_than_before(val_losses, patience):
    waited = 0
    for t in range(1, len(val_losses)):
        waited = 0 if val_losses[t] < val_losses[t - 1] else waited + 1
        if waited == patience:
            return t + 1 - patience, t + 1
    return len(val_losses), len(val_losses)


def best_plus_patience(val_losses, patience):
    return int(np.argmin(val_losses)) + 1, int(np.argmin(val_losses)) + 1 + patience


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (from_zero, "count epochs from 1"),
        (swapped, "other way round"),
        (clairvoyant, "see the future"),
        (never_stops, "never stopped"),
        (one_late, "in a row"),
        (waits_too_long, "in a row"),
        (stays_at_the_last, "the first number is"),
        (never_moves, "has stayed where it began"),
        (no_better_than_before, "the epoch before it"),
        (best_plus_patience, "only 3"),
        (lambda losses, patience: 3, "return best_epoch"),
    ],
)
def test_wrong_early_stopping_gets_its_hint(answer, hint):
    verdict = check_early_stopping(answer)
    assert verdict.status == "wrong" and hint in verdict.hint


def test_counting_an_equal_loss_as_better_gets_its_hint():
    def ties(val_losses, patience):
        return by_waiting([loss - 1e-9 * epoch for epoch, loss in enumerate(val_losses)], patience)

    assert "strictly lower" in check_early_stopping(ties).hint


def rule(sizes, scores, error=lambda runs: np.std(runs, ddof=1) / len(runs) ** 0.5):
    means = [sum(runs) / len(runs) for runs in scores]
    limit = max(means) - error(scores[means.index(max(means))])
    return min(size for size, mean in zip(sizes, means, strict=True) if mean >= limit)


def rule_of_own_errors(sizes, scores):
    means = [sum(runs) / len(runs) for runs in scores]
    errors = [np.std(runs, ddof=1) / len(runs) ** 0.5 for runs in scores]
    return next(
        size
        for size, mean, error in zip(sizes, means, errors, strict=True)
        if mean + error >= max(means)
    )


def test_the_one_standard_error_rule_passes_with_numpy_numbers_too():
    assert check_one_standard_error(rule)
    assert check_one_standard_error(lambda sizes, scores: np.int64(rule(sizes, scores)))


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda sizes, scores: rule(sizes, scores, lambda runs: 0), "best mean itself"),
        (
            lambda sizes, scores: rule(sizes, scores, lambda runs: np.std(runs, ddof=1)),
            "square root",
        ),
        (
            lambda sizes, scores: rule(sizes, scores, lambda runs: np.std(runs) / len(runs) ** 0.5),
            "ddof=1",
        ),
        (lambda sizes, scores: rule_of_own_errors(sizes, scores), "not each size's own"),
        (lambda sizes, scores: int(np.argmax(np.mean(scores, 1))), "not its position"),
        (lambda sizes, scores: 0, "return a size"),
    ],
)
def test_a_wrong_one_standard_error_rule_gets_its_hint(answer, hint):
    verdict = check_one_standard_error(answer)
    assert verdict.status == "wrong" and hint in verdict.hint


KEY = dict(zip("ABCDEF", CONDITIONS, strict=True))
PATIENTS = Ward({name: {"loss": [1.0], "val_loss": [1.0]} for name in KEY}, KEY)


def test_right_diagnoses_pass_whatever_their_case():
    assert check_diagnosis(PATIENTS, KEY)
    assert check_diagnosis(
        PATIENTS, {name: f" {condition.upper()} " for name, condition in KEY.items()}
    )


def test_every_wrong_diagnosis_is_sent_to_what_it_should_look_at():
    for name, condition in KEY.items():
        wrong = next(other for other in CONDITIONS if other != condition)
        verdict = check_diagnosis(PATIENTS, KEY | {name: wrong})
        assert (
            verdict.status == "wrong"
            and verdict.hint == CONDITIONS[condition]
            and f"patient {name}" in verdict.text
        )
        assert condition not in verdict.hint  # the hint doesn't tell


def test_a_ward_does_not_tell_what_its_patients_have():
    inside = f"{PATIENTS!r} {vars(PATIENTS)!r}"
    assert not [condition for condition in CONDITIONS if condition in inside]
    other = Ward({name: PATIENTS[name] for name in PATIENTS}, KEY, seed=1)
    assert not set(vars(other)["_digests"].values()) & set(vars(PATIENTS)["_digests"].values())


def test_half_answered_diagnoses_are_counted_and_unknown_words_named():
    verdict = check_diagnosis(PATIENTS, KEY | {"E": ..., "F": None})
    assert verdict.status == "unanswered" and "4 of 6" in verdict.text and "E, F" in verdict.text
    assert "'too big'" in check_diagnosis(PATIENTS, KEY | {"B": "too big"}).text
    assert check_diagnosis(PATIENTS, ["overfitting"]).status == "wrong"


def test_every_patient_shows_its_condition():
    patients = ward(seed=1)
    name_of = {
        condition: name
        for name in patients
        for condition in CONDITIONS
        if patients.has(name, condition)
    }
    assert len(name_of) == 6
    loss, val = (
        {condition: np.array(patients[name_of[condition]][part]) for condition in CONDITIONS}
        for part in ("loss", "val_loss")
    )
    late = slice(-10, None)
    assert loss["underfitting"][late].mean() > loss["good fit"][late].mean() + 0.05
    assert abs(loss["underfitting"][-1] - loss["underfitting"][-20]) < 0.02  # it is through
    assert val["overfitting"][late].mean() > val["overfitting"].min() + 0.05
    assert abs(val["good fit"][late].mean() - loss["good fit"][late].mean()) < 0.15
    assert loss["not trained long enough"][-20] - loss["not trained long enough"][-1] > 0.01
    assert (
        np.abs(np.diff(loss["learning rate too high"][late])).mean()
        > 3 * np.abs(np.diff(loss["good fit"][late])).mean()
    )
    assert (
        val["validation set too easy"][late].mean()
        < loss["validation set too easy"][late].mean() - 0.1
    )
    truth = -0.9 * np.log(0.9) - 0.1 * np.log(
        0.1
    )  # of all rows but the easy ones: a tenth is flipped in each part
    assert (
        abs(loss["good fit"][late].mean() - truth) < 0.03
        and abs(val["good fit"][late].mean() - truth) < 0.05
    )
    assert loss["underfitting"][late].mean() > truth + 0.07
    assert val["validation set too easy"][late].mean() < truth - 0.1

"""The playground and the fit doctor without a browser: they retrain, judge, keep, share, and guard
the test rows."""

import threading
import time

import numpy as np
import pytest

from hpt_lab.errors import HptError
from hpt_lab.widgets.fit_doctor import FitDoctor
from hpt_lab.widgets.playground import KNOBS, Playground
from hpt_lab.widgets.presets import PRESETS
from hpt_lab.widgets.verdict import best_epoch
from hpt_lab.widgets.worker import WORKER

SMALL = {"layers": 1, "units": 8}


@pytest.fixture(scope="module")
def shared():
    """One playground for the tests, so that its graphs are traced once."""
    return Playground(**SMALL, epochs=20)


@pytest.fixture
def board(shared):
    shared.controls.set(**(shared.controls.defaults | SMALL | {"epochs": 20}))
    shared.forget()
    idle()
    shared.reset()
    idle()
    return shared


def idle():
    assert WORKER.wait(120)


def trained(board, epochs):
    """Wait until so many epochs have been trained, while training goes on."""
    for _ in range(6000):
        if board.training is not None and board.training.epochs >= epochs:
            return
        time.sleep(0.005)
    raise AssertionError(f"{epochs} epochs were not trained within 30 s; {board._error.value}")


def curves(board):
    return {name: list(values) for name, values in board.training.curves.items()}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_earns_the_verdict_that_it_promises(shared, name):
    shared.apply_preset(name)
    idle()
    assert shared.verdict.word == PRESETS[name].expect and shared._error.value == ""
    assert PRESETS[name].note in shared._note.value


def test_every_failure_has_a_cure_after_it():
    names = list(PRESETS)
    for name in names:
        kin = [other for other in names if other[0] == name[0]]
        assert "cured" not in kin[0] and all("cured" in other for other in kin[1:]) and len(kin) > 1


def test_a_cure_keeps_the_curves_of_the_failure(shared):
    shared.apply_preset("2 no activation")
    idle()
    failed = curves(shared)
    shared.apply_preset("2 cured: relu")
    idle()
    assert [kept.curves for kept in shared.plot.kept] == [failed]
    assert (
        shared.plot.kept[0].label(shared.controls.values)
        == f"kept: activation linear, {len(failed['loss'])} epochs"
    )


def test_moving_a_control_retrains_and_the_learning_rate_does_not_start_anew(board):
    board.start()
    idle()
    before = curves(board)
    board.controls.boxes["units"].value = 9
    idle()
    assert board.training.network.units == 9 and board.training.epochs == 20
    board.controls.boxes["units"].value = 8
    idle()
    board.controls.boxes["epochs"].value = 2000
    board.reset()
    idle()
    board.start()
    trained(board, 3)
    board.pause()
    idle()
    paused = board.training.epochs
    board.controls.boxes["learning_rate"].value = 0.5
    assert not WORKER.busy()
    board.controls.boxes["epochs"].value = paused + 30
    board.start()
    idle()
    assert board.training.epochs == paused + 30 and board.plot.marks == [
        (paused, "learning rate 0.5")
    ]
    assert curves(board)["loss"][:3] == before["loss"][:3]


def test_pausing_and_going_on_gives_the_same_curves_as_not_pausing(board):
    board.start()
    idle()
    whole = curves(board)
    board.reset()
    idle()
    assert board.training.epochs == 0 and not board.run_button.disabled
    board.run_button.click()
    trained(board, 2)
    board.pause_button.click()
    idle()
    board.run_button.click()
    idle()
    assert curves(board) == whole


def test_step_trains_one_epoch_a_click_however_quick_the_clicks(board):
    button = next(b for b in board.buttons.children if b.description == "Step")
    button.click()
    idle()
    for _ in range(4):
        button.click()
    idle()
    assert board.training.epochs == 5


def test_a_rate_moved_after_the_end_retrains_even_if_epochs_was_lowered_on_the_way(board):
    board.controls.set(epochs=2000)
    board.start()
    deadline = time.monotonic() + 60
    while (board.training is None or board.training.epochs < 12) and time.monotonic() < deadline:
        time.sleep(0.01)
    board.controls.set(epochs=10)
    idle()
    before = list(board.training.curves["loss"])
    board.controls.set(learning_rate=0.5)
    idle()
    after = board.training.curves["loss"]
    assert len(after) == 10 and after[0] != before[0]


def test_a_share_string_gives_the_same_curves(board):
    board.controls.set(data="xor", noise=0.1, seed=7, share=50)
    idle()
    text, expected = board._share.value, curves(board)
    board.set_defaults()
    idle()
    board._share.value = text
    idle()
    assert curves(board) == expected and board.controls.values["seed"] == 7


def test_a_bad_share_string_is_refused_in_the_widget(board):
    before = board.controls.values
    board._share.value = '{"data": "<img src=x onerror=alert(1)>"}'
    assert "&lt;img" in board._error.value and board.controls.values == before
    with pytest.raises(HptError, match="one line of JSON"):
        Playground(share="__import__('os').system('true')")


def test_the_test_rows_stay_sealed_until_opened_and_looks_are_counted(board):
    board.controls.set(seed=4321)
    idle()
    test = next(b for b in board.buttons.children if b.description == "Open test rows")
    assert board._data.reveals == 0 and "Test rows" not in board.text
    test.click()
    idle()
    assert board._data.reveals == 1 and "Test rows opened after epoch 20: accuracy" in board.text
    test.click()
    idle()
    assert "opened 2 times" in board.text


def test_opening_the_test_rows_of_an_untrained_network_is_refused(board):
    board.controls.set(seed=99, epochs=10)
    idle()
    board.reset()
    idle()
    next(b for b in board.buttons.children if b.description == "Open test rows").click()
    idle()
    assert "train first" in board._error.value and board._data.reveals == 0


def test_a_flood_of_slider_moves_ends_at_the_last_value_and_leaves_no_thread(board):
    threads = threading.enumerate()  # the worker's among them
    for value in range(200):
        board.controls.boxes["noise"].value = value / 400
        assert threading.enumerate() == threads
    idle()
    assert (
        threading.enumerate() == threads
        and board.began_with["noise"] == 199 / 400
        and board.training.epochs == 20
    )


def test_training_rows_are_of_each_class_alike_and_a_share(board):
    board.controls.set(share=20)
    idle()
    assert (
        np.bincount(board.problem.y).tolist() == [30, 30]
        and len(board.problem.validation[1]) == 100
    )


def test_all_defaults_belong_to_their_controls():
    assert all(knob.check(knob.default) == knob.default for knob in KNOBS)


def test_the_doctor_marks_the_best_epoch_and_says_what_was_lost():
    doctor = FitDoctor(share=5, units=32, epochs=40)
    losses = doctor.training.curves["val_loss"]
    best = best_epoch(losses)
    assert doctor.training.epochs == 40 and min(losses) == losses[best - 1]
    assert (
        f"Stopping at the best epoch, {best}, would have saved {40 - best} of 40 epochs"
        in doctor.text
        or best == 40
    )


def test_patience_ends_training_so_many_epochs_after_the_best():
    doctor = FitDoctor(share=5, units=32, learning_rate=0.05, patience=5)
    doctor.start()
    idle()
    assert doctor.training.epochs < 100
    assert doctor.training.epochs - best_epoch(doctor.training.curves["val_loss"]) == 5
    assert f"Patience ended it in epoch {doctor.training.epochs}, 5 after the best" in doctor.text


def test_what_patience_has_ended_is_judged_by_the_epoch_it_went_back_to():
    doctor = FitDoctor(share=8, layers=3, units=128, patience=3)
    doctor.start()
    idle()
    curves = doctor.training.curves
    best, n = best_epoch(curves["val_loss"]), doctor.training.epochs
    assert best < n and doctor.restored() == best
    accuracy = curves["val_accuracy"][best - 1]
    assert f"restored epoch {best}: validation loss" in doctor.text
    assert f"accuracy {accuracy:.1%}. Epoch {n} itself had" in doctor.text
    assert (
        doctor.plot.axes["accuracy"].get_title(loc="left")
        == f"Restored epoch {best}: validation accuracy {accuracy:.0%}"
    )
    doctor.controls.set(patience=0)
    idle()
    assert doctor.restored() == 0 and "restored" not in doctor.text
    accuracy = doctor.training.curves["val_accuracy"][-1]
    assert (
        doctor.plot.axes["accuracy"].get_title(loc="left") == f"Validation accuracy {accuracy:.0%}"
    )


def test_the_lowest_tick_of_the_loss_says_that_what_is_below_is_drawn_there():
    tick = FitDoctor().plot.axes["loss"].yaxis.get_major_formatter()
    assert tick(1e-3, None) == "≤ 0.001" and tick(0.01, None) == "0.01"

"""Controls pair sliders with boxes and check what comes from outside; boards show results, errors
and a picture."""

import base64
import io
import math
import threading

import pytest
from PIL import Image

from hpt_lab.errors import HptError
from hpt_lab.widgets.controls import Choice, Controls, Number, Switch
from hpt_lab.widgets.look import BLUE, Board, dress, seed
from hpt_lab.widgets.worker import WORKER

KNOBS = [
    Number("rate", "Rate", 0.01, low=1e-4, high=10, step=0.1, log=True),
    Number("k", "Folds", 5, low=2, high=10, whole=True),
    Choice("kind", "Kind", "grid", ("grid", "random")),
    Switch("leak", "Leak", False),
    seed(0),
]


class Counter(Board):
    """Counts to `k`, or raises."""

    def __init__(self, broken=False):
        super().__init__("Counter <b>", KNOBS)
        self.broken, self.threads = broken, set()
        ax = self.picture.figure.subplots()
        (self.line,) = ax.plot([], [], color=BLUE)
        dress(ax, "Count")
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1)
        self.picture.moving(self.line)
        self.picture.show(fresh=True)

    def work(self, stop):
        if self.broken:
            raise ValueError("<script>alert(1)</script>")
        for i in range(self.controls.values["k"]):
            self.threads.add(threading.current_thread().name)
            self.line.set_data([0, 1], [0, i / 10])
            self.picture.show()
            self.say(f"counted to {i + 1} & on")
            yield


@pytest.fixture
def heard():
    return []


@pytest.fixture
def controls(heard):
    return Controls(KNOBS, changed=heard.append)


def test_a_slider_and_its_box_move_together_and_are_heard_once(controls, heard):
    slider, box = controls.children[0].children
    slider.value += 1
    assert box.value == controls.values["rate"] == 0.013 and heard == [{"rate"}]
    box.value = 0.5
    assert KNOBS[0].at(slider.value) == 0.5 and heard == [{"rate"}, {"rate"}]


def test_a_value_typed_between_the_sliders_steps_stays_as_typed(controls, heard):
    slider, box = controls.children[0].children
    box.value = 0.0123
    assert box.value == 0.0123 and len(heard) == 1
    slider.value = slider.value  # what a browser sends when it rounds
    assert box.value == 0.0123


@pytest.mark.parametrize(
    "knob",
    [
        KNOBS[0],
        KNOBS[1],
        Number("b", "B", 32, low=4, high=256, step=0.1, log=True, whole=True),
        Number("d", "D", 0, low=0, high=0.8, step=0.05),
    ],
)
def test_every_position_of_a_slider_is_the_position_of_its_value(knob):
    positions = range(knob.position(knob.high) + 1)
    assert [knob.position(knob.at(i)) for i in positions] == list(positions)
    assert knob.at(0) == knob.low and knob.at(positions[-1]) == pytest.approx(knob.high, rel=0.05)


def test_every_slider_has_a_box(controls):
    pairs = [child.children for child in controls.children if hasattr(child, "children")]
    assert len(pairs) == 2 and all(
        "Slider" in type(s).__name__ and "Text" in type(b).__name__ for s, b in pairs
    )


def test_setting_several_values_is_one_change_and_unchanged_values_are_none(controls, heard):
    controls.set(rate=1.0, k=7, kind="grid")
    assert heard == [{"rate", "k"}]
    controls.set(**controls.defaults)
    controls.set(**controls.defaults)
    assert len(heard) == 2 and controls.values == {
        "rate": 0.01,
        "k": 5,
        "kind": "grid",
        "leak": False,
        "seed": 0,
    }


def test_a_share_string_restores_every_value(controls, heard):
    controls.set(rate=3.0, k=9, kind="random", leak=True, seed=2)
    text = controls.to_text()
    assert Controls(KNOBS, changed=heard.append).from_text(text) == controls.values


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"k":5', '"k":11', "k must be a whole number from 2 to 10, got 11"),
        ('"k":5', '"k":5.5', "k must be a whole number"),
        ('"k":5', '"k":true', "k must be a whole number"),
        ('"rate":0.01', '"rate":NaN', "rate must be a number"),
        ('"rate":0.01', '"rate":1e999', "rate must be a number"),
        ('"rate":0.01', '"rate":"0.01"', "rate must be a number"),
        ('"kind":"grid"', '"kind":["grid"]', "kind must be one of"),
        ('"leak":false', '"leak":0', "leak must be true or false"),
        ('"k":5,', "", "lacks k"),
        ('"k":5', '"k":5,"extra":1', "'extra' is no control"),
        ("{", "__import__('os')", "one line of JSON"),
        ("{", "[" * 5000, "one line of JSON"),
    ],
)
def test_a_bad_share_string_is_refused_and_sets_nothing(controls, heard, old, new, says):
    with pytest.raises(HptError, match=says):
        controls.from_text(controls.to_text().replace(old, new))
    assert heard == []


def test_a_number_that_is_nan_is_refused():
    with pytest.raises(HptError, match="got nan"):
        KNOBS[0].check(math.nan)


def test_work_draws_on_the_worker_and_ends_with_run_usable():
    board = Counter()
    before = board.picture.png
    board.run_button.click()
    assert WORKER.wait(10)
    assert board.threads == {"hpt-lab worker"} and board.text == "counted to 5 & on"
    assert board.picture.png != before and "5 &amp; on" in board._text.value
    assert not board.run_button.disabled and board.pause_button.disabled


def test_an_error_is_shown_escaped_and_goes_away_with_the_next_run():
    board = Counter(broken=True)
    board.start()
    assert WORKER.wait(10)
    assert (
        "ValueError: &lt;script&gt;" in board._error.value and "<script>" not in board._error.value
    )
    assert not board.run_button.disabled
    board.broken = False
    board.start()
    assert WORKER.wait(10) and board._error.value == ""


def test_an_error_in_a_callback_is_shown():
    board = Counter()
    board.button("Break", lambda: 1 / 0).click()
    assert "ZeroDivisionError: division by zero" in board._error.value


def test_the_mime_bundle_has_the_widget_its_picture_and_its_text():
    board = Counter()
    board.say("done")
    data, metadata = board._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == board.model_id
    picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
    assert picture.size == (960, 420) and picture.mode == "RGB"  # no alpha: opaque in dark mode
    assert data["text/plain"] == metadata["image/png"]["alt"] == "Counter <b>. done"
    assert "Counter &lt;b&gt;" in board.children[0].value


def test_frames_drawn_on_the_still_part_equal_frames_drawn_anew():
    board = Counter()
    board.line.set_data([0, 1], [0.2, 0.9])
    board.picture.show()
    quick = board.picture.png
    board.picture.show(fresh=True)
    assert quick == board.picture.png


def test_frames_travel_as_jpeg_while_something_moves_and_the_last_one_stays_as_png():
    board = Counter()
    sent = []
    board.picture.image.observe(lambda change: sent.append(bytes(change.new)), names="value")
    board.start()
    assert WORKER.wait(10)
    assert [frame[:2] for frame in sent[:-1]] == [b"\xff\xd8"] * 5 and sent[-1] == board.picture.png
    assert board.picture.image.format == "png" and sent[-1][:4] == b"\x89PNG"

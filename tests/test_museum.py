"""Every exhibit of the museum says what a reader needs to check it; labels tell a live fault from a
mended one."""

import re

import pytest

from hpt_lab import museum
from hpt_lab.errors import DataError

EXHIBITS = museum.exhibits()


@pytest.mark.parametrize("name", EXHIBITS)
def test_an_exhibit_names_library_version_link_right_value_and_test(name):
    exhibit = EXHIBITS[name]
    assert re.fullmatch(r"\d+(\.\d+)+", exhibit.version)
    assert re.match(
        r"https://github\.com/[\w-]+/[\w-]+/(issues/\d+|pull/\d+|blob/\S+#L\d+)$", exhibit.link
    )
    for field in ("title", "library", "what", "seen", "right", "why", "test"):
        assert getattr(exhibit, field).strip(), field
    assert exhibit.seen != exhibit.right
    assert not exhibit.live or exhibit.library in museum.PACKAGES


def test_there_are_at_least_ten_and_no_two_alike():
    assert len(EXHIBITS) >= 10
    assert len({exhibit.title for exhibit in EXHIBITS.values()}) == len(EXHIBITS)


def test_a_label_says_whether_the_fault_is_live_mended_or_re_enacted():
    pytest.importorskip("optuna")
    fault, right = EXHIBITS["lost-bracket"].seen, EXHIBITS["lost-bracket"].right
    assert museum.show("lost-bracket", int(fault)).verdict.startswith("live in Optuna ")
    assert museum.show("lost-bracket", right).verdict.startswith("mended in Optuna ")
    assert museum.show("nan-wins", "nan").verdict == "re-enacted after scikit-learn 1.0"
    assert "right: 6" in repr(museum.show("lost-bracket", 5))


def test_text_of_an_exhibit_is_escaped():
    shown = museum.show("nan-wins", "<script>")._repr_html_()
    assert "<script>" not in shown and "&lt;script&gt;" in shown


def test_an_unknown_exhibit_is_refused():
    with pytest.raises(DataError, match="lost-bracket"):
        museum.show("nothing", 1)

"""The cheat sheet: two pages, and its numbers counted again another way."""

import math
import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from scipy.stats import norm, spearmanr

import hpt_lab as hpt
from hpt_lab import curves
from hpt_lab.errors import InterviewError
from hpt_lab.interview import sheet
from hpt_lab.plots import cheat_sheet
from tests.interview.test_mock import run

NUMBERS = sheet.numbers()
COMMITTED = Path(__file__).parents[2] / "docs" / "cheat-sheet.pdf"


def words(figure):
    return " ".join(text.get_text() for text in figure.findobj(matplotlib.text.Text))


def test_it_is_two_pages_and_the_committed_one_is_small(tmp_path):
    path = tmp_path / "sheet.pdf"
    assert "two pages" in run("cheatsheet", path, keys="")
    for file in (path, COMMITTED):
        assert len(re.findall(rb"/Type /Page\b", file.read_bytes())) == 2
    assert COMMITTED.stat().st_size < 200_000


def test_the_bracket_table_is_what_hyperband_runs():
    space = hpt.Space(x=hpt.Float(0, 1))
    shown = words(cheat_sheet.first_page(NUMBERS))
    for rounding in ("algorithm", "table"):
        plan = hpt.plan(hpt.hyperband(space, max_budget=81, rounding=rounding))
        assert f"{plan.configs} configs, {plan.runs} runs" in shown
        for rungs in plan.brackets.values():
            assert " → ".join(f"{rung.n}×{rung.budget}" for rung in rungs) in shown


def test_ten_numbers_by_another_way():
    ten = dict(NUMBERS["ten"])
    plan = hpt.plan(hpt.hyperband(hpt.Space(x=hpt.Float(0, 1)), max_budget=81))
    assert f"{plan.epochs_resumed:,}" in ten
    assert len(NUMBERS["ten"]) == 10
    n = next(n for n in range(1, 1000) if 1 - 0.95**n >= 0.95)
    assert str(n) in ten
    halving = hpt.plan(hpt.successive_halving(hpt.Space(x=hpt.Float(0, 1)), max_budget=81))
    assert (
        str(int(halving.epochs_resumed)) in ten
        and f"{halving.epochs_scratch:g} from scratch" in ten["297"]
    )
    rng = np.random.default_rng(0)
    luck = rng.standard_normal((200_000, 20)).max(axis=1).mean()
    assert min(abs(float(value) - luck) for value in ten if value.startswith("1.8")) < 0.01
    assert f"{100 * math.sqrt(0.09 / 1000):.2f}" in ten
    assert norm.ppf(0.975) == pytest.approx(1.96, abs=0.001)


def test_the_early_ranks_are_spearmans():
    table = curves.load("digits-mlp")
    losses = np.nan_to_num(1 - table.curves["val_accuracy"], nan=np.inf)
    expected = np.mean([spearmanr(losses[:, s, 8], losses[:, s, 80]).statistic for s in range(3)])
    assert NUMBERS["correlations"]["digits"]["all"][2] == pytest.approx(expected, abs=0.01)
    assert f"{expected:.2f}" in dict(NUMBERS["ten"])


def test_shares_of_the_variance_sum_to_one_and_the_largest_is_on_top():
    for name, shares in NUMBERS["importance"].items():
        assert sum(shares.values()) == pytest.approx(1)
        table = curves.load(f"{name}-mlp")
        cube = curves.lessons.final(table).reshape(table.shape)
        axis = list(table.space).index("learning_rate")
        means = cube.mean(axis=tuple(i for i in range(cube.ndim) if i != axis))
        assert shares["learning_rate"] == pytest.approx(means.var() / cube.var())
        assert max(shares, key=shares.get) == "learning_rate"


def test_no_text_leaves_the_page_and_none_lies_on_another():
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    for draw in (cheat_sheet.first_page, cheat_sheet.second_page):
        figure = draw(NUMBERS)
        renderer = FigureCanvasAgg(figure).get_renderer()
        boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in figure.texts]
        for said, box in boxes:
            assert box.x0 > 0 and box.x1 < figure.bbox.width and box.y0 > 0, said
        for place, (said, box) in enumerate(boxes):
            for other, its in boxes[:place]:
                width = min(box.x1, its.x1) - max(box.x0, its.x0)
                height = min(box.y1, its.y1) - max(box.y0, its.y0)
                assert not (width > 0.5 and height > 2.5), (said, other)


@pytest.mark.parametrize("name", ["sheet.png", "nowhere/sheet.pdf"])
def test_a_file_that_can_be_no_sheet_is_refused(tmp_path, name):
    with pytest.raises(InterviewError, match="pdf"):
        sheet.write_sheet(tmp_path / name)

"""Lesson 07: right answers pass in two spellings, and each typical mistake gets its own hint."""

import math

import numpy as np
import pytest

from hpt_lab.checks.lesson_07 import SITUATIONS, check_get_job, check_idle, check_schedule


def stub(*_): ...


@pytest.mark.parametrize("nothing", [stub, ..., None])
def test_stubs_are_not_answered_yet(nothing):
    assert check_get_job(nothing).status == "unanswered"
    assert check_idle(..., "ASHA").status == check_idle(0.5, ...).status == "unanswered"
    assert (
        check_schedule([...] * 4).status
        == check_schedule(dict.fromkeys(SITUATIONS, ...)).status
        == "unanswered"
    )


def rule(
    losses, promoted, eta, *, rungs=None, keep=None, skip=True, key=None, finite=True, again=False
):
    """The right rule, or a wrong one with a part replaced."""
    for k in (rungs or (lambda n: range(n - 2, -1, -1)))(len(losses)):
        ranked = sorted(losses[k], key=key or (lambda id, k=k: (losses[k][id], id)))
        if not finite:
            ranked = [id for id in ranked if math.isfinite(losses[k][id])]
        top = ranked[: (keep or (lambda n, eta: n // eta))(len(ranked), eta)]
        for id in top:
            if (again or id not in promoted[k]) and (not skip or math.isfinite(losses[k][id])):
                return id, k + 1
    return None, 0


def with_arrays(losses, promoted, eta):
    for k in reversed(range(len(losses) - 1)):
        ids = np.array(sorted(losses[k]), int)
        values = np.array([losses[k][id] for id in ids])
        top = ids[np.argsort(values, kind="stable")[: len(ids) // eta]]
        ready = [id for id in top if id not in promoted[k] and np.isfinite(losses[k][id])]
        if ready:
            return [ready[0], k + 1]
    return [None, 0]


@pytest.mark.parametrize("right", [rule, with_arrays])
def test_the_rule_passes_in_any_spelling(right):
    assert check_get_job(right)


def remaining(losses, promoted, eta):
    """Leave out those that have left before the third is counted."""
    for k in range(len(losses) - 2, -1, -1):
        left = [id for id in losses[k] if id not in promoted[k] and math.isfinite(losses[k][id])]
        if len(left) // eta:
            return min(left, key=losses[k].get), k + 1
    return None, 0


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda *a: rule(*a, keep=lambda n, eta: max(1, n // eta)), "nobody"),
        (lambda *a: rule(*a, keep=lambda n, eta: n // 3), "eta"),
        (lambda *a: rule(*a, keep=lambda n, eta: -(-n // eta)), "nobody"),
        (lambda *a: rule(*a, again=True), "twice"),
        (remaining, "one of four"),
        (lambda *a: rule(*a, rungs=lambda n: range(n - 1)), "highest"),
        (lambda *a: rule(*a, skip=False), "failed"),
        (lambda *a: rule(*a, finite=False), "3 // 3"),
        (
            lambda losses, promoted, eta: rule(
                losses, promoted, eta, key=lambda id: (-losses[0].get(id, 0), id)
            ),
            "smallest",
        ),
        (lambda losses, promoted, eta: rule([*losses, {}], [*promoted, set()], eta), "full budget"),
        (lambda *a: rule(*a)[0] or 0, "pair"),
        (lambda *a: "none", "pair"),
        (3, "name"),
        (lambda losses: 1, "cell"),
    ],
)
def test_a_wrong_rule_gets_its_hint(wrong, hint):
    verdict = check_get_job(wrong)
    assert verdict.status == "wrong" and hint in verdict.hint, verdict


@pytest.mark.parametrize("share", [1 - 36 / 96, np.float32(0.625), 0.63])
def test_the_idle_share_passes(share):
    assert check_idle(share, " asha ")


@pytest.mark.parametrize(
    ("share", "remedy", "hint"),
    [
        (62.5, "ASHA", "fraction"),
        (36 / 96, "ASHA", "missing to 1"),
        (1 - 28 / 64, "ASHA", "last run"),
        (0.1, "ASHA", "add up"),
        (0.625, "more workers", "slowest"),
        (0.625, "a larger eta", "waiting"),
        ("a lot", "ASHA", "quotes"),
    ],
)
def test_a_wrong_idle_share_gets_its_hint(share, remedy, hint):
    verdict = check_idle(share, remedy)
    assert verdict.status == "wrong" and hint in verdict.hint, verdict


RIGHT = list(SITUATIONS.values())


@pytest.mark.parametrize("chosen", [RIGHT, dict(SITUATIONS), [name.lower() for name in RIGHT]])
def test_the_right_schedules_pass(chosen):
    assert check_schedule(chosen)


@pytest.mark.parametrize(
    ("place", "name", "hint"),
    [
        (0, "ASHA", "straggler"),
        (1, "Hyperband", "slowest"),
        (2, "ASHA", "weights"),
        (3, "PBT", "cut early"),
        (3, "grid", ""),
    ],
)
def test_a_wrong_schedule_gets_its_hint(place, name, hint):
    chosen = list(RIGHT)
    chosen[place] = name
    verdict = check_schedule(chosen)
    assert verdict.status == "wrong" and hint in verdict.hint, verdict


def test_as_many_answers_as_situations():
    assert "4 situations" in check_schedule(RIGHT[:2]).text

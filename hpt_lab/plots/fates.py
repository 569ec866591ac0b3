"""Who went on and who was cut, read off a history: no strategy has to say so."""

from __future__ import annotations

from typing import Any, Literal

from hpt_lab.history import History, Record

Fate = Literal["went on", "cut", "not cut", "failed"]


def fates(study: Any, history: History) -> list[Fate]:
    """Say what became of each record, in order.

    "went on": the same trial was asked again with more budget. "cut": others of its bracket went on
    from there.
    "not cut": nobody went on from there (the last rung), or its turn may still come, because fewer
    went on than the strategy's `eta` allows (a study that was stopped, or is running). "failed": no
    finite loss.
    """
    furthest: dict[int, float] = {}  # trial -> the largest budget it was asked for
    for trial in [*(record.trial for record in history.records), *history.pending]:
        furthest[trial.id] = max(trial.budget, furthest.get(trial.id, 0.0))
    eta = getattr(getattr(study, "strategy", None), "settings", {}).get("eta")
    found: dict[tuple[int, float], Fate] = {}
    for rung in rungs(history.records).values():
        ranked = [record for record in rung if not record.outcome.failed]
        more = sum(furthest[record.trial.id] > record.budget for record in rung)
        places = (len(rung) // eta if eta else 0) - more if more else len(ranked)
        for record in rung:
            if record.outcome.failed:
                fate: Fate = "failed"
            elif furthest[record.trial.id] > record.budget:
                fate = "went on"
            elif places > 0:
                places, fate = places - 1, "not cut"
            else:
                fate = "cut"
            found[record.trial.id, record.budget] = fate
    return [found[record.trial.id, record.budget] for record in history.records]


def margins(study: Any, history: History) -> dict[tuple[int | None, float], tuple[float, float]]:
    """Say where each rung drew its line: (bracket, budget) -> (line, margin).

    line: the largest loss that went on. margin: how much above it the closest of those who were cut
        was. Rungs without a
    line are left out: nobody was cut, or only failures; or somebody was who was better than one
    that went on, because not all had reported when that was decided (ASHA).
    """
    fate = {
        (r.trial.id, r.budget): its
        for r, its in zip(history.records, fates(study, history), strict=True)
    }
    lines = {}
    for place, rung in rungs(history.records).items():
        on, cut = (
            [r.loss for r in rung if fate[r.trial.id, r.budget] == its]
            for its in ("went on", "cut")
        )
        if on and cut and max(on) <= min(cut):
            lines[place] = max(on), min(cut) - max(on)
    return lines


def rungs(records: list[Record]) -> dict[tuple[int | None, float], list[Record]]:
    """Group records by (bracket, budget): brackets from the largest s down, budgets upwards, best
    record first."""
    groups: dict[tuple[int | None, float], list[Record]] = {}
    for record in sorted(records, key=_place):
        groups.setdefault((record.trial.bracket, record.budget), []).append(record)
    return groups


def _place(record: Record) -> tuple[float, float, float, int]:
    bracket = record.trial.bracket
    return (
        -bracket if bracket is not None else 1,
        record.budget,
        record.outcome.rank_loss,
        record.trial.id,
    )

"""The history: who is best, and what each trial added to what it had."""

import math

from hpt_lab.history import History, increments
from hpt_lab.trial import Outcome, Trial


def test_best_ignores_failures_and_breaks_ties_by_time():
    history = History()
    for id, loss in enumerate([math.nan, 0.3, -math.inf, 0.2, 0.2]):
        history.ask(Trial(id, {}))
        history.tell(Trial(id, {}), Outcome(loss))
    assert history.best.trial.id == 3 and history.asked == 5 and not history.pending


def test_a_child_adds_only_what_its_parent_had_not():
    trials = [
        Trial(0, {}, 3),
        Trial(0, {}, 9),
        Trial(1, {}, 12, parent=0),
        Trial(1, {}, 15),
        Trial(2, {}, 4),
    ]
    assert increments(trials) == [3, 6, 3, 3, 4]

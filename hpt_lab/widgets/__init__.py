"""Widgets that retrain live: controls post, a worker trains, a picture reports.

Read `look` first (how a widget is built), then `worker` (one training thread), then `playground`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hpt_lab.widgets.bayes_explorer import BayesExplorer
    from hpt_lab.widgets.bracket_explorer import BracketExplorer
    from hpt_lab.widgets.diagnose import Diagnose
    from hpt_lab.widgets.fit_doctor import FitDoctor
    from hpt_lab.widgets.fold_explorer import FoldExplorer
    from hpt_lab.widgets.mock_interview import MockInterview
    from hpt_lab.widgets.playground import Playground
    from hpt_lab.widgets.quiz import Quiz
    from hpt_lab.widgets.race_track import RaceTrack
    from hpt_lab.widgets.search_explorer import SearchExplorer

_HOME = {
    "BayesExplorer": "bayes_explorer",
    "BracketExplorer": "bracket_explorer",
    "Diagnose": "diagnose",
    "FitDoctor": "fit_doctor",
    "FoldExplorer": "fold_explorer",
    "MockInterview": "mock_interview",
    "Playground": "playground",
    "Quiz": "quiz",
    "RaceTrack": "race_track",
    "SearchExplorer": "search_explorer",
}

__all__ = [
    "BayesExplorer",
    "BracketExplorer",
    "Diagnose",
    "FitDoctor",
    "FoldExplorer",
    "MockInterview",
    "Playground",
    "Quiz",
    "RaceTrack",
    "SearchExplorer",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)

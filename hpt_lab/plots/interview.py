"""The pictures that questions of the interview room ask about, by their names.

They live in the modules `interview_*.py`. Each has a dict PICTURES of functions without arguments
that draw recorded curves, return the figure or its axes, and leave an alt text that tells what is
seen, not what it means.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import hpt_lab.plots
from hpt_lab.errors import InterviewError
from hpt_lab.plots.figure import describe

Picture = Callable[[], Axes | Figure]


@cache
def pictures() -> dict[str, Picture]:
    """Return all pictures by name. Raises InterviewError for a name that two modules give away."""
    found: dict[str, Picture] = {}
    for module in pkgutil.iter_modules(hpt_lab.plots.__path__, "hpt_lab.plots."):
        if module.name.startswith("hpt_lab.plots.interview_"):
            theirs = importlib.import_module(module.name).PICTURES
            twice = sorted(found.keys() & theirs)
            if twice:
                raise InterviewError(
                    f"{module.name} draws {twice}, as another module does; rename one"
                )
            found |= theirs
    return found


def draw(name: str) -> Figure:
    """Draw the picture of this name on a new figure. Raises InterviewError if there is none."""
    known = pictures()
    if name not in known:
        raise InterviewError(f"there is no picture {name!r}; there are {', '.join(sorted(known))}")
    drawn = known[name]()
    return drawn if isinstance(drawn, Figure) else drawn.figure.figure


def in_words(name: str) -> str:
    """Return the alt text of a picture: what a terminal can show of it."""
    figure = draw(name)
    plt.close(figure)
    return describe(figure)

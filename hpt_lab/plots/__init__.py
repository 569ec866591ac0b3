"""Pictures of a study: each function takes a Study (or its History), draws on Matplotlib axes and
returns them.

A title states the finding, computed from the data; `describe(ax)` says the picture in words, which
are also its alt text in a notebook. Start with `brackets`.
"""

from hpt_lab.plots.brackets import brackets
from hpt_lab.plots.contours import contour
from hpt_lab.plots.distributions import edf
from hpt_lab.plots.figure import alt, describe
from hpt_lab.plots.hindsight import hindsight
from hpt_lab.plots.importances import importance
from hpt_lab.plots.isolations import isolation
from hpt_lab.plots.over_time import history, learning_curves
from hpt_lab.plots.parallel_coordinates import parallel_coordinates
from hpt_lab.plots.paretos import pareto
from hpt_lab.plots.ranks import rank
from hpt_lab.plots.slices import boundaries, slice
from hpt_lab.plots.timelines import timeline

__all__ = [
    "alt",
    "boundaries",
    "brackets",
    "contour",
    "describe",
    "edf",
    "hindsight",
    "history",
    "importance",
    "isolation",
    "learning_curves",
    "parallel_coordinates",
    "pareto",
    "rank",
    "slice",
    "timeline",
]

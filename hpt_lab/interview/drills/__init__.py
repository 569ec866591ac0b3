"""Coding drills: what interviewers have people write on a whiteboard, graded by hidden cases.

    from hpt_lab.interview import drills

    print(drills.DRILLS["f1"].statement)
    drills.grade("f1", my_f1)

On the command line: `hpt-lab drill list`, `show NAME`, `check NAME FILE`; there the answer runs in
a process of its own with a time and a memory limit (`runner`). How to write a drill stands in
`core`.
"""

from hpt_lab.interview.drills import (  # noqa: F401  each module registers its drills
    bayes,
    counting,
    halving,
    nested,
    optimizers,
    sampling,
    splitting,
    statistics,
    training,
)
from hpt_lab.interview.drills.core import DRILLS, Drill, grade

__all__ = ["DRILLS", "Drill", "grade"]

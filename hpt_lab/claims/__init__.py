"""What the lessons claim, asserted: one module a lesson, one function a section.

A lesson's prose says "the log axis wins in 93 of 100 seeds"; a folded cell below it calls

    claims.scales(linear, log)

with the very arrays that the cells above computed and drew. When the sentence stops being true the
cell raises, nbval fails, and so does the build. How to write one stands in `core`.
"""

from hpt_lab.claims.core import claim

__all__ = ["claim"]

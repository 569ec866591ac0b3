"""Results that take minutes, recorded once and committed: one row a seed, with the command that
made them.

    errors = experiments.load("lesson_04.scales")        # (seeds, ...): row i is
                                                         lesson_04.scales(seed=i)

A lesson that needs a hundred seeds loads them, recomputes three live, and asserts that they agree.
To record:

    python -m hpt_lab.experiments lesson_04.scales --seeds 100

An experiment is a function of the seed in `lesson_NN.py` that returns numbers, always in the same
shape.
"""

from hpt_lab.experiments.recording import about, load, record

__all__ = ["about", "load", "record"]

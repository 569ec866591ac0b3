"""A drill: what is asked, a reference that answers it, hidden cases, and the mistakes that people
make.

How to write one:

    def f1(tp, fp, fn):                       # the reference
        return 2 * tp / (2 * tp + fp + fn)

    def without_misses(tp, fp, fn):           # a typical mistake: a function too
        return tp / (tp + fp)

    drill(f1, title="F1 from counts", lesson="03", statement="...", cases=lambda: [(5, 1, 2), (0, 3,
    4)],
          mistakes={without_misses: "that is precision: F1 also asks how many you missed"})

An answer is compared with the reference case by case. One that differs gets the hint of the mistake
that gives the same result here and passed the cases before; so hints are tested by what they are
made of. An answer that is random, or that has many right forms, is judged by its properties
instead: `judge(answer)` raises Wrong with a hint, as in `hpt_lab.checks.core`.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hpt_lab.checks.core import Verdict, Wrong, call, check, show
from hpt_lab.errors import InterviewError

Arguments = tuple[Any, ...]
IMPORTS = {"math.": "import math\n", "np.": "import numpy as np\n"}


@dataclass(frozen=True)
class Drill:
    """One drill. `cases()` gives the hidden arguments; `mistakes` maps wrong functions to their
    hints."""

    name: str
    title: str
    lesson: str
    statement: str
    reference: Callable[..., Any]
    cases: Callable[[], Iterable[Arguments]]
    mistakes: Mapping[Callable[..., Any], str]
    judge: Callable[[Any], None] | None = None
    tolerance: float = 1e-6

    @property
    def stub(self) -> str:
        """The function to fill in, as source, with the imports that the reference uses."""
        imports = [line for word, line in IMPORTS.items() if word in self.solution]
        header = "".join(imports) + "\n\n" if imports else ""
        return f"{header}def {self.name}{inspect.signature(self.reference)}:\n    ...\n"

    @property
    def solution(self) -> str:
        """The reference's source."""
        return inspect.getsource(self.reference)


DRILLS: dict[str, Drill] = {}


def drill(
    reference: Callable[..., Any],
    *,
    title: str,
    lesson: str,
    statement: str,
    cases: Callable[[], Iterable[Arguments]],
    mistakes: Mapping[Callable[..., Any], str],
    judge: Callable[[Any], None] | None = None,
    tolerance: float = 1e-6,
) -> Drill:
    """Register a drill under its reference's name."""
    made = Drill(
        reference.__name__,
        title,
        lesson,
        statement.strip(),
        reference,
        cases,
        mistakes,
        judge,
        tolerance,
    )
    DRILLS[made.name] = made
    return made


def grade(name: str, answer: Any) -> Verdict:
    """Return the verdict on an answer to the drill called `name`. Raises InterviewError for an
    unknown drill."""
    if name not in DRILLS:
        raise InterviewError(f"there is no drill {name!r}; there are {', '.join(sorted(DRILLS))}")
    return _check(DRILLS[name], answer)


@check
def _check(asked: Drill, answer: Any) -> str:
    if asked.judge is not None:
        asked.judge(answer)
        return f"{asked.title}: all hidden checks pass."
    cases = list(asked.cases())
    for number, arguments in enumerate(cases):
        expected = asked.reference(*copy.deepcopy(arguments))
        got = call(answer, *arguments)
        if not same(expected, got, asked.tolerance):
            raise Wrong(
                f"{asked.name}{_shown(arguments)} should give {show(expected)}, got {show(got)}",
                hint=hint_for(asked, number, got),
            )
    return f"{asked.title}: all {len(cases)} hidden cases pass."


def hint_for(asked: Drill, number: int, got: Any) -> str:
    """Return the hint of the mistake that gives `got` in this case and passes those before."""
    cases = list(asked.cases())[: number + 1]
    wanted = [asked.reference(*copy.deepcopy(arguments)) for arguments in cases[:-1]] + [got]
    for mistake, hint in asked.mistakes.items():
        try:
            results = [mistake(*copy.deepcopy(arguments)) for arguments in cases]
        except Exception:  # noqa: BLE001  a wrong function may fail on any case
            continue
        pairs = zip(wanted, results, strict=True)
        if all(same(one, other, asked.tolerance) for one, other in pairs):
            return hint
    return "work this case by hand, then step through your function with it"


def same(expected: Any, got: Any, tolerance: float = 1e-6) -> bool:
    """Say whether two results are equal: numbers within the tolerance, NaN like NaN, lists, tuples
    and arrays alike."""
    if isinstance(expected, Mapping):
        if not isinstance(got, Mapping) or expected.keys() != got.keys():
            return False
        return all(same(value, got[key], tolerance) for key, value in expected.items())
    if isinstance(expected, str | bool | np.bool_ | type(None)):
        return type(got) in (type(expected), bool, np.bool_) and bool(expected == got)
    if isinstance(expected, list | tuple) and not _is_numbers(expected):
        if not isinstance(got, list | tuple) or len(expected) != len(got):
            return False
        return all(same(one, other, tolerance) for one, other in zip(expected, got, strict=True))
    try:
        wanted = np.asarray(expected, float)
        found = np.asarray(got, float)
    except (TypeError, ValueError):
        return False
    if wanted.shape != found.shape:
        return False
    return bool(np.allclose(wanted, found, rtol=tolerance, atol=tolerance, equal_nan=True))


def _is_numbers(values: Any) -> bool:
    try:
        return np.asarray(values, float).dtype == float
    except (TypeError, ValueError):
        return False


def _shown(arguments: Arguments) -> str:
    return f"({', '.join(show(argument) for argument in arguments)})"

"""Count the configs of a conditional space without listing them.

The values of a dimension that others wait for fall into few groups: those that wake the same
others. Take one such dimension, count what is left for each group, add up; dimensions that have
nothing to do with each other multiply. So thirty switches cost thirty steps, not 2**30. Read
`count_configs`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

Sizes = Mapping[str, int]
Wants = Mapping[
    str, Mapping[str, tuple[Any, ...]]
]  # dimension -> the one it waits for -> its values
Left = tuple[
    tuple[str, frozenset[str]], ...
]  # dimensions still to count, and whom each still waits for


def count_configs(sizes: Sizes, wants: Wants) -> int:
    """Return how many configs there are of dimensions with so many values each.

    wants: for a dimension with a condition, the values of every other that wake it, all of which
        that other can have.

    >>> count_configs({"a": 3, "b": 10**9}, {"b": {"a": (1,)}})
    1000000002
    """

    @cache
    def count(left: Left) -> int:
        if len(left) <= 1:
            return sizes[left[0][0]] if left else 1
        parts = _components(left)
        if len(parts) > 1:
            return math.prod(count(part) for part in parts)
        root = next(
            name for name, waits in left if not waits
        )  # declared before those that wait for it
        waiting = [name for name, waits in left if root in waits]
        groups: Counter[frozenset[str]] = Counter()
        for value in dict.fromkeys(value for name in waiting for value in wants[name][root]):
            groups[frozenset(name for name in waiting if value in wants[name][root])] += 1
        groups[frozenset()] += sizes[root] - groups.total()
        return sum(
            many * count(_without(left, root, woken)) for woken, many in groups.items() if many
        )

    return count(tuple((name, frozenset(wants.get(name, ()))) for name in sizes))


def _without(left: Left, root: str, woken: frozenset[str]) -> Left:
    """Return what is left when `root` has a value that wakes, of those that wait for it, only
    `woken`."""
    gone = {root}
    kept = []
    for name, waits in left:
        if waits & (gone - {root}) or (root in waits and name not in woken):
            gone.add(name)
        elif name != root:
            kept.append((name, waits - {root}))
    return tuple(kept)


def _components(left: Left) -> list[Left]:
    """Split into groups of dimensions that have nothing to do with each other."""
    group = {name: {name} for name, _ in left}
    for name, waits in left:
        for other in waits:
            if group[other] is not group[name]:
                group[other] |= group[name]
                for member in group[name]:
                    group[member] = group[other]
    distinct = {id(members): members for members in group.values()}
    return [tuple(entry for entry in left if entry[0] in members) for members in distinct.values()]

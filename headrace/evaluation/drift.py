"""Whether what a model is given is another population than before: shares by ranges, and an index.

The same ranges, index and bounds as live accuracy's (deploy/prometheus/rules/accuracy.yml).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence

DRIFTED = 0.25
"""From this index on it is another population (Siddiqi 2006)."""
FEWEST = 1_000
"""Events, of fewer chance decides."""
# A range that nobody is in counts as one in ten thousand.
_FLOOR = 0.0001


class Ranges:
    """Names for the ranges between bounds: `1`, `2-4`, …, `100+` of whole numbers."""

    def __init__(self, first: int, *bounds: int) -> None:
        """bounds: the greatest number of each range but the last."""
        self._bounds = bounds
        names = []
        for bound in bounds:
            names.append(str(bound) if bound == first else f"{first}-{bound}")
            first = bound + 1
        self.names: Sequence[str] = (*names, f"{first}+")

    def of(self, number: float) -> str:
        return self.names[bisect_left(self._bounds, number)]


HISTORIES = Ranges(1, 1, 4, 9, 19, 49, 99)
"""Of an event's place in its person's log."""
POPULARITIES = Ranges(0, 0, 9, 99, 999)
"""Of an item's interactions in training."""


def stability_index(now: Mapping[str, float], before: Mapping[str, float]) -> float:
    """Population stability index: the sum over ranges of (p - q) ln(p / q).

    Both count events by range; 0 where either has none.
    """
    total_now, total_before = sum(now.values()), sum(before.values())
    if not total_now or not total_before:
        return 0.0
    index = 0.0
    for name in now.keys() | before.keys():
        p, q = now.get(name, 0) / total_now, before.get(name, 0) / total_before
        index += (p - q) * math.log((_FLOOR + p) / (_FLOOR + q))
    return index

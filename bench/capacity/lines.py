"""Straight lines through measurements: what one more costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Line:
    """base + each · count. off: how far the worst measurement is from it, as a share of itself."""

    base: float
    each: float
    off: float

    def at(self, count: float) -> float:
        return self.base + self.each * count


def line_through(counts: Sequence[float], values: Sequence[float]) -> Line:
    """By least squares. Raises: ValueError where there are not two different counts."""
    if len(set(counts)) < 2:
        raise ValueError(f"a line needs two different counts, there are {sorted(set(counts))}")
    x, y = np.asarray(counts, dtype=np.float64), np.asarray(values, dtype=np.float64)
    each, base = np.polyfit(x, y, 1)
    misses = np.abs(base + each * x - y)
    off = float(np.max(np.divide(misses, np.abs(y), out=np.zeros_like(y), where=y != 0)))
    return Line(float(base), float(each), off)

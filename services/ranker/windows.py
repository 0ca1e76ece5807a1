"""When items are visible that have a moment to publish or to expire them."""

import heapq
import math

import numpy as np
from numpy.typing import NDArray

from headrace.index.table import Ordinals

_FIRST_ROWS = 1_024


class Windows:
    """Times are Unix seconds. `next_change`: before it nothing appears or disappears."""

    def __init__(self) -> None:
        self.next_change = math.inf
        self._windows: dict[int, tuple[float, float]] = {}
        # May name moments that no longer count: looking again does no harm.
        self._moments: list[tuple[float, int]] = []
        self._published = np.full(_FIRST_ROWS, -np.inf)

    def put(self, ordinal: int, publish_at: float, expire_at: float) -> None:
        """-inf and inf: always."""
        self._note(ordinal, publish_at)
        if (publish_at, expire_at) == (-math.inf, math.inf):
            self._windows.pop(ordinal, None)
            return
        self._windows[ordinal] = publish_at, expire_at
        for moment in (publish_at, expire_at):
            if math.isfinite(moment):
                heapq.heappush(self._moments, (moment, ordinal))
        self.next_change = self._moments[0][0]

    def visible(self, ordinal: int, now: float) -> bool:
        publish_at, expire_at = self._windows.get(ordinal, (-math.inf, math.inf))
        return publish_at <= now < expire_at

    def published(self, ordinals: Ordinals) -> NDArray[np.float64]:
        """When each was to be published; -inf where that was not said. [N]"""
        published = self._published
        inside = ordinals < len(published)
        return np.where(inside, published[np.where(inside, ordinals, 0)], -np.inf)

    def due(self, now: float) -> list[int]:
        """Ordinals that may have appeared or disappeared since the last call."""
        ordinals = []
        while self._moments and self._moments[0][0] <= now:
            ordinals.append(heapq.heappop(self._moments)[1])
        self.next_change = self._moments[0][0] if self._moments else math.inf
        return ordinals

    def _note(self, ordinal: int, publish_at: float) -> None:
        if ordinal >= len(self._published):
            longer = np.full(max(ordinal + 1, 2 * len(self._published)), -np.inf)
            longer[: len(self._published)] = self._published
            self._published = longer
        self._published[ordinal] = publish_at

"""How much of the catalogue people get to see, and how little known it is."""

import time
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
from pyroaring import BitMap

from services.ranker.accuracy import metrics
from services.ranker.catalogue import Catalogue

_SLICE_S = 600.0
_SLICES = 6
# Summing the popularity of 1,000,000 items takes some 10 ms.
_TOTAL_EVERY_S = 60.0


class Variety:
    """Coverage of the last hour, and novelty: the self-information of what is shown (Vargas and
    Castells 2011, https://doi.org/10.1145/2043932.2043955). An item's share of training's
    interactions is taken with one interaction more, so that a new item has one."""

    def __init__(self, catalogue: Catalogue, clock: Callable[[], float] = time.monotonic) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._slices: deque[BitMap] = deque([BitMap()], maxlen=_SLICES)
        self._slice_began = clock()
        self._log_total = 0.0
        self._total_at: float | None = None

    def show(self, ordinals: Sequence[int]) -> None:
        """One list or several."""
        self._turn()
        self._slices[-1].update(ordinals)
        if not ordinals:
            return
        logs = self._catalogue.popularity(np.array(ordinals, dtype=np.int64))
        # log(1 + interactions) is the logarithm of the count with one more.
        bits = (self._log_total - logs.astype(np.float64)) / np.log(2)
        metrics.NOVELTY.inc(float(np.maximum(bits, 0).sum()))
        metrics.NOVELTY_ITEMS.inc(len(ordinals))

    def coverage(self) -> float:
        """Share of what may be shown now that was shown within the last hour; 0 of nothing."""
        live = self._catalogue.view.live
        shown = BitMap.union(*list(self._slices))
        return len(shown & live) / len(live) if live else 0.0

    def _turn(self) -> None:
        now = self._clock()
        turns = int((now - self._slice_began) // _SLICE_S)
        for _ in range(min(turns, _SLICES)):
            self._slices.append(BitMap())
        self._slice_began += turns * _SLICE_S
        if self._total_at is None or now - self._total_at >= _TOTAL_EVERY_S:
            self._total_at = now
            self._log_total = self._catalogue.log_interactions()

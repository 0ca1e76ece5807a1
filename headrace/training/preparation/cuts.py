"""Where a split by time cuts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from headrace.errors import DataInvalid
from headrace.training.preparation.survivors import KEPT, Survivors

# The newest tenth is the test, the tenth before it validation.
_SHARES = (0.8, 0.9)
# Cuts are exact to a millionth of the span of the data: 20 s in seven months.
_BINS = 1_000_000


def time_cuts(kept: Survivors) -> tuple[float, float]:
    """Moments from which validation and test begin; two passes over the data.

    Raises: DataInvalid if everything happened at one moment.
    """
    oldest, newest = np.inf, -np.inf
    for times in _times(kept):
        oldest, newest = times.min(initial=oldest), times.max(initial=newest)
    if not oldest < newest:
        raise DataInvalid("all timestamps are equal: a split by time needs several moments")
    counts = np.zeros(_BINS, dtype=np.int64)
    width = (newest - oldest) / _BINS
    for times in _times(kept):
        bins = np.minimum((times - oldest) / width, _BINS - 1).astype(np.int64)
        np.add.at(counts, bins, 1)
    share = np.cumsum(counts) / counts.sum()
    first, second = (oldest + width * (1 + int(np.searchsorted(share, s))) for s in _SHARES)
    return first, second


def _times(kept: Survivors) -> Iterator[NDArray[np.float64]]:
    """Of the events that stay, piece by piece."""
    for number, piece in enumerate(kept.pieces):
        yield piece.column("time")[kept.fates(number) == KEPT]

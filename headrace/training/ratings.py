"""What training knows of ratings before it knows of people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headrace.training.log import EventLog

# So many ratings of an item count as much as the mean of all (Koren 2010, section 2.1, has 25;
# 10 is better on the validation part of MovieLens-100K).
_DAMPING = 10.0


def mean_rating(log: EventLog, marked: NDArray[np.bool_]) -> float:
    """Of the marked events; 0 where none of them has a rating. Shapes: marked [E]."""
    given = log.ratings[marked]
    given = given[~np.isnan(given)]
    return float(given.mean(dtype=np.float64)) if len(given) else 0.0


def item_offsets(log: EventLog, marked: NDArray[np.bool_]) -> NDArray[np.float32]:
    """How far each item's marked ratings are off the mean of all, damped: [N]."""
    rated = marked & ~np.isnan(log.ratings)
    items, off = log.items[rated], log.ratings[rated] - mean_rating(log, marked)
    count = np.bincount(items, minlength=len(log.catalogue))
    total = np.bincount(items, off, minlength=len(log.catalogue))
    return (total / (count + _DAMPING)).astype(np.float32)

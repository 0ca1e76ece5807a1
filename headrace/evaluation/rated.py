"""Predicted ratings of what people took next, beside the means that need no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.evaluation.judgement import LIKED, Judged, auc, best_threshold, judged
from headrace.evaluation.ratings import Errors, errors
from headrace.training.log import EventLog
from headrace.training.split import Part, Split

Numbers = NDArray[np.float64]

# Few ratings say little of an item or a person (Koren 2010, section 2.1, has 25 and 10).
_ITEM_DAMPING, _USER_DAMPING = 25.0, 10.0


@dataclass(frozen=True)
class Rated:
    """On the test part. `liked`: a rating of 4 or more is predicted, from a threshold on. `auc`:
    of the predictions, as an order by liking."""

    events: int
    errors: Errors
    liked: Judged
    auc: float


def rated(predicted: Mapping[str, Numbers], given: Mapping[str, Numbers]) -> Rated:
    """Both by part, `validation` and `test`; the threshold is the best on validation.

    Shapes: predicted and given [Q]; NaN: nothing was given.
    """
    known = {part: ~np.isnan(ratings) for part, ratings in given.items()}
    said = {part: predicted[part][mark] for part, mark in known.items()}
    true = {part: given[part][mark] for part, mark in known.items()}
    threshold = best_threshold(said["validation"], true["validation"] >= LIKED)
    liked = true["test"] >= LIKED
    return Rated(
        events=len(liked),
        errors=errors(said["test"], true["test"]),
        liked=judged(said["test"] >= threshold, liked),
        auc=auc(said["test"], liked),
    )


def rated_events(log: EventLog, parts: Split, part: Part) -> Part:
    """Those with a rating, of people who have a training part to tell it from."""
    known = ~np.isnan(log.ratings[part.positions])
    known &= parts.train_ends[part.users] > log.offsets[part.users]
    return Part(part.users[known], part.positions[known])


def given_ratings(log: EventLog, part: Part) -> Numbers:
    """NaN where none was given: [Q]."""
    return log.ratings[part.positions].astype(np.float64)


class Means:
    """The mean of all training ratings, plus how far an item and a person are off it."""

    def __init__(self, log: EventLog, parts: Split) -> None:
        self._log = log
        known = parts.training_events(log) & ~np.isnan(log.ratings)
        users = np.repeat(np.arange(log.users), np.diff(log.offsets))[known]
        items = log.items[known]
        left = log.ratings[known].astype(np.float64)
        self._mean = left.mean() if len(left) else 0.0
        left = left - self._mean
        self._items = _offsets(items, left, len(log.catalogue), _ITEM_DAMPING)
        self._users = _offsets(users, left - self._items[items], log.users, _USER_DAMPING)

    def of_items(self, part: Part) -> Numbers:
        """The same for everybody, of a part's events: [Q]."""
        predicted: Numbers = self._mean + self._items[self._log.items[part.positions]]
        return predicted

    def ratings(self, part: Part) -> Numbers:
        """Of a part's events: [Q]."""
        predicted: Numbers = self.of_items(part) + self._users[part.users]
        return predicted


def _offsets(owners: NDArray[np.int64], values: Numbers, size: int, damping: float) -> Numbers:
    """Damped means by owner. Shapes: owners and values [E] -> [size]."""
    total = np.bincount(owners, values, minlength=size)
    means: Numbers = total / (damping + np.bincount(owners, minlength=size))
    return means

"""Rates that no person has: robots among people, and items that a few people push.

A rate is absurd when it is at least `FLOOR` and lies more than `DEVIATIONS` robust standard
deviations above the median, on a logarithmic scale. Median and median absolute deviation hold
although outliers are among the data (Leys et al. 2013, who take 3 deviations for "moderate"; rates
have long tails even on a logarithmic scale, hence 6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.training.preparation import survivors
from headrace.training.preparation.survivors import KEPT, Survivors

DEVIATIONS = 6.0
# Two events a minute for eight hours are 960; the busiest day of a person in MovieLens has 737.
FLOOR = 1000.0
# Where nearly all rates are equal, a factor of e^3 = 20 above the median is still asked for.
_LEAST_DEVIATION = 0.5
_DAY_S = 86_400


@dataclass(frozen=True)
class RateRule:
    """Outcome for people or items: above `limit` events goes; NaN: no rates to go by."""

    what: str
    median: float
    limit: float
    removed: int


def limit_of(rates: NDArray[np.float64]) -> tuple[float, float]:
    """The median, and the rate above which one is absurd. Shapes: [R]."""
    if not len(rates):
        return np.nan, np.nan
    logs = np.log(rates)
    median = float(np.median(logs))
    deviation = max(1.4826 * float(np.median(np.abs(logs - median))), _LEAST_DEVIATION)
    return float(np.exp(median)), max(FLOOR, float(np.exp(median + DEVIATIONS * deviation)))


def drop_absurd_users(kept: Survivors) -> RateRule:
    """By events a day on which the person did something; needs timestamps."""
    what = "events of a person on a day on which they did something"
    rates = [_rates(kept, number) for number in range(len(kept.pieces))]
    median, limit = limit_of(np.concatenate(rates) if rates else np.zeros(0))
    removed = 0
    for number, of_piece in enumerate(rates):
        absurd = of_piece > limit
        kept.users[number][absurd] = survivors.USER_RATE
        removed += int(absurd.sum())
    return RateRule(what, median, limit, removed)


def drop_absurd_items(kept: Survivors) -> RateRule:
    """By events for each person who touched it: to be popular is not suspicious."""
    what = "events of an item for each person who touched it"
    events = np.zeros(len(kept.items), dtype=np.int64)
    people = np.zeros(len(kept.items), dtype=np.int64)
    for _, users, items in kept.events():
        pairs = np.unique(users.astype(np.int64) * len(kept.items) + items)
        events += np.bincount(items, minlength=len(kept.items))
        people += np.bincount(pairs % len(kept.items), minlength=len(kept.items))
    rates = events / np.maximum(people, 1)
    median, limit = limit_of(rates[people > 0])
    absurd = (rates > limit) & (kept.items == KEPT)
    kept.items[absurd] = survivors.ITEM_RATE
    return RateRule(what, median, limit, int(absurd.sum()))


def _rates(kept: Survivors, number: int) -> NDArray[np.float64]:
    """Events by active day of each person of a piece: [U]."""
    piece = kept.pieces[number]
    users = piece.column("user")
    days = np.floor(piece.column("time") / _DAY_S)
    # Sorted by person and time: a day is new where either changes.
    new = (np.diff(users, prepend=-1) != 0) | (np.diff(days, prepend=-1.0) != 0)
    count = len(piece.users)
    rates: NDArray[np.float64] = np.bincount(users, minlength=count) / np.bincount(
        users[new], minlength=count
    )
    return rates

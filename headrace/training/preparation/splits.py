"""Which events are learned from and which are kept for measuring, and a name for the choice."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headrace.training.preparation.spill import hashes

TRAIN, VALIDATION, TEST = 0, 1, 2
PART_NAMES = ("train", "validation", "test")

# A person needs one event to start from, besides those held out.
_MIN_EVENTS = 3


def last_two(lengths: NDArray[np.int64]) -> NDArray[np.int8]:
    """Leave-one-out: the last event is the test, the one before it validation.

    People with fewer than three events are trained on whole. Shapes: lengths [U] of histories
    that follow each other -> [E].
    """
    ends, enough, parts = _ends(lengths)
    parts[ends[enough] - 2] = VALIDATION
    parts[ends[enough] - 1] = TEST
    return parts


def last_one(lengths: NDArray[np.int64]) -> NDArray[np.int8]:
    """Nothing for a test: the last event still chooses among weights. Shapes: as `last_two`."""
    ends, enough, parts = _ends(lengths)
    parts[ends[enough] - 1] = VALIDATION
    return parts


def newest_fifth(lengths: NDArray[np.int64]) -> NDArray[np.int8]:
    """Of each person, the newest fifth is the test and the tenth before it validation.

    Shapes: as `last_two`.
    """
    before = np.repeat(np.cumsum(lengths) - lengths, lengths)
    length = np.repeat(lengths, lengths)
    age = length - (np.arange(length.size) - before)  # 1: the newest
    parts = np.where(age <= length // 5, TEST, TRAIN)
    return np.where((parts == TRAIN) & (age <= length * 3 // 10), VALIDATION, parts).astype(np.int8)


def by_time(times: NDArray[np.float64], cuts: tuple[float, float]) -> NDArray[np.int8]:
    """Before the first cut training, from the second on the test. Shapes: [E] -> [E]."""
    return np.digitize(times, cuts).astype(np.int8)


def without_cold(lengths: NDArray[np.int64], cold: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Events with cold items are the test; of the others, `last_one`.

    Shapes: lengths [U] of histories that follow each other, cold [E] -> [E].
    """
    owners = np.repeat(np.arange(len(lengths)), lengths)
    parts = np.full(len(cold), TEST, dtype=np.int8)
    parts[~cold] = last_one(np.bincount(owners[~cold], minlength=len(lengths)))
    return parts


def cold_items(ids: Sequence[str], seed: int) -> NDArray[np.bool_]:
    """Marks a fifth of the items, those that leave training. Shapes: [N] -> [N].

    The choice depends on ids and seed, not on the order of the data.
    """
    ranking = np.argsort(hashes([f"{seed}:{name}" for name in ids]), kind="stable")
    marked = np.zeros(len(ids), dtype=bool)
    marked[ranking[: len(ids) // 5]] = True
    return marked


class SplitDigest:
    """Names a split by who and what is held out; an unstable sort shows at once.

    A sum of hashes, so that the order of people does not matter; whoever holds out other items
    of a person, or moves one between validation and test, gets another name.
    """

    def __init__(self) -> None:
        self._sum = 0

    def add(self, part: int, users: Sequence[object], items: Sequence[object]) -> None:
        """Held-out events: ids of people and items. Shapes: [Q], [Q]."""
        name = PART_NAMES[part]
        for user, item in zip(users, items, strict=True):
            event = f"{name}\x1f{user}\x1f{item}".encode()
            self._sum += int.from_bytes(hashlib.sha256(event).digest(), "big")

    def hexdigest(self) -> str:
        return hashlib.sha256(self._sum.to_bytes(64, "big")).hexdigest()


def _ends(
    lengths: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int8]]:
    """Where histories end [U], whose are long enough, and everything as training [E]."""
    enough = np.flatnonzero(lengths >= _MIN_EVENTS)
    return np.cumsum(lengths), enough, np.zeros(int(lengths.sum()), dtype=np.int8)

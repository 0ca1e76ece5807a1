"""Histories in batches for the towers: people of like length together, cut into chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Chunk:
    """Some consecutive events of each person of a batch, and what came next.

    `events` [B,L] are positions in the log, the input; the event after each is the target.
    `learn` [B,L] marks where that target is to be learned from; the others are padding, or kept
    for the head. `first` is true where people's histories begin.
    """

    events: NDArray[np.int64]
    learn: NDArray[np.bool_]
    first: bool


def chunks(
    offsets: NDArray[np.int64],
    ends: NDArray[np.int64],
    users_per_batch: int,
    length: int,
    random: np.random.Generator,
    *,
    rank: int = 0,
    size: int = 1,
) -> Iterator[Chunk]:
    """One pass over everybody's history, batches in random order.

    The chunks of a batch follow one another, so that its state can be carried over; the first
    one has a random length, or the cuts would always fall between the same events.

    Of `size` processes each takes its part of the people of each batch, the same chunks at the
    same time; a part can be empty.

    Shapes: offsets [U+1] where histories begin, ends [U] where learning ends in each.
    """
    lengths = ends - offsets[:-1]
    for users in batches_by_length(lengths, users_per_batch, random):
        longest = lengths[users].max() - 1  # the last event is a target only
        start, stop = 0, int(random.integers(length // 2, length + 1))
        while start < longest:
            steps = np.arange(start, min(stop, longest))
            own = users[rank::size]
            at = offsets[own][:, None] + steps  # [B,L]
            last = ends[own][:, None] - 2
            yield Chunk(np.minimum(at, np.maximum(last, 0)), at <= last, start == 0)
            start, stop = stop, stop + length


def batches_by_length(
    lengths: NDArray[np.int64], size: int, random: np.random.Generator
) -> list[NDArray[np.int64]]:
    """People with at least two events, in batches of like length with little padding."""
    usable = np.flatnonzero(lengths >= 2)
    # Noise of a tenth mixes the company that people keep from epoch to epoch.
    noisy = lengths[usable] * random.uniform(0.9, 1.1, len(usable))
    ordered = usable[np.argsort(noisy, kind="stable")]
    parts = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    random.shuffle(parts)
    return parts

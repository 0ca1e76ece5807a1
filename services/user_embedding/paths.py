"""The part of a person's log that moves the recurrent state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from headrace.contracts.events import EventType
from headrace.index.encoding import Vector
from services.user_embedding.interactions import Interaction


@dataclass(frozen=True)
class Path:
    """Entries that step: rows of a table of item vectors, event types, gaps (s), ratings (0: none).

    Each [L].
    """

    rows: Sequence[int]
    types: Sequence[int]
    gaps: Sequence[float]
    ratings: Sequence[float]

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, start: int, end: int) -> "Path":
        kept = slice(start, end)
        return Path(self.rows[kept], self.types[kept], self.gaps[kept], self.ratings[kept])


def moves(entry: Interaction) -> bool:
    """Whether an entry is one to step. A dislike is not, until a model is trained to follow it."""
    return entry.tells and entry.type != EventType.DISLIKE


def path_of(
    before: datetime | None, entries: Sequence[Interaction], rows: Mapping[int, int]
) -> Path:
    """The path through `entries`.

    before: when the entry before them happened. rows: of the items whose vector is known; entries
    of others are passed over. A gap is the time since the entry before that tells anything, stepped
    or not: 0 for the first of all and where the entry before happened later.
    """
    path_rows: list[int] = []
    types: list[int] = []
    gaps: list[float] = []
    ratings: list[float] = []
    for entry in entries:
        row = rows.get(entry.item_ordinal)
        if row is not None and moves(entry):
            path_rows.append(row)
            types.append(entry.type)
            gap_s = (entry.occurred_at - before).total_seconds() if before else 0.0
            gaps.append(max(0.0, gap_s))
            ratings.append(entry.rating)
        if entry.tells:
            before = entry.occurred_at
    return Path(path_rows, types, gaps, ratings)


def padded(
    paths: Sequence[Path],
) -> tuple[NDArray[np.int64], NDArray[np.int64], Vector, Vector, NDArray[np.int64]]:
    """Returns: rows, types, gaps and ratings [B, L], zeros after each path's end; lengths [B]."""
    lengths = np.array([len(path) for path in paths], dtype=np.int64)
    shape = (len(paths), int(lengths.max()))
    rows = np.zeros(shape, dtype=np.int64)
    types = np.zeros(shape, dtype=np.int64)
    gaps = np.zeros(shape, dtype=np.float32)
    ratings = np.zeros(shape, dtype=np.float32)
    for b, path in enumerate(paths):
        rows[b, : len(path)] = path.rows
        types[b, : len(path)] = path.types
        gaps[b, : len(path)] = path.gaps
        ratings[b, : len(path)] = path.ratings
    return rows, types, gaps, ratings, lengths

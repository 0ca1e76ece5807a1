"""People as arrays, read from their states: by ranges of the key, or by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from headrace.errors import FailedPrecondition
from headrace.index.encoding import Vector, matrix_from_bytes
from headrace.store.database import Database

_ABSENT = -1

# Somebody of whom nothing is known yet has no vector to ask with, and who does not want personal
# lists gets none.
_SELECT = """
SELECT user_id, vector, recent_ordinals, seen, unwanted,
    CASE WHEN unwanted_categories <> '{}' THEN ARRAY(
        SELECT ordinal FROM item_search
        WHERE terms && ARRAY(SELECT 'c:' || name FROM unnest(unwanted_categories) AS name)
    ) ELSE '{}' END
FROM user_states
WHERE model_version = %s AND (last_occurred_at IS NOT NULL OR recent_ordinals <> '{}')
    AND NOT EXISTS (
        SELECT FROM personalisation p WHERE p.user_id = user_states.user_id AND NOT p.enabled
    )
"""
_RANGE = (
    f"{_SELECT} AND user_id >= %s AND (%s IS NULL OR user_id < %s)"
    " AND (%s::timestamptz IS NULL OR last_occurred_at >= %s) ORDER BY user_id"
)
_NAMED = f"{_SELECT} AND user_id = ANY(%s) ORDER BY user_id"
_FIRSTS = """
SELECT user_id FROM (
    SELECT user_id, row_number() OVER (ORDER BY user_id) - 1 AS place
    FROM user_states
    WHERE model_version = %s AND (%s::timestamptz IS NULL OR last_occurred_at >= %s)
) AS numbered WHERE place %% %s = 0 ORDER BY user_id
"""


@dataclass(frozen=True)
class People:
    """U people.

    Shapes: vectors [U,D+T], recent [U,R] (ordinals, oldest first, -1 fills the places before), seen
    U bitmaps of ordinals: what the person is done with or does not want.
    """

    user_ids: NDArray[np.object_]
    vectors: Vector
    recent: NDArray[np.int64]
    seen: Sequence[BitMap]

    def __len__(self) -> int:
        return len(self.user_ids)

    def only(self, rows: slice) -> People:
        return People(self.user_ids[rows], self.vectors[rows], self.recent[rows], self.seen[rows])


class PeopleStore:
    """The people whom one model knows. Every method raises Unavailable while Postgres is away."""

    def __init__(
        self,
        database: Database,
        model_version: str,
        user_width: int,
        active_since: datetime | None = None,
    ) -> None:
        """active_since: only those who did something then or later. None: who did anything."""
        self._active_since = active_since
        self._database = database
        self._model_version = model_version
        self._user_width = user_width

    def firsts(self, people: int) -> list[str]:
        """The key of every so-manieth person, from the first: where ranges of that size begin."""
        with self._database.transaction() as cursor:
            since = self._active_since
            cursor.execute(_FIRSTS, (self._model_version, since, since, people))
            return [user_id for (user_id,) in cursor]

    def between(self, first: str, end: str | None) -> People:
        """From `first` to before `end`; None: to the last."""
        since = self._active_since
        return self._read(_RANGE, (self._model_version, first, end, end, since, since))

    def named(self, user_ids: Sequence[str]) -> People:
        """Those of them who are known."""
        return self._read(_NAMED, (self._model_version, list(user_ids)))

    def _read(self, query: str, values: tuple[Any, ...]) -> People:
        with self._database.transaction() as cursor:
            cursor.execute(query, values)
            rows = cursor.fetchall()
        try:
            vectors = matrix_from_bytes([bytes(row[1]) for row in rows], self._user_width)
        except ValueError as error:
            raise FailedPrecondition(f"user_states of {self._model_version}: {error}") from error
        return People(
            np.array([row[0] for row in rows], dtype=np.object_),
            vectors,
            _aligned([row[2] for row in rows]),
            [_left_out(*row[3:]) for row in rows],
        )


def _left_out(seen: bytes, unwanted: bytes, of_categories: Sequence[int]) -> BitMap:
    """Ordinals that no list of the person may hold."""
    maps = [BitMap.deserialize(bytes(one)) for one in (seen, unwanted) if one]
    return BitMap.union(BitMap(of_categories), *maps)


def _aligned(histories: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """The newest in the last column; one column at least."""
    width = max([1, *map(len, histories)])
    recent = np.full((len(histories), width), _ABSENT, dtype=np.int64)
    for row, history in zip(recent, histories, strict=True):
        if history:
            row[-len(history) :] = history
    return recent

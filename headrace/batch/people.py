"""People as arrays, read from their states: by ranges of the key, or by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from headrace.errors import FailedPrecondition
from headrace.index.encoding import Vector, matrix_from_bytes, to_bytes
from headrace.store.database import Database

_ABSENT = -1

_SELECT = """
SELECT user_id, n, extract(epoch FROM last_occurred_at)::float8, vector, recent_ordinals, seen,
    unwanted,
    CASE WHEN unwanted_categories <> '{}' THEN ARRAY(
        SELECT ordinal FROM item_search
        WHERE terms && ARRAY(SELECT 'c:' || name FROM unnest(unwanted_categories) AS name)
    ) ELSE '{}' END,
    last_occurred_at IS NOT NULL OR recent_ordinals <> '{}',
    NOT EXISTS (
        SELECT FROM personalisation p WHERE p.user_id = user_states.user_id AND NOT p.enabled
    )
FROM user_states
WHERE model_version = %s
"""
_RANGE = (
    f"{_SELECT} AND user_id >= %s AND (%s IS NULL OR user_id < %s)"
    " AND (last_occurred_at IS NOT NULL OR recent_ordinals <> '{}')"
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


class _Row(NamedTuple):
    """known: whether anything is, so that there is a vector to ask with. wants: personal lists."""

    user_id: str
    n: int
    last_at: float | None
    vector: bytes
    recent: Sequence[int]
    seen: bytes = b""
    unwanted: bytes = b""
    of_unwanted_categories: Sequence[int] = ()
    known: bool = False
    wants: bool = True

    @property
    def personal(self) -> bool:
        return self.known and self.wants

    @property
    def left_out(self) -> BitMap:
        """Ordinals that the list may not hold; who wants no personal one gets anybody's."""
        if not self.wants:
            return BitMap()
        maps = [BitMap.deserialize(bytes(one)) for one in (self.seen, self.unwanted) if one]
        return BitMap.union(BitMap(self.of_unwanted_categories), *maps)


@dataclass(frozen=True)
class People:
    """U people.

    Shapes: vectors [U,D+T], recent [U,R] (ordinals, oldest first, -1 fills the places before), seen
    U bitmaps of ordinals: what the person is done with or does not want; n [U] (the last entry of
    the log in the vector; 0: the list is not to be personal), last_at [U] (when it happened, Unix
    seconds; NaN: unknown).
    """

    user_ids: NDArray[np.object_]
    vectors: Vector
    recent: NDArray[np.int64]
    seen: Sequence[BitMap]
    n: NDArray[np.int64]
    last_at: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.user_ids)

    def only(self, rows: slice | NDArray[np.intp]) -> People:
        return People(
            self.user_ids[rows],
            self.vectors[rows],
            self.recent[rows],
            [self.seen[row] for row in np.arange(len(self))[rows].tolist()],
            self.n[rows],
            self.last_at[rows],
        )


class PeopleStore:
    """The people whom one model knows. Every method raises Unavailable while Postgres is away."""

    def __init__(
        self,
        database: Database,
        model_version: str,
        user_width: int,
        *,
        active_since: datetime | None = None,
        general: bool = True,
    ) -> None:
        """active_since: only those who did something then or later. None: who did anything.

        general: whether those who can have or want no personal list are among the people.
        """
        self._active_since = active_since
        self._database = database
        self._model_version = model_version
        self._user_width = user_width
        self._general = general

    def firsts(self, people: int) -> list[str]:
        """The key of every so-manieth person, from the first: where ranges of that size begin."""
        with self._database.transaction() as cursor:
            since = self._active_since
            cursor.execute(_FIRSTS, (self._model_version, since, since, people))
            return [user_id for (user_id,) in cursor]

    def between(self, first: str, end: str | None) -> People:
        """From `first` to before `end`; None: to the last."""
        since = self._active_since
        return self._people(self._read(_RANGE, (first, end, end, since, since)))

    def named(self, user_ids: Sequence[str]) -> tuple[People, list[str]]:
        """Those of them who get a list, and those of whom nothing is known."""
        rows = {row.user_id: row for row in self._read(_NAMED, (list(user_ids),))}
        strangers = [name for name in user_ids if name not in rows or not rows[name].known]
        nothing = to_bytes(np.zeros(self._user_width, dtype=np.float32))
        for name in strangers:
            rows.setdefault(name, _Row(name, 0, None, nothing, ()))
        return self._people(rows.values()), strangers

    def _read(self, query: str, values: tuple[Any, ...]) -> list[_Row]:
        with self._database.transaction() as cursor:
            cursor.execute(query, (self._model_version, *values))
            return [_Row(*row) for row in cursor]

    def _people(self, rows: Iterable[_Row]) -> People:
        kept = [row for row in rows if self._general or row.personal]
        try:
            vectors = matrix_from_bytes([bytes(row.vector) for row in kept], self._user_width)
        except ValueError as error:
            raise FailedPrecondition(f"user_states of {self._model_version}: {error}") from error
        return People(
            np.array([row.user_id for row in kept], dtype=np.object_),
            vectors,
            _aligned([row.recent for row in kept]),
            [row.left_out for row in kept],
            np.array([row.n if row.personal else 0 for row in kept], dtype=np.int64),
            np.array([row.last_at for row in kept], dtype=np.float64),
        )


def _aligned(histories: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """The newest in the last column; one column at least."""
    width = max([1, *map(len, histories)])
    recent = np.full((len(histories), width), _ABSENT, dtype=np.int64)
    for row, history in zip(recent, histories, strict=True):
        if history:
            row[-len(history) :] = history
    return recent

"""States in Postgres: read many at once, written under the guard that the later one stays."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg2.extras import execute_values
from pyroaring import BitMap

from headrace.index.encoding import from_bytes, to_bytes
from headrace.store.database import Database
from headrace.store.erased_people import digest_of
from services.user_embedding.states import UserState

_COLUMNS = (
    "user_id, epoch, n, state, vector, recent_ordinals, seen, recent_event_ids,"
    " last_occurred_at, last_accepted_at, unwanted, unwanted_categories"
)
_LOAD = f"""
    SELECT {_COLUMNS} FROM user_states
    WHERE model_version = %s AND user_id = ANY(%s)
"""  # noqa: S608 - constants only
_PAGE = f"""
    SELECT {_COLUMNS} FROM user_states
    WHERE model_version = %s AND user_id > %s
        AND (last_occurred_at IS NOT NULL OR recent_ordinals <> '{{}}')
        AND (%s::timestamptz IS NULL OR last_occurred_at >= %s)
    ORDER BY user_id LIMIT %s
"""  # noqa: S608 - constants only
# Not waiting for the disk takes 1.2 ms off every batch, 11 ms at p99 (200 upserts of 3 kB). Should
# Postgres crash, the states of the last moments are gone and their logs are not: the sweeper, which
# looks back further than that, brings them up to date again.
_SAVE = f"""
    SET LOCAL synchronous_commit = off;
    INSERT INTO user_states AS stored (model_version, {_COLUMNS})
    SELECT v.* FROM (VALUES %s) AS v (model_version, {_COLUMNS})
    WHERE NOT EXISTS (
        SELECT FROM erased_people e
        WHERE e.person = {digest_of("v.user_id")} AND e.epoch > v.epoch
    )
    ON CONFLICT (model_version, user_id) DO UPDATE SET
        epoch = excluded.epoch,
        n = excluded.n,
        state = excluded.state,
        vector = excluded.vector,
        recent_ordinals = excluded.recent_ordinals,
        seen = excluded.seen,
        recent_event_ids = excluded.recent_event_ids,
        last_occurred_at = excluded.last_occurred_at,
        last_accepted_at = excluded.last_accepted_at,
        unwanted = excluded.unwanted,
        unwanted_categories = excluded.unwanted_categories
    WHERE (stored.epoch, stored.n) < (excluded.epoch, excluded.n)
    RETURNING user_id
"""  # noqa: S608 - constants only
# Arrays go as text: psycopg2 would otherwise quote them element by element.
_ROW = (
    "(%s, %s, %s::bigint, %s::bigint, %s::bytea, %s::bytea, %s::integer[], %s::bytea, %s::text[],"
    " %s::timestamptz, %s::timestamptz, %s::bytea, %s::text[])"
)


class StateStore:
    """The states of one model version.

    Shapes: state [S], S = state_width; vector [D], D = width.
    Every method raises Unavailable while Postgres is away.
    """

    def __init__(
        self, database: Database, model_version: str, width: int, state_width: int
    ) -> None:
        self._database = database
        self._model_version = model_version
        self._width = width
        self._state_width = state_width

    def load(self, user_ids: Sequence[str]) -> Mapping[str, UserState]:
        """The stored states by person; people without one are absent."""
        with self._database.transaction() as cursor:
            cursor.execute(_LOAD, (self._model_version, list(user_ids)))
            return {row[0]: self._state(row) for row in cursor.fetchall()}

    def page(self, after: str, active_since: datetime | None, limit: int) -> Sequence[UserState]:
        """As in `storage.States`."""
        with self._database.transaction() as cursor:
            cursor.execute(_PAGE, (self._model_version, after, active_since, active_since, limit))
            return [self._state(row) for row in cursor.fetchall()]

    def save(self, states: Sequence[UserState]) -> set[str]:
        """Stores states in one transaction, except where a later or the same one is there, or the
        person was erased since.

        Returns: the people whose state was written.
        """
        # In one order everywhere: two writers then wait for each other instead of deadlocking.
        rows = [self._row(state) for state in sorted(states, key=lambda state: state.user_id)]
        with self._database.transaction() as cursor:
            written = execute_values(
                cursor, _SAVE, rows, template=_ROW, page_size=len(rows), fetch=True
            )
            return {user_id for (user_id,) in written}

    def _row(self, state: UserState) -> tuple[Any, ...]:
        return (
            self._model_version,
            state.user_id,
            state.epoch,
            state.n,
            to_bytes(state.state),
            to_bytes(state.vector),
            "{" + ",".join(map(str, state.recent_ordinals)) + "}",
            state.seen.serialize(),
            list(state.recent_event_ids),
            state.last_occurred_at,
            state.last_accepted_at,
            state.unwanted.serialize() if state.unwanted else b"",
            list(state.unwanted_categories),
        )

    def _state(self, row: tuple[Any, ...]) -> UserState:
        return UserState(
            user_id=row[0],
            epoch=row[1],
            n=row[2],
            state=from_bytes(bytes(row[3]), self._state_width),
            vector=from_bytes(bytes(row[4]), self._width),
            recent_ordinals=tuple(row[5]),
            seen=BitMap.deserialize(bytes(row[6])),
            recent_event_ids=tuple(row[7]),
            last_occurred_at=row[8],
            last_accepted_at=row[9],
            unwanted=BitMap.deserialize(bytes(row[10])) if row[10] else BitMap(),
            unwanted_categories=tuple(row[11]),
        )

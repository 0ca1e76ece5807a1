"""What came of what was shown, in Postgres: lists are kept until it is known, then counted."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import cursor as Cursor  # noqa: N812
from psycopg2.extras import execute_values

from headrace.store.database import Database
from headrace.store.erased_people import erased_among

log = logging.getLogger(__name__)

WINDOW_S = 30 * 60.0
"""A sign of interest counts for a list so long after it, as in the rankers' live accuracy."""
_LATE_S = 5 * 60.0  # events and lists come through Kafka: later ones are not waited for
_LISTS = 2_000  # in one transaction: bounds how long it takes
_COUNTS_KEPT_DAYS = 400  # a year beside the one before
# Any number that nobody else takes: one counts at a time per database.
_ADVISORY_LOCK = 727_003

# Interest: view 1, click 2, cart 3, purchase 4, like 5, rating 7. An item that several lists showed
# is credited to the last one before the event. Lists are counted in the order in which they were
# served, so those later ones are still there.
_COUNT = """
WITH due AS (
    SELECT * FROM served_lists
    WHERE served_at < %(until)s
    ORDER BY served_at LIMIT %(lists)s
),
gone AS (
    DELETE FROM served_lists AS l USING due
    WHERE (l.partition, l.record_offset, l.place)
        = (due.partition, due.record_offset, due.place)
),
shown AS (
    SELECT due.*, s.item_id, s.source, s.position
    FROM due, unnest(item_ids, sources) WITH ORDINALITY AS s (item_id, source, position)
),
chosen AS (
    SELECT due.partition, due.record_offset, due.place, i.item_id,
        bool_or(e.type = 4) AS bought
    FROM due
    JOIN standing_interactions AS e ON e.user_id = due.user_id
        AND coalesce(e.accepted_at, e.occurred_at)
            BETWEEN due.served_at AND due.served_at + make_interval(secs => %(window_s)s)
        AND e.type IN (1, 2, 3, 4, 5, 7) AND NOT e.backfill
    JOIN items AS i ON i.ordinal = e.item_ordinal AND i.item_id = ANY(due.item_ids)
    WHERE NOT EXISTS (
        SELECT FROM served_lists AS later
        WHERE later.user_id = due.user_id AND later.served_at > due.served_at
        AND later.served_at <= coalesce(e.accepted_at, e.occurred_at)
        AND i.item_id = ANY(later.item_ids)
    )
    GROUP BY 1, 2, 3, 4
),
counted AS (
    INSERT INTO click_through AS held
    SELECT date_trunc('hour', served_at, 'UTC'), source, position, model_version,
        count(*), count(bought), count(*) FILTER (WHERE bought)
    FROM shown LEFT JOIN chosen USING (partition, record_offset, place, item_id)
    GROUP BY 1, 2, 3, 4
    ON CONFLICT (hour, source, position, model_version) DO UPDATE SET
        shown = held.shown + excluded.shown,
        clicked = held.clicked + excluded.clicked,
        bought = held.bought + excluded.bought
)
SELECT count(*) FROM due
"""


@dataclass(frozen=True, slots=True)
class ServedList:
    """A list that somebody got. place: in its record. Items and their sources are by position."""

    partition: int
    offset: int
    place: int
    user_id: str
    served_at: datetime
    model_version: str
    item_ids: Sequence[str]
    sources: Sequence[int]


def keep(cursor: Cursor, lists: Sequence[ServedList]) -> None:
    """Keeps lists, which must not have come before, but those of people who were erased since."""
    erased = erased_among(cursor, {one.user_id for one in lists}) if lists else {}
    lists = [
        one for one in lists if one.user_id not in erased or one.served_at > erased[one.user_id].at
    ]
    if lists:
        execute_values(
            cursor,
            "INSERT INTO served_lists VALUES %s",
            [
                (
                    one.partition,
                    one.offset,
                    one.place,
                    one.user_id,
                    one.served_at,
                    one.model_version,
                    list(one.item_ids),
                    list(one.sources),
                )
                for one in lists
            ],
            template="(%s, %s, %s, %s, %s, %s, %s::text[], %s::smallint[])",
        )


class ClickThrough:
    """Safe to use from several threads and processes at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self) -> None:
        """Counts the lists of which it is known what came of them. Raises: Unavailable."""
        total, count = 0, _LISTS
        while count == _LISTS:
            with self._database.transaction() as cursor:
                cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (_ADVISORY_LOCK,))
                if cursor.fetchone() != (True,):
                    return
                count = _count(cursor)
            total += count
        log.debug("served lists counted", extra={"lists": total})


def _count(cursor: Cursor) -> int:
    """The number of lists that were counted, the oldest first."""
    cursor.execute("SELECT now() - make_interval(secs => %s)", (WINDOW_S + _LATE_S,))
    (until,) = cursor.fetchone() or (None,)
    cursor.execute(_COUNT, {"until": until, "lists": _LISTS, "window_s": WINDOW_S})
    (count,) = cursor.fetchone() or (0,)
    if count < _LISTS:
        cursor.execute(
            "INSERT INTO click_through_progress (as_of) VALUES (%s)"
            " ON CONFLICT (last) DO UPDATE SET as_of = excluded.as_of",
            (until,),
        )
        cursor.execute(
            "DELETE FROM click_through WHERE hour < now() - make_interval(days => %s)",
            (_COUNTS_KEPT_DAYS,),
        )
    return int(count)

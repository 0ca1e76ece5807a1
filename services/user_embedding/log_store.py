"""The people's logs in Postgres, as `event_ingest` writes them; this service only reads."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

from headrace.store.database import Database
from headrace.store.erased_people import erased_among
from services.user_embedding.interactions import EventStatus, Interaction, Mark, Page
from services.user_embedding.states import UserState

_PAGES = """
    SELECT w.user_id, c.epoch, i.n, i.event_id, i.item_ordinal, i.type,
           i.occurred_at, i.accepted_at, i.backfill, i.value, i.category,
           i.retracted_by IS NOT NULL
    FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) AS w (user_id, epoch, n)
    JOIN user_counters c USING (user_id)
    LEFT JOIN LATERAL (
        SELECT * FROM interactions i
        WHERE i.user_id = w.user_id
          AND i.n > CASE WHEN c.epoch = w.epoch THEN w.n ELSE 0 END
        ORDER BY i.n LIMIT %s
    ) i ON true
    ORDER BY w.user_id, i.n
"""
_EVENT = """
    SELECT
        (SELECT n FROM interactions WHERE user_id = %(user)s AND event_id = %(event)s),
        EXISTS (
            SELECT FROM user_states s JOIN user_counters c USING (user_id)
            JOIN interactions i USING (user_id)
            WHERE s.model_version = %(model)s AND user_id = %(user)s
              AND i.event_id = %(event)s AND s.n >= i.n AND s.epoch >= c.epoch
        ),
        EXISTS (SELECT FROM waiting_events WHERE user_id = %(user)s AND event_id = %(event)s),
        EXISTS (SELECT FROM refused_events WHERE user_id = %(user)s AND event_id = %(event)s)
"""
# Younger than this, a log is most likely on its way through Kafka.
_SETTLED = "c.updated_at < now() - make_interval(secs => %(settled_s)s)"
_BEHIND = """
    FROM user_counters c
    LEFT JOIN user_states s ON s.user_id = c.user_id AND s.model_version = %(model)s
    WHERE (c.epoch, c.n) > (coalesce(s.epoch, 0), coalesce(s.n, 0))
"""
_BEHIND_ALL = f"""
    SELECT c.user_id {_BEHIND} AND {_SETTLED} AND c.user_id > %(after)s
    ORDER BY c.user_id LIMIT %(limit)s
"""
_BEHIND_LATELY = f"""
    SELECT c.updated_at, c.user_id {_BEHIND} AND {_SETTLED}
      AND c.updated_at >= %(since)s AND (c.updated_at, c.user_id) > (%(since)s, %(after)s)
    ORDER BY c.updated_at, c.user_id LIMIT %(limit)s
"""


class LogStore:
    """Logs, and how the states of one model version stand to them.

    Every method raises Unavailable while Postgres is away.
    """

    def __init__(self, database: Database, model_version: str) -> None:
        self._database = database
        self._model_version = model_version

    def position(self, user_id: str) -> tuple[int, int]:
        """(epoch, n) of a person's log; (0, 0) where there is none."""
        with self._database.transaction() as cursor:
            cursor.execute("SELECT epoch, n FROM user_counters WHERE user_id = %s", (user_id,))
            row = cursor.fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def pages(self, states: Sequence[UserState], limit: int) -> Mapping[str, Page]:
        """What follows on each state, at most `limit` entries a person; one query.

        People without a log are absent.
        """
        users = [state.user_id for state in states]
        epochs, ns = [state.epoch for state in states], [state.n for state in states]
        with self._database.transaction() as cursor:
            cursor.execute(_PAGES, (users, epochs, ns, limit))
            rows = cursor.fetchall()
        pages = {}
        for (user_id, epoch), group in groupby(rows, key=lambda row: (row[0], row[1])):
            entries = [Interaction(*row) for row in group if row[2] is not None]
            pages[user_id] = Page(user_id, epoch, entries, more=len(entries) == limit)
        return pages

    def erased(self, user_ids: Sequence[str]) -> Mapping[str, int]:
        """Those of these people who were erased, with the first epoch after."""
        with self._database.transaction() as cursor:
            found = erased_among(cursor, user_ids)
        return {user: one.epoch for user, one in found.items()}

    def opted_out(self, user_ids: Sequence[str]) -> set[str]:
        """Those of these people who do not want personal lists."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT user_id FROM personalisation WHERE user_id = ANY(%s) AND NOT enabled",
                (list(user_ids),),
            )
            return {user_id for (user_id,) in cursor.fetchall()}

    def event(self, user_id: str, event_id: str) -> tuple[EventStatus, int]:
        """What became of an event, and its number in the log, 0 where it has none."""
        with self._database.transaction() as cursor:
            cursor.execute(
                _EVENT, {"user": user_id, "event": event_id, "model": self._model_version}
            )
            row = cursor.fetchone()
        assert row is not None
        n, applied, waiting, refused = row
        if n is not None:
            return (EventStatus.APPLIED if applied else EventStatus.PENDING), n
        if waiting:
            return EventStatus.WAITING_FOR_ITEM, 0
        return (EventStatus.REFUSED if refused else EventStatus.UNKNOWN), 0

    def now(self) -> datetime:
        """The time by Postgres' clock, which also dates the logs."""
        with self._database.transaction() as cursor:
            cursor.execute("SELECT now()")
            row = cursor.fetchone()
        assert row is not None
        now: datetime = row[0]
        return now

    def behind(self, after: str, settled_s: float, limit: int) -> list[str]:
        """People after `after`, by id, whose state is behind a log at rest for `settled_s`."""
        with self._database.transaction() as cursor:
            cursor.execute(
                _BEHIND_ALL,
                {
                    "model": self._model_version,
                    "after": after,
                    "settled_s": settled_s,
                    "limit": limit,
                },
            )
            return [user_id for (user_id,) in cursor.fetchall()]

    def behind_lately(self, since: Mark, settled_s: float, limit: int) -> list[Mark]:
        """As `behind`, for logs that changed after `since`, by time of change."""
        with self._database.transaction() as cursor:
            cursor.execute(
                _BEHIND_LATELY,
                {
                    "model": self._model_version,
                    "since": since.updated_at,
                    "after": since.user_id,
                    "settled_s": settled_s,
                    "limit": limit,
                },
            )
            return [Mark(*row) for row in cursor.fetchall()]

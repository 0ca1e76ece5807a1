"""The log in Postgres: each method is one round trip for a whole batch.

What keeps replicas from numbering twice and from deadlocks: whoever touches a person's log, waiting
events included, holds that person's counter, and rows are locked in one order everywhere: counters
by user, then refused events by key, then counts by minute and item.
"""

from collections import Counter as Tally
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from headrace.contracts.events import EventType
from headrace.errors import Unavailable
from headrace.store.database import Database
from headrace.store.erased_people import Erased, digest_of, erased_among
from services.event_ingest.events import Entry, Event, Key
from services.event_ingest.numbering import Counter

_NO_CHOICES = frozenset({EventType.DISLIKE, EventType.RETRACTION, EventType.NOT_INTERESTED})

_LOCK = f"""
    INSERT INTO user_counters (user_id, epoch)
    SELECT u, coalesce(e.epoch, 0) FROM unnest(%(users)s::text[]) AS u
    LEFT JOIN erased_people e ON e.person = {digest_of("u")}
    ORDER BY u ON CONFLICT DO NOTHING;
    SELECT user_id, epoch, n FROM user_counters WHERE user_id = ANY(%(users)s::text[])
    ORDER BY user_id FOR UPDATE
"""  # noqa: S608 - constants only


class EventLog:
    """Transactions on the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def transaction(self) -> Iterator["LogTransaction"]:
        """Committed at the end, rolled back on any error. Raises: as `Database.transaction`."""
        with self._database.transaction() as cursor:
            yield LogTransaction(cursor)


class LogTransaction:
    """The statements. `lock` comes first: what is read after it stays true until the commit."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def lock(self, user_ids: Collection[str]) -> dict[str, Counter]:
        """Counters of these people, made where missing, held until the end of the transaction.

        Raises: Unavailable where one was deleted meanwhile.
        """
        users = list(user_ids)
        # Under READ COMMITTED a statement sees what was committed before it began, also where two
        # go in one round trip: everything after this one sees what the last holder wrote.
        self._cursor.execute(
            _LOCK,
            {"users": users},
        )
        counters = {user: Counter(epoch, n) for user, epoch, n in self._cursor.fetchall()}
        if len(counters) < len(users):
            raise Unavailable("somebody was erased at this moment; the batch comes again")
        return counters

    def lock_known(self, user_ids: Collection[str]) -> dict[str, Counter]:
        """As `lock`, for those who have a log."""
        self._cursor.execute(
            "SELECT user_id, epoch, n FROM user_counters WHERE user_id = ANY(%s::text[])"
            " ORDER BY user_id FOR UPDATE",
            (list(user_ids),),
        )
        return {user: Counter(epoch, n) for user, epoch, n in self._cursor.fetchall()}

    def erased(self, user_ids: Collection[str]) -> Mapping[str, Erased]:
        """Those of these people who were erased."""
        return erased_among(self._cursor, user_ids)

    def opted_out(self, user_ids: Collection[str]) -> set[str]:
        """Those of these people who do not want that what they do is kept."""
        self._cursor.execute(
            "SELECT user_id FROM personalisation WHERE user_id = ANY(%s::text[]) AND NOT enabled",
            (list(user_ids),),
        )
        return {user for (user,) in self._cursor.fetchall()}

    def entries(self, keys: Collection[Key], counters: Mapping[str, Counter]) -> dict[Key, Entry]:
        """Those of `keys` that are in the log."""
        self._cursor.execute(
            "SELECT user_id, n, event_id, item_ordinal,"
            " type, value, occurred_at, accepted_at, backfill, body_hash,"
            " category, retracted_by IS NOT NULL"
            " FROM unnest(%s::text[], %s::text[]) AS k (user_id, event_id)"
            " JOIN interactions USING (user_id, event_id)",
            _columns(keys),
        )
        found = {}
        for row in self._cursor:
            user, n, event, ordinal, kind, value, at, accepted, backfill, digest, *rest = row
            found[user, event] = Entry(
                user_id=user,
                epoch=counters[user].epoch,
                n=n,
                event_id=event,
                item_ordinal=ordinal,
                type=EventType(kind),
                value=value,
                occurred_at=at,
                accepted_at=accepted,
                backfill=backfill,
                body_hash=bytes(digest),
                category=rest[0],
                retracted=rest[1],
            )
        return found

    def waiting(self, keys: Collection[Key]) -> dict[Key, bytes]:
        """Body hashes of those of `keys` that wait for their item."""
        self._cursor.execute(
            "SELECT user_id, event_id, body_hash"
            " FROM unnest(%s::text[], %s::text[]) AS k (user_id, event_id)"
            " JOIN waiting_events USING (user_id, event_id)",
            _columns(keys),
        )
        return {(user, event): bytes(digest) for user, event, digest in self._cursor.fetchall()}

    def ordinals(self, item_ids: Collection[str]) -> dict[str, int]:
        """Ordinals of the items that the catalogue has, deleted ones too."""
        self._cursor.execute(
            "SELECT item_id, ordinal FROM items WHERE item_id = ANY(%s::text[])", (list(item_ids),)
        )
        return dict(self._cursor.fetchall())

    def last_occurred(self, counters: Mapping[str, Counter]) -> dict[str, datetime]:
        """When the entry occurred that each counter stands at."""
        self._cursor.execute(
            "SELECT user_id, occurred_at FROM unnest(%s::text[], %s::bigint[]) AS k (user_id, n)"
            " JOIN interactions USING (user_id, n)",
            _columns([(user, counter.n) for user, counter in counters.items()]),
        )
        return dict(self._cursor.fetchall())

    def append(self, entries: Sequence[Entry]) -> None:
        """Writes new entries and moves the counters of their people."""
        self._cursor.execute(
            "INSERT INTO interactions (user_id, n, event_id, item_ordinal,"
            " type, value, occurred_at, accepted_at, backfill, body_hash, category)"
            " SELECT * FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::integer[],"
            " %s::smallint[], %s::float8[], %s::timestamptz[], %s::timestamptz[], %s::boolean[],"
            " %s::bytea[], %s::text[]);"
            "UPDATE user_counters AS c SET n = reached.n, epoch = reached.epoch, updated_at = now()"
            " FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) AS reached (user_id, n, epoch)"
            " WHERE c.user_id = reached.user_id",
            _columns(
                [
                    (e.user_id, e.n, e.event_id, e.item_ordinal, *_what(e), e.category)
                    for e in entries
                ]
            )
            + _columns(list({e.user_id: (e.user_id, e.n, e.epoch) for e in entries}.values())),
        )

    def retract(self, pairs: Sequence[tuple[Entry, Entry]]) -> None:
        """Marks what was taken back: each entry with the retraction that says so."""
        self._cursor.execute(
            "UPDATE interactions AS i SET retracted_by = new.retracted_by"
            " FROM unnest(%s::text[], %s::bigint[], %s::bigint[])"
            " AS new (user_id, n, retracted_by)"
            " WHERE i.user_id = new.user_id AND i.n = new.n",
            _columns([(target.user_id, target.n, by.n) for target, by in pairs]),
        )

    def count_minutes(self, entries: Sequence[Entry], retracted: Sequence[Entry] = ()) -> None:
        """Adds to the counts behind what is trending, and takes away what was taken back; imports
        and what is no choice of an item stay out.

        Comes last: popular items are rows that every replica wants.
        """
        tally = Tally(map(_minute, filter(_trends, entries)))
        tally.subtract(map(_minute, filter(_trends, retracted)))
        changed = [(minute, ordinal, by) for (minute, ordinal), by in tally.items() if by]
        if not changed:
            return
        self._cursor.execute(
            "INSERT INTO item_minute_counts AS held (minute, item_ordinal, events)"
            " SELECT * FROM unnest(%s::timestamptz[], %s::integer[], %s::integer[])"
            " AS new (minute, item_ordinal, events) ORDER BY minute, item_ordinal"
            " ON CONFLICT (minute, item_ordinal)"
            " DO UPDATE SET events = held.events + excluded.events",
            _columns(changed),
        )

    def forget_counts(self, hours: float, limit: int) -> int:
        """Removes at most `limit` counts of minutes longer ago than `hours`; returns how many.

        Passes over rows that an ingesting replica holds, so that neither waits for the other.
        """
        self._cursor.execute(
            "DELETE FROM item_minute_counts WHERE (minute, item_ordinal) IN ("
            " SELECT minute, item_ordinal FROM item_minute_counts"
            " WHERE minute < now() - make_interval(secs => %s * 3600)"
            " LIMIT %s FOR UPDATE SKIP LOCKED)",
            (hours, limit),
        )
        return self._cursor.rowcount

    def put_waiting(self, events: Sequence[Event]) -> None:
        """Keeps events until their item arrives, in this order."""
        self._cursor.execute(
            "INSERT INTO waiting_events (user_id, event_id, item_id,"
            " type, value, occurred_at, accepted_at, backfill, body_hash)"
            " SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::smallint[],"
            " %s::float8[], %s::timestamptz[], %s::timestamptz[], %s::boolean[], %s::bytea[])",
            _columns([(e.user_id, e.event_id, e.item_id, *_what(e)) for e in events]),
        )

    def users_to_release(self, item_ids: Collection[str] | None, limit: int) -> list[str]:
        """People with waiting events whose item is there; of these items only, where given."""
        self._cursor.execute(
            "SELECT DISTINCT user_id FROM waiting_events JOIN items USING (item_id)"
            " WHERE %(items)s::text[] IS NULL OR item_id = ANY(%(items)s::text[]) LIMIT %(limit)s",
            {"items": None if item_ids is None else list(item_ids), "limit": limit},
        )
        return [user for (user,) in self._cursor.fetchall()]

    def take_waiting(self, user_ids: Collection[str]) -> list[tuple[Event, int]]:
        """Removes these people's waiting events whose item is there.

        Returns: the events with the ordinals of their items, in order of arrival.
        """
        self._cursor.execute(
            "WITH taken AS ("
            " DELETE FROM waiting_events AS w USING items AS i"
            " WHERE w.user_id = ANY(%s::text[]) AND i.item_id = w.item_id"
            " RETURNING w.*, i.ordinal)"
            " SELECT ordinal, user_id, event_id, item_id,"
            " type, value, occurred_at, accepted_at, backfill, body_hash"
            " FROM taken ORDER BY arrival",
            (list(user_ids),),
        )
        taken = []
        for ordinal, user, event, item, kind, value, at, accepted, backfill, digest in self._cursor:
            waited = Event(
                user_id=user,
                event_id=event,
                item_id=item,
                type=EventType(kind),
                value=value,
                occurred_at=at,
                accepted_at=accepted,
                backfill=backfill,
                body_hash=bytes(digest),
            )
            taken.append((waited, ordinal))
        return taken

    def refuse(self, reasons: Mapping[Key, str]) -> None:
        """Remembers why events were refused. The last reason stays."""
        self._cursor.execute(
            "INSERT INTO refused_events (user_id, event_id, reason)"
            " SELECT * FROM unnest(%s::text[], %s::text[], %s::text[])"
            " AS new (user_id, event_id, reason) ORDER BY user_id, event_id"
            " ON CONFLICT (user_id, event_id)"
            " DO UPDATE SET reason = excluded.reason, refused_at = now()",
            _columns([(user, event, reason) for (user, event), reason in reasons.items()]),
        )

    def count_waiting(self) -> int:
        """Events that wait for their item."""
        self._cursor.execute("SELECT count(*) FROM waiting_events")
        (count,) = self._cursor.fetchone() or (0,)
        return int(count)

    def forget_refused(self, days: int) -> int:
        """Removes what was refused longer ago than `days`; returns how many."""
        self._cursor.execute(
            "DELETE FROM refused_events WHERE refused_at < now() - make_interval(days => %s)",
            (days,),
        )
        return self._cursor.rowcount


def _trends(entry: Entry) -> bool:
    return not entry.backfill and entry.type not in _NO_CHOICES


def _minute(entry: Entry) -> tuple[datetime, int]:
    return entry.occurred_at.replace(second=0, microsecond=0), entry.item_ordinal


def _what(e: Event | Entry) -> tuple[object, ...]:
    """The columns that interactions and waiting_events have in common."""
    return int(e.type), e.value, e.occurred_at, e.accepted_at, e.backfill, e.body_hash


def _columns(rows: Collection[tuple[object, ...]]) -> list[list[object]]:
    """Rows as a list for each column, as `unnest` takes them."""
    return [list(column) for column in zip(*rows, strict=True)]

"""People's logs in Postgres, as far as they stand."""

from dataclasses import dataclass
from datetime import datetime

from headrace.contracts.events import EventType
from headrace.store.database import Database

# A person's log is sorted for each page: 0.8 ms at 1,000 entries, 5 ms at 10,000, 33 ms at 100,000
# (median of 20 first pages, two busy cores). An index would have to be written with every event.
_PAGE = """
SELECT i.n, i.event_id, t.item_id, t.title, t.categories, t.picture_url, i.type, i.value,
       i.occurred_at
FROM standing_interactions i JOIN items t ON t.ordinal = i.item_ordinal
WHERE i.user_id = %(user)s
  AND (%(before)s::timestamptz IS NULL OR (i.occurred_at, i.n) < (%(before)s, %(n)s))
ORDER BY i.occurred_at DESC, i.n DESC LIMIT %(limit)s
"""
_UNWANTED = """
SELECT t.item_id, t.title, t.categories, t.picture_url, said.category, said.since
FROM (
    SELECT item_ordinal, category, max(n) AS n, max(occurred_at) AS since
    FROM standing_interactions WHERE user_id = %s AND type = %s
    GROUP BY item_ordinal, category
) AS said LEFT JOIN items t ON t.ordinal = said.item_ordinal
ORDER BY said.n DESC LIMIT %s
"""
_SAID_OF = """
SELECT i.event_id FROM standing_interactions i LEFT JOIN items t ON t.ordinal = i.item_ordinal
WHERE i.user_id = %s AND i.type = %s AND coalesce(t.item_id, '') = %s AND i.category = %s
ORDER BY i.n
"""
_MOST_UNWANTED = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where an entry stands among the others by time, and by number where the times are equal."""

    occurred_at: datetime
    n: int


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """An entry that stands, with its item as it is called now."""

    n: int
    event_id: str
    item_id: str
    title: str
    categories: tuple[str, ...]
    picture_url: str
    type: EventType
    value: float | None
    occurred_at: datetime

    @property
    def place(self) -> Place:
        return Place(self.occurred_at, self.n)


@dataclass(frozen=True, slots=True)
class UnwantedItem:
    """An item that the person does not want to be shown, as it is called now."""

    item_id: str
    title: str
    categories: tuple[str, ...]
    picture_url: str
    since: datetime


@dataclass(frozen=True, slots=True)
class UnwantedCategory:
    """A category of which the person wants nothing, nor of those below."""

    category: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Unwanted:
    """The one said last first."""

    items: tuple[UnwantedItem, ...]
    categories: tuple[UnwantedCategory, ...]


class HistoryStore:
    """Every method raises Unavailable while Postgres is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, user_id: str, limit: int, before: Place | None) -> list[HistoryEntry]:
        """Entries older than `before`, newest first; `limit` at most."""
        values = {
            "user": user_id,
            "before": before and before.occurred_at,
            "n": before and before.n,
            "limit": limit,
        }
        with self._database.transaction() as cursor:
            cursor.execute(_PAGE, values)
            return [
                HistoryEntry(
                    n=n,
                    event_id=event_id,
                    item_id=item_id,
                    title=title,
                    categories=tuple(categories),
                    picture_url=picture_url,
                    type=EventType(kind),
                    value=value,
                    occurred_at=occurred_at,
                )
                for (
                    n, event_id, item_id, title, categories, picture_url, kind, value, occurred_at
                ) in cursor.fetchall()
            ]  # fmt: skip

    def has(self, user_id: str, event_id: str) -> bool:
        """Whether the person's log has this event, taken back or not."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT FROM interactions WHERE user_id = %s AND event_id = %s AND type <> %s",
                (user_id, event_id, int(EventType.RETRACTION)),
            )
            return cursor.rowcount > 0

    def unwanted(self, user_id: str) -> Unwanted:
        """What the person does not want to be shown: the last 1,000, each once."""
        with self._database.transaction() as cursor:
            cursor.execute(_UNWANTED, (user_id, int(EventType.NOT_INTERESTED), _MOST_UNWANTED))
            rows = cursor.fetchall()
        return Unwanted(
            tuple(
                UnwantedItem(item_id, title, tuple(categories), picture_url, since)
                for item_id, title, categories, picture_url, category, since in rows
                if not category
            ),
            tuple(UnwantedCategory(row[4], row[5]) for row in rows if row[4]),
        )

    def said_of(self, user_id: str, item_id: str, category: str) -> list[str]:
        """Ids of the events that say so of an item or, where that is empty, of a category."""
        kind = int(EventType.NOT_INTERESTED)
        with self._database.transaction() as cursor:
            cursor.execute(_SAID_OF, (user_id, kind, item_id, category))
            return [event_id for (event_id,) in cursor.fetchall()]

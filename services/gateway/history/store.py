"""People's logs in Postgres, as far as they stand."""

from dataclasses import dataclass
from datetime import datetime

from headrace.contracts.events import EventType
from headrace.store.database import Database

# A person's log is sorted for each page, without an index that every event would be written to.
_PAGE = """
SELECT i.n, i.event_id, t.item_id, t.title, t.categories, t.picture_url, i.type, i.value,
       i.occurred_at
FROM standing_interactions i JOIN items t ON t.ordinal = i.item_ordinal
WHERE i.user_id = %(user)s
  AND (%(before)s::timestamptz IS NULL OR (i.occurred_at, i.n) < (%(before)s, %(n)s))
ORDER BY i.occurred_at DESC, i.n DESC LIMIT %(limit)s
"""


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

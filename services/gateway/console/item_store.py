"""What Postgres knows about an item beside its content."""

import asyncio

from headrace.store.database import Database
from services.gateway.console.item_models import ItemState, ShownAndChosen, Window

_STATE = """
    SELECT ordinal, title, revision, updated_at, CASE
        WHEN deleted THEN 'deleted'
        WHEN publish_at > now() THEN 'not_yet'
        WHEN expire_at <= now() THEN 'expired'
        ELSE 'visible' END
    FROM items WHERE item_id = %s
"""
_WINDOWS: tuple[Window, ...] = ("hour", "day", "week")
_CHOSEN = """
    SELECT
        coalesce(sum(events) FILTER (WHERE minute > now() - interval '1 hour'), 0),
        coalesce(sum(events) FILTER (WHERE minute > now() - interval '1 day'), 0),
        coalesce(sum(events), 0)
    FROM item_minute_counts
    WHERE item_ordinal = %s AND minute > now() - interval '7 days'
"""
_SHOWN = """
    SELECT
        coalesce(sum(impressions) FILTER (WHERE hour > now() - interval '1 hour'), 0),
        coalesce(sum(impressions) FILTER (WHERE hour > now() - interval '1 day'), 0),
        coalesce(sum(impressions), 0)
    FROM item_impression_counts
    WHERE item_id = %s AND hour > now() - interval '7 days'
"""


class StoredItemFacts:
    """Reads what item_embedding and event_ingest write."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, item_id: str) -> tuple[ItemState, list[ShownAndChosen]] | None:
        """None where the item is unknown. Raises: Unavailable while Postgres is away."""
        return await asyncio.to_thread(self._read, item_id)

    def _read(self, item_id: str) -> tuple[ItemState, list[ShownAndChosen]] | None:
        with self._database.transaction() as cursor:
            cursor.execute(_STATE, (item_id,))
            row = cursor.fetchone()
            if row is None:
                return None
            ordinal, title, revision, updated_at, visibility = row
            cursor.execute(_CHOSEN, (ordinal,))
            (chosen,) = cursor.fetchall()
            cursor.execute(_SHOWN, (item_id,))
            (shown,) = cursor.fetchall()
        state = ItemState(
            item_id=item_id,
            title=title,
            revision=revision,
            updated_at=updated_at,
            visibility=visibility,
        )
        return state, [
            ShownAndChosen(window=window, impressions=int(seen), events=int(done))
            for window, seen, done in zip(_WINDOWS, shown, chosen, strict=True)
        ]

"""Pictures of items in Postgres: those wanted, and the pixels of those that came.

Whoever waits for a row here holds the item's, and has no other.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from headrace.pictures.pixels import Pixels
from headrace.store.database import Database
from services.item_embedding.catalogue import CatalogueItem
from services.item_embedding.item_rows import COLUMNS, item_of
from services.item_embedding.recent import RecentItems

# After a minute, two, four …: eight tries last four hours.
_TRIES = 8

_CLAIM = """
WITH due AS (
    SELECT i.ordinal, i.picture_url
    FROM items i
    WHERE NOT i.deleted AND i.picture_url ^@ ANY(%s::text[]) AND NOT EXISTS (
        SELECT FROM item_pictures p
        WHERE p.ordinal = i.ordinal AND p.picture_url = i.picture_url
            AND coalesce(p.due_at, 'infinity') > now()
    )
    LIMIT %s FOR NO KEY UPDATE OF i SKIP LOCKED
)
INSERT INTO item_pictures AS p (ordinal, picture_url, due_at)
SELECT ordinal, picture_url, now() + %s * interval '1 second' FROM due
ON CONFLICT (ordinal) DO UPDATE SET
    picture_url = excluded.picture_url, due_at = excluded.due_at, pixels = NULL,
    tries = CASE WHEN p.picture_url = excluded.picture_url THEN p.tries ELSE 0 END
-- Else another process was faster.
WHERE p.picture_url <> excluded.picture_url OR p.due_at <= now()
RETURNING ordinal, picture_url
"""

_LOCK_ITEMS = "SELECT FROM items WHERE ordinal = %s FOR NO KEY UPDATE"

_KEEP = """
UPDATE item_pictures p SET pixels = %s, due_at = NULL
FROM items i
WHERE p.ordinal = %s AND p.picture_url = %s AND p.pixels IS NULL
    AND i.ordinal = p.ordinal AND i.picture_url = p.picture_url AND NOT i.deleted
"""

_CHANGE = sql.SQL("""
UPDATE items AS i SET revision = revision + 1, updated_at = now() WHERE ordinal = %s
RETURNING {columns}
""").format(columns=COLUMNS)

_PUT_OFF = """
UPDATE item_pictures SET
    tries = tries + 1,
    due_at = CASE WHEN %s AND tries < %s - 1 THEN now() + interval '1 minute' * 2 ^ tries END
WHERE ordinal = %s AND picture_url = %s
"""

_PIXELS = """
SELECT ordinal, picture_url, pixels FROM item_pictures
WHERE ordinal = ANY(%s) AND pixels IS NOT NULL
"""


class Wanted(NamedTuple):
    """A picture that an item names."""

    ordinal: int
    url: str


class PictureStore:
    """What every process shares."""

    def __init__(self, database: Database, recent: RecentItems) -> None:
        self._database = database
        self._recent = recent

    def claim(self, origins: Collection[str], limit: int, lease_s: float) -> list[Wanted]:
        """Pictures at these origins that nobody has asked for, or that are due again. Other
        processes leave them alone for `lease_s`.

        Raises: Unavailable.
        """
        with self._database.transaction() as cursor:
            beginnings = [f"{origin}/" for origin in sorted(origins)]
            cursor.execute(_CLAIM, (beginnings, limit, lease_s))
            return [Wanted(*row) for row in cursor]

    def keep(self, wanted: Wanted, pixels: Pixels) -> CatalogueItem | None:
        """Stores a picture: its item changes by that.

        Returns: the item afterwards; None where it has another picture by now, or none.
        Raises: Unavailable.
        """
        with self._database.transaction() as cursor:
            cursor.execute(_LOCK_ITEMS, (wanted.ordinal,))
            cursor.execute(_KEEP, (pixels.tobytes(), *wanted))
            if not cursor.rowcount:
                return None
            cursor.execute(_CHANGE, (wanted.ordinal,))
            row = cursor.fetchone()
            assert row is not None
            changed = item_of(row)
        self._recent.remember([changed])
        return changed

    def put_off(self, wanted: Wanted, *, again: bool) -> None:
        """Notes a failure; `again`: it may pass. Raises: Unavailable."""
        with self._database.transaction() as cursor:
            cursor.execute(_PUT_OFF, (again, _TRIES, *wanted))


def with_pixels(cursor: Cursor, items: Sequence[CatalogueItem]) -> list[CatalogueItem]:
    """The items with the pixels of their present pictures, where there are some."""
    cursor.execute(_PIXELS, ([item.ordinal for item in items],))
    found = {(ordinal, url): bytes(pixels) for ordinal, url, pixels in cursor}
    return [
        replace(item, pixels=found.get((item.ordinal, item.content.picture_url))) for item in items
    ]

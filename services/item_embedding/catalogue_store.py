"""Items in Postgres.

Locks are taken in one order, so that no two writers wait for each other: first the one for new
items, then rows by item id.
"""

from collections.abc import Callable, Collection, Sequence

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from pydantic_core import to_json

from headrace.contracts.items import NewItem
from headrace.store.database import Database
from services.item_embedding.catalogue import CatalogueItem
from services.item_embedding.item_rows import COLUMNS, item_of, read_items
from services.item_embedding.recent import RecentItems

# Advisory locks of this service: any numbers that nobody else takes.
_NEW_ITEMS = 727_101
_PUBLISHING = 727_102

_LOCK_ROWS = """
SELECT FROM items WHERE item_id = ANY(%s) ORDER BY item_id FOR NO KEY UPDATE
"""

_GIVEN = sql.SQL("""
    SELECT * FROM ROWS FROM (
        json_to_recordset(%s) AS (
            item_id text, title text, description text, categories text[], tags text[],
            attributes jsonb, text_attributes jsonb, price jsonb, picture_url text,
            availability text, publish_at timestamptz, expire_at timestamptz, embedding real[]
        )
    ) WITH ORDINALITY AS row (
        item_id, title, description, categories, tags, attributes, text_attributes, price,
        picture_url, availability, publish_at, expire_at, embedding, place
    )
""")

_INSERT = sql.SQL("""
    INSERT INTO items (
        item_id, title, description, categories, tags, attributes, text_attributes, price,
        picture_url, availability, publish_at, expire_at, embedding, revision
    )
    SELECT
        item_id, title, description, categories, tags, attributes, text_attributes, price,
        picture_url, availability, publish_at, expire_at, embedding, 1
""")

# Where none of them exists, as in most of an import.
_ADD = sql.SQL("""
{insert} FROM ({given}) AS given ORDER BY place RETURNING item_id, ordinal, revision
""").format(insert=_INSERT, given=_GIVEN)

# Those that exist are told apart first: ON CONFLICT would use up an ordinal for each of them.
_WRITE = sql.SQL("""
WITH given AS MATERIALIZED ({given}), changed AS (
    UPDATE items SET
        title = given.title, description = given.description, categories = given.categories,
        tags = given.tags, attributes = given.attributes,
        text_attributes = given.text_attributes, price = given.price,
        picture_url = given.picture_url, availability = given.availability,
        publish_at = given.publish_at, expire_at = given.expire_at,
        embedding = given.embedding,
        deleted = false, revision = items.revision + 1, updated_at = now()
    FROM given
    WHERE items.item_id = given.item_id AND (
        items.deleted OR
        (
            items.title, items.description, items.categories, items.tags, items.attributes,
            items.text_attributes, items.price, items.picture_url, items.availability,
            items.publish_at, items.expire_at, items.embedding
        ) IS DISTINCT FROM (
            given.title, given.description, given.categories, given.tags, given.attributes,
            given.text_attributes, given.price, given.picture_url, given.availability,
            given.publish_at, given.expire_at, given.embedding
        )
    )
    RETURNING items.item_id, items.ordinal, items.revision, items.picture_url
), forgotten AS (
    DELETE FROM item_pictures p USING changed
    WHERE p.ordinal = changed.ordinal AND p.picture_url <> changed.picture_url
), added AS (
    {insert} FROM given
    WHERE NOT EXISTS (SELECT FROM items WHERE items.item_id = given.item_id)
    ORDER BY place
    RETURNING item_id, ordinal, revision
)
SELECT item_id, ordinal, revision FROM changed UNION ALL SELECT * FROM added
""").format(insert=_INSERT, given=_GIVEN)

_READ_NUMBERS = "SELECT item_id, ordinal, revision FROM items WHERE item_id = ANY(%s)"

_HIDE = sql.SQL("""
UPDATE items AS i SET deleted = true, revision = revision + 1, updated_at = now()
WHERE item_id = %s AND NOT deleted RETURNING {columns}
""").format(columns=COLUMNS)

VISIBLE = sql.SQL(
    "NOT i.deleted AND (i.publish_at IS NULL OR i.publish_at <= now())"
    " AND (i.expire_at IS NULL OR i.expire_at > now())"
)

_FIND = sql.SQL("""
SELECT {columns} FROM items i WHERE item_id = ANY(%s) AND {visible}
""").format(columns=COLUMNS, visible=VISIBLE)

_UNPUBLISHED = """
SELECT ordinal, revision FROM items WHERE published_revision < revision ORDER BY ordinal LIMIT %s
"""

_MARK_PUBLISHED = """
UPDATE items SET published_revision = given.revision
FROM unnest(%s::integer[], %s::bigint[]) AS given (ordinal, revision)
WHERE items.ordinal = given.ordinal AND items.published_revision < given.revision
"""


class CatalogueStore:
    """The catalogue that every process shares."""

    def __init__(self, database: Database, recent: RecentItems) -> None:
        """recent: gets what is stored."""
        self._database = database
        self._recent = recent

    def upsert(self, contents: Sequence[NewItem]) -> list[CatalogueItem]:
        item_ids = [content.item_id for content in contents]
        with self._database.transaction() as cursor:
            cursor.execute("SELECT count(*) FROM items WHERE item_id = ANY(%s)", (item_ids,))
            if _number(cursor) < len(item_ids):
                lock(cursor, _NEW_ITEMS)
            cursor.execute(_LOCK_ROWS, (item_ids,))
            cursor.execute(_WRITE if cursor.rowcount else _ADD, (to_json(contents).decode(),))
            numbers = _numbers(cursor)
            _index(cursor, [ordinal for ordinal, _ in numbers.values()])
            as_they_were = [item_id for item_id in item_ids if item_id not in numbers]
            if as_they_were:
                cursor.execute(_READ_NUMBERS, (as_they_were,))
                numbers |= _numbers(cursor)
        stored = [
            CatalogueItem(*numbers[content.item_id], deleted=False, content=content)
            for content in contents
        ]
        self._recent.remember(stored)
        return stored

    def hide(self, item_id: str) -> CatalogueItem | None:
        with self._database.transaction() as cursor:
            cursor.execute(_HIDE, (item_id,))
            row = cursor.fetchone()
            if row is None:
                return None
            hidden = item_of(row)
            _index(cursor, [hidden.ordinal])
            cursor.execute("DELETE FROM item_pictures WHERE ordinal = %s", (hidden.ordinal,))
        return hidden

    def find(self, item_ids: Sequence[str]) -> list[CatalogueItem]:
        with self._database.transaction() as cursor:
            cursor.execute(_FIND, (list(item_ids),))
            return [item_of(row) for row in cursor]

    def names(self, ordinals: Collection[int]) -> dict[int, str]:
        with self._database.transaction() as cursor:
            # bigint: an ordinal on the wire may be greater than any in the table.
            cursor.execute(
                "SELECT ordinal, item_id FROM items WHERE ordinal = ANY(%s::bigint[])",
                (list(ordinals),),
            )
            return dict(cursor.fetchall())

    def publish_changes(
        self, publish: Callable[[Sequence[CatalogueItem]], None], limit: int
    ) -> int:
        with self._database.transaction() as cursor:
            lock(cursor, _PUBLISHING)
            cursor.execute(_UNPUBLISHED, (limit,))
            items = read_items(cursor, self._recent, cursor.fetchall())
            if items:
                publish(items)
                cursor.execute(_LOCK_ROWS, ([item.content.item_id for item in items],))
                cursor.execute(
                    _MARK_PUBLISHED,
                    ([item.ordinal for item in items], [item.revision for item in items]),
                )
        return len(items)


def _index(cursor: Cursor, ordinals: Sequence[int]) -> None:
    """What is searched follows what is stored, in the same transaction."""
    if ordinals:
        cursor.execute("SELECT index_items(%s)", (list(ordinals),))


def _numbers(cursor: Cursor) -> dict[str, tuple[int, int]]:
    """Ordinals and revisions by item id, from rows of the three."""
    return {item_id: (ordinal, revision) for item_id, ordinal, revision in cursor}


def lock(cursor: Cursor, number: int) -> None:
    """Waits until no other transaction holds `number`, and holds it until this one ends."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (number,))


def _number(cursor: Cursor) -> int:
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])

"""Item vectors of one model version in Postgres. Rows are locked in the order of ordinals."""

from collections.abc import Callable, Collection, Sequence

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from headrace.store.database import Database
from services.item_embedding.catalogue import CatalogueItem, Coverage, EmbeddedItem
from services.item_embedding.catalogue_store import lock
from services.item_embedding.item_rows import COLUMNS, item_of, read_items
from services.item_embedding.picture_store import with_pixels
from services.item_embedding.recent import RecentItems

# Advisory locks: see catalogue_store.
_FILLING = 727_103
_PUBLISHING = 727_104

_CURRENT_AMONG = sql.SQL("""
SELECT v.vector, v.bias, {columns}
FROM item_vectors v JOIN items i ON i.ordinal = v.ordinal AND i.revision = v.revision
WHERE v.model_version = %s AND v.ordinal = ANY(%s::bigint[])
""").format(columns=COLUMNS)

_UNPUBLISHED = """
SELECT v.ordinal, v.revision, v.vector, v.bias
FROM item_vectors v JOIN items i ON i.ordinal = v.ordinal AND i.revision = v.revision
WHERE v.model_version = %s AND NOT v.published ORDER BY v.ordinal LIMIT %s
"""

_LACKING = """
SELECT i.ordinal, i.revision
FROM items i LEFT JOIN item_vectors v ON v.model_version = %s AND v.ordinal = i.ordinal
WHERE v.revision IS DISTINCT FROM i.revision
"""
# Named on both sides: while statistics are of a smaller table, as in an import, the planner reads
# every vector of the model otherwise.
_LACKING_AMONG = """
SELECT i.ordinal, i.revision
FROM items i LEFT JOIN item_vectors v
    ON v.model_version = %s AND v.ordinal = i.ordinal AND v.ordinal = ANY(%s::bigint[])
WHERE v.revision IS DISTINCT FROM i.revision AND i.ordinal = ANY(%s::bigint[])
"""
_LACKING_SETTLED = (
    _LACKING + "AND i.updated_at <= now() - %s * interval '1 second' ORDER BY i.ordinal LIMIT %s"
)

_COVERAGE = """
SELECT count(*) FILTER (WHERE NOT i.deleted),
       count(*) FILTER (WHERE v.revision IS DISTINCT FROM i.revision)
FROM items i LEFT JOIN item_vectors v ON v.model_version = %s AND v.ordinal = i.ordinal
"""

_SAVE = """
INSERT INTO item_vectors AS stored (model_version, published, ordinal, revision, vector, bias)
SELECT %s, %s, given.* FROM
    unnest(%s::integer[], %s::bigint[], %s::bytea[], %s::real[])
    AS given (ordinal, revision, vector, bias)
ORDER BY given.ordinal
ON CONFLICT (model_version, ordinal) DO UPDATE SET
    revision = excluded.revision, vector = excluded.vector, bias = excluded.bias,
    published = excluded.published
WHERE stored.revision < excluded.revision
    OR stored.revision = excluded.revision AND excluded.published AND NOT stored.published
"""

_STILL = """
SELECT i.ordinal FROM items i
JOIN unnest(%s::integer[], %s::bigint[]) AS given (ordinal, revision) USING (ordinal, revision)
"""

_LOCK_ROWS = """
SELECT FROM item_vectors WHERE model_version = %s AND ordinal = ANY(%s)
ORDER BY ordinal FOR NO KEY UPDATE
"""

_MARK_PUBLISHED = """
UPDATE item_vectors v SET published = true
FROM unnest(%s::integer[], %s::bigint[]) AS given (ordinal, revision)
WHERE v.model_version = %s AND v.ordinal = given.ordinal AND v.revision = given.revision
"""


class VectorStore:
    """The vectors that every process with this model version shares."""

    def __init__(
        self, database: Database, model_version: str, recent: RecentItems, *, looks: bool = False
    ) -> None:
        """looks: whether vectors are made of pictures too."""
        self._looks = looks
        self._database = database
        self._model_version = model_version
        self._recent = recent

    def current(self, ordinals: Collection[int]) -> list[EmbeddedItem]:
        with self._database.transaction() as cursor:
            cursor.execute(_CURRENT_AMONG, (self._model_version, list(ordinals)))
            return _embedded(cursor)

    def lacking(self, ordinals: Collection[int]) -> list[CatalogueItem]:
        with self._database.transaction() as cursor:
            among = list(ordinals)
            cursor.execute(_LACKING_AMONG, (self._model_version, among, among))
            return self._to_embed(cursor)

    def save(self, embedded: Sequence[EmbeddedItem]) -> None:
        with self._database.transaction() as cursor:
            self._save(cursor, embedded, published=False)

    def publish_new(
        self,
        embedded: Sequence[EmbeddedItem],
        publish: Callable[[Sequence[EmbeddedItem]], None],
    ) -> None:
        with self._database.transaction() as cursor:
            lock(cursor, _PUBLISHING)
            # Under the lock: whoever publishes a later revision waits, or has come before.
            cursor.execute(_STILL, _numbers(embedded))
            still = {ordinal for (ordinal,) in cursor}
            current = [one for one in embedded if one.item.ordinal in still]
            if current:
                publish(current)
                self._save(cursor, current, published=True)

    def fill(
        self,
        embed: Callable[[Sequence[CatalogueItem]], Sequence[EmbeddedItem]],
        limit: int,
        settled_s: float,
    ) -> int:
        with self._database.transaction() as cursor:
            lock(cursor, _FILLING)
            cursor.execute(_LACKING_SETTLED, (self._model_version, settled_s, limit))
            items = self._to_embed(cursor)
            if items:
                self._save(cursor, embed(items), published=False)
        return len(items)

    def publish(self, publish: Callable[[Sequence[EmbeddedItem]], None], limit: int) -> int:
        with self._database.transaction() as cursor:
            lock(cursor, _PUBLISHING)
            cursor.execute(_UNPUBLISHED, (self._model_version, limit))
            rows = cursor.fetchall()
            items = read_items(cursor, self._recent, [row[:2] for row in rows])
            embedded = [
                EmbeddedItem(item, bytes(vector), bias)
                for item, (_, revision, vector, bias) in zip(items, rows, strict=True)
                if item.revision == revision  # else it changed just now, and gets another vector
            ]
            if embedded:
                publish(embedded)
                ordinals, revisions = _numbers(embedded)
                cursor.execute(_LOCK_ROWS, (self._model_version, ordinals))
                cursor.execute(_MARK_PUBLISHED, (ordinals, revisions, self._model_version))
        return len(rows)

    def count(self) -> Coverage:
        with self._database.transaction() as cursor:
            cursor.execute(_COVERAGE, (self._model_version,))
            row = cursor.fetchone()
            assert row is not None
        return Coverage(shown=row[0], lacking=row[1])

    def _to_embed(self, cursor: Cursor) -> list[CatalogueItem]:
        """The items of rows of `_LACKING`."""
        items = read_items(cursor, self._recent, cursor.fetchall())
        return with_pixels(cursor, items) if self._looks and items else items

    def _save(self, cursor: Cursor, embedded: Sequence[EmbeddedItem], *, published: bool) -> None:
        cursor.execute(
            _SAVE,
            (
                self._model_version,
                published,
                *_numbers(embedded),
                [one.vector for one in embedded],
                [one.bias for one in embedded],
            ),
        )


def _numbers(embedded: Sequence[EmbeddedItem]) -> tuple[list[int], list[int]]:
    """Ordinals and revisions."""
    return [one.item.ordinal for one in embedded], [one.item.revision for one in embedded]


def _embedded(cursor: Cursor) -> list[EmbeddedItem]:
    """Rows of `_CURRENT_AMONG`."""
    return [EmbeddedItem(item_of(row[2:]), bytes(row[0]), row[1]) for row in cursor]

"""The project's own Postgres: what people did and the catalogue, as of one moment.

Who does not want personal lists is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psycopg2
import pyarrow as pa
from psycopg2.extensions import connection as Connection  # noqa: N812

from headrace.errors import DataInvalid
from headrace.store.database import connect, unavailable_when_away
from headrace.training.preparation.kinds import KIND_NAMES, KINDS
from headrace.training.preparation.output import PICTURE
from headrace.training.preparation.source import CHUNK, Chunk

# Type 9, what somebody does not want to see, is a rule for lists and says nothing of taste.
TAUGHT_BY = """
FROM standing_interactions i JOIN items t ON t.ordinal = i.item_ordinal
WHERE NOT EXISTS (SELECT FROM personalisation p WHERE p.user_id = i.user_id AND NOT p.enabled)
  AND i.type <> 9
"""
"""The events that models learn from: `i`, and their items `t`."""
_INTERACTIONS = f"""
SELECT i.user_id, t.item_id, i.type, i.value, extract(epoch FROM i.occurred_at)::float8, i.n
{TAUGHT_BY}
ORDER BY i.user_id, i.n
"""  # noqa: S608
# Each with a picture of 3 kB.
_ITEMS_CHUNK = 16_384
_ITEMS = """
SELECT i.item_id, i.title, i.description, i.categories, i.tags, i.attributes, i.embedding, p.pixels
FROM items i LEFT JOIN item_pictures p
    ON p.ordinal = i.ordinal AND p.picture_url = i.picture_url
ORDER BY i.ordinal
"""


@contextmanager
def postgres_sources(dsn: str) -> Iterator[tuple[InteractionsTable, ItemsTable]]:
    """Both tables in one snapshot.

    Raises:
        DataInvalid: `dsn` cannot be understood, or the database is not Headrace's.
        Unavailable: Postgres is away.
    """
    try:
        connection = connect(dsn)
    except psycopg2.ProgrammingError:  # its message repeats the password
        raise DataInvalid(
            "the database's URL cannot be understood; it looks like "
            "postgresql://user:password@host:5432/database"
        ) from None
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        yield InteractionsTable(connection), ItemsTable(connection)
    except psycopg2.ProgrammingError as error:
        raise DataInvalid(f"the database is not Headrace's: {str(error).strip()}") from error
    finally:
        connection.close()


class InteractionsTable:
    """Table `interactions`; rows are counted by person and number."""

    name = "table interactions"
    place = "row"
    folder = None
    columns = ("user_id", "item_id", "event_type", "rating", "timestamp", "position")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def chunks(self) -> Iterator[Chunk]:
        for first, rows in _rows(self._connection, "prepare_interactions", _INTERACTIONS):
            users, items, types, values, times, numbers = zip(*rows, strict=True)
            rated = (
                value if kind == KINDS["rating"] else None
                for kind, value in zip(types, values, strict=True)
            )
            columns = {
                "user_id": pa.array(users, pa.string()),
                "item_id": pa.array(items, pa.string()),
                "event_type": pa.array([KIND_NAMES.get(kind, str(kind)) for kind in types]),
                "rating": pa.array(rated, pa.float64()),
                "timestamp": pa.array(times, pa.float64()),
                "position": pa.array(numbers, pa.int64()),
            }
            yield _chunk(columns, first, len(rows))

    def share_read(self) -> None:
        """Counting would be a pass of its own."""


class ItemsTable:
    """Table `items`; deleted ones too, for histories need them."""

    name = "table items"
    place = "row"
    folder = None
    columns = (
        "item_id",
        "title",
        "description",
        "categories",
        "tags",
        "attributes",
        "embedding",
        PICTURE,
    )

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def chunks(self) -> Iterator[Chunk]:
        strings, lists = pa.string(), pa.list_(pa.string())
        numbers, vectors = pa.map_(strings, pa.float64()), pa.list_(pa.float32())
        types = (strings, strings, strings, lists, lists, numbers, vectors, pa.binary())
        for first, rows in _rows(self._connection, "prepare_items", _ITEMS, _ITEMS_CHUNK):
            plain = [
                (*row[:5], list(row[5].items()), row[6] or None, row[7] and bytes(row[7]))
                for row in rows
            ]
            cells = zip(*plain, strict=True)
            arrays = (pa.array(column, kind) for column, kind in zip(cells, types, strict=True))
            yield _chunk(dict(zip(self.columns, arrays, strict=True)), first, len(rows))

    def share_read(self) -> None:
        """As for interactions."""


def _rows(
    connection: Connection, name: str, query: str, chunk: int = CHUNK
) -> Iterator[tuple[int, list[Any]]]:
    """The number of the first row, and rows; a cursor of the server keeps the rest there."""
    first = 1
    with unavailable_when_away(), connection.cursor(name) as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(chunk):
            yield first, rows
            first += len(rows)


def _chunk(columns: dict[str, Any], first: int, rows: int) -> Chunk:
    lines = np.arange(first, first + rows, dtype=np.int64)
    return Chunk(columns, lines, np.zeros(0, dtype=np.int64))

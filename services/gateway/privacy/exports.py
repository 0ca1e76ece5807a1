"""Everything that is stored of a person, as one JSON document."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import Any

import numpy as np
import orjson
from psycopg2.extensions import cursor as Cursor  # noqa: N812
from pyroaring import BitMap

from headrace.contracts.events import EventType
from headrace.runtime.kafka_scan import Scanned
from headrace.runtime.people_in_records import PeopleFilter
from headrace.store.database import Database
from services.gateway.privacy.tables import TABLES, Table

PIECE_BYTES = 64 * 1024
_IN_MEMORY_BYTES = 1024 * 1024
_ROWS = 1_000
# Each holds a connection to Postgres and reads Kafka from its beginning.
_AT_ONCE = 2

FindRecords = Callable[[PeopleFilter], Sequence[Scanned]]
"""Looks for records in Kafka. Raises: Unavailable."""


class Exports:
    """Writes documents. find_records: see `FindRecords`."""

    def __init__(self, database: Database, find_records: FindRecords) -> None:
        self._database = database
        self._find_records = find_records
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def of(self, user_id: str) -> AsyncIterator[bytes]:
        """The document in pieces. It is complete, outside memory, before the first one.

        Raises: Unavailable while Postgres or Kafka is away.
        """
        file = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 - outlives this call
        try:
            async with self._room:
                await asyncio.to_thread(self._write, user_id, file)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return _pieces(file)

    def _write(self, user_id: str, file: Any) -> None:
        with self._database.transaction() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            visits = visits_of(cursor, user_id)
            people = [user_id, *visits]
            head = {"user_id": user_id, "exported_at": datetime.now(UTC), "visits": visits}
            file.write(_json(head)[:-1] + b',"postgres":{')
            for place, table in enumerate(TABLES):
                file.write((b"," if place else b"") + _json(table.name) + b":[")
                for number, row in enumerate(_rows(cursor, table, people)):
                    file.write((b"," if number else b"") + _json(row))
                file.write(b"]")
        mine = PeopleFilter(people)
        records = {one.topic: _told(one, mine) for one in self._find_records(mine)}
        file.write(b'},"kafka":' + _json(records) + b"}")


def visits_of(cursor: Cursor, user_id: str) -> list[str]:
    """The visits that became the person's."""
    cursor.execute(
        "SELECT visitor_id FROM claimed_visits WHERE user_id = %s ORDER BY visitor_id", (user_id,)
    )
    return [visitor_id for (visitor_id,) in cursor.fetchall()]


async def _pieces(file: Any) -> AsyncIterator[bytes]:
    try:
        while piece := await asyncio.to_thread(file.read, PIECE_BYTES):
            yield piece
    finally:
        file.close()


def _rows(cursor: Cursor, table: Table, people: Sequence[str]) -> Iterator[dict[str, Any]]:
    with cursor.connection.cursor(name=f"export_{table.name}") as rows:
        rows.itersize = _ROWS
        # The parts are constants of this package.
        query = f"SELECT {table.shown} FROM {table.name} WHERE {table.whose}"  # noqa: S608
        rows.execute(query, {"people": list(people)})
        for values in rows:
            names = [column.name for column in rows.description or ()]
            yield _readable(cursor, dict(zip(names, values, strict=True)))


def _readable(cursor: Cursor, row: dict[str, Any]) -> dict[str, Any]:
    """Numbers for what is stored packed, names for numbers."""
    for name in ("state", "vector"):
        if name in row:
            row[name] = np.frombuffer(bytes(row[name]), dtype="<f4").tolist()
    for name in ("seen", "unwanted"):
        if name in row:
            row[f"{name}_items"] = _items(cursor, bytes(row.pop(name)))
    if "type" in row:
        row["type"] = _type_name(row["type"])
    return row


def _items(cursor: Cursor, bitmap: bytes) -> list[str]:
    """The ids of the ordinals in a serialised bitmap; empty: none."""
    ordinals = list(BitMap.deserialize(bitmap)) if bitmap else []
    cursor.execute("SELECT item_id FROM items WHERE ordinal = ANY(%s)", (ordinals,))
    return sorted(item_id for (item_id,) in cursor.fetchall())


def _type_name(number: int) -> str:
    """Its number where a later version stored it."""
    return EventType(number).name.lower() if number in set(EventType) else str(number)


def _told(scanned: Scanned, mine: PeopleFilter) -> dict[str, Any]:
    return {
        "complete": scanned.complete,
        "records": [
            {
                "partition": record.partition,
                "offset": record.offset,
                "written_at": datetime.fromtimestamp(record.timestamp_ms / 1_000, UTC),
                "says": mine.told(record),
            }
            for record in scanned.found
        ],
    }


_json = partial(
    orjson.dumps,
    default=lambda value: base64.b64encode(bytes(value)).decode(),
    option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS,
)

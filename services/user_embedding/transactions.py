"""Transactions that tell a record at fault from a database that cannot serve anyone."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from headrace.errors import Unavailable
from headrace.store.database import Database


@contextmanager
def transaction(database: Database) -> Iterator[Cursor]:
    """Committed at the end, rolled back on any error.

    Raises: Unavailable where Postgres is away, lacks the schema or only reads. Those would
    otherwise look like records that cannot be used, and all of them would be dead-lettered.
    """
    try:
        with database.transaction() as cursor:
            yield cursor
    except (psycopg2.InternalError, psycopg2.ProgrammingError) as error:
        raise Unavailable(f"Postgres refused a statement: {str(error).strip()}") from error

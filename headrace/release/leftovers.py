"""What a model leaves behind when it is given up: rows in Postgres, topics in Kafka."""

from collections.abc import Iterator

from psycopg2 import sql

from headrace.store.database import Database

# So many rows at once, so that nobody waits for a lock for long.
_ROWS = 10_000
_TABLES = {"user_states": "user_id", "item_vectors": "ordinal"}

_GIVEN_UP = """
    SELECT DISTINCT model_version FROM model_releases
    EXCEPT
    SELECT model_version FROM model_releases WHERE stage NOT IN ('retired', 'stopped')
    EXCEPT
    SELECT model_version FROM model_processes WHERE seen_at > now() - interval '1 minute'
"""
_DELETE = sql.SQL("""
DELETE FROM {table} WHERE model_version = %(model)s AND {key} IN
    (SELECT {key} FROM {table} WHERE model_version = %(model)s LIMIT %(rows)s)
""")


def given_up(database: Database) -> list[str]:
    """Versions that were released once, are not any more, and that no process runs."""
    with database.transaction() as cursor:
        cursor.execute(_GIVEN_UP)
        return sorted(version for (version,) in cursor)


def delete_rows(database: Database, model_version: str) -> Iterator[tuple[str, int]]:
    """Deletes states and vectors. Yields: tables, and how many rows of each were there."""
    for table, key in _TABLES.items():
        statement = _DELETE.format(table=sql.Identifier(table), key=sql.Identifier(key))
        deleted, more = 0, _ROWS
        while more == _ROWS:
            with database.transaction() as cursor:
                cursor.execute(statement, {"model": model_version, "rows": _ROWS})
                more = cursor.rowcount
            deleted += more
        yield table, deleted

"""Brings a database to the present schema: the files in `schema/`, in order, each once."""

from importlib.resources import files
from importlib.resources.abc import Traversable

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from headrace.errors import FailedPrecondition
from headrace.store.database import connect, unavailable_when_away

# Any number that nobody else takes: one migration at a time per database.
_ADVISORY_LOCK = 727_001
SCHEMA: Traversable = files("headrace.store") / "schema"


def migrate(dsn: str, schema: Traversable = SCHEMA, lock_s: float = 3.0) -> list[str]:
    """Applies what is missing, each file in a transaction of its own.

    Several processes may call it at once: the others wait and then find nothing to do.

    lock_s: how long a file may wait for a table that others use. Who comes after it waits as long,
        lists among them.
    Returns: names of the files applied now.
    Raises: Unavailable where Postgres does not answer, or a table was in use for too long;
        FailedPrecondition where a file cannot be applied. Nothing of that file is there then, and
        what runs goes on as before.
    """
    applied: list[str] = []
    connection = connect(dsn)
    try:
        with unavailable_when_away(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (_ADVISORY_LOCK,))
            cursor.execute(
                "CREATE TABLE IF NOT EXISTS schema_migrations ("
                " name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
            )
            cursor.execute("SELECT name FROM schema_migrations")
            known = {name for (name,) in cursor.fetchall()}
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", (f"{lock_s}s",))
            connection.commit()
            for path in sorted(schema.iterdir(), key=lambda path: path.name):
                if path.name in known or not path.name.endswith(".sql"):
                    continue
                _apply(cursor, path)
                connection.commit()
                applied.append(path.name)
    finally:
        connection.close()  # also releases the lock
    return applied


def _apply(cursor: Cursor, path: Traversable) -> None:
    """Raises: FailedPrecondition, and OperationalError as psycopg2 does."""
    try:
        cursor.execute(path.read_text(encoding="utf-8"))
    except psycopg2.OperationalError:
        raise
    except psycopg2.Error as error:
        raise FailedPrecondition(
            f"migration {path.name} cannot be applied: {str(error).strip()}. Nothing of it is "
            "there, and what runs goes on with the schema before it"
        ) from error
    cursor.execute("INSERT INTO schema_migrations (name) VALUES (%s)", (path.name,))

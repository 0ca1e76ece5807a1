"""Brings a database to the present schema: the files in `schema/`, in order, each once."""

from importlib.resources import files

from headrace.store.database import connect, unavailable_when_away

# Any number that nobody else takes: one migration at a time per database.
_ADVISORY_LOCK = 727_001


def migrate(dsn: str) -> list[str]:
    """Applies what is missing, each file in a transaction of its own.

    Several processes may call it at once: the others wait and then find nothing to do.

    Returns: names of the files applied now.
    Raises: Unavailable where Postgres does not answer.
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
            connection.commit()
            folder = files("headrace.store") / "schema"
            for path in sorted(folder.iterdir(), key=lambda path: path.name):
                if path.name in known or not path.name.endswith(".sql"):
                    continue
                cursor.execute(path.read_text(encoding="utf-8"))
                cursor.execute("INSERT INTO schema_migrations (name) VALUES (%s)", (path.name,))
                connection.commit()
                applied.append(path.name)
    finally:
        connection.close()  # also releases the lock
    return applied

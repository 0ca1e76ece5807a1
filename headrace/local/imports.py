"""Which imports a database has had. They are marked there, so that each is done once."""

import psycopg2

CATALOGUE = "demo-catalogue"
HISTORY = "demo-history"


def is_finished(dsn: str, name: str) -> bool:
    """Whether import `name` was finished in this database."""
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM imports WHERE name = %s", (name,))
            return cursor.fetchone() is not None
    finally:
        connection.close()


def mark_finished(dsn: str, name: str) -> None:
    """Remember that import `name` is finished."""
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("INSERT INTO imports (name) VALUES (%s) ON CONFLICT DO NOTHING", (name,))
    finally:
        connection.close()

"""Sessions that ended before their tokens expired, in Postgres."""

from datetime import datetime

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from headrace.store.database import Database


def end_sessions(cursor: Cursor, sessions: list[str], seconds: int) -> None:
    """Ends sessions whose last tokens live at most so long; one that has ended stays so."""
    cursor.execute(
        "INSERT INTO ended_sessions (session, until)"
        " SELECT s, now() + make_interval(secs => %s) FROM unnest(%s::text[]) AS s"
        " ON CONFLICT DO NOTHING",
        (seconds, sessions),
    )


class SessionStore:
    """Every method raises Unavailable while Postgres is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ended_since(self, mark: datetime | None) -> tuple[list[tuple[str, float]], datetime]:
        """Sessions ended since `mark` and some before, with the Unix time until which it matters.

        mark: what the last call returned; None: all that matter now.
        """
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT session, extract(epoch FROM until)::float8 FROM ended_sessions"
                " WHERE until > now()"
                # One that was ended earlier may be committed later: look back a minute.
                " AND (%(mark)s::timestamptz IS NULL"
                " OR ended_at >= %(mark)s::timestamptz - interval '60 seconds')",
                {"mark": mark},
            )
            ended = cursor.fetchall()
            cursor.execute("SELECT now()")
            row = cursor.fetchone()
        assert row is not None
        return ended, row[0]

    def forget(self) -> None:
        """Takes away what does not matter any more."""
        with self._database.transaction() as cursor:
            cursor.execute("DELETE FROM ended_sessions WHERE until < now() - interval '1 hour'")

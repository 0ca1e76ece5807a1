"""What people said about personal lists, in Postgres."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from headrace.store.database import Database


@dataclass(frozen=True, slots=True)
class Choice:
    """changed_at: None where the person never said anything."""

    user_id: str
    enabled: bool
    changed_at: datetime | None


class ChoiceStore:
    """Every method raises Unavailable while Postgres is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, user_id: str) -> Choice:
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT user_id, enabled, changed_at FROM personalisation WHERE user_id = %s",
                (user_id,),
            )
            row = cursor.fetchone()
        return Choice(user_id, True, None) if row is None else Choice(*row)

    def put(self, user_id: str, enabled: bool) -> Choice:
        """The same once more changes nothing."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "INSERT INTO personalisation AS said (user_id, enabled) VALUES (%s, %s)"
                " ON CONFLICT (user_id) DO UPDATE SET enabled = excluded.enabled,"
                " changed_at = CASE WHEN said.enabled = excluded.enabled"
                " THEN said.changed_at ELSE now() END"
                " RETURNING user_id, enabled, changed_at",
                (user_id, enabled),
            )
            row = cursor.fetchone()
        assert row is not None
        return Choice(*row)

    def unwilling(self, people: Collection[str]) -> set[str]:
        """Those of these people who said no."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT user_id FROM personalisation WHERE user_id = ANY(%s) AND NOT enabled",
                (list(people),),
            )
            return {user_id for (user_id,) in cursor.fetchall()}

    def changed_since(self, mark: datetime | None) -> tuple[list[tuple[str, bool]], datetime]:
        """What was said since `mark` and some before: the person, and whether they want it.

        mark: what the last call returned; None: everybody who does not want it.
        """
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT user_id, enabled FROM personalisation"
                " WHERE CASE WHEN %(mark)s::timestamptz IS NULL THEN NOT enabled"
                # What was said earlier may be committed later: look back a minute.
                " ELSE changed_at >= %(mark)s::timestamptz - interval '60 seconds' END",
                {"mark": mark},
            )
            changed = cursor.fetchall()
            cursor.execute("SELECT now()")
            row = cursor.fetchone()
        assert row is not None
        return changed, row[0]

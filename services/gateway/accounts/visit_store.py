"""Visits that became people's, in Postgres."""

from dataclasses import dataclass
from datetime import datetime

from headrace.errors import Unauthenticated
from headrace.store.database import Database
from services.gateway.accounts.session_store import end_sessions
from services.gateway.tokens import VISIT_S

# Events stay in Kafka for seven days: so late one of a visit may still get into the log.
_LATEST = "8 days"


@dataclass(frozen=True, slots=True)
class VisitEvent:
    """An entry of a visitor's log, `n`-th of it, and whose it is to become. It has an item or a
    category; the other is empty."""

    visitor_id: str
    n: int
    user_id: str
    event_id: str
    item_id: str
    category: str
    type: int
    value: float | None
    occurred_at: datetime


class VisitStore:
    """Every method raises Unavailable while Postgres is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, visitor_id: str, user_id: str) -> bool:
        """Makes a visit this person's, and ends it. False: it is somebody else's.

        Raises: Unauthenticated where the person was erased at this moment.
        """
        with self._database.transaction() as cursor:
            # An erasure that is under way is waited for here.
            cursor.execute("SELECT FROM accounts WHERE user_id = %s FOR KEY SHARE", (user_id,))
            if cursor.rowcount == 0:
                raise Unauthenticated("this account was erased just now")
            cursor.execute(
                "INSERT INTO claimed_visits (visitor_id, user_id) VALUES (%s, %s)"
                " ON CONFLICT (visitor_id) DO NOTHING",
                (visitor_id, user_id),
            )
            cursor.execute(
                "SELECT user_id FROM claimed_visits WHERE visitor_id = %s", (visitor_id,)
            )
            row = cursor.fetchone()
            end_sessions(cursor, [visitor_id], VISIT_S)
        return row is not None and bool(row[0] == user_id)

    def is_over(self, visitor_id: str) -> bool:
        """Whether it was claimed, or ended by an erasure."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT FROM claimed_visits WHERE visitor_id = %(id)s"
                " UNION ALL SELECT FROM ended_sessions WHERE session = %(id)s",
                {"id": visitor_id},
            )
            return cursor.rowcount > 0

    def unmerged(self, limit: int) -> list[VisitEvent]:
        """Entries that their person's log has not got yet, each visit's in order."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT v.visitor_id, i.n, v.user_id, i.event_id, coalesce(items.item_id, ''),"
                " i.category, i.type, i.value, i.occurred_at"
                " FROM claimed_visits v"
                " JOIN user_counters c ON c.user_id = v.visitor_id AND c.n > v.merged_n"
                " JOIN standing_interactions i ON i.user_id = v.visitor_id AND i.n > v.merged_n"
                " LEFT JOIN items ON items.ordinal = i.item_ordinal"
                " WHERE v.claimed_at > now() - %s::interval"
                " ORDER BY v.claimed_at, v.visitor_id, i.n LIMIT %s",
                (_LATEST, limit),
            )
            return [VisitEvent(*row) for row in cursor.fetchall()]

    def merged(self, reached: dict[str, int]) -> None:
        """Notes up to which entry each visit was merged."""
        with self._database.transaction() as cursor:
            cursor.execute(
                "UPDATE claimed_visits AS v SET merged_n = greatest(merged_n, r.n)"
                " FROM unnest(%s::text[], %s::bigint[]) AS r (visitor_id, n)"
                " WHERE v.visitor_id = r.visitor_id",
                (list(reached.keys()), list(reached.values())),
            )

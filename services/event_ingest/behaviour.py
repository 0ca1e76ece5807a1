"""Brings the counts of behaviour up to date: the materialised views of `0011_behaviour.sql`."""

import logging
import threading
from datetime import datetime

from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from headrace.store.database import Database
from services.event_ingest import metrics

log = logging.getLogger(__name__)

VIEWS = (
    "behaviour_funnel",
    "behaviour_item_trends",
    "behaviour_category_trends",
    "behaviour_item_days",
    "behaviour_category_days",
    "behaviour_retention",
    "behaviour_sales",
    "behaviour_segments",
    "age_band_categories",
)
"""In the order in which they are made of each other."""

# Any number that nobody else takes: one refresh at a time per database.
_ADVISORY_LOCK = 727_002


class BehaviourRefresh:
    """One round: refreshes where it is due and no replica is at it.

    database: of its own, so that it takes no connection from those who ingest.
    period_s: between two refreshes, over all replicas.
    busy_share: of the time that they may take. A large log is counted less often.
    """

    def __init__(self, database: Database, period_s: float, busy_share: float = 0.05) -> None:
        self._database = database
        self._period_s = period_s
        self._rest = 1 / busy_share - 1
        self._lock = threading.Lock()
        self._busy: Connection | None = None
        self._stopped = False

    def round(self) -> None:
        """All views change at once, at the commit. Raises: Unavailable; then none has changed."""
        with self._database.transaction() as cursor:
            with self._lock:
                if self._stopped:
                    return
                self._busy = cursor.connection
            try:
                self._refresh(cursor)
            finally:
                with self._lock:
                    self._busy = None

    def cancel(self) -> None:
        """Ends the round under way without effect, and lets none begin: for the process's end."""
        with self._lock:
            self._stopped = True
            if self._busy is not None:
                self._busy.cancel()

    def _refresh(self, cursor: Cursor) -> None:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (_ADVISORY_LOCK,))
        if cursor.fetchone() != (True,):
            return
        if not self._due(cursor):
            return
        # One core of Postgres at most: the others are for those who ingest. Sorts of some
        # 100,000 rows stay in memory.
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL work_mem = '64MB'")
        cursor.execute(
            "SELECT view FROM unnest(%s::text[]) AS view"
            " JOIN pg_class ON oid = view::regclass WHERE relispopulated",
            (list(VIEWS),),
        )
        populated = {name for (name,) in cursor.fetchall()}
        for view in VIEWS:
            # Readers go on with the old rows; the first time there are none.
            how = "CONCURRENTLY " if view in populated else ""
            cursor.execute(f"REFRESH MATERIALIZED VIEW {how}{view}")
        cursor.execute(
            "INSERT INTO behaviour_refreshes (as_of, seconds)"
            " VALUES (now(), extract(epoch FROM clock_timestamp() - now()))"
            " ON CONFLICT (last) DO UPDATE SET as_of = excluded.as_of, seconds = excluded.seconds"
            " RETURNING as_of, seconds"
        )
        row = cursor.fetchone()
        assert row is not None
        as_of, seconds = row
        _show(as_of, seconds)
        log.info("behaviour counted", extra={"seconds": round(seconds, 3)})

    def _due(self, cursor: Cursor) -> bool:
        cursor.execute(
            "SELECT as_of, seconds, extract(epoch FROM now() - as_of) FROM behaviour_refreshes"
        )
        row = cursor.fetchone()
        if row is None:
            return True
        as_of, seconds, age_s = row
        _show(as_of, seconds)
        return bool(age_s >= max(self._period_s, self._rest * seconds))


def _show(as_of: datetime, seconds: float) -> None:
    metrics.BEHAVIOUR_AS_OF.set(as_of.timestamp())
    metrics.BEHAVIOUR_SECONDS.set(seconds)

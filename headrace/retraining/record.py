"""Runs of retraining in Postgres: what `headrace release status` and gateways tell of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from headrace.errors import FailedPrecondition
from headrace.store.database import Database, connect, unavailable_when_away

Outcome = Literal["running", "idle", "proposed", "not_better", "failed"]

# Any number that nobody else takes: one retraining at a time per database.
_ADVISORY_LOCK = 727_024
_COLUMNS = (
    "training_id, started_at, finished_at, outcome, reason, live_version, candidate_version,"
    " report_url"
)
_CUT_OFF = """
    UPDATE model_trainings SET outcome = 'failed', finished_at = now(), reason = 'it was cut off'
    WHERE outcome = 'running'
"""
_START = "INSERT INTO model_trainings DEFAULT VALUES RETURNING training_id"
_FINISH = """
    UPDATE model_trainings SET finished_at = now(), outcome = %s, reason = %s, live_version = %s,
        candidate_version = %s, report_url = %s
    WHERE training_id = %s
"""
_NEWEST = f"""
    SELECT {_COLUMNS} FROM model_trainings WHERE training_id IN (
        (SELECT max(training_id) FROM model_trainings),
        (SELECT max(training_id) FROM model_trainings WHERE outcome <> 'idle')
    ) ORDER BY training_id DESC
"""  # noqa: S608

_TALLIES = """
    SELECT outcome, count(*), extract(epoch FROM max(coalesce(finished_at, started_at)))::float8
    FROM model_trainings GROUP BY outcome
"""


@dataclass(frozen=True)
class Training:
    """A run. Versions and `report_url` are empty where it did not come so far."""

    training_id: int
    started_at: datetime
    finished_at: datetime | None
    outcome: Outcome
    reason: str
    live_version: str
    candidate_version: str
    report_url: str

    def line(self) -> str:
        """For people."""
        about = f" {self.candidate_version}" if self.candidate_version else ""
        why = f": {self.reason}" if self.reason else ""
        report = f"; {self.report_url}" if self.report_url else ""
        outcome = self.outcome.replace("_", " ")
        return f"{self.started_at:%Y-%m-%d %H:%M}  training{about} {outcome}{why}{report}"


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    outcome: Outcome
    reason: str
    live_version: str = ""
    candidate_version: str = ""
    report_url: str = ""


class Tally(NamedTuple):
    """Runs with one outcome. newest_s: when the newest ended, or began; Unix time."""

    runs: int
    newest_s: float


class Trainings:
    """Every method raises Unavailable while Postgres is away or lacks the schema."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self) -> int:
        """The new run's id. Only for who is `alone`: others that run are taken for cut off."""
        with self._database.transaction() as cursor:
            cursor.execute(_CUT_OFF)
            cursor.execute(_START)
            row = cursor.fetchone()
            assert row is not None
            return int(row[0])

    def finish(self, training_id: int, ended: Ended) -> None:
        with self._database.transaction() as cursor:
            cursor.execute(
                _FINISH,
                (
                    ended.outcome,
                    ended.reason,
                    ended.live_version,
                    ended.candidate_version,
                    ended.report_url,
                    training_id,
                ),
            )

    def newest(self) -> list[Training]:
        """The newest one, and before it the newest that found something to do."""
        with self._database.transaction() as cursor:
            cursor.execute(_NEWEST)
            return [Training(*row) for row in cursor]

    def tallies(self) -> dict[Outcome, Tally]:
        """Of each outcome that there was."""
        with self._database.transaction() as cursor:
            cursor.execute(_TALLIES)
            return {outcome: Tally(runs, newest_s) for outcome, runs, newest_s in cursor}


@contextmanager
def alone(dsn: str) -> Iterator[None]:
    """While the block runs, nobody else retrains on this database.

    Raises: FailedPrecondition where somebody does; Unavailable.
    """
    connection = connect(dsn)
    try:
        connection.autocommit = True  # an open transaction of hours would keep dead rows alive
        with unavailable_when_away(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (_ADVISORY_LOCK,))
            row = cursor.fetchone()
        if row is None or not row[0]:
            raise FailedPrecondition("another `headrace retrain` runs on this database")
        yield
    finally:
        connection.close()  # also releases the lock

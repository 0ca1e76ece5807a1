"""The registry of releases in Postgres. Each change is one transaction; changes do not overlap."""

import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import cursor as Cursor  # noqa: N812

from headrace.errors import FailedPrecondition
from headrace.release.examination import Examined
from headrace.release.stages import (
    FIRST_SLOT,
    Active,
    Release,
    Slot,
    Stage,
    to_move,
    to_propose,
    to_retire,
    to_roll_back,
)
from headrace.store.database import Database

_COLUMNS = (
    "release_id, model_version, bundle_url, manifest_sha256, slot, stage, share, salt, reason,"
    " created_at, stage_since"
)
_ACTIVE = f"SELECT {_COLUMNS} FROM model_releases WHERE stage NOT IN ('retired', 'stopped')"  # noqa: S608
_ALL = f"SELECT {_COLUMNS} FROM model_releases ORDER BY release_id DESC LIMIT %s"  # noqa: S608
_INSERT = f"""
    INSERT INTO model_releases (model_version, bundle_url, manifest_sha256, slot, stage, salt)
    VALUES (%s, %s, %s, %s, %s, %s) RETURNING {_COLUMNS}
"""  # noqa: S608
_MOVE = f"""
    UPDATE model_releases SET stage = %s, share = %s, reason = %s, stage_since = now()
    WHERE release_id = %s RETURNING {_COLUMNS}
"""  # noqa: S608

_STEP = """
    INSERT INTO model_release_steps (release_id, at, stage, share)
    SELECT release_id, stage_since, stage, share FROM model_releases WHERE release_id = %s
"""
_LAST_CANARY = """
    SELECT r.model_version, r.salt, s.share, s.at, coalesce(
        (SELECT min(later.at) FROM model_release_steps later
         WHERE later.release_id = s.release_id AND later.at > s.at), now())
    FROM model_release_steps s JOIN model_releases r USING (release_id)
    WHERE s.stage = 'canary' ORDER BY s.at DESC LIMIT 1
"""

# A process that was not heard of for so long is gone; it says something every second.
SEEN_WITHIN_S = 10
_PROCESSES = """
    SELECT slot, service, process, model_version, bundle_url, manifest_sha256, ready
    FROM model_processes WHERE seen_at > now() - make_interval(secs => %s)
    ORDER BY slot, service, process
"""
_SEEN = """
    INSERT INTO model_processes AS known
        (slot, service, process, model_version, bundle_url, manifest_sha256, ready)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (slot, service, process) DO UPDATE SET
        model_version = excluded.model_version, bundle_url = excluded.bundle_url,
        manifest_sha256 = excluded.manifest_sha256, ready = excluded.ready, seen_at = now()
"""
_FORGET_GONE = "DELETE FROM model_processes WHERE seen_at < now() - interval '1 hour'"

_PROGRESS = """
    SELECT
        (SELECT count(*) FROM items i
         LEFT JOIN item_vectors v ON v.model_version = %(model)s AND v.ordinal = i.ordinal
         WHERE v.revision IS DISTINCT FROM i.revision OR NOT v.published),
        (SELECT count(*) FROM user_counters),
        (SELECT count(*) FROM user_counters c
         LEFT JOIN user_states s ON s.model_version = %(model)s AND s.user_id = c.user_id
         WHERE (c.epoch, c.n) > (coalesce(s.epoch, 0), coalesce(s.n, 0)))
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A process of a slot as it was seen last."""

    slot: Slot
    service: str
    process: str
    model_version: str
    bundle_url: str
    manifest_sha256: str
    ready: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a model's vectors are. lacking: items without a current one on Kafka.

    behind: people whose state is behind their log, of `people`.
    """

    lacking: int
    people: int
    behind: int


@dataclass(frozen=True, slots=True)
class Canary:
    """The time in which a release had one share of people. until: now where it still has."""

    model_version: str
    salt: str
    share: float
    since: datetime
    until: datetime


def process_name() -> str:
    """Tells the processes of a service apart."""
    return f"{socket.gethostname()}/{os.getpid()}"


class Registry:
    """Every method raises Unavailable while Postgres is away or lacks the schema."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def active(self) -> Active:
        with self._database.transaction() as cursor:
            return _active(cursor)

    def history(self, limit: int = 20) -> list[Release]:
        """Newest first."""
        with self._database.transaction() as cursor:
            cursor.execute(_ALL, (limit,))
            return [Release(*row) for row in cursor]

    def propose(self, candidate: Examined, live: Running | None) -> Release:
        """live: what the first slot runs, noted down as live where nothing was released before.

        Raises: FailedPrecondition.
        """
        with self._change() as (cursor, active):
            to_propose(active)
            if active.live is None:
                if live is None:
                    raise FailedPrecondition(
                        f"no ranker of slot {FIRST_SLOT} was seen lately: what is live now?"
                    )
                _insert(cursor, live, FIRST_SLOT, "live")
            return _insert(cursor, candidate, active.free_slot, "proposed")

    def shadow(self, share: float) -> Release:
        """share: of requests. Raises: FailedPrecondition."""
        with self._change() as (cursor, active):
            return _move(cursor, to_move(active), "shadow", share)

    def canary(self, share: float) -> Release:
        """share: of people. Raises: FailedPrecondition."""
        with self._change() as (cursor, active):
            return _move(cursor, to_move(active), "canary", share)

    def promote(self) -> Release:
        """The candidate is live from the commit on. Raises: FailedPrecondition."""
        with self._change() as (cursor, active):
            candidate = to_move(active)
            assert active.live is not None  # noted down when the candidate was proposed
            _move(cursor, active.live, "standby")
            return _move(cursor, candidate, "live")

    def roll_back(self, reason: str) -> Release:
        """Returns: what was stopped. Raises: FailedPrecondition."""
        with self._change() as (cursor, active):
            stopped, again = to_roll_back(active)
            stopped = _move(cursor, stopped, "stopped", reason=reason)
            if again is not None:
                _move(cursor, again, "live")
            return stopped

    def stop(self, release_id: int, reason: str) -> bool:
        """Stops that candidate, if it still is one; for processes that saw it fail."""
        with self._change() as (cursor, active):
            candidate = active.candidate
            if candidate is None or candidate.release_id != release_id:
                return False
            _move(cursor, candidate, "stopped", reason=reason)
            return True

    def retire(self) -> Release:
        """Raises: FailedPrecondition."""
        with self._change() as (cursor, active):
            return _move(cursor, to_retire(active), "retired")

    def last_canary(self) -> Canary:
        """Raises: FailedPrecondition where there never was one."""
        with self._database.transaction() as cursor:
            cursor.execute(_LAST_CANARY)
            row = cursor.fetchone()
        if row is None:
            raise FailedPrecondition("no model was ever a canary: there is nothing to compare")
        return Canary(*row)

    def seen(self, running: Sequence[Running]) -> Active:
        """Notes down that these run, and reads what is released."""
        with self._database.transaction() as cursor:
            for one in running:
                cursor.execute(
                    _SEEN,
                    (
                        one.slot,
                        one.service,
                        one.process,
                        one.model_version,
                        one.bundle_url,
                        one.manifest_sha256,
                        one.ready,
                    ),
                )
            return _active(cursor)

    def running(self) -> list[Running]:
        """What was seen lately."""
        with self._database.transaction() as cursor:
            cursor.execute(_FORGET_GONE)
            cursor.execute(_PROCESSES, (SEEN_WITHIN_S,))
            return [Running(*row) for row in cursor]

    def progress(self, model_version: str) -> Progress:
        """Reads all items and people: a second for each million."""
        with self._database.transaction() as cursor:
            cursor.execute(_PROGRESS, {"model": model_version})
            row = cursor.fetchone()
            assert row is not None
            return Progress(*row)

    @contextmanager
    def _change(self) -> Iterator[tuple[Cursor, Active]]:
        with self._database.transaction() as cursor:
            cursor.execute("LOCK TABLE model_releases IN SHARE ROW EXCLUSIVE MODE")
            yield cursor, _active(cursor)


def _active(cursor: Cursor) -> Active:
    cursor.execute(_ACTIVE)
    releases = [Release(*row) for row in cursor]
    return Active(
        live=next((one for one in releases if one.stage == "live"), None),
        other=next((one for one in releases if one.stage != "live"), None),
    )


def _insert(cursor: Cursor, model: Examined | Running, slot: Slot, stage: Stage) -> Release:
    row = (model.model_version, model.bundle_url, model.manifest_sha256, slot, stage)
    cursor.execute(_INSERT, (*row, secrets.token_hex(8)))
    return _stepped(cursor)


def _move(
    cursor: Cursor, release: Release, stage: Stage, share: float = 0.0, reason: str = ""
) -> Release:
    cursor.execute(_MOVE, (stage, share, reason, release.release_id))
    return _stepped(cursor)


def _stepped(cursor: Cursor) -> Release:
    """The row that was written, noted down as a step."""
    release = Release(*cursor.fetchone())  # type: ignore[misc]  # RETURNING gave one row
    cursor.execute(_STEP, (release.release_id,))
    return release

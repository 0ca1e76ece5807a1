"""Forgetting people in memory: every process that holds some looks every second whom to forget.

A process says that it lives, forgets whom the table names, forgets them once more after a moment
(what was under way the first time is over by then), and reports how much it had. One that did not
hear of Postgres for so long that others stopped waiting for it forgets everybody.
"""

import logging
import os
import socket
import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from headrace.errors import Unavailable
from headrace.runtime.periodic import Periodic
from headrace.store.database import Database

log = logging.getLogger(__name__)

LIVES_S = 15.0
"""A process that was not heard of for so long is not waited for."""
PERIOD_S = 1.0
_SETTLES_S = 2.0


class Memory(Protocol):
    """What a process holds of people. Called from a thread of its own."""

    def forget(self, people: Collection[str]) -> int:
        """Returns: how many things it held of them."""
        ...

    def forget_everybody(self) -> None: ...


@dataclass
class _Begun:
    at: float
    removed: int


class Forgetting:
    """The rounds of one process. clock: seconds, monotonic."""

    def __init__(
        self,
        database: Database,
        component: str,
        memory: Memory,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._memory = memory
        self._clock = clock
        self._memory_id = f"{component}/{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}"
        self._heard_at: float | None = None
        self._begun: dict[int, _Begun] = {}

    def round(self) -> None:
        """Raises: Unavailable while Postgres is away."""
        began = self._clock()
        wanted = self._wanted()
        if self._heard_at is not None and began - self._heard_at > LIVES_S - PERIOD_S:
            self._memory.forget_everybody()
        self._heard_at = began
        for forgetting_id, people in wanted.items():
            self._forget(forgetting_id, people)
        self._begun = {one: begun for one, begun in self._begun.items() if one in wanted}

    def periodic(self) -> Periodic:
        return Periodic("forgetting", self.round, PERIOD_S)

    def leave(self) -> None:
        """Nobody need wait for this process any more."""
        try:
            with self._database.transaction() as cursor:
                cursor.execute("DELETE FROM memories WHERE memory_id = %s", (self._memory_id,))
        except Unavailable as error:
            log.warning("others wait for this process for some seconds: %s", error)

    def _wanted(self) -> dict[int, list[str]]:
        with self._database.transaction() as cursor:
            cursor.execute(
                "INSERT INTO memories VALUES (%(me)s, now())"
                " ON CONFLICT (memory_id) DO UPDATE SET seen_at = now();"
                "SELECT forgetting_id, people FROM forgettings f WHERE done_at IS NULL"
                " AND NOT EXISTS (SELECT FROM forgotten d"
                " WHERE d.forgetting_id = f.forgetting_id AND d.memory_id = %(me)s)",
                {"me": self._memory_id},
            )
            return dict(cursor.fetchall())

    def _forget(self, forgetting_id: int, people: Collection[str]) -> None:
        begun = self._begun.setdefault(forgetting_id, _Begun(self._clock(), 0))
        begun.removed += self._memory.forget(people)
        if self._clock() - begun.at < _SETTLES_S:
            return
        with self._database.transaction() as cursor:
            cursor.execute(
                "INSERT INTO forgotten (forgetting_id, memory_id, removed)"
                " SELECT %s, %s, %s WHERE EXISTS ("
                " SELECT FROM forgettings WHERE forgetting_id = %s) ON CONFLICT DO NOTHING",
                (forgetting_id, self._memory_id, begun.removed, forgetting_id),
            )

"""Whether Postgres answers, for readiness."""

import asyncio
import logging
import time

from headrace.errors import Unavailable
from headrace.store.database import Database

log = logging.getLogger(__name__)

_PERIOD_S = 1.0
_LATELY_S = 5.0


class PostgresWatch:
    """Asks Postgres again and again while `run` runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._answered_at: float | None = None

    def answered_lately(self) -> bool:
        at = self._answered_at
        return at is not None and time.monotonic() - at <= _LATELY_S

    async def run(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._database.check)
            except Unavailable as error:
                log.warning("Postgres does not answer: %s", error)
            else:
                self._answered_at = time.monotonic()
            await asyncio.sleep(_PERIOD_S)

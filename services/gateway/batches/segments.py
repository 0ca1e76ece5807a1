"""Who is in a segment, counted in Postgres when somebody asks for their lists."""

import asyncio

from headrace.contracts.segments import SegmentName
from headrace.store.database import Database
from headrace.store.segment_members import members_of


class StoredSegments:
    """Counts one at a time, as each takes a core of Postgres for as long as a refresh does."""

    def __init__(self, database: Database) -> None:
        """database: with a connection that nobody else waits for."""
        self._database = database
        self._turn = asyncio.Lock()

    async def members(self, segment: SegmentName) -> list[str]:
        """Ids, sorted. Raises: Unavailable."""
        async with self._turn:
            return await asyncio.to_thread(members_of, self._database, segment)

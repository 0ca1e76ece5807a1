"""What becomes of a wish to see or to take back. Both doors call it; access is checked before."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from headrace.contracts.events import retraction_id
from headrace.errors import NotFound
from services.gateway.history.arrival import arrived
from services.gateway.history.cursor import read_cursor, write_cursor
from services.gateway.history.store import HistoryEntry, HistoryStore, Unwanted

Retract = Callable[[str, Sequence[str]], Awaitable[None]]
"""Puts into a person's log that these events are taken back. Returns once that is safe.

Raises: Unavailable where it is not certain.
"""


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Newest first. next_cursor: None on the last page."""

    entries: Sequence[HistoryEntry]
    next_cursor: str | None


class History:
    """People's histories. Every method raises Unavailable while Postgres is away."""

    def __init__(self, store: HistoryStore, retract: Retract) -> None:
        self._store = store
        self._retract = retract

    async def page(self, user_id: str, limit: int, cursor: str | None) -> HistoryPage:
        """Raises: InvalidInput where the cursor cannot be read."""
        before = read_cursor(cursor) if cursor else None
        found = await asyncio.to_thread(self._store.page, user_id, limit + 1, before)
        entries = found[:limit]
        end = entries[-1].place if len(found) > limit else None
        return HistoryPage(entries, None if end is None else write_cursor(end))

    async def remove(self, user_id: str, event_id: str) -> str:
        """Takes an entry back. Returns the id of the event that says so, always the same.

        Raises: NotFound where the person's log has no such entry; Unavailable where Kafka did not
        take it.
        """
        if not await asyncio.to_thread(self._store.has, user_id, event_id):
            raise NotFound(f"the history of {user_id!r} has no entry {event_id!r}")
        await self._retract(user_id, [event_id])
        return retraction_id(user_id, event_id)

    async def unwanted(self, user_id: str) -> Unwanted:
        """What the person does not want to be shown."""
        return await asyncio.to_thread(self._store.unwanted, user_id)

    async def want_again(self, user_id: str, item_id: str, category: str) -> str:
        """Takes back that an item or, where that is empty, a category is not wanted. Returns the
        id of the last event that says so.

        Raises: NotFound where the person did not say so; Unavailable where Kafka did not take it.
        """
        said = await asyncio.to_thread(self._store.said_of, user_id, item_id, category)
        if not said:
            raise NotFound(f"{user_id!r} did not say that {item_id or category!r} is not wanted")
        await self._retract(user_id, said)
        # Lists of who does not want personal ones cannot wait for it.
        await arrived(lambda: not self._store.said_of(user_id, item_id, category))
        return retraction_id(user_id, said[-1])

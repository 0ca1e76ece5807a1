"""What people want in no list, looked up where a list is made without their vectors."""

import asyncio

from headrace.errors import DeadlineExceeded, Unavailable
from headrace.runtime.circuit import Circuit
from services.gateway.history.arrival import arrived
from services.gateway.history.store import HistoryStore
from services.gateway.lists import Unwanted

_DEADLINE_S = 0.1


class StoredUnwanted:
    """From the logs. Where Postgres is away too, nothing is known."""

    def __init__(self, store: HistoryStore) -> None:
        self._store = store
        self._circuit = Circuit("unwanted")

    async def of(self, user_id: str) -> Unwanted:
        try:
            return await self._circuit.run(lambda: self._read(user_id))
        except Unavailable:
            return Unwanted()  # the best list that can be made

    async def heard(self, user_id: str, event_id: str) -> None:
        """Returns once the log has the event, after a quarter of a second at the latest."""
        await arrived(lambda: self._store.has(user_id, event_id))

    async def _read(self, user_id: str) -> Unwanted:
        reading = asyncio.to_thread(self._store.unwanted, user_id)
        try:
            found = await asyncio.wait_for(reading, _DEADLINE_S)
        except TimeoutError as error:
            raise DeadlineExceeded(f"no answer within {_DEADLINE_S} s") from error
        return Unwanted(
            frozenset(one.item_id for one in found.items),
            frozenset(one.category for one in found.categories),
        )

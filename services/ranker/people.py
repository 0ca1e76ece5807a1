"""Finding a person's vector: in the cache, else from user_embedding, each person once at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from headrace.errors import Unavailable
from headrace.index.encoding import Vector
from services.ranker.answers import EventStatus
from services.ranker.metrics import CACHE_LOOKUPS
from services.ranker.users import UserCache, UserVector

_HITS = CACHE_LOOKUPS.labels("hit")
_MISSES = CACHE_LOOKUPS.labels("miss")
# Of the time to wait for an event, what is kept for asking what became of it.
_LOOKUP_SHARE = 0.2
# Each is one more list to score: 20 take about 40 ms.
_LEFT_OUT = 20


class LeftOut(NamedTuple):
    """A person, and their vectors [D] without each of their last items, by ordinal."""

    user: UserVector
    without: Mapping[int, Vector]


class UserEmbedding(Protocol):
    """The service that owns people's vectors. Every method raises Unavailable."""

    async def user_vector(self, user_id: str) -> UserVector: ...

    async def session_vector(self, user_id: str | None, ordinals: Sequence[int]) -> UserVector: ...

    async def leave_out(self, user_id: str, items: int) -> LeftOut: ...

    async def event_status(self, user_id: str, event_id: str) -> tuple[EventStatus, int]:
        """What became of the event, and its number in the log, or 0."""


class AfterEvent(NamedTuple):
    """The vector after waiting for an event; `lost`: user_embedding could not be asked."""

    vector: UserVector | None
    status: EventStatus
    lost: bool


class People:
    """Vectors of people and of visits."""

    def __init__(self, cache: UserCache, embedding: UserEmbedding) -> None:
        self._cache = cache
        self._embedding = embedding
        self._fetches: dict[str, asyncio.Task[UserVector]] = {}

    async def vector(self, user_id: str) -> UserVector:
        """Raises: Unavailable where it is not cached and cannot be fetched."""
        cached = self._cache.get(user_id)
        (_MISSES if cached is None else _HITS).inc()
        return cached or await self._fetched(user_id)

    async def session(self, user_id: str | None, ordinals: Sequence[int]) -> UserVector:
        """The vector of a visit, after the person's history if one is named. Raises: Unavailable"""
        return await self._embedding.session_vector(user_id, ordinals)

    async def left_out(self, user_id: str) -> LeftOut:
        """Without each of the items last touched. Raises: Unavailable"""
        return await self._embedding.leave_out(user_id, _LEFT_OUT)

    async def after(self, user_id: str, event_id: str, timeout_s: float) -> AfterEvent:
        """Waits until the event is in the vector, and asks what became of it where it is not."""
        lost = False
        try:
            vector = await self.vector(user_id)
        except Unavailable:
            lost = True  # the vector may still come through Kafka
        else:
            if event_id in vector.event_ids:
                return AfterEvent(vector, EventStatus.APPLIED, lost=False)
        arrived = await self._cache.until(
            user_id, lambda vector: event_id in vector.event_ids, timeout_s * (1 - _LOOKUP_SHARE)
        )
        if arrived is not None and event_id in arrived.event_ids:
            return AfterEvent(arrived, EventStatus.APPLIED, lost=False)
        if lost:
            return AfterEvent(arrived, EventStatus.UNKNOWN, lost=True)
        return await self._looked_up(user_id, event_id, arrived)

    async def _looked_up(
        self, user_id: str, event_id: str, vector: UserVector | None
    ) -> AfterEvent:
        try:
            status, n = await self._embedding.event_status(user_id, event_id)
            behind = vector is None or vector.n < n
            if status is EventStatus.APPLIED and behind:
                vector = await self._fetched(user_id)
        except Unavailable:
            return AfterEvent(vector, EventStatus.UNKNOWN, lost=True)
        return AfterEvent(vector, status, lost=False)

    async def _fetched(self, user_id: str) -> UserVector:
        fetch = self._fetches.get(user_id)
        if fetch is None:
            fetch = asyncio.create_task(self._fetch(user_id))
            self._fetches[user_id] = fetch
            fetch.add_done_callback(partial(self._ended, user_id))
        return await asyncio.shield(fetch)  # others may wait for it when this request ends

    def _ended(self, user_id: str, fetch: asyncio.Task[UserVector]) -> None:
        del self._fetches[user_id]
        if not fetch.cancelled():
            fetch.exception()  # all who waited may have gone; asyncio would log it as an error

    async def _fetch(self, user_id: str) -> UserVector:
        with self._cache.expecting(user_id):
            return self._cache.offer(await self._embedding.user_vector(user_id))

"""Lists of many people, beside the live ones and without making those wait.

One block of people is computed at a time, whatever is asked, and after each the thread rests. What
is read of people passes by the cache: somebody who comes once a night does not push out those who
are here now.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Protocol, TypeVar

from headrace.errors import Unavailable
from headrace.runtime.share import Share
from services.ranker.answers import PersonList
from services.ranker.lists import ListMaker, follows, together
from services.ranker.metrics import BATCH_LISTS
from services.ranker.query import BatchQuery, RecommendQuery
from services.ranker.users import UserVector, nobody

T = TypeVar("T")

PAGE = 500
"""People read at once: 1 MB or so."""
# So few that a live list on the same core waits some 10 ms for a block at worst; twice as many are
# hardly cheaper each.
_BLOCK = 16


class StoredVectors(Protocol):
    """People's vectors as they are stored. Every method raises Unavailable."""

    async def many(self, user_ids: Sequence[str]) -> list[UserVector]:
        """Of at most `PAGE` people; those who have none are left out."""

    async def page(self, after: str, active_since: float | None, limit: int) -> list[UserVector]:
        """Of people with ids behind `after`, in their order; fewer than `limit`: the last ones.

        active_since: Unix seconds; of those alone who did something then or later.
        """


class Batches:
    """Computation runs in `threads`, waiting on the event loop."""

    def __init__(
        self,
        *,
        model_version: str,
        lists: ListMaker,
        vectors: StoredVectors,
        threads: Executor,
        share: Share,
        loaded: Callable[[], bool],
    ) -> None:
        """threads: of its own, so that live lists have theirs. share: of all batches together.
        loaded: as in `Ranker`."""
        self.model_version = model_version
        self._lists = lists
        self._vectors = vectors
        self._threads = threads
        self._share = share
        self._loaded = loaded
        self._turn = asyncio.Lock()

    async def made(self, query: BatchQuery) -> AsyncGenerator[list[PersonList], None]:
        """Some lists at a time; the next are made when they are asked for.

        Raises: Unavailable where the catalogue is being loaded or user_embedding is away.
        """
        if not self._loaded():
            raise Unavailable("the catalogue is still being loaded; try again soon")
        of_one = query.of_one
        size = _BLOCK if together(of_one) else 1
        async for people in self._people(query):
            for block in _pieces(people, size):
                yield await self._made(of_one, block)

    async def _made(self, query: RecommendQuery, block: Sequence[UserVector]) -> list[PersonList]:
        async with self._turn:
            began = time.perf_counter()
            made = await asyncio.get_running_loop().run_in_executor(
                self._threads, partial(self._lists.make_many, query, block)
            )
            await asyncio.sleep(self._share.rest_s(time.perf_counter() - began))
        BATCH_LISTS.inc(len(block))
        lists = []
        for user, items in zip(block, made, strict=True):
            personal = follows(query, user, items)
            as_of = (user.last_occurred_at if personal else None) or time.time()
            lists.append(PersonList(user.user_id, as_of, user.n if personal else 0, items))
        return lists

    async def _people(self, query: BatchQuery) -> AsyncIterator[list[UserVector]]:
        if query.user_ids:
            for user_ids in _pieces(query.user_ids, PAGE):
                known = {user.user_id: user for user in await self._vectors.many(user_ids)}
                yield [known.get(user_id) or nobody(user_id) for user_id in user_ids]
            return
        since = None if query.active_since is None else query.active_since.timestamp()
        after = ""
        while True:
            page = await self._vectors.page(after, since, PAGE)
            if page:
                yield page
            if len(page) < PAGE:
                return
            after = page[-1].user_id


def _pieces(whole: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (whole[start : start + size] for start in range(0, len(whole), size))

"""What the ranker decides: whose vector makes the list, and what to do without one."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache, partial
from typing import TypeVar

from prometheus_client import Counter

from headrace.errors import NotFound, Unavailable
from services.ranker.answers import (
    USER_EMBEDDING_UNAVAILABLE,
    EventStatus,
    LikePerson,
    Recommendation,
    SimilarItems,
    SimilarUsers,
    Source,
)
from services.ranker.catalogue import Catalogue
from services.ranker.inspecting import Inspection, Inspector
from services.ranker.lists import ListMaker, follows
from services.ranker.metrics import COMPUTING, LISTS, RECOMMEND_SECONDS
from services.ranker.neighbours import Neighbours
from services.ranker.people import LeftOut, People
from services.ranker.query import RecommendQuery, SimilarQuery, SimilarUsersQuery
from services.ranker.trace import Trace
from services.ranker.users import UserVector

log = logging.getLogger(__name__)

T = TypeVar("T")

_FETCH = RECOMMEND_SECONDS.labels("fetch")
_TOTAL = RECOMMEND_SECONDS.labels("total")


@dataclass
class _Known:
    """What is known about whom a list is for."""

    user: UserVector | None = None
    degraded: str = ""
    after_status: EventStatus | None = None


@cache
def _lists(first: Source | None, degraded: str) -> Counter:
    return LISTS.labels("none" if first is None else first.name.lower(), degraded)


def _explainable(query: RecommendQuery) -> bool:
    """Whether the head makes the list from somebody's log."""
    scored = query.kind in ("for_you", "new")
    return query.explain and scored and query.user_id is not None and not query.session


class Ranker:
    """Makes lists. Computation runs in `threads`, waiting on the event loop."""

    def __init__(
        self,
        *,
        model_version: str,
        catalogue: Catalogue,
        people: People,
        lists: ListMaker,
        neighbours: Neighbours,
        threads: Executor,
        loaded: Callable[[], bool],
    ) -> None:
        """loaded: whether the catalogue is complete."""
        self._model_version = model_version
        self._catalogue = catalogue
        self._people = people
        self._lists = lists
        self._neighbours = neighbours
        self._threads = threads
        self._loaded = loaded
        self._inspector = Inspector(catalogue, lists.finder)

    async def recommend(self, query: RecommendQuery) -> Recommendation:
        """Raises: Unavailable until the catalogue is loaded; NotFound where none of the items is
        known that others are to be similar to; InvalidInput where the cursor cannot be read."""
        answer, _ = await self._recommended(query)
        return answer

    async def inspect(self, query: RecommendQuery) -> tuple[Recommendation, Inspection]:
        """The list of `recommend`, and how it came about. Raises as that does."""
        trace = Trace()
        answer, user = await self._recommended(query, trace)
        tell = partial(self._inspector.told, query, user, trace, answer.items)
        return answer, await self._compute(tell)

    async def _recommended(
        self, query: RecommendQuery, trace: Trace | None = None
    ) -> tuple[Recommendation, UserVector | None]:
        """The list, and whose vector made it."""
        self._check_loaded()
        began = time.perf_counter()
        known = await self._know(query)
        _FETCH.observe(time.perf_counter() - began)
        make = partial(self._lists.make, query, known.user, trace)
        if _explainable(query) and (person := await self._left_out(query, known)) is not None:
            make = partial(self._lists.make_explained, query, person, trace)
        user = known.user
        made = await self._compute(make)
        items = made.items
        as_of, n_applied = time.time(), 0
        if user is not None and follows(query, user, items):
            as_of, n_applied = user.last_occurred_at or as_of, user.n
        _TOTAL.observe(time.perf_counter() - began)
        _lists(items[0].source if items else None, known.degraded).inc()
        answer = Recommendation(
            self._model_version,
            as_of,
            n_applied,
            known.degraded,
            items,
            known.after_status,
            made.next_cursor,
        )
        return answer, user

    async def similar(self, query: SimilarQuery) -> SimilarItems:
        """Raises: NotFound where the item is unknown or hidden; Unavailable until loaded."""
        self._check_loaded()
        made = await self._compute(partial(self._lists.similar, query))
        LISTS.labels("similar" if made.items else "none", "").inc()
        return SimilarItems(self._model_version, made.items)

    async def similar_users(self, query: SimilarUsersQuery) -> SimilarUsers:
        """Raises: NotFound where the person has no vector; Unavailable where it cannot be found."""
        self._check_loaded()
        user = await self._people.vector(query.user_id)
        if user.vector is None:
            raise NotFound(f"nothing is known of {query.user_id!r} yet")
        nearest = partial(self._neighbours.nearest, query.user_id, user.vector, query.n)
        near = await self._compute(nearest)
        return SimilarUsers(
            self._model_version, [LikePerson(one.person.user_id, one.cosine) for one in near]
        )

    async def _know(self, query: RecommendQuery) -> _Known:
        """The vector of the visit, or of the person, or none; never fails."""
        known = _Known()
        try:
            await self._know_person(query, known)
            visited = self._catalogue.ordinals(query.session)
            if visited:
                known.user = await self._people.session(query.user_id, visited)
        except Unavailable as error:
            log.debug("user_embedding is away: %s", error)
            known.degraded = USER_EMBEDDING_UNAVAILABLE
        return known

    async def _left_out(self, query: RecommendQuery, known: _Known) -> LeftOut | None:
        """None where the person has no vector, or user_embedding is away."""
        assert query.user_id is not None
        try:
            person = await self._people.left_out(query.user_id)
        except Unavailable as error:
            log.debug("no explanation: %s", error)
            known.degraded = USER_EMBEDDING_UNAVAILABLE
            return None
        if person.user.vector is None:
            return None
        known.user = person.user
        return person

    async def _know_person(self, query: RecommendQuery, known: _Known) -> None:
        if query.user_id is None:
            return
        if query.after_event_id is None:
            known.user = await self._people.vector(query.user_id)
            return
        waited = await self._people.after(
            query.user_id, query.after_event_id, query.after_timeout_ms / 1_000
        )
        known.user, known.after_status = waited.vector, waited.status
        if waited.lost:
            known.degraded = USER_EMBEDDING_UNAVAILABLE

    async def _compute(self, work: Callable[[], T]) -> T:
        with COMPUTING.track_inprogress():
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _check_loaded(self) -> None:
        if not self._loaded():
            raise Unavailable("the catalogue is still being loaded; try again soon")

"""What the gateway decides about a list: by whom it is made, and what is not in it."""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from prometheus_client import Counter

from headrace.errors import HeadraceError, InvalidInput, NotFound, Unavailable
from headrace.runtime.circuit import Circuit, CircuitOpen
from services.gateway.fallback import Fallback
from services.gateway.impersonal import UnwantedByPeople, for_anybody, leaving_out
from services.gateway.lists import AfterStatus, NearPeople, RankedList, SimilarList, Unwanted
from services.gateway.models import EXCLUDE_LENGTH, LIST_LENGTH, RecommendationRequest
from services.gateway.privacy.choices import OFF, Choices
from services.gateway.ranker import Ranker
from services.gateway.shown import Impressions, answered
from services.gateway.tombstones import Tombstones

log = logging.getLogger(__name__)

LISTS = Counter(
    "headrace_gateway_lists_total",
    "Lists answered; `degraded` is the reason, or `no`.",
    ["degraded"],
)


@cache
def _lists(degraded: str) -> Counter:
    return LISTS.labels(degraded)


Recommend = Callable[[RecommendationRequest], Awaitable[RankedList]]
Make = Callable[[RecommendationRequest, Unwanted | None], Awaitable[RankedList]]
"""unwanted: what the request, which does not say whose list it is, has to be made without."""


class Lists:
    """Each is made for one request, and noted down as shown."""

    def __init__(
        self,
        *,
        ranker: Ranker,
        fallback: Fallback,
        tombstones: Tombstones,
        circuit: Circuit,
        impressions: Impressions,
        choices: Choices,
        unwanted: UnwantedByPeople,
    ) -> None:
        self._ranker = ranker
        self._fallback = fallback
        self._tombstones = tombstones
        self._circuit = circuit
        self._impressions = impressions
        self._choices = choices
        self._unwanted = unwanted

    async def recommend(self, request: RecommendationRequest) -> RankedList:
        """The ranker's list, or the best that is known without it.

        Raises: InvalidInput where the ranker refuses the request; NotFound where the items are
        unknown that others are to be similar to; Unavailable where nothing is known.
        """
        return await self._as_chosen(request, self._list)

    async def previewed(self, request: RecommendationRequest, recommend: Recommend) -> RankedList:
        """The list of `recommend` as it would be answered now. Nobody is told that it was shown.

        Raises: what `recommend` does.
        """

        async def make(asked: RecommendationRequest, unwanted: Unwanted | None) -> RankedList:
            if unwanted is not None:
                asked = leaving_out(asked, unwanted)
            return self._shown(await recommend(self._without_deleted(asked)), unwanted)

        return await self._as_chosen(request, make)

    async def similar(
        self, item_id: str, n: int, category: str | None, user_id: str | None = None
    ) -> SimilarList:
        """The items nearest to an item. user_id: whose refusals are left out.

        Raises: InvalidInput, NotFound, Unavailable.
        """
        deleted = self._tombstones.present()
        if item_id in deleted:
            raise NotFound(f"item {item_id!r} was deleted")
        asked = RecommendationRequest(
            user_id=user_id,
            kind="similar",
            items=(item_id,),
            include_seen=True,
            n=n,
            category=category,
        )
        if user_id is not None:
            ranked = await self.recommend(asked)
            return SimilarList(ranked.model_version, ranked.items)
        # Some more, to fill the places of those that were just deleted.
        wanted = min(n + len(deleted), LIST_LENGTH)
        found = await self._circuit.run(lambda: self._ranker.similar(item_id, wanted, category))
        shown = self._tombstones.without(found.items)[:n]
        ranked = RankedList(found.model_version, datetime.now(UTC), shown)
        self._impressions.served(answered(asked, ranked))
        return replace(found, items=shown)

    async def similar_users(self, user_id: str, n: int) -> NearPeople:
        """People whose taste is near, of those who want personal lists.

        Raises: InvalidInput, NotFound, Unavailable.
        """
        if self._choices.why_not(user_id) == OFF:
            raise NotFound(f"{user_id!r} does not want personal lists")
        near = await self._circuit.run(lambda: self._ranker.similar_users(user_id, n))
        users = tuple(one for one in near.users if self._choices.why_not(one.user_id) != OFF)
        return replace(near, users=users)

    async def refresh_popular(self) -> None:
        """Fetches the popular lists that are due; tells by the way whether the ranker is there."""
        for category in self._fallback.popular.due():
            request = RecommendationRequest(n=LIST_LENGTH, category=category)
            ranked = await self._ranked(request)
            if ranked is None:
                return
            self._fallback.popular.store(category, ranked)

    async def _as_chosen(self, request: RecommendationRequest, make: Make) -> RankedList:
        """Where the person does not want a personal list it is the one that anybody gets, without
        what they refused, and noted down as nobody's."""
        why_not = self._choices.why_not(request.user_id)
        if why_not is None:
            return await make(request, None)
        ranked = await make(for_anybody(request), await self._unwanted_by(request))
        after: AfterStatus | None = None if request.after is None else "unknown"
        return replace(ranked, not_personal_because=why_not, after=after)

    async def _list(self, request: RecommendationRequest, unwanted: Unwanted | None) -> RankedList:
        """unwanted: by whom the list is for, where the request does not say who that is."""
        asked = request if unwanted is None else leaving_out(request, unwanted)
        ranked = await self._ranked(asked)
        if ranked is not None and ranked.degraded is None:
            self._fallback.remember(request, ranked)
        elif unwanted is None:
            unwanted = await self._unwanted_by(request)
        if ranked is None:
            ranked = self._fallback.answer(self._without_deleted(request), unwanted or Unwanted())
        if ranked is None:
            raise Unavailable("the ranker is away and no such list is known; try again in a second")
        _lists(ranked.degraded or "no").inc()
        shown = self._shown(ranked, unwanted)
        self._impressions.served(answered(request, shown))
        return shown

    def _shown(self, ranked: RankedList, unwanted: Unwanted | None) -> RankedList:
        items = ranked.items if unwanted is None else unwanted.removed_from(ranked.items)
        return replace(ranked, items=self._tombstones.without(items))

    async def _unwanted_by(self, request: RecommendationRequest) -> Unwanted:
        return Unwanted() if request.user_id is None else await self._unwanted.of(request.user_id)

    async def _ranked(self, request: RecommendationRequest) -> RankedList | None:
        """The ranker's list; None where it is away or broken."""
        began = time.monotonic()
        shown = self._without_deleted(request)
        try:
            return await self._circuit.run(lambda: self._ranker.recommend(shown))
        except (InvalidInput, NotFound):
            raise
        except CircuitOpen:
            return None
        except HeadraceError as error:
            waited_ms = round((time.monotonic() - began) * 1000)
            log.warning("no list from the ranker: %s", error, extra={"waited_ms": waited_ms})
            return None

    def _without_deleted(self, request: RecommendationRequest) -> RecommendationRequest:
        """`request` excluding what was just deleted, as far as there is room."""
        deleted = self._tombstones.present()
        if not deleted:
            return request
        exclude = [*request.exclude, *deleted][:EXCLUDE_LENGTH]
        return request.model_copy(update={"exclude": exclude})

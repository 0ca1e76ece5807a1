"""What the gateway decides, whichever door a request came through."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Protocol
from uuid import uuid4

from prometheus_client import Counter

from headrace.contracts.events import REFUSAL, NewEvent
from headrace.contracts.items import NewItem
from headrace.contracts.segments import SegmentName
from headrace.errors import HeadraceError, InvalidInput, NotFound, Unavailable, Violation
from headrace.runtime.circuit import Circuit, CircuitOpen
from services.gateway.batches.models import PEOPLE, BatchRequest
from services.gateway.fallback import Fallback
from services.gateway.impersonal import for_anybody, leaving_out
from services.gateway.lists import (
    AfterStatus,
    NearPeople,
    PersonList,
    RankedList,
    SimilarList,
    Unwanted,
)
from services.gateway.models import EXCLUDE_LENGTH, LIST_LENGTH, RecommendationRequest
from services.gateway.privacy.choices import OFF, Choices
from services.gateway.tombstones import Tombstones

log = logging.getLogger(__name__)

EVENTS = Counter("headrace_gateway_events_accepted_total", "Events that Kafka has.", ["type"])
LISTS = Counter(
    "headrace_gateway_lists_total",
    "Lists answered; `degraded` is the reason, or `no`.",
    ["degraded"],
)


@cache
def _lists(degraded: str) -> Counter:
    return LISTS.labels(degraded)


@dataclass(frozen=True, slots=True)
class AcceptedEvent:
    """An event that passed every check, with its id."""

    event_id: str
    event: NewEvent
    accepted_at: datetime


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """An item as the catalogue has it."""

    item: NewItem
    revision: int


class EventsNotConfirmed(Unavailable):
    """Kafka did not confirm all events: some may be stored. `event_ids` make a retry harmless."""

    def __init__(self, event_ids: Sequence[str], cause: Unavailable) -> None:
        super().__init__(
            f"{cause}. Some of the events may be stored: send all of them again with the same "
            "event_ids"
        )
        self.event_ids = tuple(event_ids)


class Ranker(Protocol):
    """Makes lists."""

    async def recommend(self, request: RecommendationRequest) -> RankedList:
        """Raises: InvalidInput, Unavailable."""

    async def similar(self, item_id: str, n: int, category: str | None) -> SimilarList:
        """Raises: InvalidInput, NotFound, Unavailable."""

    async def similar_users(self, user_id: str, n: int) -> NearPeople:
        """Raises: InvalidInput, NotFound, Unavailable."""

    def batch(
        self, request: BatchRequest, deadline_s: float
    ) -> AsyncGenerator[list[PersonList], None]:
        """Some lists at a time, as they are made. Raises: InvalidInput, DeadlineExceeded,
        Unavailable, perhaps after some lists."""


Recommend = Callable[[RecommendationRequest], Awaitable[RankedList]]
Make = Callable[[RecommendationRequest, Unwanted | None], Awaitable[RankedList]]
"""unwanted: what the request, which does not say whose list it is, has to be made without."""


class Catalogue(Protocol):
    """Owns the items."""

    async def get(self, item_id: str) -> CatalogueItem | None:
        """None: unknown or hidden."""

    async def upsert(self, items: Sequence[NewItem]) -> list[int]:
        """Stores all of them or none. Returns their revisions in order."""

    async def delete(self, item_id: str) -> int:
        """Hides an item. Returns its revision. Raises: NotFound."""


class EventLog(Protocol):
    """Keeps events for those who work on them."""

    async def append(self, events: Sequence[AcceptedEvent]) -> None:
        """Returns once they are safe. Raises: Unavailable where that is not certain."""


class Impressions(Protocol):
    """Takes note of what was shown, without making anybody wait."""

    def served(self, request: RecommendationRequest, ranked: RankedList) -> None:
        """A list as it was answered."""


class UnwantedByPeople(Protocol):
    """Knows what people want in no list, for lists that are made without their vectors. Never
    fails."""

    async def of(self, user_id: str) -> Unwanted:
        """Nothing where that cannot be found out now."""

    async def heard(self, user_id: str, event_id: str) -> None:
        """Waits until `of` knows of this refusal, for a moment at most."""


class Segments(Protocol):
    """Knows who is in a segment of the behaviour analysis."""

    async def members(self, segment: SegmentName) -> list[str]:
        """Their ids, in order. Raises: Unavailable."""


class Gateway:
    """Both doors call these methods with checked requests; access is checked before."""

    def __init__(
        self,
        *,
        ranker: Ranker,
        catalogue: Catalogue,
        event_log: EventLog,
        fallback: Fallback,
        tombstones: Tombstones,
        circuit: Circuit,
        impressions: Impressions,
        choices: Choices,
        unwanted: UnwantedByPeople,
        segments: Segments,
    ) -> None:
        self._ranker = ranker
        self._catalogue = catalogue
        self._event_log = event_log
        self._fallback = fallback
        self._tombstones = tombstones
        self._circuit = circuit
        self._impressions = impressions
        self._choices = choices
        self._unwanted = unwanted
        self._segments = segments

    async def record_events(self, events: Sequence[NewEvent]) -> list[str]:
        """Keeps all events or raises. Returns their ids in order.

        Of somebody who does not want personal lists only what they refuse is kept: nothing else
        would be as they wish. Their lists know of it by the time this returns.

        Raises: EventsNotConfirmed.
        """
        now = datetime.now(UTC)
        accepted = [AcceptedEvent(event.event_id or uuid4().hex, event, now) for event in events]
        event_ids = [one.event_id for one in accepted]
        kept = [
            one for one in accepted if one.event.type == REFUSAL or not self._opted_out(one.event)
        ]
        try:
            await self._event_log.append(kept)
        except Unavailable as error:
            raise EventsNotConfirmed(event_ids, error) from error
        for one in kept:
            EVENTS.labels(one.event.type).inc()
        # `after` says nothing to people who opted out, so it is here that they wait.
        refused = {one.event.user_id: one.event_id for one in kept if self._opted_out(one.event)}
        await asyncio.gather(*(self._unwanted.heard(*last) for last in refused.items()))
        return event_ids

    async def recommend(self, request: RecommendationRequest) -> RankedList:
        """The ranker's list, or the best that is known without it.

        Raises: InvalidInput where the ranker refuses the request; NotFound where the items are
        unknown that others are to be similar to; Unavailable where nothing is known.
        """
        return await self._as_chosen(request, self._list)

    def _opted_out(self, event: NewEvent) -> bool:
        return self._choices.why_not(event.user_id) == OFF

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
        self._impressions.served(request, shown)
        return shown

    async def previewed(self, request: RecommendationRequest, recommend: Recommend) -> RankedList:
        """The list of `recommend` as it would be answered now. Nobody is told that it was shown.

        Raises: what `recommend` does.
        """

        async def make(asked: RecommendationRequest, unwanted: Unwanted | None) -> RankedList:
            if unwanted is not None:
                asked = leaving_out(asked, unwanted)
            return self._shown(await recommend(self._without_deleted(asked)), unwanted)

        return await self._as_chosen(request, make)

    def _shown(self, ranked: RankedList, unwanted: Unwanted | None) -> RankedList:
        items = ranked.items if unwanted is None else unwanted.removed_from(ranked.items)
        return replace(ranked, items=self._tombstones.without(items))

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
        self._impressions.served(asked, RankedList(found.model_version, datetime.now(UTC), shown))
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

    async def batch(
        self, request: BatchRequest, deadline_s: float
    ) -> AsyncGenerator[list[PersonList], None]:
        """Lists of many people, some at a time, made as they are taken. They are no impressions:
        nobody has seen them.

        Raises: InvalidInput, DeadlineExceeded, Unavailable, perhaps after some lists.
        """
        until = time.monotonic() + deadline_s
        for piece in await self._pieces(request):
            left_s = until - time.monotonic()
            async with aclosing(self._ranker.batch(piece, left_s)) as made:
                async for lists in made:
                    chosen = await self._of_many_as_chosen(piece, lists)
                    yield [
                        replace(one, items=self._tombstones.without(one.items)) for one in chosen
                    ]

    async def _pieces(self, request: BatchRequest) -> Iterable[BatchRequest]:
        """A request for a segment as ones that name the people in it."""
        if request.segment is None:
            return [request]
        people = await self._segments.members(request.segment)
        return (
            request.model_copy(update={"segment": None, "user_ids": people[start : start + PEOPLE]})
            for start in range(0, len(people), PEOPLE)
        )

    async def _of_many_as_chosen(
        self, request: BatchRequest, lists: list[PersonList]
    ) -> list[PersonList]:
        """Who does not want a personal list has the one that they get alone."""
        if all(self._choices.why_not(one.user_id) is None for one in lists):
            return lists
        anybody = await self._ranker.recommend(request.for_anybody())
        chosen = []
        for one in lists:
            if self._choices.why_not(one.user_id) is None:
                chosen.append(one)
                continue
            own = await self._without_refused(request.for_anybody(), anybody, one.user_id)
            chosen.append(replace(one, as_of=own.as_of, n_applied=0, items=own.items))
        return chosen

    async def _without_refused(
        self, request: RecommendationRequest, anybody: RankedList, user_id: str
    ) -> RankedList:
        """`anybody`, the list of `request`, as somebody gets it who refused something."""
        unwanted = await self._unwanted.of(user_id)
        if unwanted.removed_from(anybody.items) == anybody.items:
            return anybody
        ranked = await self._ranker.recommend(leaving_out(request, unwanted))
        return replace(ranked, items=unwanted.removed_from(ranked.items))

    async def item(self, item_id: str) -> CatalogueItem:
        """Raises: NotFound, Unavailable."""
        found = await self._catalogue.get(item_id)
        if found is None:
            raise NotFound(f"item {item_id!r} is unknown or was deleted")
        return found

    async def upsert_items(self, items: Sequence[NewItem]) -> list[int]:
        """Stores all items or none. Returns their revisions in order.

        Raises: InvalidInput, Unavailable.
        """
        _refuse_repeats(items)
        revisions = await self._catalogue.upsert(items)
        for item in items:
            self._tombstones.remove(item.item_id)
        return revisions

    async def delete_item(self, item_id: str) -> int:
        """Hides an item from every list. Returns its revision. Raises: NotFound, Unavailable."""
        revision = await self._catalogue.delete(item_id)
        self._tombstones.add(item_id)
        return revision

    async def refresh_popular(self) -> None:
        """Fetches the popular lists that are due; tells by the way whether the ranker is there."""
        for category in self._fallback.popular.due():
            request = RecommendationRequest(n=LIST_LENGTH, category=category)
            ranked = await self._ranked(request)
            if ranked is None:
                return
            self._fallback.popular.store(category, ranked)

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


def _refuse_repeats(items: Sequence[NewItem]) -> None:
    first: dict[str, int] = {}
    repeats = [
        Violation(f"items[{place}].item_id", f"is given twice, first in items[{earlier}]")
        for place, item in enumerate(items)
        if (earlier := first.setdefault(item.item_id, place)) != place
    ]
    if repeats:
        raise InvalidInput(repeats)

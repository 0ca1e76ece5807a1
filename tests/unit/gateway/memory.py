"""The gateway's collaborators in memory, each a working implementation of its protocol."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from headrace.contracts.items import NewItem
from headrace.contracts.segments import SegmentName
from headrace.errors import HeadraceError, NotFound, Unavailable
from headrace.runtime.circuit import Circuit
from services.gateway.access import Access
from services.gateway.batches.models import BatchRequest
from services.gateway.batches.service import Batches
from services.gateway.catalogue.items import CatalogueItem, Items
from services.gateway.directory import Directory
from services.gateway.events.service import AcceptedEvent, Events
from services.gateway.fallback import Fallback, PersonalLists, PopularLists
from services.gateway.keys import ApiKeys
from services.gateway.listing import Lists
from services.gateway.lists import (
    Cause,
    Explanation,
    ListedItem,
    NearPeople,
    NearPerson,
    PersonList,
    RankedList,
    SimilarList,
    Source,
    Unwanted,
)
from services.gateway.models import RecommendationRequest
from services.gateway.privacy.choices import Choices
from services.gateway.service import Gateway
from services.gateway.shown import Impressions, ShownList
from services.gateway.tokens import Tokens
from services.gateway.tombstones import Tombstones

AS_OF = datetime(2026, 1, 31, 12, tzinfo=UTC)
KEYS = ApiKeys.parse(
    "events-key-0123456789:events, reader-key-0123456789:read,"
    "catalogue-key-0123456789:catalogue, admin-key-0123456789:admin"
)
TOKENS = Tokens.parse("k1:a-secret-of-32-characters-or-more")
ACCESS = Access(KEYS, TOKENS, Directory())


WHY = Explanation(0.5, 1.25, 0.0, (Cause("9", "Film 9", 0.75),))


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class MemoryCatalogue:
    def __init__(self) -> None:
        self.items: dict[str, CatalogueItem] = {}
        self.failure: HeadraceError | None = None

    async def get(self, item_id: str) -> CatalogueItem | None:
        self._fail()
        return self.items.get(item_id)

    async def upsert(self, items: Sequence[NewItem]) -> list[int]:
        self._fail()
        for item in items:
            known = self.items.get(item.item_id)
            self.items[item.item_id] = CatalogueItem(item, known.revision + 1 if known else 1)
        return [self.items[item.item_id].revision for item in items]

    async def delete(self, item_id: str) -> int:
        self._fail()
        if item_id not in self.items:
            raise NotFound(f"item {item_id!r} is unknown")
        return self.items.pop(item_id).revision + 1

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure


class MemoryRanker:
    """Ranks items by id, a person's from the end; does not hear of deletions. A cursor names what
    was shown."""

    def __init__(self, items: Sequence[NewItem]) -> None:
        self._items = list(items)
        self.failure: HeadraceError | None = None
        self.degraded: str | None = None
        self.calls = 0
        self.asked: list[RecommendationRequest] = []
        self.deadlines: list[float] = []

    def forget(self, item_id: str) -> None:
        self._items = [item for item in self._items if item.item_id != item_id]

    async def recommend(self, request: RecommendationRequest) -> RankedList:
        self._called()
        self.asked.append(request)
        if request.kind == "similar" and "lost" in request.items:
            raise NotFound("none of the items is in the catalogue")
        shown = (request.cursor or "").split()
        items = self._items if request.user_id is None else self._items[::-1]
        source: Source = "popular" if request.user_id is None else "retrieval"
        chosen = [
            _place(item, source)
            for item in items
            if item.item_id not in {*request.exclude, *request.session, *shown}
            and request.category in (None, *item.categories)
        ]
        told = [replace(one, explanation=WHY) if request.explain else one for one in chosen]
        return RankedList(
            model_version="m1",
            as_of=AS_OF,
            items=tuple(told[: request.n]),
            next_cursor=(
                None
                if request.cursor is None
                else " ".join([*shown, *(one.item_id for one in chosen[: request.n])])
            ),
            personal=request.user_id is not None,
            degraded=self.degraded,
            after="applied" if request.after else None,
        )

    async def similar(self, item_id: str, n: int, category: str | None) -> SimilarList:
        self._called()
        if item_id not in [item.item_id for item in self._items]:
            raise NotFound(f"item {item_id!r} is unknown")
        others = [
            _place(item, "similar")
            for item in self._items
            if item.item_id != item_id and category in (None, *item.categories)
        ]
        return SimilarList("m1", tuple(others[:n]))

    async def similar_users(self, user_id: str, n: int) -> NearPeople:
        self._called()
        if user_id == "nobody":
            raise NotFound("nothing is known of 'nobody' yet")
        return NearPeople("m1", tuple(NearPerson(f"like {user_id} {i}", 0.5) for i in range(n)))

    async def batch(
        self, request: BatchRequest, deadline_s: float
    ) -> AsyncGenerator[list[PersonList], None]:
        """Two people at a time. Fails once it comes to `away`; `nobody` has done nothing."""
        self._called()
        self.deadlines.append(deadline_s)
        names = request.user_ids or ["ann", "ben", "cleo"]
        for start in range(0, len(names), 2):
            lists = []
            for user_id in names[start : start + 2]:
                if user_id == "away":
                    raise Unavailable("user_embedding is away")
                ranked = await self.recommend(
                    RecommendationRequest(
                        user_id=None if user_id == "nobody" else user_id,
                        n=request.n,
                        category=request.category,
                        exclude=request.exclude,
                    )
                )
                known = 0 if user_id == "nobody" else 3
                lists.append(PersonList(user_id, "m1", AS_OF, known, ranked.items))
            yield lists

    def _called(self) -> None:
        self.calls += 1
        if self.failure is not None:
            raise self.failure


class MemoryEventLog:
    def __init__(self) -> None:
        self.events: list[AcceptedEvent] = []
        self.away = False

    async def append(self, events: Sequence[AcceptedEvent]) -> None:
        if self.away:
            raise Unavailable("Kafka is away")
        self.events.extend(events)


class MemoryImpressions:
    """Keeps what was shown."""

    def __init__(self) -> None:
        self.lists: list[ShownList] = []
        self.full = False

    def served(self, shown: ShownList) -> None:
        self.lists.append(shown)

    def reported(self, lists: Sequence[ShownList]) -> None:
        if self.full:
            raise Unavailable("too many lists wait to be noted down")
        self.lists.extend(lists)


class MemoryUnwanted:
    """What people said, by id, and for what was waited."""

    def __init__(self) -> None:
        self.said: dict[str, Unwanted] = {}
        self.waited: list[tuple[str, str]] = []

    async def of(self, user_id: str) -> Unwanted:
        return self.said.get(user_id, Unwanted())

    async def heard(self, user_id: str, event_id: str) -> None:
        self.waited.append((user_id, event_id))


class MemorySegments:
    """Who is in which, by name; in the others there is nobody."""

    def __init__(self) -> None:
        self.people: dict[str, list[str]] = {}

    async def members(self, segment: SegmentName) -> list[str]:
        return self.people.get(segment, [])


@dataclass
class World:
    """A gateway and everything around it. Items 1 to 6; even ones are Drama, odd ones Action."""

    clock: Clock = field(default_factory=Clock)
    catalogue: MemoryCatalogue = field(default_factory=MemoryCatalogue)
    event_log: MemoryEventLog = field(default_factory=MemoryEventLog)
    impressions: Impressions = field(default_factory=MemoryImpressions)
    unwanted: MemoryUnwanted = field(default_factory=MemoryUnwanted)
    segments: MemorySegments = field(default_factory=MemorySegments)

    def __post_init__(self) -> None:
        self.choices = Choices()
        self.choices.apply([])
        items = [film(number) for number in range(1, 7)]
        self.catalogue.items = {item.item_id: CatalogueItem(item, 1) for item in items}
        self.ranker = MemoryRanker(items)
        tombstones = Tombstones(seconds=60, clock=self.clock)
        self.gateway = Gateway(
            lists=Lists(
                ranker=self.ranker,
                fallback=Fallback(PersonalLists(places=100), PopularLists()),
                tombstones=tombstones,
                circuit=Circuit("ranker", failures=3, pause_s=1, clock=self.clock),
                impressions=self.impressions,
                choices=self.choices,
                unwanted=self.unwanted,
            ),
            events=Events(self.event_log, self.choices, self.unwanted),
            batches=Batches(
                ranker=self.ranker,
                tombstones=tombstones,
                choices=self.choices,
                unwanted=self.unwanted,
                segments=self.segments,
                impressions=self.impressions,
            ),
            items=Items(self.catalogue, tombstones),
        )

    def lose_ranker(self) -> None:
        self.ranker.failure = Unavailable("ranker: connection refused")


def film(number: int) -> NewItem:
    category = "Action" if number % 2 else "Drama"
    return NewItem(item_id=str(number), title=f"Film {number}", categories=(category,))


def ids(items: Sequence[ListedItem]) -> list[str]:
    return [item.item_id for item in items]


def _place(item: NewItem, source: Source) -> ListedItem:
    return ListedItem(item.item_id, 0.5, item.title, item.categories, source)

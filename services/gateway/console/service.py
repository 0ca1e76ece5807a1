"""What those who run the shop may look into, whichever door they came through."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from headrace.errors import NotFound
from services.gateway.accounts.interests import Interests, WarmUp
from services.gateway.catalogue.items import CatalogueItem
from services.gateway.console.item_models import ItemState, ShownAndChosen
from services.gateway.console.models import Inspection
from services.gateway.console.status_models import RankerStatus
from services.gateway.history.service import History
from services.gateway.history.store import HistoryEntry
from services.gateway.keys import Scope
from services.gateway.lists import ListedItem, RankedList, SimilarList
from services.gateway.models import RecommendationRequest
from services.gateway.service import Gateway

EVENTS = 50
SIMILAR = 12


class Inspected(NamedTuple):
    """A list of the ranker, and how it came about."""

    ranked: RankedList
    inspection: Inspection


class Inspector(Protocol):
    """Makes lists and tells how."""

    async def inspect(self, request: RecommendationRequest) -> Inspected:
        """Raises: InvalidInput, NotFound, Unavailable."""

    async def status(self) -> RankerStatus:
        """Of the ranker that answers. Raises: Unavailable."""


class ItemFacts(Protocol):
    """What is kept about items, hidden ones too."""

    async def of(self, item_id: str) -> tuple[ItemState, Sequence[ShownAndChosen]] | None:
        """None where the item is unknown. Raises: Unavailable."""


Similar = Callable[[str, int, str | None], Awaitable[SimilarList]]
"""The n items nearest to an item, of a category. Raises: NotFound, Unavailable."""


@dataclass(frozen=True, slots=True)
class ItemInspection:
    """item: None where it is hidden. in_lists: the ranker has it, and may show it."""

    state: ItemState
    item: CatalogueItem | None
    in_lists: bool
    similar: Sequence[ListedItem]
    windows: Sequence[ShownAndChosen]


@dataclass(frozen=True, slots=True)
class InspectedRecommendations:
    """interests: categories whose lists took the places of a person without history."""

    ranked: RankedList
    inspection: Inspection
    events: Sequence[HistoryEntry]
    interests: Sequence[str]


def scope_to_inspect(request: RecommendationRequest) -> Scope:
    """A list for nobody in particular tells of no person."""
    return Scope.CATALOGUE if request.user_id is None else Scope.ADMIN


class Console:
    """Both doors call these methods with checked requests; access is checked before."""

    def __init__(
        self,
        *,
        gateway: Gateway,
        inspector: Inspector,
        interests: Interests,
        history: History,
        facts: ItemFacts,
        similar: Similar,
    ) -> None:
        self._gateway = gateway
        self._inspector = inspector
        self._interests = interests
        self._history = history
        self._facts = facts
        self._similar = similar

    async def inspect(self, request: RecommendationRequest) -> InspectedRecommendations:
        """The list that the gateway answers to this request, and how it came about.

        Raises: InvalidInput, NotFound; Unavailable where the ranker or Postgres is away.
        """
        made: list[tuple[RecommendationRequest, Inspection]] = []

        async def recommend(asked: RecommendationRequest) -> RankedList:
            inspected = await self._inspector.inspect(asked)
            made.append((asked, inspected.inspection))
            return inspected.ranked

        warm = WarmUp(recommend, self._interests)
        ranked = await self._gateway.lists.previewed(request, warm.recommend)
        # The first is the request's own; each other is one of a category that the person named.
        (_, inspection), *named = made
        return InspectedRecommendations(
            ranked,
            inspection,
            events=() if request.user_id is None else await self._latest(request.user_id),
            interests=[asked.category for asked, _ in named if asked.category is not None],
        )

    async def item(self, item_id: str) -> ItemInspection:
        """What is known about an item, hidden or not.

        Raises: NotFound where it is unknown; Unavailable where ranker, catalogue or Postgres is
        away.
        """
        kept = await self._facts.of(item_id)
        if kept is None:
            raise NotFound(f"there was never an item {item_id!r}")
        state, windows = kept
        item = await self._gateway.items.get(item_id) if state.visibility == "visible" else None
        try:
            similar = (await self._similar(item_id, SIMILAR, None)).items
        except NotFound:
            return ItemInspection(state, item, False, (), windows)
        return ItemInspection(state, item, True, similar, windows)

    async def status(self) -> RankerStatus:
        """Of the ranker. Raises: Unavailable."""
        return await self._inspector.status()

    async def _latest(self, user_id: str) -> Sequence[HistoryEntry]:
        return (await self._history.page(user_id, EVENTS, None)).entries

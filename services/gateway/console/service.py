"""What those who run the shop may look into, whichever door they came through."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from services.gateway.accounts.interests import Interests, WarmUp
from services.gateway.console.models import Inspection, RankerStatus
from services.gateway.history.service import History
from services.gateway.history.store import HistoryEntry
from services.gateway.lists import RankedList
from services.gateway.models import RecommendationRequest
from services.gateway.service import Gateway

EVENTS = 50


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


@dataclass(frozen=True, slots=True)
class InspectedRecommendations:
    """interests: categories whose lists took the places of a person without history."""

    ranked: RankedList
    inspection: Inspection
    events: Sequence[HistoryEntry]
    interests: Sequence[str]


class Console:
    """Both doors call these methods with checked requests; access is checked before."""

    def __init__(
        self, *, gateway: Gateway, inspector: Inspector, interests: Interests, history: History
    ) -> None:
        self._gateway = gateway
        self._inspector = inspector
        self._interests = interests
        self._history = history

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
        ranked = await self._gateway.previewed(request, warm.recommend)
        # The first is the request's own; each other is one of a category that the person named.
        (_, inspection), *named = made
        return InspectedRecommendations(
            ranked,
            inspection,
            events=() if request.user_id is None else await self._latest(request.user_id),
            interests=[asked.category for asked, _ in named if asked.category is not None],
        )

    async def status(self) -> RankerStatus:
        """Of the ranker. Raises: Unavailable."""
        return await self._inspector.status()

    async def _latest(self, user_id: str) -> Sequence[HistoryEntry]:
        return (await self._history.page(user_id, EVENTS, None)).entries

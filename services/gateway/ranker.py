"""What the gateway needs of those who make lists."""

from collections.abc import AsyncGenerator
from typing import Protocol

from services.gateway.batches.models import BatchRequest
from services.gateway.lists import NearPeople, PersonList, RankedList, SimilarList
from services.gateway.models import RecommendationRequest


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

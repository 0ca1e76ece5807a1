"""The ranker, as people who are new meet it."""

import grpc

from services.gateway.accounts.interests import Interests, WarmUp
from services.gateway.lists import RankedList
from services.gateway.models import RecommendationRequest
from services.gateway.upstream import GrpcRanker


class WarmRanker(GrpcRanker):
    """The ranker over gRPC, whose first lists of a person follow their interests."""

    def __init__(
        self, channel: grpc.aio.Channel, deadline_ms: int, after_wait_ms: int, interests: Interests
    ) -> None:
        super().__init__(channel, deadline_ms, after_wait_ms)
        self._warm_up = WarmUp(super().recommend, interests)

    async def recommend(self, request: RecommendationRequest) -> RankedList:
        return await self._warm_up.recommend(request)

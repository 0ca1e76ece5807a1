"""The gRPC door of `opinions`: translates and nothing else."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field

from headrace.api.ranker.v1 import scoring_pb2, scoring_pb2_grpc
from headrace.contracts.filters import Filter
from headrace.contracts.identifiers import Identifier
from headrace.contracts.violations import check
from headrace.errors import InvalidInput
from headrace.index.encoding import from_bytes
from headrace.runtime.filter_messages import filter_fields
from services.ranker.grpc import ranked_items
from services.ranker.opinions import Opinions

if TYPE_CHECKING:
    import grpc

    Call = grpc.aio.ServicerContext[Any, Any]

SCORING = scoring_pb2.DESCRIPTOR.services_by_name["ScoringService"].full_name
_MOST = 200


class _Scored(BaseModel):
    user_id: Identifier
    item_ids: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=_MOST)]


class _Near(BaseModel):
    n: Annotated[int, Field(ge=1, le=_MOST)]
    filter: Filter | None = None


class ScoringServicer(scoring_pb2_grpc.ScoringServiceServicer):
    """As the proto says."""

    def __init__(self, opinions: Opinions, width: int) -> None:
        """width: D, of the model's vectors."""
        self._opinions = opinions
        self._width = width

    async def ScoreItems(  # noqa: N802
        self, request: scoring_pb2.ScoreItemsRequest, context: Call
    ) -> scoring_pb2.ScoreItemsResponse:
        asked = check(_Scored, {"user_id": request.user_id, "item_ids": tuple(request.item_ids)})
        scores = await self._opinions.scores(asked.user_id, asked.item_ids)
        return scoring_pb2.ScoreItemsResponse(
            scores=[
                scoring_pb2.ItemScore(item_id=item_id, score=score)
                for item_id, score in scores.items()
            ],
            model_version=self._opinions.model_version,
        )

    async def NearestItems(  # noqa: N802
        self, request: scoring_pb2.NearestItemsRequest, context: Call
    ) -> scoring_pb2.NearestItemsResponse:
        given = {"filter": filter_fields(request.filter)} if request.HasField("filter") else {}
        asked = check(_Near, {"n": request.n, **given})
        if request.width != self._width or len(request.vector) != 4 * self._width:
            raise InvalidInput.of("vector", f"must have {self._width} numbers of four bytes")
        near = await self._opinions.nearest(
            from_bytes(request.vector, self._width), request.model_version, asked.n, asked.filter
        )
        return scoring_pb2.NearestItemsResponse(items=ranked_items(near))

"""The services that know what there is and what people like, over gRPC."""

from collections.abc import Sequence
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict

from headrace.api.catalogue.v1 import search_pb2
from headrace.api.item_embedding.v1 import item_embedding_pb2, item_embedding_pb2_grpc
from headrace.api.ranker.v1 import scoring_pb2, scoring_pb2_grpc
from headrace.contracts.filters import Condition
from headrace.contracts.finding import FindRequest
from headrace.contracts.items import NewItem
from headrace.runtime.filter_messages import filter_message
from headrace.runtime.finding_messages import sort_number
from headrace.runtime.grpc_channel import call
from headrace.runtime.item_messages import item_fields
from services.gateway.catalogue.discovery import FoundItem, FoundPage, Taste

_NAME = "item_embedding"
_MATCHES: dict[int, str] = {
    search_pb2.MATCH_ALL_WORDS: "all_words",
    search_pb2.MATCH_CORRECTED: "corrected",
    search_pb2.MATCH_SOME_WORDS: "some_words",
    search_pb2.MATCH_NEAREST: "nearest",
    search_pb2.MATCH_NONE: "none",
}


class GrpcFinder:
    """item_embedding."""

    def __init__(self, channel: grpc.aio.Channel, deadline_ms: int) -> None:
        self._stub = item_embedding_pb2_grpc.ItemEmbeddingServiceStub(channel)
        self._deadline_s = deadline_ms / 1000

    async def find(self, request: FindRequest) -> FoundPage:
        message = item_embedding_pb2.FindItemsRequest(
            query=request.query,
            filter=None if request.filter is None else filter_message(_fields(request.filter)),
            sort=sort_number(request.sort),
            n=request.n,
            cursor=request.cursor,
            facets=request.facets,
        )
        answer = await call(self._stub.FindItems, message, _NAME, self._deadline_s)
        return FoundPage(
            items=[FoundItem(_item(one.item), one.score) for one in answer.items],
            total=answer.total,
            next_cursor=answer.next_cursor,
            match=_MATCHES.get(answer.match, ""),
            corrected_query=answer.corrected_query,
            facets=facet_fields(answer.facets) if answer.HasField("facets") else None,
            query_vector=answer.query_vector,
            model_version=answer.model_version,
        )

    async def categories(self, under: str) -> list[tuple[str, int]]:
        message = item_embedding_pb2.ListCategoriesRequest(under=under)
        answer = await call(self._stub.ListCategories, message, _NAME, self._deadline_s)
        return [(one.path, one.items) for one in answer.categories]

    async def suggest(self, query: str, n: int) -> list[tuple[str, str]]:
        message = item_embedding_pb2.SuggestItemsRequest(query=query, n=n)
        answer = await call(self._stub.SuggestItems, message, _NAME, self._deadline_s)
        return [(one.item_id, one.title) for one in answer.suggestions]

    async def unanswered(self, n: int) -> list[tuple[str, int]]:
        message = item_embedding_pb2.ListUnansweredSearchesRequest(n=n)
        answer = await call(self._stub.ListUnansweredSearches, message, _NAME, self._deadline_s)
        return [(one.query, one.times) for one in answer.searches]

    async def read(self, item_ids: Sequence[str]) -> list[NewItem]:
        message = item_embedding_pb2.GetItemsRequest(item_ids=item_ids)
        answer = await call(self._stub.GetItems, message, _NAME, self._deadline_s)
        return [_item(change.item) for change in answer.changes]


class GrpcOpinions:
    """The ranker."""

    def __init__(self, channel: grpc.aio.Channel, deadline_ms: int) -> None:
        self._stub = scoring_pb2_grpc.ScoringServiceStub(channel)
        self._deadline_s = deadline_ms / 1000

    async def taste(self, user_id: str, item_ids: Sequence[str]) -> Taste:
        message = scoring_pb2.ScoreItemsRequest(user_id=user_id, item_ids=item_ids)
        answer = await call(self._stub.ScoreItems, message, "ranker", self._deadline_s)
        return Taste(answer.model_version, {one.item_id: one.score for one in answer.scores})

    async def nearest(
        self, vector: bytes, model_version: str, n: int, condition: Condition | None
    ) -> list[tuple[str, float]]:
        message = scoring_pb2.NearestItemsRequest(
            vector=vector,
            width=len(vector) // 4,
            model_version=model_version,
            n=n,
            filter=None if condition is None else filter_message(_fields(condition)),
        )
        answer = await call(self._stub.NearestItems, message, "ranker", self._deadline_s)
        return [(one.item_id, one.score) for one in answer.items]


def facet_fields(facets: search_pb2.Facets) -> dict[str, Any]:
    """As JSON has them. 64-bit numbers stay numbers."""
    fields: dict[str, Any] = MessageToDict(
        facets, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    for price, message in zip(fields["prices"], facets.prices, strict=True):
        price["ranges"] = [
            {"min": one.min, "max": one.max, "count": one.count} for one in message.ranges
        ]
    return fields


def _fields(condition: Condition) -> dict[str, Any]:
    return condition.model_dump(exclude_none=True)


def _item(message: Any) -> NewItem:
    """What the catalogue's owner has checked."""
    return NewItem.model_validate(item_fields(message))

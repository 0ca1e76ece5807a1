"""The services that the gateway asks, behind its protocols."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from datetime import UTC

import grpc

from headrace.api.item_embedding.v1 import item_embedding_pb2, item_embedding_pb2_grpc
from headrace.api.ranker.v1 import ranker_pb2, ranker_pb2_grpc
from headrace.api.user_embedding.v1 import user_embedding_pb2
from headrace.contracts.items import NewItem
from headrace.runtime.grpc_channel import call, streamed
from headrace.runtime.item_messages import item_fields, item_message
from headrace.runtime.list_option_messages import put_options, put_rules
from headrace.runtime.timestamps import to_timestamp
from services.gateway.batches.models import BatchRequest
from services.gateway.catalogue.items import CatalogueItem
from services.gateway.lists import (
    AfterStatus,
    Cause,
    Explanation,
    ListedItem,
    NearPeople,
    NearPerson,
    PersonList,
    RankedList,
    SimilarList,
    Source,
)
from services.gateway.models import RecommendationRequest

SOURCES: dict[int, Source] = {
    ranker_pb2.SOURCE_RETRIEVAL: "retrieval",
    ranker_pb2.SOURCE_TRENDING: "trending",
    ranker_pb2.SOURCE_POPULAR: "popular",
    ranker_pb2.SOURCE_SIMILAR: "similar",
    ranker_pb2.SOURCE_PINNED: "pinned",
    ranker_pb2.SOURCE_NEW: "new",
    ranker_pb2.SOURCE_PEOPLE: "people",
    ranker_pb2.SOURCE_SEARCH: "search",
}
SOURCE_NUMBERS = {name: ranker_pb2.Source.ValueType(number) for number, name in SOURCES.items()}
STATUSES: dict[int, AfterStatus] = {
    user_embedding_pb2.EVENT_STATUS_APPLIED: "applied",
    user_embedding_pb2.EVENT_STATUS_PENDING: "pending",
    user_embedding_pb2.EVENT_STATUS_WAITING_FOR_ITEM: "waiting_for_item",
    user_embedding_pb2.EVENT_STATUS_REFUSED: "refused",
    user_embedding_pb2.EVENT_STATUS_UNKNOWN: "unknown",
}


# Added to the deadline of a list that is to be explained: it is computed some twenty times.
_EXPLAIN_MS = 2_000


class GrpcRanker:
    """The ranker over gRPC.

    deadline_ms: for a list; after_wait_ms is added where the list waits for an event.
    """

    def __init__(self, channel: grpc.aio.Channel, deadline_ms: int, after_wait_ms: int) -> None:
        self._stub = ranker_pb2_grpc.RankerServiceStub(channel)
        self._deadline_ms = deadline_ms
        self._after_wait_ms = after_wait_ms

    async def recommend(self, request: RecommendationRequest) -> RankedList:
        message = recommend_message(request, self._after_wait_ms)
        explain_ms = _EXPLAIN_MS if request.explain else 0
        answer = await call(
            self._stub.Recommend,
            message,
            "ranker",
            (self._deadline_ms + message.after_timeout_ms + explain_ms) / 1000,
        )
        return ranked_list(request, answer)

    async def similar(self, item_id: str, n: int, category: str | None) -> SimilarList:
        answer = await call(
            self._stub.SimilarItems,
            ranker_pb2.SimilarItemsRequest(item_id=item_id, n=n, category=category or ""),
            "ranker",
            self._deadline_ms / 1000,
        )
        return SimilarList(answer.model_version, _items(answer.items))

    async def similar_users(self, user_id: str, n: int) -> NearPeople:
        answer = await call(
            self._stub.SimilarUsers,
            ranker_pb2.SimilarUsersRequest(user_id=user_id, n=n),
            "ranker",
            self._deadline_ms / 1000,
        )
        users = tuple(NearPerson(one.user_id, round(one.score, 6)) for one in answer.users)
        return NearPeople(answer.model_version, users)

    async def batch(
        self, request: BatchRequest, deadline_s: float
    ) -> AsyncGenerator[list[PersonList], None]:
        message = ranker_pb2.BatchRecommendRequest(
            user_ids=request.user_ids,
            active_since=None
            if request.active_since is None
            else to_timestamp(request.active_since),
            n=request.n,
            category=request.category or "",
            exclude=request.exclude,
        )
        put_rules(request, message)
        answers = streamed(self._stub.BatchRecommend, message, "ranker", deadline_s)
        async with aclosing(answers):
            async for answer in answers:
                yield [
                    PersonList(
                        one.user_id,
                        answer.model_version,
                        one.as_of.ToDatetime(UTC),
                        one.n_applied,
                        _items(one.items),
                    )
                    for one in answer.lists
                ]


class GrpcCatalogue:
    """item_embedding over gRPC."""

    def __init__(self, channel: grpc.aio.Channel, deadline_ms: int) -> None:
        self._stub = item_embedding_pb2_grpc.ItemEmbeddingServiceStub(channel)
        self._deadline_s = deadline_ms / 1000

    async def get(self, item_id: str) -> CatalogueItem | None:
        answer = await call(
            self._stub.GetItems,
            item_embedding_pb2.GetItemsRequest(item_ids=[item_id]),
            "item_embedding",
            self._deadline_s,
        )
        if not answer.changes:
            return None
        change = answer.changes[0]
        return CatalogueItem(NewItem.model_validate(item_fields(change.item)), change.revision)

    async def upsert(self, items: Sequence[NewItem]) -> list[int]:
        request = item_embedding_pb2.UpsertItemsRequest(
            items=[item_message(item) for item in items]
        )
        answer = await call(self._stub.UpsertItems, request, "item_embedding", self._deadline_s)
        return [change.revision for change in answer.changes]

    async def delete(self, item_id: str) -> int:
        answer = await call(
            self._stub.DeleteItem,
            item_embedding_pb2.DeleteItemRequest(item_id=item_id),
            "item_embedding",
            self._deadline_s,
        )
        return answer.change.revision


def recommend_message(
    request: RecommendationRequest, after_wait_ms: int
) -> ranker_pb2.RecommendRequest:
    """after_wait_ms: how long the list waits where it is to wait for an event."""
    message = ranker_pb2.RecommendRequest(
        user_id=request.user_id or "",
        session=request.session,
        n=request.n,
        category=request.category or "",
        exclude=request.exclude,
        after_event_id=request.after or "",
        after_timeout_ms=0 if request.after is None else after_wait_ms,
    )
    put_options(request, message)
    return message


def ranked_list(request: RecommendationRequest, answer: ranker_pb2.RecommendResponse) -> RankedList:
    return RankedList(
        model_version=answer.model_version,
        as_of=answer.as_of.ToDatetime(UTC),
        items=_items(answer.items),
        personal=answer.n_applied > 0,
        degraded=answer.degraded or None,
        after=STATUSES.get(answer.after_status, "unknown") if request.after else None,
        next_cursor=answer.next_cursor or None,
    )


def _explanation(item: ranker_pb2.RankedItem) -> Explanation:
    told = item.explanation
    return Explanation(
        round(told.anybody, 6),
        round(told.history, 6),
        round(told.boosts, 6),
        tuple(Cause(one.item_id, one.title, round(one.log_odds, 6)) for one in told.because),
    )


def _items(ranked: Iterable[ranker_pb2.RankedItem]) -> tuple[ListedItem, ...]:
    return tuple(
        [
            ListedItem(
                item.item_id,
                round(item.score, 6),  # float32 has no more
                item.title,
                tuple(item.categories),
                SOURCES.get(item.source, "retrieval"),
                item.propensity if item.HasField("propensity") else None,
                _explanation(item) if item.HasField("explanation") else None,
                item.picture_url,
            )
            for item in ranked
        ]
    )

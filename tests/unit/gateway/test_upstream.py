"""The adapters speak to the ranker and to item_embedding as their contracts say."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from headrace.api.catalogue.v1 import catalogue_pb2
from headrace.api.events.v1 import events_pb2
from headrace.api.item_embedding.v1 import item_embedding_pb2, item_embedding_pb2_grpc
from headrace.api.ranker.v1 import filter_pb2, ranker_pb2, ranker_pb2_grpc
from headrace.api.user_embedding.v1 import user_embedding_pb2
from headrace.contracts.events import NewEvent
from headrace.contracts.filters import Condition, OneTag
from headrace.errors import DeadlineExceeded, InvalidInput, NotFound, Unavailable
from headrace.runtime.grpc_channel import open_channel
from headrace.runtime.grpc_server import CallInterceptor
from services.gateway.batches.models import BatchRequest
from services.gateway.events.kafka_log import to_record
from services.gateway.events.service import AcceptedEvent
from services.gateway.lists import ListedItem, NearPeople, NearPerson
from services.gateway.models import RecommendationRequest
from services.gateway.upstream import GrpcCatalogue, GrpcRanker
from tests.pretended_item_embedding import PretendedItemEmbedding
from tests.unit.gateway.memory import AS_OF, WHY, film

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Context = grpc.aio.ServicerContext[Any, Any]


class OneItemRanker(ranker_pb2_grpc.RankerServiceServicer):
    """Lists one item, and tells what it was asked."""

    def __init__(self) -> None:
        self.asked: list[ranker_pb2.RecommendRequest] = []
        self.why: ranker_pb2.Explanation | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def Recommend(  # noqa: N802
        self, request: ranker_pb2.RecommendRequest, context: Context
    ) -> ranker_pb2.RecommendResponse:
        self.asked.append(request)
        await self.answers.wait()
        if request.category == "refused":
            raise InvalidInput.of("category", "must be another")
        answer = ranker_pb2.RecommendResponse(
            model_version="m1",
            n_applied=3,
            degraded="user_embedding_unavailable",
            items=[_ranked("1", ranker_pb2.SOURCE_TRENDING)],
            after_status=user_embedding_pb2.EVENT_STATUS_PENDING,
        )
        answer.as_of.FromDatetime(AS_OF)
        if self.why is not None:
            answer.items[0].explanation.CopyFrom(self.why)
        return answer

    async def SimilarItems(  # noqa: N802
        self, request: ranker_pb2.SimilarItemsRequest, context: Context
    ) -> ranker_pb2.SimilarItemsResponse:
        if request.item_id == "unknown":
            raise NotFound("no such item")
        return ranker_pb2.SimilarItemsResponse(
            model_version="m1", items=[_ranked("2", ranker_pb2.SOURCE_SIMILAR)]
        )

    async def SimilarUsers(  # noqa: N802
        self, request: ranker_pb2.SimilarUsersRequest, context: Context
    ) -> ranker_pb2.SimilarUsersResponse:
        near = ranker_pb2.SimilarUser(user_id=f"like {request.user_id}", score=0.25)
        return ranker_pb2.SimilarUsersResponse(model_version="m1", users=[near] * request.n)

    async def BatchRecommend(  # noqa: N802
        self, request: ranker_pb2.BatchRecommendRequest, context: Context
    ) -> AsyncIterator[ranker_pb2.BatchRecommendResponse]:
        for user_id in request.user_ids:
            if user_id == "away":
                raise Unavailable("user_embedding: away")
            one = ranker_pb2.PersonList(
                user_id=user_id, n_applied=2, items=[_ranked("1", ranker_pb2.SOURCE_RETRIEVAL)]
            )
            one.as_of.FromDatetime(AS_OF)
            yield ranker_pb2.BatchRecommendResponse(model_version="m1", lists=[one])


class DictCatalogue(PretendedItemEmbedding):
    def __init__(self) -> None:
        self.items: dict[str, catalogue_pb2.Item] = {}

    async def UpsertItems(  # noqa: N802
        self, request: item_embedding_pb2.UpsertItemsRequest, context: Context
    ) -> item_embedding_pb2.UpsertItemsResponse:
        self.items |= {item.item_id: item for item in request.items}
        changes = [catalogue_pb2.ItemChange(item=item, revision=7) for item in request.items]
        return item_embedding_pb2.UpsertItemsResponse(changes=changes)

    async def DeleteItem(  # noqa: N802
        self, request: item_embedding_pb2.DeleteItemRequest, context: Context
    ) -> item_embedding_pb2.DeleteItemResponse:
        if self.items.pop(request.item_id, None) is None:
            raise NotFound("no such item")
        return item_embedding_pb2.DeleteItemResponse(change=catalogue_pb2.ItemChange(revision=8))

    async def GetItems(  # noqa: N802
        self, request: item_embedding_pb2.GetItemsRequest, context: Context
    ) -> item_embedding_pb2.GetItemsResponse:
        found = [self.items[item_id] for item_id in request.item_ids if item_id in self.items]
        changes = [catalogue_pb2.ItemChange(item=item, revision=7) for item in found]
        return item_embedding_pb2.GetItemsResponse(changes=changes)


def _ranked(item_id: str, source: ranker_pb2.Source.ValueType) -> ranker_pb2.RankedItem:
    return ranker_pb2.RankedItem(
        item_id=item_id,
        score=0.1,
        title=f"Film {item_id}",
        categories=["Drama"],
        source=source,
        picture_url=f"/pictures/{item_id}.jpg",
    )


@asynccontextmanager
async def _served(
    ranker: OneItemRanker, catalogue: DictCatalogue
) -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server(interceptors=[CallInterceptor()])
    ranker_pb2_grpc.add_RankerServiceServicer_to_server(ranker, server)
    item_embedding_pb2_grpc.add_ItemEmbeddingServiceServicer_to_server(catalogue, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with open_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(None)


async def test_a_list_comes_through_whole() -> None:
    servicer = OneItemRanker()
    async with _served(servicer, DictCatalogue()) as channel:
        request = RecommendationRequest(
            user_id="u", session=["3"], n=7, category="Drama", exclude=["4"], after="e",
            filter=Condition(tag=OneTag(one_of=("new",))), include_seen=True,
        )  # fmt: skip
        ranked = await GrpcRanker(channel, 5_000, 250).recommend(request)
    assert servicer.asked == [
        ranker_pb2.RecommendRequest(
            user_id="u", session=["3"], n=7, category="Drama", exclude=["4"],
            after_event_id="e", after_timeout_ms=250, include_seen=True,
            filter=filter_pb2.Filter(tag=filter_pb2.OneOf(one_of=["new"])),
        )
    ]  # fmt: skip
    assert ranked.items == (
        ListedItem("1", 0.1, "Film 1", ("Drama",), "trending", picture_url="/pictures/1.jpg"),
    )
    assert (ranked.as_of, ranked.personal) == (AS_OF, True)
    assert (ranked.degraded, ranked.after) == ("user_embedding_unavailable", "pending")


async def test_an_explanation_comes_through_whole() -> None:
    servicer = OneItemRanker()
    servicer.why = ranker_pb2.Explanation(
        anybody=0.5,
        history=1.25,
        because=[ranker_pb2.Cause(item_id="9", title="Film 9", log_odds=0.75)],
    )
    async with _served(servicer, DictCatalogue()) as channel:
        ranked = await GrpcRanker(channel, 5_000, 250).recommend(
            RecommendationRequest(user_id="u", explain=True)
        )
    assert servicer.asked[0].explain
    assert ranked.items[0].explanation == WHY


async def test_people_alike_come_through_whole() -> None:
    async with _served(OneItemRanker(), DictCatalogue()) as channel:
        near = await GrpcRanker(channel, 5_000, 250).similar_users("ann", 1)
    assert near == NearPeople("m1", (NearPerson("like ann", 0.25),))


async def test_a_list_that_waits_for_nothing_has_no_event_status() -> None:
    async with _served(OneItemRanker(), DictCatalogue()) as channel:
        ranked = await GrpcRanker(channel, 5_000, 250).recommend(RecommendationRequest())
    assert ranked.after is None


async def test_the_rankers_errors_come_through() -> None:
    async with _served(OneItemRanker(), DictCatalogue()) as channel:
        ranker = GrpcRanker(channel, 5_000, 250)
        with pytest.raises(InvalidInput) as refused:
            await ranker.recommend(RecommendationRequest(category="refused"))
        assert refused.value.violations[0].field == "category"
        with pytest.raises(NotFound):
            await ranker.similar("unknown", 5, None)
        assert (await ranker.similar("1", 5, None)).items[0].source == "similar"


async def test_a_ranker_that_does_not_answer_is_given_up_at_the_deadline() -> None:
    servicer = OneItemRanker()
    servicer.answers.clear()
    async with _served(servicer, DictCatalogue()) as channel:
        with pytest.raises(DeadlineExceeded):
            await GrpcRanker(channel, 50, 250).recommend(RecommendationRequest())


async def test_a_ranker_that_is_not_there_is_unavailable() -> None:
    async with open_channel("127.0.0.1:1") as channel:
        with pytest.raises(Unavailable):
            await GrpcRanker(channel, 5_000, 250).recommend(RecommendationRequest())


async def test_items_are_stored_read_and_hidden() -> None:
    async with _served(OneItemRanker(), DictCatalogue()) as channel:
        catalogue = GrpcCatalogue(channel, 5_000)
        assert await catalogue.upsert([film(1), film(2)]) == [7, 7]
        found = await catalogue.get("1")
        assert found is not None
        assert (found.item, found.revision) == (film(1), 7)
        assert await catalogue.delete("1") == 8
        assert await catalogue.get("1") is None
        with pytest.raises(NotFound):
            await catalogue.delete("1")


def test_a_record_says_when_it_happened_only_where_the_sender_did() -> None:
    now = datetime(2026, 2, 1, tzinfo=UTC)
    silent = NewEvent(user_id="u", item_id="1", type="rating", value=4)
    event = events_pb2.Event.FromString(to_record(AcceptedEvent("e", silent, now)))
    assert event.type == events_pb2.EVENT_TYPE_RATING
    assert (event.event_id, event.value) == ("e", 4)
    assert not event.HasField("occurred_at")
    assert event.accepted_at.ToDatetime(UTC) == now
    told = silent.model_copy(update={"occurred_at": AS_OF, "value": None})
    event = events_pb2.Event.FromString(to_record(AcceptedEvent("e", told, now)))
    assert event.occurred_at.ToDatetime(UTC) == AS_OF
    assert not event.HasField("value")


async def test_lists_of_many_come_through_until_something_breaks() -> None:
    async with _served(OneItemRanker(), DictCatalogue()) as channel:
        ranker = GrpcRanker(channel, deadline_ms=300, after_wait_ms=0)
        made = ranker.batch(BatchRequest(user_ids=["ann", "away"], n=1), 5)
        (one,) = await anext(made)
        assert (one.user_id, one.n_applied, one.as_of) == ("ann", 2, AS_OF)
        assert one.items[0].picture_url == "/pictures/1.jpg"
        with pytest.raises(Unavailable, match="ranker: user_embedding: away"):
            await anext(made)

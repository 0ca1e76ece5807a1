"""The gRPC door: translates, and nothing else."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from headrace.api.events.v1 import events_pb2
from headrace.api.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from headrace.api.ranker.v1 import ranker_pb2
from headrace.api.user_embedding.v1 import user_embedding_pb2
from headrace.contracts.list_kinds import ListKind
from headrace.contracts.violations import check
from headrace.runtime.context import current
from headrace.runtime.item_messages import item_fields, item_message
from headrace.runtime.list_option_messages import KINDS, kind_fields, option_fields, rule_fields
from headrace.runtime.timestamps import to_moment, to_timestamp
from services.gateway.access import Access
from services.gateway.batches.models import DEADLINE_S, BatchRequest, RecordImpressionsRequest
from services.gateway.keys import Scope
from services.gateway.lists import Explanation, ListedItem, PersonList, RankedList
from services.gateway.models import (
    ItemReference,
    RecommendationRequest,
    RecordEventsRequest,
    SimilarRequest,
    SimilarUsersRequest,
    UpsertItemsRequest,
)
from services.gateway.service import Gateway
from services.gateway.upstream import SOURCE_NUMBERS, SOURCES, STATUSES

if TYPE_CHECKING:
    Call = grpc.aio.ServicerContext[Any, Any]

SERVICE = gateway_pb2.DESCRIPTOR.services_by_name["GatewayService"].full_name

_STATUSES = {name: number for number, name in STATUSES.items()}


class GatewayServicer(gateway_pb2_grpc.GatewayServiceServicer):
    """GatewayService. Errors become status codes in the interceptor of `grpc_server`."""

    def __init__(self, gateway: Gateway, access: Access) -> None:
        self._gateway = gateway
        self._access = access

    async def RecordEvents(  # noqa: N802
        self, request: gateway_pb2.RecordEventsRequest, context: Call
    ) -> gateway_pb2.RecordEventsResponse:
        caller = self._access.caller(_authorization(context))
        body = check(
            RecordEventsRequest, {"events": [_event_fields(one) for one in request.events]}
        )
        caller.require(Scope.EVENTS, {event.user_id for event in body.events})
        event_ids = await self._gateway.events.record(body.events)
        return gateway_pb2.RecordEventsResponse(event_ids=event_ids)

    async def Recommend(  # noqa: N802
        self, request: gateway_pb2.RecommendRequest, context: Call
    ) -> gateway_pb2.RecommendResponse:
        asked = recommendation_request(request)
        if asked.user_id is not None:
            self._access.require(_authorization(context), Scope.READ, [asked.user_id])
        return recommend_response(await self._gateway.lists.recommend(asked))

    async def SimilarItems(  # noqa: N802
        self, request: gateway_pb2.SimilarItemsRequest, context: Call
    ) -> gateway_pb2.SimilarItemsResponse:
        given = _given(user_id=request.user_id)
        asked = check(
            SimilarRequest, {"item_id": request.item_id, **given, **_list_fields(request)}
        )
        if asked.user_id is not None:
            self._access.require(_authorization(context), Scope.READ, [asked.user_id])
        found = await self._gateway.lists.similar(
            asked.item_id, asked.n, asked.category, asked.user_id
        )
        return gateway_pb2.SimilarItemsResponse(
            request_id=_request_id(),
            model_version=found.model_version,
            items=ranked_items(found.items),
        )

    async def SimilarUsers(  # noqa: N802
        self, request: gateway_pb2.SimilarUsersRequest, context: Call
    ) -> gateway_pb2.SimilarUsersResponse:
        self._access.require(_authorization(context), Scope.READ)
        count = {"n": request.n} if request.HasField("n") else {}
        asked = check(SimilarUsersRequest, {"user_id": request.user_id, **count})
        near = await self._gateway.lists.similar_users(asked.user_id, asked.n)
        return gateway_pb2.SimilarUsersResponse(
            request_id=_request_id(),
            model_version=near.model_version,
            users=[
                ranker_pb2.SimilarUser(user_id=one.user_id, score=one.score) for one in near.users
            ],
        )

    def BatchRecommend(  # noqa: N802
        self, request: gateway_pb2.BatchRecommendRequest, context: Call
    ) -> AsyncGenerator[gateway_pb2.BatchRecommendResponse, None]:
        self._access.require(_authorization(context), Scope.READ)
        left_s = context.time_remaining()
        deadline_s = DEADLINE_S if left_s is None else min(left_s, DEADLINE_S)
        asked = _batch_request(request)
        return _batch_messages(self._gateway.batches.make(asked, deadline_s), asked.kind)

    async def RecordImpressions(  # noqa: N802
        self, request: gateway_pb2.RecordImpressionsRequest, context: Call
    ) -> gateway_pb2.RecordImpressionsResponse:
        caller = self._access.caller(_authorization(context))
        body = check(RecordImpressionsRequest, {"lists": tuple(map(_shown_fields, request.lists))})
        caller.require(Scope.EVENTS, {one.user_id for one in body.lists})
        self._gateway.batches.shown(body.lists)
        return gateway_pb2.RecordImpressionsResponse(lists=len(body.lists))

    async def GetItem(  # noqa: N802
        self, request: gateway_pb2.GetItemRequest, context: Call
    ) -> gateway_pb2.GetItemResponse:
        asked = check(ItemReference, {"item_id": request.item_id})
        found = await self._gateway.items.get(asked.item_id)
        return gateway_pb2.GetItemResponse(item=item_message(found.item), revision=found.revision)

    async def UpsertItems(  # noqa: N802
        self, request: gateway_pb2.UpsertItemsRequest, context: Call
    ) -> gateway_pb2.UpsertItemsResponse:
        self._access.require(_authorization(context), Scope.CATALOGUE)
        body = check(UpsertItemsRequest, {"items": [item_fields(one) for one in request.items]})
        revisions = await self._gateway.items.upsert(body.items)
        return gateway_pb2.UpsertItemsResponse(
            items=[
                gateway_pb2.UpsertedItem(item_id=item.item_id, revision=revision)
                for item, revision in zip(body.items, revisions, strict=True)
            ]
        )

    async def DeleteItem(  # noqa: N802
        self, request: gateway_pb2.DeleteItemRequest, context: Call
    ) -> gateway_pb2.DeleteItemResponse:
        asked = check(ItemReference, {"item_id": request.item_id})
        self._access.require(_authorization(context), Scope.CATALOGUE)
        return gateway_pb2.DeleteItemResponse(
            revision=await self._gateway.items.delete(asked.item_id)
        )


def recommendation_request(request: gateway_pb2.RecommendRequest) -> RecommendationRequest:
    """Raises: InvalidInput naming each field."""
    return check(
        RecommendationRequest,
        {
            **_given(user_id=request.user_id, after=request.after),
            **_list_fields(request),
            "session": list(request.session),
            "exclude": list(request.exclude),
            **option_fields(request),
        },
    )


def recommend_response(ranked: RankedList) -> gateway_pb2.RecommendResponse:
    answer = gateway_pb2.RecommendResponse(
        request_id=_request_id(),
        model_version=ranked.model_version,
        as_of=to_timestamp(ranked.as_of),
        degraded=ranked.degraded,
        items=ranked_items(ranked.items),
        next_cursor=ranked.next_cursor,
        personal=ranked.personal,
        not_personal_because=ranked.not_personal_because,
    )
    if ranked.after is not None:
        answer.after_status = user_embedding_pb2.EventStatus.ValueType(_STATUSES[ranked.after])
    return answer


def _event_fields(event: gateway_pb2.NewEvent) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "user_id": event.user_id,
        "item_id": event.item_id if event.item_id or not event.category else None,
        **_given(event_id=event.event_id, type=_type_name(event.type), category=event.category),
    }
    if event.HasField("occurred_at"):
        fields["occurred_at"] = _moment(event.occurred_at)
    if event.HasField("value"):
        fields["value"] = event.value
    return fields


def _batch_request(request: gateway_pb2.BatchRecommendRequest) -> BatchRequest:
    fields: dict[str, Any] = {
        "user_ids": list(request.user_ids),
        "exclude": list(request.exclude),
        **_given(category=request.category, segment=request.segment),
        **rule_fields(request),
    }
    if request.HasField("n"):
        fields["n"] = request.n
    if request.HasField("active_since"):
        fields["active_since"] = _moment(request.active_since)
    return check(BatchRequest, fields)


async def _batch_messages(
    lists: AsyncGenerator[list[PersonList], None], kind: ListKind
) -> AsyncGenerator[gateway_pb2.BatchRecommendResponse, None]:
    async with aclosing(lists):
        async for some in lists:
            if some:
                yield gateway_pb2.BatchRecommendResponse(
                    model_version=some[0].model_version,
                    lists=map(_person_list, some),
                    request_id=_request_id(),
                    kind=KINDS[kind],
                )


def _shown_fields(shown: gateway_pb2.ShownList) -> dict[str, Any]:
    return {
        "request_id": shown.request_id,
        "user_id": shown.user_id,
        "model_version": shown.model_version,
        "personal": shown.personal,
        **kind_fields(shown.kind),
        "items": tuple(
            {
                "item_id": one.item_id,
                "score": one.score,
                # The number of an unknown one stays, for whoever checks to name.
                "source": SOURCES.get(one.source, str(one.source)),
                "propensity": one.propensity if one.HasField("propensity") else None,
            }
            for one in shown.items
        ),
    }


def _person_list(one: PersonList) -> ranker_pb2.PersonList:
    return ranker_pb2.PersonList(
        user_id=one.user_id,
        as_of=to_timestamp(one.as_of),
        n_applied=one.n_applied,
        items=ranked_items(one.items),
    )


def _type_name(number: int) -> str:
    """`click` for EVENT_TYPE_CLICK; empty where it is absent, a number where it is unknown."""
    if number == events_pb2.EVENT_TYPE_UNSPECIFIED:
        return ""
    if number not in events_pb2.EventType.values():
        return str(number)
    name = events_pb2.EventType.Name(events_pb2.EventType.ValueType(number))
    return name.removeprefix("EVENT_TYPE_").lower()


def _moment(timestamp: Timestamp) -> datetime:
    try:
        return to_moment(timestamp)
    except ValueError:
        return datetime.max.replace(tzinfo=UTC)  # as far outside of what is allowed


def _list_fields(
    request: gateway_pb2.RecommendRequest | gateway_pb2.SimilarItemsRequest,
) -> dict[str, Any]:
    count = {"n": request.n} if request.HasField("n") else {}
    return {**count, **_given(category=request.category)}


def _given(**texts: str) -> dict[str, Any]:
    """Those that are not empty: in protobuf, empty text means absent."""
    return {name: text for name, text in texts.items() if text}


def _explanation(explanation: Explanation) -> ranker_pb2.Explanation:
    return ranker_pb2.Explanation(
        anybody=explanation.anybody,
        history=explanation.history,
        boosts=explanation.boosts,
        because=[
            ranker_pb2.Cause(item_id=one.item_id, title=one.title, log_odds=one.log_odds)
            for one in explanation.because
        ],
    )


def ranked_items(items: Iterable[ListedItem]) -> list[ranker_pb2.RankedItem]:
    return [
        ranker_pb2.RankedItem(
            item_id=item.item_id,
            score=item.score,
            title=item.title,
            categories=item.categories,
            source=SOURCE_NUMBERS[item.source],
            propensity=item.propensity,
            explanation=None if item.explanation is None else _explanation(item.explanation),
            picture_url=item.picture_url,
        )
        for item in items
    ]


def _authorization(context: Call) -> str | None:
    for key, value in context.invocation_metadata() or ():
        if key == "authorization":
            return value if isinstance(value, str) else None
    return None


def _request_id() -> str:
    request = current()
    return request.request_id if request is not None else ""

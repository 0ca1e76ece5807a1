"""Behaviour over gRPC: translates, and nothing else."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from typing import TYPE_CHECKING, Any

import grpc

from headrace.api.behaviour.v1 import behaviour_pb2, behaviour_pb2_grpc
from headrace.contracts.violations import check
from headrace.runtime.timestamps import to_timestamp
from services.gateway.access import Access
from services.gateway.accounts.key_grpc import authorization_in
from services.gateway.behaviour.models import (
    ClickThroughQuery,
    FunnelQuery,
    RetentionQuery,
    SegmentsQuery,
    TrendsQuery,
)
from services.gateway.keys import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from services.gateway.behaviour.counts import Stage
    from services.gateway.behaviour.service import Behaviour

    Call = grpc.aio.ServicerContext[Any, Any]

BEHAVIOUR = behaviour_pb2.DESCRIPTOR.services_by_name["BehaviourService"].full_name

_WINDOWS = {
    behaviour_pb2.WINDOW_HOUR: "hour",
    behaviour_pb2.WINDOW_DAY: "day",
    behaviour_pb2.WINDOW_WEEK: "week",
}
_SUBJECTS = {
    behaviour_pb2.TREND_SUBJECT_ITEM: "item",
    behaviour_pb2.TREND_SUBJECT_CATEGORY: "category",
}
_DIRECTIONS = {
    behaviour_pb2.TREND_DIRECTION_RISING: "rising",
    behaviour_pb2.TREND_DIRECTION_FALLING: "falling",
}

_SPLITS = {
    behaviour_pb2.CLICK_THROUGH_SPLIT_POSITION: "position",
    behaviour_pb2.CLICK_THROUGH_SPLIT_SOURCE: "source",
    behaviour_pb2.CLICK_THROUGH_SPLIT_MODEL_VERSION: "model_version",
}


class BehaviourServicer(behaviour_pb2_grpc.BehaviourServiceServicer):
    """BehaviourService. Errors become status codes in the interceptor of `grpc_server`."""

    def __init__(self, behaviour: Behaviour, access: Access) -> None:
        self._behaviour = behaviour
        self._access = access

    async def GetFunnel(  # noqa: N802
        self, request: behaviour_pb2.GetFunnelRequest, context: Call
    ) -> behaviour_pb2.GetFunnelResponse:
        self._access.require(authorization_in(context), Scope.CATALOGUE)
        asked = check(
            FunnelQuery,
            {
                **_given(since=request.since, until=request.until, category=request.category),
                **_named(window=(request.window, _WINDOWS)),
                **_count(request),
            },
        )
        found = await self._behaviour.funnel(asked)
        return behaviour_pb2.GetFunnelResponse(
            as_of=to_timestamp(found.as_of),
            since=str(found.since),
            until=str(found.until),
            stages=_stages(found.stages),
            categories=[
                behaviour_pb2.CategoryFunnel(category=one.category, stages=_stages(one.stages))
                for one in found.categories
            ],
        )

    async def GetTrends(  # noqa: N802
        self, request: behaviour_pb2.GetTrendsRequest, context: Call
    ) -> behaviour_pb2.GetTrendsResponse:
        self._access.require(authorization_in(context), Scope.CATALOGUE)
        asked = check(
            TrendsQuery,
            {
                **_given(category=request.category),
                **_named(
                    window=(request.window, _WINDOWS),
                    by=(request.by, _SUBJECTS),
                    direction=(request.direction, _DIRECTIONS),
                ),
                **_count(request),
            },
        )
        found = await self._behaviour.trends(asked)
        return behaviour_pb2.GetTrendsResponse(
            as_of=to_timestamp(found.as_of),
            first_day=str(found.first_day),
            trends=[
                behaviour_pb2.Trend(
                    item_id=one.item_id or "",
                    title=one.title or "",
                    category=one.category or "",
                    events=one.events,
                    events_before=one.events_before,
                    score=one.score,
                    daily=one.daily,
                )
                for one in found.trends
            ],
        )

    async def GetRetention(  # noqa: N802
        self, request: behaviour_pb2.GetRetentionRequest, context: Call
    ) -> behaviour_pb2.GetRetentionResponse:
        self._access.require(authorization_in(context), Scope.CATALOGUE)
        asked = check(RetentionQuery, _given(since=request.since, until=request.until))
        found = await self._behaviour.retention(asked)
        return behaviour_pb2.GetRetentionResponse(
            as_of=to_timestamp(found.as_of),
            since=str(found.since),
            until=str(found.until),
            cohorts=[
                behaviour_pb2.Cohort(
                    week=str(one.week),
                    people=one.people,
                    active=one.active,
                    shares=one.shares,
                    complete=one.complete,
                )
                for one in found.cohorts
            ],
        )

    async def GetSegments(  # noqa: N802
        self, request: behaviour_pb2.GetSegmentsRequest, context: Call
    ) -> behaviour_pb2.GetSegmentsResponse:
        self._access.require(authorization_in(context), Scope.CATALOGUE)
        asked = check(SegmentsQuery, {**_given(currency=request.currency), **_count(request)})
        found = await self._behaviour.segments(asked)
        return behaviour_pb2.GetSegmentsResponse(
            as_of=to_timestamp(found.as_of),
            money_known=found.money_known,
            people=found.people,
            segments=[
                behaviour_pb2.Segment(
                    name=one.name,
                    recency=one.recency,
                    frequency=one.frequency,
                    money=one.money,
                    people=one.people,
                    share=one.share,
                    events=one.events,
                    amount=one.amount,
                )
                for one in found.segments
            ],
            sales=[
                behaviour_pb2.Sales(
                    currency=one.currency or "", purchases=one.purchases, amount=one.amount
                )
                for one in found.sales
            ],
        )

    async def GetClickThrough(  # noqa: N802
        self, request: behaviour_pb2.GetClickThroughRequest, context: Call
    ) -> behaviour_pb2.GetClickThroughResponse:
        self._access.require(authorization_in(context), Scope.CATALOGUE)
        asked = check(
            ClickThroughQuery,
            {
                **_given(since=request.since, until=request.until),
                **_named(by=(request.by, _SPLITS)),
                **_count(request),
            },
        )
        found = await self._behaviour.click_through(asked)
        return behaviour_pb2.GetClickThroughResponse(
            as_of=to_timestamp(found.as_of),
            since=str(found.since),
            until=str(found.until),
            rows=[
                behaviour_pb2.ShownItems(
                    name=one.name,
                    shown=one.shown,
                    clicked=one.clicked,
                    bought=one.bought,
                    click_rate=one.click_rate,
                    purchase_rate=one.purchase_rate,
                )
                for one in found.rows
            ],
        )


def _given(**texts: str) -> dict[str, str]:
    """Those that are not empty: in protobuf, empty text means absent."""
    return {name: text for name, text in texts.items() if text}


def _named(**numbers: tuple[int, dict[Any, str]]) -> dict[str, str]:
    """Names of enums' numbers; a number without one as it is, so that the check names the field."""
    return {
        field: names.get(number, str(number))
        for field, (number, names) in numbers.items()
        if number
    }


def _count(
    request: behaviour_pb2.GetFunnelRequest
    | behaviour_pb2.GetTrendsRequest
    | behaviour_pb2.GetSegmentsRequest
    | behaviour_pb2.GetClickThroughRequest,
) -> dict[str, int]:
    return {"n": request.n} if request.HasField("n") else {}


def _stages(stages: Iterable[Stage]) -> list[behaviour_pb2.FunnelStage]:
    return [
        behaviour_pb2.FunnelStage(
            stage=one.stage,
            journeys=one.journeys,
            of_first=one.of_first,
            of_before=one.of_before,
        )
        for one in stages
    ]

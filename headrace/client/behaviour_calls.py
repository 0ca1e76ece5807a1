"""Every call of the clients of behaviour, as `calls` has those of the others."""

from __future__ import annotations  # an enum's type exists for the type checker alone

from collections.abc import Iterable
from datetime import date
from typing import Any

from headrace.api.behaviour.v1 import behaviour_pb2 as api
from headrace.client.behaviour_models import (
    ClickThrough,
    ClickThroughSplit,
    Cohort,
    Funnel,
    FunnelStage,
    Retention,
    Sales,
    Segment,
    Segments,
    ShownItems,
    Trend,
    TrendDirection,
    Trends,
    TrendSubject,
    Window,
)
from headrace.client.calls import Call
from headrace.errors import InvalidInput
from headrace.runtime.timestamps import to_moment


def funnel(
    since: date | None, until: date | None, category: str | None, window: Window, n: int
) -> Call[api.GetFunnelResponse, Funnel]:
    request = api.GetFunnelRequest(
        since=_text(since),
        until=_text(until),
        category=category or "",
        window=_number(api.Window, "window", window),
        n=_sendable(n),
    )
    return Call("GetFunnel", request, _funnel)


def trends(
    window: Window, by: TrendSubject, direction: TrendDirection, category: str | None, n: int
) -> Call[api.GetTrendsResponse, Trends]:
    request = api.GetTrendsRequest(
        window=_number(api.Window, "window", window),
        by=_number(api.TrendSubject, "by", by, "trend_subject"),
        direction=_number(api.TrendDirection, "direction", direction, "trend_direction"),
        category=category or "",
        n=_sendable(n),
    )
    return Call("GetTrends", request, _trends)


def retention(since: date | None, until: date | None) -> Call[api.GetRetentionResponse, Retention]:
    request = api.GetRetentionRequest(since=_text(since), until=_text(until))
    return Call("GetRetention", request, _retention)


def segments(currency: str | None, n: int) -> Call[api.GetSegmentsResponse, Segments]:
    request = api.GetSegmentsRequest(currency=currency or "", n=_sendable(n))
    return Call("GetSegments", request, _segments)


def click_through(
    since: date | None, until: date | None, by: ClickThroughSplit, n: int
) -> Call[api.GetClickThroughResponse, ClickThrough]:
    request = api.GetClickThroughRequest(
        since=_text(since),
        until=_text(until),
        by=_number(api.ClickThroughSplit, "by", by, "click_through_split"),
        n=_sendable(n),
    )
    return Call("GetClickThrough", request, _click_through)


def _funnel(answer: api.GetFunnelResponse) -> Funnel:
    return Funnel(
        as_of=to_moment(answer.as_of),
        since=date.fromisoformat(answer.since),
        until=date.fromisoformat(answer.until),
        stages=_stages(answer.stages),
        categories={one.category: _stages(one.stages) for one in answer.categories},
    )


def _stages(stages: Iterable[api.FunnelStage]) -> tuple[FunnelStage, ...]:
    return tuple(
        FunnelStage(
            stage=one.stage,
            journeys=one.journeys,
            of_first=one.of_first if one.HasField("of_first") else None,
            of_before=one.of_before if one.HasField("of_before") else None,
        )
        for one in stages
    )


def _trends(answer: api.GetTrendsResponse) -> Trends:
    return Trends(
        as_of=to_moment(answer.as_of),
        first_day=date.fromisoformat(answer.first_day),
        trends=tuple(
            Trend(
                item_id=one.item_id or None,
                title=one.title if one.item_id else None,
                category=one.category or None,
                events=one.events,
                events_before=one.events_before,
                score=one.score,
                daily=tuple(one.daily),
            )
            for one in answer.trends
        ),
    )


def _retention(answer: api.GetRetentionResponse) -> Retention:
    return Retention(
        as_of=to_moment(answer.as_of),
        since=date.fromisoformat(answer.since),
        until=date.fromisoformat(answer.until),
        cohorts=tuple(
            Cohort(
                week=date.fromisoformat(one.week),
                people=one.people,
                active=tuple(one.active),
                shares=tuple(one.shares),
                complete=one.complete,
            )
            for one in answer.cohorts
        ),
    )


def _segments(answer: api.GetSegmentsResponse) -> Segments:
    return Segments(
        as_of=to_moment(answer.as_of),
        money_known=answer.money_known,
        people=answer.people,
        segments=tuple(
            Segment(
                name=one.name,
                recency=one.recency,
                frequency=one.frequency,
                money=one.money if one.HasField("money") else None,
                people=one.people,
                share=one.share,
                events=one.events,
                amount=one.amount if one.HasField("amount") else None,
            )
            for one in answer.segments
        ),
        sales=tuple(
            Sales(
                currency=one.currency or None,
                purchases=one.purchases,
                amount=one.amount if one.HasField("amount") else None,
            )
            for one in answer.sales
        ),
    )


def _click_through(answer: api.GetClickThroughResponse) -> ClickThrough:
    return ClickThrough(
        as_of=to_moment(answer.as_of),
        since=date.fromisoformat(answer.since),
        until=date.fromisoformat(answer.until),
        rows=tuple(
            ShownItems(
                name=one.name,
                shown=one.shown,
                clicked=one.clicked,
                bought=one.bought,
                click_rate=one.click_rate,
                purchase_rate=one.purchase_rate,
            )
            for one in answer.rows
        ),
    )


def _text(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _number(enum: Any, field: str, name: str, prefix: str = "") -> Any:
    """Raises: InvalidInput for a name that the enum lacks."""
    numbers = {
        one.removeprefix(f"{(prefix or field).upper()}_").lower(): number
        for one, number in enum.items()
        if number
    }
    if name not in numbers:
        raise InvalidInput.of(field, f"must be one of {', '.join(numbers)}, not {name!r}")
    return numbers[name]


def _sendable(n: int) -> int:
    """Raises: InvalidInput for what a message cannot carry."""
    if not 0 <= n < 2**32:
        raise InvalidInput.of("n", f"must be 0 or more, not {n}")
    return n

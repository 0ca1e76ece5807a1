"""The asyncio client of behaviour."""

from datetime import date

from headrace.api.behaviour.v1 import behaviour_pb2_grpc
from headrace.client import behaviour_calls
from headrace.client.behaviour_models import (
    ClickThrough,
    ClickThroughSplit,
    Funnel,
    Retention,
    Segments,
    TrendDirection,
    Trends,
    TrendSubject,
    Window,
)
from headrace.client.connection import AsyncConnection


class AsyncBehaviour(AsyncConnection):
    """As `Behaviour`, for asyncio: use it in an `async with` block, or close it.

    address: host:port of the gateway's gRPC door.
    api_key: with scope `catalogue`, or the access token of a merchandiser or an operator.
    timeout_s: for each call, retries included.
    credentials: for TLS; without, the connection is not encrypted.
    Every method raises an error of `headrace.errors`.
    """

    _service = behaviour_pb2_grpc.BehaviourServiceStub

    async def funnel(
        self,
        *,
        since: date | None = None,
        until: date | None = None,
        category: str | None = None,
        window: Window = "day",
        n: int = 10,
    ) -> Funnel:
        """How many journeys of a person with an item come how far.

        since, until: days in UTC on which they began, both included; None: the last 30.
        window: the longest pause within a journey. n: how many categories below, 0-100.
        """
        return await self._do(behaviour_calls.funnel(since, until, category, window, n))

    async def trends(
        self,
        *,
        window: Window = "day",
        by: TrendSubject = "item",
        direction: TrendDirection = "rising",
        category: str | None = None,
        n: int = 20,
    ) -> Trends:
        """Which items or categories are chosen more, or less, than before.

        window: the period up to now; the one before is as long. n: 1-100.
        """
        return await self._do(behaviour_calls.trends(window, by, direction, category, n))

    async def retention(self, *, since: date | None = None, until: date | None = None) -> Retention:
        """How many of those who came in a week are there again in later ones.

        since, until: weeks that begin between these days, both included; None: the last 12.
        """
        return await self._do(behaviour_calls.retention(since, until))

    async def segments(self, *, currency: str | None = None, n: int = 25) -> Segments:
        """How many people were there lately, often, and spent much; the best first.

        currency: of those who bought in it; None: of everybody, without money. n: 1-125.
        """
        return await self._do(behaviour_calls.segments(currency, n))

    async def click_through(
        self,
        *,
        since: date | None = None,
        until: date | None = None,
        by: ClickThroughSplit = "position",
        n: int = 50,
    ) -> ClickThrough:
        """How much of what lists showed was chosen and bought.

        since, until: days in UTC on which they were served, both included; None: the last 30.
        by: what tells shown items apart. n: how many rows, 1-200.
        """
        return await self._do(behaviour_calls.click_through(since, until, by, n))

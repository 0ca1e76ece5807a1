"""The asyncio client."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from functools import cached_property
from typing import Any, Unpack

from headrace.api.gateway.v1 import gateway_pb2_grpc
from headrace.api.history.v1 import history_pb2_grpc
from headrace.client import calls, history_calls
from headrace.client.connection import AsyncConnection
from headrace.client.models import (
    Event,
    EventType,
    HistoryPage,
    Item,
    PersonList,
    Recommendations,
    SimilarItems,
    SimilarUser,
    Unwanted,
)
from headrace.client.options import ListOptions, ListRules
from headrace.contracts.segments import SegmentName


class AsyncHeadrace(AsyncConnection):
    """Calls the gateway without blocking the event loop.

    Use it in an `async with` block, or close it.

    address: host:port of the gateway's gRPC door.
    api_key: for what is not public; sent with every call.
    timeout_s: for each call, retries included. Calls are tried again while the gateway is
        unavailable: event ids are made here, so an event never counts twice.
    credentials: for TLS; without, the connection is not encrypted.
    Every method raises an error of `headrace.errors`.
    """

    _service = gateway_pb2_grpc.GatewayServiceStub

    @cached_property
    def _history(self) -> Any:
        return history_pb2_grpc.HistoryServiceStub(self._channel)

    async def record_event(
        self,
        user_id: str,
        item_id: str,
        type: EventType = "click",  # noqa: A002
        *,
        occurred_at: datetime | None = None,
        value: float | None = None,
        event_id: str | None = None,
    ) -> str:
        """Records one event; returns its id, for `recommend(after=…)`."""
        given = {"event_id": event_id} if event_id else {}
        event = Event(user_id, item_id, type, occurred_at, value, **given)
        return (await self.record([event]))[0]

    async def record(self, events: Sequence[Event]) -> list[str]:
        """Records 1-500 events, all of them or none; returns their ids once Kafka has them.

        Raises: Unavailable: some may be stored; send the same events again.
        """
        return await self._do(calls.record(events))

    async def recommend(
        self,
        user_id: str | None = None,
        *,
        n: int = 20,
        category: str | None = None,
        session: Sequence[str] = (),
        exclude: Sequence[str] = (),
        after: str | None = None,
        **options: Unpack[ListOptions],
    ) -> Recommendations:
        """The best items for a person, a visit (item ids, oldest first), or anybody.

        n: 1-200. after: wait, at most 250 ms, until this event of the person is in the list.
        options: filter, boost, pin, pages and more; see `ListOptions`.
        """
        return await self._do(
            calls.recommend(
                user_id,
                n=n,
                category=category,
                session=session,
                exclude=exclude,
                after=after,
                options=options,
            )
        )

    async def recommend_many(
        self,
        user_ids: Iterable[str] | None = None,
        *,
        active_since: datetime | None = None,
        segment: SegmentName | None = None,
        n: int = 20,
        category: str | None = None,
        exclude: Sequence[str] = (),
        timeout_s: float = 3_600.0,
        **rules: Unpack[ListRules],
    ) -> AsyncGenerator[PersonList, None]:
        """Lists of many people, one after the other: of those named, of those active since a
        moment, of a segment of the behaviour analysis (`best`, `loyal`, `promising`, `cooling`,
        `at_risk`, `lost`), or of everybody of whom something is known. Each is the one that
        `recommend` gives.

        rules: filter, boost, pin and more; see `ListRules`. A list by itself is made together with
        others where it is `for_you` and not arranged, which is faster.

        They are made while they are read. timeout_s: for each 10,000 people, an hour at most. An
        error may come after some lists.
        """
        asked = calls.batches(
            user_ids,
            active_since=active_since,
            segment=segment,
            n=n,
            category=category,
            exclude=exclude,
            rules=rules,
        )
        for call in asked:
            async with aclosing(self._stream(call, timeout_s)) as lists:
                async for one in lists:
                    yield one

    async def shown(self, lists: Sequence[PersonList]) -> int:
        """Tells that people see lists of `recommend_many` now, 1-100 of them: all are noted down,
        or none. What other calls answer is noted down by itself. Returns how many.

        Lists from a file of `headrace batch` need a `request_id` of yours. What is reported again
        counts again. Raises: Unavailable.
        """
        return await self._do(calls.shown(lists))

    async def similar(
        self,
        item_id: str,
        n: int = 20,
        category: str | None = None,
        user_id: str | None = None,
    ) -> SimilarItems:
        """The items nearest to an item. user_id: without what they refused. Raises: NotFound."""
        return await self._do(calls.similar(item_id, n, category, user_id))

    async def similar_users(self, user_id: str, n: int = 20) -> tuple[SimilarUser, ...]:
        """People whose taste is near, of those who were active of late. Raises: NotFound."""
        return await self._do(calls.similar_users(user_id, n))

    async def item(self, item_id: str) -> Item:
        """Raises: NotFound."""
        return await self._do(calls.item(item_id))

    async def upsert_items(self, items: Sequence[Item]) -> list[int]:
        """Adds or replaces 1-1,000 items, all of them or none; returns their revisions."""
        return await self._do(calls.upsert_items(items))

    async def delete_item(self, item_id: str) -> int:
        """Hides an item from every list; returns its revision. Raises: NotFound."""
        return await self._do(calls.delete_item(item_id))

    async def history(
        self, user_id: str, *, limit: int = 50, cursor: str | None = None
    ) -> HistoryPage:
        """What a person did and did not take back, newest first; 1-200 entries a page."""
        return await self._do(history_calls.history(user_id, limit, cursor), of=self._history)

    async def remove_from_history(self, user_id: str, event_id: str) -> str:
        """Takes an entry back; returns the id of the event that says so, for `recommend(after=…)`.

        Once more has no further effect. Raises: NotFound.
        """
        return await self._do(history_calls.remove_entry(user_id, event_id), of=self._history)

    async def not_interested(
        self, user_id: str, *, item_id: str | None = None, category: str | None = None
    ) -> str:
        """Keeps an item, or a category and those below, out of the person's lists until it is
        taken back; returns the id of the event, for `recommend(after=…)`."""
        event = Event(user_id, item_id, "not_interested", category=category)
        return (await self.record([event]))[0]

    async def unwanted(self, user_id: str) -> Unwanted:
        """What the person wants in no list of theirs."""
        return await self._do(history_calls.unwanted(user_id), of=self._history)

    async def want_again(
        self, user_id: str, *, item_id: str | None = None, category: str | None = None
    ) -> str:
        """Takes `not_interested` back; returns the id of the event that says so, for
        `recommend(after=…)`. Raises: NotFound where the person did not say so."""
        call = history_calls.want_again(user_id, item_id, category)
        return await self._do(call, of=self._history)

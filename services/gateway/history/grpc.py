"""A person's history over gRPC: translates, and nothing else."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from typing import TYPE_CHECKING, Any

import grpc

from headrace.api.events.v1 import events_pb2
from headrace.api.history.v1 import history_pb2, history_pb2_grpc
from headrace.contracts.violations import check
from headrace.runtime.timestamps import to_timestamp
from services.gateway.access import Access
from services.gateway.accounts.key_grpc import authorization_in
from services.gateway.history.models import (
    EntryReference,
    HistoryRequest,
    PersonReference,
    WantAgainRequest,
)
from services.gateway.history.service import History
from services.gateway.history.store import HistoryEntry
from services.gateway.keys import Scope

if TYPE_CHECKING:
    Call = grpc.aio.ServicerContext[Any, Any]

HISTORY = history_pb2.DESCRIPTOR.services_by_name["HistoryService"].full_name


class HistoryServicer(history_pb2_grpc.HistoryServiceServicer):
    """HistoryService. Errors become status codes in the interceptor of `grpc_server`."""

    def __init__(self, history: History, access: Access) -> None:
        self._history = history
        self._access = access

    async def ListHistory(  # noqa: N802
        self, request: history_pb2.ListHistoryRequest, context: Call
    ) -> history_pb2.ListHistoryResponse:
        limit = {"limit": request.limit} if request.HasField("limit") else {}
        asked = check(
            HistoryRequest,
            {"user_id": request.user_id, "cursor": request.cursor or None, **limit},
        )
        self._access.require(authorization_in(context), Scope.READ, [asked.user_id])
        page = await self._history.page(asked.user_id, asked.limit, asked.cursor)
        return history_pb2.ListHistoryResponse(
            entries=[entry_message(one) for one in page.entries], next_cursor=page.next_cursor
        )

    async def RemoveEntry(  # noqa: N802
        self, request: history_pb2.RemoveEntryRequest, context: Call
    ) -> history_pb2.RemoveEntryResponse:
        asked = check(EntryReference, {"user_id": request.user_id, "event_id": request.event_id})
        self._access.require(authorization_in(context), Scope.EVENTS, [asked.user_id])
        return history_pb2.RemoveEntryResponse(
            event_id=await self._history.remove(asked.user_id, asked.event_id)
        )

    async def ListUnwanted(  # noqa: N802
        self, request: history_pb2.ListUnwantedRequest, context: Call
    ) -> history_pb2.ListUnwantedResponse:
        asked = check(PersonReference, {"user_id": request.user_id})
        self._access.require(authorization_in(context), Scope.READ, [asked.user_id])
        unwanted = await self._history.unwanted(asked.user_id)
        return history_pb2.ListUnwantedResponse(
            items=[
                history_pb2.UnwantedItem(
                    item_id=one.item_id,
                    title=one.title,
                    categories=one.categories,
                    picture_url=one.picture_url,
                    since=to_timestamp(one.since),
                )
                for one in unwanted.items
            ],
            categories=[
                history_pb2.UnwantedCategory(category=one.category, since=to_timestamp(one.since))
                for one in unwanted.categories
            ],
        )

    async def WantAgain(  # noqa: N802
        self, request: history_pb2.WantAgainRequest, context: Call
    ) -> history_pb2.WantAgainResponse:
        asked = check(
            WantAgainRequest,
            {
                "user_id": request.user_id,
                "item_id": request.item_id or None,
                "category": request.category or None,
            },
        )
        self._access.require(authorization_in(context), Scope.EVENTS, [asked.user_id])
        return history_pb2.WantAgainResponse(
            event_id=await self._history.want_again(
                asked.user_id, asked.item_id or "", asked.category or ""
            )
        )


def entry_message(entry: HistoryEntry) -> history_pb2.HistoryEntry:
    return history_pb2.HistoryEntry(
        event_id=entry.event_id,
        item_id=entry.item_id,
        title=entry.title,
        categories=entry.categories,
        picture_url=entry.picture_url,
        type=events_pb2.EventType.ValueType(entry.type),
        value=entry.value,
        occurred_at=to_timestamp(entry.occurred_at),
    )

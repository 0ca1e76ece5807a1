"""Looking into the system over gRPC: translates, and nothing else."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import ParseDict

from headrace.api.events.v1 import events_pb2
from headrace.api.gateway.v1 import console_pb2, console_pb2_grpc
from headrace.api.ranker.v1 import inspection_pb2, list_options_pb2
from headrace.contracts.violations import check
from headrace.runtime.item_messages import item_message
from headrace.runtime.timestamps import to_timestamp
from services.gateway.access import Access
from services.gateway.accounts.key_grpc import authorization_in
from services.gateway.console.live import Live
from services.gateway.console.live_models import LiveEvent, WatchQuery
from services.gateway.console.models import Inspection
from services.gateway.console.service import Console, scope_to_inspect
from services.gateway.grpc import ranked_items, recommend_response, recommendation_request
from services.gateway.history.grpc import entry_message
from services.gateway.keys import Scope
from services.gateway.models import ItemReference

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import grpc

    Call = grpc.aio.ServicerContext[Any, Any]

CONSOLE = console_pb2.DESCRIPTOR.services_by_name["ConsoleService"].full_name


class ConsoleServicer(console_pb2_grpc.ConsoleServiceServicer):
    """ConsoleService. Errors become status codes in the interceptor of `grpc_server`."""

    def __init__(self, console: Console, live: Live, access: Access) -> None:
        self._console = console
        self._live = live
        self._access = access

    async def InspectRecommendations(  # noqa: N802
        self, request: console_pb2.InspectRecommendationsRequest, context: Call
    ) -> console_pb2.InspectRecommendationsResponse:
        caller = self._access.caller(authorization_in(context))
        asked = recommendation_request(request.request)
        caller.require(scope_to_inspect(asked))
        told = await self._console.inspect(asked)
        return console_pb2.InspectRecommendationsResponse(
            list=recommend_response(told.ranked),
            inspection=_inspection(told.inspection),
            events=map(entry_message, told.events),
            interests=told.interests,
        )

    async def InspectItem(  # noqa: N802
        self, request: console_pb2.InspectItemRequest, context: Call
    ) -> console_pb2.InspectItemResponse:
        asked = check(ItemReference, {"item_id": request.item_id})
        self._access.require(authorization_in(context), Scope.CATALOGUE)
        told = await self._console.item(asked.item_id)
        state = told.state
        return console_pb2.InspectItemResponse(
            item_id=state.item_id,
            title=state.title,
            revision=state.revision,
            updated_at=to_timestamp(state.updated_at),
            visibility=console_pb2.Visibility.Value(f"VISIBILITY_{state.visibility.upper()}"),
            item=None if told.item is None else item_message(told.item.item),
            in_lists=told.in_lists,
            similar=ranked_items(told.similar),
            windows=[
                console_pb2.ShownAndChosen(
                    window=list_options_pb2.Window.Value(f"WINDOW_{one.window.upper()}"),
                    impressions=one.impressions,
                    events=one.events,
                )
                for one in told.windows
            ],
        )

    async def WatchEvents(  # noqa: N802
        self, request: console_pb2.WatchEventsRequest, context: Call
    ) -> AsyncIterator[console_pb2.WatchEventsResponse]:
        authorization = authorization_in(context)

        def allow() -> None:
            self._access.require(authorization, Scope.ADMIN)

        allow()
        types = [_name(events_pb2.EventType, "EVENT_TYPE_", number) for number in request.types]
        query = check(WatchQuery, {"user_id": request.user_id or None, "type": types})
        async with aclosing(self._live.watch(query, allow)) as watched:
            async for events, dropped in watched:
                yield console_pb2.WatchEventsResponse(events=map(_live, events), dropped=dropped)

    async def GetStatus(  # noqa: N802
        self, request: console_pb2.GetStatusRequest, context: Call
    ) -> console_pb2.GetStatusResponse:
        self._access.require(authorization_in(context), Scope.ADMIN)
        status = (await self._console.status()).model_dump(mode="json", exclude_none=True)
        return console_pb2.GetStatusResponse(
            ranker=ParseDict(status, inspection_pb2.RankerStatus())
        )


def _live(event: LiveEvent) -> console_pb2.LiveEvent:
    return console_pb2.LiveEvent(
        event_id=event.event_id,
        user_id=event.user_id,
        n=event.n,
        item_id=event.item_id,
        type=events_pb2.EventType.Value(f"EVENT_TYPE_{event.type.upper()}"),
        value=event.value,
        occurred_at=to_timestamp(event.occurred_at),
        accepted_at=None if event.accepted_at is None else to_timestamp(event.accepted_at),
        backfill=event.backfill,
    )


def _name(enum: Any, prefix: str, number: int) -> str:
    """In lower case; the number itself where it has none."""
    if number not in enum.values():
        return str(number)
    return str(enum.Name(number)).removeprefix(prefix).lower()


def _inspection(inspection: Inspection) -> inspection_pb2.Inspection:
    fields = inspection.model_dump(mode="json", exclude_none=True)
    for one in (*fields["sources"], *fields["candidates"]):
        one["source"] = f"SOURCE_{one['source'].upper()}"
    return ParseDict(fields, inspection_pb2.Inspection())

"""Looking into the system over HTTP."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Annotated

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.gateway.access import Access
from services.gateway.answers import InPath, authorization_of, json_answer, list_body
from services.gateway.bodies import read_body
from services.gateway.console.item_models import InspectedItem
from services.gateway.console.live import Came, Live
from services.gateway.console.live_models import WatchQuery
from services.gateway.console.models import InspectedList
from services.gateway.console.service import Console, scope_to_inspect
from services.gateway.console.status_models import SystemStatus
from services.gateway.history.routes import entry_body
from services.gateway.keys import Scope
from services.gateway.models import RecommendationRequest
from services.gateway.openapi import operation

STREAM = "text/event-stream"

_BODY_BYTES = 1_000_000
_STREAM_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}
_HERE = ": here\n\n"  # a comment, for whoever ends connections that say nothing
_EXAMPLE = """\
event: event
data: {"event_id": "c-1", "user_id": "259", "n": 17, "item_id": "50", "type": "click"}

event: dropped
data: {"dropped": 12}

"""


class Stream(StreamingResponse):
    """Server-sent events."""

    media_type = STREAM


def console_routes(console: Console, live: Live, access: Access) -> Callable[[FastAPI], None]:
    """Adds them to an application."""

    def add(app: FastAPI) -> None:
        @app.post(
            "/v1/inspect/recommendations",
            **operation(
                "console",
                200,
                InspectedList,
                body=RecommendationRequest,
                scope=Scope.ADMIN,
                may_be_missing=True,
            ),
        )
        async def inspect_recommendations(request: Request) -> Response:
            """How a list comes about: whose it is, what found its candidates, what each step did.

            The list is made by the computation that makes it elsewhere; nothing is logged as shown.
            503 while the ranker is away. Without `user_id` scope `catalogue` is enough.
            """
            caller = access.caller(authorization_of(request))
            asked = await read_body(request, RecommendationRequest, _BODY_BYTES)
            caller.require(scope_to_inspect(asked))
            told = await console.inspect(asked)
            return json_answer(
                {
                    "list": list_body(asked, told.ranked),
                    "inspection": told.inspection.model_dump(),
                    "events": [entry_body(one) for one in told.events],
                    "interests": told.interests,
                }
            )

        @app.get(
            "/v1/inspect/items/{item_id}",
            **operation("console", 200, InspectedItem, scope=Scope.CATALOGUE, may_be_missing=True),
        )
        async def inspect_item(request: Request, item_id: InPath) -> Response:
            """What is known about an item: is it shown, how often, and what is near.

            Deleted, expired and unpublished items are told as well.
            """
            access.require(authorization_of(request), Scope.CATALOGUE)
            told = await console.item(item_id)
            item = told.item
            return json_answer(
                {
                    "state": told.state.model_dump(),
                    "item": item and {**item.item.model_dump(), "revision": item.revision},
                    "in_lists": told.in_lists,
                    "similar": told.similar,
                    "windows": [one.model_dump() for one in told.windows],
                }
            )

        @app.get("/v1/console/status", **operation("console", 200, SystemStatus, scope=Scope.ADMIN))
        async def system_status(request: Request) -> Response:
            """What the ranker has loaded, and how it is. 503 while it is away."""
            access.require(authorization_of(request), Scope.ADMIN)
            return json_answer({"ranker": (await console.status()).model_dump()})

        _streaming(app, live, access)

    return add


def _streaming(app: FastAPI, live: Live, access: Access) -> None:
    described = operation("console", 200, None, scope=Scope.ADMIN)
    described["responses"][200] = {
        "description": "Events as they happen, one a message, until the caller leaves",
        "content": {STREAM: {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }

    @app.get("/v1/console/events", response_class=Stream, **described)
    async def watch_events(request: Request, query: Annotated[WatchQuery, Query()]) -> Response:
        """Events as they happen, as server-sent events (`text/event-stream`).

        Messages of the type `event` have an event as JSON; of the type `dropped`, how many events
        were lost before the next one, since the caller was too slow. The stream ends with the
        caller's token.
        """
        authorization = authorization_of(request)

        def allow() -> None:
            access.require(authorization, Scope.ADMIN)

        allow()
        live.check_room()
        messages = _messages(live.watch(query, allow))
        return Stream(messages, headers=_STREAM_HEADERS)


async def _messages(watched: AsyncGenerator[Came]) -> AsyncIterator[str]:
    yield _HERE
    async with aclosing(watched):
        async for events, dropped in watched:
            if dropped:
                yield f'event: dropped\ndata: {{"dropped": {dropped}}}\n\n'
            for event in events:
                yield f"event: event\ndata: {event.model_dump_json()}\n\n"
            if not events:
                yield _HERE

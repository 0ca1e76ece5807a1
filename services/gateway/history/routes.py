"""A person's history over HTTP."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response

from services.gateway.access import Access
from services.gateway.answers import InPath, authorization_of, json_answer
from services.gateway.history.models import (
    HistoryPageModel,
    HistoryQuery,
    RemovedEntry,
    UnwantedModel,
    UnwantedReference,
    WantedAgain,
)
from services.gateway.history.service import History
from services.gateway.history.store import HistoryEntry
from services.gateway.keys import Scope
from services.gateway.openapi import operation


def history_routes(history: History, access: Access) -> Callable[[FastAPI], None]:
    """Adds /v1/users/{user_id}/history and …/not-interested to an application."""

    def add(app: FastAPI) -> None:
        @app.get(
            "/v1/users/{user_id}/history",
            **operation("history", 200, HistoryPageModel, scope=Scope.READ, own=True),
        )
        async def list_history(
            request: Request, user_id: InPath, query: Annotated[HistoryQuery, Query()]
        ) -> Response:
            """What the person did and did not take back, newest first."""
            access.require(authorization_of(request), Scope.READ, [user_id])
            page = await history.page(user_id, query.limit, query.cursor)
            return json_answer(
                {
                    "entries": [entry_body(one) for one in page.entries],
                    "next_cursor": page.next_cursor,
                }
            )

        @app.delete(
            "/v1/users/{user_id}/history/{event_id}",
            **operation(
                "history", 202, RemovedEntry, scope=Scope.EVENTS, own=True, may_be_missing=True
            ),
        )
        async def remove_entry(request: Request, user_id: InPath, event_id: InPath) -> Response:
            """Take an entry back: from the next list on it is as if it had never been.

            Asking again has no further effect and gets the same answer.
            """
            access.require(authorization_of(request), Scope.EVENTS, [user_id])
            return json_answer({"event_id": await history.remove(user_id, event_id)}, 202)

        @app.get(
            "/v1/users/{user_id}/not-interested",
            **operation("history", 200, UnwantedModel, scope=Scope.READ, own=True),
        )
        async def list_unwanted(request: Request, user_id: InPath) -> Response:
            """What the person wants in no list of theirs.

            It is said with events of type `not_interested`.
            """
            access.require(authorization_of(request), Scope.READ, [user_id])
            return json_answer(asdict(await history.unwanted(user_id)))

        @app.delete(
            "/v1/users/{user_id}/not-interested",
            **operation(
                "history", 202, WantedAgain, scope=Scope.EVENTS, own=True, may_be_missing=True
            ),
        )
        async def want_again(
            request: Request, user_id: InPath, query: Annotated[UnwantedReference, Query()]
        ) -> Response:
            """Take back that an item, or a category, is not wanted."""
            access.require(authorization_of(request), Scope.EVENTS, [user_id])
            event_id = await history.want_again(user_id, query.item_id or "", query.category or "")
            return json_answer({"event_id": event_id}, 202)

    return add


def entry_body(entry: HistoryEntry) -> dict[str, Any]:
    return {
        "event_id": entry.event_id,
        "item_id": entry.item_id,
        "title": entry.title,
        "categories": entry.categories,
        "picture_url": entry.picture_url,
        "type": entry.type.name.lower(),
        "value": entry.value,
        "occurred_at": entry.occurred_at,
    }

"""A person's history over HTTP."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response

from services.gateway.access import Access
from services.gateway.answers import InPath, authorization_of, json_answer
from services.gateway.history.models import HistoryPageModel, HistoryQuery, RemovedEntry
from services.gateway.history.service import History
from services.gateway.history.store import HistoryEntry
from services.gateway.keys import Scope
from services.gateway.openapi import operation


def history_routes(history: History, access: Access) -> Callable[[FastAPI], None]:
    """Adds /v1/users/{user_id}/history to an application."""

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

"""The HTTP door: translates, and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from headrace.contracts.items import ItemContent, NewItem
from headrace.runtime.context import REQUEST_ID, TRACEPARENT
from headrace.runtime.readiness import Readiness
from services.gateway import problems
from services.gateway.access import Access
from services.gateway.answers import (
    InPath,
    authorization_of,
    json_answer,
    list_body,
    request_id,
)
from services.gateway.batches.routes import batch_routes
from services.gateway.bodies import read_body
from services.gateway.documentation import add_documentation
from services.gateway.keys import Scope
from services.gateway.middleware import RequestScope
from services.gateway.models import (
    ItemRevision,
    PersonListQuery,
    RecommendationRequest,
    Recommendations,
    RecordedEvents,
    RecordEventsRequest,
    SimilarItems,
    SimilarQuery,
    SimilarUsers,
    SimilarUsersQuery,
    StoredItem,
    UpsertedItems,
    UpsertItemsRequest,
)
from services.gateway.openapi import VERSION, operation
from services.gateway.service import Gateway


@dataclass(frozen=True)
class BodyLimits:
    """Greatest size of a body, in bytes."""

    events: int
    items: int


def build_app(
    gateway: Gateway,
    access: Access,
    readiness: Readiness,
    limits: BodyLimits,
    *,
    cors_origins: Sequence[str] = (),
    doors: Sequence[Callable[[FastAPI], None]] = (),
) -> ASGIApp:
    """The application that a server of ASGI runs.

    doors: each adds the routes of a part of the product.
    cors_origins: whose pages browsers let call it; `*`: everybody's.
    """
    app = FastAPI(
        title="Headrace",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    problems.install(app)
    _events(app, gateway, access, limits)
    _lists(app, gateway, access, limits)
    _items(app, gateway, access, limits)
    batch_routes(gateway, access, limits.items)(app)
    for add_routes in doors:
        add_routes(app)
    _operations(app, readiness)
    add_documentation(app)
    if not cors_origins:
        return RequestScope(app)
    return RequestScope(
        CORSMiddleware(
            app,
            allow_origins=cors_origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["authorization", "content-type", REQUEST_ID, TRACEPARENT],
            expose_headers=[REQUEST_ID],
        )
    )


def _events(app: FastAPI, gateway: Gateway, access: Access, limits: BodyLimits) -> None:
    @app.post(
        "/v1/events",
        **operation(
            "events", 202, RecordedEvents, body=RecordEventsRequest, scope=Scope.EVENTS, own=True
        ),
    )
    async def record_events(request: Request) -> Response:
        """Accept events, all of them or none; answers once Kafka has them.

        On 503 some may be stored: send all of them again with the `event_ids` of the problem.
        """
        caller = access.caller(authorization_of(request))
        body = await read_body(request, RecordEventsRequest, limits.events)
        caller.require(Scope.EVENTS, {event.user_id for event in body.events})
        return json_answer({"event_ids": await gateway.events.record(body.events)}, 202)


def _lists(app: FastAPI, gateway: Gateway, access: Access, limits: BodyLimits) -> None:
    @app.get(
        "/v1/users/{user_id}/recommendations",
        **operation("lists", 200, Recommendations, scope=Scope.READ, own=True),
    )
    async def recommendations_of_a_person(
        request: Request, user_id: InPath, query: Annotated[PersonListQuery, Query()]
    ) -> Response:
        """The best items for a person. An unknown person gets what is liked of late."""
        access.require(authorization_of(request), Scope.READ, [user_id])
        asked = RecommendationRequest(user_id=user_id, **dict(query))
        return json_answer(list_body(asked, await gateway.lists.recommend(asked)))

    @app.post(
        "/v1/recommendations",
        **operation(
            "lists",
            200,
            Recommendations,
            body=RecommendationRequest,
            scope=Scope.READ,
            own=True,
            key_optional=True,
            may_be_missing=True,
        ),
    )
    async def recommendations(request: Request) -> Response:
        """The best items for a person, a visit, or anybody. Needs a key where `user_id` is given.

        The items of a visit count as if the person had chosen them just now; nothing is stored.
        """
        asked = await read_body(request, RecommendationRequest, limits.events)
        if asked.user_id is not None:
            access.require(authorization_of(request), Scope.READ, [asked.user_id])
        return json_answer(list_body(asked, await gateway.lists.recommend(asked)))

    @app.get(
        "/v1/items/{item_id}/similar",
        **operation(
            "lists",
            200,
            SimilarItems,
            scope=Scope.READ,
            own=True,
            key_optional=True,
            may_be_missing=True,
        ),
    )
    async def similar_items(
        request: Request, item_id: InPath, query: Annotated[SimilarQuery, Query()]
    ) -> Response:
        """The items nearest to an item. Needs a key where `user_id` is given."""
        if query.user_id is not None:
            access.require(authorization_of(request), Scope.READ, [query.user_id])
        found = await gateway.lists.similar(item_id, query.n, query.category, query.user_id)
        return json_answer(
            {
                "request_id": request_id(),
                "model_version": found.model_version,
                "items": found.items,
            }
        )

    @app.get(
        "/v1/users/{user_id}/similar",
        **operation("lists", 200, SimilarUsers, scope=Scope.READ, may_be_missing=True),
    )
    async def similar_users(
        request: Request, user_id: InPath, query: Annotated[SimilarUsersQuery, Query()]
    ) -> Response:
        """People whose taste is near, among those who were active of late."""
        access.require(authorization_of(request), Scope.READ)
        near = await gateway.lists.similar_users(user_id, query.n)
        return json_answer(
            {
                "request_id": request_id(),
                "model_version": near.model_version,
                "users": near.users,
            }
        )


def _items(app: FastAPI, gateway: Gateway, access: Access, limits: BodyLimits) -> None:
    @app.get("/v1/items/{item_id}", **operation("items", 200, StoredItem, may_be_missing=True))
    async def item(item_id: InPath) -> Response:
        """One item of the catalogue."""
        found = await gateway.items.get(item_id)
        return json_answer({**found.item.model_dump(), "revision": found.revision})

    @app.put(
        "/v1/items/{item_id}",
        **operation("items", 200, ItemRevision, body=ItemContent, scope=Scope.CATALOGUE),
    )
    async def put_item(request: Request, item_id: InPath) -> Response:
        """Add an item or replace it. Lists have it within seconds."""
        access.require(authorization_of(request), Scope.CATALOGUE)
        content = await read_body(request, ItemContent, limits.items)
        stored = await gateway.items.upsert([NewItem(item_id=item_id, **dict(content))])
        return json_answer({"item_id": item_id, "revision": stored[0]})

    @app.delete(
        "/v1/items/{item_id}",
        **operation("items", 200, ItemRevision, scope=Scope.CATALOGUE, may_be_missing=True),
    )
    async def delete_item(request: Request, item_id: InPath) -> Response:
        """Hide an item from every list. What people did with it still counts for them."""
        access.require(authorization_of(request), Scope.CATALOGUE)
        return json_answer({"item_id": item_id, "revision": await gateway.items.delete(item_id)})

    @app.post(
        "/v1/items",
        **operation("items", 200, UpsertedItems, body=UpsertItemsRequest, scope=Scope.CATALOGUE),
    )
    async def upsert_items(request: Request) -> Response:
        """Add or replace items, all of them or none."""
        access.require(authorization_of(request), Scope.CATALOGUE)
        body = await read_body(request, UpsertItemsRequest, limits.items)
        revisions = await gateway.items.upsert(body.items)
        stored = zip(body.items, revisions, strict=True)
        return json_answer({"items": [{"item_id": i.item_id, "revision": r} for i, r in stored]})


def _operations(app: FastAPI, readiness: Readiness) -> None:
    @app.get(
        "/healthz",
        tags=["operations"],
        summary="Does the process live?",
        responses={200: _example("application/json", {"status": "ok"})},
    )
    async def healthz() -> Response:
        return json_answer({"status": "ok"})

    @app.get(
        "/readyz",
        tags=["operations"],
        summary="Can it serve?",
        responses={
            200: _example("application/json", {"status": "ready", "missing": []}),
            503: {"description": "Not now"},
        },
    )
    async def readyz() -> Response:
        """Names what is missing."""
        missing = readiness.missing()
        status = "not ready" if missing else "ready"
        return json_answer({"status": status, "missing": missing}, 503 if missing else 200)

    @app.get(
        "/metrics",
        tags=["operations"],
        summary="Prometheus metrics",
        response_class=PlainTextResponse,
        responses={200: _example("text/plain", 'headrace_gateway_lists_total{degraded="no"} 17.0')},
    )
    def metrics() -> Response:
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


def _example(media_type: str, example: object) -> dict[str, Any]:
    return {"content": {media_type: {"example": example}}}

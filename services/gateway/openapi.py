"""The OpenAPI document: what FastAPI cannot read from the routes is said here.

Bodies are read by `bodies`, answers are written by hand, problems are the same everywhere.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from headrace.contracts.items import ItemContent
from services.gateway.accounts.key_models import NewKeyRequest
from services.gateway.accounts.models import (
    ChangePasswordRequest,
    ConfirmRequest,
    LogInRequest,
    LogOutRequest,
    ProfileRequest,
    RecoverRequest,
    RefreshRequest,
    RegisterRequest,
    ResetRequest,
    RoleRequest,
    VisitRequest,
)
from services.gateway.batches.models import BatchLine, BatchRequest, RecordImpressionsRequest
from services.gateway.console.live_models import LiveEvent
from services.gateway.keys import Scope
from services.gateway.models import (
    Problem,
    RecommendationRequest,
    RecordEventsRequest,
    UpsertItemsRequest,
)
from services.gateway.privacy.models import CheckRequest, EraseRequest, PersonalisationRequest
from services.gateway.problems import KINDS, MEDIA_TYPE
from services.gateway.schemas import Schemas

VERSION = "1"
_DESCRIPTION = """\
A recommender in which the last click already counts: record what people do, ask what to show them.

**Keys.** Send `Authorization: Bearer <key>`. Each operation names the scope that its key needs;
operations without one are public. What concerns one person alone is also open to that person's own
access token, sent the same way. There are no cookies, so no other page can act in a person's name.

**Ids** are opaque text of 1 to 128 characters, percent-encoded in paths.

**Requests** may carry `x-request-id` and a W3C `traceparent`; each answer has its `x-request-id`.

**Errors** are problem documents (RFC 9457). Those of bad input name each field at fault and what
would be right. After 503, try again as `Retry-After` says.
"""
_TAGS = [
    {"name": "events", "description": "What people do."},
    {"name": "lists", "description": "What to show them."},
    {"name": "history", "description": "What a person did, to see and to take back."},
    {"name": "items", "description": "What there is to show."},
    {"name": "catalogue", "description": "Browse it, search it, fill it from files."},
    {"name": "behaviour", "description": "What people did, counted."},
    {"name": "accounts", "description": "Who people are."},
    {"name": "privacy", "description": "What people may ask about their data."},
    {"name": "keys", "description": "Which applications may call it."},
    {"name": "console", "description": "For those who run the shop."},
    {"name": "operations", "description": "For those who run it."},
]
BODIES: list[type[BaseModel]] = [
    RecordEventsRequest, RecommendationRequest, ItemContent, UpsertItemsRequest, Problem,
    BatchRequest, BatchLine, RecordImpressionsRequest, LiveEvent,
    NewKeyRequest, RegisterRequest, ConfirmRequest, LogInRequest, RefreshRequest, LogOutRequest,
    RecoverRequest, ResetRequest, ChangePasswordRequest, ProfileRequest, RoleRequest,
    VisitRequest, PersonalisationRequest, EraseRequest, CheckRequest,
]  # fmt: skip
_IDS = {
    "user_id": "259",
    "item_id": "50",
    "event_id": "c-1",
    "key_id": "key_3f9c1a0b7d52",
    "erasure_id": "er_5b9c3f0e6f6d4d6f9c1a0b7d52e86a41",
}
_REFERENCE = "#/components/schemas/{model}"
_SECURITY = "apiKey"
_OWN_SECURITY = "accessToken"


def operation(
    tag: str,
    status: int,
    answer: type[BaseModel] | None,
    *,
    body: type[BaseModel] | None = None,
    scope: Scope | None = None,
    own: bool = False,
    key_optional: bool = False,
    may_be_missing: bool = False,
    may_conflict: bool = False,
    limited: bool = False,
    may_be_refused: bool = False,
) -> dict[str, Any]:
    """Arguments of a route: its tag, its answer, its body, the scope of its key, its problems.

    own: a person's own access token does as well; without `scope`, it alone.
    key_optional: some requests are served without.
    answer: None: there is no body.
    limited: strangers may try so often. may_be_refused: what the body holds opens no door.
    """
    statuses = {400, 431, 503}
    statuses.update((409,) if may_conflict else (), (429,) if limited else ())
    statuses.update((401,) if may_be_refused else ())
    statuses.update((413, 415) if body else (), (401, 403) if scope or own else ())
    statuses.update((404,) if may_be_missing else ())
    extra: dict[str, Any] = {}
    if body is not None:
        extra["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _reference(body)}},
        }
    if scope is not None or own:
        extra["security"] = [
            *([{_SECURITY: [str(scope)]}] if scope is not None else []),
            *([{_OWN_SECURITY: []}] if own else []),
            *([{}] if key_optional else []),
        ]
    return {
        "tags": [tag],
        "status_code": status,
        "responses": {
            status: {"description": "Done"}
            if answer is None
            else {"model": answer, "description": _summary(answer)},
            **{number: _problem(number) for number in sorted(statuses)},
        },
        "openapi_extra": extra,
    }


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the routes that `app` has now."""
    document = get_openapi(
        title="Headrace",
        version=VERSION,
        summary="Record what people do, ask what to show them.",
        description=_DESCRIPTION,
        routes=app.routes,
        tags=_TAGS,
    )
    _, written = models_json_schema(
        [(model, "validation") for model in BODIES], ref_template=_REFERENCE
    )
    components = document.setdefault("components", {})
    schemas = {**components.get("schemas", {}), **written["$defs"]}
    components["schemas"] = {
        name: schema for name, schema in sorted(schemas.items()) if "ValidationError" not in name
    }
    components["securitySchemes"] = {
        _SECURITY: {
            "type": "http",
            "scheme": "bearer",
            "description": f"An API key. Scopes: {', '.join(Scope)}; admin has all of them.",
        }
    }
    exemplary = Schemas(document)
    for path in document["paths"].values():
        for described in path.values():
            described["summary"] = described["summary"].capitalize()
            described["responses"].pop("422", None)  # FastAPI's own; bad input is answered with 400
            _exemplify(described, exemplary)
    return document


def _exemplify(described: dict[str, Any], schemas: Schemas) -> None:
    """Gives an operation an example of its body, of its answer, and of the ids in its path."""
    for one in (described.get("requestBody", {}), *described["responses"].values()):
        for kind, content in one.get("content", {}).items():
            if content.get("schema") and kind != MEDIA_TYPE:
                content.setdefault("example", schemas.example(content["schema"]))
    for parameter in described.get("parameters", ()):
        if parameter["in"] == "path":
            parameter["example"] = _IDS[parameter["name"]]


def _problem(status: int) -> dict[str, Any]:
    title = next(kind.title for kind in KINDS if kind.status == status)
    return {"description": title, "content": {MEDIA_TYPE: {"schema": _reference(Problem)}}}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or model.__name__).partition("\n")[0]

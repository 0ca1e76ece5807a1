"""What the routes of the HTTP door share: parts of paths, the key that came, JSON that leaves."""

from typing import Annotated, Any
from urllib.parse import unquote

import orjson
from fastapi import Request, Response
from pydantic import BeforeValidator

from headrace.contracts.identifiers import Identifier
from headrace.runtime.context import current
from services.gateway.lists import RankedList
from services.gateway.models import RecommendationRequest


def _decoded(part: str) -> str:
    try:
        return unquote(part, errors="strict")
    except UnicodeDecodeError as error:
        raise ValueError("must be percent-encoded UTF-8") from error


InPath = Annotated[Identifier, BeforeValidator(_decoded)]
"""An id in a path, decoded."""


def json_answer(body: dict[str, Any], status: int = 200) -> Response:
    """A JSON document; moments are written in UTC."""
    return Response(
        orjson.dumps(body, option=orjson.OPT_UTC_Z), status, media_type="application/json"
    )


def authorization_of(request: Request) -> str | None:
    """The header as it came."""
    return request.headers.get("authorization")


def request_id() -> str:
    """Of the request under way."""
    context = current()
    return context.request_id if context is not None else ""


def list_body(asked: RecommendationRequest, ranked: RankedList) -> dict[str, Any]:
    """A list as JSON has it."""
    after = None if asked.after is None else {"event_id": asked.after, "status": ranked.after}
    return {
        "request_id": request_id(),
        "model_version": ranked.model_version,
        "as_of": ranked.as_of,
        "degraded": ranked.degraded,
        "items": ranked.items,
        "after": after,
        "next_cursor": ranked.next_cursor,
        "personal": ranked.personal,
        "not_personal_because": ranked.not_personal_because,
    }

"""The one place where errors become HTTP problem documents (RFC 9457)."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from headrace import errors
from headrace.contracts.violations import violations
from headrace.runtime.context import current
from services.gateway.events.service import EventsNotConfirmed

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = "1"


@dataclass(frozen=True)
class Kind:
    """A kind of problem: `name` is its anchor in the documentation."""

    name: str
    status: int
    title: str

    @property
    def uri(self) -> str:
        return f"/docs#{self.name}"


INVALID = Kind("invalid-input", 400, "The request cannot be used")
UNAUTHENTICATED = Kind("unauthenticated", 401, "A valid API key or access token is needed")
PERMISSION_DENIED = Kind("permission-denied", 403, "The key or token does not allow this")
NOT_FOUND = Kind("not-found", 404, "Not found")
METHOD = Kind("method-not-allowed", 405, "The path does not take this method")
PRECONDITION = Kind("failed-precondition", 409, "Not possible in the present state")
TOO_LARGE = Kind("too-large", 413, "The body is too large")
MEDIA = Kind("unsupported-media-type", 415, "The body must be JSON")
HEAD_TOO_LARGE = Kind("head-too-large", 431, "Path, query and headers are too large")
RATE_LIMITED = Kind("rate-limited", 429, "Too many attempts")
INTERNAL = Kind("internal", 500, "Something is broken here")
UNAVAILABLE = Kind("unavailable", 503, "A part of the system is away")

KINDS = (
    INVALID, UNAUTHENTICATED, PERMISSION_DENIED, NOT_FOUND, METHOD, PRECONDITION, TOO_LARGE, MEDIA,
    RATE_LIMITED, HEAD_TOO_LARGE, INTERNAL, UNAVAILABLE,
)  # fmt: skip
_OF_ERROR: Mapping[type[errors.HeadraceError], Kind] = {
    errors.InvalidInput: INVALID,
    errors.Unauthenticated: UNAUTHENTICATED,
    errors.PermissionDenied: PERMISSION_DENIED,
    errors.NotFound: NOT_FOUND,
    errors.FailedPrecondition: PRECONDITION,
    errors.RateLimited: RATE_LIMITED,
    errors.Unavailable: UNAVAILABLE,
}
_OF_STATUS = {kind.status: kind for kind in KINDS}
_HEADERS = {
    UNAUTHENTICATED: {"www-authenticate": 'Bearer realm="headrace"'},
    UNAVAILABLE: {"retry-after": RETRY_AFTER_S},
}
# More faults than 500 events can have by accident: listing them all would serve an attacker.
_LISTED_AT_MOST = 1_000


def install(app: FastAPI) -> None:
    """Makes every error of `app` a problem document."""
    app.add_exception_handler(errors.HeadraceError, _of_headrace)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _of_bug)


def problem(
    kind: Kind, detail: str, *, headers: Mapping[str, str] | None = None, **members: Any
) -> Response:
    """A problem document; `members` extend it."""
    body = {"type": kind.uri, "title": kind.title, "status": kind.status, "detail": detail}
    context = current()
    if context is not None:
        body["request_id"] = context.request_id
    return Response(
        orjson.dumps({**body, **members}),
        status_code=kind.status,
        media_type=MEDIA_TYPE,
        headers={**_HEADERS.get(kind, {}), **(headers or {})},
    )


async def _of_headrace(_request: Request, error: Exception) -> Response:
    return answer_to(error)


def answer_to(error: Exception) -> Response:
    """The problem document of one of our errors."""
    kind = next((kind for base, kind in _OF_ERROR.items() if isinstance(error, base)), INTERNAL)
    if kind is INTERNAL:
        log.error("request failed", exc_info=error)
    if isinstance(error, errors.InvalidInput):
        return _invalid(error.violations)
    if isinstance(error, EventsNotConfirmed):
        return problem(kind, str(error), event_ids=error.event_ids)
    if isinstance(error, errors.RateLimited):
        return problem(kind, str(error), headers={"retry-after": str(error.retry_after_s)})
    return problem(kind, str(error))


async def _of_validation(_request: Request, error: Exception) -> Response:
    """What FastAPI found in the path or the query: its paths begin with where it looked."""
    assert isinstance(error, RequestValidationError)
    findings = [{**finding, "loc": finding["loc"][1:]} for finding in error.errors()]
    return _invalid(tuple(violations(findings)))


async def _of_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = _OF_STATUS.get(error.status_code, INTERNAL)
    if kind is METHOD:
        allowed = ", ".join(sorted(_allowed_methods(request)))
        detail = f"{request.method} is not possible here; allowed: {allowed}"
        return problem(kind, detail, headers={"allow": allowed})
    if kind is NOT_FOUND:
        return problem(kind, "no such path; /docs lists them all")
    return problem(kind, error.detail, headers=error.headers)


async def _of_bug(_request: Request, _error: Exception) -> Response:
    return problem(INTERNAL, "The log has it under this request's id")


def _invalid(found: tuple[errors.Violation, ...]) -> Response:
    listed = [{"field": one.field, "reason": one.reason} for one in found[:_LISTED_AT_MOST]]
    detail = str(found[0]) if len(found) == 1 else f"{len(found)} fields are at fault"
    return problem(INVALID, detail, errors=listed)


def _allowed_methods(request: Request) -> set[str]:
    return {
        method
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }

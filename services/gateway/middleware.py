"""Around each HTTP request: ids in and out, metrics, and paths as they were sent."""

import logging
import time
from functools import cache

from prometheus_client import Counter, Histogram
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headrace.runtime import context
from headrace.runtime.metrics import LATENCY_BUCKETS
from headrace.runtime.tracing import TRACING, OpenSpan

log = logging.getLogger(__name__)

REQUESTS = Counter(
    "headrace_http_requests_total", "HTTP requests answered.", ["route", "method", "status"]
)
SECONDS = Histogram(
    "headrace_http_request_seconds",
    "Time to answer an HTTP request.",
    ["route"],
    buckets=LATENCY_BUCKETS,
)

_HUNG_UP = 499  # of the caller before the body was whole, as nginx counts it
_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"})
_REQUEST_ID = context.REQUEST_ID.encode()
_TRACEPARENT = context.TRACEPARENT.encode()


class RequestScope:
    """Pure ASGI. Starlette's BaseHTTPMiddleware runs each request in another task."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Ids may hold an encoded slash: it must not split the path. Routes decode their parts.
        scope["path"] = scope["raw_path"].decode("latin-1")
        given = dict(scope["headers"])
        began = time.perf_counter()
        status = 500
        request = context.begin(_text(given.get(_REQUEST_ID)), _text(given.get(_TRACEPARENT)))
        span = TRACING.opened(request)
        with context.within(request if span is None else span.context) as current:

            async def send_with_id(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                    message["headers"].append((_REQUEST_ID, current.request_id.encode()))
                await send(message)

            try:
                await self._app(scope, receive, send_with_id)
            except ClientDisconnect:
                status = _HUNG_UP
            except Exception:
                # It was answered with a problem document already.
                log.exception("request failed", extra={"route": _route(scope)})
            finally:
                route = _route(scope)
                method = scope["method"] if scope["method"] in _METHODS else "other"
                seconds, requests = _counting(route, method, status)
                seconds.observe(time.perf_counter() - began)
                requests.inc()
                if span is not None:
                    _end(span, method, route, status)


@cache
def _counting(route: str, method: str, status: int) -> tuple[Histogram, Counter]:
    """Kept, since to look up two metrics by their labels takes as long as to count."""
    return SECONDS.labels(route), REQUESTS.labels(route, method, status)


def _end(span: OpenSpan, method: str, route: str, status: int) -> None:
    span.end(
        f"{method} {route}",
        {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
        },
        failed=status >= 500,
    )


def _route(scope: Scope) -> str:
    """The route's template; never the path, which holds ids."""
    return getattr(scope.get("route"), "path", "none")


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")

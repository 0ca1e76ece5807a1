"""The request being worked on: its id and its W3C trace context, carried across every hop.

HTTP and gRPC carry `x-request-id` and `traceparent` as headers or metadata, Kafka `traceparent` as
a record header. Format: https://www.w3.org/TR/trace-context/

Where no span is open, an id that has the form of a span's goes on as that, in `traceparent` alone:
each header more costs a call as much as ten counters.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from headrace.runtime.ids import new_id

REQUEST_ID = "x-request-id"
TRACEPARENT = "traceparent"

# Ids of zeros alone are invalid; a later version may add fields at the end.
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,64}")
_SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")


@dataclass(frozen=True)
class RequestContext:
    """Ids of one request: `request_id` for people, `trace_id` (32 hex digits) for traces.

    parent_id: the caller's span, 16 hex digits; empty where the request began here. span_id: the
    span that is open for it here, if any. sampled: the trace is followed.
    """

    request_id: str
    trace_id: str
    parent_id: str = ""
    span_id: str = ""
    sampled: bool = False

    def traceparent(self) -> str:
        """A header for the next hop: of the open span, else of the request."""
        span_id = self.request_id if self.alike else self.span_id or new_id(16)
        return f"00-{self.trace_id}-{span_id}-{'01' if self.sampled else '00'}"

    @property
    def alike(self) -> bool:
        """Whether the id goes on as that of a span."""
        return not self.span_id and _SPAN_ID.fullmatch(self.request_id) is not None


_current: ContextVar[RequestContext | None] = ContextVar("headrace_request", default=None)


def current() -> RequestContext | None:
    return _current.get()


def begin(request_id: str | None, traceparent: str | None) -> RequestContext:
    """The context that the headers describe; what is absent or malformed is made anew.

    A request without an id of its own is called by the span of the traceparent.
    """
    match = _TRACEPARENT.fullmatch(traceparent or "")
    usable = request_id is not None and _REQUEST_ID.fullmatch(request_id)
    parent_id = match.group(2) if match else ""
    return RequestContext(
        request_id=request_id if usable and request_id else parent_id or new_id(16),
        trace_id=match.group(1) if match else new_id(32),
        parent_id=parent_id,
        sampled=match is not None and int(match.group(3), 16) & 1 == 1,
    )


def carried(headers: Iterable[tuple[str, bytes]]) -> RequestContext | None:
    """The request that a record's headers tell of; None: of none."""
    for name, value in headers:
        if name == TRACEPARENT:
            context = begin(None, value.decode("latin-1"))
            return context if context.parent_id else None
    return None


@contextmanager
def within_record(headers: Iterable[tuple[str, bytes]]) -> Iterator[None]:
    """Makes the request that a record's headers tell of the current one."""
    token = _current.set(carried(headers))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def within(context: RequestContext) -> Iterator[RequestContext]:
    """Makes `context` the current one."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


def outgoing_headers() -> list[tuple[str, str]]:
    """Headers or metadata that carry the current context on; empty outside a request."""
    context = current()
    if context is None:
        return []
    traceparent = (TRACEPARENT, context.traceparent())
    return [traceparent] if context.alike else [(REQUEST_ID, context.request_id), traceparent]

"""Traces: what a request did in every process, as spans that a collector puts together.

Off unless `HEADRACE_TRACES_URL` is set: a request pays for one comparison then. Ids travel as
`headrace.runtime.context` has them, on or off, so that logs of all processes can be joined. Nothing
personal is in a span: no ids of people, items or events, and no paths.
"""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, Protocol

from headrace.runtime import context
from headrace.runtime.context import TRACEPARENT, RequestContext
from headrace.runtime.kafka_records import Record

Kind = Literal["server", "consumer"]
Attributes = Mapping[str, str | int]

# A batch of a thousand records, each of another trace, must not hold its consumer up.
SPANS_A_BATCH = 100


class Span(Protocol):
    """Work that is traced, from when it began to `end`. Ids in hex digits, 32 and 16."""

    trace_id: str
    span_id: str

    def end(self, name: str, attributes: Attributes, *, failed: bool) -> None:
        """name: of few values, as a route or a method."""


class Tracer(Protocol):
    """Where spans come from: `headrace.runtime.otlp`."""

    def start(self, kind: Kind, request: RequestContext, began_ns: int | None) -> Span:
        """A span below the request's parent, if it has one. began_ns: None: now."""

    def close(self) -> None: ...


class Tracing:
    """What a process traces with: nothing, until `use`.

    One a process, as its logs are: what receives requests and records must not be told by everybody
    who sets it up.
    """

    def __init__(self) -> None:
        self._tracer: Tracer | None = None
        self._share = 0.0

    def use(self, tracer: Tracer, share: float) -> None:
        """share: of requests without a traceparent; those that bring one have decided."""
        self._tracer, self._share = tracer, share

    def close(self) -> None:
        """Sends what is left."""
        tracer, self._tracer = self._tracer, None
        if tracer is not None:
            tracer.close()

    def opened(self, request: RequestContext) -> "OpenSpan | None":
        """A span for a request that came in; None where it is not traced."""
        if self._tracer is None:
            return None
        followed = request.sampled if request.parent_id else _drawn(self._share)
        return OpenSpan(self._tracer.start("server", request, None), request) if followed else None

    def received(self, records: Sequence[Record]) -> "Received":
        """A batch, and spans that begin now for the records whose trace is followed.

        What a record leads to belongs to its span: its header says so from here on.
        """
        if self._tracer is None:
            return Received(records, ())
        seen: list[Record] = []
        spans: list[tuple[Record, OpenSpan]] = []
        now_ns = time.time_ns()
        for record in records:
            request = context.carried(record.headers) if len(spans) < SPANS_A_BATCH else None
            if request is None or not request.sampled:
                seen.append(record)
                continue
            span = OpenSpan(self._tracer.start("consumer", request, now_ns), request)
            others = [pair for pair in record.headers if pair[0] != TRACEPARENT]
            header = (TRACEPARENT, span.context.traceparent().encode())
            seen.append(replace(record, headers=[*others, header]))
            spans.append((record, span))
        return Received(seen, spans)


class OpenSpan:
    """A span and the request that it is of. context: for what the work calls and publishes."""

    def __init__(self, span: Span, request: RequestContext) -> None:
        self._span = span
        self.context = replace(request, trace_id=span.trace_id, span_id=span.span_id, sampled=True)

    def end(self, name: str, attributes: Attributes, *, failed: bool) -> None:
        """name: of few values, as a route or a method."""
        self._span.end(name, attributes, failed=failed)


class Received:
    """Records as their consumer is to see them, and the spans of those that are traced."""

    def __init__(self, records: Sequence[Record], spans: Sequence[tuple[Record, OpenSpan]]) -> None:
        self.records = records
        self._spans = spans

    def end(self, group: str, *, done: bool) -> None:
        """group: empty for a reader without one."""
        for record, span in self._spans:
            attributes: dict[str, str | int] = {
                "messaging.system": "kafka",
                "messaging.operation.type": "process",
                "messaging.destination.name": record.topic,
                "messaging.destination.partition.id": str(record.partition),
                "messaging.kafka.offset": record.offset,
            }
            if group:
                attributes["messaging.consumer.group.name"] = group
            span.end(f"process {record.topic}", attributes, failed=not done)


TRACING = Tracing()


def _drawn(share: float) -> bool:
    return random.random() < share  # noqa: S311 - it guards nothing

"""Spans by OpenTelemetry, sent by OTLP over HTTP. Imported only where a collector is named."""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from headrace.runtime.context import RequestContext
from headrace.runtime.tracing import Attributes, Kind

# OpenTelemetry's own default. Each time costs 1 to 2 ms of CPU, as much as 40 spans.
_EXPORT_MS = 5_000
# A collector that is away holds up nothing but the end of a process.
_TAKE_S = 2.0


class OtlpTracer:
    """Implements `Tracer`. Spans wait in a bounded queue; what finds no room is dropped."""

    def __init__(self, service: str, url: str) -> None:
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,  # it is asked only for what is to be traced
            resource=Resource.create({"service.name": service, "service.namespace": "headrace"}),
            shutdown_on_exit=False,
        )
        exporter = OTLPSpanExporter(endpoint=url, timeout=_TAKE_S)
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter, schedule_delay_millis=_EXPORT_MS)
        )
        self._tracer = self._provider.get_tracer("headrace")

    def start(self, kind: Kind, request: RequestContext, began_ns: int | None) -> "OtlpSpan":
        parent = None
        if request.parent_id:
            ids = SpanContext(
                trace_id=int(request.trace_id, 16),
                span_id=int(request.parent_id, 16),
                is_remote=True,
                trace_flags=TraceFlags(TraceFlags.SAMPLED),
            )
            parent = set_span_in_context(NonRecordingSpan(ids))
        return OtlpSpan(
            self._tracer.start_span(
                kind, context=parent, kind=SpanKind[kind.upper()], start_time=began_ns
            )
        )

    def close(self) -> None:
        """Sends what is left, if the collector takes it in time."""
        self._provider.force_flush(int(_TAKE_S * 1_000))
        self._provider.shutdown()


class OtlpSpan:
    """Implements `Span`."""

    def __init__(self, span: Span) -> None:
        self._span = span
        ids = span.get_span_context()
        self.trace_id = f"{ids.trace_id:032x}"
        self.span_id = f"{ids.span_id:016x}"

    def end(self, name: str, attributes: Attributes, *, failed: bool) -> None:
        self._span.update_name(name)
        self._span.set_attributes(dict(attributes))
        if failed:
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()

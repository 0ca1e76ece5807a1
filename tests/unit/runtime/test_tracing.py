"""What is traced, whose child each span is, and what a record carries on."""

from headrace.runtime import context
from headrace.runtime.context import RequestContext
from headrace.runtime.kafka_records import Record
from headrace.runtime.tracing import SPANS_A_BATCH, Attributes, Kind, Tracing

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
FOLLOWED = f"00-{TRACE}-{CALLER}-01"
NOT_FOLLOWED = f"00-{TRACE}-{CALLER}-00"


class NotedSpan:
    def __init__(self, number: int, request: RequestContext) -> None:
        self.trace_id = request.trace_id
        self.span_id = f"{number:016x}"
        self.parent_id = request.parent_id
        self.ended: tuple[str, Attributes, bool] | None = None

    def end(self, name: str, attributes: Attributes, *, failed: bool) -> None:
        self.ended = (name, attributes, failed)


class NotedTracer:
    def __init__(self) -> None:
        self.spans: list[NotedSpan] = []
        self.closed = False

    def start(self, kind: Kind, request: RequestContext, began_ns: int | None) -> NotedSpan:
        self.spans.append(NotedSpan(len(self.spans) + 1, request))
        return self.spans[-1]

    def close(self) -> None:
        self.closed = True


def tracing(share: float = 0.0) -> tuple[Tracing, NotedTracer]:
    tracer = NotedTracer()
    used = Tracing()
    used.use(tracer, share)
    return used, tracer


def record(traceparent: str | None, offset: int = 0) -> Record:
    headers = [("own", b"\x00")]
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    return Record("events", 2, offset, 0, b"key", b"value", headers)


def test_off_nothing_is_traced_and_records_stay_as_they_are() -> None:
    records = [record(FOLLOWED)]
    assert Tracing().opened(context.begin(None, FOLLOWED)) is None
    received = Tracing().received(records)
    assert received.records is records
    received.end("group", done=True)


def test_the_caller_decides_where_it_brings_a_trace() -> None:
    used, tracer = tracing(share=1.0)
    assert used.opened(context.begin(None, NOT_FOLLOWED)) is None
    used, tracer = tracing(share=0.0)
    span = used.opened(context.begin("r", FOLLOWED))
    assert span is not None
    assert tracer.spans[0].parent_id == CALLER
    assert span.context.request_id == "r"
    assert span.context.traceparent() == f"00-{TRACE}-{1:016x}-01"


def test_without_one_a_share_of_requests_is_traced() -> None:
    used, tracer = tracing(share=0.25)
    for _ in range(4_000):
        used.opened(context.begin(None, None))
    assert 800 < len(tracer.spans) < 1_200
    assert {span.parent_id for span in tracer.spans} == {""}
    used, tracer = tracing(share=0.0)
    assert used.opened(context.begin(None, None)) is None


def test_what_is_not_followed_says_so_to_the_next_hop() -> None:
    assert context.begin(None, None).traceparent().endswith("-00")
    assert context.begin(None, NOT_FOLLOWED).traceparent().endswith("-00")
    assert context.begin(None, FOLLOWED).traceparent().endswith("-01")


def test_a_record_goes_on_as_the_child_of_its_span() -> None:
    used, tracer = tracing()
    others = [record(None), record(NOT_FOLLOWED), record("garbage")]
    received = used.received([record(FOLLOWED, offset=7), *others])
    [span] = tracer.spans
    assert span.parent_id == CALLER
    first, *rest = received.records
    assert dict(first.headers) == {
        "own": b"\x00",
        "traceparent": f"00-{TRACE}-{1:016x}-01".encode(),
    }
    assert rest == others
    received.end("event_ingest", done=False)
    assert span.ended is not None
    name, attributes, failed = span.ended
    assert (name, failed) == ("process events", True)
    assert attributes["messaging.kafka.offset"] == 7
    assert attributes["messaging.consumer.group.name"] == "event_ingest"


def test_a_batch_has_so_many_spans_and_no_more() -> None:
    used, tracer = tracing()
    received = used.received([record(FOLLOWED, at) for at in range(1_000)])
    assert len(tracer.spans) == SPANS_A_BATCH
    assert [one.offset for one in received.records] == list(range(1_000))
    assert dict(received.records[-1].headers)["traceparent"] == FOLLOWED.encode()


def test_closing_sends_what_is_left_and_ends_tracing() -> None:
    used, tracer = tracing(share=1.0)
    used.close()
    used.close()
    assert tracer.closed
    assert used.opened(context.begin(None, FOLLOWED)) is None

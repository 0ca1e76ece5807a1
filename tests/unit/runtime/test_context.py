"""A request keeps its ids across hops; what is malformed is made anew."""

import re
from dataclasses import replace

import pytest

from headrace.runtime.context import begin, current, outgoing_headers, within

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_a_trace_goes_on_with_a_span_of_its_own() -> None:
    context = begin("request-1", f"00-{TRACE}-b7ad6b7169203331-01")
    assert (context.request_id, context.trace_id) == ("request-1", TRACE)
    first, second = context.traceparent(), context.traceparent()
    assert re.fullmatch(rf"00-{TRACE}-[0-9a-f]{{16}}-01", first)
    assert first != second
    assert begin(None, first).trace_id == TRACE


def test_an_id_made_here_goes_on_in_the_traceparent_alone() -> None:
    with within(begin(None, None)) as context:
        ((name, traceparent),) = outgoing_headers()
    assert name == "traceparent"
    received = begin(None, traceparent)
    assert received.request_id == context.request_id
    assert received.trace_id == context.trace_id
    with within(received):  # and one hop further
        assert outgoing_headers() == [("traceparent", traceparent)]


@pytest.mark.parametrize("given", ["request-1", "0" * 16, "B7AD6B7169203331"])
def test_an_id_that_is_no_span_s_goes_on_beside_the_traceparent(given: str) -> None:
    with within(begin(given, None)):
        assert dict(outgoing_headers())["x-request-id"] == given


def test_while_a_span_is_open_the_id_goes_on_beside_it() -> None:
    context = replace(begin(None, None), span_id="00f067aa0ba902b7", sampled=True)
    with within(context):
        headers = dict(outgoing_headers())
    assert headers["traceparent"] == f"00-{context.trace_id}-00f067aa0ba902b7-01"
    assert begin(headers["x-request-id"], headers["traceparent"]).request_id == context.request_id


def test_a_later_version_with_more_fields_goes_on_too() -> None:
    assert begin(None, f"cc-{TRACE}-b7ad6b7169203331-01-what-comes-next").trace_id == TRACE


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        "",
        "garbage",
        f"00-{TRACE}-b7ad6b7169203331",
        f"00-{TRACE.upper()}-b7ad6b7169203331-01",
        f"ff-{TRACE}-b7ad6b7169203331-01",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-b7ad6b7169203331-01\n",
    ],
)
def test_a_malformed_trace_is_made_anew(traceparent: str | None) -> None:
    trace = begin(None, traceparent).trace_id
    assert re.fullmatch(r"[0-9a-f]{32}", trace)
    assert trace != TRACE


@pytest.mark.parametrize("request_id", [None, "", "two words", "a\n", "é", "x" * 65])
def test_a_request_id_that_no_header_could_carry_is_made_anew(request_id: str | None) -> None:
    made = begin(request_id, None).request_id
    assert re.fullmatch(r"[0-9a-f]{16}", made)


def test_the_context_holds_inside_the_block_alone() -> None:
    assert current() is None
    assert outgoing_headers() == []
    with within(begin("outer", None)) as outer:
        with within(begin("inner", None)):
            assert dict(outgoing_headers())["x-request-id"] == "inner"
        assert current() == outer
        headers = dict(outgoing_headers())
        assert headers["x-request-id"] == "outer"
        assert begin(None, headers["traceparent"]).trace_id == outer.trace_id
    assert current() is None

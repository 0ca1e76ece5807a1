"""HTTP and gRPC have the same meaning: same answer, same refusal, same effect."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from headrace.api.catalogue.v1 import catalogue_pb2
from headrace.api.events.v1 import events_pb2
from headrace.api.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from headrace.api.ranker.v1.filter_pb2 import Filter, Filters, OneOf
from headrace.api.ranker.v1.list_options_pb2 import (
    LIST_KIND_NEW,
    LIST_KIND_SIMILAR,
    LIST_KIND_TRENDING,
    WINDOW_DAY,
    Boost,
    Pin,
)
from headrace.errors import InvalidInput
from headrace.runtime.readiness import Readiness
from headrace.runtime.rpc_errors import from_rpc_error
from tests.unit.gateway.doors import (
    ADMIN_KEY,
    CATALOGUE_KEY,
    EVENTS_KEY,
    READER_KEY,
    grpc_door,
    http_door,
)
from tests.unit.gateway.memory import World

STATUS_OF_CODE = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.UNAVAILABLE: 503,
}


@dataclass(frozen=True)
class Ask:
    """The same request in both languages. `path` is `METHOD /path`."""

    path: str
    method: str
    message: Message
    body: dict[str, Any] | None = None
    key: dict[str, str] = field(default_factory=dict)
    given: Callable[[World], None] = lambda _world: None


def _without_ranker(world: World) -> None:
    world.lose_ranker()


def _without_kafka(world: World) -> None:
    world.event_log.away = True


LONG_AGO = Timestamp(seconds=-2_208_988_800)  # 1900
CLICK = gateway_pb2.NewEvent(
    event_id="e", user_id="u", item_id="1", type=events_pb2.EVENT_TYPE_CLICK
)
BODY = {"events": [{"event_id": "e", "user_id": "u", "item_id": "1", "type": "click"}]}
EVENTS = gateway_pb2.RecordEventsRequest(events=[CLICK])
BAD_EVENTS = gateway_pb2.RecordEventsRequest(
    events=[
        gateway_pb2.NewEvent(user_id="x" * 1_000, item_id="1", type=events_pb2.EVENT_TYPE_VIEW),
        gateway_pb2.NewEvent(user_id="u", item_id="1", type=events_pb2.EVENT_TYPE_RATING, value=9),
        gateway_pb2.NewEvent(
            user_id="u", item_id="", type=events_pb2.EVENT_TYPE_CLICK, occurred_at=LONG_AGO
        ),
    ]
)
BAD_BODY = {
    "events": [
        {"user_id": "x" * 1_000, "item_id": "1", "type": "view"},
        {"user_id": "u", "item_id": "1", "type": "rating", "value": 9},
        {"user_id": "u", "item_id": "", "type": "click", "occurred_at": "1900-01-01T00:00:00Z"},
    ]
}
LIST = gateway_pb2.RecommendRequest
SIMILAR = gateway_pb2.SimilarItemsRequest
ITEM = catalogue_pb2.Item(item_id="9", title="Nine", categories=["Drama"], attributes={"year": 1})
ITEM_BODY = {"title": "Nine", "categories": ["Drama"], "attributes": {"year": 1}}
UPSERT = gateway_pb2.UpsertItemsRequest

ASKS = {
    "events": Ask("POST /v1/events", "RecordEvents", EVENTS, BODY, EVENTS_KEY),
    "events, no key": Ask("POST /v1/events", "RecordEvents", EVENTS, BODY),
    "events, other scope": Ask("POST /v1/events", "RecordEvents", EVENTS, BODY, READER_KEY),
    "events, wrong": Ask("POST /v1/events", "RecordEvents", BAD_EVENTS, BAD_BODY, EVENTS_KEY),
    "events, none": Ask(
        "POST /v1/events",
        "RecordEvents",
        gateway_pb2.RecordEventsRequest(),
        {"events": []},
        EVENTS_KEY,
    ),
    "events, 501": Ask(
        "POST /v1/events",
        "RecordEvents",
        gateway_pb2.RecordEventsRequest(events=[CLICK] * 501),
        {"events": BODY["events"] * 501},
        EVENTS_KEY,
    ),
    "events, no Kafka": Ask(
        "POST /v1/events", "RecordEvents", EVENTS, BODY, EVENTS_KEY, _without_kafka
    ),
    "list of a person": Ask(
        "GET /v1/users/u/recommendations?n=2&category=Drama&after=e",
        "Recommend",
        LIST(user_id="u", n=2, category="Drama", after="e"),
        key=READER_KEY,
    ),
    "list of a person, no key": Ask(
        "GET /v1/users/u/recommendations", "Recommend", LIST(user_id="u")
    ),
    "list of a visit": Ask(
        "POST /v1/recommendations",
        "Recommend",
        LIST(session=["1"], exclude=["2"]),
        {"session": ["1"], "exclude": ["2"]},
    ),
    "filtered list": Ask(
        "POST /v1/recommendations",
        "Recommend",
        LIST(filter=Filter(tag=OneOf(one_of=["new"])), include_seen=True),
        {"filter": {"tag": {"one_of": ["new"]}}, "include_seen": True},
    ),
    "arranged list": Ask(
        "POST /v1/recommendations",
        "Recommend",
        LIST(
            n=2,
            boost=[Boost(filter=Filter(tag=OneOf(one_of=["new"])), factor=2)],
            pin=[Pin(item_id="4", position=1)],
            max_per_category=1,
            diversity=0.5,
            cursor="1",
            explore=0.5,
        ),
        {
            "n": 2,
            "boost": [{"filter": {"tag": {"one_of": ["new"]}}, "factor": 2}],
            "pin": [{"item_id": "4", "position": 1}],
            "max_per_category": 1,
            "diversity": 0.5,
            "cursor": "1",
            "explore": 0.5,
        },
    ),
    "wrong arrangement": Ask(
        "POST /v1/recommendations",
        "Recommend",
        LIST(
            boost=[Boost(filter=Filter(), factor=0)],
            pin=[Pin(item_id="4", position=0), Pin(item_id="", position=7)],
            max_per_category=999,
            diversity=-1,
            cursor="x" * 9_999,
        ),
        {
            "boost": [{"filter": {}, "factor": 0}],
            "pin": [{"item_id": "4", "position": 0}, {"item_id": "", "position": 7}],
            "max_per_category": 999,
            "diversity": -1,
            "cursor": "x" * 9_999,
        },
    ),
    "pins on one place": Ask(
        "POST /v1/recommendations",
        "Recommend",
        LIST(pin=[Pin(item_id="4", position=1), Pin(item_id="5", position=1)]),
        {"pin": [{"item_id": "4", "position": 1}, {"item_id": "5", "position": 1}]},
    ),
    "second page without ranker": Ask(
        "POST /v1/recommendations",
        "Recommend",
        LIST(cursor="1"),
        {"cursor": "1"},
        given=_without_ranker,
    ),
    "explained list": Ask(
        "POST /v1/recommendations",
        "Recommend",
        LIST(user_id="u", n=2, explain=True),
        {"user_id": "u", "n": 2, "explain": True},
        READER_KEY,
    ),
    "similar to several": Ask(
        "POST /v1/recommendations",
        "Recommend",
        LIST(kind=LIST_KIND_SIMILAR, items=["1", "2"]),
        {"kind": "similar", "items": ["1", "2"]},
    ),
    "similar to what nobody knows": Ask(
        "POST /v1/recommendations",
        "Recommend",
        LIST(kind=LIST_KIND_SIMILAR, items=["lost"]),
        {"kind": "similar", "items": ["lost"]},
    ),
    "similar to nothing": Ask(
        "POST /v1/recommendations",
        "Recommend",
        LIST(kind=LIST_KIND_SIMILAR),
        {"kind": "similar"},
    ),
    "trending today": Ask(
        "POST /v1/recommendations",
        "Recommend",
        LIST(kind=LIST_KIND_TRENDING, window=WINDOW_DAY),
        {"kind": "trending", "window": "day"},
    ),
    "new within a window": Ask(
        "POST /v1/recommendations",
        "Recommend",
        LIST(kind=LIST_KIND_NEW, window=WINDOW_DAY),
        {"kind": "new", "window": "day"},
    ),
    "new without ranker": Ask(
        "POST /v1/recommendations",
        "Recommend",
        LIST(kind=LIST_KIND_NEW),
        {"kind": "new"},
        given=_without_ranker,
    ),
    "similar people": Ask(
        "GET /v1/users/u/similar?n=2",
        "SimilarUsers",
        gateway_pb2.SimilarUsersRequest(user_id="u", n=2),
        key=READER_KEY,
    ),
    "similar people, no key": Ask(
        "GET /v1/users/u/similar", "SimilarUsers", gateway_pb2.SimilarUsersRequest(user_id="u")
    ),
    "similar people, nobody": Ask(
        "GET /v1/users/nobody/similar",
        "SimilarUsers",
        gateway_pb2.SimilarUsersRequest(user_id="nobody"),
        key=READER_KEY,
    ),
    "wrong filter": Ask(
        "POST /v1/recommendations",
        "Recommend",
        LIST(filter=Filter(all=Filters(filters=[Filter(), Filter(tag=OneOf())]))),
        {"filter": {"all": [{}, {"tag": {}}]}},
    ),
    "filtered list without ranker": Ask(
        "POST /v1/recommendations",
        "Recommend",
        LIST(filter=Filter(tag=OneOf(one_of=["new"]))),
        {"filter": {"tag": {"one_of": ["new"]}}},
        given=_without_ranker,
    ),
    "list of 0": Ask("POST /v1/recommendations", "Recommend", LIST(n=0), {"n": 0}),
    "list of 10,000": Ask("POST /v1/recommendations", "Recommend", LIST(n=10_000), {"n": 10_000}),
    "list after an event of nobody": Ask(
        "POST /v1/recommendations", "Recommend", LIST(after="e"), {"after": "e"}
    ),
    "list without ranker": Ask(
        "POST /v1/recommendations", "Recommend", LIST(), {}, given=_without_ranker
    ),
    "similar": Ask(
        "GET /v1/items/1/similar?n=2&category=Drama",
        "SimilarItems",
        SIMILAR(item_id="1", n=2, category="Drama"),
    ),
    "similar for somebody": Ask(
        "GET /v1/items/1/similar?user_id=u&n=3",
        "SimilarItems",
        SIMILAR(item_id="1", user_id="u", n=3),
        key=READER_KEY,
    ),
    "similar for somebody, no key": Ask(
        "GET /v1/items/1/similar?user_id=u", "SimilarItems", SIMILAR(item_id="1", user_id="u")
    ),
    "similar to unknown": Ask("GET /v1/items/x/similar", "SimilarItems", SIMILAR(item_id="x")),
    "item": Ask("GET /v1/items/1", "GetItem", gateway_pb2.GetItemRequest(item_id="1")),
    "item, unknown": Ask("GET /v1/items/x", "GetItem", gateway_pb2.GetItemRequest(item_id="x")),
    "item, long id": Ask(
        f"GET /v1/items/{'x' * 1_000}", "GetItem", gateway_pb2.GetItemRequest(item_id="x" * 1_000)
    ),
    "upsert": Ask(
        "POST /v1/items",
        "UpsertItems",
        UPSERT(items=[ITEM]),
        {"items": [{"item_id": "9", **ITEM_BODY}]},
        CATALOGUE_KEY,
    ),
    "upsert twice": Ask(
        "POST /v1/items",
        "UpsertItems",
        UPSERT(items=[ITEM, ITEM]),
        {"items": [{"item_id": "9", **ITEM_BODY}] * 2},
        ADMIN_KEY,
    ),
    "delete": Ask(
        "DELETE /v1/items/1",
        "DeleteItem",
        gateway_pb2.DeleteItemRequest(item_id="1"),
        key=CATALOGUE_KEY,
    ),
    "delete, no key": Ask(
        "DELETE /v1/items/1", "DeleteItem", gateway_pb2.DeleteItemRequest(item_id="1")
    ),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
async def test_both_doors_answer_alike(ask: Ask) -> None:
    by_http, by_grpc = World(), World()
    ask.given(by_http)
    ask.given(by_grpc)
    assert await _over_http(by_http, ask) == await _over_grpc(by_grpc, ask)
    assert by_http.catalogue.items == by_grpc.catalogue.items
    assert [one.event for one in by_http.event_log.events] == [
        one.event for one in by_grpc.event_log.events
    ]


async def test_more_faults_than_a_grpc_status_can_carry_are_cut_short() -> None:
    events = [gateway_pb2.NewEvent()] * 500
    ask = Ask(
        "",
        "RecordEvents",
        gateway_pb2.RecordEventsRequest(events=events),
        key=EVENTS_KEY,
    )
    status, violations = await _over_grpc(World(), ask)
    assert status == 400
    assert violations[0][0] == "events[0].user_id"
    assert len(violations) < 1_500


async def _over_http(world: World, ask: Ask) -> tuple[int, Any]:
    method, path = ask.path.split(" ", 1)
    async with http_door(world, Readiness()) as client:
        answer = await client.request(method, path, json=ask.body, headers=ask.key)
    body = answer.json()
    if answer.is_success:
        return 200, _comparable(body)
    return answer.status_code, [(e["field"], e["reason"]) for e in body.get("errors", [])]


async def _over_grpc(world: World, ask: Ask) -> tuple[int, Any]:
    async with (
        grpc_door(world, Readiness()) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        method = getattr(gateway_pb2_grpc.GatewayServiceStub(channel), ask.method)
        try:
            answer = await method(ask.message, metadata=list(ask.key.items()), timeout=10)
        except grpc.aio.AioRpcError as failure:
            error = from_rpc_error("gateway", failure)
            found = error.violations if isinstance(error, InvalidInput) else ()
            return STATUS_OF_CODE[failure.code()], [(one.field, one.reason) for one in found]
    body = MessageToDict(
        answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    if ask.method == "DeleteItem":
        body["item_id"] = "1"  # HTTP repeats what its caller said in the path
    return 200, _comparable(body)


def _comparable(value: Any) -> Any:
    """What both say in different words: numbers as text, enums in capitals, what is absent."""
    if isinstance(value, list):
        return [_comparable(one) for one in value]
    if not isinstance(value, dict):
        text = str(value).lower()
        for prefix in ("source_", "event_status_", "availability_"):
            text = text.removeprefix(prefix)
        return text.removesuffix(".0")
    if "item" in value:
        value = {**value["item"], **value}
    if isinstance(value.get("after"), dict):
        value = {**value, "after_status": value["after"]["status"]}
    left_out = {"request_id", "item", "after", "embedding"}
    return {
        name: _comparable(one)
        for name, one in value.items()
        if name not in left_out and one not in (None, "EVENT_STATUS_UNSPECIFIED")
    }

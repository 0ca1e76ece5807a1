"""Lists of many people, at both doors and with both clients."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import grpc
import httpx
import pytest

from headrace.api.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from headrace.client import AsyncHeadrace, Headrace, PersonList
from headrace.errors import InvalidInput, PermissionDenied, Unavailable
from headrace.runtime.readiness import Readiness
from services.gateway.batches.models import DEADLINE_S
from tests.unit.gateway.doors import EVENTS_KEY, READER_KEY, grpc_door
from tests.unit.gateway.memory import MemoryImpressions, World

PATH = "/v1/recommendations/batch"
SHOWN = "/v1/impressions"
KEY = READER_KEY["authorization"].removeprefix("Bearer ")


async def _lines(http: httpx.AsyncClient, **body: Any) -> list[dict[str, Any]]:
    answer = await http.post(PATH, json=body, headers=READER_KEY)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


@pytest.fixture
async def address(world: World) -> AsyncIterator[str]:
    async with grpc_door(world, Readiness()) as address:
        yield address


async def test_a_line_each_and_one_that_says_that_all_came(http: httpx.AsyncClient) -> None:
    *lists, end = await _lines(http, user_ids=["ann", "nobody", "ben"], n=2)
    assert [one["user_id"] for one in lists] == ["ann", "nobody", "ben"]
    assert [one["personal"] for one in lists] == [True, False, True]
    assert [[item["item_id"] for item in one["items"]] for one in lists] == [
        ["6", "5"],
        ["1", "2"],
        ["6", "5"],
    ]
    assert lists[0]["as_of"] == "2026-01-31T12:00:00Z"
    assert end == {"end": 3}


async def test_a_line_is_the_list_that_its_person_gets_alone(http: httpx.AsyncClient) -> None:
    one, _ = await _lines(http, user_ids=["ann"], n=4, category="Drama")
    asked = {"user_id": "ann", "n": 4, "category": "Drama"}
    alone = await http.post("/v1/recommendations", json=asked, headers=READER_KEY)
    assert one["items"] == alone.json()["items"]


async def test_what_was_just_deleted_is_in_no_list(http: httpx.AsyncClient, world: World) -> None:
    await world.gateway.items.delete("6")
    one, _ = await _lines(http, user_ids=["ann"], n=3)
    assert "6" not in [item["item_id"] for item in one["items"]]


async def test_who_wants_no_personal_list_gets_the_one_of_anybody(
    http: httpx.AsyncClient, world: World
) -> None:
    world.choices.apply([("ann", False)])
    ann, ben, _ = await _lines(http, user_ids=["ann", "ben"], n=2)
    assert [item["item_id"] for item in ann["items"]] == ["1", "2"]
    assert [item["item_id"] for item in ben["items"]] == ["6", "5"]
    assert (ann["personal"], ben["personal"]) == (False, True)


async def test_rules_of_a_list_hold_for_lists_of_many(
    http: httpx.AsyncClient, world: World
) -> None:
    rules = {"max_per_category": 1, "pin": [{"item_id": "2", "position": 1}], "kind": "new"}
    world.choices.apply([("ben", False)])
    ann, *_ = await _lines(http, user_ids=["ann", "ben"], n=2, exclude=["6"], **rules)
    assert [item["item_id"] for item in ann["items"]] == ["5", "4"]
    asked = world.ranker.asked[-1]  # the list of anybody, for who opted out
    assert (asked.user_id, asked.max_per_category, asked.kind) == (None, 1, "new")
    assert (asked.pin[0].item_id, asked.exclude) == ("2", ["6"])


@pytest.mark.parametrize(
    ("field", "value"), [("cursor", ""), ("explain", True), ("session", ["1"]), ("window", "day")]
)
async def test_what_goes_with_a_list_by_itself_is_refused(
    http: httpx.AsyncClient, field: str, value: object
) -> None:
    answer = await http.post(PATH, json={field: value}, headers=READER_KEY)
    assert answer.status_code == 400
    assert field in answer.json()["errors"][0]["field"]


async def test_a_segment_is_asked_for_in_pieces_of_its_people(
    http: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.batches.service.PEOPLE", 2)
    world.segments.people["best"] = ["ann", "ben", "cleo", "nobody", "zoe"]
    *lists, end = await _lines(http, segment="best", n=2)
    assert [one["user_id"] for one in lists] == world.segments.people["best"]
    assert [one["personal"] for one in lists] == [True, True, True, False, True]
    assert end == {"end": 5}
    assert len(world.ranker.deadlines) == 3
    assert DEADLINE_S - 60 < world.ranker.deadlines[-1] <= world.ranker.deadlines[0] <= DEADLINE_S


async def test_a_segment_with_nobody_in_it_has_no_lists(
    http: httpx.AsyncClient, world: World
) -> None:
    assert await _lines(http, segment="lost") == [{"end": 0}]
    assert world.ranker.calls == 0


async def test_a_stream_that_breaks_off_says_why_in_its_last_line(http: httpx.AsyncClient) -> None:
    first, second, last = await _lines(http, user_ids=["ann", "ben", "away"])
    assert (first["user_id"], second["user_id"]) == ("ann", "ben")
    assert last["problem"]["status"] == 503


async def test_what_fails_before_there_is_a_list_is_a_problem_document(
    http: httpx.AsyncClient, world: World
) -> None:
    world.lose_ranker()
    answer = await http.post(PATH, json={}, headers=READER_KEY)
    assert (answer.status_code, answer.json()["status"]) == (503, 503)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"n": 0}, "n"),
        ({"user_ids": [""]}, "user_ids[0]"),
        ({"user_ids": ["a"] * 10_001}, "user_ids"),
        ({"user_ids": ["a"], "active_since": "2026-01-01T00:00:00Z"}, "active_since"),
        ({"active_since": "2026-01-01T00:00:00"}, "active_since"),
        ({"segment": "gold"}, "segment"),
        ({"segment": "best", "user_ids": ["a"]}, "segment"),
        ({"segment": "best", "active_since": "2026-01-01T00:00:00Z"}, "segment"),
        ({"boost": [{"factor": 2}]}, "boost[0].filter"),
    ],
)
async def test_what_cannot_be_asked_is_named(
    http: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await http.post(PATH, json=body, headers=READER_KEY)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_it_takes_a_key_that_reads(http: httpx.AsyncClient, address: str) -> None:
    assert (await http.post(PATH, json={})).status_code == 401
    assert (await http.post(PATH, json={}, headers=EVENTS_KEY)).status_code == 403
    async with AsyncHeadrace(address, api_key="events-key-0123456789") as client:
        with pytest.raises(PermissionDenied):
            await anext(client.recommend_many())


@pytest.fixture(params=["blocking", "asyncio"])
def client(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def _many(client: str, address: str, *given: Any, **named: Any) -> list[PersonList]:
    if client == "asyncio":
        async with AsyncHeadrace(address, api_key=KEY) as headrace:
            return [one async for one in headrace.recommend_many(*given, **named)]

    def read() -> list[PersonList]:
        with Headrace(address, api_key=KEY) as headrace:
            return list(headrace.recommend_many(*given, **named))

    return await asyncio.to_thread(read)


async def test_the_client_reads_one_list_after_the_other(
    client: str, address: str, world: World
) -> None:
    lists = await _many(client, address, (f"p{n}" for n in range(5)), n=2)
    assert [one.user_id for one in lists] == [f"p{n}" for n in range(5)]
    assert [item.item_id for item in lists[0].items] == ["6", "5"]
    everybody = await _many(client, address, active_since=datetime(2026, 1, 1, tzinfo=UTC))
    assert [one.user_id for one in everybody] == ["ann", "ben", "cleo"]
    assert all(one.personal for one in everybody)
    world.segments.people["at_risk"] = ["zoe", "ann"]
    risky = await _many(client, address, segment="at_risk", n=1)
    assert [one.user_id for one in risky] == ["zoe", "ann"]


async def test_the_client_names_any_number_of_people(
    client: str, address: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headrace.client.calls._BATCH_PEOPLE", 3)
    names = [f"p{n}" for n in range(8)]
    assert [one.user_id for one in await _many(client, address, names, n=1)] == names
    assert len(world.ranker.deadlines) == 3
    assert await _many(client, address, []) == []


async def test_the_client_tells_what_went_wrong(client: str, address: str) -> None:
    with pytest.raises(Unavailable, match="user_embedding is away"):
        await _many(client, address, ["ann", "ben", "away"])
    with pytest.raises(InvalidInput, match="time zone"):
        await _many(client, address, active_since=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(InvalidInput, match="goes without user_ids"):
        await _many(client, address, ["a"], active_since=datetime.now(UTC))
    with pytest.raises(InvalidInput, match="segment: goes without user_ids"):
        await _many(client, address, ["a"], segment="best")
    with pytest.raises(InvalidInput, match=r"segment: .*'best'.*'lost'"):
        await _many(client, address, segment="gold")


async def test_the_caller_s_deadline_goes_on_to_the_ranker(address: str, world: World) -> None:
    metadata = (("authorization", READER_KEY["authorization"]),)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        for timeout in (30.0, 100_000.0):
            request = gateway_pb2.BatchRecommendRequest(user_ids=["ann"])
            stream: Any = stub.BatchRecommend(request, timeout=timeout, metadata=metadata)
            assert [one.user_id async for answer in stream for one in answer.lists] == ["ann"]
    short, long = world.ranker.deadlines
    assert 0 < short <= 31  # clocks are read in whole jiffies
    assert DEADLINE_S - 1 < long <= DEADLINE_S


@pytest.fixture
def impressions(world: World) -> MemoryImpressions:
    assert isinstance(world.impressions, MemoryImpressions)
    return world.impressions


async def test_a_line_sent_back_when_it_is_shown_is_an_impression(
    http: httpx.AsyncClient, impressions: MemoryImpressions
) -> None:
    ann, nobody, _ = await _lines(http, user_ids=["ann", "nobody"], n=2, kind="new")
    assert ann["request_id"] == nobody["request_id"] != ""
    assert impressions.lists == []
    answer = await http.post(SHOWN, json={"lists": [ann, nobody]}, headers=EVENTS_KEY)
    assert (answer.status_code, answer.json()) == (202, {"lists": 2})
    one, other = impressions.lists
    assert (one.request_id, one.user_id, one.kind) == (ann["request_id"], "ann", "new")
    assert (one.model_version, one.personal, other.personal) == ("m1", True, False)
    assert [(item.item_id, item.score, item.source) for item in one.items] == [
        (item["item_id"], item["score"], item["source"]) for item in ann["items"]
    ]


async def test_the_client_reports_what_it_was_given(
    client: str, address: str, impressions: MemoryImpressions
) -> None:
    ann, ben = await _many(client, address, ["ann", "ben"], n=2, kind="trending")
    assert ann.request_id == ben.request_id != ""
    key = EVENTS_KEY["authorization"].removeprefix("Bearer ")
    if client == "asyncio":
        async with AsyncHeadrace(address, api_key=key) as headrace:
            assert await headrace.shown([ann]) == 1
    else:
        with Headrace(address, api_key=key) as blocking:
            assert await asyncio.to_thread(blocking.shown, [ann]) == 1
    (one,) = impressions.lists
    assert (one.request_id, one.user_id, one.model_version) == (ann.request_id, "ann", "m1")
    assert one.kind == ann.kind == "trending"
    assert [(item.item_id, item.source) for item in one.items] == [
        (item.item_id, item.source) for item in ann.items
    ]


async def test_a_report_of_who_opted_out_is_nobodys(
    http: httpx.AsyncClient, world: World, impressions: MemoryImpressions
) -> None:
    ann, _ = await _lines(http, user_ids=["ann"], n=2)
    world.choices.apply([("ann", False)])
    await http.post(SHOWN, json={"lists": [ann]}, headers=EVENTS_KEY)
    assert [one.user_id for one in impressions.lists] == [None]


async def test_a_report_needs_the_scope_and_room(
    http: httpx.AsyncClient, impressions: MemoryImpressions
) -> None:
    ann, _ = await _lines(http, user_ids=["ann"], n=2)
    for key, status in (({}, 401), (READER_KEY, 403)):
        answer = await http.post(SHOWN, json={"lists": [ann]}, headers=key)
        assert answer.status_code == status
    impressions.full = True
    answer = await http.post(SHOWN, json={"lists": [ann]}, headers=EVENTS_KEY)
    assert answer.status_code == 503
    assert impressions.lists == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"request_id": "two words"}, "lists[0].request_id"),
        ({"user_id": ""}, "lists[0].user_id"),
        ({"model_version": ""}, "lists[0].model_version"),
        ({"items": []}, "lists[0].items"),
        (
            {"items": [{"item_id": "1", "score": 0.5, "source": "search"}]},
            "lists[0].items[0].source",
        ),
        ({"items": [{"item_id": "1", "source": "new"}]}, "lists[0].items[0].score"),
    ],
)
async def test_what_cannot_be_reported_is_named(
    http: httpx.AsyncClient, impressions: MemoryImpressions, change: dict[str, Any], field: str
) -> None:
    ann, _ = await _lines(http, user_ids=["ann"], n=1)
    answer = await http.post(SHOWN, json={"lists": [{**ann, **change}]}, headers=EVENTS_KEY)
    assert answer.status_code == 400, answer.text
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert impressions.lists == []


async def test_the_grpc_door_names_the_field_too(address: str) -> None:
    metadata = (("authorization", EVENTS_KEY["authorization"]),)
    shown = gateway_pb2.ShownList(
        request_id="r-1",
        user_id="ann",
        model_version="m1",
        items=[gateway_pb2.ShownItem(item_id="1", score=0.5)],
    )
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = gateway_pb2_grpc.GatewayServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.RecordImpressions(
                gateway_pb2.RecordImpressionsRequest(lists=[shown]), metadata=metadata
            )
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "lists[0].items[0].source: " in str(caught.value.details())

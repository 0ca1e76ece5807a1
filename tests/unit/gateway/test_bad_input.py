"""Bad input is the caller's: a 4xx problem document that names the field, never a 5xx."""

import gzip
from typing import Any

import httpx
import pytest

from tests.unit.gateway.doors import BODY_LIMIT, CATALOGUE_KEY, EVENTS_KEY, READER_KEY
from tests.unit.gateway.memory import World

CLICK = {"user_id": "u", "item_id": "1", "type": "click"}
JSON = {"content-type": "application/json"}


def _fields(answer: httpx.Response) -> list[str]:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    return [error["field"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"user_id": ""}, "user_id"),
        ({"user_id": "x" * 1_000}, "user_id"),
        ({"user_id": "a\u0000b"}, "user_id"),
        ({"user_id": 259}, "user_id"),
        ({"user_id": None}, "user_id"),
        ({"item_id": ""}, "item_id"),
        ({"item_id": "x" * 129}, "item_id"),
        ({"event_id": ""}, "event_id"),
        ({"type": "klick"}, "type"),
        ({"type": 2}, "type"),
        ({"occurred_at": "1900-01-01T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": "2100-01-01T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": "2026-01-31T12:00:00"}, "occurred_at"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"type": "rating"}, "value"),
        ({"type": "rating", "value": 9}, "value"),
        ({"type": "rating", "value": 0}, "value"),
        ({"type": "rating", "value": "5"}, "value"),
        ({"type": "rating", "value": True}, "value"),
        ({"type": "purchase", "value": -1}, "value"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_event_refuses_the_batch_and_is_named(
    http: httpx.AsyncClient, world: World, change: dict[str, Any], field: str
) -> None:
    body = {"events": [CLICK, {**CLICK, **change}, CLICK]}
    answer = await http.post("/v1/events", json=body, headers=EVENTS_KEY)
    assert answer.status_code == 400
    assert _fields(answer) == [f"events[1].{field}"]
    assert not world.event_log.events


async def test_every_fault_is_listed(http: httpx.AsyncClient) -> None:
    events = [CLICK] * 3 + [{**CLICK, "type": "rating", "value": 9}, {"type": "click"}]
    answer = await http.post("/v1/events", json={"events": events}, headers=EVENTS_KEY)
    assert _fields(answer) == ["events[3].value", "events[4].user_id", "events[4].item_id"]
    assert answer.json()["errors"][0]["reason"] == "a rating needs a value from 1 to 5"


@pytest.mark.parametrize("count", [0, 501])
async def test_a_batch_has_1_to_500_events(
    http: httpx.AsyncClient, world: World, count: int
) -> None:
    answer = await http.post("/v1/events", json={"events": [CLICK] * count}, headers=EVENTS_KEY)
    assert answer.status_code == 400
    assert _fields(answer) == ["events"]
    assert not world.event_log.events


async def test_faults_beyond_count_are_not_listed(http: httpx.AsyncClient) -> None:
    body = {f"f{number}": 1 for number in range(5_000)}
    answer = await http.post("/v1/recommendations", json=body)
    assert answer.status_code == 400
    assert _fields(answer) == ["body"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"events": [', b"[]", b"null", b"3", b'{"events": 3}', b'"\xff"', b'{"n": NaN}',
     b'{"session": ["\\ud800"]}', b"[" * 10_000],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/events", "/v1/recommendations"])
async def test_a_body_that_is_not_the_json_expected_is_refused(
    http: httpx.AsyncClient, path: str, body: bytes
) -> None:
    answer = await http.post(path, content=body, headers={**EVENTS_KEY, **JSON})
    assert answer.status_code == 400
    assert _fields(answer)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"n": 0}, "n"),
        ({"n": 10_000}, "n"),
        ({"n": "20"}, "n"),
        ({"n": 1.5}, "n"),
        ({"user_id": ""}, "user_id"),
        ({"category": ""}, "category"),
        ({"category": "x" * 101}, "category"),
        ({"after": "e1"}, "after"),
        ({"session": ["1"] * 201}, "session"),
        ({"session": ["1", ""]}, "session[1]"),
        ({"exclude": ["1"] * 1_001}, "exclude"),
        ({"limit": 5}, "limit"),
    ],
)
async def test_a_wrong_request_for_a_list_is_named(
    http: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    answer = await http.post("/v1/recommendations", json=body)
    assert answer.status_code == 400
    assert _fields(answer) == [field]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/users/u/recommendations?n=0", "n"),
        ("/v1/users/u/recommendations?n=10000", "n"),
        ("/v1/users/u/recommendations?n=many", "n"),
        ("/v1/users/u/recommendations?category=", "category"),
        ("/v1/users/u/recommendations?limit=5", "limit"),
        (f"/v1/users/{'x' * 1_000}/recommendations", "user_id"),
        ("/v1/users/%FF/recommendations", "user_id"),
        ("/v1/users/a%00b/recommendations", "user_id"),
        ("/v1/items/1/similar?n=201", "n"),
        (f"/v1/items/{'x' * 129}", "item_id"),
    ],
)
async def test_a_wrong_path_or_query_is_named(
    http: httpx.AsyncClient, path: str, field: str
) -> None:
    answer = await http.get(path, headers=READER_KEY)
    assert answer.status_code == 400
    assert _fields(answer) == [field]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 501}, "title"),
        ({}, "title"),
        ({"title": "T", "item_id": "9"}, "item_id"),
        ({"title": "T", "categories": ["x"] * 33}, "categories"),
        ({"title": "T", "categories": [""]}, "categories[0]"),
        ({"title": "T", "attributes": {"year": "1999"}}, "attributes.year"),
        ({"title": "T", "description": "x" * 10_001}, "description"),
    ],
)
async def test_a_wrong_item_is_named(
    http: httpx.AsyncClient, world: World, item: dict[str, Any], field: str
) -> None:
    answer = await http.put("/v1/items/9", json=item, headers=CATALOGUE_KEY)
    assert answer.status_code == 400
    assert _fields(answer) == [field]
    assert "9" not in world.catalogue.items


async def test_a_body_must_say_that_it_is_json(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/recommendations", content=b"{}")
    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]
    said = {"content-type": "Application/JSON; charset=utf-8"}
    assert (await http.post("/v1/recommendations", content=b"{}", headers=said)).is_success


async def test_a_compressed_body_is_refused(http: httpx.AsyncClient) -> None:
    said = {**JSON, "content-encoding": "gzip"}
    answer = await http.post("/v1/recommendations", content=gzip.compress(b"{}"), headers=said)
    assert answer.status_code == 415
    assert "gzip" in answer.json()["detail"]


async def test_a_body_has_a_greatest_size_declared_or_not(http: httpx.AsyncClient) -> None:
    async def chunks() -> Any:
        for _ in range(BODY_LIMIT // 1_000 + 1):
            yield b" " * 1_000

    for content in (b" " * (BODY_LIMIT + 1), chunks()):
        answer = await http.post("/v1/recommendations", content=content, headers=JSON)
        assert answer.status_code == 413
        assert str(BODY_LIMIT) in answer.json()["detail"]


async def test_unknown_paths_and_methods_are_problem_documents(http: httpx.AsyncClient) -> None:
    unknown = await http.get("/v2/nothing")
    assert unknown.status_code == 404
    assert unknown.headers["content-type"] == "application/problem+json"
    wrong = await http.patch("/v1/items/1")
    assert wrong.status_code == 405
    assert wrong.headers["content-type"] == "application/problem+json"
    assert wrong.headers["allow"] == "DELETE, GET, PUT"

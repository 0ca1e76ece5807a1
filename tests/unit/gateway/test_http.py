"""The HTTP door: answers, ids, keys, operations."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from prometheus_client import REGISTRY
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from headrace.runtime.readiness import Readiness
from services.gateway import models
from tests.unit.gateway.doors import ADMIN_KEY, CATALOGUE_KEY, EVENTS_KEY, READER_KEY
from tests.unit.gateway.memory import World

CLICK = {"user_id": "u", "item_id": "1", "type": "click"}


async def test_accepted_events_answer_202_with_their_ids(
    http: httpx.AsyncClient, world: World
) -> None:
    events = [{**CLICK, "event_id": "e1", "occurred_at": "2026-01-31T12:00:00+01:00"}, CLICK]
    answer = await http.post("/v1/events", json={"events": events}, headers=EVENTS_KEY)
    assert answer.status_code == 202
    kept = world.event_log.events
    assert answer.json() == {"event_ids": ["e1", kept[1].event_id]}
    assert kept[0].event.occurred_at == datetime(2026, 1, 31, 11, tzinfo=UTC)
    assert kept[1].event.occurred_at is None


async def test_events_while_kafka_is_away_answer_503_with_ids_for_the_retry(
    http: httpx.AsyncClient, world: World
) -> None:
    world.event_log.away = True
    body = {"events": [{**CLICK, "event_id": "e1"}, CLICK]}
    answer = await http.post("/v1/events", json=body, headers=EVENTS_KEY)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
    event_ids = answer.json()["event_ids"]
    assert event_ids[0] == "e1"
    assert len(event_ids) == 2
    assert "send all of them again" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("request_line", "body", "key", "model"),
    [
        ("POST /v1/events", {"events": [CLICK]}, EVENTS_KEY, models.RecordedEvents),
        (
            "GET /v1/users/u/recommendations?n=2&category=Drama&after=e1",
            None,
            READER_KEY,
            models.Recommendations,
        ),
        ("POST /v1/recommendations", {}, {}, models.Recommendations),
        ("POST /v1/recommendations", {"user_id": "u"}, ADMIN_KEY, models.Recommendations),
        ("GET /v1/items/1/similar?n=3", None, {}, models.SimilarItems),
        ("GET /v1/items/1", None, {}, models.StoredItem),
        ("PUT /v1/items/9", {"title": "Nine"}, CATALOGUE_KEY, models.ItemRevision),
        (
            "POST /v1/items",
            {"items": [{"item_id": "9", "title": "Nine"}]},
            CATALOGUE_KEY,
            models.UpsertedItems,
        ),
        ("DELETE /v1/items/1", None, CATALOGUE_KEY, models.ItemRevision),
    ],
)
async def test_answers_are_as_openapi_describes_them(
    http: httpx.AsyncClient,
    request_line: str,
    body: dict[str, object] | None,
    key: dict[str, str],
    model: type[BaseModel],
) -> None:
    method, path = request_line.split(" ")
    answer = await http.request(method, path, json=body, headers=key)
    assert answer.is_success, answer.text
    described = model.model_validate_json(answer.content)
    assert set(answer.json()) == set(type(described).model_fields)


async def test_the_request_id_is_the_callers_in_header_and_body(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/recommendations", json={}, headers={"x-request-id": "r-1"})
    assert answer.headers["x-request-id"] == "r-1"
    assert answer.json()["request_id"] == "r-1"
    missing = await http.get("/v1/items/none", headers={"x-request-id": "r-2"})
    assert missing.json()["request_id"] == "r-2"


async def test_a_request_without_id_gets_one(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/items/1/similar")
    assert answer.json()["request_id"] == answer.headers["x-request-id"] != ""


@pytest.mark.parametrize(
    ("method", "path", "body", "scope"),
    [
        ("POST", "/v1/events", {"events": [CLICK]}, "events"),
        ("GET", "/v1/users/u/recommendations", None, "read"),
        ("POST", "/v1/recommendations", {"user_id": "u"}, "read"),
        ("PUT", "/v1/items/1", {"title": "One"}, "catalogue"),
        ("DELETE", "/v1/items/1", None, "catalogue"),
        ("POST", "/v1/items", {"items": [{"item_id": "1", "title": "One"}]}, "catalogue"),
    ],
)
async def test_what_is_not_public_needs_a_key_with_its_scope(
    http: httpx.AsyncClient, method: str, path: str, body: dict[str, object] | None, scope: str
) -> None:
    anonymous = await http.request(method, path, json=body)
    assert anonymous.status_code == 401
    assert anonymous.headers["www-authenticate"].startswith("Bearer")
    other = EVENTS_KEY if scope != "events" else READER_KEY
    forbidden = await http.request(method, path, json=body, headers=other)
    assert forbidden.status_code == 403
    assert f"`{scope}`" in forbidden.json()["detail"]
    allowed = await http.request(method, path, json=body, headers=ADMIN_KEY)
    assert allowed.is_success


async def test_an_id_may_hold_a_slash(http: httpx.AsyncClient) -> None:
    put = await http.put("/v1/items/a%2Fb", json={"title": "A / B"}, headers=CATALOGUE_KEY)
    assert put.json() == {"item_id": "a/b", "revision": 1}
    assert (await http.get("/v1/items/a%2Fb")).json()["title"] == "A / B"


async def test_readyz_names_what_is_missing(http: httpx.AsyncClient, readiness: Readiness) -> None:
    assert (await http.get("/readyz")).status_code == 200
    readiness.require("kafka", lambda: False)
    answer = await http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["missing"] == ["kafka"]
    assert (await http.get("/healthz")).status_code == 200


async def test_metrics_count_by_route_and_never_by_path(http: httpx.AsyncClient) -> None:
    labels = {"route": "/v1/items/{item_id}", "method": "GET", "status": "404"}
    before = REGISTRY.get_sample_value("headrace_http_requests_total", labels) or 0
    await http.get("/v1/items/secret-person")
    text = (await http.get("/metrics")).text
    assert REGISTRY.get_sample_value("headrace_http_requests_total", labels) == before + 1
    assert "secret-person" not in text


async def test_a_caller_that_hangs_up_is_no_failure_of_ours(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    async def half_a_body() -> AsyncIterator[bytes]:
        yield b'{"events":'
        raise ClientDisconnect

    labels = {"route": "/v1/events", "method": "POST", "status": "499"}
    before = REGISTRY.get_sample_value("headrace_http_requests_total", labels) or 0
    said = {**EVENTS_KEY, "content-type": "application/json"}
    await http.post("/v1/events", content=half_a_body(), headers=said)
    assert REGISTRY.get_sample_value("headrace_http_requests_total", labels) == before + 1
    assert not caplog.records


async def test_a_bug_is_a_problem_document_too(http: httpx.AsyncClient, world: World) -> None:
    world.catalogue.items = None  # type: ignore[assignment]
    answer = await http.get("/v1/items/1", headers={"x-request-id": "r-3"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "r-3"
    assert "NoneType" not in answer.text

"""/openapi.json is complete, and /docs shows all of it without anything from elsewhere."""

import json
import re
from typing import Any

import httpx
import pytest

from services.gateway import openapi
from services.gateway.schemas import Schemas

PUBLIC = {
    "recommendations", "similar_items", "item", "healthz", "readyz", "metrics",
}  # fmt: skip
PROBLEM = {"$ref": "#/components/schemas/Problem"}


@pytest.fixture
async def document(http: httpx.AsyncClient) -> dict[str, Any]:
    described: dict[str, Any] = (await http.get("/openapi.json")).json()
    return described


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for path in document["paths"].values() for one in path.values()]


def test_every_route_is_described(document: dict[str, Any]) -> None:
    routes = {
        f"{method.upper()} {path}" for path, one in document["paths"].items() for method in one
    }
    assert routes == {
        "POST /v1/events",
        "GET /v1/users/{user_id}/recommendations",
        "POST /v1/recommendations",
        "POST /v1/recommendations/batch",
        "POST /v1/impressions",
        "GET /v1/users/{user_id}/similar",
        "GET /v1/items/{item_id}",
        "PUT /v1/items/{item_id}",
        "DELETE /v1/items/{item_id}",
        "POST /v1/items",
        "GET /v1/items/{item_id}/similar",
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
    }


def test_every_operation_says_who_may_call_it(document: dict[str, Any]) -> None:
    open_to_all = {
        one["operationId"]
        for one in _operations(document)
        if "security" not in one or {} in one["security"]
    }
    assert open_to_all == PUBLIC
    assert document["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


def test_every_refusal_is_described_as_a_problem(document: dict[str, Any]) -> None:
    for operation in _operations(document):
        if operation["tags"] == ["operations"]:
            continue
        assert "422" not in operation["responses"]
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert answer["content"]["application/problem+json"]["schema"] == PROBLEM


def test_the_example_of_each_body_is_one(document: dict[str, Any]) -> None:
    schemas = Schemas(document)
    for model in openapi.BODIES:
        example = schemas.example({"$ref": f"#/components/schemas/{model.__name__}"})
        model.model_validate_json(json.dumps(example))


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    names = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert names <= set(schemas)
    assert names >= {"RecordEventsRequest", "RecommendationRequest", "NewItem", "Problem"}
    assert "HTTPValidationError" not in schemas


async def test_the_page_shows_every_operation_and_field(
    http: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    page = (await http.get("/docs")).text
    for operation in _operations(document):
        assert f'<section id="{operation["operationId"]}">' in page
    for field in ("events[].occurred_at", "session", "items[].attributes", "items[].score"):
        assert f"<code>{field}</code>" in page


async def test_the_examples_call_where_the_page_was_found(http: httpx.AsyncClient) -> None:
    page = (await http.get("/docs", headers={"host": "shop.example:8443"})).text
    assert "curl -X POST http://shop.example:8443/v1/events" in page
    hostile = (await http.get("/docs", headers={"host": "<b>x"})).text
    assert "<b>x" not in hostile


async def test_the_page_needs_no_script_and_no_other_host(http: httpx.AsyncClient) -> None:
    page = await http.get("/docs")
    assert page.headers["content-security-policy"] == "default-src 'self'"
    assert "<script" not in page.text
    assert not re.search(r"<[^>]*\sstyle=", page.text)
    linked = re.findall(r'(?:href|src)="([^"#]+)', page.text)
    assert set(linked) == {"/docs/reference.css", "/openapi.json"}
    for path in linked:
        assert (await http.get(path)).is_success


async def test_each_problem_type_leads_to_its_line_in_the_page(http: httpx.AsyncClient) -> None:
    page = (await http.get("/docs")).text
    answer = await http.get("/v1/items/none")
    path, _, anchor = answer.json()["type"].partition("#")
    assert path == "/docs"
    assert f'id="{anchor}"' in page


def test_a_list_may_be_of_items_that_nobody_knows(document: dict[str, Any]) -> None:
    assert "404" in document["paths"]["/v1/recommendations"]["post"]["responses"]

"""Every operation of the OpenAPI, called with what its schema allows and with what it does not.

Whatever comes, there is no 5xx, and no answer that the document does not describe. The operations
are read from the document, so that a new one is in here from the start.
"""

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import grpc
import httpx
import pytest
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from jsonschema import Draft202012Validator

from headrace.local.system import LocalSystem
from services.gateway.schemas import Schemas
from tests import manual
from tests.e2e.fuzzing import Callers, faults
from tests.e2e.visitor import API_KEY, Visitor

STREAM = "text/event-stream"
ADMIN = {"Authorization": f"Bearer {API_KEY}"}
JSON = {"content-type": "application/json"}
WICKED = (
    "'; DROP TABLE items; --",
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "%_\\' OR 1=1",
)


@pytest.fixture(scope="module")
def document(system: LocalSystem) -> dict[str, Any]:
    described: dict[str, Any] = httpx.get(f"{system.http_url}/openapi.json").json()
    return described


@pytest.mark.timeout(150)
def test_every_operation_answers_as_the_document_says(
    system: LocalSystem, document: dict[str, Any]
) -> None:
    operations, streams = _operations(document)
    assert len(operations) > 30
    with Callers(system) as callers:
        assert faults(document, streams, system, callers) == []
        assert set(callers.answered) == operations
        assert callers.keys_are_valid()


def test_every_body_and_every_answer_has_an_example_that_is_one(document: dict[str, Any]) -> None:
    """Of what has a body; problems are told by kind at their end of the document."""
    for path, of in document["paths"].items():
        for method, described in of.items():
            bodies = [described["requestBody"]] if "requestBody" in described else []
            answers = [one for status, one in described["responses"].items() if status < "300"]
            for one in bodies + answers:
                for content in one.get("content", {}).values():
                    schema = {**content["schema"], "components": document["components"]}
                    Draft202012Validator(schema).validate(content["example"])
            named = [one for one in described.get("parameters", ()) if one["in"] == "path"]
            assert all("example" in one for one in named), (method, path)


def test_the_manual_has_every_operation_and_every_rpc(
    system: LocalSystem, document: dict[str, Any]
) -> None:
    operations, streams = _operations(document)
    rows = manual.calls()
    assert {row.http for row in rows} | manual.for_operators() == operations | streams
    with grpc.insecure_channel(system.grpc_address("gateway")) as channel:
        reflected = ProtoReflectionDescriptorDatabase(channel)
        services = [name for name in reflected.get_services() if name.startswith("headrace.")]
        files = [reflected.FindFileContainingSymbol(name) for name in services]
    rpcs = {
        f"{service.name}.{method.name}"
        for file in files
        for service in file.service
        for method in service.method
    }
    assert {row.rpc for row in rows} == rpcs


def test_a_body_of_ten_megabytes_or_without_depth_is_the_callers_fault(
    visitor: Visitor, document: dict[str, Any]
) -> None:
    """And nobody else waits for it."""
    bodies = (b'{"x": "' + b"a" * 10_000_000 + b'"}', b'{"x":' * 100_000, b"[" * 1_000_000)
    for method, path, _ in _with_bodies(document):
        for body in bodies:
            began = time.monotonic()
            answer = visitor.http.request(method, path, content=body, headers=JSON)
            assert 400 <= answer.status_code < 500, (method, path, answer.text)
            assert time.monotonic() - began < 5
    deep = '{"all":[' * 2_000 + "]}" * 2_000
    for path in ("/v1/items", "/v1/search?q=a"):
        assert visitor.http.get(path, params={"filter": deep}).status_code == 400


def test_sql_and_html_in_every_text_are_text(visitor: Visitor, document: dict[str, Any]) -> None:
    tables = visitor.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    items = visitor.rows("SELECT count(*) FROM items")[0][0]
    for method, path, example in _with_bodies(document):
        for text in WICKED:
            answer = visitor.http.request(method, path, json=_spoiled(example, text))
            assert answer.status_code < 500, (method, path, answer.text)
            assert "html" not in answer.headers.get("content-type", "")
    for path, of in document["paths"].items():
        parameters = of.get("get", {}).get("parameters", ())
        for text in WICKED:
            query = {one["name"]: text for one in parameters if one["in"] == "query"}
            answer = visitor.http.get(_filled(path, text), params=query)
            assert answer.status_code < 500, (path, answer.text)
            assert "html" not in answer.headers.get("content-type", "")
            assert "set-cookie" not in answer.headers  # so nothing can be forged across sites
    assert visitor.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == tables
    assert visitor.rows("SELECT count(*) FROM items")[0][0] >= items


def test_what_was_asked_for_is_in_no_page(visitor: Visitor) -> None:
    for path in ("/", "/search", "/items/<b>", "/categories/<b>", "/account", "/docs"):
        page = visitor.http.get(path, params={"q": WICKED[1]})
        assert page.status_code == 200
        assert "alert(1)" not in page.text
        policy = page.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy


def _operations(document: dict[str, Any]) -> tuple[set[str], set[str]]:
    """All that answer and end, and those whose answers have no end: these are called elsewhere."""
    labels = {
        f"{method.upper()} {path}": described
        for path, of in document["paths"].items()
        for method, described in of.items()
    }
    streams = {
        label
        for label, described in labels.items()
        if any(STREAM in answer.get("content", ()) for answer in described["responses"].values())
    }
    return labels.keys() - streams, streams


def _with_bodies(document: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Method, path and an example of the body of each operation that takes JSON."""
    schemas = Schemas(document)
    for path, of in document["paths"].items():
        for method, described in of.items():
            content = described.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                yield (
                    method.upper(),
                    _filled(path, "item-3"),
                    schemas.example(content["application/json"]["schema"]),
                )


def _filled(path: str, text: str) -> str:
    """The path with `text` for each of its parameters."""
    parts = path.split("/")
    return "/".join(quote(text, safe="") if part.startswith("{") else part for part in parts)


def _spoiled(example: Any, text: str) -> Any:
    """The example with `text` for each of its texts."""
    if isinstance(example, str):
        return text
    if isinstance(example, list):
        return [_spoiled(one, text) for one in example]
    if isinstance(example, dict):
        return {name: _spoiled(value, text) for name, value in example.items()}
    return example

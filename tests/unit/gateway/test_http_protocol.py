"""On the wire: no head without end, and a problem document for what is no HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from headrace.local.ports import HOST, free_ports
from headrace.runtime.readiness import Readiness
from services.gateway.http import BodyLimits, build_app
from services.gateway.http_protocol import HEAD_BYTES
from services.gateway.http_server import http_server
from tests.unit.gateway.memory import ACCESS, World


@pytest.fixture
async def url(world: World) -> AsyncIterator[str]:
    """A gateway's HTTP door on a port."""
    (port,) = free_ports(1)
    app = build_app(world.gateway, ACCESS, Readiness(), BodyLimits(200_000, 200_000))
    async with http_server(app, host=HOST, port=port, grace_s=1):
        yield f"http://{HOST}:{port}"


async def _answer(url: str, sent: bytes) -> tuple[int, dict[str, Any]]:
    """Status and body of what comes back for these bytes, until the connection ends."""
    reader, writer = await asyncio.open_connection(HOST, int(url.rpartition(":")[2]))
    writer.write(sent)
    head, _, body = (await asyncio.wait_for(reader.read(), 5)).partition(b"\r\n\r\n")
    writer.close()
    assert b"content-type: application/problem+json" in head
    return int(head.split()[1]), json.loads(body)


@pytest.mark.parametrize(
    "head",
    [
        b"GET /healthz HTTP/1.1\r\nhost: h\r\nx-long: " + b"a" * HEAD_BYTES + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: h\r\n" + b"x: 123456\r\n" * 10_000 + b"\r\n",
        b"GET /healthz?" + b"a" * HEAD_BYTES + b" HTTP/1.1\r\nhost: h\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: h\r\nendless: " + b"a" * 1_000_000,
    ],
    ids=["one header", "many headers", "query", "without end"],
)
async def test_a_head_has_a_greatest_size(url: str, head: bytes) -> None:
    status, problem = await _answer(url, head)
    assert (status, problem["status"]) == (431, 431)
    assert str(HEAD_BYTES) in problem["detail"]


async def test_what_is_no_http_is_told_so_in_a_problem_document(url: str) -> None:
    status, problem = await _answer(url, b"\x16\x03\x01 hello\r\n\r\n")
    assert (status, problem["type"]) == (400, "/docs#invalid-input")


async def test_a_head_within_the_limit_is_served_and_so_is_the_next(url: str) -> None:
    async with httpx.AsyncClient(base_url=url) as http:
        for _ in range(3):
            long = {"x-long": "a" * (HEAD_BYTES - 1_000)}
            assert (await http.get("/healthz", headers=long)).is_success


async def test_a_head_may_come_in_pieces(url: str) -> None:
    reader, writer = await asyncio.open_connection(HOST, int(url.rpartition(":")[2]))
    head = (
        b"GET /healthz HTTP/1.1\r\nhost: h\r\nconnection: close\r\nx: "
        + b"a" * 50_000
        + b"\r\n\r\n"
    )
    for start in range(0, len(head), 10_000):
        writer.write(head[start : start + 10_000])
        await writer.drain()
        await asyncio.sleep(0.001)
    assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 200")
    writer.close()

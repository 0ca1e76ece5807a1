"""HTTPS at the gateway's door: certificates replaced under load, and what is refused early."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from headrace.local.ports import free_ports
from headrace.runtime.certificates import Certificates
from services.gateway.http_server import http_server
from tests.certificates import Authority

HOST = "127.0.0.1"


async def _hello(_request: object) -> PlainTextResponse:
    return PlainTextResponse("hello")


@contextlib.asynccontextmanager
async def _serving(certificates: Certificates) -> AsyncIterator[int]:
    (port,) = free_ports(1)
    app = Starlette(routes=[Route("/", _hello)])
    async with http_server(app, host=HOST, port=port, grace_s=5, certificates=certificates):
        yield port


async def _certificate(port: int, context: ssl.SSLContext) -> bytes:
    _, writer = await asyncio.open_connection(HOST, port, ssl=context)
    connection = writer.get_extra_info("ssl_object")
    writer.close()
    found: bytes = connection.getpeercert(binary_form=True)
    return found


async def test_a_certificate_replaced_before_it_ends_costs_no_request(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cafile=str(authority.file))
    certificates = Certificates(authority.issue(HOST, ends_in_s=2), look_period_s=0.05)

    async def ask(port: int, until: float) -> int:
        done = 0
        async with httpx.AsyncClient(verify=context) as kept:
            while time.monotonic() < until:
                async with httpx.AsyncClient(verify=context) as fresh:
                    for client in (kept, fresh):
                        answer = await client.get(f"https://{HOST}:{port}/")
                        assert answer.text == "hello"
                        done += 1
        return done

    async with _serving(certificates) as port:
        first = await _certificate(port, context)
        asking = asyncio.create_task(ask(port, time.monotonic() + 3))
        await asyncio.sleep(0.8)
        authority.issue(HOST)
        assert await asking > 20
        assert await _certificate(port, context) != first


async def test_what_is_refused_early_is_answered(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cafile=str(authority.file))
    async with (
        _serving(Certificates(authority.issue(HOST))) as port,
        httpx.AsyncClient(verify=context) as client,
    ):
        answer = await client.get(f"https://{HOST}:{port}/", headers={"x-long": "x" * 60_001})
        assert answer.status_code == 431


async def test_plain_http_is_not_answered(tmp_path: Path) -> None:
    async with (
        _serving(Certificates(Authority(tmp_path).issue(HOST))) as port,
        httpx.AsyncClient() as client,
    ):
        with pytest.raises(httpx.TransportError):
            await client.get(f"http://{HOST}:{port}/")

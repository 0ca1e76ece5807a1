"""Calls of every kind are counted, and their errors arrive as status codes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from prometheus_client import REGISTRY

from headrace.errors import PermissionDenied
from headrace.runtime.grpc_server import CallInterceptor

SERVICE = "headrace.test.Echo"
KINDS = ["unary_unary", "unary_stream", "stream_unary", "stream_stream"]


def _echo(sent: bytes) -> bytes:
    if sent == b"secret":
        raise PermissionDenied("not for you")
    return sent


async def _one(request: bytes, call: object) -> bytes:
    return _echo(request)


async def _answers(request: bytes, call: object) -> AsyncIterator[bytes]:
    yield _echo(request)


async def _joined(requests: AsyncIterator[bytes], call: object) -> bytes:
    return b"".join([_echo(one) async for one in requests])


async def _each(requests: AsyncIterator[bytes], call: object) -> AsyncIterator[bytes]:
    async for one in requests:
        yield _echo(one)


@pytest.fixture
async def channel() -> AsyncIterator[grpc.aio.Channel]:
    server = grpc.aio.server(interceptors=[CallInterceptor()])
    handlers: dict[str, Any] = {
        "unary_unary": grpc.unary_unary_rpc_method_handler(_one),
        "unary_stream": grpc.unary_stream_rpc_method_handler(_answers),
        "stream_unary": grpc.stream_unary_rpc_method_handler(_joined),
        "stream_stream": grpc.stream_stream_rpc_method_handler(_each),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(None)


async def _answered(channel: grpc.aio.Channel, kind: str, sent: bytes) -> bytes:
    send: Any = getattr(channel, kind)(f"/{SERVICE}/{kind}")
    asked, answered = kind.split("_")
    call = send(iter([sent]) if asked == "stream" else sent, timeout=10)
    if answered == "stream":
        return b"".join([answer async for answer in call])
    return bytes(await call)


def _counted(method: str, code: str) -> float:
    labels = {"method": method, "code": code}
    return REGISTRY.get_sample_value("headrace_grpc_requests_total", labels) or 0.0


async def _counts(method: str, code: str, wanted: float) -> None:
    """Waits: the client may have its answer before the server has counted it."""
    for _ in range(1_000):
        if _counted(method, code) == wanted:
            break
        await asyncio.sleep(0.01)
    assert _counted(method, code) == wanted


@pytest.mark.parametrize("kind", KINDS)
async def test_a_call_of_each_kind_is_answered_and_counted(
    channel: grpc.aio.Channel, kind: str
) -> None:
    before = _counted(kind, "OK")
    assert await _answered(channel, kind, b"hello") == b"hello"
    await _counts(kind, "OK", before + 1)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_error_in_a_call_of_each_kind_is_a_status_and_counted(
    channel: grpc.aio.Channel, kind: str
) -> None:
    before = _counted(kind, "PERMISSION_DENIED")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _answered(channel, kind, b"secret")
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert caught.value.details() == "not for you"
    await _counts(kind, "PERMISSION_DENIED", before + 1)

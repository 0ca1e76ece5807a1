"""Stubs on a channel that follows the live slot."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from headrace.runtime.grpc_channel import open_channel
from services.gateway.releases.channel import live_channel

if TYPE_CHECKING:
    from headrace.release.stages import Slot

Status = health_pb2.HealthCheckResponse


async def _server(stack: AsyncExitStack, status: Any) -> grpc.aio.Channel:
    """A channel to a server that answers with that status."""
    servicer = health.aio.HealthServicer()
    await servicer.set("", status)
    server = grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    stack.push_async_callback(server.stop, 0)
    return await stack.enter_async_context(open_channel(f"127.0.0.1:{port}"))


async def test_each_call_goes_to_the_slot_that_is_live_then() -> None:
    async with AsyncExitStack() as stack:
        channels: dict[Slot, grpc.aio.Channel] = {
            "blue": await _server(stack, Status.SERVING),
            "green": await _server(stack, Status.NOT_SERVING),
        }
        live: list[Slot] = ["blue"]
        stub: Any = health_pb2_grpc.HealthStub(live_channel(channels, lambda: live[0]))
        request = health_pb2.HealthCheckRequest()
        assert (await stub.Check(request, timeout=5)).status == Status.SERVING
        live[0] = "green"
        assert (await stub.Check(request, timeout=5)).status == Status.NOT_SERVING
        watching = stub.Watch(request, timeout=5)
        assert (await watching.read()).status == Status.NOT_SERVING
        watching.cancel()

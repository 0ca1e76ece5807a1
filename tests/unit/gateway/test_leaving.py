"""A gateway that stops has its callers leave: nobody's next request meets a closed connection."""

import asyncio
import sys
from collections import Counter
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import aiohttp
import pytest

from headrace.local.ports import HOST, free_ports
from headrace.runtime.readiness import Readiness
from services.gateway.http import BodyLimits, build_app
from services.gateway.http_server import http_server
from tests.service_names import OneOfReady, loopback_network
from tests.unit.gateway.doors import EVENTS_KEY
from tests.unit.gateway.memory import ACCESS, World

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8 on its loopback interface"
)
_CALLERS = 12


class Callers:
    """They send events one by one on connections that they keep, to pods that are ready."""

    def __init__(self, port: int) -> None:
        self.ready: list[str] = []
        self.accepted: list[str] = []
        self._done = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._session = aiohttp.ClientSession(
            f"http://gateway:{port}",
            headers=EVENTS_KEY,
            connector=aiohttp.TCPConnector(
                resolver=OneOfReady(lambda: self.ready), use_dns_cache=False
            ),
        )

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._send(caller)) for caller in range(_CALLERS)]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        await asyncio.gather(*self._tasks)
        await self._session.close()

    async def _send(self, caller: int) -> None:
        """Raises: ClientError at the first request that is not answered."""
        number = 0
        while not self._done.is_set():
            number += 1
            event_id = f"{caller}-{number}"
            event = {"event_id": event_id, "user_id": "ann", "item_id": "1", "type": "click"}
            async with self._session.post("/v1/events", json={"events": [event]}) as answer:
                assert answer.status == 202, await answer.text()
            self.accepted.append(event_id)
            await asyncio.sleep(0.001 * caller)


async def test_gateways_are_replaced_under_load_and_every_event_is_accepted_once() -> None:
    network, (port,) = loopback_network(), free_ports(1)
    world = World()
    app = build_app(world.gateway, ACCESS, Readiness(), BodyLimits(200_000, 200_000))

    async def started(host: str) -> AsyncExitStack:
        stack = AsyncExitStack()
        await stack.enter_async_context(http_server(app, host=host, port=port, grace_s=10))
        return stack

    present, callers = await started(f"{network}.1"), Callers(port)
    callers.ready = [f"{network}.1"]
    async with callers:
        for number in range(2, 6):
            host = f"{network}.{number}"
            following = await started(host)
            callers.ready = [host]
            await asyncio.sleep(0.1)
            await present.aclose()
            present = following
    await present.aclose()
    stored = Counter(accepted.event_id for accepted in world.event_log.events)
    assert stored == Counter(callers.accepted)
    assert len(callers.accepted) > 100


async def test_a_connection_in_use_is_told_before_it_ends() -> None:
    (port,) = free_ports(1)
    app = build_app(World().gateway, ACCESS, Readiness(), BodyLimits(200_000, 200_000))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(http_server(app, host=HOST, port=port, grace_s=10))
        reader, writer = await asyncio.open_connection(HOST, port)

        async def ask() -> bytes:
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: gateway\r\n\r\n")
            return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)

        assert b"connection: close" not in await ask()
        leaving = asyncio.create_task(stack.aclose())
        await asyncio.sleep(0.2)
        assert b"connection: close" in await ask()
        await asyncio.wait_for(reader.read(), 5)  # the body, and then the end
        writer.close()
        await leaving

"""A server that stops under load: what may be repeated is, what may not happens once or never."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from headrace.api.accounts.v1 import keys_pb2, keys_pb2_grpc
from headrace.client.async_accounts import AsyncAccounts
from headrace.errors import HeadraceError, Unavailable
from headrace.local.ports import HOST, free_ports
from headrace.runtime.grpc_server import grpc_server
from headrace.runtime.readiness import Readiness

if TYPE_CHECKING:
    Call = grpc.aio.ServicerContext[Any, Any]

Ask = Callable[[AsyncAccounts], Coroutine[Any, Any, object]]


def create(accounts: AsyncAccounts) -> Coroutine[Any, Any, object]:
    return accounts.create_key("a-key", ["read"])


def revoke(accounts: AsyncAccounts) -> Coroutine[Any, Any, object]:
    return accounts.revoke_key("a-key")


BOTH = pytest.mark.parametrize(("ask", "times"), [(create, 1), (revoke, 2)])
_CALLERS = 16
_STOPS = 10
_BETWEEN = 100  # calls


class Door(keys_pb2_grpc.KeyServiceServicer):
    """Remembers what it began with."""

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self.open = asyncio.Event()
        self.cancels = 0
        """So many calls end with CANCELLED."""
        self._came = asyncio.Condition()

    async def until_begun(self, calls: int) -> None:
        async with asyncio.timeout(20), self._came:
            await self._came.wait_for(lambda: len(self.begun) >= calls)

    async def CreateKey(  # noqa: N802 - the name is the proto's
        self, request: keys_pb2.CreateKeyRequest, context: Call
    ) -> keys_pb2.CreateKeyResponse:
        await self._begin(request.name, context)
        return keys_pb2.CreateKeyResponse()

    async def RevokeKey(  # noqa: N802 - the name is the proto's
        self, request: keys_pb2.RevokeKeyRequest, context: Call
    ) -> keys_pb2.RevokeKeyResponse:
        await self._begin(request.key_id, context)
        return keys_pb2.RevokeKeyResponse()

    async def ListKeys(  # noqa: N802 - the name is the proto's
        self, request: keys_pb2.ListKeysRequest, context: Call
    ) -> keys_pb2.ListKeysResponse:
        raise NotImplementedError

    async def _begin(self, key: str, context: Call) -> None:
        async with self._came:
            self.begun[key] += 1
            self._came.notify_all()
        if self.cancels:
            self.cancels -= 1
            await context.abort(grpc.StatusCode.CANCELLED, "it was broken off")
        await self.open.wait()


@pytest.fixture
def port() -> int:
    (port,) = free_ports(1)
    return port


@asynccontextmanager
async def serving(door: Door, port: int, grace_s: float = 5.0) -> AsyncIterator[None]:
    async with grpc_server(
        host=HOST,
        port=port,
        services=[],
        register=lambda server: keys_pb2_grpc.add_KeyServiceServicer_to_server(door, server),
        readiness=Readiness(),
        grace_s=grace_s,
    ):
        yield


async def test_none_happens_twice_and_hardly_a_call_fails_while_servers_come_and_go(
    port: int,
) -> None:
    door = Door()
    door.open.set()
    done = asyncio.Event()
    broken: list[Unavailable] = []

    async def ask() -> None:
        async with AsyncAccounts(f"{HOST}:{port}", timeout_s=20) as accounts:
            while not done.is_set():
                try:
                    await accounts.create_key(uuid.uuid4().hex, ["read"])
                except Unavailable as error:
                    # Its connection broke under it, which may happen, and must not be repeated.
                    broken.append(error)

    callers: list[asyncio.Task[None]] = []
    for _ in range(_STOPS):
        async with serving(door, port):
            callers = callers or [asyncio.create_task(ask()) for _ in range(_CALLERS)]
            await door.until_begun(len(door.begun) + _BETWEEN)
    async with serving(door, port):
        done.set()
        await asyncio.gather(*callers)
    assert set(door.begun.values()) == {1}
    assert len(broken) <= len(door.begun) / 100


@BOTH
async def test_what_was_begun_and_broken_off_is_repeated_only_where_that_does_no_harm(
    port: int, ask: Ask, times: int
) -> None:
    door = Door()
    async with AsyncAccounts(f"{HOST}:{port}", timeout_s=20) as accounts:
        async with serving(door, port, grace_s=0.1):
            asked = asyncio.create_task(ask(accounts))
            await door.until_begun(1)
        door.open.set()
        async with serving(door, port):
            with pytest.raises(Unavailable) if times == 1 else nullcontext():
                await asked
    assert door.begun == {"a-key": times}


@BOTH
async def test_headers_tell_that_what_was_cancelled_had_begun(
    port: int, ask: Ask, times: int
) -> None:
    door = Door()
    door.open.set()
    door.cancels = 1
    async with serving(door, port), AsyncAccounts(f"{HOST}:{port}", timeout_s=20) as accounts:
        with pytest.raises(HeadraceError, match="broken off") if times == 1 else nullcontext():
            await ask(accounts)
    assert door.begun == {"a-key": times}

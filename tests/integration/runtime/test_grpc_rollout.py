"""Replicas of a gRPC service are replaced, and callers that know it by name do not notice."""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from headrace.api.ranker.v1 import ranker_pb2, ranker_pb2_grpc
from headrace.local.ports import free_ports
from headrace.runtime.grpc_channel import call, open_channel
from headrace.runtime.grpc_server import grpc_server
from headrace.runtime.readiness import Readiness
from tests.integration.runtime.test_grpc_server import SERVICE, Ranker
from tests.service_names import ServiceNames, loopback_network

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8 on its loopback interface"
)
_CALLERS = 6


class Replica(Ranker):
    """Its answers name it; it takes a while."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    async def answer(self, _request: ranker_pb2.RecommendRequest) -> ranker_pb2.RecommendResponse:
        await asyncio.sleep(0.005)
        return ranker_pb2.RecommendResponse(model_version=self._name)


class Replicas:
    """Pods of one service, on addresses of their own and the same port."""

    def __init__(self, names: ServiceNames) -> None:
        self.names = names
        self.answered: Counter[str] = Counter()
        self._network = loopback_network()
        (self._port,) = free_ports(1)
        self._running: dict[int, AsyncExitStack] = {}

    async def start(self, number: int, connection_s: float = 60.0) -> None:
        stack = AsyncExitStack()
        replica = Replica(f"pod-{number}")
        await stack.enter_async_context(
            grpc_server(
                host=f"{self._network}.{number}",
                port=self._port,
                services=[SERVICE],
                register=lambda server: ranker_pb2_grpc.add_RankerServiceServicer_to_server(
                    replica, server
                ),
                readiness=Readiness(),
                grace_s=5,
                connection_s=connection_s,
            )
        )
        self._running[number] = stack
        self._tell()

    async def stop(self, number: int) -> None:
        """Out of the name first, as a pod that is deleted."""
        stack = self._running.pop(number)
        self._tell()
        await stack.aclose()

    async def stop_all(self) -> None:
        for number in list(self._running):
            await self.stop(number)

    async def ask(self, until: asyncio.Event) -> None:
        """Raises: what the first call does that fails."""
        async with open_channel(self.names.address("ranker", self._port)) as channel:
            stub = ranker_pb2_grpc.RankerServiceStub(channel)
            while not until.is_set():
                request = ranker_pb2.RecommendRequest()
                answer = await call(stub.Recommend, request, "ranker", 5)
                self.answered[answer.model_version] += 1

    async def until_all_answer(self, *numbers: int) -> None:
        """Within ten seconds, the answers of these and of nobody else come in."""
        async with asyncio.timeout(10):
            while True:
                self.answered.clear()
                await asyncio.sleep(0.1)
                if self.answered.keys() == {f"pod-{number}" for number in numbers}:
                    return

    def _tell(self) -> None:
        self.names.put("ranker", [f"{self._network}.{number}" for number in self._running])


@pytest.fixture
async def replicas() -> AsyncIterator[Replicas]:
    with ServiceNames() as names:
        replicas = Replicas(names)
        yield replicas
        await replicas.stop_all()


async def test_all_replicas_are_replaced_one_after_the_other_and_no_call_fails(
    replicas: Replicas,
) -> None:
    await replicas.start(1)
    await replicas.start(2)
    done = asyncio.Event()
    callers = [asyncio.create_task(replicas.ask(done)) for _ in range(_CALLERS)]
    await replicas.until_all_answer(1, 2)
    for old in range(1, 5):
        await replicas.start(old + 2)
        await replicas.stop(old)
        await replicas.until_all_answer(old + 1, old + 2)
    done.set()
    await asyncio.gather(*callers)


async def test_a_replica_that_is_added_gets_its_share_though_no_other_one_leaves(
    replicas: Replicas,
) -> None:
    await replicas.start(1, connection_s=0.5)
    done = asyncio.Event()
    callers = [asyncio.create_task(replicas.ask(done)) for _ in range(_CALLERS)]
    await replicas.until_all_answer(1)
    await replicas.start(2, connection_s=0.5)
    await replicas.until_all_answer(1, 2)
    await asyncio.sleep(1)  # connections end all the time, and no call does
    done.set()
    await asyncio.gather(*callers)

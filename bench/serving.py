"""Recommendations at 1, 8 and 32 in flight over HTTP and gRPC: `python -m bench.serving`.

Each answer is a list of 20 for a person with history: 300 candidates from FAISS, scored by NCF. The
load client runs on the same machine and its CPU is not in the figures of the servers.
"""

import argparse
import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import grpc

from bench.report import medians, percentiles_ms, print_table
from bench.target import USERS, Target, running_target
from headrace.api.gateway.v1.gateway_pb2 import RecommendRequest
from headrace.api.gateway.v1.gateway_pb2_grpc import GatewayServiceStub

_LIST_LENGTH = 20
Ask = Callable[[str], Awaitable[None]]
"""Asks for one person's list; raises where the answer is not a full, personal one."""


@asynccontextmanager
async def over_http(target: Target) -> AsyncIterator[Ask]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        target.url, headers=target.headers, connector=connector
    ) as session:

        async def ask(user: str) -> None:
            path = f"/v1/users/{user}/recommendations?n={_LIST_LENGTH}"
            async with session.get(path) as answer:
                answer.raise_for_status()
                body = await answer.json()
            if len(body["items"]) != _LIST_LENGTH or body["degraded"] is not None:
                raise RuntimeError(f"not a full list: {body}")

        yield ask


@asynccontextmanager
async def over_grpc(target: Target) -> AsyncIterator[Ask]:
    metadata = (("authorization", f"Bearer {target.api_key}"),)
    async with grpc.aio.insecure_channel(target.grpc_address) as channel:
        stub = GatewayServiceStub(channel)

        async def ask(user: str) -> None:
            request = RecommendRequest(user_id=user, n=_LIST_LENGTH)
            answer = await stub.Recommend(request, metadata=metadata, timeout=5)
            if len(answer.items) != _LIST_LENGTH or answer.HasField("degraded"):
                raise RuntimeError(f"not a full list: {answer}")

        yield ask


DOORS = {"HTTP": over_http, "gRPC": over_grpc}


async def drive(target: Target, door: str, in_flight: int, requests: int) -> list[float]:
    """Seconds that each request took, with `in_flight` askers that never pause."""
    seconds: list[float] = []
    left = iter(range(requests))

    async def asker(ask: Ask) -> None:
        for _ in left:
            user = random.choice(USERS)
            began = time.perf_counter()
            await ask(user)
            seconds.append(time.perf_counter() - began)

    async with DOORS[door](target) as ask, asyncio.TaskGroup() as tasks:
        for _ in range(in_flight):
            tasks.create_task(asker(ask))
    return seconds


def measure(target: Target, door: str, in_flight: int, requests: int) -> list[float]:
    """p50, p90, p99 in ms, requests/s, and CPU seconds per 1,000 requests: gateway, ranker, all."""
    before, began = target.cpu_seconds(), time.perf_counter()
    seconds = asyncio.run(drive(target, door, in_flight, requests))
    elapsed, after = time.perf_counter() - began, target.cpu_seconds()
    used = {name: (after[name] - before[name]) * 1000 / requests for name in before}
    return [
        *percentiles_ms(seconds),
        requests / elapsed,
        used["gateway"],
        used["ranker"],
        sum(used.values()),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    rows = []
    with running_target() as target:
        for door in DOORS:
            asyncio.run(drive(target, door, 8, len(USERS) * 2))  # warm-up: vectors are cached
            for in_flight in (1, 8, 32):
                repeats = [
                    measure(target, door, in_flight, given.requests) for _ in range(given.repeats)
                ]
                rows.append([door, in_flight, *medians(repeats)])
    print_table(
        f"Recommendations: {given.requests} requests, median of {given.repeats} repeats; "
        "CPU in s per 1,000 requests",
        ["door", "in flight", "p50 ms", "p90 ms", "p99 ms", "req/s", "gateway", "ranker", "all"],
        rows,
    )


if __name__ == "__main__":
    main()

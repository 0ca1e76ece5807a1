"""Both doors of a gateway whose collaborators live in memory."""

from __future__ import annotations  # the asyncio stub's class exists for the type checker alone

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx

from headrace.api.gateway.v1 import gateway_pb2_grpc
from headrace.local.ports import free_ports
from headrace.runtime.grpc_server import grpc_server
from headrace.runtime.readiness import Readiness
from services.gateway.grpc import SERVICE, GatewayServicer
from services.gateway.http import BodyLimits, build_app
from tests.unit.gateway.memory import ACCESS, World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BODY_LIMIT = 200_000


def key(name: str) -> dict[str, str]:
    """The header with the key of `memory.KEYS` that has scope `name`."""
    return {"authorization": f"Bearer {name}-key-0123456789"}


EVENTS_KEY, READER_KEY = key("events"), key("reader")
CATALOGUE_KEY, ADMIN_KEY = key("catalogue"), key("admin")


@asynccontextmanager
async def http_door(world: World, readiness: Readiness) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the HTTP door, without a network."""
    limits = BodyLimits(events=BODY_LIMIT, items=BODY_LIMIT)
    app = build_app(world.gateway, ACCESS, readiness, limits)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


@asynccontextmanager
async def grpc_door(
    world: World, readiness: Readiness, port: int | None = None
) -> AsyncIterator[str]:
    """The address of a gRPC door, on a free port where none is given."""
    port = port or free_ports(1)[0]
    servicer = GatewayServicer(world.gateway, ACCESS)
    async with grpc_server(
        host="127.0.0.1",
        port=port,
        services=[SERVICE],
        register=lambda server: gateway_pb2_grpc.add_GatewayServiceServicer_to_server(
            servicer, server
        ),
        readiness=readiness,
        grace_s=1,
    ):
        yield f"127.0.0.1:{port}"

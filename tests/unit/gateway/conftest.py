"""A gateway in memory, and its HTTP door."""

from collections.abc import AsyncIterator

import httpx
import pytest

from headrace.runtime.readiness import Readiness
from tests.unit.gateway.doors import http_door
from tests.unit.gateway.memory import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
async def http(world: World, readiness: Readiness) -> AsyncIterator[httpx.AsyncClient]:
    async with http_door(world, readiness) as client:
        yield client

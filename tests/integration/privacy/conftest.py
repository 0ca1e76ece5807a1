"""One world for all tests of privacy: people differ, so that none gets into another's way."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from headrace.runtime.topics import create_topics
from headrace.store import forgetting
from services.gateway.privacy import erasure_store, erasures
from tests.conftest import KafkaServer, PostgresServer, scratch_database
from tests.integration.privacy.world import MODEL, World


@pytest.fixture(scope="module", autouse=True)
def _soon() -> Iterator[None]:
    """Nobody waits here for processes that start, nor for requests that are under way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forgetting, "PERIOD_S", 0.1)
        patch.setattr(forgetting, "_SETTLES_S", 0.2)
        patch.setattr(erasure_store, "_MEMORIES_S", 0.5)
        patch.setattr(erasures, "PERIOD_S", 0.1)
        patch.setattr(erasures, "_AGAIN_S", 0.5)
        yield


@pytest.fixture(scope="module")
def world(postgres: PostgresServer, kafka: KafkaServer) -> Iterator[World]:
    create_topics(kafka.bootstrap_servers, MODEL)
    with scratch_database(postgres) as dsn:
        world = World(dsn, kafka.bootstrap_servers)
        yield world
        world.close()


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    async with world.http() as client:
        yield client

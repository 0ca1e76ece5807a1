"""One world for all tests of privacy: people differ, so that none gets into another's way."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from headrace.runtime.topics import create_topics
from tests.conftest import KafkaServer, PostgresServer, scratch_database
from tests.integration.privacy.world import MODEL, World


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

"""A gateway on a database of the test's own."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.integration.gateway.account_world import Replica


@pytest.fixture
def replica(database: str) -> Iterator[Replica]:
    replica = Replica(database)
    yield replica
    replica.database.close()


@pytest.fixture
async def http(replica: Replica) -> AsyncIterator[httpx.AsyncClient]:
    async with replica.http() as client:
        yield client

"""An event_ingest of the test's own: on its database, and on topics that no other test has."""

from collections.abc import Iterator

import pytest

from headrace.runtime.kafka_publisher import Publisher
from headrace.store.database import Database
from services.event_ingest.log import EventLog
from services.event_ingest.service import EventIngest
from tests.conftest import KafkaServer
from tests.integration.event_ingest.world import Postgres


@pytest.fixture
def store(database: str) -> Iterator[Postgres]:
    """Looks into the database and adds items."""
    store = Postgres(database)
    yield store
    store.close()


@pytest.fixture
def service(database: str) -> Iterator[EventIngest]:
    connections = Database(database, size=8)
    yield EventIngest(EventLog(connections))
    connections.close()


@pytest.fixture
def publisher(kafka: KafkaServer) -> Iterator[Publisher]:
    publisher = Publisher(kafka.bootstrap_servers)
    yield publisher
    publisher.close()

"""Topics and a publisher of a test's own on the session's Kafka."""

from collections.abc import Iterator

import pytest

from headrace.runtime.kafka_publisher import Publisher
from tests.conftest import KafkaServer
from tests.integration.runtime.kafka_world import Topics


@pytest.fixture
def topics(kafka: KafkaServer, topic_prefix: str) -> Topics:
    return Topics(kafka.bootstrap_servers, topic_prefix)


@pytest.fixture
def publisher(kafka: KafkaServer) -> Iterator[Publisher]:
    publisher = Publisher(kafka.bootstrap_servers)
    yield publisher
    publisher.close()

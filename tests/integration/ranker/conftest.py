"""A ranker of the test's own: on its database, and on topics that no other test has."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.topics import create_topics
from tests.bundles import another_version, toy_bundle  # noqa: F401
from tests.conftest import KafkaServer
from tests.integration.ranker.running import Model, RankerProcess


@pytest.fixture
def model(toy_bundle: Path, tmp_path: Path) -> Model:  # noqa: F811
    return Model(another_version(toy_bundle, tmp_path))


@pytest.fixture
def ranker(
    kafka: KafkaServer, database: str, model: Model, tmp_path: Path
) -> Iterator[RankerProcess]:
    """Not started; its topics hold the toy items."""
    create_topics(kafka.bootstrap_servers, model.version)
    publisher = Publisher(kafka.bootstrap_servers)
    process = RankerProcess(
        kafka.bootstrap_servers, database, model, publisher, tmp_path / "ranker.log"
    )
    process.embedding.start()
    process.publish(*(model.item(i) for i in range(len(model.items))))
    yield process
    process.close()
    publisher.close()


@pytest.fixture
def running(ranker: RankerProcess) -> RankerProcess:
    ranker.start_and_wait()
    return ranker

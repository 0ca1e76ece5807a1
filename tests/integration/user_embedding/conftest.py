"""A user_embedding with a database, a model version and so a group and topics of its own."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from headrace.bundle import Bundle
from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.topics import create_topics
from tests.bundles import another_version, toy_bundle  # noqa: F401
from tests.conftest import KafkaServer
from tests.integration.user_embedding.items import Items, Owner
from tests.integration.user_embedding.logs import Tables
from tests.integration.user_embedding.running import Service, Told
from tests.integration.user_embedding.world import World


@pytest.fixture
def bundle_folder(toy_bundle: Path, tmp_path: Path) -> Path:  # noqa: F811
    """A bundle that differs from the others in its version alone."""
    return another_version(toy_bundle, tmp_path)


@pytest.fixture
def tables(database: str) -> Iterator[Tables]:
    tables = Tables(database)
    yield tables
    tables.close()


@pytest.fixture
def world(
    kafka: KafkaServer, database: str, tables: Tables, bundle_folder: Path, tmp_path: Path
) -> Iterator[World]:
    servers, bundle = kafka.bootstrap_servers, Bundle.load(str(bundle_folder), {"user"})
    items = Items(bundle.model_version, bundle.width)
    create_topics(servers, bundle.model_version)
    with ExitStack() as stack:
        publisher = Publisher(servers)
        stack.callback(publisher.close)
        publisher.publish(items.records())
        publisher.flush()
        owner = Owner(items)
        stack.callback(owner.close)
        told = Told(servers, bundle.model_version, publisher)
        stack.callback(told.close)
        service = Service(
            kafka=servers,
            database=database,
            bundle=bundle_folder,
            model_version=bundle.model_version,
            item_embedding=owner.address,
            log_file=tmp_path / "service.log",
        )
        stack.callback(service.close)
        yield World(service, told, tables, publisher, bundle, items, owner)

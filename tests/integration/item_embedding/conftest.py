"""Services for these tests, each with a database and a model version of its own."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest

from headrace.runtime.topics import create_topics
from headrace.store.database import Database
from headrace.store.migrations import migrate
from tests.bundles import another_version, toy_bundle  # noqa: F401
from tests.conftest import KafkaServer, PostgresServer
from tests.integration.item_embedding.running import Service


@pytest.fixture(scope="session")
def new_model(
    toy_bundle: Path,  # noqa: F811
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[], Path]:
    """Makes bundles that differ in their version alone."""

    def make() -> Path:
        return another_version(toy_bundle, tmp_path_factory.mktemp("bundles"))

    return make


@pytest.fixture
def service(kafka: KafkaServer, database: str, new_model: Callable[[], Path]) -> Iterator[Service]:
    """Not started yet; its topics exist."""
    with _service(kafka, database, new_model()) as service:
        yield service


@pytest.fixture(scope="module")
def shared_service(
    kafka: KafkaServer, postgres: PostgresServer, new_model: Callable[[], Path]
) -> Iterator[Service]:
    """Running, for all tests of a module. They tell their items apart by id."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    connection = psycopg2.connect(postgres.dsn)
    connection.autocommit = True  # databases are not made in transactions
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        migrate(postgres.dsn_of(name))
        with _service(kafka, postgres.dsn_of(name), new_model()) as service:
            service.start_and_wait()
            yield service
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    connection.close()


@contextmanager
def _service(kafka: KafkaServer, database: str, bundle: Path) -> Iterator[Service]:
    service = Service(kafka.bootstrap_servers, database, bundle, bundle.parent / "service.log")
    create_topics(service.kafka, service.model_version)
    yield service
    service.close()


@pytest.fixture
def running(service: Service) -> Service:
    service.start_and_wait()
    return service


@pytest.fixture
def pool(database: str) -> Iterator[Database]:
    pool = Database(database, size=8)
    yield pool
    pool.close()

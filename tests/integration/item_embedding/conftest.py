"""Services for these tests, each with a database and a model version of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headrace.runtime.topics import create_topics
from headrace.store.database import Database
from tests.bundles import another_version, looking_version, toy_bundle  # noqa: F401
from tests.conftest import KafkaServer, PostgresServer, scratch_database
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
    with (
        scratch_database(postgres) as database,
        _service(kafka, database, new_model()) as service,
    ):
        service.start_and_wait()
        yield service


@contextmanager
def _service(kafka: KafkaServer, database: str, bundle: Path) -> Iterator[Service]:
    service = Service(kafka.bootstrap_servers, database, bundle, bundle.parent / "service.log")
    create_topics(service.kafka, service.model_version)
    yield service
    service.close()


@pytest.fixture
def looking_service(
    kafka: KafkaServer,
    database: str,
    toy_bundle: Path,  # noqa: F811
    tmp_path: Path,
) -> Iterator[Service]:
    """Its model looks at pictures. Not started yet; its topics exist."""
    with _service(kafka, database, looking_version(toy_bundle, tmp_path)) as service:
        yield service


@pytest.fixture
def running(service: Service) -> Service:
    service.start_and_wait()
    return service


@pytest.fixture
def pool(database: str) -> Iterator[Database]:
    pool = Database(database, size=8)
    yield pool
    pool.close()

"""Real Kafka and Postgres for tests: in containers where a Docker engine answers, else embedded."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psycopg2
import pytest
from psycopg2 import sql

from headrace.local.kafka import EmbeddedKafka
from headrace.local.ports import free_ports
from headrace.local.postgres import EmbeddedPostgres
from headrace.store.migrations import migrate
from tests.bundles import toy_bundle  # noqa: F401
from tests.containers import KafkaContainer, PostgresContainer, docker_answers


class KafkaServer(Protocol):
    """What tests may do with Kafka. Whoever stops it starts it again."""

    @property
    def bootstrap_servers(self) -> str: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


class PostgresServer(Protocol):
    """What tests may do with Postgres. Whoever stops it starts it again."""

    @property
    def dsn(self) -> str: ...

    def dsn_of(self, database: str) -> str: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder for the data of servers. pytest's own are closed to Postgres' account."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-tests-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def kafka(server_folder: Path) -> Iterator[KafkaServer]:
    """A Kafka for the whole session. Topics are made by tests, named by `topic_prefix`."""
    port, controller_port = free_ports(2)
    server: KafkaServer = (
        KafkaContainer(port)
        if docker_answers()
        else EmbeddedKafka(server_folder / "kafka", port, controller_port)
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres(server_folder: Path) -> Iterator[PostgresServer]:
    """A Postgres for the whole session. Tests that write take `database` instead."""
    (port,) = free_ports(1)
    server: PostgresServer = (
        PostgresContainer(port)
        if docker_answers()
        else EmbeddedPostgres(server_folder / "postgres", port)
    )
    server.start()
    yield server
    server.stop()


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[str]:
    """The DSN of a database of the test's own, with the present schema and no rows."""
    with scratch_database(postgres) as dsn:
        yield dsn


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    """The DSN of a database of the test's own, without a schema."""
    with _own_database(postgres) as dsn:
        yield dsn


@contextmanager
def scratch_database(postgres: PostgresServer) -> Iterator[str]:
    """The DSN of a database with the present schema, dropped at the end of the block."""
    with _own_database(postgres) as dsn:
        migrate(dsn)
        yield dsn


@contextmanager
def _own_database(postgres: PostgresServer) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    _administer(postgres, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield postgres.dsn_of(name)
    _administer(postgres, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def topic_prefix() -> str:
    """A prefix for topics and groups that no other test has."""
    return f"t{uuid.uuid4().hex[:12]}-"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the larger data sets; the test is skipped where it is absent."""
    chosen = os.environ.get("HEADRACE_SHARED_DATA")
    folder = Path(chosen) if chosen else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the data sets in {folder}; HEADRACE_SHARED_DATA names another folder")
    return folder


def _administer(postgres: PostgresServer, statement: sql.Composable) -> None:
    connection = psycopg2.connect(postgres.dsn)
    try:
        connection.autocommit = True  # databases are not made in transactions
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()

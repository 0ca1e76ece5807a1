"""Migrations are applied once each, however many processes try."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import psycopg2
import pytest

from headrace.errors import Unavailable
from headrace.local.ports import free_ports
from headrace.store.migrations import migrate
from tests.conftest import PostgresServer


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    """The DSN of a database without a schema."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    connection = psycopg2.connect(postgres.dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield postgres.dsn_of(name)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    connection.close()


def _all_files() -> list[str]:
    folder = files("headrace.store") / "schema"
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".sql"))


def test_each_file_is_applied_in_order_and_once(empty: str) -> None:
    assert migrate(empty) == _all_files()
    assert migrate(empty) == []


def test_several_at_once_apply_each_file_once(empty: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        applied = list(threads.map(migrate, [empty] * 4))
    assert sorted(applied)[-1] == _all_files()
    assert sorted(applied)[:-1] == [[], [], []]


def test_without_postgres_it_is_unavailable() -> None:
    (port,) = free_ports(1)
    with pytest.raises(Unavailable):
        migrate(f"postgresql://headrace@127.0.0.1:{port}/headrace")

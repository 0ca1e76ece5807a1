"""Databases of a test's own."""

import uuid
from collections.abc import Iterator

import psycopg2
import pytest

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

"""Embedded Postgres keeps what was committed, whatever ends it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from headrace.local.errors import PortTaken
from headrace.local.ports import HOST, free_ports
from headrace.local.postgres import EmbeddedPostgres


@pytest.fixture
def server(server_folder: Path, request: pytest.FixtureRequest) -> Iterator[EmbeddedPostgres]:
    (port,) = free_ports(1)
    with EmbeddedPostgres(server_folder / request.node.name, port) as server:
        yield server


def _query(dsn: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def test_committed_rows_survive_a_stop_and_a_kill(server: EmbeddedPostgres) -> None:
    _query(server.dsn, "CREATE TABLE t AS SELECT 1 AS x")
    server.stop()
    server.start()
    _query(server.dsn, "INSERT INTO t VALUES (2)")
    server.kill()
    server.start()
    assert _query(server.dsn, "SELECT x FROM t ORDER BY x") == [(1,), (2,)]


def test_it_is_durable_and_takes_60_connections(server: EmbeddedPostgres) -> None:
    settings = _query(
        server.dsn,
        "SELECT name, setting FROM pg_settings"
        " WHERE name IN ('fsync', 'max_connections', 'synchronous_commit') ORDER BY name",
    )
    assert settings == [("fsync", "on"), ("max_connections", "100"), ("synchronous_commit", "on")]


def test_text_sorts_by_code_point_as_in_python(server: EmbeddedPostgres) -> None:
    words = ["b", "B", "a", "é", "Z", "10", "9"]
    rows = _query(server.dsn, f"SELECT w FROM unnest(ARRAY{words!r}) AS w ORDER BY w")
    assert [row[0] for row in rows] == sorted(words)


def test_a_taken_port_is_named_with_the_variable_that_changes_it(server_folder: Path) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"Port {port}.*HEADRACE_LOCAL_POSTGRES_PORT"):
            EmbeddedPostgres(server_folder / "taken", port).start()


def test_a_wrong_password_is_refused(server: EmbeddedPostgres) -> None:
    _, rest = server.dsn.split("@")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(f"postgresql://headrace:wrong@{rest}")


def test_each_test_gets_an_empty_database_with_the_schema(database: str) -> None:
    assert _query(database, "SELECT count(*) FROM interactions") == [(0,)]

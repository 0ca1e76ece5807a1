"""The pool is bounded, waits, and gets over a restart of Postgres."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest

from headrace.errors import Unavailable
from headrace.local.ports import free_ports
from headrace.local.waiting import wait_until
from headrace.store.database import Database
from tests.conftest import PostgresServer


@pytest.fixture
def pool(database: str) -> Iterator[Database]:
    pool = Database(database, size=2, wait_s=20)
    yield pool
    pool.close()


def _names(pool: Database) -> list[str]:
    with pool.transaction() as cursor:
        cursor.execute("SELECT name FROM imports ORDER BY name")
        return [name for (name,) in cursor.fetchall()]


def _import(pool: Database, name: str) -> None:
    with pool.transaction() as cursor:
        cursor.execute("INSERT INTO imports (name) VALUES (%s)", (name,))


def _import_twice(pool: Database, name: str) -> None:
    with pool.transaction() as cursor:
        for _ in range(2):
            cursor.execute("INSERT INTO imports (name) VALUES (%s)", (name,))


def _backend(pool: Database) -> int:
    with pool.transaction() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])


def test_a_transaction_commits_at_its_end_and_rolls_back_on_any_error(pool: Database) -> None:
    _import(pool, "kept")

    def fail() -> None:
        with pool.transaction() as cursor:
            cursor.execute("INSERT INTO imports (name) VALUES ('lost')")
            raise KeyError("told to")

    with pytest.raises(KeyError, match="told to"):
        fail()
    assert _names(pool) == ["kept"]


def test_an_error_of_the_data_passes_as_it_is_and_the_connection_stays(
    pool: Database,
) -> None:
    _import(pool, "once")
    backend = _backend(pool)
    with pytest.raises(psycopg2.errors.UniqueViolation):
        _import(pool, "once")
    with pytest.raises(psycopg2.errors.NumericValueOutOfRange), pool.transaction() as cursor:
        cursor.execute("SELECT 2147483648::integer")
    assert _backend(pool) == backend
    assert _names(pool) == ["once"]


def test_a_database_that_can_serve_nobody_counts_as_away(pool: Database) -> None:
    backend = _backend(pool)
    with pytest.raises(Unavailable, match="nowhere"), pool.transaction() as cursor:
        cursor.execute("SELECT 1 FROM nowhere")  # as where the schema is missing
    with pytest.raises(Unavailable, match="read-only"), pool.transaction() as cursor:
        # As on a standby.
        cursor.execute("SET TRANSACTION READ ONLY; INSERT INTO imports (name) VALUES ('x')")
    assert _backend(pool) == backend


def test_a_deadlock_is_worth_a_retry(pool: Database) -> None:
    _import(pool, "a")
    _import(pool, "b")
    both = threading.Barrier(2, timeout=20)

    def lock(first: str, second: str) -> str:
        update = "UPDATE imports SET finished_at = now() WHERE name = %s"
        try:
            with pool.transaction() as cursor:
                cursor.execute(update, (first,))
                both.wait()
                cursor.execute(update, (second,))
        except Unavailable as error:
            return str(error)
        return "done"

    with ThreadPoolExecutor(2) as threads:
        outcomes = sorted(threads.map(lock, "ab", "ba"))
    assert "deadlock detected" in outcomes[0]
    assert outcomes[1] == "done"
    assert _names(pool) == ["a", "b"]


def test_no_more_connections_are_open_than_allowed(database: str) -> None:
    # By name: the one that made the schema may not be gone yet.
    pool = Database(f"{database}?application_name=counted", size=2, wait_s=20)
    counts: set[object] = set()

    def work(_: int) -> None:
        with pool.transaction() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'counted'"
            )
            counts.add(cursor.fetchone())
            cursor.execute("SELECT pg_sleep(0.01)")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(40)))
    pool.close()
    assert counts <= {(1,), (2,)}
    assert (2,) in counts


def test_who_waits_too_long_for_a_connection_is_told(database: str) -> None:
    pool = Database(database, size=1, wait_s=0.05)
    with pool.transaction(), pytest.raises(Unavailable, match=r"no connection .* in 0\.05 s"):
        pool.check()
    pool.check()
    pool.close()


def test_a_restart_while_connections_are_idle_is_not_noticed(
    postgres: PostgresServer, pool: Database
) -> None:
    _import(pool, "before")
    postgres.stop()
    postgres.start()
    assert _names(pool) == ["before"]


def test_a_connection_cut_in_the_middle_is_unavailable_once(pool: Database, database: str) -> None:
    admin = Database(database, size=1)

    def be_cut_off() -> None:
        with pool.transaction() as cursor, admin.transaction() as other:
            cursor.execute("SELECT pg_backend_pid()")
            other.execute("SELECT pg_terminate_backend(%s)", cursor.fetchone())
            cursor.execute("SELECT pg_sleep(20)")

    with pytest.raises(Unavailable, match="Postgres did not answer"):
        be_cut_off()
    admin.close()
    pool.check()


def test_while_postgres_is_away_it_is_unavailable_and_comes_back(
    postgres: PostgresServer, pool: Database
) -> None:
    pool.check()
    postgres.stop()
    try:
        for _ in range(5):  # more often than there are connections
            with pytest.raises(Unavailable, match="Postgres did not answer"):
                pool.check()
    finally:
        postgres.start()
    pool.check()


def test_nobody_listening_is_unavailable() -> None:
    (port,) = free_ports(1)
    with pytest.raises(Unavailable, match="Connection refused"):
        Database(f"postgresql://headrace@127.0.0.1:{port}/headrace").check()


@pytest.mark.parametrize("in_use", [False, True])
def test_closing_leaves_no_connection(pool: Database, database: str, in_use: bool) -> None:
    with pool.transaction():
        pool.check()  # a second one
        if in_use:
            pool.close()
    if not in_use:
        pool.close()
    watcher = Database(database, size=1)

    def alone() -> bool:
        with watcher.transaction() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND backend_type = 'client backend'"
            )
            return cursor.fetchone() == (1,)

    assert wait_until(alone, 10)
    watcher.close()


def test_a_statement_that_only_reads_needs_no_transaction(pool: Database) -> None:
    _import(pool, "a")
    assert pool.read("SELECT name FROM imports WHERE name = %s", ["a"]) == [("a",)]
    backend = _backend(pool)
    with pytest.raises(Unavailable, match="nowhere"):
        pool.read("SELECT 1 FROM nowhere")
    with pytest.raises(psycopg2.errors.NumericValueOutOfRange):
        pool.read("SELECT 2147483648::integer")
    with pytest.raises(psycopg2.errors.UniqueViolation):
        _import_twice(pool, "lost")  # transactions are whole afterwards, too
    assert _backend(pool) == backend
    assert _names(pool) == ["a"]


def test_a_connection_cut_while_it_reads_is_replaced(pool: Database) -> None:
    with pytest.raises(Unavailable, match="Postgres did not answer"):
        pool.read("SELECT pg_terminate_backend(pg_backend_pid())")
    assert pool.read("SELECT 1") == [(1,)]

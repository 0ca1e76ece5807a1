"""A gateway with accounts on a real Postgres, and a mail server."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psycopg2
import pytest

from headrace.local.mail import LocalMail
from headrace.local.ports import HOST, free_ports
from tests.conftest import PostgresServer, scratch_database
from tests.integration.gateway.account_world import MailBox, NewPerson, Person, Replica


@pytest.fixture(scope="session")
def people_database(postgres: PostgresServer) -> Iterator[str]:
    """One for all tests of accounts: making and dropping one takes longer than most of them."""
    with scratch_database(postgres) as dsn:
        yield dsn


@pytest.fixture
def people(people_database: str) -> str:
    """A database without accounts, keys and logs."""
    with psycopg2.connect(people_database) as connection, connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE accounts, registrations, sign_ins, refresh_tokens, recoveries, api_keys,"
            " ended_sessions, user_counters, interactions, waiting_events, items, personalisation"
            " CASCADE"
        )
    return people_database


@pytest.fixture
def smtp_port(tmp_path: Path) -> Iterator[int]:
    (port,) = free_ports(1)
    server = LocalMail(tmp_path / "mails", port)
    server.start()
    yield port
    server.stop()


@pytest.fixture
def mails(tmp_path: Path) -> MailBox:
    return MailBox(tmp_path / "mails")


@pytest.fixture
def replica(people: str, smtp_port: int) -> Iterator[Replica]:
    replica = Replica(people, f"smtp://{HOST}:{smtp_port}")
    yield replica
    replica.database.close()


@pytest.fixture
async def http(replica: Replica) -> AsyncIterator[httpx.AsyncClient]:
    async with replica.running() as client:
        yield client


@pytest.fixture
def person(http: httpx.AsyncClient, mails: MailBox) -> NewPerson:
    """Makes people."""
    return lambda email: Person(http, mails, email)


@pytest.fixture
async def ann(person: NewPerson) -> Person:
    """Somebody with an account, logged in."""
    ann = person("ann@example.com")
    await ann.register()
    return ann

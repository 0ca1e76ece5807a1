"""Kafka and Postgres that are encrypted and ask who is there, and what a wrong variable does."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from headrace.errors import Unavailable
from headrace.local.ports import HOST
from headrace.local.waiting import wait_until
from headrace.runtime.certificates import CertificateFiles
from headrace.runtime.kafka_client import Kafka
from headrace.runtime.kafka_publisher import Outgoing, Publisher
from headrace.runtime.replay_dead_letters import read_letters
from headrace.runtime.settings import DatabaseSettings, load_settings
from headrace.runtime.topics import EVENTS, create_topics, dead_letters
from headrace.store.database import connect
from tests.certificates import Authority
from tests.conftest import PostgresServer
from tests.encrypted_postgres import encrypted
from tests.integration.event_ingest.world import Postgres, event_record
from tests.secure_kafka import PASSWORD, USER, SecureKafka
from tests.service_process import DEADLINE_S, ServiceProcess


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def secure(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    with SecureKafka(tmp_path_factory.mktemp("kafka"), authority) as kafka:
        kafka.make_user()
        create_topics(kafka.bootstrap_servers, "v1")
        yield kafka


def _write_and_read(kafka: Kafka) -> None:
    topic, key = dead_letters(EVENTS), time.monotonic_ns().to_bytes(8)
    publisher = Publisher(kafka, delivery_timeout_s=10)
    publisher.publish([Outgoing(topic, key, b"x")])
    publisher.flush()
    publisher.close()
    assert key in {record.key for record in read_letters(kafka, EVENTS)}


def test_by_name_and_password(secure: SecureKafka) -> None:
    _write_and_read(replace(secure.named(), mechanism="SCRAM-SHA-512"))
    _write_and_read(replace(secure.named(), mechanism="PLAIN"))


def test_by_certificate(secure: SecureKafka, authority: Authority) -> None:
    files = authority.issue("event-ingest")
    _write_and_read(secure.certified(files.certificate, files.key))


def _io_threads() -> int:
    return sum(thread.name.startswith("kafka-io") for thread in threading.enumerate())


def test_a_wrong_password_is_told_and_leaves_nothing_behind(secure: SecureKafka) -> None:
    before = _io_threads()
    with pytest.raises(Unavailable) as caught:
        create_topics(replace(secure.named(), password="wrong-one"), "v1")
    assert "are HEADRACE_KAFKA_USERNAME and HEADRACE_KAFKA_PASSWORD right?" in str(caught.value)
    assert "wrong-one" not in str(caught.value)
    assert wait_until(lambda: _io_threads() == before, 10)


def test_a_certificate_that_brokers_do_not_know_is_told(
    secure: SecureKafka, stranger: Authority
) -> None:
    files = stranger.issue("event-ingest")
    with pytest.raises(Unavailable, match="does it trust HEADRACE_KAFKA_CERTIFICATE_FILE"):
        create_topics(secure.certified(files.certificate, files.key), "v1")


def test_a_broker_of_another_authority_is_not_believed(
    secure: SecureKafka, stranger: Authority
) -> None:
    with pytest.raises(Unavailable, match=r"certificate.*HEADRACE_KAFKA_CA_FILE"):
        create_topics(replace(secure.named(), authority=str(stranger.file)), "v1")


def test_without_encryption_nobody_is_let_in(secure: SecureKafka) -> None:
    with pytest.raises(Unavailable):
        create_topics(secure.named().servers, "v1")


@pytest.fixture(scope="module")
def server(authority: Authority) -> CertificateFiles:
    return authority.issue(HOST, into="postgres")


def _settings(url: str, **files: str) -> DatabaseSettings:
    named = {f"HEADRACE_DATABASE_{name.upper()}_FILE": path for name, path in files.items()}
    return load_settings(DatabaseSettings, {"HEADRACE_DATABASE_URL": url, **named})


def _through(url: str, port: int) -> str:
    """The URL, by another port."""
    parts = psycopg2.extensions.parse_dsn(url)
    return f"postgresql://{parts['user']}:{parts['password']}@{HOST}:{port}/{parts['dbname']}"


def test_postgres_is_encrypted_and_verified(
    postgres: PostgresServer, authority: Authority, server: CertificateFiles
) -> None:
    with encrypted(_port(postgres), server) as port:
        url = _through(postgres.dsn, port)
        connection = connect(_settings(url, ca=str(authority.file)).database_url)
        assert connection.info.ssl_in_use
        assert connection.info.ssl_attribute("protocol") in ("TLSv1.2", "TLSv1.3")
        connection.close()


def test_postgres_may_ask_for_a_certificate(
    postgres: PostgresServer, authority: Authority, server: CertificateFiles
) -> None:
    own = authority.issue("ranker")
    Path(own.key).chmod(0o600)  # libpq refuses a key that others may read
    with encrypted(_port(postgres), server, ask=True) as port:
        url = _through(postgres.dsn, port)
        files = {"ca": str(authority.file), "certificate": own.certificate, "key": own.key}
        connect(_settings(url, **files).database_url).close()
        with pytest.raises(Unavailable):
            connect(_settings(url, ca=str(authority.file)).database_url)


def test_a_postgres_of_another_authority_or_without_encryption_is_not_believed(
    postgres: PostgresServer, stranger: Authority, server: CertificateFiles
) -> None:
    with encrypted(_port(postgres), server) as port:
        files = {"ca": str(stranger.file)}
        with pytest.raises(Unavailable, match="certificate verify failed"):
            connect(_settings(_through(postgres.dsn, port), **files).database_url)
        with pytest.raises(Unavailable, match="SSL"):
            connect(_settings(postgres.dsn, **files).database_url)


@pytest.fixture
def encrypted_database(database: str, server: CertificateFiles) -> Iterator[str]:
    """The URL of `database` where TLS is spoken."""
    port = int(psycopg2.extensions.parse_dsn(database)["port"])
    with encrypted(port, server) as outer:
        yield _through(database, outer)


def test_a_service_works_on_both_with_its_secrets_in_files(
    secure: SecureKafka,
    database: str,
    encrypted_database: str,
    authority: Authority,
    tmp_path: Path,
) -> None:
    store = Postgres(database)
    store.add_item("kettle")
    password = tmp_path / "password"
    service = ServiceProcess(
        "event_ingest",
        tmp_path / "event_ingest.log",
        {
            "KAFKA_BOOTSTRAP_SERVERS": secure.named().servers,
            "KAFKA_SECURITY": "SASL_SSL",
            "KAFKA_CA_FILE": str(authority.file),
            "KAFKA_USERNAME": USER,
            "KAFKA_PASSWORD_FILE": str(password),
            "DATABASE_URL": encrypted_database,
            "DATABASE_CA_FILE": str(authority.file),
        },
    )
    try:
        # A Secret with the wrong value: it ends, to be started again, and says why.
        password.write_text("not it\n")
        assert service.start().wait(DEADLINE_S)
        assert "HEADRACE_KAFKA_PASSWORD right?" in service.log_file.read_text()
        password.write_text(f"{PASSWORD}\n")
        service.start_and_wait()
        publisher = Publisher(secure.named())
        publisher.publish([event_record(EVENTS, "e1", "lena")])
        publisher.flush()
        publisher.close()
        assert wait_until(lambda: store.log_of("lena") == ["e1"], DEADLINE_S)
        assert PASSWORD not in service.log_file.read_text()
    finally:
        service.close()


def _port(postgres: PostgresServer) -> int:
    return int(psycopg2.extensions.parse_dsn(postgres.dsn)["port"])

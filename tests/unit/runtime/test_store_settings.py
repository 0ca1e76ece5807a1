"""How processes reach Kafka and Postgres: encrypted where it is set, and every mistake is named."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg2.extensions import parse_dsn

from headrace.errors import SettingsInvalid
from headrace.runtime.settings import DatabaseSettings, KafkaSettings, load_settings
from tests.certificates import Authority

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True, kw_only=True)
class Settings(KafkaSettings, DatabaseSettings):
    pass


GOOD = {
    "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": "a:9092,b:9092",
    "HEADRACE_DATABASE_URL": "postgresql://u:hunter2@db:5433/headrace?application_name=x",
}
NAMED = {
    "HEADRACE_KAFKA_SECURITY": "SASL_SSL",
    "HEADRACE_KAFKA_USERNAME": "headrace",
    "HEADRACE_KAFKA_PASSWORD": "hush-hush",
}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def _settings(**changes: str) -> Settings:
    return load_settings(Settings, {**GOOD, **changes})


def _wrong(**changes: str) -> str:
    with pytest.raises(SettingsInvalid) as caught:
        _settings(**changes).kafka()
    assert "hush-hush" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    return str(caught.value)


def test_without_further_variables_nothing_is_encrypted() -> None:
    settings = _settings()
    assert settings.kafka().options() == {"security_protocol": "PLAINTEXT"}
    assert settings.database_url == GOOD["HEADRACE_DATABASE_URL"]


def test_kafka_by_name_and_password(authority: Authority) -> None:
    kafka = _settings(**NAMED, HEADRACE_KAFKA_CA_FILE=str(authority.file)).kafka()
    assert kafka.options() == {
        "security_protocol": "SASL_SSL",
        "ssl_cafile": str(authority.file),
        "ssl_certfile": None,
        "ssl_keyfile": None,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "headrace",
        "sasl_plain_password": "hush-hush",
    }
    assert "hush-hush" not in repr(kafka)
    assert str(kafka) == "a:9092,b:9092"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SECURITY": "TLS"}, "HEADRACE_KAFKA_SECURITY='TLS'"),
        ({"SASL_MECHANISM": "GSSAPI"}, "HEADRACE_KAFKA_SASL_MECHANISM='GSSAPI'"),
        (
            {"SECURITY": "SASL_SSL", "USERNAME": "headrace"},
            "HEADRACE_KAFKA_PASSWORD must be set with HEADRACE_KAFKA_SECURITY=SASL_SSL",
        ),
        (
            {"SECURITY": "SASL_SSL", "PASSWORD": "hush-hush"},
            "HEADRACE_KAFKA_USERNAME must be set with HEADRACE_KAFKA_SECURITY=SASL_SSL",
        ),
        (
            {"PASSWORD": "hush-hush"},
            "HEADRACE_KAFKA_PASSWORD is set, and not used with HEADRACE_KAFKA_SECURITY=PLAINTEXT",
        ),
        (
            {"CA_FILE": "/ca"},
            "HEADRACE_KAFKA_CA_FILE: set, and not used with HEADRACE_KAFKA_SECURITY=PLAINTEXT",
        ),
        (
            {"SECURITY": "SSL", "CA_FILE": "/nowhere"},
            "HEADRACE_KAFKA_CA_FILE='/nowhere': cannot be read: No such file or directory",
        ),
        (
            {"SECURITY": "SSL", "CERTIFICATE_FILE": "/nowhere"},
            "HEADRACE_KAFKA_KEY_FILE must be set: certificate and key go together",
        ),
    ],
)
def test_each_mistake_about_kafka_is_named(changes: dict[str, str], said: str) -> None:
    told = _wrong(**{f"HEADRACE_KAFKA_{name}": value for name, value in changes.items()})
    assert said in told


def test_postgres_is_verified_whatever_the_url_says(authority: Authority) -> None:
    url = f"{GOOD['HEADRACE_DATABASE_URL']}&sslmode=disable"
    settings = _settings(HEADRACE_DATABASE_URL=url, HEADRACE_DATABASE_CA_FILE=str(authority.file))
    assert parse_dsn(settings.database_url) == {
        "user": "u",
        "password": "hunter2",
        "host": "db",
        "port": "5433",
        "dbname": "headrace",
        "application_name": "x",
        "sslmode": "verify-full",
        "sslrootcert": str(authority.file),
    }


def test_each_mistake_about_postgres_is_named(authority: Authority, tmp_path: Path) -> None:
    files = authority.issue("ranker")
    text = tmp_path / "text"
    text.write_text("hunter2")
    given = {"CA": files.authority, "CERTIFICATE": files.certificate, "KEY": files.key}
    for changes, said in (
        ({"CA": str(text)}, f"HEADRACE_DATABASE_CA_FILE={str(text)!r}: must hold certificates"),
        ({"CA": ""}, "HEADRACE_DATABASE_CA_FILE must be set where HEADRACE_DATABASE_CERTIFICATE"),
        ({"KEY": ""}, "HEADRACE_DATABASE_KEY_FILE must be set"),
    ):
        variables = {f"HEADRACE_DATABASE_{n}_FILE": p for n, p in {**given, **changes}.items()}
        assert said in _wrong(**variables)
    broken = {"HEADRACE_DATABASE_URL": "postgresql://u:hunter2@[db/x"}
    told = _wrong(**broken, HEADRACE_DATABASE_CA_FILE=files.authority)
    assert "HEADRACE_DATABASE_URL cannot be understood" in told


def test_mistakes_of_both_kinds_are_told_together() -> None:
    told = _wrong(
        HEADRACE_DATABASE_CA_FILE="/nowhere", HEADRACE_KAFKA_PASSWORD_FILE="/nowhere-else"
    )
    assert "HEADRACE_DATABASE_CA_FILE='/nowhere'" in told
    assert "HEADRACE_KAFKA_PASSWORD_FILE='/nowhere-else'" in told


def test_processes_reach_kafka_with_all_that_is_set() -> None:
    """`settings.kafka_bootstrap_servers` alone would be a connection without encryption."""
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for folder in ("services", "headrace/runtime", "headrace/commands")
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"settings\.kafka_bootstrap_servers", line)
    ]
    assert found == []

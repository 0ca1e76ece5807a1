"""Settings come from variables or files, and every mistake is named."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from headrace.errors import SettingsInvalid
from headrace.runtime.settings import (
    Address,
    DatabaseSettings,
    KafkaSettings,
    ProcessSettings,
    load_settings,
)


@dataclass(frozen=True, kw_only=True)
class Settings(ProcessSettings, KafkaSettings, DatabaseSettings):
    ranker_address: Address = "127.0.0.1:50054"
    share: Annotated[float, Field(ge=0, le=1)] = 0.5
    admin_token: str = field(default="", repr=False)


GOOD = {
    "HEADRACE_METRICS_PORT": "9100",
    "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": "a:9092,b:9092",
    "HEADRACE_DATABASE_URL": "postgresql://u:hunter2@db/headrace",
}


def _lines(**changes: str) -> list[str]:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(Settings, {**GOOD, **changes})
    return str(caught.value).splitlines()


def test_variables_become_typed_fields_and_the_rest_has_defaults() -> None:
    settings = load_settings(Settings, {**GOOD, "HEADRACE_SHARE": "0.25", "OTHER": "ignored"})
    assert settings.metrics_port == 9100
    assert settings.share == 0.25
    assert settings.kafka_bootstrap_servers == "a:9092,b:9092"
    assert settings.host == "127.0.0.1"
    assert settings.shutdown_grace_s == 10.0


def test_what_is_missing_is_named_a_line_each() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(Settings, {})
    assert sorted(str(caught.value).splitlines()) == [
        "HEADRACE_DATABASE_URL is not set, and has no default",
        "HEADRACE_KAFKA_BOOTSTRAP_SERVERS is not set, and has no default",
        "HEADRACE_METRICS_PORT is not set, and has no default",
    ]


@pytest.mark.parametrize(
    ("variable", "value", "right"),
    [
        ("HEADRACE_METRICS_PORT", "0", "greater than or equal to 1"),
        ("HEADRACE_METRICS_PORT", "65536", "less than or equal to 65535"),
        ("HEADRACE_METRICS_PORT", "http", "a valid integer"),
        ("HEADRACE_LOG_LEVEL", "debug", "DEBUG|INFO|WARNING|ERROR"),
        ("HEADRACE_SHUTDOWN_GRACE_S", "301", "less than or equal to 300"),
        ("HEADRACE_DATABASE_CONNECTIONS", "0", "greater than or equal to 1"),
        ("HEADRACE_RANKER_ADDRESS", "ranker", r"[^\s:/]+:\d{1,5}$"),
        ("HEADRACE_SHARE", "nan", "less than or equal to 1"),
        ("HEADRACE_KAFKA_BOOTSTRAP_SERVERS", "", "at least 1 character"),
        ("HEADRACE_KAFKA_BOOTSTRAP_SERVERS", "kafka", r":\d{1,5}"),
        ("HEADRACE_KAFKA_BOOTSTRAP_SERVERS", "a:9092,b", r":\d{1,5}"),
    ],
)
def test_what_is_wrong_is_named_with_its_value_and_what_would_be_right(
    variable: str, value: str, right: str
) -> None:
    [line] = _lines(**{variable: value})
    assert line.startswith(f"{variable}={value!r}: ")
    assert right in line


def test_what_is_no_database_url_is_refused_and_never_printed() -> None:
    [line] = _lines(HEADRACE_DATABASE_URL="hunter2")
    assert line.startswith("HEADRACE_DATABASE_URL=…: ")
    assert "postgres(ql)?://" in line


@pytest.mark.parametrize("url", ["postgres://db/x", "host=/run/postgresql dbname=x", "service=x"])
def test_a_database_is_named_as_libpq_has_it(url: str) -> None:
    assert load_settings(Settings, {**GOOD, "HEADRACE_DATABASE_URL": url}).database_url == url


def test_every_mistake_is_told_at_once() -> None:
    lines = _lines(HEADRACE_METRICS_PORT="x", HEADRACE_SHARE="2", HEADRACE_LOG_LEVEL="")
    assert len(lines) == 3


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://from-file\n")
    given = {**GOOD, "HEADRACE_DATABASE_URL_FILE": str(file)}
    assert load_settings(Settings, given).database_url == GOOD["HEADRACE_DATABASE_URL"]
    del given["HEADRACE_DATABASE_URL"]
    assert load_settings(Settings, given).database_url == "postgresql://from-file"


def test_a_file_that_cannot_be_read_is_named_among_the_other_mistakes(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    for path in (tmp_path / "absent", tmp_path, binary):
        given = {**GOOD, "HEADRACE_DATABASE_URL_FILE": str(path), "HEADRACE_SHARE": "7"}
        del given["HEADRACE_DATABASE_URL"]
        with pytest.raises(SettingsInvalid) as caught:
            load_settings(Settings, given)
        first, second = str(caught.value).splitlines()
        assert first.startswith(f"HEADRACE_DATABASE_URL_FILE='{path}': must name a file of text")
        assert second.startswith("HEADRACE_SHARE='7'")


def test_an_empty_file_is_a_mistake_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("\n")
    with pytest.raises(SettingsInvalid, match=r"^HEADRACE_DATABASE_URL_FILE=…: .*at least 1"):
        load_settings(
            Settings,
            {
                "HEADRACE_METRICS_PORT": "1",
                "HEADRACE_KAFKA_BOOTSTRAP_SERVERS": "a:1",
                "HEADRACE_DATABASE_URL_FILE": str(file),
            },
        )


def test_secrets_never_print() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Strict(Settings):
        admin_token: Annotated[str, Field(max_length=3)] = field(default="", repr=False)

    settings = load_settings(Settings, {**GOOD, "HEADRACE_ADMIN_TOKEN": "swordfish"})
    assert settings.admin_token == "swordfish"
    assert "swordfish" not in repr(settings)
    assert "hunter2" not in repr(settings)
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(Strict, {**GOOD, "HEADRACE_ADMIN_TOKEN": "swordfish"})
    assert str(caught.value).startswith("HEADRACE_ADMIN_TOKEN=…: ")
    assert "swordfish" not in str(caught.value)

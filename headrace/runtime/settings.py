"""Settings: a frozen dataclass a process, read from `HEADRACE_*` variables, checked at start.

Field `kafka_bootstrap_servers` is read from `HEADRACE_KAFKA_BOOTSTRAP_SERVERS`. A secret can come
from a file instead: `HEADRACE_DATABASE_URL_FILE` names it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from headrace.errors import SettingsInvalid

PREFIX = "HEADRACE_"

Port = Annotated[int, Field(ge=1, le=65535)]
Address = Annotated[str, Field(pattern=r"^[^\s:]+:\d{1,5}$")]

S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class ProcessSettings:
    """What every process reads."""

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 in a container."""
    metrics_port: Port
    """/metrics, /healthz and /readyz."""
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    shutdown_grace_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    """After SIGTERM: time for requests and batches under way."""


@dataclass(frozen=True, kw_only=True)
class KafkaSettings:
    """For processes that read or write Kafka."""

    kafka_bootstrap_servers: Annotated[str, Field(min_length=1)]
    """host:port, several separated by commas."""


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """For processes that use Postgres."""

    database_url: Annotated[str, Field(min_length=1)]
    """libpq URL or DSN. Secret."""
    database_connections: Annotated[int, Field(ge=1, le=100)] = 4


@dataclass(frozen=True, kw_only=True)
class BundleSettings:
    """For processes that run a model."""

    bundle_url: Annotated[str, Field(min_length=1)]
    """A folder at any fsspec URL."""


def load_settings(kind: type[S], environ: Mapping[str, str] = os.environ) -> S:
    """Reads and checks the settings of one process.

    Raises: SettingsInvalid with a line for each variable that is missing or wrong.
    """
    given: dict[str, str] = {}
    for field in fields(kind):  # type: ignore[arg-type]
        variable = PREFIX + field.name.upper()
        if variable in environ:
            given[field.name] = environ[variable]
        elif f"{variable}_FILE" in environ:
            given[field.name] = _read_secret(f"{variable}_FILE", environ[f"{variable}_FILE"])
    try:
        return TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        raise SettingsInvalid(
            "\n".join(_line(finding["loc"], finding["msg"], given) for finding in error.errors())
        ) from None


def _read_secret(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsInvalid(f"{variable}={path}: cannot be read: {error.strerror}") from error


def _line(location: tuple[int | str, ...], reason: str, given: Mapping[str, str]) -> str:
    name = str(location[0])
    variable = PREFIX + name.upper()
    if name not in given:
        return f"{variable} is not set: {reason}"
    # Those that may be secret never print.
    shown = "…" if "url" in name or "key" in name else given[name]
    return f"{variable}={shown}: {reason}"

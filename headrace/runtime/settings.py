"""Settings: a frozen dataclass a process, read from `HEADRACE_*` variables, checked at start.

Field `kafka_bootstrap_servers` is read from `HEADRACE_KAFKA_BOOTSTRAP_SERVERS`. A secret can come
from a file instead: `HEADRACE_DATABASE_URL_FILE` names it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, TypeVar

from psycopg2 import ProgrammingError
from psycopg2.extensions import make_dsn
from pydantic import Field, TypeAdapter, ValidationError

from headrace.errors import SettingsInvalid
from headrace.runtime.certificates import CertificateFiles, Certificates
from headrace.runtime.kafka_client import KafkaCluster, Mechanism, Security

PREFIX = "HEADRACE_"

Port = Annotated[int, Field(ge=1, le=65535)]
ADDRESS = r"(dns://[^\s/]*/)?[^\s:/]+:\d{1,5}"
"""host:port, or with the name server to ask: `dns://10.96.0.10/ranker:50054`."""
Address = Annotated[str, Field(pattern=f"^{ADDRESS}$")]
Addresses = Annotated[
    str, Field(min_length=1, pattern=r"^[^\s,]+:\d{1,5}(\s*,\s*[^\s,]+:\d{1,5})*$")
]
Dsn = Annotated[str, Field(min_length=1, pattern=r"^(postgres(ql)?://|\s*\w+\s*=)")]

S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class ProcessSettings:
    """What every process reads."""

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 in a container."""
    metrics_port: Port
    """/metrics, /healthz and /readyz."""
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    traces_url: Annotated[str, Field(pattern=r"^$|^https?://[^\s]+$")] = ""
    """Where spans go, by OTLP over HTTP: `http://collector:4318/v1/traces`. Empty: nowhere."""
    traces_share: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Of requests that are traced, where the caller has not decided by its `traceparent`."""
    shutdown_grace_s: Annotated[float, Field(gt=0, le=300)] = 10.0
    """After SIGTERM: time for requests and batches under way."""


@dataclass(frozen=True, kw_only=True)
class KafkaSettings:
    """For processes that read or write Kafka."""

    kafka_bootstrap_servers: Addresses
    """host:port, several separated by commas."""
    kafka_security: Security = "PLAINTEXT"
    """Encrypted with SSL and SASL_SSL; by user name and password with the two SASL ones."""
    kafka_ca_file: str = ""
    """The authority of the brokers' certificates, in PEM; without, those that the machine trusts.
    Files are read again for each connection."""
    kafka_certificate_file: str = ""
    """Where brokers ask for a certificate: ours, in PEM."""
    kafka_key_file: str = ""
    """The certificate's key in PEM, without password."""
    kafka_sasl_mechanism: Mechanism = "SCRAM-SHA-512"
    kafka_username: str = ""
    kafka_password: str = field(default="", repr=False)
    """Secret."""

    def kafka(self) -> KafkaCluster:
        """Raises: SettingsInvalid, naming the variable at fault."""
        cluster = KafkaCluster(
            servers=self.kafka_bootstrap_servers,
            security=self.kafka_security,
            authority=self.kafka_ca_file,
            certificate=self.kafka_certificate_file,
            key=self.kafka_key_file,
            mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_username,
            password=self.kafka_password,
        )
        given = f"HEADRACE_KAFKA_SECURITY={self.kafka_security}"
        for name in ("username", "password"):
            if bool(getattr(cluster, name)) != cluster.names_us:
                must = "must be set with" if cluster.names_us else "is set, and not used with"
                raise SettingsInvalid(f"HEADRACE_KAFKA_{name.upper()} {must} {given}")
        files = CertificateFiles(
            f"{PREFIX}KAFKA", cluster.certificate, cluster.key, cluster.authority
        )
        if not cluster.encrypted and (unused := files.given()):
            raise SettingsInvalid(f"{', '.join(unused)}: set, and not used with {given}")
        files.check()
        return cluster


@dataclass(frozen=True, kw_only=True)
class TrendSettings:
    """For processes that make lists of what is trending."""

    trending_half_life_h: Annotated[float, Field(gt=0, le=10_000)] = 6.0
    """After so long an event counts half."""
    trending_window_h: Annotated[float, Field(gt=0, le=10_000)] = 72.0
    """Older events do not count; by then one counts 2^-12."""


@dataclass(frozen=True, kw_only=True)
class DatabaseSettings:
    """For processes that use Postgres."""

    database_url: Dsn = field(repr=False)
    """`postgresql://…` or `host=… dbname=…`. Secret."""
    database_connections: Annotated[int, Field(ge=1, le=100)] = 4
    database_ca_file: str = ""
    """The authority of Postgres' certificate, in PEM: from then on connections are encrypted, and
    only to a server with such a certificate for its host. Read again for each connection."""
    database_certificate_file: str = ""
    """Where Postgres asks for a certificate: ours, in PEM."""
    database_key_file: str = ""
    """The certificate's key in PEM, without password."""

    def __post_init__(self) -> None:
        """Whoever uses the URL connects as the files say. Raises: SettingsInvalid."""
        files = CertificateFiles(
            f"{PREFIX}DATABASE",
            self.database_certificate_file,
            self.database_key_file,
            self.database_ca_file,
        )
        given = files.given()
        if not given:
            return
        if not files.authority:
            raise SettingsInvalid(f"HEADRACE_DATABASE_CA_FILE must be set where {given[0]} is")
        files.check()
        object.__setattr__(self, "database_url", _verified(self.database_url, files))


@dataclass(frozen=True, kw_only=True)
class PeerSettings:
    """For processes that call, or are called by, other services over gRPC.

    All three or none. Without, connections between services are neither encrypted nor checked.
    """

    grpc_certificate_file: str = ""
    """This service's certificate in PEM, then those between it and the authority. Read again once
    it changed, like the other two."""
    grpc_key_file: str = ""
    """The certificate's key in PEM, without password."""
    grpc_ca_file: str = ""
    """The authority that all services' certificates come from, in PEM."""

    def peers(self) -> Certificates | None:
        """None where they are not set. Raises: SettingsInvalid, naming the variable at fault."""
        files = CertificateFiles(
            f"{PREFIX}GRPC", self.grpc_certificate_file, self.grpc_key_file, self.grpc_ca_file
        )
        return certificates_of(files, "CERTIFICATE", "KEY", "CA")


def _verified(dsn: str, files: CertificateFiles) -> str:
    try:
        return make_dsn(
            dsn,
            sslmode="verify-full",
            sslrootcert=files.authority,
            sslcert=files.certificate or None,
            sslkey=files.key or None,
        )
    except ProgrammingError:  # its message repeats the password
        raise SettingsInvalid(
            "HEADRACE_DATABASE_URL cannot be understood; it looks like "
            "postgresql://user:password@host:5432/database"
        ) from None


def certificates_of(files: CertificateFiles, *needed: str) -> Certificates | None:
    """None where none of the variables is set. Raises: SettingsInvalid where only some are."""
    given = files.given()
    if not given:
        return None
    variables = [f"{files.variables}_{what}_FILE" for what in needed]
    missing = [variable for variable in variables if variable not in given]
    if missing:
        raise SettingsInvalid(
            f"{', '.join(missing)} must be set where {', '.join(given)} is, or none of them"
        )
    return Certificates(files)


@dataclass(frozen=True, kw_only=True)
class BundleSettings:
    """For processes that run a model."""

    bundle_url: Annotated[str, Field(min_length=1)]
    """A folder at any fsspec URL."""


def load_settings(kind: type[S], environ: Mapping[str, str] = os.environ) -> S:
    """Reads and checks the settings of one process. Fields with `repr=False` are secrets.

    Raises: SettingsInvalid with a line for each variable that is missing or wrong.
    """
    wrong: list[str] = []
    given = {}
    for setting in fields(kind):  # type: ignore[arg-type]
        try:
            found = _find(PREFIX + setting.name.upper(), environ)
        except SettingsInvalid as error:
            wrong.append(str(error))
        else:
            given[setting.name] = found
    values = {name: found.value for name, found in given.items() if found.value is not None}
    try:
        settings = TypeAdapter(kind).validate_python(values)
    except SettingsInvalid as error:
        wrong.append(str(error))
    except ValidationError as error:
        secrets = {setting.name for setting in fields(kind) if not setting.repr}  # type: ignore[arg-type]
        for finding in error.errors():
            name = str(finding["loc"][0])
            if name in given:
                wrong.append(given[name].line(finding["msg"], secret=name in secrets))
    if wrong:
        raise SettingsInvalid("\n".join(wrong))
    return settings


@dataclass(frozen=True)
class _Found:
    """A variable, and its value where it is set."""

    variable: str
    value: str | None

    def line(self, reason: str, *, secret: bool) -> str:
        """What is wrong with it, and what would be right."""
        if self.value is None:
            return f"{self.variable} is not set, and has no default"
        shown = "…" if secret else repr(self.value)
        return f"{self.variable}={shown}: {reason.removeprefix('Value error, ')}"


def _find(variable: str, environ: Mapping[str, str]) -> _Found:
    file = f"{variable}_FILE"
    if variable in environ or file not in environ:
        return _Found(variable, environ.get(variable))
    path = environ[file]
    try:
        return _Found(file, Path(path).read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid(f"{file}={path!r}: must name a file of text: {error}") from error

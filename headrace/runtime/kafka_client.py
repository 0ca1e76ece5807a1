"""How every Kafka client of a process connects, and what it does while Kafka is away."""

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from headrace.errors import Unavailable

C = TypeVar("C")

Security = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

_PROBE_S = 2.0
_STOP_MS = 1_000

CONNECTION: dict[str, Any] = {
    # Less than the time that a stopping process has.
    "bootstrap_timeout_ms": 5_000,
    # A broker that restarts is back within seconds; the default waits up to 30 s between tries.
    "reconnect_backoff_max_ms": 500,
    # A broker that hangs without closing its connections is given up after this; default 30 s.
    "request_timeout_ms": 10_000,
}
"""For clients of every kind."""

READ_OR_WRITE: dict[str, Any] = {
    **CONNECTION,
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
}
"""For consumers and producers."""


@dataclass(frozen=True)
class KafkaCluster:
    """Where Kafka is, how it is known, and as whom it knows us. Files are PEM."""

    servers: str
    """host:port, several separated by commas."""
    security: Security = "PLAINTEXT"
    authority: str = ""
    """File of the authorities that brokers' certificates come from; empty: the machine's own."""
    certificate: str = ""
    key: str = ""
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return self.servers

    @property
    def encrypted(self) -> bool:
        return self.security in ("SSL", "SASL_SSL")

    @property
    def names_us(self) -> bool:
        """Whether we log in by name."""
        return self.security in ("SASL_PLAINTEXT", "SASL_SSL")

    def options(self) -> dict[str, Any]:
        """For kafka-python, which reads the files again for each connection."""
        given: dict[str, Any] = {"security_protocol": self.security}
        if self.encrypted:
            given |= {
                "ssl_cafile": self.authority or None,
                "ssl_certfile": self.certificate or None,
                "ssl_keyfile": self.key or None,
            }
        if self.names_us:
            given |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return given

    def context(self) -> ssl.SSLContext:
        """What clients use. Raises: OSError where a file is missing or no PEM."""
        context = ssl.create_default_context(cafile=self.authority or None)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key)
        return context


Kafka = KafkaCluster | str
"""host:port alone is a cluster without encryption."""


def connected(kind: Callable[..., C], kafka: Kafka, **settings: Any) -> C:
    """A client of kafka-python, `kind`, that has found its brokers.

    Raises: Unavailable where none can be reached, or none lets us in.
    """
    cluster = KafkaCluster(kafka) if isinstance(kafka, str) else kafka
    servers = reachable(cluster)
    made: list[KafkaNetClient] = []

    def keep(**config: Any) -> KafkaNetClient:
        made.append(KafkaNetClient(**config))
        return made[-1]

    try:
        return kind(bootstrap_servers=servers, kafka_client=keep, **cluster.options(), **settings)
    except BaseException as error:
        # kafka-python 3.0.12 leaks the thread of a client that cannot be set up.
        for client in made:
            client._net.stop(timeout_ms=_STOP_MS)
            client.close()
        if not isinstance(error, KafkaError):
            raise
        raise Unavailable(f"Kafka at {cluster} did not answer: {error}{_doubt(cluster)}") from error


def _doubt(cluster: KafkaCluster) -> str:
    """What may be wrong where connections are accepted and nothing is answered.

    A broker does say that it refuses a password. kafka-python 3.0.12 drops what comes together with
    the end of the connection, and so mostly that.
    """
    if cluster.names_us:
        return " (are HEADRACE_KAFKA_USERNAME and HEADRACE_KAFKA_PASSWORD right?)"
    if cluster.certificate:
        return " (does it trust HEADRACE_KAFKA_CERTIFICATE_FILE?)"
    return ""


def reachable(kafka: Kafka) -> list[str]:
    """The servers as a list, once one of them accepts a connection.

    Asked before a client is made, which would take 5 s to find out, and not say why.

    Raises: Unavailable where none does.
    """
    cluster = KafkaCluster(kafka) if isinstance(kafka, str) else kafka
    servers = cluster.servers.split(",")
    refused = ""
    for server in servers:
        host, _, port = server.strip().rpartition(":")
        try:
            _probe(cluster, host.strip("[]"), int(port))
        except ssl.SSLError as error:
            refused = f": {error.reason or error}"
            if isinstance(error, ssl.SSLCertVerificationError):
                refused = f": {error.verify_message} (HEADRACE_KAFKA_CA_FILE)"
            continue
        except (OSError, ValueError):
            continue
        return servers
    raise Unavailable(f"Kafka at {cluster} accepts no connection{refused}")


def _probe(cluster: KafkaCluster, host: str, port: int) -> None:
    with socket.create_connection((host, port), timeout=_PROBE_S) as plain:
        if cluster.encrypted:
            cluster.context().wrap_socket(plain, server_hostname=host).close()

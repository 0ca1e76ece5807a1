"""How every Kafka client of a process connects, and what it does while Kafka is away."""

import socket
from typing import Any

from headrace.errors import Unavailable

_PROBE_S = 2.0

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


def reachable(bootstrap_servers: str) -> list[str]:
    """The servers as a list, once one of them accepts a connection.

    kafka-python 3.0.12 leaks a thread for each client that cannot be set up, so ask before.

    Raises: Unavailable where none does.
    """
    servers = bootstrap_servers.split(",")
    for server in servers:
        host, _, port = server.strip().rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=_PROBE_S).close()
        except (OSError, ValueError):
            continue
        return servers
    raise Unavailable(f"Kafka at {bootstrap_servers} accepts no connection")

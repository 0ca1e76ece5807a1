"""TCP ports on this machine: which are free, and who may have them."""

import os
import secrets
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from headrace.errors import SettingsInvalid
from headrace.local.errors import PortTaken

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def is_listening(host: str, port: int) -> bool:
    """Whether somebody accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True


def require_free(port: int, purpose: str, setting: str | None = None) -> None:
    """Raise PortTaken, naming the port, who wanted it and the variable that changes it."""
    if is_free(port):
        return
    advice = f" Set {setting} to another one, or stop" if setting else " Stop"
    raise PortTaken(f"Port {port}, wanted by {purpose}, is taken.{advice} what listens there.")


def free_ports(count: int) -> list[int]:
    """`count` different ports, for servers beside other ones.

    Nobody else who asks here gets them as long as this process lives, so that two systems that
    start side by side do not meet. They lie below those that systems give to outgoing connections
    (Linux from 32768 on), so that a server finds its port free again after a restart.
    """
    chosen: list[int] = []
    while len(chosen) < count:
        port = secrets.choice(range(20_000, 32_000))
        if reserve(port):
            chosen.append(port)
    return chosen


_reserved: list[socket.socket] = []


def reserve(port: int) -> bool:
    """Holds `port` against `reserve` of every process. A server, which allows what it binds to be
    bound again (SO_REUSEADDR), can still listen there: this socket never does."""
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        holder.bind((HOST, port))
    except OSError:
        holder.close()
        return False
    # Only now: before, it would have shared the port with another process's holder.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _reserved.append(holder)
    return True


@dataclass(frozen=True)
class Ports:
    """Every port of a system on this machine. HEADRACE_<FIELD>_PORT changes one."""

    gateway_http: int = 8080
    gateway_grpc: int = 50051
    user_embedding_grpc: int = 50052
    item_embedding_grpc: int = 50053
    ranker_grpc: int = 50054
    green_user_embedding_grpc: int = 50062
    green_item_embedding_grpc: int = 50063
    green_ranker_grpc: int = 50064
    gateway_metrics: int = 9101
    event_ingest_metrics: int = 9102
    user_embedding_metrics: int = 9103
    item_embedding_metrics: int = 9104
    ranker_metrics: int = 9105
    green_user_embedding_metrics: int = 9113
    green_item_embedding_metrics: int = 9114
    green_ranker_metrics: int = 9115
    local_kafka: int = 19092
    local_kafka_controller: int = 19093
    local_postgres: int = 15432
    local_smtp: int = 10025

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Ports":
        """Raises SettingsInvalid with a line for each variable that is no port."""
        chosen: dict[str, int] = {}
        wrong: list[str] = []
        for port in fields(cls):
            text = environ.get(cls.setting(port.name))
            if text is None:
                continue
            if text.isdecimal() and 1 <= int(text) <= 65535:
                chosen[port.name] = int(text)
            else:
                wrong.append(f"{cls.setting(port.name)}={text}: must be a number from 1 to 65535")
        if wrong:
            raise SettingsInvalid("\n".join(wrong))
        return cls(**chosen)

    @classmethod
    def free(cls) -> "Ports":
        """Ports that nobody else has, for a system beside another one."""
        names = [port.name for port in fields(cls)]
        return cls(**dict(zip(names, free_ports(len(names)), strict=True)))

    @staticmethod
    def setting(name: str) -> str:
        """The variable that changes port `name`."""
        return f"HEADRACE_{name.upper()}_PORT"

    def require_free(self, names: Iterable[str]) -> None:
        """Raise PortTaken for the first of these ports that somebody has."""
        for name in names:
            require_free(getattr(self, name), name.replace("_", " "), self.setting(name))

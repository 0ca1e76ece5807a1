"""How callers find the pods of a Service: by name, in a cluster's two ways."""

import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import dns.message
import dns.name
import dns.rdatatype
import dns.rrset
from aiohttp.abc import AbstractResolver, ResolveResult

from headrace.local.ports import HOST


class ServiceNames:
    """The name server: a headless Service's name has the addresses of its ready pods.

    It answers while the block runs. stale_s: an answer may be so old, as from the cache in front of
    a cluster's name server.
    """

    def __init__(self, stale_s: float = 0.0) -> None:
        self._stale_s = stale_s
        self._ready: dict[str, Sequence[str]] = {}
        self._cached: dict[str, tuple[float, Sequence[str]]] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._thread = threading.Thread(target=self._serve, name="names", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def address(self, service: str, port: int) -> str:
        """A gRPC target that is looked up here."""
        host, own_port = self._socket.getsockname()
        return f"dns://{host}:{own_port}/{service}:{port}"

    def put(self, service: str, addresses: Sequence[str]) -> None:
        """From now on the service's ready pods are these."""
        self._ready[service] = tuple(addresses)

    def _serve(self) -> None:
        while True:
            packet, caller = self._socket.recvfrom(1_500)
            if not packet:
                return
            answer = dns.message.make_response(dns.message.from_wire(packet))
            question = answer.question[0]
            found = self._looked_up(question.name)
            if found and question.rdtype == dns.rdatatype.A:
                answer.answer.append(dns.rrset.from_text_list(question.name, 5, "IN", "A", found))
            self._socket.sendto(answer.to_wire(), caller)

    def _looked_up(self, name: dns.name.Name) -> Sequence[str]:
        """By the first label: the machine may add a domain to search."""
        service = name.labels[0].decode()
        now = time.monotonic()
        at, known = self._cached.get(service, (0.0, ()))
        if not known or now - at >= self._stale_s:
            known = self._ready.get(service, ())
            self._cached[service] = (now, known)
        return known


class OneOfReady(AbstractResolver):
    """A Service with an address of its own: each new connection goes to one ready pod."""

    def __init__(self, ready: Callable[[], Sequence[str]]) -> None:
        self._ready = ready

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises: OSError where none is ready."""
        addresses = self._ready()
        if not addresses:
            raise OSError(f"no pod of {host} is ready")
        chosen = secrets.choice(addresses)
        return [
            ResolveResult(
                hostname=host,
                host=chosen,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is kept open."""


def loopback_network() -> str:
    """First three bytes of addresses that nobody else on this machine is likely to use."""
    return f"127.{1 + secrets.randbelow(250)}.{1 + secrets.randbelow(250)}"

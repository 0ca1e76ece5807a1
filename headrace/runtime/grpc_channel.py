"""gRPC channels: retries as service config, keep-alive, deadlines, context, errors."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import grpc

from headrace.contracts.once import ONCE
from headrace.runtime.context import outgoing_headers
from headrace.runtime.renewed_channel import RenewedBlockingChannel, RenewedChannel
from headrace.runtime.rpc_errors import from_rpc_error, rpc_errors

if TYPE_CHECKING:  # see `renewed_channel`
    from headrace.runtime.certificates import Certificates

Q_contra = TypeVar("Q_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)

Metadata = list[tuple[str, str]]


class Method(Protocol[Q_contra, R_co]):
    """A unary method of an asyncio stub."""

    def __call__(
        self, request: Q_contra, /, *, timeout: float, metadata: Metadata
    ) -> Awaitable[R_co]: ...


class Answers(Protocol[R_co]):
    """Of a method that answers more than once."""

    def __aiter__(self) -> AsyncIterator[R_co]: ...

    def cancel(self) -> bool: ...


class StreamMethod(Protocol[Q_contra, R_co]):
    """A method of an asyncio stub that answers more than once."""

    def __call__(
        self, request: Q_contra, /, *, timeout: float, metadata: Metadata
    ) -> Answers[R_co]: ...


class BlockingMethod(Protocol[Q_contra, R_co]):
    """A unary method of a blocking stub."""

    def __call__(
        self, request: Q_contra, /, *, timeout: float, metadata: tuple[tuple[str, str], ...]
    ) -> R_co: ...


MESSAGE_BYTES = 24 * 1024 * 1024
"""The greatest message that either side takes: 1,000 items of about 20 kB each
(`headrace.contracts.items`)."""

# A service that restarts is back within seconds; within a deadline of some 100 ms three tries
# bridge a lost connection, no more.
_TRIES = {
    "maxAttempts": 3,
    "initialBackoff": "0.01s",
    "maxBackoff": "0.1s",
    "backoffMultiplier": 2,
}
SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                **_TRIES,
                # A server that stops cancels what reaches it before its callers know.
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        },
        {
            "name": [
                {"service": service, "method": method}
                for service, methods in ONCE.items()
                for method in methods
            ],
            # Headers are sent before one of these begins (`grpc_server`), and gRPC repeats no call
            # whose headers came: one that is cancelled without them has not begun. A connection
            # that breaks does not tell.
            "retryPolicy": {**_TRIES, "retryableStatusCodes": ["CANCELLED"]},
        },
    ],
    "loadBalancingConfig": [{"round_robin": {}}],
}
"""What callers do about servers that come and go."""

OPTIONS: list[tuple[str, Any]] = [
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    # Two replicas may be replaced within the 30 s that names are kept by default.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    # By default a lost server is sought again after up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
]


def open_channel(address: str, certificates: Certificates | None = None) -> grpc.aio.Channel:
    """A channel to host:port. Connects on first use; close it at the end (`async with`).

    certificates: shown to the callee and asked of it; without, the connection is not encrypted.
    """
    if certificates is None:
        return grpc.aio.insecure_channel(address, options=OPTIONS)
    return RenewedChannel(address, certificates, OPTIONS)


async def call(
    method: Method[Q_contra, R_co], request: Q_contra, callee: str, timeout_s: float
) -> R_co:
    """Calls a stub's method with a deadline, carrying the current request's context on.

    callee: name of the service called, for errors.
    Raises: the HeadraceError behind the status.
    """
    with rpc_errors(callee):
        return await method(request, timeout=timeout_s, metadata=outgoing_headers())


async def streamed(
    method: StreamMethod[Q_contra, R_co], request: Q_contra, callee: str, timeout_s: float
) -> AsyncGenerator[R_co, None]:
    """As `call`, for a method with many answers. Whoever stops reading ends the call."""
    answers = method(request, timeout=timeout_s, metadata=outgoing_headers())
    try:
        with rpc_errors(callee):
            async for answer in answers:
                yield answer
    finally:
        answers.cancel()


def open_blocking_channel(address: str, certificates: Certificates | None = None) -> grpc.Channel:
    """`open_channel` for threads that have no event loop."""
    if certificates is None:
        return grpc.insecure_channel(address, options=OPTIONS)
    return RenewedBlockingChannel(address, certificates, OPTIONS)


def call_blocking(
    method: BlockingMethod[Q_contra, R_co], request: Q_contra, callee: str, timeout_s: float
) -> R_co:
    """`call` for threads that have no event loop."""
    try:
        return method(request, timeout=timeout_s, metadata=tuple(outgoing_headers()))
    except grpc.RpcError as failure:
        raise from_rpc_error(callee, failure) from failure

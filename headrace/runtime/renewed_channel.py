"""gRPC channels with certificates: a new channel once the certificate is another.

gRPC for Python reads a channel's certificate once. A stub holds on to the channel it was made
with, so the stub gets a channel that goes on to the present one at each call.
"""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

import asyncio
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import grpc

if TYPE_CHECKING:  # the client, which has no certificates of its own, needs none of it
    from headrace.runtime.certificates import Certificates, Material

C = TypeVar("C")

# Longer than any deadline: calls under way end on the channel that they began on.
_RETIRED_S = 60.0

Options = list[tuple[str, Any]]


def credentials(material: Material) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(material.authority, material.key, material.certificate)


class _Present(Generic[C]):
    """The channel of the certificate in use. Others are closed when their calls have ended."""

    def __init__(
        self,
        certificates: Certificates,
        make: Callable[[Material], C],
        close: Callable[[C], object],
        retired_s: float,
    ) -> None:
        self._certificates = certificates
        self._make = make
        self._close = close
        self._retired_s = retired_s
        self._lock = threading.Lock()
        self._material = certificates.current()
        self._channel = make(self._material)
        self._retired: list[tuple[float, C]] = []

    def channel(self) -> C:
        material = self._certificates.current()
        if material is not self._material:
            with self._lock:
                if material is not self._material:
                    self._close_retired()
                    self._retired.append((time.monotonic(), self._channel))
                    self._channel, self._material = self._make(material), material
        return self._channel

    def all(self) -> list[C]:
        """The present one and those not yet closed."""
        with self._lock:
            return [self._channel, *(channel for _, channel in self._retired)]

    def _close_retired(self) -> None:
        still, now = [], time.monotonic()
        for at, channel in self._retired:
            if now - at < self._retired_s:
                still.append((at, channel))
            else:
                self._close(channel)
        self._retired = still


class _Method:
    """One RPC: the stub calls it, the present channel makes the call."""

    def __init__(self, present: _Present[Any], make: Callable[[Any], Any]) -> None:
        """make: the RPC's callable of a channel."""
        self._present = present
        self._make = make
        self._made: tuple[Any, Any] = (None, None)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._callable()(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        """`future` and `with_call` of blocking stubs."""
        return getattr(self._callable(), name)

    def _callable(self) -> Any:
        channel = self._present.channel()
        known, method = self._made
        if known is not channel:
            method = self._make(channel)
            self._made = (channel, method)
        return method


class _Methods:
    """What stubs ask of a channel."""

    _present: _Present[Any]

    def unary_unary(self, *described: Any, **options: Any) -> Any:
        return _Method(self._present, lambda channel: channel.unary_unary(*described, **options))

    def unary_stream(self, *described: Any, **options: Any) -> Any:
        return _Method(self._present, lambda channel: channel.unary_stream(*described, **options))

    def stream_unary(self, *described: Any, **options: Any) -> Any:
        return _Method(self._present, lambda channel: channel.stream_unary(*described, **options))

    def stream_stream(self, *described: Any, **options: Any) -> Any:
        return _Method(self._present, lambda channel: channel.stream_stream(*described, **options))


class RenewedChannel(_Methods, grpc.aio.Channel):
    """For asyncio."""

    def __init__(
        self,
        address: str,
        certificates: Certificates,
        options: Options,
        retired_s: float = _RETIRED_S,
    ) -> None:
        """retired_s: for calls on a channel whose certificate was replaced."""

        def make(material: Material) -> grpc.aio.Channel:
            return grpc.aio.secure_channel(address, credentials(material), options=options)

        self._closing: set[asyncio.Future[None]] = set()
        self._present = _Present(certificates, make, self._close_later, retired_s)

    async def close(self, grace: float | None = None) -> None:
        await asyncio.gather(*(channel.close(grace) for channel in self._present.all()))

    async def __aenter__(self) -> RenewedChannel:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        state: grpc.ChannelConnectivity = self._present.channel().get_state(try_to_connect)
        return state

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._present.channel().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._present.channel().channel_ready()

    def _close_later(self, channel: grpc.aio.Channel) -> None:
        closing = asyncio.ensure_future(channel.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


class RenewedBlockingChannel(_Methods, grpc.Channel):
    """For threads that have no event loop."""

    def __init__(
        self,
        address: str,
        certificates: Certificates,
        options: Options,
        retired_s: float = _RETIRED_S,
    ) -> None:
        def make(material: Material) -> grpc.Channel:
            return grpc.secure_channel(address, credentials(material), options=options)

        self._present = _Present(certificates, make, lambda channel: channel.close(), retired_s)

    def close(self) -> None:
        for channel in self._present.all():
            channel.close()

    def __enter__(self) -> RenewedBlockingChannel:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def subscribe(
        self,
        callback: Callable[[grpc.ChannelConnectivity], None],
        try_to_connect: bool | None = False,
    ) -> None:
        self._present.channel().subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        self._present.channel().unsubscribe(callback)

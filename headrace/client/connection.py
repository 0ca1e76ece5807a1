"""The connection to the gateway's gRPC door that every client is."""

from collections.abc import AsyncGenerator, Iterator
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

import grpc
from google.protobuf.message import Message

from headrace.client.calls import Call
from headrace.runtime.grpc_channel import OPTIONS
from headrace.runtime.rpc_errors import from_rpc_error

R = TypeVar("R", bound=Message)
T = TypeVar("T")


class Connection:
    """Blocking. Closed by its `with` block or by `close`."""

    _service: ClassVar[Any]
    """The stub's class."""

    def __init__(
        self,
        address: str = "127.0.0.1:50051",
        *,
        api_key: str | None = None,
        timeout_s: float = 5.0,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        if credentials is None:
            self._channel = grpc.insecure_channel(address, options=OPTIONS)
        else:
            self._channel = grpc.secure_channel(address, credentials, options=OPTIONS)
        self._stub: Any = self._service(self._channel)
        self._timeout_s = timeout_s
        self._api_key = api_key

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._channel.close()

    def _metadata(self, token: str | None = None) -> tuple[tuple[str, str], ...]:
        secret = token or self._api_key
        return (("authorization", f"Bearer {secret}"),) if secret else ()

    def _do(
        self,
        call: Call[R, T],
        token: str | None = None,
        of: Any = None,
        timeout_s: float | None = None,
    ) -> T:
        """token: sent instead of the API key. of: the stub, where it is not that of `_service`.
        timeout_s: None: the connection's."""
        method: Any = getattr(of or self._stub, call.method)
        try:
            answer = method(
                call.request,
                timeout=timeout_s or self._timeout_s,
                metadata=self._metadata(token),
                # While nobody listens, during a restart say, wait instead of failing at once.
                wait_for_ready=True,
            )
        except grpc.RpcError as failure:
            raise from_rpc_error("gateway", failure) from failure
        return call.read(answer)

    def _stream(self, call: Call[R, list[T]], timeout_s: float) -> Iterator[T]:
        """What a method with many answers gives; whoever stops reading ends the call."""
        method: Any = getattr(self._stub, call.method)
        answers = method(
            call.request, timeout=timeout_s, metadata=self._metadata(), wait_for_ready=True
        )
        try:
            for answer in answers:
                yield from call.read(answer)
        except grpc.RpcError as failure:
            raise from_rpc_error("gateway", failure) from failure
        finally:
            answers.cancel()


class AsyncConnection:
    """For asyncio."""

    _service: ClassVar[Any]
    """The stub's class."""

    def __init__(
        self,
        address: str = "127.0.0.1:50051",
        *,
        api_key: str | None = None,
        timeout_s: float = 5.0,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(address, options=OPTIONS)
        else:
            self._channel = grpc.aio.secure_channel(address, credentials, options=OPTIONS)
        self._stub: Any = self._service(self._channel)
        self._timeout_s = timeout_s
        self._api_key = api_key

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._channel.close()

    def _metadata(self, token: str | None = None) -> tuple[tuple[str, str], ...]:
        secret = token or self._api_key
        return (("authorization", f"Bearer {secret}"),) if secret else ()

    async def _do(
        self,
        call: Call[R, T],
        token: str | None = None,
        of: Any = None,
        timeout_s: float | None = None,
    ) -> T:
        """token: sent instead of the API key. of: the stub, where it is not that of `_service`.
        timeout_s: None: the connection's."""
        method: Any = getattr(of or self._stub, call.method)
        try:
            answer = await method(
                call.request,
                timeout=timeout_s or self._timeout_s,
                metadata=self._metadata(token),
                # While nobody listens, during a restart say, wait instead of failing at once.
                wait_for_ready=True,
            )
        except grpc.RpcError as failure:
            raise from_rpc_error("gateway", failure) from failure
        return call.read(answer)

    async def _stream(self, call: Call[R, list[T]], timeout_s: float) -> AsyncGenerator[T, None]:
        """What a method with many answers gives; whoever stops reading ends the call."""
        method: Any = getattr(self._stub, call.method)
        answers = method(
            call.request, timeout=timeout_s, metadata=self._metadata(), wait_for_ready=True
        )
        try:
            async for answer in answers:
                for one in call.read(answer):
                    yield one
        except grpc.RpcError as failure:
            raise from_rpc_error("gateway", failure) from failure
        finally:
            answers.cancel()

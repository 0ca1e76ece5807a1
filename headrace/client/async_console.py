"""The asyncio client of the console."""

from collections.abc import AsyncIterator, Sequence
from typing import Unpack

import grpc

from headrace.api.gateway.v1 import console_pb2_grpc
from headrace.client import calls, console_calls
from headrace.client.connection import AsyncConnection
from headrace.client.console_models import (
    InspectedItem,
    InspectedList,
    LiveEvents,
    LiveType,
    RankerStatus,
)
from headrace.client.options import ListOptions
from headrace.runtime.rpc_errors import from_rpc_error


class AsyncConsole(AsyncConnection):
    """As `Console`, for asyncio: use it in an `async with` block, or close it.

    address: host:port of the gateway's gRPC door.
    api_key: with scope `admin`.
    timeout_s: for each call, retries included.
    credentials: for TLS; without, the connection is not encrypted.
    Every method raises an error of `headrace.errors`.
    """

    _service = console_pb2_grpc.ConsoleServiceStub

    async def inspect(
        self,
        user_id: str | None = None,
        *,
        n: int = 20,
        category: str | None = None,
        session: Sequence[str] = (),
        exclude: Sequence[str] = (),
        after: str | None = None,
        **options: Unpack[ListOptions],
    ) -> InspectedList:
        """The list that `Headrace.recommend` gives, and how it comes about. Nothing is logged as
        shown.

        Raises: NotFound as `recommend` does; Unavailable while the ranker is away.
        """
        request = calls.recommend_request(
            user_id,
            n=n,
            category=category,
            session=session,
            exclude=exclude,
            after=after,
            options=options,
        )
        return await self._do(console_calls.inspect(request))

    async def inspect_item(self, item_id: str) -> InspectedItem:
        """Whether an item is shown, how often, and what is near; hidden ones too. Scope `catalogue`
        is enough.

        Raises: NotFound where there was never such an item.
        """
        return await self._do(console_calls.inspect_item(item_id))

    async def status(self) -> RankerStatus:
        """What the ranker has loaded, and how it is; of several, the one that answers."""
        return await self._do(console_calls.status())

    async def watch(
        self, user_id: str | None = None, types: Sequence[LiveType] = ()
    ) -> AsyncIterator[LiveEvents]:
        """Events as they happen, without end: of a person, of some types, or all.

        Raises: Unavailable where the gateway goes, or twenty look on already.
        """
        request = console_calls.watch_request(user_id, types)
        try:
            async for answer in self._stub.WatchEvents(request, metadata=self._metadata()):
                yield console_calls.live_events(answer)
        except grpc.RpcError as error:
            raise from_rpc_error("gateway", error) from error

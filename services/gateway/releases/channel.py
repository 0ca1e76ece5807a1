"""A channel to whichever slot is live."""

from __future__ import annotations  # grpc's classes are generic for the type checker alone

from collections.abc import Callable, Mapping
from typing import Any, cast

import grpc

from headrace.release.stages import Slot


class LiveChannel:
    """As much of a gRPC channel as stubs need. Each call goes to the slot that is live then."""

    def __init__(
        self, channels: Mapping[Slot, grpc.aio.Channel], live_slot: Callable[[], Slot]
    ) -> None:
        self._channels = channels
        self._live_slot = live_slot

    def unary_unary(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        return self._live(
            {slot: channel.unary_unary(*args, **kwargs) for slot, channel in self._channels.items()}
        )

    def unary_stream(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        return self._live(
            {
                slot: channel.unary_stream(*args, **kwargs)
                for slot, channel in self._channels.items()
            }
        )

    def _live(self, methods: Mapping[Slot, Callable[..., Any]]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            return methods[self._live_slot()](*arguments, **options)

        return call


def live_channel(
    channels: Mapping[Slot, grpc.aio.Channel], live_slot: Callable[[], Slot]
) -> grpc.aio.Channel:
    """For stubs, which take it for a channel."""
    return cast("grpc.aio.Channel", LiveChannel(channels, live_slot))

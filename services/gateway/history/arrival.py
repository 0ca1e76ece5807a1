"""Waiting for a moment until the log has what Kafka took."""

import asyncio
import time
from collections.abc import Callable

from headrace.errors import Unavailable

# As long as a list waits for an event; it takes some 20 ms.
_LONGEST_S = 0.25
_AGAIN_S = 0.01


async def arrived(known: Callable[[], bool]) -> None:
    """Returns once it is known, and after a quarter of a second at the latest.

    known: reads Postgres, in a thread. While that is away nothing is waited for: Kafka has it.
    """
    until = time.monotonic() + _LONGEST_S
    try:
        while not await asyncio.to_thread(known):
            if time.monotonic() > until:
                return
            await asyncio.sleep(_AGAIN_S)
    except Unavailable:
        return

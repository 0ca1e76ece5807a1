"""How late the event loop is: whatever blocks it holds up every request of the process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from headrace.runtime.metrics import LOOP_LAG

_PERIOD_S = 0.25


@asynccontextmanager
async def watched_loop(period_s: float = _PERIOD_S) -> AsyncIterator[None]:
    """Notes, four times a second, how much later than asked the loop woke a task."""
    watching = asyncio.create_task(_watch(period_s))
    try:
        yield
    finally:
        watching.cancel()


async def _watch(period_s: float) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + period_s
        await asyncio.sleep(period_s)
        LOOP_LAG.observe(max(0.0, loop.time() - due))

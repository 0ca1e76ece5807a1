"""What a process loaded until it was ready stays: modules, a model, a catalogue.

Python's collector would look through all of it again and again, with every request of the process
waiting meanwhile. Of item_embedding's 280,000 objects that took 13 µs of CPU an imported item.
"""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from headrace.runtime.readiness import Readiness

_PERIOD_S = 0.25


@asynccontextmanager
async def settled_when_ready(readiness: Readiness) -> AsyncIterator[None]:
    """Takes what is there out of the collector's sight, once, when the process is ready."""
    settling = asyncio.create_task(_settle(readiness))
    try:
        yield
    finally:
        settling.cancel()


async def _settle(readiness: Readiness) -> None:
    while readiness.missing():  # noqa: ASYNC110 - conditions are asked, none of them tells
        await asyncio.sleep(_PERIOD_S)
    gc.freeze()

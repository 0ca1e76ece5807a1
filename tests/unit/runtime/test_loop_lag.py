"""A loop that is held up says by how much."""

import asyncio
import time

from prometheus_client import REGISTRY

from headrace.runtime.loop_lag import watched_loop

NAME = "headrace_event_loop_lag_seconds"


def later_than(seconds: str) -> float:
    """How many wakings were noted that came later than that."""
    count = REGISTRY.get_sample_value(f"{NAME}_count") or 0.0
    return count - (REGISTRY.get_sample_value(f"{NAME}_bucket", {"le": seconds}) or 0.0)


async def test_what_blocks_the_loop_is_seen() -> None:
    before = later_than("0.1")
    async with watched_loop(period_s=0.01):
        await asyncio.sleep(0)  # the watch begins
        time.sleep(0.15)  # noqa: ASYNC251
        await asyncio.sleep(0.02)
    assert later_than("0.1") == before + 1
    seen = REGISTRY.get_sample_value(f"{NAME}_count")
    await asyncio.sleep(0.03)
    assert REGISTRY.get_sample_value(f"{NAME}_count") == seen

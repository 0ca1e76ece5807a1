"""What was loaded before a process is ready is not collected again and again."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from headrace.runtime import settled
from headrace.runtime.readiness import Readiness


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    gc.unfreeze()


async def test_it_is_frozen_once_the_process_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settled, "_PERIOD_S", 0.001)
    loaded = asyncio.Event()
    readiness = Readiness()
    readiness.require("model", loaded.is_set)
    async with asyncio.timeout(10), settled.settled_when_ready(readiness):
        model = [[number] for number in range(1_000)]
        for _ in range(3):
            await asyncio.sleep(0.002)
        assert gc.get_freeze_count() == 0
        loaded.set()
        while gc.get_freeze_count() == 0:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)
        # Those that the collector looks at are fewer than those that the process holds.
        seen = {id(one) for one in gc.get_objects()}
        assert all(id(one) not in seen for one in model)


async def test_a_process_that_is_never_ready_keeps_its_collector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settled, "_PERIOD_S", 0.001)
    readiness = Readiness()
    readiness.stopping()
    async with settled.settled_when_ready(readiness):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.01)
    assert gc.get_freeze_count() == 0

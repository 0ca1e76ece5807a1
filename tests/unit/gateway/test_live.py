"""Events as they happen: who gets which, what is lost, and that Kafka is read only for somebody."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from headrace.errors import Unauthenticated, Unavailable
from headrace.local.waiting import wait_until
from services.gateway.console import live as live_module
from services.gateway.console.live import Came, Deliver, Fail, Live
from services.gateway.console.live_models import LiveEvent, WatchQuery


def event(n: int, user_id: str = "ann", type_: str = "click") -> LiveEvent:
    fields: dict[str, Any] = {
        "event_id": f"e{n}",
        "user_id": user_id,
        "n": n,
        "item_id": "1",
        "type": type_,
        "value": None,
        "occurred_at": datetime(2026, 1, 31, 12, tzinfo=UTC),
        "accepted_at": None,
        "backfill": False,
    }
    return LiveEvent.model_validate(fields)


class Tap:
    """A source that hands over what it is told to."""

    def __init__(self, deliver: Deliver, fail: Fail) -> None:
        self.deliver, self.fail = deliver, fail
        self.running = False

    def start(self) -> None:
        self.running = True

    def stop(self, timeout_s: float) -> None:
        self.running = False


class Taps:
    """Keeps every source that was opened."""

    def __init__(self, queued: int = 100) -> None:
        self.all: list[Tap] = []
        self.live = Live(self._open, queued)

    def _open(self, deliver: Deliver, fail: Fail) -> Tap:
        self.all.append(Tap(deliver, fail))
        return self.all[-1]

    async def send(self, *events: LiveEvent) -> None:
        """As Kafka's thread does."""
        await asyncio.to_thread(self.all[-1].deliver, events)


def anybody() -> None:
    """May look on."""


async def listening(
    taps: Taps, query: WatchQuery | None = None, allow: Callable[[], None] = anybody
) -> AsyncGenerator[Came]:
    """Somebody who has begun to look on."""
    watched = taps.live.watch(query or WatchQuery(), allow, heartbeat_s=0.01)
    await anext(watched)  # a sign of life: the source is open
    return watched


def is_running(tap: Tap) -> bool:
    return tap.running


async def next_events(watched: AsyncGenerator[Came]) -> tuple[Sequence[str], int]:
    async for came in watched:
        if came.events:
            return [one.event_id for one in came.events], came.dropped
    return [], 0


async def test_each_gets_what_they_asked_for_in_order() -> None:
    taps = Taps()
    everything = await listening(taps)
    of_bob = await listening(taps, WatchQuery(user_id="bob"))
    likes = await listening(taps, WatchQuery(type=["like", "rating"]))
    await taps.send(event(1), event(2, "bob"), event(3, "ann", "like"))
    assert await next_events(everything) == (["e1", "e2", "e3"], 0)
    assert await next_events(of_bob) == (["e2"], 0)
    assert await next_events(likes) == (["e3"], 0)
    assert len(taps.all) == 1


async def test_kafka_is_read_only_while_somebody_looks_on() -> None:
    taps = Taps()
    first, second = await listening(taps), await listening(taps)
    (tap,) = taps.all
    await first.aclose()
    assert is_running(tap)
    await second.aclose()
    assert await asyncio.to_thread(wait_until, lambda: not is_running(tap), 5)
    third = await listening(taps)
    assert len(taps.all) == 2
    await taps.send(event(1))
    assert await next_events(third) == (["e1"], 0)


async def test_who_is_too_slow_loses_events_and_is_told_how_many() -> None:
    taps = Taps(queued=2)
    watched = await listening(taps)
    await taps.send(*(event(n) for n in range(5)))
    assert await next_events(watched) == (["e0", "e1"], 3)
    await taps.send(event(5))
    assert await next_events(watched) == (["e5"], 0)


async def test_who_may_look_on_no_more_gets_nothing_more() -> None:
    taps = Taps()
    ended = False

    def allow() -> None:
        if ended:
            raise Unauthenticated("this session has ended; log in again")

    watched = await listening(taps, allow=allow)
    ended = True
    await taps.send(event(1))
    assert await next_events(watched) == ([], 0)
    assert await asyncio.to_thread(wait_until, lambda: not is_running(taps.all[0]), 5)


async def test_there_is_room_for_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "MOST_LISTENERS", 1)
    taps = Taps()
    watched = await listening(taps)
    with pytest.raises(Unavailable, match="look on already"):
        taps.live.check_room()
    with pytest.raises(Unavailable):
        await listening(taps)
    await watched.aclose()
    await listening(taps)


async def test_all_streams_end_with_the_process_and_with_the_reader() -> None:
    taps = Taps()
    watched = await listening(taps)
    taps.live.close()
    assert await asyncio.wait_for(next_events(watched), 1) == ([], 0)
    with pytest.raises(Unavailable):
        taps.live.check_room()

    taps = Taps()
    watched = await listening(taps)
    taps.all[0].fail(OSError("gone"))
    assert await asyncio.wait_for(next_events(watched), 1) == ([], 0)
    # Somebody new opens another reader.
    assert await asyncio.wait_for(listening(taps), 1)
    assert len(taps.all) == 2

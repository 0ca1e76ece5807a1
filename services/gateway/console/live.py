"""What people do, as it happens, for whoever looks on.

Kafka is read only while somebody listens. A listener that is slower than the events loses some, and
is told how many; nobody else waits for it.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol

from prometheus_client import Counter, Gauge

from headrace.errors import PermissionDenied, Unauthenticated, Unavailable
from services.gateway.console.live_models import LiveEvent, WatchQuery

log = logging.getLogger(__name__)

LISTENERS = Gauge("headrace_gateway_live_listeners", "Who looks on at events as they happen.")
DROPPED = Counter(
    "headrace_gateway_live_events_dropped_total", "Events that a listener was too slow for."
)

MOST_LISTENERS = 20
QUEUED = 1_000

HEARTBEAT_S = 10.0
_CLOSE_S = 5.0

Deliver = Callable[[Sequence[LiveEvent]], None]
Fail = Callable[[BaseException], None]


class Came(NamedTuple):
    """Events in order, and how many were lost before them. Nothing at all: a sign of life."""

    events: Sequence[LiveEvent]
    dropped: int


class Source(Protocol):
    """Reads events from now on, from `start` to `stop`, in a thread of its own."""

    def start(self) -> None: ...

    def stop(self, timeout_s: float) -> None: ...


class Listener:
    """Takes the events that somebody asked for; gives them out in order."""

    def __init__(self, query: WatchQuery, queued: int) -> None:
        self._query = query
        self._queued = queued
        self._events: deque[LiveEvent] = deque()
        self._news = asyncio.Event()
        self._ended = False
        self._dropped = 0

    def offer(self, event: LiveEvent) -> None:
        if not self._query.wants(event):
            return
        if len(self._events) == self._queued:
            self._dropped += 1
            DROPPED.inc()
            return
        self._events.append(event)
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    async def next(self, within_s: float) -> Came | None:
        """What came since, nothing where nothing came in time. None: there will be no more."""
        try:
            await asyncio.wait_for(self._news.wait(), within_s)
        except TimeoutError:
            return Came((), 0)
        if self._ended:
            return None
        self._news.clear()
        came = Came(list(self._events), self._dropped)
        self._events.clear()
        self._dropped = 0
        return came


class Live:
    """All who look on, and the one reader that they share.

    open_source: makes a source that hands events over, and tells what ended it, in its thread.
    """

    def __init__(
        self, open_source: Callable[[Deliver, Fail], Source], queued: int = QUEUED
    ) -> None:
        self._open_source = open_source
        self._queued = queued
        self._listeners: set[Listener] = set()
        self._stopping: set[asyncio.Future[None]] = set()
        self._source: Source | None = None
        self._closed = False

    def __len__(self) -> int:
        """How many look on."""
        return len(self._listeners)

    def check_room(self) -> None:
        """Raises: Unavailable where so many look on already."""
        if self._closed or len(self._listeners) >= MOST_LISTENERS:
            raise Unavailable(f"{MOST_LISTENERS} look on already; close another page and try again")

    async def watch(
        self, query: WatchQuery, allow: Callable[[], None], heartbeat_s: float = HEARTBEAT_S
    ) -> AsyncGenerator[Came]:
        """What is done from now on, until the process ends or the caller may look on no more.

        allow: raises Unauthenticated or PermissionDenied where they may not; asked before anything
        is handed out.

        Raises: Unavailable where so many look on already.
        """
        with self._listening(query) as listener:
            while (came := await listener.next(heartbeat_s)) is not None:
                try:
                    allow()
                except (Unauthenticated, PermissionDenied):
                    return
                yield came

    @contextmanager
    def _listening(self, query: WatchQuery) -> Iterator[Listener]:
        self.check_room()
        listener = Listener(query, self._queued)
        self._listeners.add(listener)
        LISTENERS.set(len(self._listeners))
        try:
            self._begin()
            yield listener
        finally:
            self._listeners.discard(listener)
            LISTENERS.set(len(self._listeners))
            self._cease()

    def close(self) -> None:
        """Ends every listener: no answer may outlast the process."""
        self._closed = True
        for listener in self._listeners:
            listener.end()

    def _begin(self) -> None:
        if self._source is not None:
            return
        loop = asyncio.get_running_loop()

        def deliver(events: Sequence[LiveEvent]) -> None:
            loop.call_soon_threadsafe(self._deliver, events)

        def fail(error: BaseException) -> None:
            loop.call_soon_threadsafe(self._fail, error)

        self._source = self._open_source(deliver, fail)
        self._source.start()

    def _cease(self) -> None:
        """Not awaited: who leaves may have been cancelled."""
        if self._source is None or self._listeners:
            return
        stop, self._source = self._source.stop, None
        stopping = asyncio.get_running_loop().run_in_executor(None, stop, _CLOSE_S)
        self._stopping.add(stopping)
        stopping.add_done_callback(self._stopping.discard)

    def _fail(self, error: BaseException) -> None:
        log.error("events are not shown any more: %s", error)
        for listener in self._listeners:
            listener.end()

    def _deliver(self, events: Sequence[LiveEvent]) -> None:
        for listener in self._listeners:
            for event in events:
                listener.offer(event)

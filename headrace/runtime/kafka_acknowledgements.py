"""From the acknowledgements of many records, on Kafka's thread, to what their sender is told."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any


class Parcel:
    """Records that were sent by one call; the future of each is chained to it.

    One for all: what is done for every record, on a thread that has better things to do, adds up.

    failed: told of each record that Kafka did not take.
    taken: called once Kafka has all of them.
    settled: called once nothing is under way any more, with the numbers taken by topic.
    """

    def __init__(
        self,
        records: int,
        failed: Callable[[Exception], None],
        taken: Callable[[], None],
        settled: Callable[[Mapping[str, int]], None],
    ) -> None:
        self._left = records
        self._failed = failed
        self._all_taken = taken
        self._settled = settled
        self._complete = True
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def success(self, metadata: Any) -> None:
        """Kafka has one record more. metadata: as kafka-python tells it."""
        with self._lock:
            self._counts[metadata.topic] += 1
            self._left -= 1
            if self._left:
                return
        self._end()

    def failure(self, error: Exception) -> None:
        """Kafka did not take one."""
        self._failed(error)
        self.withdraw(1)

    def withdraw(self, records: int) -> None:
        """So many will not be heard of."""
        with self._lock:
            self._complete = False
            self._left -= records
            if self._left:
                return
        self._end()

    def _end(self) -> None:
        self._settled(self._counts)
        if self._complete:
            self._all_taken()


class Answer:
    """Resolves a future of the event loop, from any thread; the first word counts."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, done: "asyncio.Future[Exception | None]"
    ) -> None:
        self._loop = loop
        self._done = done

    def give(self, failure: Exception | None = None) -> None:
        """None: Kafka has everything."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._resolve, failure)

    def _resolve(self, outcome: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(outcome)

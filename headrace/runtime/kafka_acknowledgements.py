"""From the acknowledgements of many records, on Kafka's thread, to one answer on the event loop."""

import asyncio
import threading


class Countdown:
    """Resolves a future after `left` acknowledgements with None, or with the first failure."""

    def __init__(
        self,
        left: int,
        loop: asyncio.AbstractEventLoop,
        done: "asyncio.Future[Exception | None]",
    ) -> None:
        self._left = left
        self._lock = threading.Lock()
        self._loop = loop
        self._done = done

    def settle(self, failure: Exception | None) -> None:
        """Kafka has one record more, or failed to take one. From any thread."""
        with self._lock:
            self._left -= 1
            if self._left > 0 and failure is None:
                return
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._resolve, failure)

    def _resolve(self, outcome: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(outcome)

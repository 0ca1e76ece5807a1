"""Looks regularly for waiting events whose item is there.

Closes a race: an event was checked before its item was committed, and joined those that wait after
the item's message was consumed. Nobody else would come back to it.
"""

import logging
import threading
import time
from collections.abc import Callable

from headrace.errors import Unavailable
from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.topics import INTERACTIONS
from services.event_ingest.consumer import publish_entries
from services.event_ingest.service import EventIngest

log = logging.getLogger(__name__)

_FORGET_PERIOD_S = 3_600.0
_RECENT_S = 10.0


class Sweeper:
    """Sweeps in a thread of its own from `start` to `stop`.

    on_failure: told of an error that ends the thread.
    """

    def __init__(
        self,
        *,
        service: EventIngest,
        publisher: Publisher,
        period_s: float,
        on_failure: Callable[[BaseException], None],
        interactions: str = INTERACTIONS,
    ) -> None:
        self._service = service
        self._publisher = publisher
        self._period_s = period_s
        self._on_failure = on_failure
        self._interactions = interactions
        self._swept_at = float("-inf")
        self._forgot_at = float("-inf")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Finishes the sweep under way."""
        self._stop.set()
        self._thread.join(timeout_s)

    def swept_recently(self) -> bool:
        """True while Postgres serves: the last sweep came to its end in time."""
        return time.monotonic() - self._swept_at < self._period_s + _RECENT_S

    def sweep(self) -> None:
        """Releases, publishes and counts once. Raises: Unavailable."""
        for entries in self._service.release():
            publish_entries(self._publisher, self._interactions, entries)
        self._service.count_waiting()
        if time.monotonic() - self._forgot_at > _FORGET_PERIOD_S:
            self._service.forget_refused()
            self._forgot_at = time.monotonic()
        self._swept_at = time.monotonic()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                try:
                    self.sweep()
                except Unavailable as error:
                    log.warning("sweep put off: %s", error)
                self._stop.wait(self._period_s)
        except BaseException as error:
            log.critical("sweeper ended", exc_info=True)
            self._on_failure(error)

"""Looks for waiting events whose item is there.

Closes a race: an event was checked before its item was committed, and joined those that wait after
the item's message was consumed. Nobody else would come back to it.
"""

import time

from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.topics import INTERACTIONS
from services.event_ingest.consumer import publish_entries
from services.event_ingest.service import EventIngest

_FORGET_PERIOD_S = 3_600.0


class Sweeper:
    """The work of one round."""

    def __init__(
        self, service: EventIngest, publisher: Publisher, interactions: str = INTERACTIONS
    ) -> None:
        self._service = service
        self._publisher = publisher
        self._interactions = interactions
        self._forgot_at = float("-inf")

    def sweep(self) -> None:
        """Releases, publishes, counts; every hour forgets old refusals. Raises: Unavailable."""
        for entries in self._service.release():
            publish_entries(self._publisher, self._interactions, entries)
        self._service.count_waiting()
        if time.monotonic() - self._forgot_at > _FORGET_PERIOD_S:
            self._service.forget_refused()
            self._forgot_at = time.monotonic()

"""Looks for waiting events whose item is there.

Closes a race: an event was checked before its item was committed, and joined those that wait after
the item's message was consumed. Nobody else would come back to it.
"""

import time

from services.event_ingest.consumer import EntryPublisher
from services.event_ingest.service import EventIngest

_FORGET_PERIOD_S = 3_600.0


class Sweeper:
    """The work of one round. trending_window_h: as `EventIngest.forget_counts`."""

    def __init__(
        self, service: EventIngest, entries: EntryPublisher, trending_window_h: float
    ) -> None:
        self._service = service
        self._entries = entries
        self._trending_window_h = trending_window_h
        self._forgot_at = float("-inf")

    def sweep(self) -> None:
        """Releases, publishes, counts; every hour forgets what is old. Raises: Unavailable."""
        for entries in self._service.release():
            self._entries.publish_released(entries)
        self._service.count_waiting()
        if time.monotonic() - self._forgot_at > _FORGET_PERIOD_S:
            self._service.forget_refused()
            self._service.forget_counts(self._trending_window_h)
            self._forgot_at = time.monotonic()

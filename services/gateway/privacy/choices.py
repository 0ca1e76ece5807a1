"""Who does not want personal lists, as Postgres last told it, in memory.

Lists read it; `choice_feed` fills it every second. So a choice counts here at once, and on every
other gateway within two seconds. While Postgres is away what was read last stays.
"""

import threading
from collections.abc import Collection, Iterable
from typing import Literal

NotPersonalBecause = Literal["personalisation_off", "personalisation_unknown"]

OFF: NotPersonalBecause = "personalisation_off"
"""The person does not want it."""
UNKNOWN: NotPersonalBecause = "personalisation_unknown"
"""Postgres has not told yet what this person wants."""


class Choices:
    """Safe to read while another thread fills it."""

    def __init__(self) -> None:
        self._off: set[str] = set()
        self._read = False
        self._lock = threading.Lock()

    def why_not(self, user_id: str | None) -> NotPersonalBecause | None:
        """Why nothing may be personal for somebody; None: it may. Of nobody nothing is known."""
        if user_id is None:
            return None
        if not self._read:
            return UNKNOWN
        return OFF if user_id in self._off else None

    def forget(self, people: Collection[str]) -> int:
        """Of people who have said nothing any more. Returns: how many had said no."""
        with self._lock:
            known = len(self._off.intersection(people))
            self._off.difference_update(people)
            return known

    def apply(self, changes: Iterable[tuple[str, bool]]) -> None:
        """What people said, each with whether lists may be personal. From now on it is known."""
        with self._lock:
            for user_id, enabled in changes:
                if enabled:
                    self._off.discard(user_id)
                else:
                    self._off.add(user_id)
            self._read = True

"""What this gateway knows of releases, read from the registry again and again."""

import logging
import threading
from collections.abc import Sequence
from typing import Protocol

from headrace.release.registry import Running, process_name
from headrace.release.stages import FIRST_SLOT, SLOTS, Active, Release, Slot
from headrace.runtime.periodic import Periodic
from services.gateway.releases.metrics import show_releases

log = logging.getLogger(__name__)

_PERIOD_S = 1.0


class Releases(Protocol):
    """As much of `Registry` as gateways need."""

    def seen(self, running: Sequence[Running]) -> Active: ...

    def stop(self, release_id: int, reason: str) -> bool: ...


class ReleaseView:
    """What is released, as it was read last. Safe from any thread.

    slots: those whose processes this gateway knows how to reach.
    """

    def __init__(self, registry: Releases, slots: frozenset[Slot]) -> None:
        self._registry = registry
        self._slots = slots
        self._active = Active()
        self._asked = threading.Event()
        self._stopped: set[int] = set()
        self._to_tell: dict[int, str] = {}
        show_releases(self._active)

    @property
    def active(self) -> Active:
        return self._active

    @property
    def live_slot(self) -> Slot:
        """The first slot where the live one is out of reach: `promote` asks for that before."""
        slot = self._active.live_slot
        return slot if slot in self._slots else FIRST_SLOT

    @property
    def candidate(self) -> Release | None:
        """None too where it is to be stopped, or out of reach."""
        one = self._active.candidate
        if one is None or one.slot not in self._slots or one.release_id in self._stopped:
            return None
        return one

    def stop(self, release: Release, reason: str) -> None:
        """Passes over the candidate from now on, and has it stopped for everybody."""
        if release.release_id not in self._stopped:
            log.error("the candidate is stopped: %s", reason)
            self._stopped.add(release.release_id)
            self._to_tell[release.release_id] = reason

    def asked(self) -> bool:
        """Whether the registry was asked, even if it was away."""
        return self._asked.is_set()

    def refresh(self) -> None:
        """Raises: Unavailable; what was read last stays."""
        try:
            for release_id, reason in list(self._to_tell.items()):
                self._registry.stop(release_id, reason)
                del self._to_tell[release_id]
            active = self._registry.seen([self._here(slot) for slot in SLOTS])
            if active != self._active:
                show_releases(active)
            self._active = active
        finally:
            self._asked.set()

    def periodic(self) -> Periodic:
        return Periodic("read_releases", self.refresh, _PERIOD_S)

    def _here(self, slot: Slot) -> Running:
        return Running(slot, "gateway", process_name(), "", "", "", ready=slot in self._slots)

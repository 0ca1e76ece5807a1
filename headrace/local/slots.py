"""Runs a second model beside the live one while it is released, and only then."""

import logging
import threading
import time
from collections.abc import Callable, Set
from contextlib import closing

from headrace.local.errors import StartFailed
from headrace.local.supervisor import Supervisor
from headrace.release.registry import Registry
from headrace.release.slot import LINGER_S, model_of
from headrace.release.stages import SLOTS, Slot
from headrace.runtime.periodic import Periodic
from headrace.store.database import Database

log = logging.getLogger(__name__)

MODEL_SERVICES = ("item_embedding", "user_embedding", "ranker")
"""What each slot has; in the second one called `green_ranker` and so on."""
_GREEN = "green_"
_PERIOD_S = 1.0
_STOP_S = 5.0


def parts_of(slot: Slot) -> list[str]:
    """Names of the slot's processes."""
    prefix = _GREEN if slot == "green" else ""
    return [f"{prefix}{name}" for name in MODEL_SERVICES]


SECOND_SLOT = parts_of("green")


def service_of(part: str) -> str:
    """The service that a process runs."""
    return part.removeprefix(_GREEN)


def slot_of(part: str) -> Slot:
    return "green" if part.startswith(_GREEN) else "blue"


class ModelSlots:
    """Follows the registry: starts the processes of a slot that gets a model, and stops those of
    one that loses it. What somebody stopped by name meanwhile stays down."""

    def __init__(self, supervisor: Supervisor, database_url: Callable[[], str]) -> None:
        self._supervisor = supervisor
        self._database_url = database_url
        self._held: Set[Slot] = frozenset()
        self._rounds: Periodic | None = None
        self._leave = threading.Event()

    def idle(self) -> set[str]:
        """Processes that have no model to run."""
        return {part for slot in SLOTS if slot not in self._held for part in parts_of(slot)}

    def look(self) -> None:
        """Reads the registry. Raises: Unavailable."""
        self._held = self._now_held()

    def start(self) -> None:
        self._leave.clear()
        self._rounds = Periodic("follow_releases", self._follow, _PERIOD_S)
        self._rounds.start()

    def stop(self) -> None:
        self._leave.set()
        if self._rounds is not None:
            self._rounds.stop(_STOP_S)

    def _follow(self) -> None:
        before, self._held = self._held, self._now_held()
        if before - self._held:
            time.sleep(LINGER_S)
        for slot in before - self._held:
            for part in parts_of(slot):
                self._supervisor.terminate(part)
        for slot in self._held - before:
            self._start(slot)

    def _start(self, slot: Slot) -> None:
        """One after the other: three that start at once would take all of a small machine, and
        each needs the one before it."""
        for part in parts_of(slot):
            if self._leave.is_set():
                return
            try:
                self._supervisor.start([part])
            except StartFailed as error:
                log.warning("%s", error)

    def _now_held(self) -> Set[Slot]:
        with closing(Database(self._database_url(), 1)) as database:
            active = Registry(database).active()
        return {slot for slot in SLOTS if model_of(active, slot, "its first") is not None}

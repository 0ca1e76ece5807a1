"""Runs a second model beside the live one while it is released, and only then."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from headrace.local.errors import StartFailed
from headrace.local.priority import MODEST, NORMAL
from headrace.local.supervisor import Supervisor
from headrace.release.registry import Registry
from headrace.release.slot import LINGER_S, model_of
from headrace.release.stages import SLOTS, Active, Slot
from headrace.runtime.periodic import Periodic
from headrace.store.database import Database

log = logging.getLogger(__name__)

MODEL_SERVICES = ("item_embedding", "user_embedding", "ranker")
"""What each slot has; in the second one called `green_ranker` and so on."""
_GREEN = "green_"
# Gateways, which read the registry every second, begin to ask a canary after it is raised.
_PERIOD_S = 0.25
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


def held(active: Active) -> Mapping[Slot, int]:
    """The slots that have a model, with the nice value of their processes: nobody waits for a model
    that is being prepared, and all others make lists."""
    slots: dict[Slot, int] = {}
    for slot in SLOTS:
        if model_of(active, slot, "its first") is not None:
            release = active.in_slot(slot)
            proposed = release is not None and release.stage == "proposed"
            slots[slot] = MODEST if proposed else NORMAL
    return slots


class ModelSlots:
    """Follows the registry: starts the processes of a slot that gets a model, and stops those of
    one that loses it. What somebody stopped by name meanwhile stays down."""

    def __init__(self, supervisor: Supervisor, database_url: Callable[[], str]) -> None:
        self._supervisor = supervisor
        self._database_url = database_url
        self._database: Database | None = None
        self._held: Mapping[Slot, int] = {}
        self._rounds: Periodic | None = None
        self._leave = threading.Event()

    def idle(self) -> set[str]:
        """Processes that have no model to run."""
        return {part for slot in SLOTS if slot not in self._held for part in parts_of(slot)}

    def look(self) -> None:
        """Reads the registry. Raises: Unavailable."""
        before, self._held = self._held, self._now_held()
        for slot, nice in self._held.items():
            if before.get(slot) != nice:
                for part in parts_of(slot):
                    self._supervisor.prefer(part, nice)

    def start(self) -> None:
        self._leave.clear()
        self._rounds = Periodic("follow_releases", self._follow, _PERIOD_S)
        self._rounds.start()

    def stop(self) -> None:
        self._leave.set()
        if self._rounds is not None:
            self._rounds.stop(_STOP_S)
        if self._database is not None:
            self._database.close()
            self._database = None

    def _follow(self) -> None:
        before = self._held
        self.look()
        given_up = before.keys() - self._held.keys()
        if given_up:
            time.sleep(LINGER_S)
        for slot in given_up:
            for part in parts_of(slot):
                self._supervisor.terminate(part)
        for slot in self._held.keys() - before.keys():
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

    def _now_held(self) -> Mapping[Slot, int]:
        if self._database is None:
            self._database = Database(self._database_url(), 1)
        return held(Registry(self._database).active())

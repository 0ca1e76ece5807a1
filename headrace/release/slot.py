"""The slot of a process: which model it runs, and when it has to make room.

A process runs one model from its start to its end. Where its slot gets another one, or none, it
ends; started again it runs what the slot then holds, or waits without a model in its memory.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, Protocol

from headrace.bundle import Bundle
from headrace.bundle.bundle import Part
from headrace.bundle.storage import BundleFolder
from headrace.errors import BundleInvalid, Unavailable
from headrace.release.examination import manifest_digest
from headrace.release.registry import Registry, Running, process_name
from headrace.release.stages import FIRST_SLOT, Active, Slot
from headrace.runtime.periodic import Periodic
from headrace.runtime.process import Process
from headrace.runtime.readiness import Readiness
from headrace.runtime.settings import BundleSettings, DatabaseSettings, ProcessSettings
from headrace.store.database import Database

log = logging.getLogger(__name__)

_PERIOD_S = 1.0
LINGER_S = 3.0
"""After a slot was given away: gateways read the registry every second, and ask it until then."""


@dataclass(frozen=True, kw_only=True)
class SlotSettings(ProcessSettings, BundleSettings, DatabaseSettings):
    """For processes of a slot. `bundle_url` is for the first slot before the first release."""

    model_slot: Slot = FIRST_SLOT
    """Which of the two sets of processes this one belongs to."""


class Registered(Protocol):
    """As much of `Registry` as a process tells of itself."""

    def seen(self, running: Sequence[Running]) -> Active: ...


class Leaving(Protocol):
    """As much of `Process` as it takes to make room."""

    readiness: Readiness

    def leave(self) -> None: ...


class Model(NamedTuple):
    """A bundle, and the digest that its manifest must have; empty: any."""

    bundle_url: str
    manifest_sha256: str


def model_of(active: Active, slot: Slot, first_bundle_url: str) -> Model | None:
    """What the slot holds; None: nothing."""
    release = active.in_slot(slot)
    if release is not None:
        return Model(release.bundle_url, release.manifest_sha256)
    if active.live is None and slot == FIRST_SLOT:
        return Model(first_bundle_url, "")
    return None


@asynccontextmanager
async def model_of_slot(
    settings: SlotSettings, process: Process, parts: Collection[Part]
) -> AsyncIterator[Bundle]:
    """The bundle of the slot, waiting until there is one. While the block runs the registry hears
    of this process, and the process stops where its slot is given to another model.

    Raises: BundleInvalid, also where the bundle changed since it was released.
    """
    database = Database(settings.database_url, 1)
    registry = Registry(database)
    try:
        model = await _until_there(registry, settings)
        bundle, running = await asyncio.to_thread(load, model, settings, process.service, parts)
        watch = Periodic("watch_slot", partial(look, registry, running, process), _PERIOD_S)
        watch.start()
        try:
            yield bundle
        finally:
            await asyncio.to_thread(watch.stop, settings.shutdown_grace_s)
    finally:
        database.close()


async def _until_there(registry: Registry, settings: SlotSettings) -> Model:
    waits = False
    while True:
        try:
            active = await asyncio.to_thread(registry.active)
        except Unavailable as error:
            log.warning("the registry of releases cannot be read yet: %s", error)
        else:
            model = model_of(active, settings.model_slot, settings.bundle_url)
            if model is not None:
                return model
            if not waits:
                log.info("no model is released to this slot", extra={"slot": settings.model_slot})
                waits = True
        await asyncio.sleep(_PERIOD_S)


def load(
    model: Model, settings: SlotSettings, service: str, parts: Collection[Part]
) -> tuple[Bundle, Running]:
    """The bundle, and what the registry is told of this process.

    Raises: BundleInvalid where it is not what was released.
    """
    digest = manifest_digest(BundleFolder(model.bundle_url))
    if model.manifest_sha256 not in ("", digest):
        raise BundleInvalid(
            f"{model.bundle_url}: its manifest changed since it was released; write every model "
            "to a folder of its own"
        )
    bundle = Bundle.load(model.bundle_url, parts)
    running = Running(
        settings.model_slot,
        service,
        process_name(),
        bundle.model_version,
        model.bundle_url,
        digest,
        ready=False,
    )
    return bundle, running


def look(
    registry: Registered, running: Running, process: Leaving, linger_s: float = LINGER_S
) -> None:
    """One round. Raises: Unavailable."""
    now = replace(running, ready=not process.readiness.missing())
    model = model_of(registry.seen([now]), running.slot, running.bundle_url)
    if model is None or model.manifest_sha256 not in ("", running.manifest_sha256):
        log.info("the slot is given to another model", extra={"slot": running.slot})
        # A model that is proposed meanwhile, were it the same, does not count on this process.
        registry.seen([replace(running, ready=False)])
        time.sleep(linger_s)
        process.leave()

"""Whom the gateway asks for lists and items, wired to what is released."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

import grpc

from headrace.release.registry import Registry
from headrace.release.stages import Slot
from headrace.retraining.record import Trainings
from headrace.runtime.grpc_channel import open_channel
from headrace.runtime.process import Process
from headrace.store.database import Database
from services.gateway.accounts.interests import Interests
from services.gateway.ranker import Ranker
from services.gateway.releases.channel import live_channel
from services.gateway.releases.lanes import Lanes
from services.gateway.releases.trainings import TrainingView
from services.gateway.releases.view import ReleaseView
from services.gateway.settings import GatewaySettings
from services.gateway.warm_ranker import WarmRanker


@dataclass(frozen=True)
class ReleaseParts:
    """lanes: makes lists. ranker, items: channels to the live slot's services."""

    lanes: Lanes
    ranker: grpc.aio.Channel
    items: grpc.aio.Channel


async def release_parts(
    settings: GatewaySettings,
    process: Process,
    database: Database,
    interests: Interests,
    stack: AsyncExitStack,
) -> ReleaseParts:
    """Everything is closed with `stack`."""
    peers = settings.peers()
    rankers: dict[Slot, grpc.aio.Channel] = {}
    items: dict[Slot, grpc.aio.Channel] = {}
    for slot, ranker_address, items_address in settings.slots():
        for channels, address in ((rankers, ranker_address), (items, items_address)):
            channels[slot] = await stack.enter_async_context(open_channel(address, peers))
    view = ReleaseView(Registry(database), frozenset(rankers))
    for rounds in (view.periodic(), TrainingView(Trainings(database)).periodic()):
        rounds.start()
        stack.push_async_callback(asyncio.to_thread, rounds.stop, settings.shutdown_grace_s)
    process.readiness.require("releases", view.asked)
    lanes: dict[Slot, Ranker] = {
        slot: WarmRanker(channel, settings.ranker_deadline_ms, settings.after_wait_ms, interests)
        for slot, channel in rankers.items()
    }
    return ReleaseParts(
        # Half of a list's time is left for the live model where the candidate does not answer.
        Lanes(lanes, view, settings.ranker_deadline_ms / 2_000),
        live_channel(rankers, lambda: view.live_slot),
        live_channel(items, lambda: view.live_slot),
    )

"""Runs event_ingest: `python -m services.event_ingest`."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from headrace.runtime.kafka_consumer import GroupConsumer
from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.periodic import Periodic
from headrace.runtime.process import Process, run_process
from headrace.runtime.topics import EVENTS, IMPRESSIONS, ITEMS
from headrace.store.database import Database
from services.event_ingest.behaviour import BehaviourRefresh
from services.event_ingest.click_through import ClickThrough
from services.event_ingest.consumer import (
    EntryPublisher,
    EventHandler,
    ItemHandler,
    decode_event,
    decode_item,
)
from services.event_ingest.impressions import ImpressionCounts, decode_shown
from services.event_ingest.log import EventLog
from services.event_ingest.service import EventIngest
from services.event_ingest.settings import EventIngestSettings
from services.event_ingest.sweeper import Sweeper

SERVICE = "event_ingest"

# For what counts and forgets, so that it takes none from those who ingest.
_COUNTING_CONNECTIONS = 3
_IMPRESSIONS_BATCH = 100  # records, of up to 200 lists each
_IMPRESSIONS_GATHER_S = 1.0  # counting ten records together costs little more than one
_CLICK_THROUGH_PERIOD_S = 60.0
_FORGET_PERIOD_S = 3_600.0
_POSTGRES_ANSWERED_WITHIN_S = 10.0  # and the period of the sweep, which asks it


async def serve(settings: EventIngestSettings, process: Process) -> None:
    kafka = settings.kafka()
    async with AsyncExitStack() as stack:
        database = Database(settings.database_url, settings.database_connections)
        stack.callback(database.close)
        service = EventIngest(EventLog(database))
        publisher = Publisher(kafka)
        stack.callback(publisher.close, settings.shutdown_grace_s)
        entries = EntryPublisher(publisher)

        events = GroupConsumer(
            bootstrap_servers=kafka,
            group=SERVICE,
            topic=EVENTS,
            decode=decode_event,
            handle=EventHandler(service, entries),
            publisher=publisher,
            on_failure=process.fail,
            max_batch=settings.ingest_batch_records,
        )
        items = GroupConsumer(
            bootstrap_servers=kafka,
            group=f"{SERVICE}-items",
            topic=ITEMS,
            decode=decode_item,
            handle=ItemHandler(service, entries),
            publisher=publisher,
            on_failure=process.fail,
            max_batch=settings.ingest_batch_records,
        )
        counts = Database(settings.database_url, _COUNTING_CONNECTIONS)
        stack.callback(counts.close)
        impressions = ImpressionCounts(counts)
        shown = GroupConsumer(
            bootstrap_servers=kafka,
            group=f"{SERVICE}-impressions",
            topic=IMPRESSIONS,
            decode=decode_shown,
            handle=impressions.handle,
            publisher=publisher,
            on_failure=process.fail,
            max_batch=_IMPRESSIONS_BATCH,
            gather_s=_IMPRESSIONS_GATHER_S,
        )
        forgetting = Periodic("forget_impressions", impressions.forget, _FORGET_PERIOD_S)
        sweeps = Periodic(
            "sweep_waiting",
            Sweeper(service, entries, settings.trending_window_h).sweep,
            settings.ingest_sweep_period_s,
            on_failure=process.fail,
        )
        chosen = Periodic(
            "count_click_through",
            ClickThrough(counts).count,
            _CLICK_THROUGH_PERIOD_S,
            busy_share=0.05,
        )
        behaviour = BehaviourRefresh(counts, settings.behaviour_refresh_s)
        refreshes = Periodic("refresh_behaviour", behaviour.round, settings.behaviour_refresh_s)
        stack.push_async_callback(
            _stop_all,
            [part.stop for part in (events, items, shown, sweeps, forgetting, chosen, refreshes)],
            settings.shutdown_grace_s,
        )
        stack.callback(behaviour.cancel)
        for part in (events, items, shown, sweeps, forgetting, chosen, refreshes):
            part.start()

        process.readiness.require("events", events.joined)
        process.readiness.require("items", items.joined)
        process.readiness.require(
            "postgres",
            lambda: sweeps.succeeded_within(
                settings.ingest_sweep_period_s + _POSTGRES_ANSWERED_WITHIN_S
            ),
        )
        await process.until_told_to_stop()


async def _stop_all(stops: list[Callable[[float], None]], grace_s: float) -> None:
    """All at once, so that they share the grace period."""
    await asyncio.gather(*(asyncio.to_thread(stop, grace_s) for stop in stops))


def main() -> None:
    run_process(SERVICE, EventIngestSettings, serve)


if __name__ == "__main__":
    main()

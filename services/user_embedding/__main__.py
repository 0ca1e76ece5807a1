"""Runs user_embedding: `python -m services.user_embedding`."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial

from headrace.api.user_embedding.v1.user_embedding_pb2_grpc import (
    add_UserEmbeddingServiceServicer_to_server,
)
from headrace.release.slot import model_of_slot
from headrace.runtime.grpc_channel import open_blocking_channel
from headrace.runtime.grpc_server import grpc_server
from headrace.runtime.kafka_consumer import GroupConsumer
from headrace.runtime.kafka_publisher import Publisher
from headrace.runtime.kafka_reader import TopicReader
from headrace.runtime.periodic import Periodic
from headrace.runtime.process import Process, run_process
from headrace.runtime.share import Share
from headrace.runtime.topics import INTERACTIONS, item_vectors
from headrace.store.database import Database
from headrace.store.forgetting import Forgetting
from services.user_embedding.announcer import Announcer
from services.user_embedding.cache import StateCache
from services.user_embedding.consumer import InteractionHandler, VectorPublisher, group
from services.user_embedding.grpc import SERVICE, UserEmbeddingServicer
from services.user_embedding.item_client import ItemClient, ItemFeed, item_vector_decoder
from services.user_embedding.items import KnownItems
from services.user_embedding.log_store import LogStore
from services.user_embedding.memory import Memory
from services.user_embedding.messages import decode_interaction
from services.user_embedding.people_in_memory import PeopleInMemory
from services.user_embedding.service import UserEmbedding
from services.user_embedding.settings import UserEmbeddingSettings
from services.user_embedding.state_store import StateStore
from services.user_embedding.stepper import Stepper
from services.user_embedding.sweeper import Sweeper

_WATCH_PERIOD_S = 1.0
_POSTGRES_ANSWERED_WITHIN_S = 5.0


async def serve(settings: UserEmbeddingSettings, process: Process) -> None:
    """Runs the service until it is told to stop."""
    peers = settings.peers()
    async with AsyncExitStack() as stack:
        kafka, grace_s = settings.kafka(), settings.shutdown_grace_s
        bundle = await stack.enter_async_context(model_of_slot(settings, process, ["user"]))
        version, width = bundle.model_version, bundle.width
        database = Database(settings.database_url, settings.database_connections)
        stack.callback(database.close)

        async def publisher() -> Publisher:
            # One for each who publishes: its flush must tell of their own records and no others'.
            made = await asyncio.to_thread(Publisher, kafka)
            stack.push_async_callback(asyncio.to_thread, made.close, grace_s)
            return made

        channel = open_blocking_channel(settings.item_embedding_address, peers)
        stack.callback(channel.close)
        items = KnownItems(width, ItemClient(channel, version, width).fetch)
        reader = TopicReader(
            bootstrap_servers=kafka,
            topic=item_vectors(version),
            since="beginning",
            decode=item_vector_decoder(version, width),
            apply=ItemFeed(items, width),
            publisher=await publisher(),
            on_failure=process.fail,
        )
        for_repairs = await publisher()
        announcer = Announcer(for_repairs, VectorPublisher(for_repairs, version), process.fail)
        logs = LogStore(database, version)
        service = UserEmbedding(
            stepper=Stepper(bundle.user, items, Memory(settings.seen_types), bundle.user_width),
            states=StateStore(database, version, bundle.user_width, bundle.state_width),
            logs=logs,
            cache=StateCache(settings.state_cache_mb * 1024 * 1024),
            announce=announcer.announce,
        )
        sweeper = Sweeper(
            logs=logs,
            repair=service.repair,
            share=Share(settings.sweep_share),
            may_sweep=lambda: reader.caught_up() and announcer.has_room(),
        )
        sweeps = Periodic(
            "sweep_states", sweeper.sweep, settings.sweep_period_s, on_failure=process.fail
        )
        forgetting = Forgetting(database, "user_embedding", PeopleInMemory(service, announcer))
        stack.push_async_callback(asyncio.to_thread, forgetting.leave)
        watch = Periodic("watch_postgres", database.check, _WATCH_PERIOD_S)
        for_vectors = await publisher()
        consumer = GroupConsumer(
            bootstrap_servers=kafka,
            group=group(version),
            topic=INTERACTIONS,
            decode=decode_interaction,
            handle=InteractionHandler(
                service, VectorPublisher(for_vectors, version), reader.caught_up
            ),
            publisher=for_vectors,
            on_failure=process.fail,
            on_revoked=service.lose,
            # A new model begins with the sweep, which takes each person once. Reading what the live
            # one has read would tell rankers of everybody again and again.
            begin="latest",
        )
        for part in (watch, forgetting.periodic(), reader, announcer, sweeps, consumer):
            part.start()
            stack.push_async_callback(asyncio.to_thread, part.stop, grace_s)
        stack.callback(sweeper.stop)
        await stack.enter_async_context(
            grpc_server(
                host=settings.host,
                port=settings.grpc_port,
                services=[SERVICE],
                register=partial(
                    add_UserEmbeddingServiceServicer_to_server,
                    UserEmbeddingServicer(service, version),
                ),
                readiness=process.readiness,
                grace_s=grace_s,
                certificates=peers,
            )
        )
        process.readiness.require("item_vectors", reader.caught_up)
        process.readiness.require("interactions", consumer.joined)
        process.readiness.require(
            "postgres", lambda: watch.succeeded_within(_POSTGRES_ANSWERED_WITHIN_S)
        )
        await process.until_told_to_stop()


def main() -> None:
    run_process("user_embedding", UserEmbeddingSettings, serve)


if __name__ == "__main__":
    main()
